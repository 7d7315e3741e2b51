//! Rules on `basicConstraints` (RFC 5280 §4.2.1.9).
use super::{CertificateRule, Subject};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::x509::extension::{BASIC_CONSTRAINTS, BasicConstraints};

const CITATION: &str = "RFC 5280 §4.2.1.9";

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "basic_constraints_form",
        rows: &["X5"],
        citation: CITATION,
        says: "basicConstraints can be read, and are empty where they do not say CA",
        scope: Scope::Everyone,
        check: form,
    },
    RuleOver {
        name: "basic_constraints_critical",
        rows: &["X5"],
        citation: CITATION,
        says: "basicConstraints are critical in CA certificates",
        scope: Scope::Everyone,
        check: critical,
    },
    RuleOver {
        name: "path_length_kept",
        rows: &["X5"],
        citation: "RFC 5280 §4.2.1.9, §6.1.4 (l), (m)",
        says: "No CA certificate stands below an issuer whose path length is 0, and no path length below a shorter or equal one",
        scope: Scope::Everyone,
        check: path_length,
    },
];

fn form(subject: &Subject<'_>) -> Vec<String> {
    let Some(extension) = subject.own.extension(BASIC_CONSTRAINTS) else { return Vec::new() };
    match BasicConstraints::from_value(extension.value) {
        Ok(constraints) if constraints.ca => Vec::new(),
        Ok(_) => when(extension.value != [0x30, 0], "basicConstraints of an end entity are not empty"),
        Err(error) => vec![error.reason],
    }
}

fn critical(subject: &Subject<'_>) -> Vec<String> {
    let critical = subject.own.extension(BASIC_CONSTRAINTS).is_some_and(|extension| extension.is_critical());
    when(subject.own.is_ca() && !critical, "basicConstraints of a CA certificate are not critical")
}

fn path_length(subject: &Subject<'_>) -> Vec<String> {
    let issuers = subject.parent().and_then(|parent| parent.basic_constraints()?.path_length);
    let (Some(issuers), Some(own)) = (issuers, subject.own.basic_constraints()) else { return Vec::new() };
    if !own.ca || subject.own.is_self_issued() {
        return Vec::new();
    }
    match own.path_length {
        _ if issuers == 0 => vec!["a CA certificate below an issuer whose path length is 0".into()],
        Some(own) => when(own >= issuers, format!("path length {own} below an issuer's {issuers}")),
        None => Vec::new(),
    }
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft};
    use crate::x509::Extension;
    let constraints = |ca, path_length| BasicConstraints { ca, path_length }.to_extension();
    let mut narrow = CertificateDraft::child_ca();
    narrow.put(constraints(true, Some(0)));
    let mut wide = CertificateDraft::child_ca();
    wide.put(constraints(true, Some(2)));
    let value = |octets: Vec<u8>| {
        move |leaf: &mut CertificateDraft| leaf.put(Extension::new(BASIC_CONSTRAINTS, true, octets.clone()))
    };
    vec![
        BrokenCertificate::leaf("basic_constraints_form", value(vec![0x30, 3, 2, 1, 0])),
        BrokenCertificate::leaf("basic_constraints_form", value(vec![4, 0])),
        BrokenCertificate::child_ca("basic_constraints_critical", move |ca| {
            ca.put(Extension { critical: false, ..constraints(true, None) });
        }),
        BrokenCertificate::child_ca("path_length_kept", |_| ()).issued_by(narrow),
        BrokenCertificate::child_ca("path_length_kept", move |ca| ca.put(constraints(true, Some(2))))
            .issued_by(wide),
    ]
}
