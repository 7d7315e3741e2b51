//! Keys and CA certificates for the tests of this module.
use super::IssuerView;
use crate::testing::{CertificateBuilder, RSA, TestKey, name, public_key};
use crate::x509::extension::BasicConstraints;
use crate::x509::{Certificate, Extension, SubjectPublicKeyInfo, UnixTime};

pub(super) fn ec_key() -> SubjectPublicKeyInfo {
    TestKey::p256().public_key().clone()
}

pub(super) fn ed25519_key() -> SubjectPublicKeyInfo {
    TestKey::ed25519().public_key().clone()
}

pub(super) fn ml_dsa_key() -> SubjectPublicKeyInfo {
    let ml_dsa_65 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
    SubjectPublicKeyInfo::from_der(&public_key(&ml_dsa_65, &[], &[0; 1952])).unwrap()
}

pub(super) fn rsa_key() -> SubjectPublicKeyInfo {
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let public = aws_lc_rs::signature::KeyPair::public_key(&key).as_ref().to_vec();
    SubjectPublicKeyInfo::from_der(&public_key(RSA, &[5, 0], &public)).unwrap()
}

fn authority(subject: &str) -> CertificateBuilder {
    CertificateBuilder::new(&name(subject), &ec_key()).named_by(&name("CN=Above"))
}

/// Returns a CA certificate with exactly these extensions. Its signature does not verify.
pub(super) fn authority_with(subject: &str, extensions: Vec<Extension>) -> Certificate {
    authority(subject).with(extensions).unsigned()
}

/// Returns a CA certificate with this validity. Its signature does not verify.
pub(super) fn authority_until(subject: &str, not_before: UnixTime, not_after: UnixTime) -> Certificate {
    let constraints = BasicConstraints { ca: true, path_length: None };
    authority(subject).valid(not_before, not_after).with([constraints.to_extension()]).unsigned()
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
