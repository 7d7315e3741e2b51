//! A client that has a root of the service linked with another generation.
use super::clients_tests::{Service, command, key, peer};
use crate::profile::{Applicant, RequestedValues};
use crate::signer::ClientClass;
use crate::signer::admit::tests::{granted, name, serial};
use crate::signer::protocol::{Failure, Frame, Reply, Request};
use crate::testing::NOW;
use crate::x509::extension::{AUTHORITY_KEY_IDENTIFIER, authority_key_identifier, crl_number};
use crate::x509::{
    Certificate, KeyAlgorithm, SerialNumber, SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertListBuilder,
    TbsCertificate, encode_signed, sha256,
};

fn code(answer: &Frame<Reply>) -> &str {
    match &answer.message {
        Reply::Failed { failure: Failure::NotAdmitted { code, .. } } => code,
        Reply::Signed => "signed",
        Reply::Done => "done",
        other => panic!("{other:?}"),
    }
}

/// Makes a root in the service, whose certificate and envelope are kept with its first CRL.
fn make_root(service: &Service, called: &str, number: SerialNumber) -> Certificate {
    service.prepare(called);
    let request = Request::Generate { key: key(called), algorithm: KeyAlgorithm::P256.to_string() };
    let made = service.ask(&command(), request, Vec::new());
    let public_key = SubjectPublicKeyInfo::from_der(&made.parts[0]).unwrap();
    let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Root"), public_key);
    let tbs = granted("root-ca", None, &applicant, RequestedValues::default(), number);
    let signed = service.ask(&command(), certify(called, false), vec![tbs.as_der().to_vec()]);
    assert_eq!(code(&signed), "signed");
    let root = encode_signed(tbs.as_der(), tbs.signature(), &signed.parts[0]);
    let root = Certificate::from_der(&root).unwrap();
    let algorithm = SignatureAlgorithm::ECDSA_SHA256;
    let list = TbsCertListBuilder::new(algorithm, root.tbs().subject().clone(), NOW, NOW.plus_days(7));
    let list = list.encode(vec![authority_key_identifier(&root.key_identifier()), crl_number(1)]);
    let request = Request::SignCrl { key: key(called), profile: Some("root-ca".into()) };
    let parts = vec![list.as_der().to_vec(), root.as_der().to_vec()];
    assert_eq!(code(&service.ask(&command(), request, parts)), "signed");
    root
}

fn certify(called: &str, issuer: bool) -> Request {
    Request::SignCertificates { key: key(called), issuer, profile: Some("root-ca".into()), enrolment: false }
}

fn link(service: &Service, called: &str, (by, other): (&Certificate, &Certificate), number: u8) -> String {
    let (own, of) = (by.tbs(), other.tbs());
    let replaced = |one: &crate::x509::Extension| match one.oid == AUTHORITY_KEY_IDENTIFIER {
        true => authority_key_identifier(&by.key_identifier()),
        false => one.clone(),
    };
    let tbs = TbsCertificate::encode(
        serial(number),
        own.signature(),
        own.subject().clone(),
        of.validity(),
        of.subject().clone(),
        of.public_key().clone(),
        of.extensions().iter().map(replaced).collect(),
    );
    let parts = vec![tbs.as_der().to_vec(), by.as_der().to_vec()];
    code(&service.ask(&command(), certify(called, true), parts)).to_owned()
}

#[test]
fn a_root_is_linked_with_a_generation_that_the_service_made_and_with_another_that_was_accepted() {
    // RFC 9810 §4.4, K3
    let service = Service::new();
    let old = make_root(&service, "new", serial(50));
    let new = make_root(&service, "new-g2", serial(51));
    assert_eq!(link(&service, "new", (&old, &new), 60), "signed");
    assert_eq!(link(&service, "new-g2", (&new, &old), 61), "signed");
    // a certificate of which no key is here any more
    std::fs::remove_file(service.file("new-g2.envelope.toml")).unwrap();
    assert_eq!(link(&service, "new", (&old, &new), 62), "signer.certificate-unknown");
    let certificate = base16ct::lower::encode_string(&sha256(new.as_der()));
    let accept = Request::AcceptCertificate { key: "new".into(), certificate };
    let administrator = peer(ClientClass::Administrator, 1000);
    assert_eq!(code(&service.ask(&administrator, accept, Vec::new())), "done");
    assert_eq!(link(&service, "new", (&old, &new), 63), "signed");
}
