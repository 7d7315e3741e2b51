//! What the service takes of keys that administrators bring.
use super::clients_tests::{Service, WORDS, command, key, peer, root};
use super::standing::Standing;
use crate::signer::protocol::{
    Failure, Frame, Reply, Request, WireHanded, WireKey, WireTerms, confirmed, put_serial,
};
use crate::signer::{ClientClass, Peer};
use crate::signing::{
    AgeFileStore, CaKeys as _, KeyVault, OpenedKey, SealKeyFor, SealedKey, Secret, SoftKey,
};
use crate::subscriber_key::encrypted_ca_key_pem;
use crate::testing::NOW;
use crate::x509::{Certificate, KeyAlgorithm, UnixTime, sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

/// What opens the file of the other program.
pub(super) const OLD: &str = "the words of the other program";

fn now() -> UnixTime {
    NOW
}

/// A service, and the root `other` of another program with its key.
pub(super) struct Case {
    pub(super) standing: Standing,
    directory: tempfile::TempDir,
    store: AgeFileStore,
    pub(super) connection: (UnixStream, UnixStream),
    key: OpenedKey,
    pub(super) soft: SoftKey,
    pub(super) root: Certificate,
}

pub(super) fn admin() -> Peer {
    peer(ClientClass::Administrator, 1000)
}

pub(super) fn pipe(octets: &[u8]) -> OwnedFd {
    let (reading, mut writing) = std::io::pipe().unwrap();
    writing.write_all(octets).unwrap();
    reading.into()
}

impl Case {
    pub(super) fn new() -> Self {
        let Service { directory, store, ring, signer, .. } = Service::new();
        let vaults: Vec<Arc<dyn KeyVault>> = vec![Arc::new(store.clone())];
        let standing = Standing::new(signer, ring, vaults, "1", now).unwrap();
        let soft = SoftKey::generate(KeyAlgorithm::P256).unwrap();
        let root = root(soft.public_key(), |tbs| soft.forge(tbs));
        let key = OpenedKey::from_pkcs8_der(&soft.to_pkcs8_der().unwrap()).unwrap();
        let connection = UnixStream::pair().unwrap();
        Self { standing, directory, store, connection, key, soft, root }
    }

    pub(super) fn wire(&self) -> WireKey {
        WireKey { identity: Some(self.key.public_key().digest()), ..key("other") }
    }

    pub(super) fn ask(&self, peer: &Peer, request: Request, parts: Vec<Vec<u8>>) -> Reply {
        self.standing.answer(&self.connection.0, peer, Frame::with(request, parts)).message
    }

    pub(super) fn parts(&self) -> Vec<Vec<u8>> {
        vec![Vec::new(), self.root.as_der().to_vec()]
    }

    /// The digest of what an administrator is shown, who asks for it.
    pub(super) fn shown(&self, profile: &str) -> [u8; 32] {
        let request = Request::Propose { key: self.wire(), profile: profile.into(), urls: Vec::new() };
        let answer = self.standing.answer(&self.connection.0, &admin(), Frame::with(request, self.parts()));
        let envelope = String::from_utf8(answer.only_part().unwrap()).unwrap();
        confirmed(&envelope, &sha256(self.root.as_der()))
    }

    pub(super) fn request(&self, envelope: [u8; 32]) -> Request {
        let scopes = BTreeMap::from([("ca".to_owned(), None), ("crl".to_owned(), None)]);
        Request::Bring {
            key: self.wire(),
            file: Path::new("old.key").into(),
            profile: "root-ca".into(),
            urls: Vec::new(),
            terms: WireTerms { scopes, lasting: 900 },
            old: Some(WireHanded::File),
            new: WireHanded::File,
            recipients: Vec::new(),
            envelope,
            crl: false,
        }
    }

    fn brought_as(&self, peer: &Peer, request: Request, file: OwnedFd, old: &str, new: &str) -> Reply {
        let descriptors = vec![file, pipe(old.as_bytes()), pipe(new.as_bytes())];
        let frame = Frame { message: request, parts: self.parts(), descriptors };
        self.standing.answer(&self.connection.0, peer, frame).message
    }

    pub(super) fn bring(&self, octets: &[u8]) -> Reply {
        self.brought_as(&admin(), self.request(self.shown("root-ca")), pipe(octets), OLD, WORDS)
    }

    pub(super) fn pem(&self) -> Vec<u8> {
        encrypted_ca_key_pem(&self.key, &Secret::new(OLD.into())).unwrap().as_bytes().to_vec()
    }

    fn age(&self, log_n: u8) -> Vec<u8> {
        let readers = SealKeyFor::passphrase(Secret::new(OLD.into()), log_n).unwrap();
        SealedKey::seal(Path::new("old.age"), &self.key, &readers, None).unwrap().octets().to_vec()
    }

    pub(super) fn tell(&self, peer: &Peer, serial: &str, mark: u64) -> Reply {
        let mut part = Vec::new();
        put_serial(&mut part, &serial.parse().unwrap());
        let claim = Request::Claim { key: self.wire(), until: NOW.0, mark, last: true, unlisted: true };
        self.ask(peer, claim, vec![part])
    }

    pub(super) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with("other")).collect();
        names.sort();
        names
    }

    /// Returns how the key is awaited by this client: whether it is used, and for which profile.
    fn awaited(&self, peer: &Peer) -> Option<(bool, String)> {
        let request = Request::Awaited { key: key("other") };
        let answer = self.standing.answer(&self.connection.0, peer, request.into());
        let Reply::Awaited { settled, profile } = answer.message else { panic!("{:?}", answer.message) };
        let of = answer.parts.first()?;
        assert_eq!(of.as_slice(), self.key.public_key().digest());
        Some((settled, profile))
    }
}

pub(super) fn failure(reply: Reply) -> Failure {
    match reply {
        Reply::Failed { failure } => failure,
        other => panic!("{other:?}"),
    }
}

pub(super) fn form(reply: Reply) -> String {
    match reply {
        Reply::Brought { form } => form,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_that_is_brought_is_encrypted_anew_and_used_after_all_is_told_that_it_signed() {
    // G6, K2, K3
    for (number, expected) in [(0, "PKCS#8, encrypted"), (1, "age"), (2, "PKCS#8, not encrypted")] {
        let case = Case::new();
        let octets = match number {
            0 => case.pem(),
            1 => case.age(AgeFileStore::LEAST_WORK),
            _ => case.key.to_pkcs8_der().unwrap().to_vec(),
        };
        assert_eq!(case.awaited(&command()), None);
        assert_eq!(form(case.bring(&octets)), expected);
        assert_eq!(case.files(), ["other.coming", "other.envelope.toml", "other.pem"]);
        assert_eq!(case.awaited(&command()), Some((false, "root-ca".into())));
        // it is not used before
        let open = || Request::Open { key: case.wire() };
        assert!(!matches!(case.ask(&command(), open(), Vec::new()), Reply::Key));
        assert!(matches!(
            failure(case.ask(&command(), Request::Settle { key: case.wire() }, Vec::new())),
            Failure::Prevented { .. }
        ));
        assert_eq!(case.tell(&command(), "4a", 7), Reply::Done);
        let settled = case.ask(&command(), Request::Settle { key: case.wire() }, Vec::new());
        assert_eq!(settled, Reply::Moved { moved: true });
        // and unlocked then, for that login
        assert_eq!(case.ask(&command(), open(), Vec::new()), Reply::Key);
        let other = peer(ClientClass::Command, 1001);
        assert!(matches!(failure(case.ask(&other, open(), Vec::new())), Failure::Locked { .. }));
        assert_eq!(case.awaited(&command()), Some((true, "root-ca".into())));
        let key = case.store.new_key("other");
        assert_eq!(case.store.mark(&key).unwrap().number, Some(7));
        // the new passphrase opens it, and the old one does not
        let store = |words: &'static str| {
            case.store.clone().asking(Arc::new(super::test_parts::OnePassphrase(words)))
        };
        assert_eq!(store(WORDS).open(&key).unwrap().public_key(), case.key.public_key());
        assert!(store(OLD).open(&key).is_err());
        let journal = fs::read(case.directory.path().join("journal")).unwrap();
        let has = |said: &[u8]| journal.windows(said.len()).any(|octets| octets == said);
        assert!(has(b"age:other.age is here") && has(b"profile = \"root-ca\""));
    }
}

#[test]
fn nobody_but_an_administrator_of_this_login_brings_a_key_or_has_it_used() {
    // K2
    let case = Case::new();
    let envelope = case.shown("root-ca");
    let timer = Peer { login: None, session: None, ..peer(ClientClass::Renew, 0) };
    for one in [command(), timer.clone(), peer(ClientClass::Tokens, 1000)] {
        let refused = case.brought_as(&one, case.request(envelope), pipe(&case.pem()), OLD, WORDS);
        assert!(matches!(failure(refused), Failure::Signer { .. }), "{one:?}");
    }
    // who has not logged in answers for nothing
    let nobody = Peer { login: None, ..admin() };
    failure(case.brought_as(&nobody, case.request(envelope), pipe(&case.pem()), OLD, WORDS));
    assert_eq!(case.files(), [""; 0]);
    form(case.bring(&case.pem()));
    let other_session = Peer { session: Some(4), ..command() };
    for other in [peer(ClientClass::Command, 1001), other_session, timer] {
        assert_eq!(case.awaited(&other), None, "{other:?}");
        failure(case.tell(&other, "4a", 1));
    }
    assert_eq!(case.tell(&command(), "4a", 1), Reply::Done);
}

#[test]
fn a_key_that_is_not_that_of_the_certificate_or_was_not_confirmed_so_is_refused_and_leaves_nothing() {
    // K2, K3
    let case = Case::new();
    let envelope = case.shown("root-ca");
    let with = |envelope, file: &[u8], old: &str, new: &str| {
        failure(case.brought_as(&admin(), case.request(envelope), pipe(file), old, new))
    };
    let other = OpenedKey::from(SoftKey::generate(KeyAlgorithm::P256).unwrap());
    let other = encrypted_ca_key_pem(&other, &Secret::new(OLD.into())).unwrap();
    let refused = with(envelope, other.as_bytes(), OLD, WORDS);
    assert!(
        matches!(&refused, Failure::Prevented { code, .. } if code == "certificate.other-key"),
        "{refused:?}"
    );
    assert!(matches!(with([7; 32], &case.pem(), OLD, WORDS), Failure::Signer { .. }));
    // confirmed for another profile
    assert!(matches!(with(case.shown("system-ca"), &case.pem(), OLD, WORDS), Failure::Signer { .. }));
    assert!(matches!(with(envelope, &case.pem(), OLD, "other"), Failure::Weak { .. }));
    assert!(matches!(with(envelope, b"no key at all", OLD, WORDS), Failure::NotFound { .. }));
    let device = fs::File::open("/dev/zero").unwrap().into();
    failure(case.brought_as(&admin(), case.request(envelope), device, OLD, WORDS));
    assert!(matches!(with(envelope, &case.pem(), "not these words", WORDS), Failure::SecretRejected { .. }));
    assert_eq!(case.files(), [""; 0]);
}

#[test]
fn a_file_that_is_too_long_or_costs_too_much_is_refused() {
    // R3
    let case = Case::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("long");
    fs::write(&path, [case.pem(), vec![b'\n'; 1024 * 1024]].concat()).unwrap();
    let long = || fs::File::open(&path).unwrap().into();
    let refused = failure(case.brought_as(&admin(), case.request(case.shown("root-ca")), long(), OLD, WORDS));
    assert!(matches!(&refused, Failure::Malformed { reason } if reason.contains("too large")), "{refused:?}");
    let sealed = case.age(AgeFileStore::LEAST_WORK);
    let text = String::from_utf8_lossy(&sealed).into_owned();
    let stanza = text.lines().nth(1).unwrap();
    let (rest, _) = stanza.rsplit_once(' ').unwrap();
    for work in [20, 22, 40] {
        let costly =
            [b"age-encryption.org/v1\n", format!("{rest} {work}").as_bytes(), &sealed[22 + stanza.len()..]]
                .concat();
        let refused = failure(case.bring(&costly));
        let is_told = |reason: &str| reason.contains(&format!("work factor of {work}"));
        assert!(matches!(&refused, Failure::Backend { reason, .. } if is_told(reason)), "{refused:?}");
    }
    assert_eq!(case.files(), [""; 0]);
}

#[test]
fn a_key_that_is_here_stays_and_one_that_was_brought_is_brought_again() {
    // K1
    let case = Case::new();
    form(case.bring(&case.pem()));
    // also when everything was told of the first one
    assert_eq!(case.tell(&command(), "4a", 1), Reply::Done);
    form(case.bring(&case.pem()));
    assert!(matches!(
        failure(case.ask(&command(), Request::Settle { key: case.wire() }, Vec::new())),
        Failure::Prevented { .. }
    ));
    assert_eq!(case.tell(&command(), "4a", 1), Reply::Done);
    case.ask(&command(), Request::Settle { key: case.wire() }, Vec::new());
    let before = fs::read(case.directory.path().join("other.age")).unwrap();
    assert!(matches!(failure(case.bring(&case.pem())), Failure::Exists { .. }));
    assert_eq!(fs::read(case.directory.path().join("other.age")).unwrap(), before);
}

#[test]
fn a_key_is_told_of_no_crl_number_after_which_no_crl_would_be_signed() {
    // C1
    let case = Case::new();
    form(case.bring(&case.pem()));
    let refused = failure(case.tell(&command(), "4a", 1 << 21));
    assert!(matches!(&refused, Failure::Signer { reason } if reason.contains("last CRL")), "{refused:?}");
    assert_eq!(case.tell(&command(), "4a", 1 << 18), Reply::Done);
}

#[test]
fn a_key_that_was_brought_and_locked_is_not_unlocked_when_it_is_used() {
    // K2
    let case = Case::new();
    form(case.bring(&case.pem()));
    assert!(!case.standing.ring.is_empty(), "the service waits for it");
    case.standing.ring.lock(Some("other"));
    assert!(case.standing.ring.is_empty());
    assert_eq!(case.tell(&command(), "4a", 1), Reply::Done);
    let settled = case.ask(&command(), Request::Settle { key: case.wire() }, Vec::new());
    assert_eq!(settled, Reply::Moved { moved: true });
    let open = Request::Open { key: case.wire() };
    assert!(matches!(failure(case.ask(&command(), open, Vec::new())), Failure::Locked { .. }));
}
