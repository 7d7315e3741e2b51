use super::*;
use crate::x509::verify;
use age::secrecy::SecretString;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::sync::Mutex;

/// Gives one passphrase and records the purposes that it was asked for.
struct Given(&'static str, Mutex<Vec<SecretPurpose>>);

impl Given {
    fn new(passphrase: &'static str) -> Arc<Self> {
        Arc::new(Self(passphrase, Mutex::default()))
    }
}

impl SecretSource for Given {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        self.1.lock().unwrap().push(purpose.clone());
        Ok(Secret::new(self.0.into()))
    }
}

/// Fails the test when it is asked for a passphrase.
struct NotAsked;

impl SecretSource for NotAsked {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        panic!("asked for {purpose:?}")
    }
}

struct Keys {
    directory: tempfile::TempDir,
    store: AgeFileStore,
}

impl Keys {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
        let store = AgeFileStore::new(directory.path(), 10, Arc::new(NotAsked)).unwrap();
        Self { directory, store }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("genfic.g2.age")
    }

    fn key(&self) -> KeyRef {
        self.store.new_key("genfic.g2")
    }

    /// Returns the store with this source of passphrases.
    fn with(&self, secrets: &Arc<impl SecretSource + 'static>) -> AgeFileStore {
        self.store.clone().asking(secrets.clone())
    }

    fn generated(&self) -> Arc<dyn CaSigner> {
        self.with(&Given::new("s3cret")).generate(&self.key(), KeyAlgorithm::P256).unwrap()
    }

    fn fails_to_open(&self, secrets: &Arc<impl SecretSource + 'static>) -> KeyError {
        self.with(secrets).signer(&self.key()).err().unwrap()
    }
}

#[test]
fn a_key_on_disk_is_encrypted_and_its_owners_alone() {
    // K1, K2
    let keys = Keys::new();
    let secrets = Given::new("s3cret");
    let store = keys.with(&secrets);
    let made = store.generate(&keys.key(), KeyAlgorithm::P256).unwrap();
    let octets = fs::read(keys.path()).unwrap();
    assert!(octets.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    assert!(!octets.windows(11).any(|window| window == b"PRIVATE KEY"));
    assert_eq!(fs::metadata(keys.path()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(keys.directory.path()).unwrap().count(), 1, "nothing is left aside");

    let opened = store.open(&keys.key()).unwrap();
    assert_eq!(opened.public_key(), made.public_key());
    let signature = opened.forge(b"x");
    assert!(verify(made.public_key(), made.algorithm(), b"x", &signature));
    let name = "genfic.g2".to_owned();
    let asked = std::mem::take(&mut *secrets.1.lock().unwrap());
    assert_eq!(asked, [SecretPurpose::Protect(name.clone()), SecretPurpose::Open(name)]);
}

#[test]
fn files_keep_the_contract_of_key_stores() {
    // G1
    let keys = Keys::new();
    let store = keys.with(&Given::new("s3cret"));
    let algorithms = [KeyAlgorithm::P256, KeyAlgorithm::ED25519, KeyAlgorithm::rsa(2048)];
    crate::signing::contract::hold(&store, &|name| store.new_key(name), &algorithms);
}

/// Gives an identity of age where a key is opened, and fails the test when a passphrase is asked for a new key.
struct Identity(age::x25519::Identity);

impl SecretSource for Identity {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        use age::secrecy::ExposeSecret;
        assert!(matches!(purpose, SecretPurpose::Open(_)), "{purpose:?}");
        Ok(Secret::new(self.0.to_string().expose_secret().to_owned()))
    }
}

#[test]
fn files_for_recipients_keep_the_contract_of_key_stores() {
    // G1
    let keys = Keys::new();
    let identity = age::x25519::Identity::generate();
    let recipient: KeyRecipient = identity.to_public().to_string().parse().unwrap();
    let algorithms = [KeyAlgorithm::P256, KeyAlgorithm::ED25519];
    let names = ["kept", "removed", "marked"].map(str::to_owned).into_iter();
    let names = names.chain(algorithms.map(|one| format!("made-{one}")));
    let recipients = names.map(|name| (name, vec![recipient.clone()])).collect();
    let store = keys.with(&Arc::new(Identity(identity))).with_recipients(recipients);
    crate::signing::contract::hold(&store, &|name| store.new_key(name), &algorithms);
    let sealed = fs::read(keys.directory.path().join("kept.age")).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1\n-> X25519 "));
}

#[test]
fn every_key_type_is_kept() {
    // G1
    for algorithm in KeyAlgorithm::generated() {
        let keys = Keys::new();
        let store = keys.with(&Given::new("s3cret"));
        let made = store.generate(&keys.key(), algorithm).unwrap();
        let opened = store.signer(&keys.key()).unwrap();
        assert_eq!(opened.public_key(), made.public_key(), "{algorithm}");
    }
}

#[test]
fn what_is_in_the_file_is_pem_for_openssl() {
    let keys = Keys::new();
    let made = keys.generated();
    let octets = fs::read(keys.path()).unwrap();
    let identity = age::scrypt::Identity::new(SecretString::from("s3cret"));
    let text = String::from_utf8(age::decrypt(&identity, &octets).unwrap()).unwrap();
    let again = SoftKey::from_pem(&text).unwrap();
    assert_eq!(again.public_key(), made.public_key());
}

#[test]
fn a_key_is_never_replaced() {
    let keys = Keys::new();
    keys.generated();
    let before = fs::read(keys.path()).unwrap();
    let again = keys.store.generate(&keys.key(), KeyAlgorithm::ED25519);
    assert!(matches!(again.err().unwrap(), KeyError::Exists(_)));
    assert_eq!(fs::read(keys.path()).unwrap(), before);
    fs::remove_file(keys.path()).unwrap();
    symlink("/nowhere", keys.path()).unwrap();
    let dangling = keys.store.generate(&keys.key(), KeyAlgorithm::ED25519);
    assert!(matches!(dangling.err().unwrap(), KeyError::Exists(_)));
}

#[test]
fn a_wrong_passphrase_an_absent_key_and_a_damaged_file_are_told_apart() {
    let keys = Keys::new();
    assert!(matches!(keys.fails_to_open(&Arc::new(NotAsked)), KeyError::NotFound(_)));
    keys.generated();
    assert!(matches!(keys.fails_to_open(&Given::new("wrong")), KeyError::SecretRejected(_)));
    let whole = fs::read(keys.path()).unwrap();
    let last = whole.len() - 1;
    let mut flipped = whole.clone();
    flipped[last] ^= 1;
    let mut of_mac = whole.clone();
    let at = whole.windows(4).position(|window| window == b"--- ").unwrap() + 6;
    of_mac[at] = if of_mac[at] == b'A' { b'B' } else { b'A' };
    for (damage, octets) in [
        ("flipped", flipped.as_slice()),
        ("header", &of_mac),
        ("cut", &whole[..last]),
        ("short", &whole[..40]),
        ("empty", &[]),
    ] {
        fs::write(keys.path(), octets).unwrap();
        let error = keys.fails_to_open(&Given::new("s3cret"));
        assert!(
            matches!(&error, KeyError::Backend(_, reason) if reason.contains("damaged")),
            "{damage}: {error}"
        );
    }
    fs::write(keys.path(), vec![b'a'; usize::try_from(KeyFile::LARGEST).unwrap() + 1]).unwrap();
    assert!(keys.fails_to_open(&Arc::new(NotAsked)).to_string().contains("too large"));
}

#[test]
fn an_absurd_work_factor_is_refused_before_the_work() {
    let keys = Keys::new();
    keys.generated();
    let text = fs::read(keys.path()).unwrap();
    let end = text.iter().position(|octet| *octet == b'\n').unwrap() + 1;
    let line_end = end + text[end..].iter().position(|octet| *octet == b'\n').unwrap();
    let line = String::from_utf8(text[end..line_end].to_vec()).unwrap();
    let absurd = line.strip_suffix("10").unwrap().to_owned() + "40";
    fs::write(keys.path(), [&text[..end], absurd.as_bytes(), &text[line_end..]].concat()).unwrap();
    let message = keys.fails_to_open(&Given::new("s3cret")).to_string();
    assert!(message.contains("work factor of 40; at most 22"), "{message}");
    let store = |work| AgeFileStore::new("keys", work, Arc::new(NotAsked)).map(drop);
    assert!(store(23).is_err() && store(0).is_err());
    assert!(store(9).unwrap_err().to_string().contains("10 to 22"));
}

#[test]
fn a_plain_key_is_never_read_as_a_ca_key() {
    // K1
    let keys = Keys::new();
    let key = |uri: &str| KeyRef { identity: None, uri: uri.into() };
    fs::write(
        keys.directory.path().join("plain.key"),
        SoftKey::generate(KeyAlgorithm::P256).unwrap().to_pem().unwrap().as_bytes(),
    )
    .unwrap();
    for plain in ["pkcs8:plain.key", "age:plain.key", "plain.key"] {
        assert!(keys.store.signer(&key(plain)).is_err(), "K1: never a plain file: {plain}");
    }
}

#[test]
fn a_key_of_another_store_is_named_by_its_uri_and_never_looked_for() {
    let keys = Keys::new();
    let key = KeyRef { identity: Some([1; 32]), uri: "pkcs11:token=a;object=b".into() };
    assert_eq!(keys.store.place(&key), KeyPlace::Uri(key.uri.clone()));
    let error = keys.store.signer(&key).err().unwrap();
    assert!(error.to_string().starts_with("pkcs11:token=a;object=b: no key store"), "{error}");
    assert!(matches!(keys.store.mark(&key), Err(MarkError::Key(_))));
    assert_eq!(InspectKeys::files(&keys.store, &key), Vec::<PathBuf>::new());
    let own = keys.store.new_key("genfic.g2");
    assert_eq!(
        (own.uri.as_str(), keys.store.place(&own)),
        ("age:genfic.g2.age", KeyPlace::File(keys.path()))
    );
    let files = ["genfic.g2.age", "genfic.g2.shares.toml", "genfic.g2.mark", "genfic.g2.crlnumber"];
    assert_eq!(InspectKeys::files(&keys.store, &own), files.map(|file| keys.directory.path().join(file)));
}

#[test]
fn a_uri_that_leads_to_anything_but_a_key_file_of_the_store_is_of_no_kind_known() {
    let keys = Keys::new();
    let directory = keys.directory.path().join("d");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(directory.join("a")).unwrap();
    let store = AgeFileStore::new(&directory, 10, Arc::new(NotAsked)).unwrap();
    let outside =
        ["x.age", "d/a/b.age", "d/a.mark", "d/A b.age"].map(|file| keys.directory.path().join(file));
    for path in &outside {
        fs::write(path, "kept").unwrap();
    }
    let absolute = format!("age:{}", outside[0].display());
    for uri in [
        "age:../x.age",
        "age:/dev/zero",
        "age:a/b.age",
        "age:a.mark",
        "age:A b.age",
        "age:./b.age",
        "age:.age",
        "age:..",
        "age:",
        &absolute,
    ] {
        let key = KeyRef { identity: None, uri: uri.into() };
        let unknown = |error: &KeyError| {
            assert!(
                matches!(error, KeyError::Backend(KeyPlace::Uri(place), _) if place == uri),
                "{uri}: {error}"
            );
        };
        let unknown_of_mark = |error: MarkError| match error {
            MarkError::Key(error) => unknown(&error),
            other => panic!("{uri}: {other}"),
        };
        assert_eq!(store.place(&key), KeyPlace::Uri(uri.into()));
        unknown(&store.generate(&key, KeyAlgorithm::P256).err().unwrap());
        unknown(&store.signer(&key).err().unwrap());
        unknown_of_mark(store.mark(&key).unwrap_err());
        unknown_of_mark(store.raise_mark(&key, 7).unwrap_err());
        unknown(&store.inspect(&key).unwrap_err());
        unknown(&store.discard(&key).unwrap_err());
        let pkcs8 = SoftKey::generate(KeyAlgorithm::P256).unwrap().to_pkcs8_der().unwrap();
        let opened = crate::signing::OpenedKey::from_pkcs8_der(&pkcs8).unwrap().into();
        unknown(&ImportKeys::import(&store, &key, opened).err().unwrap());
        assert_eq!(InspectKeys::files(&store, &key), Vec::<PathBuf>::new(), "{uri}");
    }
    for path in &outside {
        assert_eq!(fs::read_to_string(path).unwrap(), "kept");
    }
}

#[test]
fn a_key_or_directory_that_others_can_read_is_refused_before_asking() {
    // P2
    let keys = Keys::new();
    keys.generated();
    fs::set_permissions(keys.path(), Permissions::from_mode(0o640)).unwrap();
    let KeyError::Unsafe(finding) = keys.fails_to_open(&Arc::new(NotAsked)) else { panic!() };
    assert_eq!(finding.remedy, format!("chmod go-rwx {}", keys.path().display()));
    fs::set_permissions(keys.path(), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(keys.directory.path(), Permissions::from_mode(0o750)).unwrap();
    assert!(matches!(keys.fails_to_open(&Arc::new(NotAsked)), KeyError::Unsafe(_)));
    let other = keys.store.new_key("b");
    let made = keys.store.generate(&other, KeyAlgorithm::P256);
    assert!(matches!(made.err().unwrap(), KeyError::Unsafe(_)));
    fs::set_permissions(keys.directory.path(), Permissions::from_mode(0o700)).unwrap();
    if crate::testing::is_root() {
        chown(keys.path(), Some(65534), None).unwrap();
        assert!(matches!(keys.fails_to_open(&Arc::new(NotAsked)), KeyError::Unsafe(_)), "another user's");
    }
}

#[test]
fn an_empty_passphrase_is_refused_and_nothing_is_written() {
    let keys = Keys::new();
    let made = keys.with(&Given::new("")).generate(&keys.key(), KeyAlgorithm::P256);
    assert!(matches!(made.err().unwrap(), KeyError::SecretUnavailable(_)));
    assert!(!keys.path().exists());
}

#[test]
fn a_key_that_cannot_be_written_leaves_nothing_behind() {
    let keys = Keys::new();
    let directory = keys.directory.path().join("d");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
    let store = AgeFileStore::new(&directory, 10, Arc::new(NotAsked)).unwrap();
    let key = store.new_key("a");
    // Removes the directory while the user types the passphrase.
    struct Removes(PathBuf);
    impl SecretSource for Removes {
        fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
            fs::remove_dir(&self.0).unwrap();
            Ok(Secret::new("s3cret".into()))
        }
    }
    let made = store.asking(Arc::new(Removes(directory))).generate(&key, KeyAlgorithm::P256);
    assert!(matches!(made.err().unwrap(), KeyError::NotWritten(_)));
    assert_eq!(fs::read_dir(keys.directory.path()).unwrap().count(), 0);
}

#[test]
fn a_discarded_key_is_gone() {
    let keys = Keys::new();
    keys.generated();
    keys.store.discard(&keys.key()).unwrap();
    assert!(!keys.path().exists());
    assert!(matches!(keys.store.discard(&keys.key()), Err(KeyError::NotFound(_))));
}

#[test]
fn a_mark_is_raised_without_waiting_for_oneself() {
    // C1
    let keys = Keys::new();
    let quickest = (1..=20).map(|number| {
        let begun = std::time::Instant::now();
        keys.store.raise_mark(&keys.key(), number).unwrap();
        begun.elapsed()
    });
    // a lock that another process has on the directory is waited for up to this long
    assert!(quickest.min().unwrap() < std::time::Duration::from_millis(100));
}

#[test]
fn the_number_noted_is_the_highest_whoever_notes_it_last() {
    // C1
    let keys = Keys::new();
    assert_eq!(keys.store.mark(&keys.key()).unwrap().number, None);
    std::thread::scope(|threads| {
        for first in 1..=4 {
            let keys = &keys;
            threads.spawn(move || {
                for number in (first..=40).rev().step_by(4) {
                    keys.store.raise_mark(&keys.key(), number).unwrap();
                    assert!(keys.store.mark(&keys.key()).unwrap().number >= Some(number));
                }
            });
        }
    });
    assert_eq!(fs::read_to_string(keys.path().with_extension("mark")).unwrap(), "40\n");
    // the mark of a home made by an older version
    fs::write(keys.path().with_extension("crlnumber"), "50\n").unwrap();
    assert_eq!(keys.store.mark(&keys.key()).unwrap().number, Some(50));
    keys.store.raise_mark(&keys.key(), 45).unwrap();
    assert_eq!(keys.store.mark(&keys.key()).unwrap().number, Some(50));
    fs::write(keys.path().with_extension("mark"), "many").unwrap();
    assert!(matches!(keys.store.raise_mark(&keys.key(), 60), Err(MarkError::Unreadable { .. })));
}
