//! A responder certificate that is about to end: the tool makes none, so this one is made with the CA's key.
use crate::support::{Home, PASSPHRASE};
use genfic_ca::key::{AgeFileStore, KeyError, KeyRef, KeyStore, Secret, SecretPurpose, SecretSource};
use genfic_ca::x509::{Certificate, seal};
use std::fs;

struct Known;

impl SecretSource for Known {
    fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
        Ok(Secret::new(PASSPHRASE.into()))
    }
}

/// The system CA's responder certificate again, with this end in seconds since 1970.
pub(crate) fn end_responder_at(home: &Home, end: i64) {
    let file = home.path("home/ocsp/genfic-system/responder.pem");
    let certificate = Certificate::from_pem_or_der(&fs::read(&file).unwrap()).unwrap();
    let key = KeyRef::AgeFile(home.path("home/keys/genfic-system.age"));
    let key = AgeFileStore::default().open(&key, &Known).unwrap();
    let utc_time = |at: i64| {
        jiff::Timestamp::from_second(at).unwrap().strftime("%y%m%d%H%M%SZ").to_string().into_bytes()
    };
    let mut tbs = certificate.tbs().as_der().to_vec();
    let former = utc_time(certificate.tbs().validity().not_after.0);
    let at = tbs.windows(former.len()).position(|part| part == former).unwrap();
    tbs.splice(at..at + former.len(), utc_time(end));
    let sealed = seal(&tbs, key.algorithm(), &key.sign(&tbs).unwrap());
    let lapsing = Certificate::from_der(&sealed).unwrap();
    assert_eq!(lapsing.tbs().validity().not_after.0, end);
    fs::write(file, lapsing.to_pem()).unwrap();
}
