//! Key files that go to another signer, encrypted as they are, and come from one.
//!
//! A key that comes is first `NAME.coming`, which nothing opens; once it is known what it signed elsewhere,
//! [`MoveKeyFiles::completed`] makes it `NAME.ready`, and [`MoveKeyFiles::settle`] gives it its name.
use super::armor::unarmored;
use super::at_rest::{decrypt, decrypt_with};
use super::files::{COMING, KeyFile, READY};
use super::resealed::put_resealed;
use super::store::{AgeFileStore, at, check_directory, missing_or, must_be_free, name_of, read_file};
use crate::error::{Code, Shown as _};
use crate::failpoint;
use crate::home::{AccessRule, Mode, OpenError, open_checked, remove_overwritten, replace, sync_directory};
use crate::signing::{KeyError, KeyRef, MoveKeyFiles, OpenedKey, Secret, SecretPurpose, VaultKey, open_with};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

impl MoveKeyFiles for AgeFileStore {
    fn handed_out(&self, key: &KeyRef) -> Result<OwnedFd, KeyError> {
        let path = &self.path_of(key)?;
        check_directory(path)?;
        let file = open_checked(path, AccessRule::PRIVATE_FILE).map_err(|error| match error {
            OpenError::Unsafe(finding) => KeyError::Unsafe(finding),
            OpenError::Io(error) => missing_or(path, &error),
        })?;
        Ok(file.into())
    }

    fn taken_in(&self, key: &KeyRef, file: OwnedFd) -> Result<Vec<u8>, KeyError> {
        let place = || at(&self.path_of(key).unwrap_or_default());
        let unread = |error: io::Error| KeyError::NotRead(place(), error.to_string());
        let mut file = File::from(file);
        if !file.metadata().map_err(unread)?.is_file() {
            return Err(KeyError::Backend(place(), "what was handed over for it is no file".into()));
        }
        // whoever handed it over may have read from it
        file.rewind().map_err(unread)?;
        let mut octets = Vec::new();
        let limit = KeyFile::LARGEST;
        file.take(limit + 1).read_to_end(&mut octets).map_err(unread)?;
        let fits = u64::try_from(octets.len()).is_ok_and(|length| length <= limit);
        let octets = if fits { unarmored(octets) } else { octets };
        if fits && KeyFile::has_key(&octets) {
            return Ok(octets);
        }
        Err(KeyError::Backend(place(), "what was handed over for it is no encrypted key".into()))
    }

    fn open_taken(&self, key: &KeyRef, sealed: &[u8]) -> Result<Arc<dyn VaultKey>, KeyError> {
        let path = &self.path_of(key)?;
        self.judge_work(path, sealed, 0)?;
        let purpose = SecretPurpose::Open(name_of(path));
        let opened = open_with(self.secrets.as_ref(), &purpose, |ask| decrypt(path, sealed, ask))?;
        Ok(Arc::new(opened))
    }

    fn open_foreign(&self, path: &Path, sealed: &[u8], secret: &Secret) -> Result<OpenedKey, KeyError> {
        let fits = u64::try_from(sealed.len()).is_ok_and(|length| length <= KeyFile::LARGEST);
        if !fits {
            return Err(KeyError::Malformed(format!("{} is too large for a key", path.shown())));
        }
        self.judge_work(path, sealed, 0)?;
        decrypt_with(path, sealed, None, &mut || Ok(secret.clone())).map(OpenedKey::from)
    }

    fn must_be_free(&self, key: &KeyRef) -> Result<(), KeyError> {
        must_be_free(&self.path_of(key)?)
    }

    fn seal(&self, key: &KeyRef, brought: OpenedKey) -> Result<(Vec<u8>, Arc<dyn VaultKey>), KeyError> {
        let path = &self.path_of(key)?;
        must_be_free(path)?;
        let (new, sealed) = self.seal_new(path, || Ok(brought.into_inner()))?;
        Ok((sealed, Arc::new(new)))
    }

    fn put_aside(&self, key: &KeyRef, sealed: &[u8]) -> Result<(), KeyError> {
        let path = &self.path_of(key)?;
        check_directory(path)?;
        match read_file(path) {
            Ok(there) if there == sealed => return Ok(()),
            Ok(_) => return Err(KeyError::Exists(at(path))),
            Err(KeyError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        // one that came before is told everything anew
        removed(&path.with_extension(READY))?;
        replace(&path.with_extension(COMING), sealed, Mode::Private)?;
        failpoint::passed("key: beside its place");
        Ok(())
    }

    fn completed(&self, key: &KeyRef) -> Result<(), KeyError> {
        let path = &self.path_of(key)?;
        match fs::rename(path.with_extension(COMING), path.with_extension(READY)) {
            // it is in its place already
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(KeyError::Backend(at(path), error.to_string())),
            Ok(()) => {}
        }
        failpoint::passed("key: completed");
        synced(path)
    }

    fn settle(&self, key: &KeyRef) -> Result<bool, KeyError> {
        let path = &self.path_of(key)?;
        let aside = path.with_extension(READY);
        match renameat_with(CWD, &aside, CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::NOENT) if path.with_extension(COMING).exists() => return Err(incomplete(path)),
            // who is told that it is here removes the key where it was
            Err(Errno::NOENT) => return is_there(path).map(|()| false),
            Err(Errno::EXIST) => return Err(KeyError::Exists(at(path))),
            Err(error) => return Err(KeyError::Backend(at(path), io::Error::from(error).to_string())),
        }
        failpoint::passed("key: in its place");
        synced(path)?;
        Ok(true)
    }

    fn remove(&self, key: &KeyRef) -> Result<bool, KeyError> {
        let path = &self.path_of(key)?;
        let settled = removed(path)?;
        Ok(self.give_up(key)? || settled)
    }

    fn give_up(&self, key: &KeyRef) -> Result<bool, KeyError> {
        let path = &self.path_of(key)?;
        let (coming, ready) = (removed(&path.with_extension(COMING))?, removed(&path.with_extension(READY))?);
        Ok(coming || ready)
    }

    fn check_resealed(&self, key: &KeyRef, before: &[u8; 32], sealed: &[u8]) -> Result<(), KeyError> {
        self.judge_resealed(&self.path_of(key)?, before, sealed)
    }

    fn put_resealed(
        &self,
        key: &KeyRef,
        before: &[u8; 32],
        sealed: &[u8],
        record: Option<&[u8]>,
    ) -> Result<(), KeyError> {
        put_resealed(&self.path_of(key)?, before, sealed, record)
    }
}

/// Tells whether there is a key in this place.
fn is_there(path: &Path) -> Result<(), KeyError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(KeyError::NotFound(at(path))),
        Err(error) => Err(KeyError::Backend(at(path), error.to_string())),
    }
}

fn incomplete(path: &Path) -> KeyError {
    KeyError::Prevented {
        code: Code::KeyMoveUnfinished,
        reason: format!("the key {} has come, and what it signed elsewhere is not known yet", name_of(path)),
        hint: format!(
            "move it again: the same command goes on, also with {}, which a version before this one may have left; where the \
             key is in no other place any more, restore it where it was from a backup, and move it from there",
            path.with_extension(COMING).shown()
        ),
    }
}

/// Removes a file, durably, and then overwrites what had its name.
fn removed(path: &Path) -> Result<bool, KeyError> {
    match remove_overwritten(path) {
        Ok(()) => {
            failpoint::passed("key: removed where it was");
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(KeyError::Backend(at(path), format!("it cannot be removed: {error}"))),
    }
}

fn synced(path: &Path) -> Result<(), KeyError> {
    path.parent().map_or(Ok(()), |directory| Ok(sync_directory(directory)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{CaKeys, Nobody};
    use std::os::unix::fs::PermissionsExt;

    const SEALED: &[u8] = b"age-encryption.org/v1\nsealed";

    fn store() -> (tempfile::TempDir, AgeFileStore, KeyRef) {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let store = AgeFileStore::usual(directory.path(), Arc::new(Nobody));
        let key = store.new_key("a");
        (directory, store, key)
    }

    #[test]
    fn who_settles_a_key_that_is_nowhere_is_told_so_and_does_not_take_it_for_one_that_is_here() {
        // K3
        let (directory, store, key) = store();
        let moving: &dyn MoveKeyFiles = &store;
        assert!(matches!(moving.settle(&key), Err(KeyError::NotFound(_))));
        fs::write(directory.path().join("a.age"), SEALED).unwrap();
        assert!(!moving.settle(&key).unwrap(), "it is in its place");
    }

    #[test]
    fn what_is_given_up_is_what_has_not_settled() {
        // K3
        let (directory, store, key) = store();
        let moving: &dyn MoveKeyFiles = &store;
        for name in ["a.age", "a.coming", "a.ready"] {
            fs::write(directory.path().join(name), SEALED).unwrap();
        }
        assert!(moving.give_up(&key).unwrap() && !moving.give_up(&key).unwrap());
        assert_eq!(fs::read(directory.path().join("a.age")).unwrap(), SEALED);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_comes_is_not_used_before_it_is_in_its_place() {
        // K3
        let (directory, store, key) = store();
        let moving: &dyn MoveKeyFiles = &store;
        moving.put_aside(&key, SEALED).unwrap();
        assert!(directory.path().join("a.coming").exists());
        assert!(matches!(moving.handed_out(&key), Err(KeyError::NotFound(_))));
        // nor before all is known that it signed elsewhere, by whatever process
        assert!(matches!(moving.settle(&key), Err(KeyError::Prevented { .. })));
        moving.completed(&key).unwrap();
        assert!(matches!(moving.handed_out(&key), Err(KeyError::NotFound(_))));
        // one that comes again is told it again
        moving.put_aside(&key, SEALED).unwrap();
        assert!(matches!(moving.settle(&key), Err(KeyError::Prevented { .. })));
        moving.completed(&key).unwrap();
        assert!(moving.settle(&key).unwrap() && !moving.settle(&key).unwrap());
        let handed = moving.handed_out(&key).unwrap();
        assert_eq!(moving.taken_in(&key, handed).unwrap(), SEALED);
        assert!(!directory.path().join("a.coming").exists() && !directory.path().join("a.ready").exists());
    }

    #[test]
    fn what_is_in_its_place_is_not_replaced_by_another_key() {
        let (directory, store, key) = store();
        let moving: &dyn MoveKeyFiles = &store;
        moving.put_aside(&key, SEALED).unwrap();
        moving.completed(&key).unwrap();
        moving.settle(&key).unwrap();
        moving.put_aside(&key, SEALED).unwrap();
        moving.completed(&key).unwrap();
        assert!(!directory.path().join("a.coming").exists(), "it is there already");
        let other = [SEALED, b"other"].concat();
        assert!(matches!(moving.put_aside(&key, &other), Err(KeyError::Exists(_))));
    }

    #[test]
    fn what_is_removed_is_gone_from_all_places() {
        let (directory, store, key) = store();
        let moving: &dyn MoveKeyFiles = &store;
        for name in ["a.age", "a.coming", "a.ready"] {
            fs::write(directory.path().join(name), SEALED).unwrap();
        }
        assert!(moving.remove(&key).unwrap() && !moving.remove(&key).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_but_a_file_with_an_encrypted_key_is_taken_in() {
        // K3
        let (directory, store, key) = store();
        let moving: &dyn MoveKeyFiles = &store;
        let (reader, _writer) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(moving.taken_in(&key, reader.into()).is_err());
        let path = directory.path().join("file");
        for octets in [&b"-----BEGIN PRIVATE KEY-----"[..], &[], &[SEALED, &[0; 70_000]].concat()] {
            fs::write(&path, octets).unwrap();
            assert!(moving.taken_in(&key, File::open(&path).unwrap().into()).is_err());
        }
    }

    #[test]
    fn the_record_of_the_shares_goes_with_a_key_that_gets_another_name() {
        // K1
        let (directory, store, key) = store();
        let other = store.new_key("b");
        let at = |name: &str| directory.path().join(name);
        // that beside `b` another key left
        for (name, text) in [("a.age", "key"), ("a.shares.toml", "of it"), ("b.shares.toml", "of another")] {
            fs::write(at(name), text).unwrap();
        }
        assert!(store.rename(&key, &other).unwrap());
        assert_eq!(fs::read_to_string(at("b.shares.toml")).unwrap(), "of it");
        assert!(!at("a.shares.toml").exists());
        // of a name that has a key nothing is touched
        for (name, text) in [("a.age", "key"), ("a.shares.toml", "of the next")] {
            fs::write(at(name), text).unwrap();
        }
        assert!(store.rename(&key, &other).is_err());
        assert_eq!(fs::read_to_string(at("b.shares.toml")).unwrap(), "of it");
    }
}
