//! A responder certificate that is about to end: the tool makes none, so this one is made with the CA's key.
use crate::support::Home;
use crate::support::builders::{CertificateBuilder, TestKey};
use genfic_ca::x509::{Certificate, UnixTime, pem};
use std::fs;

/// The system CA's responder certificate again, with this end in seconds since 1970.
pub(crate) fn end_responder_at(home: &Home, end: i64) {
    let file = home.path("home/ocsp/genfic-system/responder.pem");
    let certificate = Certificate::from_pem_or_der(&fs::read(&file).unwrap()).unwrap();
    let key = TestKey::p256_of(&pem::decode_all(&home.ca_key_pem("genfic-system")).unwrap()[0].der);
    let begin = certificate.tbs().validity().not_before;
    let lapsing = CertificateBuilder::of(certificate.tbs()).valid(begin, UnixTime(end)).signed_der(&key);
    fs::write(file, pem::encode("CERTIFICATE", &lapsing)).unwrap();
}
