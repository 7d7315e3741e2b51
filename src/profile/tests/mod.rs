//! Tests of the shipped profiles: what they grant and what they refuse.
mod files;
mod granted;
mod requests;

use super::testing::{authority_until, authority_with, ec_key, ed25519_key, rsa_key};
use super::*;
use crate::error::Problem;
use crate::x509::extension::{
    self, AccessDescription, BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, Purpose,
    authority_key_identifier_of, distribution_point_urls, subject_alt_name, subject_key_identifier,
};
use crate::x509::{
    Certificate, CertificationRequest, Extension, GeneralName, Name, SerialNumber, SignatureAlgorithm,
    SubjectPublicKeyInfo, TbsCertificate, encode_request, seal,
};

const NOW: UnixTime = UnixTime(1_800_000_000);
const HOUR: i64 = 3600;

fn shipped(name: &str) -> Profile {
    let text = |suffix: &str| SHIPPED.iter().find(|row| row.0 == format!("{name}{suffix}"));
    let (_, text) = text(".toml").or_else(|| text(".toml.example")).unwrap();
    Profile::parse(name, text).unwrap()
}

fn root() -> Certificate {
    authority_until("C=BE,O=Genfic,CN=Root", NOW.plus(-HOUR), NOW.plus_days(7300))
}

fn view<'a>(issuer: &'a Certificate, profile: &'a str) -> IssuerView<'a> {
    IssuerView {
        certificate: issuer,
        ancestors: &[],
        profile,
        crl_urls: vec!["http://pki.genfic.example/ca.crl".into()],
        ca_issuers_url: Some("http://pki.genfic.example/ca.crt".into()),
        ocsp_url: Some("http://pki.genfic.example/ocsp".into()),
    }
}

fn applicant(subject: &str) -> Applicant {
    Applicant::new(Name::parse(subject).unwrap(), ec_key())
}

fn ask() -> Ask {
    Ask { backdate: HOUR, ..Ask::default() }
}

fn grant(profile: &str, issuer_profile: &str, applicant: &Applicant, ask: &Ask) -> CertificateTemplate {
    let issuer = root();
    shipped(profile).evaluate(applicant, Some(&view(&issuer, issuer_profile)), ask, NOW).unwrap()
}

fn refused(profile: &str, issuer_profile: &str, applicant: &Applicant, ask: &Ask) -> Vec<&'static str> {
    let issuer = root();
    let verdict = shipped(profile).evaluate(applicant, Some(&view(&issuer, issuer_profile)), ask, NOW);
    verdict.unwrap_err().iter().map(|violation| violation.rule.code()).collect()
}

fn assembled(template: &CertificateTemplate, issuer: &Name) -> TbsCertificate {
    let serial = SerialNumber::from_random([7; 17]);
    template.assemble(serial, SignatureAlgorithm::ECDSA_SHA256, issuer)
}

fn oids(template: &CertificateTemplate) -> Vec<der::asn1::ObjectIdentifier> {
    template.extensions.iter().map(|extension| extension.oid).collect()
}

fn request(subject: &str, extensions: &[Extension], challenge: bool) -> Applicant {
    let key =
        aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let key = key.unwrap();
    let point = aws_lc_rs::signature::KeyPair::public_key(&key).as_ref();
    let mut spki = ec_key().as_der().to_vec();
    let start = spki.len() - 65;
    spki[start..].copy_from_slice(point);
    let spki = SubjectPublicKeyInfo::from_der(&spki).unwrap();
    let mut info = encode_request(&Name::parse(subject).unwrap(), &spki, extensions);
    if challenge {
        let password =
            [0x30, 18, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 9, 7, 0x31, 5, 0x0c, 3, 65, 66, 67];
        let attributes = crate::x509::octets::tlv(0xa0, &password);
        let subject = Name::parse(subject).unwrap();
        info = crate::x509::octets::sequence(&[&[2, 1, 0], subject.as_der(), spki.as_der(), &attributes]);
    }
    let signature = key.sign(&aws_lc_rs::rand::SystemRandom::new(), &info).unwrap();
    let der = seal(&info, SignatureAlgorithm::ECDSA_SHA256, signature.as_ref());
    Applicant::from(&CertificationRequest::from_der(&der).unwrap().verified().unwrap())
}

fn shipped_text(name: &str) -> &'static str {
    SHIPPED.iter().find(|row| row.0 == format!("{name}.toml")).unwrap().1
}
