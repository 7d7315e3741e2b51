//! What the service lends to administrators, and what it takes back.
use super::clients_tests::{Service, WORDS, asked, command, peer};
use super::standing::Standing;
use super::test_parts::{OnePassphrase, made_private};
use crate::signer::protocol::{Failure, Frame, Reply, Request, WireHanded, WireTerms};
use crate::signer::{ClientClass, Peer, Scope};
use crate::signing::{
    AgeFileStore, CaKeys as _, Envelope, KeyVault, OpenWith, OpenedKey, SealFor, SealKeyFor, SealedKey,
    Sealing, Secret, generated_recipient,
};
use crate::testing::NOW;
use crate::x509::{KeyAlgorithm, UnixTime, sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub(super) const OTHER: &str = "mutt unlucky crimp slouching ferret abacus";

/// What `genfic-key open` writes, for some file.
pub(super) const FILE_KEY: &str = "GENFIC-FILE-KEY-1PTZKYCKSN7MJHTC22S8XQW54YLAZPRH0V";

fn now() -> UnixTime {
    NOW
}

/// A service whose administrator of `admin()` may unlock keys.
pub(super) struct Case {
    pub(super) standing: Standing,
    pub(super) directory: tempfile::TempDir,
    pub(super) store: AgeFileStore,
    connection: (UnixStream, UnixStream),
    /// How the key was protected anew, as the journal has it.
    noted: Arc<Mutex<Vec<String>>>,
}

pub(super) fn admin() -> Peer {
    // the pipes of the tests are not looked at for their owner
    peer(ClientClass::Administrator, 1000)
}

impl Case {
    pub(super) fn new() -> Self {
        let Service { directory, store, ring, signer, protected: noted, .. } = Service::new();
        let vaults: Vec<Arc<dyn KeyVault>> = vec![Arc::new(store.clone())];
        let standing = Standing::new(signer, ring, vaults, "1", now).unwrap();
        Self { standing, directory, store, connection: UnixStream::pair().unwrap(), noted }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory.path().join("genfic.age")
    }

    pub(super) fn unlock(&self, scopes: &[Scope]) {
        self.unlock_with(WORDS, scopes, None);
    }

    pub(super) fn unlock_with(&self, words: &str, scopes: &[Scope], count: Option<u64>) {
        let mut asked = asked("genfic", scopes);
        asked.from = pipe(words);
        asked.terms.scopes.values_mut().for_each(|left| *left = count);
        let key = self.store.new_key("genfic");
        self.standing.ring.unlock(&asked, &self.store, &key, NOW, &|| false).unwrap();
    }

    pub(super) fn ask(&self, peer: &Peer, frame: Frame<Request>) -> Frame<Reply> {
        self.standing.answer(&self.connection.0, peer, frame)
    }

    pub(super) fn lend(&self, peer: &Peer) -> Result<Vec<Vec<u8>>, Failure> {
        let answer = self.ask(peer, Request::Lend { key: "genfic".into() }.into());
        match answer.message {
            Reply::Failed { failure } => Err(failure),
            _ => Ok(answer.parts),
        }
    }

    pub(super) fn put(&self, peer: &Peer, before: &[u8], sealed: &[u8], secret: &str) -> Result<(), Failure> {
        self.put_with(peer, before, (sealed, b""), secret)
    }

    fn put_with(
        &self,
        peer: &Peer,
        before: &[u8],
        (sealed, record): (&[u8], &[u8]),
        secret: &str,
    ) -> Result<(), Failure> {
        let before = base16ct::lower::encode_string(&sha256(before));
        let message = Request::PutSealed {
            key: "genfic".into(),
            before,
            handed: WireHanded::File,
            how: "rewrap \"of 2 shares\"\n".into(),
        };
        let parts = vec![sealed.to_vec(), record.to_vec()];
        let answer = self.ask(peer, Frame { message, parts, descriptors: vec![pipe(secret)] });
        match answer.message {
            Reply::Failed { failure } => Err(failure),
            other => {
                assert_eq!(other, Reply::Done);
                Ok(())
            }
        }
    }
}

fn pipe(secret: &str) -> OwnedFd {
    let (reading, mut writing) = std::io::pipe().unwrap();
    writing.write_all(secret.as_bytes()).unwrap();
    reading.into()
}

fn opened(octets: &[u8], words: &str) -> OpenedKey {
    let sealed = SealedKey::of(Path::new("genfic.age"), octets.to_vec()).unwrap();
    sealed.open_by(&Secret::new(words.into()), None).unwrap()
}

/// Encrypts the key in a file with another passphrase.
pub(super) fn resealed(octets: &[u8], from: &str, to: &str, log_n: u8) -> Vec<u8> {
    let key = opened(octets, from);
    let readers = SealKeyFor::passphrase(Secret::new(to.into()), log_n).unwrap();
    SealedKey::seal(Path::new("genfic.age"), &key, &readers, None).unwrap().octets().to_vec()
}

/// Encrypts what is in a file with a passphrase, whatever that is.
fn sealed_by(octets: &[u8], passphrase: &str) -> Vec<u8> {
    let (mut plain, secret) = (Vec::new(), |text: &str| Secret::new(text.into()));
    let envelope = Envelope::new(octets).unwrap();
    envelope.open(&OpenWith::Passphrase(secret(WORDS))).unwrap().read_to_end(&mut plain).unwrap();
    let reader = SealFor::Passphrase { secret: secret(passphrase), scrypt_log_n: 10 };
    let mut sealing = Sealing::new(Vec::new(), &reader).unwrap();
    sealing.write_all(&plain).unwrap();
    sealing.finish().unwrap()
}

#[test]
fn a_key_that_only_a_plugin_opens_comes_back_with_its_file_key_which_unlocks_it_afterwards() {
    // K1
    let case = Case::new();
    case.unlock(&[Scope::Custody]);
    let before = case.lend(&admin()).unwrap().remove(0);
    let (identity, recipient) = generated_recipient();
    let readers = SealKeyFor::Recipients(vec![recipient]);
    let seal = || SealedKey::seal(Path::new("genfic.age"), &opened(&before, WORDS), &readers, None).unwrap();
    let file_key = |file: &SealedKey| file.file_key(&Secret::new(identity.clone()), None).unwrap();
    let (after, other) = (seal(), seal());
    let wrong = case.put(&admin(), &before, after.octets(), &file_key(&other));
    assert!(matches!(wrong, Err(Failure::SecretRejected { .. })), "{wrong:?}");
    case.put(&admin(), &before, after.octets(), &file_key(&after)).unwrap();
    assert_eq!(fs::read(case.file()).unwrap(), after.octets());
    case.unlock_with(&file_key(&after), &[Scope::Custody], None);
    assert!(case.lend(&admin()).is_ok());
}

#[test]
fn a_key_is_lent_to_the_login_of_an_administrator_that_has_unlocked_it_for_that_and_to_nobody_else() {
    // K1, K2
    let case = Case::new();
    let is_refused = |peer: &Peer| case.lend(peer).is_err();
    assert!(
        matches!(case.lend(&admin()), Err(Failure::Locked { scope: Some(scope), .. }) if scope == "custody")
    );
    // whatever else it is unlocked for
    case.unlock(&[Scope::Leaf, Scope::Ca, Scope::Crl, Scope::Move]);
    assert!(is_refused(&admin()));
    case.unlock_with(WORDS, &[Scope::Custody], Some(1));
    let timer = Peer { login: None, session: None, ..peer(ClientClass::Renew, 0) };
    let other_session = Peer { session: Some(4), ..admin() };
    // the CA's user of the same login gets nothing
    for one in [command(), timer, other_session, peer(ClientClass::Administrator, 1001)] {
        assert!(is_refused(&one), "{one:?}");
    }
    let journal = case.directory.path().join("journal");
    let before = fs::read(&journal).unwrap_or_default().len();
    let lent = case.lend(&admin()).unwrap();
    assert_eq!(lent, [fs::read(case.file()).unwrap(), Vec::new()]);
    let noted = fs::read(&journal).unwrap();
    let said = b"encrypted, lent to an administrator";
    assert!(noted[before..].windows(said.len()).any(|octets| octets == said));
    // as often as it was unlocked for
    assert!(is_refused(&admin()));
}

#[test]
fn what_comes_back_opens_to_the_same_key_and_the_key_is_locked_then() {
    // K1, G6
    let case = Case::new();
    case.unlock(&[Scope::Custody]);
    let before = case.lend(&admin()).unwrap().remove(0);
    let after = resealed(&before, WORDS, OTHER, 11);
    case.put(&admin(), &before, &after, OTHER).unwrap();
    assert_eq!(fs::read(case.file()).unwrap(), after);
    assert!(case.standing.ring.grants().is_empty(), "it is locked");
    // and not once more, without the new passphrase
    assert!(matches!(case.put(&admin(), &after, &before, WORDS), Err(Failure::Locked { .. })));
    case.unlock_with(OTHER, &[Scope::Custody], None);
    assert!(case.lend(&admin()).is_ok());
}

#[test]
fn a_client_that_lies_about_what_comes_back_changes_nothing() {
    // K1, K2
    let case = Case::new();
    let before = fs::read(case.file()).unwrap();
    let after = resealed(&before, WORDS, OTHER, 11);
    // without the key unlocked, and as the CA's user
    assert!(matches!(case.put(&admin(), &before, &after, OTHER), Err(Failure::Locked { .. })));
    case.unlock(&[Scope::Leaf, Scope::Move]);
    assert!(matches!(case.put(&admin(), &before, &after, OTHER), Err(Failure::Locked { .. })));
    case.unlock(&[Scope::Custody]);
    assert!(case.put(&command(), &before, &after, OTHER).is_err());
    assert!(case.put(&peer(ClientClass::Administrator, 1001), &before, &after, OTHER).is_err());
    // another key under the same passphrase
    let elsewhere = tempfile::tempdir().unwrap();
    made_private(elsewhere.path());
    let other = AgeFileStore::new(elsewhere.path(), 10, Arc::new(OnePassphrase(OTHER))).unwrap();
    other.generate(&other.new_key("genfic"), KeyAlgorithm::P256).unwrap();
    let another = fs::read(elsewhere.path().join("genfic.age")).unwrap();
    assert!(matches!(case.put(&admin(), &before, &another, OTHER), Err(Failure::OtherKey { .. })));
    // a secret that does not open it, a file key as a passphrase, a weak one, what is no key, and what costs too much
    assert!(matches!(case.put(&admin(), &before, &after, WORDS), Err(Failure::SecretRejected { .. })));
    let weak = resealed(&before, WORDS, "genfic", 10);
    assert!(matches!(case.put(&admin(), &before, &weak, "genfic"), Err(Failure::Weak { .. })));
    let by_file_key = sealed_by(&before, FILE_KEY);
    let refused = case.put(&admin(), &before, &by_file_key, FILE_KEY);
    assert!(matches!(refused, Err(Failure::Mistyped { .. })), "{refused:?}");
    let text = String::from_utf8_lossy(&after).replace(" 11\n", " 20\n");
    for none in [&b"nonsense"[..], b"", &[&before[..22], &[b'x'; 70_000]].concat(), text.as_bytes()] {
        assert!(case.put(&admin(), &before, none, OTHER).is_err());
    }
    // a record of shares of another file
    let record = b"file_sha256 = \"00\"\nthreshold = 2\nshares = 3\n";
    assert!(case.put_with(&admin(), &before, (&after, record), OTHER).is_err());
    assert_eq!(fs::read(case.file()).unwrap(), before);
    assert!(!case.directory.path().join("genfic.shares.toml").exists());
    // and it is still there to be used, by the one who has unlocked it
    case.put(&admin(), &before, &after, OTHER).unwrap();
}

#[test]
fn of_two_administrators_who_were_lent_the_same_file_one_puts_it_back() {
    // K1, X1
    let case = Case::new();
    case.unlock(&[Scope::Custody]);
    let first = case.lend(&admin()).unwrap().remove(0);
    let amber = resealed(&first, WORDS, OTHER, 11);
    let second = resealed(&first, WORDS, "six other words of a long sentence", 11);
    case.put(&admin(), &first, &amber, OTHER).unwrap();
    case.unlock_with(OTHER, &[Scope::Custody], None);
    // who was lent the one before is told so
    let late = case.put(&admin(), &first, &second, "six other words of a long sentence");
    assert!(matches!(late, Err(Failure::Backend { .. })));
    assert_eq!(fs::read(case.file()).unwrap(), amber);
    assert!(case.noted.lock().unwrap().len() == 1, "the journal has no digest that was only said");
}

#[test]
fn a_file_that_was_replaced_is_not_put_back_so_that_a_passphrase_that_leaked_opens_nothing_again() {
    // K1
    let case = Case::new();
    case.unlock(&[Scope::Custody]);
    let first = case.lend(&admin()).unwrap().remove(0);
    let amber = resealed(&first, WORDS, OTHER, 11);
    case.put(&admin(), &first, &amber, OTHER).unwrap();
    case.unlock_with(OTHER, &[Scope::Custody], None);
    // whoever names the present file
    assert!(matches!(case.put(&admin(), &amber, &first, WORDS), Err(Failure::Backend { .. })));
    assert_eq!(fs::read(case.file()).unwrap(), amber);
    // one of the same key that was never here is taken
    let next = resealed(&amber, OTHER, WORDS, 11);
    case.unlock_with(OTHER, &[Scope::Custody], None);
    case.put(&admin(), &amber, &next, WORDS).unwrap();
}

#[test]
fn a_key_is_locked_also_when_its_file_was_replaced_and_an_error_came_after_that() {
    // K1
    let case = Case::new();
    case.unlock(&[Scope::Custody, Scope::Leaf]);
    let before = case.lend(&admin()).unwrap().remove(0);
    let after = resealed(&before, WORDS, OTHER, 14);
    let digest = base16ct::lower::encode_string(&sha256(&after));
    let record = format!("threshold = 2\nshares = 3\nfile_sha256 = \"{digest}\"\n");
    // nothing can be put in its place
    fs::create_dir(case.directory.path().join("genfic.shares.toml")).unwrap();
    assert!(case.put_with(&admin(), &before, (&after, record.as_bytes()), OTHER).is_err());
    assert_eq!(fs::read(case.file()).unwrap(), after);
    assert!(case.standing.ring.grants().is_empty());
}

#[test]
fn the_journal_has_what_the_signer_sees_of_a_file_before_what_the_client_says_of_it() {
    // K1
    let case = Case::new();
    case.unlock(&[Scope::Custody]);
    let before = case.lend(&admin()).unwrap().remove(0);
    let after = resealed(&before, WORDS, OTHER, 11);
    case.put(&admin(), &before, &after, OTHER).unwrap();
    let [before, after] = [before, after].map(|octets| base16ct::lower::encode_string(&sha256(&octets)));
    let told = format!(
        "SHA-256 {after}, in the place of SHA-256 {before}: passphrase, scrypt 2^11; the client \
         says \"rewrap 'of 2 shares'\""
    );
    assert_eq!(*case.noted.lock().unwrap(), [told]);
}

#[test]
fn the_record_of_the_shares_comes_with_the_file_and_is_told_to_those_who_combine() {
    // K1
    let case = Case::new();
    case.unlock(&[Scope::Custody]);
    let before = case.lend(&admin()).unwrap().remove(0);
    let after = resealed(&before, WORDS, OTHER, 14);
    let digest = base16ct::lower::encode_string(&sha256(&after));
    let record = format!("threshold = 2\nshares = 3\nfile_sha256 = \"{digest}\"\n");
    let shares = || {
        let answer = case.ask(&admin(), Request::Shares { key: "genfic".into() }.into());
        answer.only_part().unwrap()
    };
    assert_eq!(shares(), b"");
    case.put_with(&admin(), &before, (&after, record.as_bytes()), OTHER).unwrap();
    assert_eq!(shares(), record.as_bytes());
    // it is of this file alone
    case.unlock_with(OTHER, &[Scope::Custody], None);
    case.put(&admin(), &after, &resealed(&after, OTHER, WORDS, 10), WORDS).unwrap();
    assert_eq!(shares(), b"");
}

#[test]
fn recipients_are_refused_for_a_key_that_is_there_already() {
    // K1, G6
    let case = Case::new();
    let message = Request::Prepare {
        key: "genfic".into(),
        terms: WireTerms { scopes: BTreeMap::from([("ca".into(), None)]), lasting: 900 },
        handed: WireHanded::File,
        profile: "root-ca".into(),
        urls: Vec::new(),
        recipients: vec!["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".into()],
    };
    let answer = case.ask(&admin(), Frame { message, parts: Vec::new(), descriptors: vec![pipe(WORDS)] });
    let Reply::Failed { failure: Failure::Signer { reason } } = answer.message else {
        panic!("{:?}", answer.message)
    };
    assert!(reason.contains("recipients are for a key that is still to be made"), "{reason}");
}
