//! `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
use super::algorithm::{KeyAlgorithm, RawAlgorithmIdentifier, Unidentified, identify};
use super::{MalformedDer, sha1, sha256};
use der::asn1::BitStringRef;
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

impl SubjectPublicKeyInfo {
    /// Reads a key of one of the schemes in [`KeyScheme`](super::KeyScheme).
    ///
    /// # Errors
    /// When the octets are malformed, the key type is not supported, or its parameters are wrong.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let malformed = |reason: String| MalformedDer::new("SubjectPublicKeyInfo", reason);
        let unsupported = |reason: String| MalformedDer::unsupported("SubjectPublicKeyInfo", reason);
        let raw = Raw::from_der(octets).map_err(|error| malformed(error.to_string()))?;
        let key = raw.key.as_bytes().ok_or_else(|| malformed("unused bits in the key".into()))?;
        let parameters = raw.algorithm.parameters;
        let scheme = identify(raw.algorithm.algorithm, parameters).map_err(|reason| match reason {
            Unidentified::KeyType(oid) => unsupported(format!("the key type {oid} is not supported")),
            Unidentified::NoCurve => malformed("no curve".into()),
            Unidentified::NotACurve(error) => error.into(),
            Unidentified::Curve(curve) => unsupported(format!("the curve {curve} is not supported")),
        })?;
        let algorithm = KeyAlgorithm::new(scheme, scheme.read_key(parameters, key)?);
        Ok(Self { der: octets.to_vec(), key: key.to_vec(), algorithm })
    }

    /// Returns the DER octets.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the contents of `subjectPublicKey`, over which key identifiers and OCSP key hashes are computed.
    #[must_use]
    pub(crate) fn key_octets(&self) -> &[u8] {
        &self.key
    }

    /// Returns the type of the key.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Returns the left-most 160 bits of the SHA-256 of the key (RFC 7093 §2, method 1): 20 octets.
    #[must_use]
    pub fn key_identifier(&self) -> Vec<u8> {
        sha256(&self.key).into_iter().take(20).collect()
    }

    /// Returns the SHA-1 of the key, 20 octets, as used by `ResponderID byKey` and by CertIDs with SHA-1.
    #[must_use]
    pub(crate) fn key_hash(&self) -> Vec<u8> {
        sha1(&self.key)
    }

    /// Returns the SHA-256 of the whole DER, by which the index distinguishes keys.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.der)
    }
}
