//! Keys and CA certificates for the tests of this module.
use super::IssuerView;
use crate::x509::extension::BasicConstraints;
use crate::x509::octets::{sequence, tlv};
use crate::x509::{
    Certificate, Extension, Name, SerialNumber, SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertificate,
    UnixTime, Validity, seal,
};
use rcgen::PublicKeyData;

fn generated(algorithm: &'static rcgen::SignatureAlgorithm) -> SubjectPublicKeyInfo {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    SubjectPublicKeyInfo::from_der(&key.subject_public_key_info()).unwrap()
}

pub(super) fn ec_key() -> SubjectPublicKeyInfo {
    generated(&rcgen::PKCS_ECDSA_P256_SHA256)
}

pub(super) fn ed25519_key() -> SubjectPublicKeyInfo {
    generated(&rcgen::PKCS_ED25519)
}

pub(super) fn ml_dsa_key() -> SubjectPublicKeyInfo {
    let algorithm = sequence(&[&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18]]);
    SubjectPublicKeyInfo::from_der(&sequence(&[&algorithm, &tlv(3, &[0; 1953])])).unwrap()
}

pub(super) fn rsa_key() -> SubjectPublicKeyInfo {
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let public = aws_lc_rs::signature::KeyPair::public_key(&key).as_ref().to_vec();
    let algorithm = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let bits = tlv(3, &[vec![0], public].concat());
    SubjectPublicKeyInfo::from_der(&sequence(&[&algorithm, &bits])).unwrap()
}

fn authority(subject: &str, validity: Validity, extensions: Vec<Extension>) -> Certificate {
    let algorithm = SignatureAlgorithm::ECDSA_SHA256;
    let subject = Name::parse(subject).unwrap();
    let tbs = TbsCertificate::encode(
        SerialNumber::from_be_octets(&[1]).unwrap(),
        algorithm,
        Name::parse("CN=Above").unwrap(),
        validity,
        subject,
        ec_key(),
        extensions,
    );
    Certificate::from_der(&seal(tbs.as_der(), algorithm, &[1, 2, 3])).unwrap()
}

/// Returns a CA certificate with exactly these extensions. Its signature does not verify.
pub(super) fn authority_with(subject: &str, extensions: Vec<Extension>) -> Certificate {
    authority(subject, Validity { not_before: UnixTime(0), not_after: UnixTime(4_000_000_000) }, extensions)
}

/// Returns a CA certificate with this validity. Its signature does not verify.
pub(super) fn authority_until(subject: &str, not_before: UnixTime, not_after: UnixTime) -> Certificate {
    let constraints = BasicConstraints { ca: true, path_length: None };
    authority(subject, Validity { not_before, not_after }, vec![constraints.to_extension()])
}

/// Returns an issuer without URLs.
pub(super) fn view<'a>(certificate: &'a Certificate, ancestors: &'a [Certificate]) -> IssuerView<'a> {
    IssuerView {
        certificate,
        ancestors,
        profile: "system-ca",
        crl_urls: Vec::new(),
        ca_issuers_url: None,
        ocsp_url: None,
    }
}
