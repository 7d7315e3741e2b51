//! The keys of a signer, as a child and as a service, keep the contract of every store of keys: over sockets, as the
//! commands have them.
use super::clients_tests::root;
use super::test_parts::{OnePassphrase, made_private, signer_of};
use super::*;
use crate::home::{Mode, replace};
use crate::signer::admit::tests::profiles;
use crate::signer::listening::Clients;
use crate::signer::protocol::{Frame, Orders, Reply, Request, VERSION, WireHanded, WireTerms};
use crate::signer::{ClientClass, Life, Link, Peer, Prepared, RemoteKeys, Scope, SharedRing};
use crate::signing::{
    AgeFileStore, CaKeys, KeyError, KeyRef, KeyVault, PassphraseOrders, PassphrasePolicy, SoftKey, contract,
};
use crate::testing::NOW;
use crate::x509::{KeyAlgorithm, UnixTime};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

const PROGRAM: &str = env!("CARGO_PKG_VERSION");
const PASSPHRASE: &str = "six uncommon words of a long sentence";
const ALGORITHMS: [KeyAlgorithm; 2] = [KeyAlgorithm::P256, KeyAlgorithm::ED25519];

fn now() -> UnixTime {
    NOW
}

fn peer(class: ClientClass) -> Peer {
    Peer { process: 7, user: 900, login: Some(1000), session: Some(3), class }
}

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    made_private(directory.path());
    directory
}

fn signer(within: &Path, vaults: Vec<Arc<dyn KeyVault>>, ring: Box<dyn Ring>) -> Signer {
    signer_of(within, (vaults, ring), Box::new(|| Arc::new(profiles())), now)
}

#[test]
fn the_keys_of_a_child_keep_the_contract_of_key_stores() {
    // G1
    let directory = directory();
    let (connection, other) = UnixStream::pair().unwrap();
    let orders = Orders::of(directory.path(), AgeFileStore::LEAST_WORK, &PassphraseOrders::nobody());
    let within = directory.path().to_owned();
    let serving = thread::spawn(move || {
        let make = |_: &Orders, _: Announcing| {
            let store =
                AgeFileStore::new(&within, AgeFileStore::LEAST_WORK, Arc::new(OnePassphrase(PASSPHRASE)))
                    .unwrap();
            Ok(signer(&within, vec![Arc::new(store)], Box::new(OwnRing::default())))
        };
        serve_child(other, &peer(ClientClass::Child), PROGRAM, make).unwrap();
    });
    let keys = RemoteKeys::new(directory.path().to_owned(), Link::thread(orders, connection), None);
    contract::hold(&keys, &|name| keys.new_key(name), &ALGORITHMS);
    drop(keys);
    serving.join().unwrap();
}

/// An administrator, who gives the service the passphrase of each key that is to be made.
struct Administrator(UnixStream, String);

impl Administrator {
    fn ask(&self, frame: Frame<Request>) -> Reply {
        frame.send(&self.0).unwrap();
        Frame::receive(&self.0).unwrap().message
    }

    fn prepare(&self, key: &str) {
        let (reading, mut writing) = std::io::pipe().unwrap();
        writing.write_all(self.1.as_bytes()).unwrap();
        let scopes = [Scope::Leaf, Scope::Ca, Scope::Crl].map(|scope| (scope.name().to_owned(), None));
        let terms = WireTerms { scopes: scopes.into(), lasting: 900 };
        let (profile, urls) = ("root-ca".to_owned(), Vec::new());
        let message = Request::Prepare {
            key: key.to_owned(),
            terms,
            handed: WireHanded::File,
            profile,
            urls,
            recipients: Vec::new(),
        };
        drop(writing);
        let descriptors = vec![OwnedFd::from(reading)];
        let said = self.ask(Frame { message, parts: Vec::new(), descriptors });
        // one that is there has no certificate, and is bound
        assert!(matches!(said, Reply::Done | Reply::Unlocked { .. }), "{said:?}");
    }
}

#[test]
fn the_keys_of_a_service_keep_the_contract_of_key_stores_and_are_gone_when_they_are_locked() {
    // G1, K2
    a_service_holds(PASSPHRASE, |store| store);
}

#[test]
fn the_keys_of_a_service_that_are_encrypted_to_a_recipient_keep_the_contract_of_key_stores() {
    // K1, K2
    let (identity, recipient) = crate::signing::generated_recipient();
    let made = ALGORITHMS.map(|algorithm| format!("made-{algorithm}"));
    let names = made.into_iter().chain(["kept", "missing", "removed", "marked"].map(str::to_owned));
    let recipients: BTreeMap<_, _> = names.map(|name| (name, vec![recipient.clone()])).collect();
    a_service_holds(&identity, |store| store.with_recipients(recipients));
}

/// Holds a service to the contract, whose keys this secret opens.
fn a_service_holds(secret: &str, of: impl FnOnce(AgeFileStore) -> AgeFileStore) {
    let directory = directory();
    let within = directory.path().to_owned();
    let prepared = Arc::new(Prepared::new(PassphrasePolicy::default(), now));
    let store = of(AgeFileStore::new(&within, AgeFileStore::LEAST_WORK, prepared.clone()).unwrap());
    let vaults: Vec<Arc<dyn KeyVault>> = vec![Arc::new(store)];
    let ring = Arc::new(SharedRing::new(prepared, Box::new(|_| Ok(()))));
    let service = signer(&within, vaults.clone(), Box::new(Arc::clone(&ring)));
    let standing = Arc::new(Standing::new(service, ring, vaults, PROGRAM, now).unwrap());

    let socket = within.join("ca.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let serving = Arc::clone(&standing);
    let command = thread::spawn(move || {
        let (connection, _) = listener.accept().unwrap();
        serving.serve(connection, peer(ClientClass::Command), Life::since(std::process::id()));
    });
    let (administrator, other) = UnixStream::pair().unwrap();
    let serving = Arc::clone(&standing);
    let administration = thread::spawn(move || {
        serving.serve(other, peer(ClientClass::Administrator), Life::since(std::process::id()))
    });
    let administrator = Administrator(administrator, secret.to_owned());
    let hello = Request::Hello { version: VERSION, program: PROGRAM.into(), orders: None };
    assert!(matches!(administrator.ask(hello.into()), Reply::Welcome { .. }));

    let orders = Orders::of(&within, AgeFileStore::LEAST_WORK, &PassphraseOrders::nobody());
    let (unused, _) = UnixStream::pair().unwrap();
    let keys =
        RemoteKeys::new(within.clone(), Link::thread(orders, unused), Some(Link::socket(socket.clone())));
    let new = |name: &str| {
        administrator.prepare(name);
        keys.new_key(name)
    };
    // the certificates of a key that had the name before stay when it moves away
    let former = SoftKey::generate(KeyAlgorithm::P256).unwrap();
    let certificate = root(former.public_key(), |tbs| former.forge(tbs));
    replace(&within.join("kept.pem"), certificate.to_pem().as_bytes(), Mode::Private).unwrap();
    contract::hold_where_bound_again(&keys, &new, &ALGORITHMS);

    let kept: KeyRef = keys.new_key("kept");
    let opened = keys.signer(&kept).unwrap();
    assert!(matches!(administrator.ask(Request::Lock { key: None }.into()), Reply::Unlocked { .. }));
    assert!(matches!(keys.signer(&kept).err().unwrap(), KeyError::Locked { .. }));
    let subject = crate::x509::Name::parse("CN=Kept").unwrap();
    assert!(opened.sign_request(&subject, &[]).is_err(), "one that is open no longer signs");
    drop((opened, keys, administrator));
    command.join().unwrap();
    administration.join().unwrap();
}
