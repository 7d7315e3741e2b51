//! Stores of CA keys, and references to the keys.
use super::{AdministerKeys, BroughtKey, CaSigner, KeyError, KeyFile, MarkError, MoveKeys, TokenUri};
use crate::error::Shown as _;
use crate::home::AuthorityName;
use crate::index::{Authority, KeyLocation};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, KeyAlgorithm, SerialNumber, SubjectPublicKeyInfo};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A reference to a CA's key, as the index records it. It does not contain the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRef {
    /// SHA-256 of the SubjectPublicKeyInfo; `None` for a key that is not generated yet. A token finds a key by this
    /// digest, a store of files by the URI.
    pub identity: Option<[u8; 32]>,
    /// URI whose scheme names the store: `age:NAME.age`, `signer:NAME.age`,
    /// `pkcs11:token=TOKEN;object=NAME`.
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

    /// Returns the reference to a key at this location that is not generated yet.
    #[must_use]
    pub(crate) fn at(location: KeyLocation<'_>) -> Self {
        Self { identity: None, uri: location.to_string() }
    }

    /// Returns the reference to the same key at another location.
    #[must_use]
    pub(crate) fn moved_to(&self, location: KeyLocation<'_>) -> Self {
        Self { uri: location.to_string(), ..self.clone() }
    }

    /// Returns where the key is.
    #[must_use]
    pub(crate) fn location(&self) -> KeyLocation<'_> {
        KeyLocation::of(&self.uri)
    }

    /// Returns whether the key is in a token, which a command reaches or the signer that listens.
    #[must_use]
    pub(crate) fn is_in_token(&self) -> bool {
        self.location().token().is_some()
    }

    /// Returns whether the signer that listens has the key.
    #[must_use]
    pub(crate) fn is_in_service(&self) -> bool {
        self.location().is_in_service()
    }

    /// Returns the name of the CA by which the file of the key is called; `None` for a key in no file.
    #[must_use]
    pub(crate) fn file_stem(&self) -> Option<AuthorityName> {
        match self.location().file()?.parse() {
            Ok(KeyFile::Key(name)) => Some(name),
            _ => None,
        }
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

    /// Returns the reference that a new key of the CA with this name gets in a token.
    fn new_key_in(&self, token: &TokenUri, authority: &str) -> KeyRef {
        KeyRef { identity: None, uri: token.for_key(authority).to_string() }
    }

    /// Returns the reference that a key of another program gets here, which a file has: it comes into the home.
    fn imported_key(&self, authority: &str) -> KeyRef {
        self.new_key(authority)
    }

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

    /// Says under which profile the CA of a key is made, or was. A signer names by it who may use other profiles; a store
    /// in this process has no use for it.
    fn note_profile(&self, key: &KeyRef, profile: &str) {
        let _ = (key, profile);
    }

    /// Gives a key and its mark this other reference, whose URI the index has already. Returns whether there was
    /// anything to move.
    ///
    /// # Errors
    /// When there is another key under the new reference, or the store fails.
    fn rename(&self, from: &KeyRef, to: &KeyRef) -> Result<bool, KeyError>;

    /// Returns the store's ability to import keys, if it has it.
    fn importing(&self) -> Option<&dyn ImportKeys>;

    /// Returns the store's ability to inspect keys without their secrets, if it has it.
    fn inspecting(&self) -> Option<&dyn InspectKeys>;

    /// Returns the store's ability to delete keys, if it has it.
    fn discarding(&self) -> Option<&dyn DiscardKeys>;

    /// Returns the store's ability to protect keys with other passphrases, if it has it.
    fn protecting(&self) -> Option<&dyn ProtectKeys>;

    /// Returns the store's memory of what its keys signed, if it has one.
    fn remembering(&self) -> Option<&dyn RememberSignatures> {
        None
    }

    /// Returns the store's ability to describe, limit and hand out its keys, if it has it.
    fn administering(&self) -> Option<&dyn AdministerKeys> {
        None
    }

    /// Returns the store's ability to hand keys over to another place, if it has it.
    fn moving(&self) -> Option<&dyn MoveKeys> {
        None
    }
}

/// A store that imports keys which were made by other programs.
pub trait ImportKeys {
    /// Stores such a key under this reference and returns it unlocked. An existing key is never replaced.
    ///
    /// # Errors
    /// As [`CaKeys::generate`].
    fn import(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn CaSigner>, KeyError>;
}

/// A store that can check a key without its secret.
pub trait InspectKeys {
    /// Checks a key as far as possible without its secret.
    ///
    /// # Errors
    /// When the key does not exist here, or no secret could unlock it.
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError>;

    /// Returns the contents of the file of a key, encrypted, for a backup.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    fn sealed(&self, key: &KeyRef) -> Result<Vec<u8>, KeyError>;

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

/// A store that protects keys with passphrases, which can be changed.
pub trait ProtectKeys {
    /// Unlocks a key with its present passphrase, and encrypts it with a new one. Nothing is written yet.
    ///
    /// # Errors
    /// As [`CaKeys::signer`]; when the new passphrase is not available or weak, or the key is not the one on record.
    fn reencrypt(&self, key: &KeyRef) -> Result<Reencrypted, KeyError>;

    /// Puts a key encrypted anew in the place of the former one, durably: before that the old passphrase opens it, and
    /// afterwards the new one alone.
    ///
    /// # Errors
    /// When the key was changed by another process since, or cannot be written. The former one stays.
    fn put_reencrypted(&self, reencrypted: &Reencrypted) -> Result<(), KeyError>;
}

/// What a store of keys has to be shown before it signs a CRL.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ToBeShown {
    /// Serial numbers of certificates whose ends it does not know.
    pub certificates: Vec<SerialNumber>,
    /// Whether it does not know the last CRL.
    pub crl: bool,
}

/// A store that remembers what its keys signed, and signs no CRL that takes back a revocation.
pub trait RememberSignatures {
    /// Returns what it has to be shown before it signs a CRL that follows the one of the number `last` and leaves out
    /// its entries with these serial numbers.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn to_be_shown(
        &self,
        key: &KeyRef,
        last: CrlNumber,
        left_out: &[SerialNumber],
    ) -> Result<ToBeShown, KeyError>;

    /// Shows certificates that the key of this CA signed.
    ///
    /// # Errors
    /// When the store cannot be asked, or one of them has no signature of the key.
    fn show_certificates(
        &self,
        key: &KeyRef,
        issuer: &Certificate,
        certificates: &[Certificate],
    ) -> Result<(), KeyError>;

    /// Shows a CRL that the key of this CA signed, DER.
    ///
    /// # Errors
    /// As [`RememberSignatures::show_certificates`].
    fn show_crl(&self, key: &KeyRef, issuer: &Certificate, crl: &[u8]) -> Result<(), KeyError>;

    /// Says that these certificates were given up: nobody has them.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn abandon(&self, key: &KeyRef, serials: &[SerialNumber]) -> Result<(), KeyError>;

    /// Returns the serial numbers that the key has used here, in the order of their octets.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn used_serials(&self, key: &KeyRef) -> Result<Vec<SerialNumber>, KeyError>;

    /// Says that a key comes back here from a medium: what it signed meanwhile is remembered there.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn note_return(&self, key: &KeyRef) -> Result<(), KeyError>;

    /// Accepts what a restore could not know.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn accept_gap(&self) -> Result<(), KeyError>;
}

/// A key that is encrypted with a new passphrase, and that is not in its place yet.
pub enum Reencrypted {
    /// In the memory of this process.
    Here {
        /// The file.
        path: PathBuf,
        /// The contents of the file now, encrypted.
        before: Vec<u8>,
        /// The new contents, encrypted.
        after: Vec<u8>,
    },
    /// In the signer, which knows it by this number.
    InSigner(u32),
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

    /// Returns the reference that a key gets when its CA is called otherwise: a key in a token keeps its own.
    #[must_use]
    pub(crate) fn renamed(&self, key: &KeyRef, authority: &str) -> KeyRef {
        if key.is_in_token() { key.clone() } else { self.new_key(authority) }
    }

    /// Imports a key as [`ImportKeys::import`].
    ///
    /// # Errors
    /// As [`ImportKeys::import`]; [`KeyError::Backend`] for a store that imports none.
    pub fn import(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        let unable =
            || KeyError::Backend(self.place(key), "keys made elsewhere are not taken in here".into());
        self.importing().ok_or_else(unable)?.import(key, brought)
    }

    /// Deletes a key as [`DiscardKeys::discard`].
    ///
    /// # Errors
    /// As [`DiscardKeys::discard`]; [`KeyError::Backend`] for a store that deletes none.
    pub(crate) fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        let unable = || KeyError::Backend(self.place(key), "keys are not removed here".into());
        self.discarding().ok_or_else(unable)?.discard(key)
    }

    /// Returns the store's ability to protect keys with other passphrases.
    ///
    /// # Errors
    /// [`KeyError::Backend`] for a store of keys without passphrases.
    pub(crate) fn protector(&self, key: &KeyRef) -> Result<&dyn ProtectKeys, KeyError> {
        let unable = || KeyError::Backend(self.place(key), "keys have no passphrases here".into());
        self.protecting().ok_or_else(unable)
    }
}
