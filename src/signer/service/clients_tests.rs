//! What clients of the service get that are not the user of its keys.
use super::test_parts::{OnePassphrase, made_private, signer_of};
use super::*;
use crate::profile::{Applicant, RequestedValues};
use crate::signer::admit::tests::{granted, name, profiles, serial};
use crate::signer::protocol::{Failure, Frame, Reply, Request, VERSION, WireKey};
use crate::signer::unlocking::{Asked as Unlocking, Event, Handed, Login, Prepared, SharedRing, Terms};
use crate::signer::{Act, ActKind, Asker, Bound, ClientClass, Life, Peer, Scope};
use crate::signing::{AgeFileStore, CaKeys as _, KeyVault, PassphrasePolicy, SoftKey};
use crate::testing::NOW;
use crate::x509::{Certificate, KeyAlgorithm, SubjectPublicKeyInfo, UnixTime, encode_request, encode_signed};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) const WORDS: &str = "correct horse battery staple again";

/// A service with the key of `genfic`.
pub(super) struct Service {
    pub(super) directory: tempfile::TempDir,
    pub(super) store: AgeFileStore,
    pub(super) ring: Arc<SharedRing>,
    pub(super) journal: Arc<JournalPlace>,
    pub(super) signer: Signer,
    /// How keys were protected anew.
    pub(super) protected: Arc<Mutex<Vec<String>>>,
}

fn now() -> UnixTime {
    NOW
}

pub(super) fn peer(class: ClientClass, login: u32) -> Peer {
    Peer { process: 7, user: 900, login: Some(login), session: Some(3), class }
}

pub(super) fn command() -> Peer {
    peer(ClientClass::Command, 1000)
}

pub(super) fn key(name: &str) -> WireKey {
    WireKey { uri: format!("age:{name}.age"), identity: None }
}

pub(super) fn asked(key: &str, scopes: &[Scope]) -> Unlocking {
    let (reading, mut writing) = std::io::pipe().unwrap();
    writing.write_all(WORDS.as_bytes()).unwrap();
    let scopes = scopes.iter().map(|scope| (*scope, None)).collect();
    Unlocking {
        key: key.into(),
        terms: Terms { scopes, lasting: Duration::from_secs(900) },
        login: Login { loginuid: 1000, session: Some(3) },
        user: 0,
        handed: Handed::File,
        from: reading.into(),
        is_pin: false,
    }
}

pub(super) fn bound_to(profile: &str) -> Bound {
    Bound { profile: profile.into(), urls: Vec::new(), subject: None }
}

impl Service {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        made_private(directory.path());
        let service = Self::within(directory);
        let store = service.store.clone().asking(Arc::new(OnePassphrase(WORDS)));
        let made = store.generate(&store.new_key("genfic"), KeyAlgorithm::P256).unwrap();
        bound_to("root-ca").put(service.directory.path(), &made.public_key().digest()).unwrap();
        service
    }

    /// The service of another process, in the same directory.
    pub(super) fn restarted(self) -> Self {
        Self::within(self.directory)
    }

    fn within(directory: tempfile::TempDir) -> Self {
        let within = directory.path().to_owned();
        let prepared = Arc::new(Prepared::new(PassphrasePolicy::default(), now));
        let store = AgeFileStore::new(&within, AgeFileStore::LEAST_WORK, prepared.clone()).unwrap();
        let protected: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&protected);
        let note = move |event| {
            if let Event::Protected { how, .. } = event {
                noted.lock().unwrap().push(how);
            }
            Ok(())
        };
        let ring = Arc::new(SharedRing::new(prepared, Box::new(note)));
        let vaults: Vec<Arc<dyn KeyVault>> = vec![Arc::new(store.clone())];
        let shared: Box<dyn Ring> = Box::new(Arc::clone(&ring));
        let signer = signer_of(&within, (vaults, shared), Box::new(|| Arc::new(profiles())), now);
        let journal = Arc::clone(&signer.parts.journal);
        Self { directory, store, ring, journal, signer, protected }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn unlock(&self, name: &str, scopes: &[Scope]) {
        let key = self.store.new_key(name);
        self.ring.unlock(&asked(name, scopes), &self.store, &key, NOW, &|| false).unwrap();
    }

    pub(super) fn prepare(&self, name: &str) {
        self.prepare_for(name, bound_to("root-ca"));
    }

    pub(super) fn prepare_for(&self, name: &str, bound: Bound) {
        let asked = asked(name, &[Scope::Leaf, Scope::Ca, Scope::Crl]);
        self.ring.prepare(&asked, (&self.store, &self.store.new_key(name)), Vec::new(), &|| false).unwrap();
        self.signer.expect_new(&command(), name.into(), (bound, Vec::new()));
    }

    pub(super) fn ask(&self, peer: &Peer, request: Request, parts: Vec<Vec<u8>>) -> Frame<Reply> {
        self.signer.answer(peer, Frame::with(request, parts))
    }

    pub(super) fn refused(&self, peer: &Peer, request: Request, parts: Vec<Vec<u8>>) -> Failure {
        match self.ask(peer, request, parts).message {
            Reply::Failed { failure } => failure,
            other => panic!("{other:?}"),
        }
    }

    /// Makes a key of which no administrator has said what it is for.
    pub(super) fn store_key_without_word(&self) {
        let store = self.store.clone().asking(Arc::new(OnePassphrase(WORDS)));
        store.generate(&store.new_key("silent"), KeyAlgorithm::P256).unwrap();
    }

    /// The octets of the journal.
    pub(super) fn journaled(&self) -> Vec<u8> {
        std::fs::read(self.file("journal")).unwrap_or_default()
    }

    pub(super) fn act(&self, kind: ActKind) {
        let by = Asker::this_process();
        let turn = self.journal.journal(by, NOW).unwrap().turn().unwrap();
        turn.act(by, NOW, vec![Act { kind, key: None, details: String::new() }]).unwrap();
    }
}

/// A root with this key, which signs it by `sign`.
pub(super) fn root(public_key: &SubjectPublicKeyInfo, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Certificate {
    let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Root"), public_key.clone());
    let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(1));
    Certificate::from_der(&encode_signed(root.as_der(), root.signature(), &sign(root.as_der()))).unwrap()
}

#[test]
fn a_stolen_account_deletes_and_renames_no_key_of_a_ca() {
    // K2
    let service = Service::new();
    let discard = |name| Request::Discard { key: key(name) };
    let rename = || Request::Rename { from: key("genfic"), to: key("other") };
    for scopes in [&[][..], &[Scope::Leaf, Scope::Crl]] {
        if !scopes.is_empty() {
            service.unlock("genfic", scopes);
        }
        service.refused(&command(), discard("genfic"), Vec::new());
        assert!(matches!(service.refused(&command(), rename(), Vec::new()), Failure::Locked { .. }));
        assert!(service.file("genfic.age").exists() && !service.file("other.age").exists());
    }
    // who may certify CAs with it moves it, and the journal has the key itself, whatever the client says
    service.unlock("genfic", &[Scope::Ca]);
    let lie = WireKey { identity: Some([9; 32]), ..key("genfic") };
    let renamed = service.ask(&command(), Request::Rename { from: lie, to: key("other") }, Vec::new());
    assert_eq!(renamed.message, Reply::Moved { moved: true });
    assert!(!service.journaled().windows(32).any(|octets| octets == [9; 32]));
    // a command that was cut short is repeated
    assert_eq!(service.ask(&command(), rename(), Vec::new()).message, Reply::Moved { moved: false });
}

#[test]
fn who_ends_a_move_under_one_name_does_nothing_to_the_key_of_another() {
    // K2
    let service = Service::new();
    service.unlock("genfic", &[Scope::Ca]);
    let opened = service.ask(&command(), Request::Open { key: key("genfic") }, Vec::new());
    let own = SubjectPublicKeyInfo::from_der(&opened.parts[0]).unwrap();
    let unsigned = root(&own, |_| vec![0; 64]);
    let certify =
        Request::SignCertificates { key: key("genfic"), issuer: false, profile: None, enrolment: false };
    let signed = service.ask(&command(), certify, vec![unsigned.tbs().as_der().to_vec()]);
    assert_eq!(signed.message, Reply::Signed);
    let root = Certificate::from_der(&encode_signed(
        unsigned.tbs().as_der(),
        unsigned.tbs().signature(),
        &signed.parts[0],
    ))
    .unwrap();
    std::fs::write(service.file("genfic.pem"), root.to_pem()).unwrap();
    std::fs::write(service.file("genfic.envelope.toml"), "untouched").unwrap();
    for name in ["genfic.pem", "genfic.envelope.toml"] {
        std::fs::set_permissions(service.file(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let lie = || WireKey { identity: Some(own.digest()), ..key("other") };
    let before = service.journaled().len();
    let timer = Peer { login: None, session: None, ..peer(ClientClass::Renew, 0) };
    for request in [Request::Settle { key: lie() }, Request::Depart { key: lie() }] {
        std::fs::copy(service.file("genfic.age"), service.file("other.ready")).unwrap();
        let _ = std::fs::remove_file(service.file("other.age"));
        let said = service.ask(&timer, request, Vec::new());
        assert_eq!(said.message, Reply::Moved { moved: true }, "or this test holds nothing");
        let journal = service.journaled();
        assert!(
            !journal[before..].windows(32).any(|octets| octets == own.digest()),
            "a beginning of its own"
        );
    }
    assert!(!service.file("other.ready").exists());
    assert_eq!(std::fs::read_to_string(service.file("genfic.envelope.toml")).unwrap(), "untouched");
}

#[test]
fn a_new_key_is_deleted_by_the_login_that_had_it_made_as_long_as_it_has_signed_nothing() {
    // K2
    let service = Service::new();
    let make = || {
        service.prepare("new");
        let request = Request::Generate { key: key("new"), algorithm: KeyAlgorithm::P256.to_string() };
        let made = service.ask(&command(), request, Vec::new());
        assert_eq!(made.message, Reply::Key);
        SubjectPublicKeyInfo::from_der(&made.parts[0]).unwrap()
    };
    let discard = || Request::Discard { key: key("new") };
    make();
    service.refused(&peer(ClientClass::Command, 1001), discard(), Vec::new());
    assert_eq!(service.ask(&command(), discard(), Vec::new()).message, Reply::Done);
    assert!(!service.file("new.age").exists());
    // a request that is out has an answer, which needs the key
    let public_key = make();
    let info = encode_request(&name("C=BE,CN=Users"), &public_key, &[]);
    let signed = service.ask(&command(), Request::SignRequest { key: key("new") }, vec![info]);
    assert_eq!(signed.message, Reply::Signed);
    service.refused(&command(), discard(), Vec::new());
    assert!(service.file("new.age").exists());
    std::fs::remove_file(service.file("new.age")).unwrap();
    let public_key = make();
    root(&public_key, |tbs| {
        let request = Request::SignCertificates {
            key: key("new"),
            issuer: false,
            profile: Some("root-ca".into()),
            enrolment: false,
        };
        let mut signed = service.ask(&command(), request, vec![tbs.to_vec()]);
        assert_eq!(signed.message, Reply::Signed);
        signed.parts.pop().unwrap()
    });
    service.refused(&command(), discard(), Vec::new());
    assert!(service.file("new.age").exists());
}

#[test]
fn what_would_silence_the_comparison_with_the_index_is_not_the_cas_user_to_say() {
    // K2
    let service = Service::new();
    service.act(ActKind::Begun);
    let before = service.journaled();
    let returned = Request::Returned { key: WireKey { identity: Some([9; 32]), ..key("genfic") } };
    for class in [ClientClass::Command, ClientClass::Administrator, ClientClass::Renew] {
        service.refused(&peer(class, 1000), returned.clone(), Vec::new());
    }
    // nothing is to be accepted
    for class in [ClientClass::Command, ClientClass::Administrator] {
        assert_eq!(service.ask(&peer(class, 1000), Request::Accept, Vec::new()).message, Reply::Done);
    }
    assert_eq!(service.journaled(), before);
    service.act(ActKind::Gap);
    let gap = service.journaled();
    service.refused(&command(), Request::Accept, Vec::new());
    assert_eq!(service.journaled(), gap);
    let administrator = peer(ClientClass::Administrator, 1000);
    assert_eq!(service.ask(&administrator, Request::Accept, Vec::new()).message, Reply::Done);
    assert!(service.journaled().len() > gap.len());
}

#[test]
fn a_client_says_nothing_about_a_key_of_its_own_or_one_that_is_locked() {
    // K3
    let service = Service::new();
    let own = SoftKey::generate(KeyAlgorithm::P256).unwrap();
    let shown = root(own.public_key(), |tbs| own.forge(tbs));
    assert!(shown.was_signed_by(own.public_key()));
    let of = |name, identity| WireKey { identity: Some(identity), ..key(name) };
    let show = |key| (Request::Show { key, crl: false }, vec![shown.as_der().to_vec(); 2]);
    service.act(ActKind::Begun);
    let before = service.journaled();
    let timer = Peer { login: None, session: None, ..peer(ClientClass::Renew, 0) };
    for is_unlocked in [false, true] {
        if is_unlocked {
            service.unlock("genfic", &[Scope::Crl]);
        }
        for peer in [&command(), &timer] {
            let (request, parts) = show(of("genfic", own.public_key().digest()));
            service.refused(peer, request, parts);
        }
        let request = Request::Abandon { key: of("genfic", own.public_key().digest()) };
        service.refused(&command(), request, vec![vec![1, 7]]);
    }
    assert_eq!(service.journaled(), before);
}

#[test]
fn a_mark_far_above_the_last_crl_is_not_noted() {
    // C1: the numbers would be used up
    let service = Service::new();
    let identity = Some([7; 32]);
    let raise = |peer: &Peer, number| {
        let key = WireKey { identity, ..key("genfic") };
        service.ask(peer, Request::RaiseMark { key, number }, Vec::new()).message
    };
    let mark = || service.store.mark(&service.store.new_key("genfic")).unwrap().number;
    assert_eq!(raise(&command(), 1 << 19), Reply::Done);
    // the number after the mark is one that a CRL may have
    for number in [(1 << 19) + 1, 1 << 20, i64::MAX.cast_unsigned(), u64::MAX] {
        for class in [ClientClass::Command, ClientClass::Renew] {
            assert!(matches!(raise(&peer(class, 1000), number), Reply::Failed { .. }), "{number}");
        }
    }
    assert_eq!(mark(), Some(1 << 19));
    // the user of the keys may bring a key with any number
    assert_eq!(raise(&peer(ClientClass::Child, 1000), (1 << 20) + 1), Reply::Done);
    assert_eq!(mark(), Some((1 << 20) + 1));
}

#[test]
fn a_client_without_the_right_to_it_has_no_large_body_read() {
    // K3
    let service = Service::new();
    let ring = Arc::clone(&service.ring);
    let standing = Standing::new(service.signer, ring, Vec::new(), "1", now).unwrap();
    let hello = || Request::Hello { version: VERSION, program: "1".into(), orders: None };
    let octets = Frame::with(hello(), vec![vec![0; 8]]).to_octets().unwrap();
    let list = Request::SignCrl { key: key("genfic"), profile: None };
    let list = Frame::with(list, vec![vec![0; 1 << 20]]).to_octets().unwrap();
    let administrator = peer(ClientClass::Administrator, 1000);
    let serials = Request::Unknown { key: key("genfic"), last: 1 };
    let serials = Frame::with(serials, vec![vec![0; 1 << 20]]).to_octets().unwrap();
    // the beginning of each is sent, and none of the body
    for (peer, begun, is_greeted) in
        [(command(), &octets, false), (administrator, &list, true), (command(), &serials, true)]
    {
        let (client, server) = UnixStream::pair().unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| standing.converse(&server, (&peer, &Life::since(std::process::id()))));
            if is_greeted {
                Frame::from(hello()).send(&client).unwrap();
                assert!(matches!(Frame::receive(&client).unwrap().message, Reply::Welcome { .. }));
            }
            let head = begun[..4].try_into().map(u32::from_be_bytes).unwrap();
            (&client).write_all(&begun[..8 + usize::try_from(head).unwrap()]).unwrap();
            let answer = Frame::<Reply>::receive(&client);
            client.shutdown(std::net::Shutdown::Both).unwrap();
            assert!(matches!(answer.unwrap().message, Reply::Failed { .. }));
        });
    }
}

#[test]
fn whoever_has_the_connection_of_a_process_that_is_gone_gets_no_answer() {
    // K2: what it may do was read of that process
    let service = Service::new();
    let ring = Arc::clone(&service.ring);
    let standing = Standing::new(service.signer, ring, Vec::new(), "1", now).unwrap();
    let mut process = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let life = Life::since(process.id());
    let (client, server) = UnixStream::pair().unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = standing.converse(&server, (&command(), &life));
            let _ = server.shutdown(std::net::Shutdown::Both);
        });
        let ask = |request: Request| {
            Frame::from(request).send(&client).unwrap();
            Frame::<Reply>::receive(&client).map(|answer| answer.message)
        };
        let hello = Request::Hello { version: VERSION, program: "1".into(), orders: None };
        assert!(matches!(ask(hello), Ok(Reply::Welcome { .. })));
        assert!(matches!(ask(Request::WhatIsUnlocked), Ok(Reply::Unlocked { .. })));
        process.kill().unwrap();
        process.wait().unwrap();
        let answer = ask(Request::WhatIsUnlocked);
        // nobody waits for a service that goes on
        let _ = client.shutdown(std::net::Shutdown::Both);
        assert!(answer.is_err());
    });
}
