//! What the custody of keys takes from the signer that listens, and puts back there.
use super::administration::{Unlocking, UnlockingTerms, unlocking, wire};
use crate::error::Problem;
use crate::signer::{CustodyDoor, PutBack};
use crate::signing::{KeyError, OpenedKey, SealedKey, Secret, SecretPurpose, SecretSource, open_with};
use crate::x509::sha256;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a key is unlocked for while it is in custody.
const CUSTODY: &str = "custody";
/// For how many seconds: people type a new passphrase meanwhile.
const LASTING: u64 = 15 * 60;

/// The signer that listens, whose keys an administrator has custody of.
pub struct CustodyService(pub(super) CustodyDoor);

/// A key of the signer, in the hands of an administrator.
pub struct LentKey {
    /// The encrypted file. Its path is the name of the file alone: it is not on a disk here.
    pub sealed: SealedKey,
    /// The key.
    pub opened: OpenedKey,
    /// The text of the record of the shares that open the file.
    pub shares: Option<String>,
}

impl CustodyService {
    /// Returns the signer at this socket of administrators. Nothing is asked yet.
    #[must_use]
    pub fn at(socket: &Path) -> Self {
        Self(CustodyDoor::at(socket))
    }

    /// Unlocks a key with this passphrase, which the signer forgets.
    ///
    /// # Errors
    /// When it is wrong, or the signer cannot be asked.
    pub fn unlock(&self, key: &str, terms: &UnlockingTerms, secret: &Secret) -> Result<Unlocking, Problem> {
        Ok(unlocking(self.0.unlock(key, wire(terms), secret)?))
    }

    /// Returns the record of the shares that open a key; `None` where there is none. No key is unlocked for that.
    ///
    /// # Errors
    /// When there is no such key, or the signer cannot be asked.
    pub fn shares(&self, key: &str) -> Result<Option<String>, Problem> {
        Ok(self.0.shares(key)?.map(text))
    }

    /// Returns a copy of the encrypted file of a key, which is not unlocked for that. Its path is the name of the file alone.
    ///
    /// # Errors
    /// When there is no such key in a file, or the signer cannot be asked.
    pub fn copy(&self, key: &str) -> Result<SealedKey, KeyError> {
        SealedKey::of(&file_of(key), self.0.copy(key)?)
    }

    /// Borrows a key, which the passphrase or the identities that `secrets` has open. `is_to_come_back` says that the key is
    /// to be put back, which the signer then takes once from this login.
    ///
    /// # Errors
    /// When they are wrong or missing, or the signer cannot be asked.
    pub fn lend(
        &self,
        key: &str,
        secrets: &dyn SecretSource,
        is_to_come_back: bool,
    ) -> Result<LentKey, KeyError> {
        let (sealed, shares, secret) = self.borrowed(key, secrets, if is_to_come_back { 2 } else { 1 })?;
        let opened = sealed.open_by(&secret, None)?;
        Ok(LentKey { sealed, opened, shares })
    }

    /// Borrows the encrypted file of a key, and the text of the record of its shares, as [`Self::lend`] does. The
    /// signer alone opens the key, to see that what `secrets` has opens it.
    ///
    /// # Errors
    /// As [`Self::lend`].
    pub fn lend_sealed(
        &self,
        key: &str,
        secrets: &dyn SecretSource,
    ) -> Result<(SealedKey, Option<String>), KeyError> {
        self.borrowed(key, secrets, 1).map(|(sealed, shares, _)| (sealed, shares))
    }

    fn borrowed(
        &self,
        key: &str,
        secrets: &dyn SecretSource,
        uses: u64,
    ) -> Result<(SealedKey, Option<String>, Secret), KeyError> {
        let secret = self.unlock_for_custody(key, secrets, uses)?;
        let (octets, record) = self.0.lend(key)?;
        let sealed = SealedKey::of(&file_of(key), octets)?;
        Ok((sealed, Some(record).filter(|text| !text.is_empty()).map(text), secret))
    }

    /// Unlocks a key for so many acts of custody. Returns what opened it.
    pub(super) fn unlock_for_custody(
        &self,
        key: &str,
        secrets: &dyn SecretSource,
        uses: u64,
    ) -> Result<Secret, KeyError> {
        let scopes = BTreeMap::from([(CUSTODY.to_owned(), Some(uses))]);
        let terms = UnlockingTerms { scopes, lasting: LASTING };
        let purpose = SecretPurpose::Open(key.to_owned());
        open_with(secrets, &purpose, |ask| {
            let secret = ask()?;
            self.0.unlock(key, wire(&terms), &secret)?;
            Ok(secret)
        })
    }

    /// Puts a key back, as a file that this secret opens, with the record of the shares that are to open it. The signer opens
    /// it before it replaces the former one.
    ///
    /// # Errors
    /// When the signer does not take it, or its answer does not come. Then either file may be in its place.
    pub fn put_back(
        &self,
        (key, before): (&str, &SealedKey),
        (after, secret): (&SealedKey, &Secret),
        record: Option<&str>,
        how: &str,
    ) -> Result<(), KeyError> {
        let before = base16ct::lower::encode_string(&sha256(before.octets()));
        let (sealed, record) = (after.octets(), record.unwrap_or_default().as_bytes());
        self.0.put(key, &PutBack { before, sealed, record, secret, how })
    }
}

fn file_of(key: &str) -> PathBuf {
    format!("{key}.age").into()
}

fn text(record: Vec<u8>) -> String {
    String::from_utf8_lossy(&record).into_owned()
}
