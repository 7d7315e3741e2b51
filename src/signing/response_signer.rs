//! Keys of OCSP responders (RFC 6960 §4.2.2.2).
use super::private_key::PrivateKey;
use super::soft_key::SoftKey;
use super::{KeyError, SigningError, admit};
use crate::x509::{KeyAlgorithm, SignatureAlgorithm, SubjectPublicKeyInfo};
use std::fmt;
use zeroize::Zeroizing;

/// The key of an OCSP responder. It signs only ResponseData that names this key as the responder. It cannot be made
/// from the key of a CA.
///
/// ```compile_fail,E0308
/// # use genfic_ca::{index::Recorded, signing::ResponseSigner, x509::TbsCertificate};
/// fn issues(key: &ResponseSigner, tbs: Recorded<TbsCertificate>) {
///     let _ = key.sign(&tbs);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use genfic_ca::signing::ResponseSigner;
/// fn raw(key: &ResponseSigner) {
///     let _ = key.sign(b"anything");
/// }
/// ```
///
/// ```compile_fail,E0277
/// # use genfic_ca::signing::{CaSigner, ResponseSigner};
/// fn of_a_ca(key: Box<dyn CaSigner>) -> ResponseSigner {
///     key.into()
/// }
/// ```
pub struct ResponseSigner {
    key: SoftKey,
    key_hash: Vec<u8>,
}

impl ResponseSigner {
    /// Reads a `PrivateKeyInfo` or `OneAsymmetricKey` (RFC 5208, RFC 5958).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the octets are not a usable key.
    pub fn from_pkcs8_der(octets: &[u8]) -> Result<Self, KeyError> {
        let key = SoftKey::from_pkcs8_der(octets)?;
        Ok(Self { key_hash: key.public_key().key_hash(), key })
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.key.public_key()
    }

    /// Returns the signature algorithm.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    /// Signs a ResponseData and returns the octets of the signature.
    ///
    /// # Errors
    /// [`SigningError::Contents`] when the octets are no ResponseData or name another responder,
    /// [`SigningError::Key`] when signing fails.
    pub fn sign(&self, data: &EncodedResponseData) -> Result<Vec<u8>, SigningError> {
        Ok(self.key.sign(&admit::response(&data.0, &self.key_hash)?)?)
    }
}

/// Writes only the key type.
impl fmt::Debug for ResponseSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseSigner({})", self.key.public_key().algorithm())
    }
}

/// A `ResponseData` (RFC 6960 §4.2.1) in DER. Only this crate makes one, by encoding a response.
///
/// ```compile_fail,E0624
/// let _ = genfic_ca::signing::EncodedResponseData::new(b"anything".to_vec());
/// ```
#[derive(Clone, Debug)]
pub struct EncodedResponseData(Vec<u8>);

impl EncodedResponseData {
    pub(crate) fn new(octets: Vec<u8>) -> Self {
        Self(octets)
    }

    /// Returns the octets to be signed.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

/// A new key for a responder, not encrypted. It is handed to the responder and is not stored here.
pub(crate) struct PlainKey {
    /// The public key, for which a certificate is issued.
    pub public_key: SubjectPublicKeyInfo,
    /// The private key, PKCS#8 in PEM, wiped after use.
    pub pem: Zeroizing<String>,
}

impl PlainKey {
    /// Generates a key.
    ///
    /// # Errors
    /// When the key cannot be generated or encoded.
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        let key = SoftKey::generate(algorithm)?;
        Ok(Self { public_key: key.public_key().clone(), pem: key.to_pem()? })
    }
}
