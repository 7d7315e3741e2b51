//! What a row of the table says.
use super::{SCHEMES, SignatureAlgorithm};
use crate::x509::extension::KeyUsage;
use crate::x509::{KeyWeakness, MalformedDer, SubjectPublicKeyInfo};
use aws_lc_rs::signature::{EcdsaSigningAlgorithm, PqdsaSigningAlgorithm, VerificationAlgorithm};
use der::asn1::{AnyRef, ObjectIdentifier};
use std::fmt;
use std::ops::RangeInclusive;
use std::panic::RefUnwindSafe;

/// A signature algorithm, and what verifies it with keys of one scheme.
pub(in crate::x509) type Verification = (SignatureAlgorithm, &'static dyn VerificationAlgorithm);

/// A kind of key pair: how its public keys are written, what they are used for, and what their signatures are.
pub struct KeyScheme {
    /// As profiles call it, and `--key` too where no length belongs to it.
    pub(super) name: &'static str,
    /// `algorithm` in SubjectPublicKeyInfo and PrivateKeyInfo.
    pub(super) oid: ObjectIdentifier,
    /// Its `parameters`.
    pub(super) parameters: Parameters,
    /// Checks the form of `subjectPublicKey`; the key's length where those of this scheme differ in it.
    pub(super) read: fn(&[u8]) -> Result<Option<u32>, MalformedDer>,
    /// What is wrong with a key of the right form.
    pub(super) weaknesses: fn(&SubjectPublicKeyInfo) -> Vec<KeyWeakness>,
    /// What becomes of keys of different lengths.
    pub(super) lengths: Option<Lengths>,
    /// The lengths that keys are generated in; `None` is the only one there is.
    pub(super) generated: &'static [Option<u32>],
    /// Uses that keys can have; no others may be certified.
    pub(super) uses: KeyUsage,
    /// What keys sign with.
    pub(super) signature: Verification,
    /// What has their private halves.
    pub(super) private: PrivateAlgorithm,
    /// What signatures of others are verified with besides.
    pub(super) other_signatures: &'static [Verification],
    /// Whether profiles that name no schemes take it.
    pub(super) is_usual: bool,
    /// What somebody who gets such a key certified is told.
    pub(super) caution: Option<&'static str>,
}

/// The library's kind of private keys, as data: keys themselves are made and read where they are kept.
#[derive(Clone, Copy)]
pub(crate) enum PrivateAlgorithm {
    /// On one curve, with its digest.
    Ecdsa(&'static EcdsaSigningAlgorithm),
    Ed25519,
    /// PKCS#1 1.5 with SHA-256.
    Rsa,
    /// Of one parameter set.
    MlDsa(&'static PqdsaSigningAlgorithm),
}

/// `parameters` of a key's AlgorithmIdentifier.
pub(super) enum Parameters {
    Absent,
    Null,
    /// `namedCurve` (RFC 5480 §2.1.1).
    Curve(ObjectIdentifier),
}

/// Lengths of keys in bits.
pub(super) struct Lengths {
    /// Taken.
    pub(super) accepted: RangeInclusive<u32>,
    /// Too short for anything new.
    pub(super) old: RangeInclusive<u32>,
    /// How the signatures of those are verified.
    pub(super) old_signatures: &'static [Verification],
    /// An example for people who ask for one.
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
    /// Every scheme, in the order in which people read of them.
    #[must_use]
    pub fn all() -> &'static [&'static Self] {
        SCHEMES
    }

    /// As in the `algorithms` of a profile: `p256`, `ed25519`, `rsa`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// `algorithm` in SubjectPublicKeyInfo and PrivateKeyInfo.
    #[must_use]
    pub(crate) fn oid(&self) -> ObjectIdentifier {
        self.oid
    }

    /// What has the private halves of its keys.
    #[must_use]
    pub(crate) fn private(&self) -> PrivateAlgorithm {
        self.private
    }

    /// Whether profiles that name no schemes take it.
    #[must_use]
    pub(crate) fn is_usual(&self) -> bool {
        self.is_usual
    }

    /// What to type after `--key` for a key of this scheme that has so many bits at least, where they differ in it.
    #[must_use]
    pub fn example(&self, least: u32) -> String {
        let Some(lengths) = &self.lengths else { return self.name.into() };
        let wanted = lengths.usual.max(least);
        let mut generated = self.generated.iter().flatten();
        let longest = self.generated.iter().flatten().last();
        let length = generated.find(|length| **length >= wanted).or(longest).unwrap_or(&wanted);
        format!("{}{length}", self.name)
    }

    /// What somebody who gets such a key certified is told.
    #[must_use]
    pub(crate) fn caution(&self) -> Option<&'static str> {
        self.caution
    }

    /// Reads `subjectPublicKey`, with the parameters of its identifier: the length, where keys differ in it.
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

    /// Everything that is wrong with a key; empty when nothing is.
    pub(in crate::x509) fn weaknesses(&self, key: &SubjectPublicKeyInfo) -> Vec<KeyWeakness> {
        (self.weaknesses)(key)
    }

    /// How signatures are verified, what keys sign with first.
    pub(in crate::x509) fn signatures(&self) -> impl Iterator<Item = Verification> + '_ {
        std::iter::once(self.signature).chain(self.other_signatures.iter().copied())
    }

    /// Of octets that are a key of this scheme by their identifier alone.
    pub(super) fn unsupported(&self) -> MalformedDer {
        let reason = format!("the key type {} is not supported", self.oid);
        MalformedDer::unsupported("SubjectPublicKeyInfo", reason)
    }
}

/// No two rows have one name.
impl PartialEq for KeyScheme {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for KeyScheme {}

/// Rows are never written to; of the library's trait objects in them, which are not either, nobody says so.
impl RefUnwindSafe for KeyScheme {}

impl fmt::Debug for KeyScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyScheme({})", self.name)
    }
}
