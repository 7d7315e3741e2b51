//! A responder certificate that is about to end: the tool makes none, so this one is made with the CA's key.
use crate::support::{Home, PASSPHRASE};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use genfic_ca::x509::{Certificate, SignatureAlgorithm, pem, seal};
use std::fs;
use std::io::Read;

/// The key of the system CA, as anybody has it who knows the passphrase.
fn key_of_system_ca(home: &Home) -> EcdsaKeyPair {
    let file = fs::read(home.path("home/keys/genfic-system.age")).unwrap();
    let identity = age::scrypt::Identity::new(age::secrecy::SecretString::from(PASSPHRASE));
    let decryptor = age::Decryptor::new_buffered(&*file).unwrap();
    let mut text = String::new();
    let identities = std::iter::once(&identity as &dyn age::Identity);
    decryptor.decrypt(identities).unwrap().read_to_string(&mut text).unwrap();
    let pkcs8 = &pem::decode_all(&text).unwrap()[0].der;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).unwrap()
}

/// The system CA's responder certificate again, with this end in seconds since 1970.
pub(crate) fn end_responder_at(home: &Home, end: i64) {
    let file = home.path("home/ocsp/genfic-system/responder.pem");
    let certificate = Certificate::from_pem_or_der(&fs::read(&file).unwrap()).unwrap();
    let key = key_of_system_ca(home);
    let utc_time = |at: i64| {
        jiff::Timestamp::from_second(at).unwrap().strftime("%y%m%d%H%M%SZ").to_string().into_bytes()
    };
    let mut tbs = certificate.tbs().as_der().to_vec();
    let former = utc_time(certificate.tbs().validity().not_after.0);
    let at = tbs.windows(former.len()).position(|part| part == former).unwrap();
    tbs.splice(at..at + former.len(), utc_time(end));
    let signature = key.sign(&SystemRandom::new(), &tbs).unwrap();
    let sealed = seal(&tbs, SignatureAlgorithm::ECDSA_SHA256, signature.as_ref());
    let lapsing = Certificate::from_der(&sealed).unwrap();
    assert_eq!(lapsing.tbs().validity().not_after.0, end);
    fs::write(file, pem::encode("CERTIFICATE", &sealed)).unwrap();
}
