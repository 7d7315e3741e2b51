//! CA keys at rest: PKCS#8 in PEM within an age file (`age-encryption.org/v1`), encrypted with a passphrase or
//! to recipients.
//!
//! The files can be read without this program: `age -d keys/NAME.age | openssl pkey -text`.
use super::armor::unarmored;
use super::at_rest::{decrypt, decryptor, encrypt};
use super::files::{self, KeyFile};
use super::mark;
use super::protection::Protection;
use super::recipient::KeyRecipient;
use super::sealed_key::SealKeyFor;
use crate::failpoint;
use crate::home::{
    AccessRule, FileStatus, Mode, OpenError, Owners, mended_there, open_checked, sync_directory, write_new,
};
use crate::index::KeyLocation;
use crate::signing::ca_signer::LocalSigner;
use crate::signing::soft_key::SoftKey;
use crate::signing::{
    BroughtKey, CaKeys, CaSigner, DiscardKeys, ImportKeys, InspectKeys, KeyError, KeyPlace, KeyRef, KeyVault,
    Mark, MarkError, MoveKeyFiles, OpenedKey, ProtectKeys, Secret, SecretPurpose, SecretSource, VaultKey,
    open_with,
};
use crate::x509::KeyAlgorithm;
use crate::x509::extension::CrlNumber;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A store of CA keys in age files of mode 0600, in a directory of mode 0700 (K1).
#[derive(Clone)]
pub struct AgeFileStore {
    directory: PathBuf,
    scrypt_log_n: u8,
    /// Whether a new passphrase of a key keeps the work factor of the one before.
    keeps_work: bool,
    /// The names of the keys that are encrypted to recipients when they are made.
    recipients: Arc<BTreeMap<String, Vec<KeyRecipient>>>,
    pub(super) secrets: Arc<dyn SecretSource>,
}

/// The work factor is outside [`AgeFileStore::LEAST_WORK`] to [`AgeFileStore::MOST_WORK`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a scrypt work factor of {0}: {min} to {max} are accepted, each step doubles time and memory, 18 is usual",
    min = AgeFileStore::LEAST_WORK,
    max = AgeFileStore::MOST_WORK
)]
pub struct InvalidWorkFactor(pub u8);

impl AgeFileStore {
    /// Default work factor: one guess takes just under a second and 256 MiB.
    pub(crate) const USUAL_WORK: u8 = 18;
    /// Least work factor accepted: 1 MiB, for demonstrations and tests.
    pub(crate) const LEAST_WORK: u8 = 10;
    /// Greatest work factor accepted, for new keys and in existing files: 4 GiB and about fifteen seconds.
    pub(crate) const MOST_WORK: u8 = 22;

    /// Returns a store in this directory that protects new keys with scrypt of N = 2^`scrypt_log_n` (RFC 7914 §2) and
    /// takes passphrases from `secrets`.
    ///
    /// # Errors
    /// When the work factor is not from [`Self::LEAST_WORK`] to [`Self::MOST_WORK`].
    pub fn new(
        directory: impl Into<PathBuf>,
        scrypt_log_n: u8,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<Self, InvalidWorkFactor> {
        if (Self::LEAST_WORK..=Self::MOST_WORK).contains(&scrypt_log_n) {
            Ok(Self { scrypt_log_n, ..Self::usual(directory, secrets) })
        } else {
            Err(InvalidWorkFactor(scrypt_log_n))
        }
    }

    /// Returns a store with the default work factor.
    #[must_use]
    pub fn usual(directory: impl Into<PathBuf>, secrets: Arc<dyn SecretSource>) -> Self {
        let recipients = Arc::default();
        let (directory, scrypt_log_n) = (directory.into(), Self::USUAL_WORK);
        Self { directory, scrypt_log_n, keeps_work: false, recipients, secrets }
    }

    /// Returns the same store, in which a key keeps its work factor when it gets a new passphrase.
    #[must_use]
    pub(crate) fn keeping_work(self) -> Self {
        Self { keeps_work: true, ..self }
    }

    /// Returns the same store with another source of passphrases.
    #[must_use]
    pub fn asking(self, secrets: Arc<dyn SecretSource>) -> Self {
        Self { secrets, ..self }
    }

    /// Returns the same store, which encrypts new keys of these names to recipients, not with a passphrase. No name has
    /// an empty list.
    #[must_use]
    pub fn with_recipients(self, recipients: BTreeMap<String, Vec<KeyRecipient>>) -> Self {
        Self { recipients: Arc::new(recipients), ..self }
    }

    /// Returns the work factor of new keys.
    pub(super) fn work(&self) -> u8 {
        self.scrypt_log_n
    }

    /// Generates a key and writes it under a name that is not taken. The key is generated only after its passphrase
    /// was given.
    pub(crate) fn write(
        &self,
        key: &KeyRef,
        make: impl FnOnce() -> Result<SoftKey, KeyError>,
    ) -> Result<SoftKey, KeyError> {
        let path = &self.path_of(key)?;
        must_be_free(path)?;
        let (new, encrypted) = self.seal_new(path, make)?;
        write_new(path, &encrypted, Mode::Private).map_err(|error| match error.source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists(at(path)),
            _ => KeyError::NotWritten(error),
        })?;
        Ok(new)
    }

    /// Makes a key and encrypts it for whoever is to open the one in this place. The key is made only after its passphrase
    /// was given.
    pub(super) fn seal_new(
        &self,
        path: &Path,
        make: impl FnOnce() -> Result<SoftKey, KeyError>,
    ) -> Result<(SoftKey, Vec<u8>), KeyError> {
        let name = name_of(path);
        let of_source = self.secrets.recipients(&name);
        let read = of_source.iter().map(|text| text.to_string().parse::<KeyRecipient>());
        let of_source = read.collect::<Result<Vec<_>, _>>();
        let of_source = of_source.map_err(|error| KeyError::Backend(at(path), error.to_string()))?;
        let readers = match self.recipients.get(&name) {
            _ if !of_source.is_empty() => SealKeyFor::Recipients(of_source.clone()),
            Some(recipients) => SealKeyFor::Recipients(recipients.clone()),
            None => self.with_passphrase(self.secrets.secret(&SecretPurpose::Protect(name_of(path)))?)?,
        };
        let new = make()?;
        let encrypted = encrypt(&at(path), new.to_pem()?.as_bytes(), &readers, None)?;
        if !of_source.is_empty() {
            // whoever opens it later is here now
            let identity = self.secrets.secret(&SecretPurpose::Open(name))?;
            let reread = decrypt(path, &encrypted, &mut || Ok(identity.clone()))?;
            if reread.public_key() != new.public_key() {
                return Err(KeyError::OtherKey(at(path)));
            }
        }
        Ok((new, encrypted))
    }

    /// Returns this passphrase with the store's work factor as what opens a key file.
    pub(super) fn with_passphrase(&self, secret: Secret) -> Result<SealKeyFor, KeyError> {
        if secret.is_empty() {
            return Err(KeyError::SecretUnavailable("an empty passphrase protects nothing".into()));
        }
        Ok(SealKeyFor::Passphrase { secret, scrypt_log_n: self.scrypt_log_n })
    }

    /// Returns this passphrase as what opens a key file in the place of one with these octets.
    pub(super) fn with_passphrase_after(
        &self,
        before: &[u8],
        secret: Secret,
    ) -> Result<SealKeyFor, KeyError> {
        let scrypt_log_n = match Protection::of(before) {
            Some(Protection::Passphrase { log_n: Some(log_n) }) if self.keeps_work => log_n,
            _ => self.scrypt_log_n,
        };
        Self { scrypt_log_n, ..self.clone() }.with_passphrase(secret)
    }

    /// Reads and decrypts a key. A user who types a wrong passphrase is asked again.
    pub(crate) fn open(&self, key: &KeyRef) -> Result<SoftKey, KeyError> {
        let path = &self.path_of(key)?;
        check_directory(path)?;
        let encrypted = read_file(path)?;
        let purpose = SecretPurpose::Open(name_of(path));
        open_with(self.secrets.as_ref(), &purpose, |ask| decrypt(path, &encrypted, ask))
    }

    /// Returns the path of a key's file; `None` for any URI but that of a key file in the store's directory. The index of
    /// a backup that somebody else wrote may contain any URI.
    fn file_of(&self, key: &KeyRef) -> Option<PathBuf> {
        files::path_in(&self.directory, key)
    }

    pub(super) fn path_of(&self, key: &KeyRef) -> Result<PathBuf, KeyError> {
        match self.file_of(key) {
            Some(path) => Ok(path),
            None => Err(KeyError::Backend(self.place(key), "no key store of that kind is known".into())),
        }
    }
}

impl CaKeys for AgeFileStore {
    fn new_key(&self, authority: &str) -> KeyRef {
        KeyRef::at(KeyLocation::File(&format!("{authority}.{}", files::KEY)))
    }

    fn place(&self, key: &KeyRef) -> KeyPlace {
        match self.file_of(key) {
            Some(path) => KeyPlace::File(path),
            None => KeyPlace::Uri(key.uri.clone()),
        }
    }

    fn generate(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError> {
        Ok(Arc::new(LocalSigner(self.write(key, || SoftKey::generate(algorithm))?)))
    }

    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError> {
        Ok(Arc::new(LocalSigner(self.open(key)?)))
    }

    fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError> {
        mark::read(&self.path_of(key)?)
    }

    fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError> {
        mark::raise(&self.path_of(key)?, number)
    }

    fn rename(&self, from: &KeyRef, to: &KeyRef) -> Result<bool, KeyError> {
        let (from, to) = (self.path_of(from)?, self.path_of(to)?);
        let files =
            mark::places(&from).into_iter().zip(mark::places(&to)).chain([(from.clone(), to.clone())]);
        let mut moved = false;
        let record = files::record_of_shares(&from);
        if record.exists() && from.exists() && !to.exists() {
            // one that another key left under the new name is of no file
            fs::rename(&record, files::record_of_shares(&to))
                .map_err(|error| KeyError::Backend(at(&record), error.to_string()))?;
        }
        for (old, new) in files {
            match renameat_with(CWD, &old, CWD, &new, RenameFlags::NOREPLACE) {
                Ok(()) => moved = true,
                Err(Errno::NOENT) => continue,
                Err(Errno::EXIST) => return Err(KeyError::Exists(at(&new))),
                Err(error) => return Err(KeyError::Backend(at(&old), io::Error::from(error).to_string())),
            }
            failpoint::passed("key: moved");
        }
        if let Some(directory) = to.parent().filter(|_| moved) {
            sync_directory(directory)?;
        }
        Ok(moved)
    }

    fn importing(&self) -> Option<&dyn ImportKeys> {
        Some(self)
    }

    fn inspecting(&self) -> Option<&dyn InspectKeys> {
        Some(self)
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        Some(self)
    }

    fn protecting(&self) -> Option<&dyn ProtectKeys> {
        Some(self)
    }
}

impl KeyVault for AgeFileStore {
    fn keys(&self) -> &dyn CaKeys {
        self
    }

    fn open_key(&self, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        Ok(Arc::new(self.open(key)?))
    }

    fn make_key(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn VaultKey>, KeyError> {
        Ok(Arc::new(self.write(key, || SoftKey::generate(algorithm))?))
    }

    fn take_key(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn VaultKey>, KeyError> {
        let opened = brought.into_key()?;
        Ok(Arc::new(self.write(key, || Ok(opened))?))
    }

    fn take_out(&self, key: &KeyRef) -> Result<OpenedKey, KeyError> {
        let opened = self.open(key)?;
        if key.identity.is_some_and(|identity| identity != opened.public_key().digest()) {
            return Err(KeyError::OtherKey(self.place(key)));
        }
        Ok(opened.into())
    }

    fn moving(&self) -> Option<&dyn MoveKeyFiles> {
        Some(self)
    }
}

impl ImportKeys for AgeFileStore {
    fn import(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        let opened = brought.into_key()?;
        Ok(Arc::new(LocalSigner(self.write(key, || Ok(opened))?)))
    }
}

impl DiscardKeys for AgeFileStore {
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        let path = self.path_of(key)?;
        fs::remove_file(&path).map_err(|error| missing_or(&path, &error))?;
        failpoint::passed("key: discarded");
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            sync_directory(directory)?;
        }
        Ok(())
    }
}

impl InspectKeys for AgeFileStore {
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError> {
        let path = &self.path_of(key)?;
        check_directory(path)?;
        decryptor(path, &read_file(path)?).map(drop)
    }

    fn sealed(&self, key: &KeyRef) -> Result<Vec<u8>, KeyError> {
        let path = &self.path_of(key)?;
        check_directory(path)?;
        read_file(path)
    }

    fn files(&self, key: &KeyRef) -> Vec<PathBuf> {
        files::files_in(&self.directory, key)
    }
}

/// Refuses a place where something is.
pub(super) fn must_be_free(path: &Path) -> Result<(), KeyError> {
    check_directory(path)?;
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(KeyError::Backend(at(path), error.to_string())),
        Ok(_) => Err(KeyError::Exists(at(path))),
    }
}

pub(super) fn at(path: &Path) -> KeyPlace {
    KeyPlace::File(path.to_owned())
}

/// Returns the name under which users know the key: that of the CA.
pub(super) fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

pub(super) fn check_directory(path: &Path) -> Result<(), KeyError> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let metadata = fs::metadata(directory).map_err(|error| missing_or(path, &error))?;
    let user = rustix::process::geteuid().as_raw();
    let rule = AccessRule::directory(Owners::User, 0o077);
    let finding = rule.judge(directory, &FileStatus::from(&metadata), user).into_iter().next();
    finding.map_or(Ok(()), |finding| Err(KeyError::Unsafe(mended_there(finding))))
}

/// Reads a key file, which may be armored.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, KeyError> {
    let file = open_checked(path, AccessRule::PRIVATE_FILE).map_err(|error| match error {
        OpenError::Unsafe(finding) => KeyError::Unsafe(mended_there(finding)),
        OpenError::Io(error) => missing_or(path, &error),
    })?;
    let mut octets = Vec::new();
    let limit = KeyFile::LARGEST;
    let length = file.take(limit + 1).read_to_end(&mut octets).map_err(|error| missing_or(path, &error))?;
    if u64::try_from(length).is_ok_and(|length| length > limit) {
        return Err(KeyError::Backend(at(path), "too large for a key".into()));
    }
    Ok(unarmored(octets))
}

pub(super) fn missing_or(path: &Path, error: &io::Error) -> KeyError {
    match error.kind() {
        io::ErrorKind::NotFound => KeyError::NotFound(at(path)),
        io::ErrorKind::PermissionDenied => KeyError::Backend(at(path), error.to_string()),
        _ => KeyError::NotRead(at(path), error.to_string()),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
