//! Where CA keys are kept, and how they are named.
use super::{CaSigner, KeyError, MarkError, OpenedKey};
use crate::error::Shown as _;
use crate::x509::KeyAlgorithm;
use crate::x509::extension::CrlNumber;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names a key without containing it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRef {
    /// An age-encrypted PKCS#8 file.
    AgeFile(PathBuf),
    /// A PKCS#8 file in PEM, plain or encrypted: the key of a responder or an end entity, never a CA's.
    Pkcs8File(PathBuf),
    /// A URI of a store that is not known here.
    Unknown(String),
}

impl KeyRef {
    /// The key of this URI, by its scheme: `age:NAME.age` and `pkcs8:NAME` are files below the directory.
    #[must_use]
    pub fn of(uri: &str, directory: &Path) -> Self {
        match uri.split_once(':') {
            Some(("age", file)) => Self::AgeFile(directory.join(file)),
            Some(("pkcs8", file)) => Self::Pkcs8File(directory.join(file)),
            _ => Self::Unknown(uri.to_owned()),
        }
    }

    /// The key's file, where it has one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::AgeFile(path) | Self::Pkcs8File(path) => Some(path),
            Self::Unknown(_) => None,
        }
    }
}

/// The path, or the URI.
impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AgeFile(path) | Self::Pkcs8File(path) => write!(f, "{}", path.shown()),
            Self::Unknown(uri) => f.write_str(uri),
        }
    }
}

/// Keeps the keys of CAs. Passphrases and PINs are asked for behind it: it is put together with their sources.
pub trait CaKeys: Send + Sync {
    /// Generates a key pair under this name and returns it unlocked; never replaces one.
    ///
    /// # Errors
    /// When the name is taken, no secret can be had, or the store fails.
    fn generate(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError>;

    /// Unlocks a key.
    ///
    /// # Errors
    /// When there is no such key, no secret can be had or it is wrong, or the store fails.
    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError>;

    /// The mark beside this key: the highest CRL number ever taken with it, whatever became of the list; `None` when
    /// there is none. Whoever restores an older index does not bring an older number back by that (C1).
    ///
    /// # Errors
    /// When there is one that cannot be read.
    fn mark(&self, key: &KeyRef) -> Result<Option<CrlNumber>, MarkError>;

    /// Sets the mark before a list is signed under its number, one process at a time; it never goes back.
    ///
    /// # Errors
    /// When it cannot be read or written; [`MarkError::Busy`] when another process does not end.
    fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError>;

    /// Takes in keys that were made elsewhere, where the store can.
    fn importing(&self) -> Option<&dyn ImportKeys>;

    /// Looks at keys without their secrets, where the store can.
    fn inspecting(&self) -> Option<&dyn InspectKeys>;

    /// Removes keys, where the store can.
    fn discarding(&self) -> Option<&dyn DiscardKeys>;
}

/// A store that takes in keys which were made elsewhere.
pub trait ImportKeys {
    /// Keeps such a key under this name and returns it unlocked; never replaces one.
    ///
    /// # Errors
    /// As [`CaKeys::generate`].
    fn import(&self, key: &KeyRef, opened: OpenedKey) -> Result<Arc<dyn CaSigner>, KeyError>;
}

/// A store that tells something of a key without its secret.
pub trait InspectKeys {
    /// Looks at a key as far as that goes without its secret.
    ///
    /// # Errors
    /// When it is not here, or could not be opened with any secret.
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError>;
}

/// A store that removes keys.
pub trait DiscardKeys {
    /// Removes a key that was generated and then could not be certified.
    ///
    /// # Errors
    /// When the store fails.
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError>;
}

impl dyn CaKeys + '_ {
    /// [`ImportKeys::import`].
    ///
    /// # Errors
    /// As there; [`KeyError::Backend`] for a store that takes in none.
    pub fn import(&self, key: &KeyRef, opened: OpenedKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        let unable = || KeyError::Backend(key.clone(), "keys made elsewhere are not taken in here".into());
        self.importing().ok_or_else(unable)?.import(key, opened)
    }

    /// [`DiscardKeys::discard`].
    ///
    /// # Errors
    /// As there; [`KeyError::Backend`] for a store that removes none.
    pub(crate) fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        let unable = || KeyError::Backend(key.clone(), "keys are not removed here".into());
        self.discarding().ok_or_else(unable)?.discard(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_key_by_its_scheme() {
        let of = |uri| KeyRef::of(uri, Path::new("/keys"));
        assert_eq!(of("age:genfic-g2.age"), KeyRef::AgeFile("/keys/genfic-g2.age".into()));
        assert_eq!(of("pkcs8:one.key"), KeyRef::Pkcs8File("/keys/one.key".into()));
        for unknown in ["", "genfic.age", "pkcs11:token=a"] {
            assert_eq!(of(unknown), KeyRef::Unknown(unknown.into()));
            assert_eq!(of(unknown).path(), None);
        }
    }
}
