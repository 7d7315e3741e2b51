//! Rules on `issuer`, and on what the issuer is allowed to issue (RFC 5280 §4.1.2.4, §6.1.4).
use super::{CertificateRule, Subject};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::x509::extension::KeyUsage;

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "issuer_not_empty",
        rows: &["X3"],
        citation: "RFC 5280 §4.1.2.4",
        says: "The issuer's name is not empty",
        scope: Scope::Everyone,
        check: |subject| when(subject.own.issuer.contents.is_empty(), "the issuer's name is empty"),
    },
    RuleOver {
        name: "issuer_repeats_subject",
        rows: &["X3"],
        citation: "RFC 5280 §4.1.2.4, §7.1",
        says: "The issuer's name has the octets of the subject in the issuer's certificate",
        scope: Scope::Everyone,
        check: repeats_subject,
    },
    RuleOver {
        name: "issuer_is_ca",
        rows: &["X5", "X11"],
        citation: "RFC 5280 §6.1.4 (k), (n)",
        says: "The issuer's certificate is a CA certificate whose key may sign certificates",
        scope: Scope::Everyone,
        check: is_ca,
    },
    RuleOver {
        name: "issuer_is_not_subject_of_leaf",
        rows: &["X3"],
        citation: "RFC 5280 §3.2, §6.1",
        says: "Only a CA bears its issuer's name: a certificate of another key that is no CA's has a name of its own",
        scope: Scope::Everyone,
        check: bears_issuers_name,
    },
];

fn repeats_subject(subject: &Subject<'_>) -> Vec<String> {
    let differs =
        subject.issuer.as_ref().is_some_and(|issuer| issuer.subject.whole != subject.own.issuer.whole);
    when(differs, "the issuer's name is not, octet for octet, the subject of the issuer's certificate")
}

fn is_ca(subject: &Subject<'_>) -> Vec<String> {
    let Some(parent) = subject.parent() else { return Vec::new() };
    if !parent.is_ca() {
        return vec!["the issuer's certificate is no CA certificate".into()];
    }
    let may = parent.key_usage().is_none_or(|usage| usage.has(KeyUsage::KEY_CERT_SIGN));
    when(!may, "the issuer's certificate has no keyCertSign")
}

fn bears_issuers_name(subject: &Subject<'_>) -> Vec<String> {
    let own = &subject.own;
    if own.is_ca() || own.subject.contents.is_empty() || !own.is_self_issued() {
        return Vec::new();
    }
    when(!subject.is_root(), "a certificate that is no CA's has the name of its issuer, and another key")
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft, name};
    use crate::x509::extension::BasicConstraints;
    let mut issuer = CertificateDraft::child_ca();
    issuer.put(KeyUsage::CRL_SIGN.to_extension());
    let mut no_ca = CertificateDraft::child_ca();
    no_ca.put(BasicConstraints { ca: false, path_length: None }.to_extension());
    vec![
        BrokenCertificate::without_issuer("issuer_not_empty", |leaf| leaf.issuer = vec![0x30, 0]),
        BrokenCertificate::leaf("issuer_repeats_subject", |leaf| {
            leaf.issuer = name("C=BE,O=Example,CN=Example child CA")
        }),
        BrokenCertificate::leaf("issuer_is_not_subject_of_leaf", |leaf| {
            leaf.subject.clone_from(&leaf.issuer);
            leaf.set_key(crate::testing::TestKey::p256().public_key().as_der());
        }),
        BrokenCertificate::without_issuer("issuer_is_not_subject_of_leaf", |leaf| {
            leaf.subject = name("C=BE,CN=child")
        }),
        BrokenCertificate::leaf("issuer_is_ca", |_| ()).issued_by(issuer),
        BrokenCertificate::leaf("issuer_is_ca", |_| ()).issued_by(no_ca),
    ]
}
