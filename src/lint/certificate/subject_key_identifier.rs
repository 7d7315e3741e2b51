//! Rules on `subjectKeyIdentifier` (RFC 5280 §4.2.1.2, RFC 7093 §2).
use super::{CertificateRule, Subject, never_critical};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::lint::tlv::Tlv;
use crate::x509::extension::SUBJECT_KEY_IDENTIFIER;
use crate::x509::sha256;

const CITATION: &str = "RFC 5280 §4.2.1.2";

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "subject_key_identifier_present",
        rows: &["X6"],
        citation: CITATION,
        says: "subjectKeyIdentifier is there and is an OCTET STRING with octets",
        scope: Scope::Everyone,
        check: present,
    },
    RuleOver {
        name: "subject_key_identifier_not_critical",
        rows: &["X6"],
        citation: CITATION,
        says: "subjectKeyIdentifier is not critical",
        scope: Scope::Everyone,
        check: |subject| never_critical(subject, SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier"),
    },
    RuleOver {
        name: "subject_key_identifier_method",
        rows: &["X6"],
        citation: "RFC 7093 §2 (1)",
        says: "subjectKeyIdentifier is the left-most 160 bits of the key's SHA-256",
        scope: Scope::Ours,
        check: method,
    },
];

fn present(subject: &Subject<'_>) -> Vec<String> {
    let missing = subject.own.key_identifier().is_none_or(<[u8]>::is_empty);
    when(missing, "there is no subjectKeyIdentifier with octets")
}

fn method(subject: &Subject<'_>) -> Vec<String> {
    let bits = Tlv::tlvs(&subject.own.public_key).find(|tlv| tlv.tag == 3);
    let key = bits.and_then(|bits| bits.contents.split_first()).map_or(&[][..], |(_unused, key)| key);
    let digest = sha256(key);
    let wrong = subject.own.key_identifier().is_some_and(|own| digest.get(..20) != Some(own));
    when(wrong, "subjectKeyIdentifier is not made by method 1 of RFC 7093")
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft};
    use crate::x509::Extension;
    let value = |octets: Vec<u8>| {
        move |leaf: &mut CertificateDraft| {
            leaf.put(Extension::new(SUBJECT_KEY_IDENTIFIER, false, octets.clone()))
        }
    };
    vec![
        BrokenCertificate::leaf("subject_key_identifier_present", |leaf| leaf.remove(SUBJECT_KEY_IDENTIFIER)),
        BrokenCertificate::leaf("subject_key_identifier_present", value(vec![4, 0]))
            .and("subject_key_identifier_method"),
        BrokenCertificate::leaf("subject_key_identifier_not_critical", |leaf| {
            let extension = leaf.extension(SUBJECT_KEY_IDENTIFIER);
            leaf.put(Extension { critical: true, ..extension });
        }),
        BrokenCertificate::leaf("subject_key_identifier_method", value(vec![4, 2, 1, 2])),
    ]
}
