//! CA keys at rest: PKCS#8 in PEM within an age file (`age-encryption.org/v1`), encrypted with a passphrase.
//!
//! The files can be read without this program: `age -d keys/NAME.age | openssl pkey -text`.
use super::files::{self, KeyFile};
use super::mark;
use crate::failpoint;
use crate::home::{AccessRule, FileStatus, Mode, OpenError, Owners, open_checked, sync_directory, write_new};
use crate::signing::ca_signer::LocalSigner;
use crate::signing::octets::read_up_to;
use crate::signing::soft_key::SoftKey;
use crate::signing::{
    CaKeys, CaSigner, DiscardKeys, ImportKeys, InspectKeys, KeyError, KeyPlace, KeyRef, Mark, MarkError,
    OpenedKey, Secret, SecretPurpose, SecretSource,
};
use crate::x509::KeyAlgorithm;
use crate::x509::extension::CrlNumber;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Scheme of the URIs of these keys: `age:NAME.age`.
const SCHEME: &str = "age";

/// A store of CA keys in age files of mode 0600, in a directory of mode 0700 (K1).
#[derive(Clone)]
pub struct AgeFileStore {
    directory: PathBuf,
    scrypt_log_n: u8,
    secrets: Arc<dyn SecretSource>,
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
            Ok(Self { directory: directory.into(), scrypt_log_n, secrets })
        } else {
            Err(InvalidWorkFactor(scrypt_log_n))
        }
    }

    /// Returns a store with the default work factor.
    #[must_use]
    pub fn usual(directory: impl Into<PathBuf>, secrets: Arc<dyn SecretSource>) -> Self {
        Self { directory: directory.into(), scrypt_log_n: Self::USUAL_WORK, secrets }
    }

    /// Returns the same store with another source of passphrases.
    #[must_use]
    pub fn asking(self, secrets: Arc<dyn SecretSource>) -> Self {
        Self { secrets, ..self }
    }

    /// Renames files that an older version named otherwise. The caller first keeps older versions out of the index. A
    /// file that cannot be renamed stays, and is read where it is.
    pub(crate) fn move_former(&self) {
        mark::move_former(&self.directory);
    }

    /// Generates a key and writes it under a name that is not taken. The key is generated only after its passphrase
    /// was given.
    pub(crate) fn write(
        &self,
        key: &KeyRef,
        make: impl FnOnce() -> Result<SoftKey, KeyError>,
    ) -> Result<SoftKey, KeyError> {
        let path = &self.path_of(key)?;
        check_directory(path)?;
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(KeyError::Backend(at(path), error.to_string())),
            Ok(_) => return Err(KeyError::Exists(at(path))),
        }
        let passphrase = self.secrets.secret(&SecretPurpose::Protect(name_of(path)))?;
        if passphrase.is_empty() {
            return Err(KeyError::SecretUnavailable("an empty passphrase protects nothing".into()));
        }
        let new = make()?;
        let encrypted = self.encrypt(new.to_pem()?.as_bytes(), &passphrase)?;
        write_new(path, &encrypted, Mode::Private).map_err(|error| match error.source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists(at(path)),
            _ => KeyError::NotWritten(error),
        })?;
        Ok(new)
    }

    fn encrypt(&self, plain: &[u8], passphrase: &Secret) -> Result<Vec<u8>, KeyError> {
        let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.as_str()));
        recipient.set_work_factor(self.scrypt_log_n);
        let failed = KeyError::Cryptography("encrypting the key");
        let recipients: [&dyn age::Recipient; 1] = [&recipient];
        let Ok(encryptor) = Encryptor::with_recipients(recipients.into_iter()) else {
            return Err(failed);
        };
        let mut out = Vec::new();
        let written = encryptor.wrap_output(&mut out).and_then(|mut writer| {
            writer.write_all(plain)?;
            writer.finish().map(drop)
        });
        written.map(|()| out).map_err(|_| failed)
    }

    /// Reads and decrypts a key.
    pub(crate) fn open(&self, key: &KeyRef) -> Result<SoftKey, KeyError> {
        let path = &self.path_of(key)?;
        check_directory(path)?;
        let encrypted = read_file(path)?;
        let decryptor = decryptor(path, &encrypted)?;
        let passphrase = self.secrets.secret(&SecretPurpose::Open(name_of(path)))?;
        let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.as_str()));
        identity.set_max_work_factor(Self::MOST_WORK);
        let identities: [&dyn age::Identity; 1] = [&identity];
        let reader = decryptor.decrypt(identities.into_iter()).map_err(|error| unusable(path, &error))?;
        // The buffer never grows, so no copy of the key stays behind in freed memory.
        let mut plain = Zeroizing::new(vec![0; encrypted.len()]);
        let length = read_up_to(reader, &mut plain)
            .map_err(|error| KeyError::Backend(at(path), format!("the file is damaged: {error}")))?;
        let plain = plain.get(..length).unwrap_or_default();
        let text = std::str::from_utf8(plain)
            .map_err(|_| KeyError::Backend(at(path), "what is encrypted in it is not PEM".into()))?;
        SoftKey::from_pem(text).map_err(|reason| KeyError::Backend(at(path), reason.into()))
    }

    /// Returns the path of a key's file; `None` for any URI but that of a key file in the store's directory. The index of
    /// a backup that somebody else wrote may contain any URI.
    fn file_of(&self, key: &KeyRef) -> Option<PathBuf> {
        let file: KeyFile = key.within(SCHEME)?.parse().ok()?;
        file.is_key().then(|| self.directory.join(file.to_string()))
    }

    fn path_of(&self, key: &KeyRef) -> Result<PathBuf, KeyError> {
        match self.file_of(key) {
            Some(path) => Ok(path),
            None => Err(KeyError::Backend(self.place(key), "no key store of that kind is known".into())),
        }
    }
}

impl CaKeys for AgeFileStore {
    fn new_key(&self, authority: &str) -> KeyRef {
        KeyRef { identity: None, uri: format!("{SCHEME}:{authority}.{}", files::KEY) }
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

    fn importing(&self) -> Option<&dyn ImportKeys> {
        Some(self)
    }

    fn inspecting(&self) -> Option<&dyn InspectKeys> {
        Some(self)
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        Some(self)
    }
}

impl ImportKeys for AgeFileStore {
    fn import(&self, key: &KeyRef, opened: OpenedKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        Ok(Arc::new(LocalSigner(self.write(key, || Ok(opened.into_inner()))?)))
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

    fn files(&self, key: &KeyRef) -> Vec<PathBuf> {
        let Ok(path) = self.path_of(key) else { return Vec::new() };
        let marks = mark::places(&path);
        std::iter::once(path).chain(marks).collect()
    }
}

/// Returns a decryptor of an age file that is encrypted with a passphrase.
fn decryptor<'e>(path: &Path, encrypted: &'e [u8]) -> Result<Decryptor<&'e [u8]>, KeyError> {
    let decryptor = Decryptor::new_buffered(encrypted).map_err(|error| unusable(path, &error))?;
    if !decryptor.is_scrypt() {
        return Err(KeyError::Backend(at(path), "not an age file with a passphrase".into()));
    }
    Ok(decryptor)
}

fn at(path: &Path) -> KeyPlace {
    KeyPlace::File(path.to_owned())
}

/// Returns the name under which users know the key: that of the CA.
fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn check_directory(path: &Path) -> Result<(), KeyError> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let metadata = fs::metadata(directory).map_err(|error| missing_or(path, &error))?;
    let user = rustix::process::geteuid().as_raw();
    let rule = AccessRule::directory(Owners::User, 0o077);
    let finding = rule.judge(directory, &FileStatus::from(&metadata), user).into_iter().next();
    finding.map_or(Ok(()), |finding| Err(KeyError::Unsafe(finding)))
}

fn read_file(path: &Path) -> Result<Vec<u8>, KeyError> {
    let file = open_checked(path, AccessRule::PRIVATE_FILE).map_err(|error| match error {
        OpenError::Unsafe(finding) => KeyError::Unsafe(finding),
        OpenError::Io(error) => missing_or(path, &error),
    })?;
    let mut octets = Vec::new();
    let limit = KeyFile::LARGEST;
    let length = file.take(limit + 1).read_to_end(&mut octets).map_err(|error| missing_or(path, &error))?;
    if u64::try_from(length).is_ok_and(|length| length > limit) {
        return Err(KeyError::Backend(at(path), "too large for a key".into()));
    }
    Ok(octets)
}

fn missing_or(path: &Path, error: &io::Error) -> KeyError {
    match error.kind() {
        io::ErrorKind::NotFound => KeyError::NotFound(at(path)),
        io::ErrorKind::PermissionDenied => KeyError::Backend(at(path), error.to_string()),
        _ => KeyError::NotRead(at(path), error.to_string()),
    }
}

fn unusable(path: &Path, error: &DecryptError) -> KeyError {
    let backend = |reason: String| KeyError::Backend(at(path), reason);
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            KeyError::SecretRejected(at(path))
        }
        // The library's own message computes a duration that overflows.
        DecryptError::ExcessiveWork { required, .. } => backend(format!(
            "it asks for a scrypt work factor of {required}; at most {} is done, since each step doubles time \
             and memory",
            AgeFileStore::MOST_WORK
        )),
        DecryptError::InvalidHeader | DecryptError::InvalidMac => backend("the file is damaged".into()),
        DecryptError::UnknownFormat => backend("a later format of age than this program knows".into()),
        DecryptError::Io(error) => backend(format!("the file is damaged: {error}")),
        other => backend(other.to_string()),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
