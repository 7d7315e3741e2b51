//! Rules on `version` and on the unique identifiers (RFC 5280 §4.1.2.1, §4.1.2.8).
use super::{CertificateRule, Subject};
use crate::lint::rule::{RuleOver, Scope, when};

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "version_is_v3",
        rows: &["X1"],
        citation: "RFC 5280 §4.1.2.1",
        says: "The version is v3",
        scope: Scope::Everyone,
        check: |subject| when(subject.own.version != Some(&[2, 1, 2]), "the version is not v3"),
    },
    RuleOver {
        name: "no_unique_identifiers",
        rows: &["X1"],
        citation: "RFC 5280 §4.1.2.8",
        says: "There are neither issuerUniqueID nor subjectUniqueID",
        scope: Scope::Everyone,
        check: unique_identifiers,
    },
];

fn unique_identifiers(subject: &Subject<'_>) -> Vec<String> {
    when(subject.own.has_unique_identifiers, "there is a unique identifier, which nobody reads any more")
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft};
    vec![
        BrokenCertificate::leaf("version_is_v3", |leaf: &mut CertificateDraft| {
            leaf.version = vec![0xa0, 3, 2, 1, 1]
        }),
        BrokenCertificate::leaf("no_unique_identifiers", |leaf: &mut CertificateDraft| {
            leaf.unique_identifiers = vec![0x81, 2, 0, 9]
        }),
    ]
}
