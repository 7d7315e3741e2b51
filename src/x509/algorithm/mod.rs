//! Key and signature algorithms and their identifiers (RFC 3279, 4055, 5480, 5758, 8410, 9881).
//!
//! The table [`SCHEMES`] has a row for each scheme, and each scheme has a file. Everything that depends on the type
//! of a key is in its row.
mod ecdsa;
mod ed25519;
mod ml_dsa;
pub(super) mod rsa;
mod scheme;
mod signature;

use super::extension::KeyUsage;
use crate::error::{Reason, did_you_mean};
use der::asn1::{AnyRef, ObjectIdentifier};
pub(super) use scheme::Verification;
pub(crate) use scheme::{KeyScheme, PrivateAlgorithm};
pub(crate) use signature::RawAlgorithmIdentifier;
pub use signature::SignatureAlgorithm;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Every scheme, in the order in which they are shown.
const SCHEMES: &[&KeyScheme] = &[
    &ecdsa::P256,
    &ecdsa::P384,
    &ecdsa::P521,
    &ed25519::ED25519,
    &rsa::RSA,
    &ml_dsa::ML_DSA_44,
    &ml_dsa::ML_DSA_65,
    &ml_dsa::ML_DSA_87,
];

/// Type of the keys that CAs and subscribers may have: a scheme, and the key length where keys of the scheme differ
/// in it.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct KeyAlgorithm {
    scheme: &'static KeyScheme,
    length: Option<u32>,
}

impl KeyAlgorithm {
    pub(super) fn new(scheme: &'static KeyScheme, length: Option<u32>) -> Self {
        Self { scheme, length }
    }

    /// Returns the types of keys that can be generated.
    #[must_use]
    pub fn generated() -> Vec<Self> {
        let of_scheme = |scheme: &&'static KeyScheme| {
            let scheme = *scheme;
            scheme.generated.iter().map(move |length| Self { scheme, length: *length })
        };
        SCHEMES.iter().flat_map(of_scheme).collect()
    }

    /// Returns the row of the table.
    #[must_use]
    pub fn scheme(self) -> &'static KeyScheme {
        self.scheme
    }

    /// Returns the bits of the modulus, for RSA.
    #[must_use]
    pub fn length(self) -> Option<u32> {
        self.length
    }

    /// Tells whether a signature takes so little time that it is made where it is asked for.
    #[must_use]
    pub(crate) fn signs_quickly(self) -> bool {
        self.scheme.signs_quickly
    }

    /// Tells whether keys of this length are accepted.
    #[must_use]
    pub(crate) fn has_accepted_length(self) -> bool {
        let (Some(lengths), Some(length)) = (&self.scheme.lengths, self.length) else { return true };
        lengths.accepted.contains(&length)
    }

    /// Returns the algorithm of signatures that are made with keys of this type.
    #[must_use]
    pub fn signature_algorithm(self) -> SignatureAlgorithm {
        self.scheme.signature.0
    }

    /// Tells whether a key of this type can make signatures with that algorithm.
    #[must_use]
    pub(crate) fn can_sign_with(self, algorithm: SignatureAlgorithm) -> bool {
        self.verification(algorithm).is_some()
    }

    /// Returns the key usages that are possible with a key of this type.
    #[must_use]
    pub(crate) fn possible_uses(self) -> KeyUsage {
        self.scheme.uses
    }

    /// Returns the verifier of signatures with this algorithm; `None` when keys of this type cannot make them.
    pub(super) fn verification(self, algorithm: SignatureAlgorithm) -> Option<Verification> {
        self.scheme.signatures().find(|row| row.0 == algorithm)
    }

    /// Returns the verifier like [`KeyAlgorithm::verification`], but also for keys that are too short for anything
    /// new. Meant for signatures that were made before the CA was taken over.
    pub(super) fn old_verification(self, algorithm: SignatureAlgorithm) -> Option<Verification> {
        match (&self.scheme.lengths, self.length) {
            (Some(lengths), Some(length)) if lengths.old.contains(&length) => {
                lengths.old_signatures.iter().copied().find(|row| row.0 == algorithm)
            }
            _ => self.verification(algorithm),
        }
    }

    /// Tells whether [`KeyAlgorithm::old_verification`] supports this key type and algorithm.
    pub(super) fn is_verified_as_old(self, algorithm: SignatureAlgorithm) -> bool {
        match (&self.scheme.lengths, self.length) {
            (Some(lengths), Some(length)) if lengths.old.contains(&length) => {
                self.old_verification(algorithm).is_some()
            }
            _ => self.has_accepted_length(),
        }
    }
}

/// Reason why the `AlgorithmIdentifier` of a key belongs to none of the schemes.
pub(crate) enum Unidentified {
    /// No scheme has this object identifier.
    KeyType(ObjectIdentifier),
    /// The parameters must name a curve and are absent.
    NoCurve,
    /// The parameters must name a curve and are not an object identifier.
    NotACurve(der::Error),
    /// The curve is not supported.
    Curve(ObjectIdentifier),
}

/// Returns the scheme of the `AlgorithmIdentifier` of a key. The parameters are not looked at when the object
/// identifier alone determines the scheme.
pub(crate) fn identify(
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
) -> Result<&'static KeyScheme, Unidentified> {
    let mut of_type = SCHEMES.iter().filter(|scheme| scheme.oid == oid).peekable();
    let first = of_type.peek().ok_or(Unidentified::KeyType(oid))?;
    if first.parameters.curve().is_none() {
        return Ok(first);
    }
    let curve = parameters.ok_or(Unidentified::NoCurve)?;
    let curve = curve.decode_as::<ObjectIdentifier>().map_err(Unidentified::NotACurve)?;
    of_type.find(|scheme| scheme.parameters.curve() == Some(curve)).copied().ok_or(Unidentified::Curve(curve))
}

/// Writes the name that is typed after `--key`: `p256`, `p384`, `p521`, `ed25519`, `rsa2048`, `ml-dsa-65`.
impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.name)?;
        self.length.map_or(Ok(()), |length| write!(f, "{length}"))
    }
}

/// Writes the same name.
impl fmt::Debug for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyAlgorithm({self})")
    }
}

impl Hash for KeyAlgorithm {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.scheme.name, self.length).hash(state);
    }
}

impl FromStr for KeyAlgorithm {
    type Err = Reason;

    /// Reads the names of [`KeyAlgorithm::generated`], with or without hyphens, in any case.
    fn from_str(text: &str) -> Result<Self, Reason> {
        let plain = |name: &str| name.replace('-', "").to_ascii_lowercase();
        let typed = plain(text);
        let generated = Self::generated();
        generated
            .iter()
            .find(|algorithm| plain(&algorithm.to_string()) == typed)
            .copied()
            .ok_or_else(|| {
                let names: Vec<String> = generated.iter().map(ToString::to_string).collect();
                let meant = did_you_mean(text, &names).map(|question| format!(" ({question})"));
                format!(
                    "`{text}` is not a key type; one of {}{}",
                    names.join(", "),
                    meant.unwrap_or_default()
                )
            })
            .map_err(Reason::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_types_are_read_as_typed() {
        for algorithm in KeyAlgorithm::generated() {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        assert_eq!("RSA-3072".parse(), Ok(KeyAlgorithm::rsa(3072)));
        assert_eq!("mldsa44".parse(), Ok(KeyAlgorithm::ML_DSA_44));
        assert!("rsa1024".parse::<KeyAlgorithm>().is_err());
    }

    #[test]
    fn no_two_rows_are_taken_for_each_other() {
        for (at, one) in SCHEMES.iter().enumerate() {
            for other in SCHEMES.iter().skip(at + 1) {
                assert_ne!(one.name, other.name);
                let curves = (one.parameters.curve(), other.parameters.curve());
                assert!(one.oid != other.oid || curves.0 != curves.1, "{} and {}", one.name, other.name);
            }
        }
    }
}
