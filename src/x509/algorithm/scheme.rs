//! Row of the table of key schemes.
use super::{SCHEMES, SignatureAlgorithm};
use crate::x509::extension::KeyUsage;
use crate::x509::{KeyWeakness, MalformedDer, SubjectPublicKeyInfo};
use aws_lc_rs::signature::{EcdsaSigningAlgorithm, PqdsaSigningAlgorithm, VerificationAlgorithm};
use der::asn1::{AnyRef, ObjectIdentifier};
use std::fmt;
use std::ops::RangeInclusive;
use std::panic::RefUnwindSafe;

/// A signature algorithm, and the verifier of its signatures with keys of one scheme.
pub(in crate::x509) type Verification = (SignatureAlgorithm, &'static dyn VerificationAlgorithm);

/// A kind of key pair: how its public keys are encoded, for what they can be used, and how its signatures are
/// verified.
pub struct KeyScheme {
    /// Name in profiles, and after `--key` when keys of the scheme have no length.
    pub(super) name: &'static str,
    /// `algorithm` in SubjectPublicKeyInfo and PrivateKeyInfo.
    pub(super) oid: ObjectIdentifier,
    /// `parameters` of the same AlgorithmIdentifier.
    pub(super) parameters: Parameters,
    /// Checks the form of `subjectPublicKey`. Returns the length of the key in bits when keys of the scheme differ in
    /// it.
    pub(super) read: fn(&[u8]) -> Result<Option<u32>, MalformedDer>,
    /// Returns the weaknesses of a key of the right form.
    pub(super) weaknesses: fn(&SubjectPublicKeyInfo) -> Vec<KeyWeakness>,
    /// Limits of key lengths; `None` when all keys of the scheme have one length.
    pub(super) lengths: Option<Lengths>,
    /// Lengths in which keys are generated; `None` in the list stands for the only length.
    pub(super) generated: &'static [Option<u32>],
    /// Key usages that are possible with these keys. No others may be certified.
    pub(super) uses: KeyUsage,
    /// Signature algorithm of signatures that are made with these keys.
    pub(super) signature: Verification,
    /// Kind of private key.
    pub(super) private: PrivateAlgorithm,
    /// Other signature algorithms, which are only verified.
    pub(super) other_signatures: &'static [Verification],
    /// Whether a signature takes so little time that it is made where it is asked for, and on no thread of its own.
    pub(super) signs_quickly: bool,
    /// Whether profiles that name no schemes accept this one.
    pub(super) is_usual: bool,
    /// Warning for people who have such a key certified.
    pub(super) caution: Option<&'static str>,
}

/// Kind of private key in aws-lc-rs, as data. The keys themselves are made and read by the key stores.
#[derive(Clone, Copy)]
pub(crate) enum PrivateAlgorithm {
    /// ECDSA on one curve with its digest.
    Ecdsa(&'static EcdsaSigningAlgorithm),
    Ed25519,
    /// RSA: PKCS#1 v1.5 with SHA-256.
    Rsa,
    /// ML-DSA with one parameter set.
    MlDsa(&'static PqdsaSigningAlgorithm),
}

/// `parameters` of a key's AlgorithmIdentifier.
pub(super) enum Parameters {
    Absent,
    Null,
    /// `namedCurve` (RFC 5480 §2.1.1).
    Curve(ObjectIdentifier),
}

/// Limits of key lengths, in bits.
pub(super) struct Lengths {
    /// Accepted lengths.
    pub(super) accepted: RangeInclusive<u32>,
    /// Lengths too short for anything new, whose old signatures can still be verified.
    pub(super) old: RangeInclusive<u32>,
    /// Verifiers of signatures with keys of the old lengths.
    pub(super) old_signatures: &'static [Verification],
    /// Length shown as an example.
    pub(super) usual: u32,
}

impl Parameters {
    pub(super) fn curve(&self) -> Option<ObjectIdentifier> {
        match self {
            Self::Curve(curve) => Some(*curve),
            Self::Absent | Self::Null => None,
        }
    }
}

impl KeyScheme {
    /// Returns every scheme, in the order in which they are shown.
    #[must_use]
    pub fn all() -> &'static [&'static Self] {
        SCHEMES
    }

    /// Returns the name as in `algorithms` of a profile: `p256`, `ed25519`, `rsa`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns `algorithm` in SubjectPublicKeyInfo and PrivateKeyInfo.
    #[must_use]
    pub(crate) fn oid(&self) -> ObjectIdentifier {
        self.oid
    }

    /// Returns the kind of private key.
    #[must_use]
    pub(crate) fn private(&self) -> PrivateAlgorithm {
        self.private
    }

    /// Tells whether profiles that name no schemes accept this one.
    #[must_use]
    pub(crate) fn is_usual(&self) -> bool {
        self.is_usual
    }

    /// Returns an argument of `--key` for a key of this scheme, with at least this many bits where keys differ in
    /// length.
    #[must_use]
    pub fn example(&self, least: u32) -> String {
        let Some(lengths) = &self.lengths else { return self.name.into() };
        let wanted = lengths.usual.max(least);
        let mut generated = self.generated.iter().flatten();
        let longest = self.generated.iter().flatten().last();
        let length = generated.find(|length| **length >= wanted).or(longest).unwrap_or(&wanted);
        format!("{}{length}", self.name)
    }

    /// Returns the warning for people who have such a key certified.
    #[must_use]
    pub(crate) fn caution(&self) -> Option<&'static str> {
        self.caution
    }

    /// Checks the parameters of the identifier and reads `subjectPublicKey`. Returns the length in bits where keys
    /// differ in it.
    pub(in crate::x509) fn read_key(
        &self,
        parameters: Option<AnyRef<'_>>,
        key: &[u8],
    ) -> Result<Option<u32>, MalformedDer> {
        match self.parameters {
            Parameters::Absent if parameters.is_some() => Err(self.unsupported()),
            Parameters::Null if !parameters.is_some_and(|parameters| parameters.is_null()) => {
                let reason = format!("{} keys have NULL parameters", self.name.to_uppercase());
                Err(MalformedDer::new("SubjectPublicKeyInfo", reason))
            }
            _ => (self.read)(key),
        }
    }

    /// Returns every weakness of a key; empty when none is found.
    pub(in crate::x509) fn weaknesses(&self, key: &SubjectPublicKeyInfo) -> Vec<KeyWeakness> {
        (self.weaknesses)(key)
    }

    /// Returns the signature algorithms with their verifiers, the one that keys sign with first.
    pub(in crate::x509) fn signatures(&self) -> impl Iterator<Item = Verification> + '_ {
        std::iter::once(self.signature).chain(self.other_signatures.iter().copied())
    }

    /// Returns the error for a key whose identifier belongs to this scheme, but whose parameters or octets do not.
    pub(super) fn unsupported(&self) -> MalformedDer {
        let reason = format!("the key type {} is not supported", self.oid);
        MalformedDer::unsupported("SubjectPublicKeyInfo", reason)
    }
}

/// Compares the names, which are unique in the table.
impl PartialEq for KeyScheme {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for KeyScheme {}

/// Asserts unwind safety: rows are never written to. The trait objects of aws-lc-rs in them are not written to
/// either, but are not marked as unwind safe.
impl RefUnwindSafe for KeyScheme {}

impl fmt::Debug for KeyScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyScheme({})", self.name)
    }
}
