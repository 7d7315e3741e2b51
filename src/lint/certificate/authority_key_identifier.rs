//! Rules on `authorityKeyIdentifier` (RFC 5280 §4.2.1.1).
use super::{CertificateRule, Subject, never_critical};
use crate::lint::key_identifier;
use crate::lint::rule::{RuleOver, Scope, when};
use crate::x509::extension::AUTHORITY_KEY_IDENTIFIER;

const CITATION: &str = "RFC 5280 §4.2.1.1";

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "authority_key_identifier_present",
        rows: &["X3", "X6"],
        citation: CITATION,
        says: "authorityKeyIdentifier is there in all but roots",
        scope: Scope::Everyone,
        check: present,
    },
    RuleOver {
        name: "authority_key_identifier_not_critical",
        rows: &["X3", "X6"],
        citation: CITATION,
        says: "authorityKeyIdentifier is not critical",
        scope: Scope::Everyone,
        check: |subject| never_critical(subject, AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier"),
    },
    RuleOver {
        name: "authority_key_identifier_only",
        rows: &["X3"],
        citation: CITATION,
        says: "authorityKeyIdentifier holds the keyIdentifier and nothing else",
        scope: Scope::Everyone,
        check: only,
    },
    RuleOver {
        name: "authority_key_identifier_repeats_issuers",
        rows: &["X6"],
        citation: CITATION,
        says: "authorityKeyIdentifier has the octets of the issuer's subjectKeyIdentifier",
        scope: Scope::Everyone,
        check: repeats,
    },
];

fn present(subject: &Subject<'_>) -> Vec<String> {
    let missing = !subject.is_root() && !subject.own.has(AUTHORITY_KEY_IDENTIFIER);
    when(missing, "there is no authorityKeyIdentifier")
}

fn only(subject: &Subject<'_>) -> Vec<String> {
    subject.own.extension(AUTHORITY_KEY_IDENTIFIER).map_or_else(Vec::new, key_identifier::key_identifier_only)
}

fn repeats(subject: &Subject<'_>) -> Vec<String> {
    let issuers = subject.issuer.as_ref().and_then(|issuer| issuer.key_identifier());
    match (subject.own.extension(AUTHORITY_KEY_IDENTIFIER), issuers) {
        (Some(extension), Some(issuers)) => key_identifier::repeats(extension, issuers),
        _ => Vec::new(),
    }
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft, PARENT_IDENTIFIER};
    use crate::x509::Extension;
    use crate::x509::extension::authority_key_identifier;
    use crate::x509::octets::{sequence, tlv};
    let value = |octets: Vec<u8>| {
        move |leaf: &mut CertificateDraft| {
            leaf.put(Extension::new(AUTHORITY_KEY_IDENTIFIER, false, octets.clone()))
        }
    };
    let with_serial = sequence(&[&tlv(0x80, &PARENT_IDENTIFIER), &tlv(0xa1, &[]), &tlv(0x82, &[1])]);
    vec![
        BrokenCertificate::leaf("authority_key_identifier_present", |leaf| {
            leaf.remove(AUTHORITY_KEY_IDENTIFIER)
        }),
        BrokenCertificate::leaf("authority_key_identifier_not_critical", |leaf| {
            leaf.put(Extension { critical: true, ..authority_key_identifier(&PARENT_IDENTIFIER) });
        }),
        BrokenCertificate::leaf("authority_key_identifier_only", value(with_serial)),
        BrokenCertificate::leaf("authority_key_identifier_only", value(vec![0x30, 0])),
        BrokenCertificate::leaf("authority_key_identifier_repeats_issuers", |leaf| {
            leaf.put(authority_key_identifier(&[9; 20]))
        }),
        BrokenCertificate::root("authority_key_identifier_repeats_issuers", |root| {
            root.put(authority_key_identifier(&[9; 20]))
        }),
    ]
}
