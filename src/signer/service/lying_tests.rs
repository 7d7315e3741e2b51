//! A client that lies to the signer, over a socket pair.
use super::test_parts::{OnePassphrase, made_private, signer_of};
use super::*;
use crate::error::Code;
use crate::profile::{Applicant, RequestedValues};
use crate::signer::admit::tests::{granted, name, profiles, serial};
use crate::signer::protocol::{Failure, Frame, FrameError, Orders, Reply, Request, VERSION, WireKey};
use crate::signer::{ClientClass, Door, Peer};
use crate::signing::{AgeFileStore, KeyVault, PassphraseOrders};
use crate::testing::NOW;
use crate::x509::extension::{BASIC_CONSTRAINTS, authority_key_identifier, crl_number};
use crate::x509::{
    Certificate, CrlEntry, KeyAlgorithm, SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertListBuilder,
    TbsCertificate, UnixTime, encode_signed,
};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

fn now() -> UnixTime {
    NOW
}

/// A signer with the keys in this directory.
fn signer(within: &Path) -> Signer {
    let source = Arc::new(OnePassphrase("correct horse battery staple"));
    let store = AgeFileStore::new(within, AgeFileStore::LEAST_WORK, source).unwrap();
    let vaults: Vec<Arc<dyn KeyVault>> = vec![Arc::new(store)];
    signer_of(within, (vaults, Box::new(OwnRing::default())), Box::new(|| Arc::new(profiles())), now)
}

/// The client's end, and the signer behind it.
struct Client {
    connection: UnixStream,
    served: Option<JoinHandle<()>>,
}

impl Client {
    fn greeting(directory: &Path) -> Self {
        Self::served(directory, |ended| ended.unwrap())
    }

    /// Returns a client after whose words the signer may break off.
    fn greeting_one_who_breaks_off(directory: &Path) -> Self {
        Self::served(directory, |ended| assert!(ended.is_err()))
    }

    fn served(directory: &Path, check: fn(Result<(), FrameError>)) -> Self {
        made_private(directory);
        let (connection, other) = UnixStream::pair().unwrap();
        let orders = Orders::of(directory, AgeFileStore::LEAST_WORK, &PassphraseOrders::nobody());
        let within = directory.to_owned();
        let served = std::thread::spawn(move || {
            let peer = Peer::of(&other, Door::Parent).unwrap();
            check(serve_child(other, &peer, "1", |_: &Orders, _: Announcing| Ok(signer(&within))));
        });
        let client = Self { connection, served: Some(served) };
        let hello = Request::Hello { version: VERSION, program: "1".into(), orders: Some(orders) };
        assert!(matches!(client.ask(hello, Vec::new()).message, Reply::Welcome { .. }));
        client
    }

    /// Has a key made, and a root signed with it.
    fn root(&self) -> Certificate {
        let made =
            self.ask(Request::Generate { key: key(), algorithm: KeyAlgorithm::P256.to_string() }, Vec::new());
        let public_key = SubjectPublicKeyInfo::from_der(&made.parts[0]).unwrap();
        let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Root"), public_key);
        let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(1));
        let signed = self.certify(None, root.as_der());
        Certificate::from_der(&encode_signed(root.as_der(), root.signature(), &signed.parts[0])).unwrap()
    }

    fn ask(&self, request: Request, parts: Vec<Vec<u8>>) -> Frame<Reply> {
        Frame::with(request, parts).send(&self.connection).unwrap();
        Frame::receive(&self.connection).unwrap()
    }

    fn certify(&self, issuer: Option<&Certificate>, tbs: &[u8]) -> Frame<Reply> {
        let parts =
            [vec![tbs.to_vec()], issuer.map(|one| one.as_der().to_vec()).into_iter().collect()].concat();
        let request = Request::SignCertificates {
            key: key(),
            issuer: issuer.is_some(),
            profile: Some("root-ca".into()),
            enrolment: false,
        };
        self.ask(request, parts)
    }

    fn list(&self, issuer: &Certificate, list: Vec<u8>) -> Frame<Reply> {
        let request = Request::SignCrl { key: key(), profile: Some("root-ca".into()) };
        self.ask(request, vec![list, issuer.as_der().to_vec()])
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.shutdown(std::net::Shutdown::Both).unwrap();
        self.served.take().unwrap().join().unwrap();
    }
}

fn key() -> WireKey {
    WireKey { uri: "age:genfic.age".into(), identity: None }
}

fn refused(answer: Frame<Reply>) -> (String, Vec<String>) {
    match answer.message {
        Reply::Failed { failure: Failure::NotAdmitted { code, unknown, hint, .. } } => {
            assert!(!hint.is_empty() && Code::ALL.iter().any(|one| one.code() == code));
            (code, unknown)
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn crl(issuer: &Certificate, number: u64, revoked: &[u8]) -> Vec<u8> {
    let subject = issuer.tbs().subject().clone();
    let mut list = TbsCertListBuilder::new(SignatureAlgorithm::ECDSA_SHA256, subject, NOW, NOW.plus_days(7));
    for one in revoked {
        list.push(&CrlEntry {
            serial_number: serial(*one),
            revocation_date: NOW.plus(-100),
            reason: None,
            invalidity_date: None,
        });
    }
    let extensions = vec![authority_key_identifier(&issuer.key_identifier()), crl_number(number)];
    list.encode(extensions).as_der().to_vec()
}

#[test]
fn a_client_that_lies_gets_no_signature_and_leaves_nothing_behind() {
    // K3
    let directory = tempfile::tempdir().unwrap();
    let at = |file: &str| directory.path().join(file);
    let client = Client::greeting(directory.path());
    let made =
        client.ask(Request::Generate { key: key(), algorithm: KeyAlgorithm::P256.to_string() }, Vec::new());
    assert_eq!(made.message, Reply::Key);
    let public_key = SubjectPublicKeyInfo::from_der(&made.parts[0]).unwrap();
    let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Root"), public_key.clone());
    let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(1));
    // before it has a certificate, it signs no CRL
    let unsigned = Certificate::from_der(&encode_signed(root.as_der(), root.signature(), &[0])).unwrap();
    let signed = client.certify(None, root.as_der());
    assert_eq!(signed.message, Reply::Signed);
    let signed = encode_signed(root.as_der(), root.signature(), &signed.parts[0]);
    let root = Certificate::from_der(&signed).unwrap();
    assert!(root.is_signed_by(&public_key));
    assert_eq!(refused(client.certify(None, root.tbs().as_der())).0, "signer.serial");
    assert_eq!(refused(client.certify(None, &[root.tbs().as_der(), &[0]].concat())).0, "signer.malformed");

    // a certificate of this key that the key has not signed, with another name: nothing of it is kept
    let renamed = Applicant::new(name("CN=Somebody"), public_key.clone());
    let renamed = granted("root-ca", None, &renamed, RequestedValues::default(), serial(2));
    let renamed = Certificate::from_der(&encode_signed(renamed.as_der(), renamed.signature(), &[0])).unwrap();
    assert_eq!(refused(client.list(&renamed, crl(&root, 1, &[]))).0, "signer.issuer");
    assert!(!at("genfic.pem").exists() && !at("genfic.envelope.toml").exists());
    drop(unsigned);

    // the right one is kept, with an envelope
    assert_eq!(client.list(&root, crl(&root, 1, &[7])).message, Reply::Signed);
    assert!(at("genfic.pem").exists());
    let envelope = std::fs::read_to_string(at("genfic.envelope.toml")).unwrap();
    assert!(
        envelope.contains("profile = \"root-ca\"\n") && envelope.contains("certifies_cas = true\n"),
        "{envelope}"
    );
    assert_eq!(refused(client.list(&renamed, crl(&root, 2, &[7]))).0, "signer.issuer");
    assert_eq!(refused(client.list(&root, crl(&root, 1, &[7]))).0, "signer.crl-number");
    assert_eq!(refused(client.list(&root, crl(&renamed, 2, &[7]))).0, "signer.issuer");

    // what a CRL leaves out, and the signer does not know
    let unknown = serial(7).to_string();
    assert_eq!(
        refused(client.list(&root, crl(&root, 2, &[]))),
        ("signer.crl-entry-unknown".into(), vec![unknown])
    );
    let shown = client.ask(Request::Show { key: key(), crl: false }, vec![renamed.as_der().to_vec()]);
    assert!(matches!(shown.message, Reply::Failed { .. }), "this key has not signed it");
    assert_eq!(client.list(&root, crl(&root, 2, &[7, 8])).message, Reply::Signed);
    drop(client);

    // another process knows the same
    let client = Client::greeting(directory.path());
    assert_eq!(refused(client.list(&root, crl(&root, 2, &[7, 8]))).0, "signer.crl-number");
    assert_eq!(refused(client.certify(None, root.tbs().as_der())).0, "signer.serial");
    // a certificate that is no CA's says nothing of what the key may do
    let tbs = root.tbs();
    let without = tbs.extensions().iter().filter(|one| one.oid != BASIC_CONSTRAINTS).cloned().collect();
    let (issuer, subject) = (tbs.issuer().clone(), tbs.subject().clone());
    let tbs = TbsCertificate::encode(
        serial(3),
        tbs.signature(),
        issuer,
        tbs.validity(),
        subject,
        tbs.public_key().clone(),
        without,
    );
    let leaf = Certificate::from_der(&encode_signed(tbs.as_der(), tbs.signature(), &[0])).unwrap();
    assert_eq!(refused(client.list(&leaf, crl(&root, 3, &[7, 8]))).0, "signer.issuer");
    // the journal has the envelope, and one that is lost is not made anew, perhaps wider
    let journal = std::fs::read(at("journal")).unwrap();
    let said = b"age:genfic.age: made for a CA of the profile root-ca";
    assert_eq!(journal.windows(said.len()).filter(|octets| octets == said).count(), 1);
    std::fs::remove_file(at("genfic.envelope.toml")).unwrap();
    assert_eq!(refused(client.list(&root, crl(&root, 3, &[7, 8]))).0, "signer.record");
    assert!(!at("genfic.envelope.toml").exists());
    // an envelope with a mistake stops everything
    std::fs::write(at("genfic.envelope.toml"), format!("{envelope}more = 1\n")).unwrap();
    assert_eq!(refused(client.list(&root, crl(&root, 3, &[7, 8]))).0, "signer.envelope-malformed");
}

#[test]
fn one_lie_in_a_group_stops_the_whole_group() {
    // K3
    let directory = tempfile::tempdir().unwrap();
    let client = Client::greeting(directory.path());
    let root = client.root();
    let child = |number: u8| -> TbsCertificate {
        let other = crate::signing::SoftKey::generate(KeyAlgorithm::P256).unwrap();
        let applicant = Applicant::new(name(&format!("C=BE,CN=CA {number}")), other.public_key().clone());
        let issuer = Some((&root, &[][..], "root-ca"));
        granted("system-ca", issuer, &applicant, RequestedValues::default(), serial(number))
    };
    let (one, two) = (child(10), child(11));
    let group = |parts: [&TbsCertificate; 2]| {
        let parts = parts.map(|one| one.as_der().to_vec()).into_iter().chain([root.as_der().to_vec()]);
        let request = Request::SignCertificates {
            key: key(),
            issuer: true,
            profile: Some("root-ca".into()),
            enrolment: false,
        };
        client.ask(request, parts.collect())
    };
    assert_eq!(refused(group([&one, &one])).0, "signer.serial");
    let signed = group([&one, &two]);
    assert_eq!((signed.message, signed.parts.len()), (Reply::Signed, 2));
}

#[test]
fn one_octet_that_trails_or_is_cut_is_refused_whatever_is_signed() {
    // K3
    let directory = tempfile::tempdir().unwrap();
    let client = Client::greeting(directory.path());
    let root = client.root();
    let list = crl(&root, 1, &[7]);
    let request = crate::signing::request_info(root.tbs().subject(), &[], root.tbs().public_key());
    let spoilt = |octets: &[u8]| [[octets, &[0]].concat(), octets[..octets.len() - 1].to_vec(), Vec::new()];
    for octets in spoilt(root.tbs().as_der()) {
        assert_eq!(refused(client.certify(None, &octets)).0, "signer.malformed");
    }
    for octets in spoilt(&list) {
        assert_eq!(refused(client.list(&root, octets)).0, "signer.malformed");
    }
    for octets in spoilt(&request) {
        let asked = client.ask(Request::SignRequest { key: key() }, vec![octets]);
        assert!(matches!(asked.message, Reply::Failed { .. }), "{asked:?}");
    }
    // and one thing in the place of another
    for octets in [&list, &request] {
        assert_eq!(refused(client.certify(None, octets)).0, "signer.malformed");
    }
    let other = crate::signing::SoftKey::generate(KeyAlgorithm::P256).unwrap();
    let of_other = crate::signing::request_info(root.tbs().subject(), &[], other.public_key());
    let asked = client.ask(Request::SignRequest { key: key() }, vec![of_other]);
    assert!(matches!(asked.message, Reply::Failed { .. }), "{asked:?}");
    assert_eq!(client.ask(Request::SignRequest { key: key() }, vec![request]).message, Reply::Signed);
}

#[test]
fn who_asks_for_what_it_has_no_right_to_is_refused_and_leaves_nothing_behind() {
    // K2, K3
    let directory = tempfile::tempdir().unwrap();
    let client = Client::greeting(directory.path());
    let root = client.root();
    let journal = std::fs::metadata(directory.path().join("journal")).unwrap().len();
    let signer = signer(directory.path());
    let certify = |class| {
        let peer = Peer { process: 7, user: 900, login: Some(1000), session: Some(3), class };
        let parts = vec![root.tbs().as_der().to_vec()];
        let message =
            Request::SignCertificates { key: key(), issuer: false, profile: None, enrolment: false };
        move |signer: &Signer| signer.answer(&peer, Frame::with(message, parts)).message
    };
    let is_refused = |reply: Reply| matches!(reply, Reply::Failed { failure: Failure::Signer { reason } } if reason.contains("may not ask"));
    assert!(is_refused(certify(ClientClass::Administrator)(&signer)), "who opens keys does not use them");
    let asked = |class, message: Request| {
        let peer = Peer { process: 7, user: 900, login: None, session: None, class };
        is_refused(signer.answer(&peer, message.into()).message)
    };
    for message in [
        Request::Discard { key: key() },
        Request::Generate { key: key(), algorithm: "p256".into() },
        Request::SignRequest { key: key() },
        Request::Sealed { key: key() },
        Request::Accept,
        Request::Reencrypt { key: key() },
        Request::Abandon { key: key() },
    ] {
        assert!(asked(ClientClass::Renew, message.clone()), "{message:?}");
    }
    for message in [Request::Sealed { key: key() }, Request::Reencrypt { key: key() }] {
        assert!(asked(ClientClass::Command, message.clone()), "{message:?}");
    }
    assert_eq!(std::fs::metadata(directory.path().join("journal")).unwrap().len(), journal);
    assert!(directory.path().join("genfic.age").exists());
}

#[test]
fn a_frame_that_is_too_long_ends_the_conversation_before_it_is_read() {
    // K3
    use std::io::{Read, Write};
    let directory = tempfile::tempdir().unwrap();
    for lengths in [[u32::MAX, 0], [2, u32::MAX], [64 * 1024 + 1, 0], [2, 128 * 1024 * 1024 + 1]] {
        let client = Client::greeting_one_who_breaks_off(directory.path());
        let mut connection = &client.connection;
        connection.write_all(&lengths.map(u32::to_be_bytes).concat()).unwrap();
        let mut said = Vec::new();
        let _ = connection.read_to_end(&mut said);
        assert_eq!(said, b"", "{lengths:?}");
    }
}
