//! Stores of CA keys, and references to the keys.
use super::{CaSigner, KeyError, MarkError, OpenedKey};
use crate::error::Shown as _;
use crate::index::Authority;
use crate::x509::extension::CrlNumber;
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A reference to a CA's key, as the index records it. It does not contain the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRef {
    /// SHA-256 of the SubjectPublicKeyInfo; `None` for a key that is not generated yet. A token finds a key by this
    /// digest, a store of files by the URI.
    pub identity: Option<[u8; 32]>,
    /// URI whose scheme names the store: `age:NAME.age`.
    pub uri: String,
}

impl KeyRef {
    /// Returns the reference to the key of a CA on record.
    #[must_use]
    pub fn of(authority: &Authority) -> Self {
        let identity = authority.certificate.tbs().public_key().digest();
        Self { identity: Some(identity), uri: authority.key.clone() }
    }

    /// Returns the same reference with the identity of this generated key.
    #[must_use]
    pub(crate) fn of_key(self, key: &SubjectPublicKeyInfo) -> Self {
        Self { identity: Some(key.digest()), ..self }
    }

    /// Returns the part of the URI after this scheme; `None` for another scheme.
    #[must_use]
    pub(super) fn within(&self, scheme: &str) -> Option<&str> {
        self.uri.split_once(':').filter(|(found, _)| *found == scheme).map(|(_, name)| name)
    }
}

/// The location of a key or of its mark, as messages show it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyPlace {
    /// A file.
    File(PathBuf),
    /// A URI, where there is no file.
    Uri(String),
}

impl KeyPlace {
    /// Returns the path, or the URI as a path.
    #[must_use]
    pub(crate) fn as_path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Uri(uri) => Path::new(uri),
        }
    }
}

/// Writes the path or the URI.
impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.shown()),
            Self::Uri(uri) => f.write_str(uri),
        }
    }
}

/// The mark of a key: the highest CRL number ever used with it, including CRLs that were never published. An older
/// index that is restored therefore cannot bring an older number back (C1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mark {
    /// The number; `None` when there is no mark.
    pub number: Option<CrlNumber>,
    /// Location of the mark, whether or not it exists.
    pub place: KeyPlace,
}

/// A store of CA keys. It is constructed with the sources of passphrases and PINs, which it asks itself.
pub trait CaKeys: Send + Sync {
    /// Returns the reference that a new key of the CA with this name gets here.
    fn new_key(&self, authority: &str) -> KeyRef;

    /// Returns the location of a key, whether or not the key exists.
    fn place(&self, key: &KeyRef) -> KeyPlace;

    /// Generates a key pair under this reference and returns it unlocked. An existing key is never replaced.
    ///
    /// # Errors
    /// When the name is taken, the passphrase or PIN is not available, or the store fails.
    fn generate(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError>;

    /// Unlocks a key.
    ///
    /// # Errors
    /// When the key does not exist, the passphrase or PIN is wrong or not available, or the store fails.
    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError>;

    /// Returns the mark of this key.
    ///
    /// # Errors
    /// When the mark exists and cannot be read.
    fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError>;

    /// Raises the mark to this CRL number; called before the CRL is signed. One process at a time does so, and the
    /// mark never goes back.
    ///
    /// # Errors
    /// When the mark cannot be read or written; [`MarkError::Busy`] when another process holds the lock too long.
    fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError>;

    /// Returns the store's ability to import keys, if it has it.
    fn importing(&self) -> Option<&dyn ImportKeys>;

    /// Returns the store's ability to inspect keys without their secrets, if it has it.
    fn inspecting(&self) -> Option<&dyn InspectKeys>;

    /// Returns the store's ability to delete keys, if it has it.
    fn discarding(&self) -> Option<&dyn DiscardKeys>;
}

/// A store that imports keys which were made by other programs.
pub trait ImportKeys {
    /// Stores such a key under this reference and returns it unlocked. An existing key is never replaced.
    ///
    /// # Errors
    /// As [`CaKeys::generate`].
    fn import(&self, key: &KeyRef, opened: OpenedKey) -> Result<Arc<dyn CaSigner>, KeyError>;
}

/// A store that can check a key without its secret.
pub trait InspectKeys {
    /// Checks a key as far as possible without its secret.
    ///
    /// # Errors
    /// When the key does not exist here, or no secret could unlock it.
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError>;

    /// Returns the paths of the files of a key, whether or not they exist: the key file first, then current and
    /// former files beside it.
    fn files(&self, key: &KeyRef) -> Vec<PathBuf>;
}

/// A store that deletes keys.
pub trait DiscardKeys {
    /// Deletes a key that was generated but for which no certificate could be issued.
    ///
    /// # Errors
    /// When the store fails.
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError>;
}

impl dyn CaKeys + '_ {
    /// Returns the reference to the key of a CA on record; for an external CA, the reference that the key would have
    /// here.
    #[must_use]
    pub(crate) fn key_of(&self, authority: &Authority) -> KeyRef {
        match authority.is_external() {
            true => self.new_key(&authority.name),
            false => KeyRef::of(authority),
        }
    }

    /// Imports a key as [`ImportKeys::import`].
    ///
    /// # Errors
    /// As [`ImportKeys::import`]; [`KeyError::Backend`] for a store that imports none.
    pub fn import(&self, key: &KeyRef, opened: OpenedKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        let unable =
            || KeyError::Backend(self.place(key), "keys made elsewhere are not taken in here".into());
        self.importing().ok_or_else(unable)?.import(key, opened)
    }

    /// Deletes a key as [`DiscardKeys::discard`].
    ///
    /// # Errors
    /// As [`DiscardKeys::discard`]; [`KeyError::Backend`] for a store that deletes none.
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
