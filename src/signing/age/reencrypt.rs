//! New passphrases for existing keys: the key file is replaced by one that the new passphrase opens.
use super::AgeFileStore;
use super::at_rest::{decrypt, encrypt};
use super::store::{at, check_directory, name_of, read_file};
use crate::failpoint;
use crate::home::{Former, Mode, WriteError, Writing, replace_alone};
use crate::signing::{
    KeyError, KeyRef, ProtectKeys, Reencrypted, SecretPurpose, SecretSource as _, open_with,
};
use std::time::Duration;

/// Bound of the wait for other processes that write into the directory.
const WAIT: Duration = Duration::from_secs(30);

impl ProtectKeys for AgeFileStore {
    fn reencrypt(&self, key: &KeyRef) -> Result<Reencrypted, KeyError> {
        let path = self.path_of(key)?;
        check_directory(&path)?;
        let before = read_file(&path)?;
        let name = name_of(&path);
        let open = SecretPurpose::Open(name.clone());
        let opened = open_with(self.secrets.as_ref(), &open, |ask| decrypt(&path, &before, ask))?;
        let damaged = |reason: &str| KeyError::Backend(at(&path), reason.to_owned());
        if key.identity.is_some_and(|identity| identity != opened.public_key().digest()) {
            return Err(damaged("it has another key than the one on record"));
        }
        let passphrase = self.secrets.secret(&SecretPurpose::Replace(name))?;
        let readers = self.with_passphrase_after(&before, passphrase.clone())?;
        let after = encrypt(&at(&path), opened.to_pem()?.as_bytes(), &readers, None)?;
        // what replaces the only copy of the key is read once before
        let reread = decrypt(&path, &after, &mut || Ok(passphrase.clone()))?;
        if reread.public_key() != opened.public_key() {
            return Err(damaged("the key encrypted anew does not decrypt to itself; nothing was changed"));
        }
        Ok(Reencrypted::Here { path, before, after })
    }

    fn put_reencrypted(&self, reencrypted: &Reencrypted) -> Result<(), KeyError> {
        let Reencrypted::Here { path, before, after } = reencrypted else {
            return Err(KeyError::Signer("what it has encrypted anew is put in place by itself".into()));
        };
        let not_written = |source| KeyError::NotWritten(WriteError { path: path.clone(), source });
        let alone = Writing::alone(path.parent().unwrap_or(path), WAIT).map_err(not_written)?;
        if read_file(path)? != *before {
            return Err(KeyError::Backend(at(path), "another process has changed it meanwhile".into()));
        }
        failpoint::passed("key: encrypted anew");
        // the former file, whatever has its name afterwards
        let former = Former::of(path).ok();
        replace_alone(&alone, path, after, Mode::Private)?;
        // what was replaced is not needed any more; a disk may keep it all the same
        let _ = former.map(Former::overwrite);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{CaKeys as _, Secret};
    use crate::x509::KeyAlgorithm;
    use std::collections::VecDeque;
    use std::fs::{self, Permissions};
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::{Arc, Mutex};

    /// Gives the passphrases in their order, and says whether another try is due as long as there are some.
    struct Typing(Mutex<VecDeque<&'static str>>);

    impl crate::signing::SecretSource for Typing {
        fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
            let typed = self.0.lock().unwrap().pop_front();
            typed.map(|typed| Secret::new(typed.into())).ok_or(KeyError::InputNeeded(purpose.key().into()))
        }

        fn try_again(&self, _: &SecretPurpose) -> bool {
            !self.0.lock().unwrap().is_empty()
        }
    }

    fn typing(store: &AgeFileStore, typed: &[&'static str]) -> AgeFileStore {
        store.clone().asking(Arc::new(Typing(Mutex::new(typed.iter().copied().collect()))))
    }

    fn store() -> (tempfile::TempDir, AgeFileStore, KeyRef) {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
        let nobody = Arc::new(crate::signing::Nobody);
        let store = AgeFileStore::new(directory.path(), AgeFileStore::LEAST_WORK, nobody).unwrap();
        let key = store.new_key("genfic");
        let made = typing(&store, &["old"]).generate(&key, KeyAlgorithm::P256).unwrap();
        let key = key.of_key(made.public_key());
        (directory, store, key)
    }

    #[test]
    fn after_a_change_the_new_passphrase_opens_the_same_key_and_the_old_one_nothing() {
        // K2
        let (directory, store, key) = store();
        let reencrypted = typing(&store, &["wrong", "old", "new"]).reencrypt(&key).unwrap();
        assert!(typing(&store, &["old"]).signer(&key).is_ok(), "nothing is written yet");
        let mut former = fs::File::open(directory.path().join("genfic.age")).unwrap();
        store.put_reencrypted(&reencrypted).unwrap();
        let mut left = Vec::new();
        former.read_to_end(&mut left).unwrap();
        assert!(left.iter().all(|octet| *octet == 0), "the former file is overwritten");
        let opened = typing(&store, &["new"]).signer(&key).unwrap();
        assert_eq!(key.identity, Some(opened.public_key().digest()));
        assert!(matches!(typing(&store, &["old"]).signer(&key), Err(KeyError::SecretRejected(_))));
        let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|one| one.unwrap()).collect();
        assert_eq!(files.len(), 1, "no copy is left");
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_key_that_was_changed_meanwhile_or_is_another_is_not_replaced() {
        let (_directory, store, key) = store();
        let first = typing(&store, &["old", "first"]).reencrypt(&key).unwrap();
        let second = typing(&store, &["old", "second"]).reencrypt(&key).unwrap();
        store.put_reencrypted(&second).unwrap();
        assert!(matches!(store.put_reencrypted(&first), Err(KeyError::Backend(..))));
        assert!(typing(&store, &["second"]).signer(&key).is_ok());
        let another = KeyRef { identity: Some([7; 32]), ..key.clone() };
        let refused = typing(&store, &["second", "third"]).reencrypt(&another).err().unwrap();
        assert!(refused.to_string().contains("another key"), "{refused}");
    }
}
