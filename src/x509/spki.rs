//! `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
use super::algorithm::{KeyAlgorithm, RawAlgorithmIdentifier};
use super::{MalformedDer, sha1, sha256};
use const_oid::db::{rfc5912, rfc8410};
use der::asn1::{BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Sequence};

/// A public key as DER, kept as received.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SubjectPublicKeyInfo {
    der: Vec<u8>,
    key: Vec<u8>,
    algorithm: KeyAlgorithm,
}

#[derive(Sequence)]
struct Raw<'a> {
    algorithm: RawAlgorithmIdentifier<'a>,
    key: BitStringRef<'a>,
}

/// `RSAPublicKey` (RFC 8017 A.1.1).
#[derive(Sequence)]
pub(crate) struct RsaPublicKey<'a> {
    pub(crate) modulus: UintRef<'a>,
    pub(crate) exponent: UintRef<'a>,
}

impl SubjectPublicKeyInfo {
    /// Reads a key of one of the types in [`KeyAlgorithm`].
    ///
    /// # Errors
    /// When the octets are malformed, the type is none of ours, or its parameters are wrong.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let malformed = |reason: String| MalformedDer::new("SubjectPublicKeyInfo", reason);
        let unsupported = |reason: String| MalformedDer::unsupported("SubjectPublicKeyInfo", reason);
        let raw = Raw::from_der(octets).map_err(|error| malformed(error.to_string()))?;
        let key = raw.key.as_bytes().ok_or_else(|| malformed("unused bits in the key".into()))?;
        let parameters = raw.algorithm.parameters;
        let algorithm = match raw.algorithm.algorithm {
            rfc5912::ID_EC_PUBLIC_KEY => {
                let curve = parameters.ok_or_else(|| malformed("no curve".into()))?;
                let (algorithm, field) = match curve.decode_as::<ObjectIdentifier>()? {
                    rfc5912::SECP_256_R_1 => (KeyAlgorithm::EcdsaP256, 32),
                    rfc5912::SECP_384_R_1 => (KeyAlgorithm::EcdsaP384, 48),
                    rfc5912::SECP_521_R_1 => (KeyAlgorithm::EcdsaP521, 66),
                    other => return Err(unsupported(format!("the curve {other} is not supported"))),
                };
                if key.len() != 2 * field + 1 || key.first() != Some(&4) {
                    return Err(malformed("not an uncompressed point of its curve".into()));
                }
                algorithm
            }
            rfc5912::RSA_ENCRYPTION => {
                if !parameters.is_some_and(|parameters| parameters.is_null()) {
                    return Err(malformed("RSA keys have NULL parameters".into()));
                }
                KeyAlgorithm::Rsa(bits_of(RsaPublicKey::from_der(key)?.modulus.as_bytes()))
            }
            rfc8410::ID_ED_25519 if parameters.is_none() && key.len() == 32 => KeyAlgorithm::Ed25519,
            other => return Err(unsupported(format!("the key type {other} is not supported"))),
        };
        Ok(Self { der: octets.to_vec(), key: key.to_vec(), algorithm })
    }

    /// The octets.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Contents of `subjectPublicKey`: what key identifiers and OCSP key hashes are taken over.
    #[must_use]
    pub fn key_octets(&self) -> &[u8] {
        &self.key
    }

    /// Its type.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Left-most 160 bits of the SHA-256 of the key (RFC 7093 §2, method 1): 20 octets.
    #[must_use]
    pub fn key_identifier(&self) -> Vec<u8> {
        sha256(&self.key).into_iter().take(20).collect()
    }

    /// SHA-1 of the key: what `ResponderID byKey` and SHA-1 CertIDs use, 20 octets.
    #[must_use]
    pub fn key_hash(&self) -> Vec<u8> {
        sha1(&self.key)
    }

    /// SHA-256 of the whole DER: how keys are told apart in the index.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.der)
    }

    /// Modulus and public exponent, big-endian, when it is an RSA key.
    #[must_use]
    pub fn rsa_parts(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        if !matches!(self.algorithm, KeyAlgorithm::Rsa(_)) {
            return None;
        }
        let key = RsaPublicKey::from_der(&self.key).ok()?;
        Some((key.modulus.as_bytes().to_vec(), key.exponent.as_bytes().to_vec()))
    }
}

fn bits_of(modulus: &[u8]) -> u32 {
    let leading = modulus.first().map_or(0, |octet| octet.leading_zeros());
    u32::try_from(modulus.len()).unwrap_or(u32::MAX).saturating_mul(8).saturating_sub(leading)
}
