//! Keys of subscribers.
use super::admit::Admitted;
use super::private_key::PrivateKey;
use super::soft_key::SoftKey;
use super::vault::{ForKey, VaultKey};
use super::{KeyError, OpenedKey, SigningError, request};
use crate::x509::{GeneralName, KeyAlgorithm, Name, SubjectPublicKeyInfo};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The key of a subscriber (RFC 3647). It signs certification requests, as proof of possession, and nothing else. It
/// is handed out to the subscriber and is not stored here.
///
/// ```compile_fail,E0277
/// # use genfic_ca::signing::{CaSigner, SubscriberKey};
/// fn issues(key: SubscriberKey) -> Box<dyn CaSigner> {
///     Box::new(key)
/// }
/// ```
///
/// ```compile_fail,E0277
/// # use genfic_ca::signing::{CaSigner, SubscriberKey};
/// fn of_a_ca(key: Box<dyn CaSigner>) -> SubscriberKey {
///     SubscriberKey::from(key)
/// }
/// ```
pub struct SubscriberKey(SoftKey);

impl SubscriberKey {
    /// Generates a key of one of the types of [`KeyAlgorithm::generated()`].
    ///
    /// # Errors
    /// [`KeyError::Malformed`] for other types, [`KeyError::Cryptography`] when the generator fails.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        SoftKey::generate(algorithm).map(Self)
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.0.public_key()
    }

    /// Returns a certification request (RFC 2986) for this key, DER. The names go into a subjectAltName in an
    /// extensionRequest; without names there is no such attribute.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn request(&self, subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, SigningError> {
        request::sign(&self.0, subject, names)
    }

    /// Returns a `PrivateKeyInfo` of version 1, DER, which OpenSSL 3.0 reads for every type that it knows, Ed25519
    /// included.
    ///
    /// # Errors
    /// [`KeyError::Cryptography`] when the key cannot be encoded.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.0.to_pkcs8_der()
    }

    /// Returns the key as unencrypted PEM, `PRIVATE KEY`.
    ///
    /// # Errors
    /// [`KeyError::Cryptography`] when the key cannot be encoded.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        self.0.to_pem()
    }
}

/// The key of a subscriber in a token, such as a smart card. Like [`SubscriberKey`] it signs certification requests
/// and nothing else.
///
/// ```compile_fail,E0277
/// use genfic_ca::signing::{CaSigner, HeldKey};
/// fn issues(key: HeldKey) -> Box<dyn CaSigner> {
///     Box::new(key)
/// }
/// ```
pub struct HeldKey(Held);

/// A key in a token that a process of its own reaches.
struct Held(Arc<dyn VaultKey>);

impl PrivateKey for Held {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.0.public_key()
    }

    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError> {
        self.0.sign(ForKey::admitted(message))
    }
}

impl HeldKey {
    /// Returns the key of a subscriber that a store of tokens has opened or made.
    pub(crate) fn of(key: Arc<dyn VaultKey>) -> Self {
        Self(Held(key))
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        PrivateKey::public_key(&self.0)
    }

    /// Returns a certification request as [`SubscriberKey::request`].
    ///
    /// # Errors
    /// When the token fails.
    pub fn request(&self, subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, SigningError> {
        request::sign(&self.0, subject, names)
    }
}

/// Writes only the key type.
impl fmt::Debug for HeldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldKey({})", self.public_key().algorithm())
    }
}

impl From<OpenedKey> for SubscriberKey {
    fn from(key: OpenedKey) -> Self {
        Self(key.into_inner())
    }
}

/// Writes only the key type.
impl fmt::Debug for SubscriberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubscriberKey({})", self.0.public_key().algorithm())
    }
}
