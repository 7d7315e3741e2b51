//! Certificates for the tests of this module; their signatures are none.
use crate::signing::SubscriberKey;
use crate::x509::{
    Certificate, KeyAlgorithm, Name, SerialNumber, SignatureAlgorithm, TbsCertificate, UnixTime, Validity,
    seal,
};

pub(super) fn certificate_of(subject: &Name) -> Certificate {
    let key = SubscriberKey::generate(KeyAlgorithm::P256).unwrap();
    let algorithm = SignatureAlgorithm::ECDSA_SHA256;
    let tbs = TbsCertificate::encode(
        SerialNumber::from_be_octets(&[1]).unwrap(),
        algorithm,
        subject.clone(),
        Validity { not_before: UnixTime(0), not_after: UnixTime(4_000_000_000) },
        subject.clone(),
        key.public_key().clone(),
        Vec::new(),
    );
    Certificate::from_der(&seal(tbs.as_der(), algorithm, &[1, 2, 3])).unwrap()
}
