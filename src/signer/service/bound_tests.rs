//! A client that says of a key what it is for, and of a certificate whose it is, and lies.
use super::clients_tests::{Service, asked, bound_to, command, key, peer, root};
use crate::profile::{Applicant, RequestedValidity, RequestedValues};
use crate::signer::admit::tests::{granted, name, serial};
use crate::signer::copies::Copies;
use crate::signer::protocol::{Failure, Frame, Reply, Request, WireKey};
use crate::signer::{ActKind, Bound, ClientClass, Scope};
use crate::signing::{CaKeys as _, SoftKey, UsedSerials};
use crate::testing::NOW;
use crate::x509::extension::{authority_key_identifier, crl_number};
use crate::x509::{
    Certificate, KeyAlgorithm, SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertListBuilder, TbsCertificate,
    encode_signed, sha256,
};

fn generate(service: &Service) -> SubjectPublicKeyInfo {
    let request = Request::Generate { key: key("new"), algorithm: KeyAlgorithm::P256.to_string() };
    let made = service.ask(&command(), request, Vec::new());
    assert_eq!(made.message, Reply::Key);
    SubjectPublicKeyInfo::from_der(&made.parts[0]).unwrap()
}

fn certify(profile: &str, issuer: bool) -> Request {
    Request::SignCertificates { key: key("new"), issuer, profile: Some(profile.into()), enrolment: false }
}

fn code(answer: &Frame<Reply>) -> &str {
    match &answer.message {
        Reply::Failed { failure: Failure::NotAdmitted { code, .. } } => code,
        Reply::Signed => "signed",
        Reply::Done => "done",
        other => panic!("{other:?}"),
    }
}

fn crl(ca: &Certificate, number: u64) -> Vec<u8> {
    let algorithm = SignatureAlgorithm::ECDSA_SHA256;
    let list = TbsCertListBuilder::new(algorithm, ca.tbs().subject().clone(), NOW, NOW.plus_days(7));
    let list = list.encode(vec![authority_key_identifier(&ca.key_identifier()), crl_number(number)]);
    list.as_der().to_vec()
}

fn list(service: &Service, ca: &Certificate, number: u64, profile: &str) -> Frame<Reply> {
    let request = Request::SignCrl { key: key("new"), profile: Some(profile.into()) };
    service.ask(&command(), request, vec![crl(ca, number), ca.as_der().to_vec()])
}

#[test]
fn a_new_key_is_for_what_an_administrator_said_and_not_for_what_the_client_says() {
    // K2, K3
    let service = Service::new();
    let urls = vec!["http://pki.example/".to_owned()];
    service.prepare_for("new", Bound { urls, ..bound_to("root-ca") });
    let public_key = generate(&service);
    let unsigned = root(&public_key, |_| vec![0; 64]);
    let tbs = unsigned.tbs().as_der().to_vec();
    let envelope = |profile: &str| {
        let request = Request::EnvelopeWith { key: key("new"), profile: Some(profile.into()) };
        service.ask(&command(), request, vec![tbs.clone()])
    };
    assert_eq!(code(&envelope("user-ca")), "signer.not-bound");
    assert_eq!(code(&envelope("root-ca")), "done");
    assert_eq!(
        code(&service.ask(&command(), certify("user-ca", false), vec![tbs.clone()])),
        "signer.not-bound"
    );
    let signed = service.ask(&command(), certify("root-ca", false), vec![tbs]);
    assert_eq!(code(&signed), "signed");
    let certificate = encode_signed(unsigned.tbs().as_der(), unsigned.tbs().signature(), &signed.parts[0]);
    let certificate = Certificate::from_der(&certificate).unwrap();
    assert_eq!(code(&list(&service, &certificate, 1, "user-ca")), "signer.not-bound");
    assert!(!service.file("new.envelope.toml").exists());
    assert_eq!(code(&list(&service, &certificate, 1, "root-ca")), "signed");
    let envelope = std::fs::read_to_string(service.file("new.envelope.toml")).unwrap();
    assert!(envelope.contains("profile = \"root-ca\"\n"), "{envelope}");
    assert!(envelope.contains("urls = [\"http://pki.example/\"]\n"), "{envelope}");
    assert_eq!(Bound::read(service.directory.path(), &public_key.digest()).unwrap(), None, "it is used up");
    // a key of which nobody has said anything is for nothing
    service.store_key_without_word();
    service.unlock("silent", &[Scope::Ca]);
    let opened = service.ask(&command(), Request::Open { key: key("silent") }, Vec::new());
    let silent = SubjectPublicKeyInfo::from_der(&opened.parts[0]).unwrap();
    let tbs = root(&silent, |_| vec![0; 64]).tbs().as_der().to_vec();
    let request = Request::SignCertificates {
        key: key("silent"),
        issuer: false,
        profile: Some("root-ca".into()),
        enrolment: false,
    };
    assert_eq!(code(&service.ask(&command(), request, vec![tbs])), "signer.not-bound");
}

#[test]
fn a_certificate_of_an_unknown_issuer_is_the_base_of_nothing_until_an_administrator_accepts_it() {
    // K2, K3
    let service = Service::new();
    service.prepare_for("new", bound_to("system-ca"));
    let public_key = generate(&service);
    let above = SoftKey::generate(KeyAlgorithm::P256).unwrap();
    let issuer = root(above.public_key(), |tbs| above.forge(tbs));
    let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Systems"), public_key.clone());
    let values = RequestedValues { validity: RequestedValidity::Days(3800), ..RequestedValues::default() };
    let tbs: TbsCertificate =
        granted("system-ca", Some((&issuer, &[], "root-ca")), &applicant, values, serial(2));
    let own = encode_signed(tbs.as_der(), tbs.signature(), &above.forge(tbs.as_der()));
    let own = Certificate::from_der(&own).unwrap();
    let certificates = || Copies::read(service.directory.path()).unwrap().of(&public_key).len();
    let refused = list(&service, &own, 1, "system-ca");
    assert_eq!(code(&refused), "signer.certificate-unknown");
    let digest = base16ct::lower::encode_string(&sha256(own.as_der()));
    assert!(format!("{refused:?}").contains(&digest), "it says which one: {refused:?}");
    let accept = || Request::AcceptCertificate { key: "new".into(), certificate: digest.clone() };
    for class in [ClientClass::Command, ClientClass::Renew] {
        service.refused(&peer(class, 1000), accept(), Vec::new());
    }
    assert_eq!(code(&list(&service, &own, 1, "system-ca")), "signer.certificate-unknown");
    assert_eq!(certificates(), 0);
    let administrator = peer(ClientClass::Administrator, 1000);
    let wrong = Request::AcceptCertificate { key: "new".into(), certificate: "ab".into() };
    service.refused(&administrator, wrong, Vec::new());
    assert_eq!(service.ask(&administrator, accept(), Vec::new()).message, Reply::Done);
    assert_eq!(code(&list(&service, &own, 1, "system-ca")), "signed");
    assert_eq!(certificates(), 1);
    assert!(service.journaled().windows(64).any(|octets| octets == digest.as_bytes()));
}

#[test]
fn a_new_root_has_the_name_of_its_first_signature_also_before_any_certificate_is_shown() {
    // K3
    let service = Service::new();
    service.prepare("new");
    let public_key = generate(&service);
    let sign = |service: &Service, subject: &str, number| {
        let applicant = Applicant::new(name(subject), public_key.clone());
        let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(number));
        service.ask(&command(), certify("root-ca", false), vec![root.as_der().to_vec()])
    };
    assert_eq!(code(&sign(&service, "C=BE,CN=First", 50)), "signed");
    assert_eq!(code(&sign(&service, "C=BE,CN=Second", 51)), "signer.issuer");
    // whatever an administrator says again, and whichever process is asked
    let service = service.restarted();
    let administrator = peer(ClientClass::Administrator, 1000);
    let (here, bound) = (service.store.new_key("new"), bound_to("root-ca"));
    let bind = |identity: &[u8; 32]| service.signer.bind_left(&administrator, &here, identity, &bound);
    let unlocking = asked("new", &[Scope::Ca]);
    service.ring.unlock_new(&unlocking, (&service.store, &here), NOW, &bind, &|| false).unwrap();
    assert_eq!(code(&sign(&service, "C=BE,CN=Second", 52)), "signer.issuer");
    assert_eq!(code(&sign(&service, "C=BE,CN=First", 53)), "signed");
}

#[test]
fn a_name_that_was_kept_and_never_signed_binds_no_root() {
    // K3
    let service = Service::new();
    service.prepare("new");
    let public_key = generate(&service);
    // as a signer that is killed before the journal has the signature leaves it
    let never = Bound { subject: Some(name("C=BE,CN=Misspelt")), ..bound_to("root-ca") };
    never.put(service.directory.path(), &public_key.digest()).unwrap();
    let sign = |subject: &str, number| {
        let applicant = Applicant::new(name(subject), public_key.clone());
        let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(number));
        code(&service.ask(&command(), certify("root-ca", false), vec![root.as_der().to_vec()])).to_owned()
    };
    assert_eq!(sign("C=BE,CN=Right", 50), "signed");
    assert_eq!(sign("C=BE,CN=Misspelt", 51), "signer.issuer");
    assert_eq!(sign("C=BE,CN=Right", 52), "signed");
}

#[test]
fn the_journal_has_what_comes_along_before_it_is_kept() {
    // K3
    let service = Service::new();
    service.prepare("new");
    let public_key = generate(&service);
    let root = root(&public_key, |tbs| {
        let mut signed = service.ask(&command(), certify("root-ca", false), vec![tbs.to_vec()]);
        signed.parts.pop().unwrap()
    });
    let has = |said: &str| service.journaled().windows(said.len()).any(|octets| octets == said.as_bytes());
    assert!(!has("made for a CA of the profile"));
    assert_eq!(code(&list(&service, &root, 1, "root-ca")), "signed");
    assert!(has("age:new.age: made for a CA of the profile root-ca"));
    let line = format!("age:new.age: certificate {} by C=BE", root.tbs().serial_number());
    let at = |said: &[u8]| service.journaled().windows(said.len()).position(|octets| octets == said);
    // what was kept comes before the CRL that was signed with it
    let digest = sha256(&crl(&root, 1));
    assert!(at(line.as_bytes()).unwrap() < at(&digest).unwrap());
}

#[test]
fn no_certificate_is_signed_before_it_is_known_what_the_last_crl_lists() {
    // X4, K3
    let service = Service::new();
    service.prepare("new");
    let public_key = generate(&service);
    let root = root(&public_key, |tbs| {
        let mut signed = service.ask(&command(), certify("root-ca", false), vec![tbs.to_vec()]);
        signed.parts.pop().unwrap()
    });
    let octets = crl(&root, 1);
    let signed = list(&service, &root, 1, "root-ca");
    assert_eq!(code(&signed), "signed");
    let last = encode_signed(&octets, root.tbs().signature(), &signed.parts[0]);
    let child = |service: &Service, number| {
        let applicant = Applicant::new(
            name("C=BE,CN=Child"),
            SoftKey::generate(KeyAlgorithm::P256).unwrap().public_key().clone(),
        );
        let values = RequestedValues { validity: RequestedValidity::Days(900), ..RequestedValues::default() };
        let tbs = granted("system-ca", Some((&root, &[], "root-ca")), &applicant, values, serial(number));
        let parts = vec![tbs.as_der().to_vec(), root.as_der().to_vec()];
        code(&service.ask(&command(), certify("root-ca", true), parts)).to_owned()
    };
    assert_eq!(child(&service, 60), "signed");
    // the record is made anew from the journal, which has no entries of CRLs
    let service = service.restarted();
    for file in ["record.db", "record.db-wal", "record.db-shm"] {
        let _ = std::fs::remove_file(service.file(file));
    }
    service.unlock("new", &[Scope::Ca, Scope::Crl]);
    assert_eq!(child(&service, 61), "journal.list-unknown");
    let show =
        Request::Show { key: WireKey { identity: Some(public_key.digest()), ..key("new") }, crl: true };
    let shown = service.ask(&command(), show, vec![root.as_der().to_vec(), last]);
    assert_eq!(shown.message, Reply::Done);
    assert_eq!(child(&service, 62), "signed");
}

#[test]
fn a_serial_number_that_came_with_the_key_as_used_is_not_signed_again() {
    // X4, G6
    let service = Service::new();
    service.prepare("new");
    let public_key = generate(&service);
    let sign = |number| {
        let applicant = Applicant::new(name("C=BE,CN=First"), public_key.clone());
        let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(number));
        let parts = vec![root.as_der().to_vec()];
        code(&service.ask(&command(), certify("root-ca", false), parts)).to_owned()
    };
    let mut used = UsedSerials::default();
    used.add(serial(70), NOW.plus_days(900));
    std::fs::write(service.file("new.used"), used.to_text("new")).unwrap();
    assert_eq!([70, 71].map(sign), ["signer.serial", "signed"]);
    std::fs::write(service.file("new.used"), "70\n").unwrap();
    assert_eq!(sign(72), "signer.record", "what cannot be read stops the key");
}

#[test]
fn after_a_restore_no_crl_number_is_used_that_the_mark_beside_the_key_has_passed() {
    // C1, X4
    let service = Service::new();
    service.prepare("new");
    let public_key = generate(&service);
    let root = root(&public_key, |tbs| {
        let mut signed = service.ask(&command(), certify("root-ca", false), vec![tbs.to_vec()]);
        signed.parts.pop().unwrap()
    });
    assert_eq!(code(&list(&service, &root, 1, "root-ca")), "signed");
    let raise = |number| {
        let request = Request::RaiseMark { key: key("new"), number };
        code(&service.ask(&command(), request, Vec::new())).to_owned()
    };
    // another command makes a CRL of its own at the same time
    assert_eq!(raise(5), "done");
    assert_eq!(code(&list(&service, &root, 2, "root-ca")), "signed");
    // as a restore leaves it, which raises the mark above what may have been signed since the backup
    assert_eq!(raise(1000), "done");
    service.act(ActKind::Gap);
    assert_eq!(
        [3, 999].map(|number| code(&list(&service, &root, number, "root-ca")).to_owned()),
        ["signer.crl-number"; 2]
    );
    service.act(ActKind::Accepted);
    assert_eq!(code(&list(&service, &root, 999, "root-ca")), "signer.crl-number");
    assert_eq!(raise(1001), "done");
    assert_eq!(code(&list(&service, &root, 1001, "root-ca")), "signed");
}
