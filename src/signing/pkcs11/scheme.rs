//! What a token does for each kind of key: how pairs are made, and how signatures are made and encoded.
use crate::x509::KeyAlgorithm;
use crate::x509::octets::{INTEGER, sequence, tlv};
use crate::x509::{sha256, sha384, sha512};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, KeyType};
use cryptoki::types::Ulong;

/// `DigestInfo` (RFC 8017 §9.2) of SHA-256, up to the digest.
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// DER of the object identifiers that `CKA_EC_PARAMS` has for the curves.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];
/// The name that other modules have for the same curve (PKCS #11 3.0 §2.3.5).
const ED25519_BY_NAME: &[u8] = b"\x13\x0cedwards25519";

/// A kind of key that tokens have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    /// RSA with a modulus of so many bits, PKCS#1 v1.5 with SHA-256.
    Rsa(u32),
    /// ECDSA with SHA-256.
    P256,
    /// ECDSA with SHA-384.
    P384,
    /// ECDSA with SHA-512.
    P521,
    /// PureEdDSA (RFC 8032).
    Ed25519,
}

impl Scheme {
    /// Returns what tokens do for keys of this type; `None` where they have none of it.
    pub(super) fn of(algorithm: KeyAlgorithm) -> Option<Self> {
        match (algorithm.scheme().name(), algorithm.length()) {
            ("rsa", Some(length)) => Some(Self::Rsa(length)),
            ("p256", _) => Some(Self::P256),
            ("p384", _) => Some(Self::P384),
            ("p521", _) => Some(Self::P521),
            ("ed25519", _) => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// Returns the curve of a key by its `CKA_EC_PARAMS`.
    pub(super) fn of_curve(parameters: &[u8]) -> Option<Self> {
        match parameters {
            it if it == P256 => Some(Self::P256),
            it if it == P384 => Some(Self::P384),
            it if it == P521 => Some(Self::P521),
            it if it == ED25519 || it == ED25519_BY_NAME => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// Returns how a pair is made, and the attributes of the public key that say what pair.
    pub(super) fn generation(self) -> (Mechanism<'static>, KeyType, Vec<Attribute>) {
        let curve = |parameters: &[u8]| {
            (Mechanism::EccKeyPairGen, KeyType::EC, vec![Attribute::EcParams(parameters.to_vec())])
        };
        match self {
            Self::Rsa(bits) => {
                let attributes = vec![
                    Attribute::ModulusBits(Ulong::from(u64::from(bits))),
                    Attribute::PublicExponent(vec![1, 0, 1]),
                ];
                (Mechanism::RsaPkcsKeyPairGen, KeyType::RSA, attributes)
            }
            Self::P256 => curve(&P256),
            Self::P384 => curve(&P384),
            Self::P521 => curve(&P521),
            Self::Ed25519 => {
                let attributes = vec![Attribute::EcParams(ED25519.to_vec())];
                (Mechanism::EccEdwardsKeyPairGen, KeyType::EC_EDWARDS, attributes)
            }
        }
    }

    /// Returns what the token signs, and how.
    pub(super) fn to_sign(self, message: &[u8]) -> (Mechanism<'static>, Vec<u8>) {
        match self {
            Self::Rsa(_) => (Mechanism::RsaPkcs, [&SHA256_DIGEST_INFO[..], &sha256(message)].concat()),
            Self::P256 => (Mechanism::Ecdsa, sha256(message).to_vec()),
            Self::P384 => (Mechanism::Ecdsa, sha384(message)),
            Self::P521 => (Mechanism::Ecdsa, sha512(message)),
            Self::Ed25519 => {
                (Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)), message.to_vec())
            }
        }
    }

    /// Returns how a token signs a message that it hashes itself.
    pub(super) fn hashing(self) -> Option<Mechanism<'static>> {
        match self {
            Self::Rsa(_) => Some(Mechanism::Sha256RsaPkcs),
            Self::P256 => Some(Mechanism::EcdsaSha256),
            Self::P384 => Some(Mechanism::EcdsaSha384),
            Self::P521 => Some(Mechanism::EcdsaSha512),
            Self::Ed25519 => None,
        }
    }

    /// Returns the octets of signatureValue for what the token returned.
    pub(super) fn signature(self, made: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Rsa(_) | Self::Ed25519 => made,
            Self::P256 | Self::P384 | Self::P521 => {
                let (r, s) = made.split_at(made.len() / 2);
                sequence(&[&integer(r), &integer(s)])
            }
        }
    }
}

/// Returns an `INTEGER` that is not negative.
pub(super) fn integer(octets: &[u8]) -> Vec<u8> {
    let significant: Vec<u8> = octets.iter().copied().skip_while(|octet| *octet == 0).collect();
    let needs_sign = significant.first().is_none_or(|first| *first >= 0x80);
    let contents = if needs_sign { [&[0][..], &significant].concat() } else { significant };
    tlv(INTEGER, &contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_as_short_as_they_can_be_and_never_negative() {
        for (octets, der) in [
            (&[0, 0][..], &[2, 1, 0][..]),
            (&[], &[2, 1, 0]),
            (&[0, 0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0x80, 1], &[2, 3, 0, 0x80, 1]),
        ] {
            assert_eq!(integer(octets), der);
        }
        assert_eq!(Scheme::P256.signature(vec![0, 1, 0xff, 2]), [0x30, 8, 2, 1, 1, 2, 3, 0, 0xff, 2]);
    }

    #[test]
    fn each_kind_of_key_but_ml_dsa_is_known() {
        for algorithm in KeyAlgorithm::generated() {
            let is_known = Scheme::of(algorithm).is_some();
            assert_eq!(is_known, !algorithm.to_string().starts_with("ml-dsa"), "{algorithm}");
        }
    }
}
