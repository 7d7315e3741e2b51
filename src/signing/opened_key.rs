//! Decrypted private keys, as files of other programs contain them.
use super::KeyError;
use super::soft_key::SoftKey;
use crate::x509::SubjectPublicKeyInfo;
use std::fmt;
use zeroize::Zeroizing;

/// A private key that was read from a file. It cannot sign. Either a store of CA keys imports it
/// ([`ImportKeys`](super::ImportKeys)), or it becomes the key of a subscriber
/// ([`SubscriberKey`](super::SubscriberKey)).
///
/// ```compile_fail,E0599
/// # use genfic_ca::{signing::OpenedKey, x509::Name};
/// fn asks(key: &OpenedKey, subject: &Name) {
///     let _ = key.request(subject, &[]);
/// }
/// ```
pub struct OpenedKey(SoftKey);

impl OpenedKey {
    /// Reads a `PrivateKeyInfo` or `OneAsymmetricKey` (RFC 5208, RFC 5958). The private and the public half must
    /// belong together.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the octets are no such key, its type is none of
    /// [`KeyAlgorithm`](crate::x509::KeyAlgorithm), or its halves do not belong together.
    pub fn from_pkcs8_der(octets: &[u8]) -> Result<Self, KeyError> {
        SoftKey::from_pkcs8_der(octets).map(Self)
    }

    /// Reads an `RSAPrivateKey` (RFC 8017 A.1.2).
    ///
    /// # Errors
    /// As [`OpenedKey::from_pkcs8_der`].
    pub(crate) fn from_pkcs1_der(octets: &[u8]) -> Result<Self, KeyError> {
        SoftKey::from_pkcs1_der(octets).map(Self)
    }

    /// Reads an `ECPrivateKey` (RFC 5915) that names its curve.
    ///
    /// # Errors
    /// As [`OpenedKey::from_pkcs8_der`].
    pub(crate) fn from_sec1_der(octets: &[u8]) -> Result<Self, KeyError> {
        SoftKey::from_sec1_der(octets).map(Self)
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.0.public_key()
    }

    /// Returns a `PrivateKeyInfo`, DER.
    ///
    /// # Errors
    /// [`KeyError::Cryptography`] when the key cannot be encoded.
    pub(crate) fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.0.to_pkcs8_der()
    }

    pub(super) fn soft(&self) -> &SoftKey {
        &self.0
    }

    pub(crate) fn into_inner(self) -> SoftKey {
        self.0
    }
}

impl From<SoftKey> for OpenedKey {
    fn from(key: SoftKey) -> Self {
        Self(key)
    }
}

/// Writes only the key type.
impl fmt::Debug for OpenedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedKey({})", self.0.public_key().algorithm())
    }
}
