//! Where CA keys are kept, and how they are named.
use super::{CaSigner, KeyError, MarkError, OpenedKey};
use crate::error::Shown as _;
use crate::index::Authority;
use crate::x509::extension::CrlNumber;
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names a CA's key without containing it, as the index has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRef {
    /// SHA-256 of its SubjectPublicKeyInfo; `None` of one that is yet to be made. A store that finds keys by what they
    /// are goes by this, one that finds them by name by the URI.
    pub identity: Option<[u8; 32]>,
    /// A URI whose scheme names the store: `age:NAME.age`.
    pub uri: String,
}

impl KeyRef {
    /// The key of a CA on record.
    #[must_use]
    pub fn of(authority: &Authority) -> Self {
        let identity = authority.certificate.tbs().public_key().digest();
        Self { identity: Some(identity), uri: authority.key.clone() }
    }

    /// The same of a key that was made.
    #[must_use]
    pub(crate) fn of_key(self, key: &SubjectPublicKeyInfo) -> Self {
        Self { identity: Some(key.digest()), ..self }
    }

    /// What the URI says within this scheme; `None` when it is of another.
    #[must_use]
    pub(super) fn within(&self, scheme: &str) -> Option<&str> {
        self.uri.split_once(':').filter(|(found, _)| *found == scheme).map(|(_, name)| name)
    }
}

/// Where a key is, or what belongs to it, as people are told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyPlace {
    /// In this file.
    File(PathBuf),
    /// Where this URI says.
    Uri(String),
}

impl KeyPlace {
    /// The file, or what stands for one where it is named.
    #[must_use]
    pub(crate) fn as_path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Uri(uri) => Path::new(uri),
        }
    }
}

/// The path, or the URI.
impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.shown()),
            Self::Uri(uri) => f.write_str(uri),
        }
    }
}

/// The mark beside a key: the highest CRL number ever taken with it, whatever became of the list. Whoever restores an
/// older index does not bring an older number back by that (C1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mark {
    /// The number; `None` when there is no mark.
    pub number: Option<CrlNumber>,
    /// Where it is, or would be.
    pub place: KeyPlace,
}

/// Keeps the keys of CAs. Passphrases and PINs are asked for behind it: it is put together with their sources.
pub trait CaKeys: Send + Sync {
    /// Names the key that a CA of this name would have here.
    fn new_key(&self, authority: &str) -> KeyRef;

    /// Where a key is, or would be.
    fn place(&self, key: &KeyRef) -> KeyPlace;

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

    /// The mark beside this key.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError>;

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

    /// The files that belong to a key: its own, then what is or was kept beside it, whether or not they are there.
    fn files(&self, key: &KeyRef) -> Vec<PathBuf>;
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
    /// The key of a CA on record; of one that others run, the key that it would have here.
    #[must_use]
    pub(crate) fn key_of(&self, authority: &Authority) -> KeyRef {
        match authority.is_elsewhere() {
            true => self.new_key(&authority.name),
            false => KeyRef::of(authority),
        }
    }

    /// [`ImportKeys::import`].
    ///
    /// # Errors
    /// As there; [`KeyError::Backend`] for a store that takes in none.
    pub fn import(&self, key: &KeyRef, opened: OpenedKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        let unable =
            || KeyError::Backend(self.place(key), "keys made elsewhere are not taken in here".into());
        self.importing().ok_or_else(unable)?.import(key, opened)
    }

    /// [`DiscardKeys::discard`].
    ///
    /// # Errors
    /// As there; [`KeyError::Backend`] for a store that removes none.
    pub(crate) fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        let unable = || KeyError::Backend(self.place(key), "keys are not removed here".into());
        self.discarding().ok_or_else(unable)?.discard(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_key_by_its_scheme() {
        let of = |uri: &str| KeyRef { identity: None, uri: uri.into() };
        assert_eq!(of("age:genfic-g2.age").within("age"), Some("genfic-g2.age"));
        for other in ["", "genfic.age", "pkcs11:token=a", "agent:a.age", "pkcs8:age:a"] {
            assert_eq!(of(other).within("age"), None, "{other}");
        }
    }
}
