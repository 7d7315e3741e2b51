//! What a service takes from a client that has a key come.
use super::clients_tests::{Service, WORDS, asked, command, key, peer, root};
use super::test_parts::{OnePassphrase, made_private};
use crate::signer::admit::tests::name;
use crate::signer::protocol::{Failure, Frame, Reply, Request, WireKey, confirmed, put_serial};
use crate::signer::{ClientClass, Peer, Scope};
use crate::signing::{AgeFileStore, CaKeys as _, SoftKey};
use crate::testing::{CertificateBuilder, NOW, TestKey};
use crate::x509::{Certificate, KeyAlgorithm, UnixTime, sha256};
use std::fs;
use std::sync::Arc;

const UNTIL: UnixTime = UnixTime(4_000_000_000);

/// The key of a root, in another directory.
struct Elsewhere {
    directory: tempfile::TempDir,
    key: SoftKey,
    root: Certificate,
}

impl Elsewhere {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        made_private(directory.path());
        let store =
            AgeFileStore::new(directory.path(), AgeFileStore::LEAST_WORK, Arc::new(OnePassphrase(WORDS)))
                .unwrap();
        store.generate(&store.new_key("other"), KeyAlgorithm::P256).unwrap();
        let key = store.open(&store.new_key("other")).unwrap();
        let root = root(key.public_key(), |tbs| key.forge(tbs));
        Self { directory, key, root }
    }

    fn wire(&self) -> WireKey {
        WireKey { identity: Some(self.key.public_key().digest()), ..key("other") }
    }

    /// Returns the envelope that the key would get with these certificates.
    fn proposed(&self, service: &Service, certificates: &[Certificate]) -> Result<Vec<u8>, Failure> {
        let mut parts = vec![Vec::new()];
        parts.extend(certificates.iter().map(|one| one.as_der().to_vec()));
        let request = Request::Propose { key: self.wire(), profile: "root-ca".into(), urls: Vec::new() };
        let answer = service.ask(&command(), request, parts);
        match answer.message {
            Reply::Failed { failure } => Err(failure),
            _ => Ok(answer.only_part().unwrap()),
        }
    }

    /// Has the key come, as an administrator of the login of `command()` expects it.
    fn come(&self, service: &Service, certificates: &[Certificate], envelope: Vec<u8>) -> Reply {
        let mut digests: Vec<[u8; 32]> = certificates.iter().map(|one| sha256(one.as_der())).collect();
        digests.sort_unstable();
        let shown = confirmed(&String::from_utf8_lossy(&envelope), &digests.concat());
        self.come_as_confirmed(service, certificates, envelope, shown)
    }

    /// Likewise, where an administrator has confirmed the envelope of this digest.
    fn come_as_confirmed(
        &self,
        service: &Service,
        certificates: &[Certificate],
        envelope: Vec<u8>,
        shown: [u8; 32],
    ) -> Reply {
        service.ring.expect(&asked("other", &[Scope::Move]), shown, NOW, &|| false).unwrap();
        let mut parts = vec![envelope];
        parts.extend(certificates.iter().map(|one| one.as_der().to_vec()));
        let file = fs::File::open(self.directory.path().join("other.age")).unwrap();
        let message = Request::Come { key: self.wire(), profile: "root-ca".into() };
        let frame = Frame { message, parts, descriptors: vec![file.into()] };
        service.signer.answer(&command(), frame).message
    }

    fn comes(&self, service: &Service) {
        let certificates = [self.root.clone()];
        let envelope = self.proposed(service, &certificates).unwrap();
        assert_eq!(self.come(service, &certificates, envelope), Reply::Done);
    }

    fn claim(&self, service: &Service, peer: &Peer, serial: &str, last: bool) -> Reply {
        self.claim_to(service, peer, (serial, 1), last)
    }

    fn claim_to(&self, service: &Service, peer: &Peer, (serial, mark): (&str, u64), last: bool) -> Reply {
        let mut part = Vec::new();
        put_serial(&mut part, &serial.parse().unwrap());
        let request = Request::Claim { key: self.wire(), until: UNTIL.0, mark, last, unlisted: false };
        service.ask(peer, request, vec![part]).message
    }

    fn settle(&self, service: &Service) -> Reply {
        let timer = Peer { login: None, session: None, ..peer(ClientClass::Renew, 0) };
        service.ask(&timer, Request::Settle { key: self.wire() }, Vec::new()).message
    }
}

fn is_refused(reply: &Reply) -> bool {
    matches!(reply, Reply::Failed { .. })
}

#[test]
fn a_key_comes_with_the_envelope_that_an_administrator_was_shown_and_with_no_other() {
    // K2, K3
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    let certificates = [elsewhere.root.clone()];
    let shown = || {
        let answer = service.ask(&peer(ClientClass::Administrator, 1000), proposal(), Vec::new());
        assert_eq!(answer.message, Reply::Done);
        answer.parts
    };
    let proposal_of_others = service.refused(&command(), proposal(), Vec::new());
    assert!(matches!(proposal_of_others, Failure::Signer { .. }));
    assert!(shown().is_empty(), "nobody has asked for any");
    let envelope = elsewhere.proposed(&service, &certificates).unwrap();
    assert_eq!(shown()[0], envelope);
    // what the account of the CA asks for after that is another one
    let reply = elsewhere.come_as_confirmed(&service, &certificates, envelope.clone(), [7; 32]);
    let Reply::Failed { failure: Failure::Locked { scope, reason, .. } } = reply else { panic!("{reply:?}") };
    assert_eq!(scope.as_deref(), Some("move"));
    assert!(reason.contains("another envelope"), "{reason}");
    assert!(!service.file("other.coming").exists() && !service.file("other.envelope.toml").exists());
    assert_eq!(elsewhere.come(&service, &certificates, envelope), Reply::Done);
}

#[test]
fn no_more_certificates_of_a_ca_are_compared_than_are_kept() {
    // K3
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    let many = |number| vec![elsewhere.root.clone(); number];
    assert!(elsewhere.proposed(&service, &many(256)).is_ok());
    let Err(Failure::Signer { reason }) = elsewhere.proposed(&service, &many(257)) else { panic!("taken") };
    assert!(reason.contains("256 certificates"), "{reason}");
}

fn proposal() -> Request {
    Request::Proposal { key: "other".into() }
}

#[test]
fn a_key_settles_only_after_all_is_known_that_it_signed_elsewhere_also_by_another_process() {
    // K3, X1
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    elsewhere.comes(&service);
    assert!(is_refused(&elsewhere.settle(&service)));
    assert_eq!(elsewhere.claim(&service, &command(), "4a", false), Reply::Done);
    assert!(is_refused(&elsewhere.settle(&service)));
    // killed and started again, it is as far as it was, and the key has to come again
    let service = service.restarted();
    assert!(is_refused(&elsewhere.settle(&service)));
    assert!(is_refused(&elsewhere.claim(&service, &command(), "4b", true)));
    assert!(!service.file("other.age").exists());
    elsewhere.comes(&service);
    assert_eq!(elsewhere.claim(&service, &command(), "4b", true), Reply::Done);
    // one that comes again has everything told again
    elsewhere.comes(&service);
    assert!(is_refused(&elsewhere.settle(&service)));
    assert_eq!(elsewhere.claim(&service, &command(), "4b", true), Reply::Done);
    let service = service.restarted();
    assert_eq!(elsewhere.settle(&service), Reply::Moved { moved: true });
    assert!(service.file("other.age").exists());
}

#[test]
fn what_a_key_signed_elsewhere_is_told_by_the_login_that_has_it_come_and_by_no_other() {
    // K2
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    elsewhere.comes(&service);
    let before = service.journaled();
    let other_session = Peer { session: Some(4), ..command() };
    for other in [peer(ClientClass::Command, 1001), other_session] {
        assert!(is_refused(&elsewhere.claim(&service, &other, "4a", true)));
        let show = Request::Show { key: elsewhere.wire(), crl: false };
        service.refused(&other, show, vec![elsewhere.root.as_der().to_vec(); 2]);
    }
    assert_eq!(service.journaled(), before);
    assert!(is_refused(&elsewhere.settle(&service)));
    assert_eq!(elsewhere.claim(&service, &command(), "4a", true), Reply::Done);
}

#[test]
fn no_crl_number_is_claimed_after_which_no_crl_would_be_signed() {
    // C1
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    elsewhere.comes(&service);
    assert!(is_refused(&elsewhere.claim_to(&service, &command(), ("4a", 1 << 21), true)));
    assert!(is_refused(&elsewhere.settle(&service)), "that was not all");
    assert_eq!(elsewhere.claim_to(&service, &command(), ("4a", 1 << 18), true), Reply::Done);
}

#[test]
fn a_key_brings_no_certificate_that_would_not_be_taken_with_what_is_to_be_signed() {
    // K3
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    let (subject, public_key) = (elsewhere.root.tbs().subject(), elsewhere.key.public_key());
    let sign = |builder: CertificateBuilder| builder.signed(|tbs| elsewhere.key.forge(tbs));
    let no_ca = sign(CertificateBuilder::new(subject, public_key));
    let renamed = sign(CertificateBuilder::new(&name("CN=Somebody"), public_key).into_ca(None));
    let envelope = elsewhere.proposed(&service, std::slice::from_ref(&elsewhere.root)).unwrap();
    for other in [no_ca, renamed] {
        let both = [elsewhere.root.clone(), other];
        let refused = elsewhere.proposed(&service, &both).unwrap_err();
        let is_issuer = |failure: &Failure| matches!(failure, Failure::NotAdmitted { code, .. } if code == "signer.issuer");
        assert!(is_issuer(&refused), "{refused:?}");
        let Reply::Failed { failure } = elsewhere.come(&service, &both, envelope.clone()) else {
            panic!("it came")
        };
        assert!(is_issuer(&failure), "{failure:?}");
    }
    assert!(!service.file("other.pem").exists() && !service.file("other.coming").exists());
}

#[test]
fn a_certificate_by_an_unknown_ca_sets_no_limits_beside_a_known_one_and_is_journaled() {
    // K3
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    let (subject, public_key) = (elsewhere.root.tbs().subject(), elsewhere.key.public_key());
    let envelope = elsewhere.proposed(&service, std::slice::from_ref(&elsewhere.root)).unwrap();
    let stranger = TestKey::p256();
    let far = CertificateBuilder::new(subject, public_key).into_ca(Some(9)).valid(NOW, UNTIL);
    let both = [far.signed_by(&stranger), elsewhere.root.clone()];
    assert_eq!(elsewhere.proposed(&service, &both).unwrap(), envelope);
    assert_eq!(elsewhere.come(&service, &both, envelope), Reply::Done);
    let said = b"age:other.age: certificate 01 by ";
    let journal = service.journaled();
    assert_eq!(journal.windows(said.len()).filter(|octets| octets == said).count(), 1);
}

/// Returns the parts of what an administrator is shown of the key that is to come.
fn shown(service: &Service) -> Vec<Vec<u8>> {
    let administrator = peer(ClientClass::Administrator, 1000);
    service.ask(&administrator, Request::Proposal { key: "other".into() }, Vec::new()).parts
}

#[test]
fn a_certificate_that_the_administrator_was_not_shown_does_not_come_along() {
    // K2, K3
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    let certificates = [elsewhere.root.clone()];
    let envelope = elsewhere.proposed(&service, &certificates).unwrap();
    let seen = shown(&service);
    assert_eq!((&seen[0], seen[1].as_slice()), (&envelope, &sha256(elsewhere.root.as_der())[..]));
    assert_eq!(seen[2], b"", "it vouches for itself");
    let digest = confirmed(&String::from_utf8_lossy(&seen[0]), &seen[1]);
    let (subject, public_key) = (elsewhere.root.tbs().subject(), elsewhere.key.public_key());
    let far = CertificateBuilder::new(subject, public_key).into_ca(Some(9)).valid(NOW, UNTIL);
    let both = [far.signed_by(&TestKey::p256()), elsewhere.root.clone()];
    let come = elsewhere.come_as_confirmed(&service, &both, envelope.clone(), digest);
    assert!(matches!(come, Reply::Failed { failure: Failure::Locked { .. } }), "{come:?}");
    assert!(!service.file("other.pem").exists());
    // where it is asked for, it is shown
    elsewhere.proposed(&service, &both).unwrap();
    let seen = shown(&service);
    let line = String::from_utf8(seen[2].clone()).unwrap();
    let digest = base16ct::lower::encode_string(&sha256(both[0].as_der()));
    assert!(line.contains(&digest) && line.contains(&UNTIL.to_string()), "{line}");
    assert!(line.contains(&subject.to_string()), "{line}");
    let digest = confirmed(&String::from_utf8_lossy(&seen[0]), &seen[1]);
    assert_eq!(elsewhere.come_as_confirmed(&service, &both, envelope, digest), Reply::Done);
}

#[test]
fn what_is_asked_for_a_key_keeps_the_service_until_the_key_is_here() {
    // K2
    let (service, elsewhere) = (Service::new(), Elsewhere::new());
    let certificates = [elsewhere.root.clone()];
    assert!(!service.signer.is_asked_for_a_key());
    elsewhere.proposed(&service, &certificates).unwrap();
    assert!(service.signer.is_asked_for_a_key());
    assert_eq!(shown(&service).len(), 3);
    elsewhere.comes(&service);
    assert_eq!(elsewhere.claim(&service, &command(), "4a", true), Reply::Done);
    assert_eq!(elsewhere.settle(&service), Reply::Moved { moved: true });
    // a command that was cut short asks once more, and an administrator is told of no key that is to come
    elsewhere.proposed(&service, &certificates).unwrap();
    assert!(!service.signer.is_asked_for_a_key() && shown(&service).is_empty());
}
