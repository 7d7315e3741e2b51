//! Keys: where they are kept and what they can do.
use crate::x509::{KeyAlgorithm, SignatureAlgorithm, SubjectPublicKeyInfo};
use std::fmt;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Names a key without containing it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRef {
    /// An age-encrypted PKCS#8 file.
    AgeFile(PathBuf),
}

/// An unlocked private key.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &SubjectPublicKeyInfo;

    /// What [`Signer::sign`] signs with.
    fn algorithm(&self) -> SignatureAlgorithm {
        self.public_key().algorithm().signature_algorithm()
    }

    /// Signs a whole message (not a digest); returns the signatureValue octets.
    ///
    /// # Errors
    /// [`KeyError::Backend`] when the key's store fails.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// Creates and opens keys.
pub trait KeyStore: Send + Sync {
    /// Generates a key pair under this name and returns it unlocked; never replaces one.
    ///
    /// # Errors
    /// When the name is taken, no secret can be had, or the store fails.
    fn generate(
        &self,
        key: &KeyRef,
        algorithm: KeyAlgorithm,
        secrets: &dyn SecretSource,
    ) -> Result<Box<dyn Signer>, KeyError>;

    /// Unlocks a key.
    ///
    /// # Errors
    /// When there is no such key, no secret can be had or it is wrong, or the store fails.
    fn open(&self, key: &KeyRef, secrets: &dyn SecretSource) -> Result<Box<dyn Signer>, KeyError>;

    /// Removes a key that was generated and then could not be certified.
    ///
    /// # Errors
    /// When the store fails.
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError>;
}

/// A passphrase or PIN, wiped after use.
pub type Secret = Zeroizing<String>;

/// What a secret is wanted for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SecretPurpose {
    /// To open the key of this name.
    Open(String),
    /// To protect a new key of this name; an interactive source asks twice.
    Protect(String),
}

/// Asks for a passphrase or PIN; the library never touches a terminal.
pub trait SecretSource {
    /// The secret for this purpose.
    ///
    /// # Errors
    /// [`KeyError::SecretUnavailable`] when nobody can be asked or the source cannot be used.
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError>;
}

/// What can go wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No such key.
    #[error("the key {0} is not here")]
    NotFound(KeyRef),
    /// The name is taken.
    #[error("the key {0} exists already")]
    Exists(KeyRef),
    /// Nobody gave the passphrase or PIN; says why.
    #[error("no passphrase: {0}")]
    SecretUnavailable(String),
    /// The passphrase or PIN is wrong.
    #[error("the passphrase does not open {0}")]
    SecretRejected(KeyRef),
    /// The token or file failed.
    #[error("{0}: {1}")]
    Backend(KeyRef, String),
}

/// The path, or the URI.
impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AgeFile(path) => write!(f, "{}", path.display()),
        }
    }
}
