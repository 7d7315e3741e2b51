//! Keys: where they are kept and what they can do.
mod age_file;
mod core_dump;
mod envelope;
mod error;
mod foreign;
mod holder_file;
mod legacy_pem;
mod octets;
mod pkcs8_file;
mod random;
mod secret;
mod soft_key;

pub use age_file::{AgeFileStore, InvalidWorkFactor};
pub use core_dump::forbid_core_dumps;
pub use envelope::{
    Envelope, EnvelopeError, EnvelopeIdentity, EnvelopeRecipient, OpenWith, SealFor, Sealing,
};
pub use error::KeyError;
pub use foreign::ForeignKey;
pub use holder_file::read_holder_key_file;
pub use pkcs8_file::{encrypted_private_key_pem, private_key_pem, read_private_key_file};
pub use random::{random_nonce, random_passphrase, random_salt, random_serial};
pub use secret::{InvalidSecretSpec, PassphraseSources, SecretSpec};
pub use soft_key::SoftKey;

use crate::error::Shown as _;
use crate::x509::{KeyAlgorithm, SignatureAlgorithm, SubjectPublicKeyInfo};
use std::fmt;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Names a key without containing it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRef {
    /// An age-encrypted PKCS#8 file.
    AgeFile(PathBuf),
    /// A PKCS#8 file in PEM, plain or encrypted: the key of a responder or an end entity, never a CA's.
    Pkcs8File(PathBuf),
}

/// An unlocked private key. Outside of this crate nobody can have anything signed with one, or make one that passes
/// on what it is given: what is signed was linted and recorded before.
///
/// ```compile_fail,E0308
/// fn raw(signer: &dyn genfic_ca::signing::Signer) {
///     let _ = signer.sign(b"anything");
/// }
/// ```
///
/// ```compile_fail,E0624
/// fn wrapped(signer: &dyn genfic_ca::signing::Signer) {
///     let _ = signer.sign(genfic_ca::signing::ToBeSigned::new(b"anything"));
/// }
/// ```
///
/// ```compile_fail,E0277
/// use genfic_ca::signing::{KeyError, Signer, ToBeSigned};
/// use genfic_ca::x509::SubjectPublicKeyInfo;
///
/// struct Deputy(Box<dyn Signer>);
///
/// impl Signer for Deputy {
///     fn public_key(&self) -> &SubjectPublicKeyInfo {
///         self.0.public_key()
///     }
///     fn sign(&self, message: ToBeSigned<'_>) -> Result<Vec<u8>, KeyError> {
///         self.0.sign(message)
///     }
/// }
/// ```
pub trait Signer: sealed::Sealed + Send + Sync {
    /// The public half.
    fn public_key(&self) -> &SubjectPublicKeyInfo;

    /// What [`Signer::sign`] signs with.
    fn algorithm(&self) -> SignatureAlgorithm {
        self.public_key().algorithm().signature_algorithm()
    }

    /// Signs a whole message (not a digest); returns the signatureValue octets.
    ///
    /// # Errors
    /// [`KeyError::Backend`] when the key's store fails, [`KeyError::Cryptography`] when the key in memory does.
    fn sign(&self, message: ToBeSigned<'_>) -> Result<Vec<u8>, KeyError>;
}

/// A message that this crate lets be signed.
#[derive(Clone, Copy, Debug)]
pub struct ToBeSigned<'a>(&'a [u8]);

impl<'a> ToBeSigned<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    pub(crate) fn octets(self) -> &'a [u8] {
        self.0
    }
}

/// What keeps [`Signer`] to this crate.
pub(crate) mod sealed {
    /// A signer of this crate.
    pub trait Sealed {}
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

    /// Keeps a key that was made elsewhere under this name and returns it unlocked; never replaces one.
    ///
    /// # Errors
    /// As [`KeyStore::generate`].
    fn keep(
        &self,
        key: &KeyRef,
        foreign: SoftKey,
        secrets: &dyn SecretSource,
    ) -> Result<Box<dyn Signer>, KeyError>;

    /// Unlocks a key.
    ///
    /// # Errors
    /// When there is no such key, no secret can be had or it is wrong, or the store fails.
    fn open(&self, key: &KeyRef, secrets: &dyn SecretSource) -> Result<Box<dyn Signer>, KeyError>;

    /// Generates a key pair that is not kept here: it is handed out, and lives with whoever gets it.
    ///
    /// # Errors
    /// When the key cannot be made.
    fn generate_plain(&self, algorithm: KeyAlgorithm) -> Result<PlainKey, KeyError>;

    /// Removes a key that was generated and then could not be certified.
    ///
    /// # Errors
    /// When the store fails.
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError>;

    /// Looks at a key as far as that goes without its secret.
    ///
    /// # Errors
    /// When it is not here, or could not be opened with any secret.
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError>;
}

/// A key pair with its private half in the open, as responders and end entities have it.
pub struct PlainKey {
    /// The key, to ask a certificate for.
    pub signer: Box<dyn Signer>,
    /// The private key, PKCS#8 in PEM, wiped after use.
    pub pem: Zeroizing<String>,
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
pub trait SecretSource: Send + Sync {
    /// The secret for this purpose.
    ///
    /// # Errors
    /// [`KeyError::InputNeeded`] when a person would have to be asked and cannot be,
    /// [`KeyError::SecretUnavailable`] when the source cannot be used.
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError>;
}

impl<S: SecretSource + ?Sized> SecretSource for &S {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        (**self).secret(purpose)
    }
}

/// The path, or the URI.
impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AgeFile(path) | Self::Pkcs8File(path) => write!(f, "{}", path.shown()),
        }
    }
}
