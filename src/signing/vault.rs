//! Stores that open CA keys in this process, for the signer alone.
//!
//! What opens a key here signs only a [`ForKey`], which the signer makes after its rules have admitted the octets
//! and its journal has them.
use super::admit::Admitted;
use super::{BroughtKey, CaKeys, KeyError, KeyRef, OpenedKey, Secret};
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

/// Octets that the journal of the signer has as about to be signed, a subscriber's request, or what a responder signs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForKey<'a>(&'a [u8]);

impl<'a> ForKey<'a> {
    /// Says that the journal has these octets. Only the signer's journal may say so (`tests/architecture/adapters.rs`).
    pub(crate) fn journaled(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// Returns the octets that a subscriber's or a responder's key signs: no journal has these.
    pub(super) fn admitted<T>(message: &'a Admitted<T>) -> Self {
        Self(message.octets())
    }

    /// Returns the octets.
    pub(crate) fn octets(self) -> &'a [u8] {
        self.0
    }
}

/// A CA key that is open in this process or on a token.
pub(crate) trait VaultKey: Send + Sync {
    /// Returns the public key.
    fn public_key(&self) -> &SubjectPublicKeyInfo;

    /// Signs a whole message, not a digest, and returns the octets of signatureValue.
    ///
    /// # Errors
    /// [`KeyError::Backend`] when the key's store fails, [`KeyError::Cryptography`] when signing in memory fails.
    fn sign(&self, message: ForKey<'_>) -> Result<Vec<u8>, KeyError>;
}

/// A store that opens keys in this process.
pub(crate) trait KeyVault: Send + Sync {
    /// Returns what the store does without opening a key.
    fn keys(&self) -> &dyn CaKeys;

    /// Unlocks a key.
    ///
    /// # Errors
    /// As [`CaKeys::signer`].
    fn open_key(&self, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError>;

    /// Generates a key under this reference. An existing key is never replaced.
    ///
    /// # Errors
    /// As [`CaKeys::generate`].
    fn make_key(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn VaultKey>, KeyError>;

    /// Checks the secret for a key that may not be there yet, where the store has one already.
    ///
    /// # Errors
    /// When it is wrong, or cannot be checked.
    fn check_secret(&self, key: &KeyRef) -> Result<(), KeyError> {
        let _ = key;
        Ok(())
    }

    /// Returns how many tokens this reference means that are there. `anew`: the store looks for those that came later than
    /// it did, which some modules see only when they begin again.
    ///
    /// # Errors
    /// When the module cannot be used.
    fn count_tokens(&self, key: &KeyRef, anew: bool) -> Result<usize, KeyError> {
        let _ = (key, anew);
        Ok(0)
    }

    /// Stores a key of another program under this reference. An existing key is never replaced.
    ///
    /// # Errors
    /// As [`CaKeys::generate`]; [`KeyError::Backend`] for a store that takes none.
    fn take_key(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn VaultKey>, KeyError>;

    /// Unlocks a key to be handed out, encrypted.
    ///
    /// # Errors
    /// As [`KeyVault::open_key`]; [`KeyError::TokenUnable`] for a store whose keys never leave it.
    fn take_out(&self, key: &KeyRef) -> Result<OpenedKey, KeyError> {
        Err(KeyError::TokenUnable(self.keys().place(key), "its keys never leave it".into()))
    }

    /// Returns the store's ability to hand key files over to another signer, if it has it.
    fn moving(&self) -> Option<&dyn MoveKeyFiles> {
        None
    }
}

/// Keys in tokens that others than CAs have: holders and responders.
pub(crate) trait TokenKeys: Send + Sync {
    /// Opens a key.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] when the token has no such key; when it is not there or fails.
    fn open(&self, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError>;
}

/// A store whose encrypted key files go to another signer, and come from one.
pub(crate) trait MoveKeyFiles {
    /// Opens the file of a key for the one that takes it.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] when it is not here; when others have access to it.
    fn handed_out(&self, key: &KeyRef) -> Result<OwnedFd, KeyError>;

    /// Reads an encrypted key from a file that another signer has opened.
    ///
    /// # Errors
    /// When it is no regular file, or has no encrypted key.
    fn taken_in(&self, key: &KeyRef, file: OwnedFd) -> Result<Vec<u8>, KeyError>;

    /// Opens such a key, with the secret that the store's source has for this name.
    ///
    /// # Errors
    /// As [`KeyVault::open_key`].
    fn open_taken(&self, key: &KeyRef, sealed: &[u8]) -> Result<Arc<dyn VaultKey>, KeyError>;

    /// Opens the contents of a key file of another signer, of this path, by this passphrase, or this text with identities.
    ///
    /// # Errors
    /// When the secret is wrong, the file is damaged, or it takes more memory than is there to be taken.
    fn open_foreign(&self, path: &Path, sealed: &[u8], secret: &Secret) -> Result<OpenedKey, KeyError>;

    /// Refuses the name of a key that is here.
    ///
    /// # Errors
    /// [`KeyError::Exists`] when it is; when others have access to the directory.
    fn must_be_free(&self, key: &KeyRef) -> Result<(), KeyError>;

    /// Encrypts a key of another program for whoever is to open the one of this name, as a new key is. Nothing is written.
    /// Returns the contents of its file, for [`MoveKeyFiles::put_aside`], and the open key.
    ///
    /// # Errors
    /// As [`MoveKeyFiles::must_be_free`]; when the store's source has no secret for it.
    fn seal(&self, key: &KeyRef, brought: OpenedKey) -> Result<(Vec<u8>, Arc<dyn VaultKey>), KeyError>;

    /// Keeps such a key beside its place, where nothing uses it. One that is in its place already stays.
    ///
    /// # Errors
    /// [`KeyError::Exists`] when there is another key of this name; when it cannot be written.
    fn put_aside(&self, key: &KeyRef, sealed: &[u8]) -> Result<(), KeyError>;

    /// Says that everything is known that such a key signed elsewhere. Before that it does not settle, whatever process
    /// is asked to.
    ///
    /// # Errors
    /// When its file cannot be renamed.
    fn completed(&self, key: &KeyRef) -> Result<(), KeyError>;

    /// Puts a key that is beside its place there. Returns whether there was one; otherwise it is in its place already.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] when it is in neither; [`KeyError::Exists`] when there is another key of this name; [`KeyError::Prevented`] when it is not known yet what
    /// it signed elsewhere.
    fn settle(&self, key: &KeyRef) -> Result<bool, KeyError>;

    /// Overwrites and removes a key, where it is. Returns whether there was one.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&self, key: &KeyRef) -> Result<bool, KeyError>;

    /// Overwrites and removes a key that is beside its place. Returns whether there was one.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn give_up(&self, key: &KeyRef) -> Result<bool, KeyError>;

    /// Checks a file that is to take the place of that of a key, which has this SHA-256, as far as that can be done
    /// without opening it.
    ///
    /// # Errors
    /// When it has no encrypted key, or one whose passphrase would cost more memory than is there to be taken, or the
    /// present file has another digest.
    fn check_resealed(&self, key: &KeyRef, before: &[u8; 32], sealed: &[u8]) -> Result<(), KeyError>;

    /// Puts such a file in the place of that of the key, which has this SHA-256, with the record of the shares that open it.
    /// It is one step, after which the former file is overwritten.
    ///
    /// # Errors
    /// When the present file has another digest, or nothing can be written; it is the former file then. When only the
    /// record or the directory cannot be written, it is the new one.
    fn put_resealed(
        &self,
        key: &KeyRef,
        before: &[u8; 32],
        sealed: &[u8],
        record: Option<&[u8]>,
    ) -> Result<(), KeyError>;
}
