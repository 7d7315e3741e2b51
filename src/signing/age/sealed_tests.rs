use super::super::generated;
use super::*;
use crate::error::Problem;
use crate::signing::{CaKeys as _, KeyRef, Mistyped, Nobody, Protection, SoftKey};
use crate::x509::KeyAlgorithm;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

/// Gives this text to whoever asks.
struct Text(String);

impl SecretSource for Text {
    fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
        Ok(Secret::new(self.0.clone()))
    }
}

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
    directory
}

fn key() -> OpenedKey {
    SoftKey::generate(KeyAlgorithm::P256).unwrap().into()
}

fn cheap(passphrase: &str) -> SealKeyFor {
    SealKeyFor::passphrase(Secret::new(passphrase.into()), AgeFileStore::LEAST_WORK).unwrap()
}

#[test]
fn a_new_key_of_a_ca_with_recipients_is_opened_by_each_of_their_identities_and_by_no_passphrase() {
    // K1
    let directory = directory();
    let (first, second, other) = (generated(), generated(), generated());
    let recipients = vec![first.1.clone(), second.1.clone()];
    let store = AgeFileStore::new(directory.path(), 10, Arc::new(Nobody)).unwrap();
    let store = store.with_recipients(BTreeMap::from([("genfic".to_owned(), recipients)]));
    let made = store.generate(&store.new_key("genfic"), KeyAlgorithm::P256).unwrap();
    let key = store.new_key("genfic").of_key(made.public_key());
    let opening = |text: String| store.clone().asking(Arc::new(Text(text))).signer(&key);
    let commented = format!("# made by age-keygen\n{}\n", first.0);
    for text in [commented, second.0.clone(), format!("{}\n{}", other.0, second.0)] {
        assert_eq!(opening(text).unwrap().public_key(), made.public_key());
    }
    assert!(matches!(opening(other.0), Err(KeyError::IdentityRejected(_))));
    let error = opening("a passphrase".into()).err().unwrap();
    let problem = Problem::from(error);
    assert_eq!(problem.code.code(), "key.identity-wrong");
    assert!(!problem.message.contains("a passphrase"), "it may be a secret");
    store.inspecting().unwrap().inspect(&key).unwrap();
    // the CA beside it, without recipients, asks for a passphrase
    assert!(matches!(
        store.generate(&store.new_key("genfic-user"), KeyAlgorithm::P256),
        Err(KeyError::InputNeeded(_))
    ));
}

#[test]
fn a_key_is_encrypted_for_others_without_being_changed() {
    let directory = directory();
    let (path, key) = (directory.path().join("genfic.age"), key());
    SealedKey::seal(&path, &key, &cheap("old"), None).unwrap().write_new().unwrap();
    let before = SealedKey::read_in_home(&path).unwrap();
    assert_eq!(before.protection(), &Protection::Passphrase { log_n: Some(10) });
    let opened = before.open(&Text("old".into()), None).unwrap();
    let (identity, recipient) = generated();
    let after = SealedKey::seal(&path, &opened, &SealKeyFor::Recipients(vec![recipient]), None).unwrap();
    before.replace_by(&after).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let read = SealedKey::read_in_home(&path).unwrap();
    assert_eq!(read.protection().to_string(), "1 recipient (X25519)");
    assert_eq!(read.open(&Text(identity), None).unwrap().public_key(), key.public_key());
    // whoever read the file before is not let replace it now
    assert!(matches!(before.replace_by(&after), Err(KeyError::Backend(..))));
    assert!(matches!(after.write_new(), Err(KeyError::Exists(_))));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no copy is left");
}

#[test]
fn the_file_key_opens_its_file_until_that_is_replaced_and_no_other_one() {
    // K1, K2
    let directory = directory();
    let (path, key, (identity, recipient)) = (directory.path().join("genfic.age"), key(), generated());
    let sealed = |readers: &SealKeyFor| SealedKey::seal(&path, &key, readers, None).unwrap();
    let to_recipient = SealKeyFor::Recipients(vec![generated().1, recipient]);
    let (file, next) = (sealed(&to_recipient), sealed(&to_recipient));
    let file_key = file.file_key(&Secret::new(identity.clone()), None).unwrap();
    assert_eq!(file.open_by(&file_key, None).unwrap().public_key(), key.public_key());
    assert_eq!(*file.try_opening(&key, &file_key, None).unwrap(), *file_key);
    let rejected =
        |file: &SealedKey| matches!(file.open_by(&file_key, None), Err(KeyError::SecretRejected(_)));
    assert!(rejected(&next), "each file has one of its own");
    assert!(rejected(&sealed(&cheap("passphrase"))), "there it is taken for a passphrase");
    // what is of no use gives none
    let other = file.file_key(&Secret::new(generated().0), None);
    assert!(matches!(other, Err(KeyError::IdentityRejected(_))));
    for none in [&*file_key, "passphrase", ""] {
        assert!(matches!(file.file_key(&Secret::new(none.into()), None), Err(KeyError::NotAnIdentity(_))));
    }
    assert!(sealed(&cheap("passphrase")).file_key(&Secret::new(identity.clone()), None).is_err());
    let mut changed = file.octets().to_vec();
    changed[40] ^= 1;
    if let Ok(changed) = SealedKey::of(&path, changed) {
        assert!(changed.file_key(&Secret::new(identity), None).is_err());
        assert!(changed.open_by(&file_key, None).is_err(), "the header has a MAC");
    }
    // and it protects no file
    let protected = SealedKey::seal(&path, &key, &cheap(&file_key), None);
    assert!(matches!(protected, Err(KeyError::Mistyped(_, Mistyped::FileKey))));
}

#[test]
fn plugins_are_not_executed_where_it_was_not_permitted() {
    let directory = directory();
    let path = directory.path().join("genfic.age");
    let recipient: KeyRecipient = "age1fake1w3jhxaqrc5akr".parse().unwrap();
    assert!(matches!(recipient, KeyRecipient::Plugin(_)));
    let refused = SealedKey::seal(&path, &key(), &SealKeyFor::Recipients(vec![recipient]), None);
    assert!(matches!(refused, Err(KeyError::PluginNotRun(..))));
    let key_ref = KeyRef { identity: None, uri: "age:genfic.age".into() };
    let (_, x25519) = generated();
    SealedKey::seal(&path, &key(), &SealKeyFor::Recipients(vec![x25519]), None).unwrap().write_new().unwrap();
    let store =
        AgeFileStore::usual(directory.path(), Arc::new(Text("AGE-PLUGIN-FAKE-1W3JHXAQ8FAZUR".into())));
    let problem = Problem::from(store.signer(&key_ref).err().unwrap());
    assert!(problem.message.contains("needs age-plugin-fake"), "{problem:?}");
    assert_eq!(problem.code.code(), "key.plugin");
}

#[test]
fn what_is_no_recipient_is_refused_and_a_secret_is_not_repeated() {
    let (identity, recipient) = generated();
    assert_eq!(recipient.to_string().parse::<KeyRecipient>().unwrap(), recipient);
    let error = identity.parse::<KeyRecipient>().unwrap_err().to_string();
    assert!(!error.contains(&identity[20..30]), "{error}");
    assert!("age1nobody".parse::<KeyRecipient>().unwrap_err().to_string().contains("age1nobody"));
}
