//! Tests of the shipped profiles: what they grant and what they refuse.
mod files;
mod granted;
mod requests;

use super::testing::{authority_until, authority_with, ec_key, ed25519_key, rsa_key};
use super::*;
use crate::error::Problem;
use crate::testing::{CHALLENGE_PASSWORD, TestKey, attribute, info};
use crate::x509::extension::{
    self, AccessDescription, BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, Purpose,
    authority_key_identifier_of, distribution_point_urls, subject_alt_name, subject_key_identifier,
};
use crate::x509::octets::tlv;
use crate::x509::{
    Certificate, CertificationRequest, Extension, GeneralName, Name, SerialNumber, SignatureAlgorithm,
    TbsCertificate, encode_request,
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
    let (key, subject) = (TestKey::p256(), Name::parse(subject).unwrap());
    let info = if challenge {
        let password = attribute(CHALLENGE_PASSWORD, &tlv(0x0c, b"ABC"));
        info(0, subject.as_der(), key.public_key().as_der(), &[password])
    } else {
        encode_request(&subject, key.public_key(), extensions)
    };
    let der = key.seal(&info);
    Applicant::from(&CertificationRequest::from_der(&der).unwrap().verified().unwrap())
}

fn shipped_text(name: &str) -> &'static str {
    SHIPPED.iter().find(|row| row.0 == format!("{name}.toml")).unwrap().1
}
