//! Rules on certificates (rows X), a file for each part of the certificate.
mod authority_key_identifier;
mod basic_constraints;
#[cfg(test)]
pub(in crate::lint) mod draft;
mod extended_key_usage;
mod extensions;
mod fields;
mod issuer;
mod key_usage;
mod name_constraints;
mod name_syntax;
mod pointers;
mod public_key;
mod serial_number;
mod signature;
mod subject;
mod subject_alt_name;
mod subject_key_identifier;
mod validity;
mod version;

pub(super) use fields::{Fields, Subject};

use super::rule::{RuleOver, when};
use der::asn1::ObjectIdentifier;

/// A rule on certificates.
pub(super) type CertificateRule = RuleOver<fn(&Subject<'_>) -> Vec<String>>;

const RULES: [&[CertificateRule]; 16] = [
    version::RULES,
    serial_number::RULES,
    signature::RULES,
    issuer::RULES,
    validity::RULES,
    subject::RULES,
    public_key::RULES,
    extensions::RULES,
    authority_key_identifier::RULES,
    subject_key_identifier::RULES,
    basic_constraints::RULES,
    key_usage::RULES,
    subject_alt_name::RULES,
    name_constraints::RULES,
    extended_key_usage::RULES,
    pointers::RULES,
];

/// Returns every rule on certificates, in the order of their fields.
pub(super) fn certificate_rules() -> impl Iterator<Item = &'static CertificateRule> {
    RULES.into_iter().flatten()
}

fn never_critical(subject: &Subject<'_>, oid: ObjectIdentifier, name: &str) -> Vec<String> {
    let critical = subject.own.extension(oid).is_some_and(|extension| extension.is_critical());
    when(critical, format!("{name} is critical"))
}

#[cfg(test)]
mod tests {
    use super::draft::{BrokenCertificate, CertificateDraft};
    use super::*;

    fn broken() -> Vec<BrokenCertificate> {
        [
            version::broken,
            serial_number::broken,
            signature::broken,
            issuer::broken,
            validity::broken,
            subject::broken,
            public_key::broken,
            extensions::broken,
            authority_key_identifier::broken,
            subject_key_identifier::broken,
            basic_constraints::broken,
            key_usage::broken,
            subject_alt_name::broken,
            name_constraints::broken,
            extended_key_usage::broken,
            pointers::broken,
        ]
        .iter()
        .flat_map(|group| group())
        .collect()
    }

    #[test]
    fn what_is_as_we_make_it_breaks_no_rule() {
        // X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X14
        for (draft, issuer) in [
            (CertificateDraft::root(), None),
            (CertificateDraft::child_ca(), Some(CertificateDraft::root())),
            (CertificateDraft::leaf(), Some(CertificateDraft::parent())),
            (CertificateDraft::responder(), Some(CertificateDraft::parent())),
            (CertificateDraft::leaf(), None),
        ] {
            assert_eq!(draft.findings(issuer.as_ref()), []);
        }
    }

    #[test]
    fn every_rule_is_broken_by_something_and_only_that_rule_is_found() {
        // X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14
        let broken = broken();
        for case in &broken {
            let mut found: Vec<&str> = case.findings().iter().map(|finding| finding.rule).collect();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, case.expected(), "{:?}", case.findings());
        }
        for rule in certificate_rules() {
            assert!(broken.iter().any(|case| case.rule == rule.name), "nothing breaks {}", rule.name);
        }
    }
}
