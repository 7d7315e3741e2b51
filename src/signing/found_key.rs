//! Private keys of other programs that a signer found in files which its client has not read.
use super::KeyError;
use crate::x509::SubjectPublicKeyInfo;
use std::fs::File;
use std::path::Path;

/// A private key in a file. It is not here: the one who found it tells what it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FoundKey {
    /// Form and encryption, as text.
    pub form: String,
    /// The public key; `None` for an encrypted key.
    pub public_key: Option<SubjectPublicKeyInfo>,
}

impl FoundKey {
    /// Returns whether a passphrase is needed.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.public_key.is_none()
    }
}

/// What was found in an open file.
#[derive(Debug)]
pub enum FileContents {
    /// No private key: whoever opened it may read it.
    NoKey,
    /// A private key.
    Key {
        /// The key, or the reason why it cannot be used.
        key: Result<FoundKey, KeyError>,
        /// What else is in the file, as PEM.
        others: Vec<u8>,
    },
    /// It cannot be read, and nobody knows whether there is one.
    NotRead(KeyError),
}

/// Looks for private keys in files, so that its client need not read one.
pub trait FindKeys {
    /// Looks into files that are open and were not read.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn find_keys(&self, files: &[(File, &Path)]) -> Result<Vec<FileContents>, KeyError>;
}
