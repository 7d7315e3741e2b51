//! Key files one at a time, wherever they are: opened, and encrypted for other readers. `AgeFileStore` uses those of a
//! home.
use super::armor::unarmored;
use super::at_rest::{decrypt_with, encrypt, file_key};
use super::protection::Protection;
use super::recipient::{KeyRecipient, Plugins, names_plugin};
use super::store::{InvalidWorkFactor, at, check_directory, name_of, read_file as read_own_file};
use super::{AgeFileStore, KeyFile};
use crate::failpoint;
use crate::home::{Mode, ReadError, WriteError, Writing, read_file, replace_alone, write_new};
use crate::signing::{KeyError, OpenedKey, Secret, SecretPurpose, SecretSource, open_with};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bound of the wait for other processes that write into the directory.
const WAIT: Duration = Duration::from_secs(30);

/// Who can open a key file that is made.
pub enum SealKeyFor {
    /// Anyone who knows this passphrase, guarded by scrypt with N = 2^`scrypt_log_n`.
    Passphrase {
        /// The passphrase.
        secret: Secret,
        /// The work factor, as for [`AgeFileStore::new`].
        scrypt_log_n: u8,
    },
    /// The owner of the identity of any of these recipients.
    Recipients(Vec<KeyRecipient>),
}

/// A key file that was read and is not opened.
pub struct SealedKey {
    path: PathBuf,
    octets: Vec<u8>,
    protection: Protection,
}

impl SealedKey {
    /// Reads a key file anywhere, such as on a medium without owners and modes.
    ///
    /// # Errors
    /// When it cannot be read or is not an age file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let octets = read_file(path, KeyFile::LARGEST).map_err(|error| match error {
            ReadError::Io(error) if error.kind() == ErrorKind::NotFound => KeyError::NotFound(at(path)),
            ReadError::Io(error) => KeyError::NotRead(at(path), error.to_string()),
            other => KeyError::Backend(at(path), other.to_string()),
        })?;
        Self::of(path, octets)
    }

    /// Reads a key file of a home. Only its owner may be able to use it and its directory.
    ///
    /// # Errors
    /// As [`SealedKey::read`], and [`KeyError::Unsafe`].
    pub fn read_in_home(path: &Path) -> Result<Self, KeyError> {
        check_directory(path)?;
        Self::of(path, read_own_file(path)?)
    }

    /// Takes octets for the contents of this file. An armored file (`age -a`) is the one that is in it.
    ///
    /// # Errors
    /// [`KeyError::Backend`] for octets that are no age file.
    pub fn of(path: &Path, octets: Vec<u8>) -> Result<Self, KeyError> {
        let octets = unarmored(octets);
        match Protection::of(&octets) {
            Some(protection) => Ok(Self { path: path.to_owned(), octets, protection }),
            None => Err(KeyError::Backend(at(path), "it is not an age file, or a damaged one".into())),
        }
    }

    /// Returns the name of the key: that of its file without `.age`.
    #[must_use]
    pub fn name(&self) -> String {
        name_of(&self.path)
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the contents of the file.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Returns how the file is protected.
    #[must_use]
    pub fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Opens the key with the passphrase or the identities that `secrets` has.
    ///
    /// # Errors
    /// When they are wrong or missing, the file is damaged, or a plugin fails or may not run.
    pub fn open(&self, secrets: &dyn SecretSource, plugins: Option<&Plugins>) -> Result<OpenedKey, KeyError> {
        let purpose = SecretPurpose::Open(self.name());
        let opened = open_with(secrets, &purpose, |ask| decrypt_with(&self.path, &self.octets, plugins, ask));
        opened.map(OpenedKey::from)
    }

    /// Opens the key with this passphrase, or this text with identities.
    ///
    /// # Errors
    /// As [`SealedKey::open`].
    pub fn open_by(&self, secret: &Secret, plugins: Option<&Plugins>) -> Result<OpenedKey, KeyError> {
        let opened = decrypt_with(&self.path, &self.octets, plugins, &mut || Ok(secret.clone()));
        opened.map(OpenedKey::from)
    }

    /// Returns the file key of this file as text, which opens it in the place of these identities: no plugin is needed then,
    /// and no other file is opened by it. The key in it is not decrypted.
    ///
    /// # Errors
    /// As [`SealedKey::open`]. A passphrase does not do.
    pub fn file_key(&self, identities: &Secret, plugins: Option<&Plugins>) -> Result<Secret, KeyError> {
        file_key(&self.path, &self.octets, plugins, identities)
    }

    /// Encrypts a key for other readers. With a passphrase the result is opened once to see that it is the same key.
    ///
    /// # Errors
    /// When the work factor is out of bounds, a plugin fails or may not run, or the result does not open.
    pub fn seal(
        path: &Path,
        key: &OpenedKey,
        readers: &SealKeyFor,
        plugins: Option<&Plugins>,
    ) -> Result<Self, KeyError> {
        let sealed = Self::of(path, encrypt(&at(path), key.soft().to_pem()?.as_bytes(), readers, plugins)?)?;
        if let SealKeyFor::Passphrase { secret, .. } = readers {
            sealed.try_opening(key, secret, plugins)?;
        }
        Ok(sealed)
    }

    /// Makes sure that a secret opens this file to this key. Returns what opens it where no plugin is executed: of the
    /// identity of a plugin the file key.
    ///
    /// # Errors
    /// When it does not.
    pub fn try_opening(
        &self,
        key: &OpenedKey,
        secret: &Secret,
        plugins: Option<&Plugins>,
    ) -> Result<Secret, KeyError> {
        let by = if names_plugin(secret) { self.file_key(secret, plugins)? } else { secret.clone() };
        if self.open_by(&by, None)?.public_key() == key.public_key() {
            return Ok(by);
        }
        let reason = "the key encrypted anew does not decrypt to itself; nothing was changed";
        Err(KeyError::Backend(at(&self.path), reason.into()))
    }

    /// Writes the file under its path, where nothing may be yet.
    ///
    /// # Errors
    /// [`KeyError::Exists`], or when the file cannot be written.
    pub fn write_new(&self) -> Result<(), KeyError> {
        failpoint::passed("custody: key encrypted");
        write_new(&self.path, &self.octets, Mode::Private).map_err(|error| match error.source.kind() {
            ErrorKind::AlreadyExists => KeyError::Exists(at(&self.path)),
            _ => KeyError::NotWritten(error),
        })?;
        failpoint::passed("custody: key written");
        Ok(())
    }

    /// Replaces this file by another of the same key, as one step.
    ///
    /// # Errors
    /// When the file was changed since it was read, or cannot be written; it is the old one then.
    pub fn replace_by(&self, after: &Self) -> Result<(), KeyError> {
        let path = &self.path;
        let not_written = |source| KeyError::NotWritten(WriteError { path: path.clone(), source });
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let alone = Writing::alone(directory.unwrap_or(Path::new(".")), WAIT).map_err(not_written)?;
        if Self::read(path)?.octets != self.octets {
            return Err(KeyError::Backend(at(path), "another process has changed it meanwhile".into()));
        }
        failpoint::passed("key: encrypted anew");
        replace_alone(&alone, path, &after.octets, Mode::Private)?;
        failpoint::passed("key: replaced");
        Ok(())
    }
}

impl SealKeyFor {
    /// Returns a passphrase with this work factor.
    ///
    /// # Errors
    /// When it is not from [`AgeFileStore::LEAST_WORK`] to [`AgeFileStore::MOST_WORK`].
    pub fn passphrase(secret: Secret, scrypt_log_n: u8) -> Result<Self, InvalidWorkFactor> {
        if (AgeFileStore::LEAST_WORK..=AgeFileStore::MOST_WORK).contains(&scrypt_log_n) {
            Ok(Self::Passphrase { secret, scrypt_log_n })
        } else {
            Err(InvalidWorkFactor(scrypt_log_n))
        }
    }
}

#[cfg(test)]
#[path = "sealed_tests.rs"]
mod tests;
