//! Rules on `extensions` as a whole (RFC 5280 §4.1.2.9, §4.2).
use super::{CertificateRule, Subject};
use crate::lint::raw_extension;
use crate::lint::rule::{RuleOver, Scope, when};
use crate::x509::extension as ext;
use der::asn1::ObjectIdentifier;

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "extensions_present",
        rows: &["X3", "X5"],
        citation: "RFC 5280 §4.1.2.9, §4.2",
        says: "There are extensions, and never an empty list of them",
        scope: Scope::Everyone,
        check: present,
    },
    RuleOver {
        name: "extensions_unique",
        rows: &["X12"],
        citation: "RFC 5280 §4.2",
        says: "No extension stands there twice",
        scope: Scope::Everyone,
        check: |subject| raw_extension::repeated(&subject.own.extensions),
    },
    RuleOver {
        name: "extensions_encoding",
        rows: &["X12"],
        citation: "RFC 5280 §4.2, X.690 §11.5",
        says: "Extensions are DER, and critical is left out where it is FALSE",
        scope: Scope::Everyone,
        check: |subject| raw_extension::wrongly_encoded(&subject.own.extensions),
    },
    RuleOver {
        name: "critical_extensions_known",
        rows: &["X12"],
        citation: "RFC 5280 §4.2",
        says: "No extension is critical that is not known here",
        scope: Scope::Everyone,
        check: |subject| raw_extension::unknown_critical(&subject.own.extensions, &KNOWN),
    },
];

/// `id-ce-policyMappings`, `id-ce-policyConstraints` and `id-ce-inhibitAnyPolicy`, which are known but never issued.
const POLICY: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("2.5.29.33"),
    ObjectIdentifier::new_unwrap("2.5.29.36"),
    ObjectIdentifier::new_unwrap("2.5.29.54"),
];

const KNOWN: [ObjectIdentifier; 16] = [
    ext::SUBJECT_KEY_IDENTIFIER,
    ext::KEY_USAGE,
    ext::SUBJECT_ALT_NAME,
    ext::BASIC_CONSTRAINTS,
    ext::NAME_CONSTRAINTS,
    ext::CRL_DISTRIBUTION_POINTS,
    ext::CERTIFICATE_POLICIES,
    ext::AUTHORITY_KEY_IDENTIFIER,
    ext::EXTENDED_KEY_USAGE,
    ext::FRESHEST_CRL,
    ext::NO_REV_AVAIL,
    ext::AUTHORITY_INFO_ACCESS,
    ext::OCSP_NO_CHECK,
    POLICY[0],
    POLICY[1],
    POLICY[2],
];

fn present(subject: &Subject<'_>) -> Vec<String> {
    let message = if subject.own.has_extensions {
        "the list of extensions is empty"
    } else {
        "there are no extensions"
    };
    when(subject.own.extensions.is_empty(), message)
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft};
    use crate::x509::Extension;
    use crate::x509::octets::sequence;
    let odd = |critical: bool| {
        let oid = ObjectIdentifier::new_unwrap("1.2.3.4");
        move |leaf: &mut CertificateDraft| leaf.put(Extension::new(oid, critical, vec![5, 0]))
    };
    let raw = |octets: Vec<u8>| move |leaf: &mut CertificateDraft| leaf.raw_extensions.push(octets.clone());
    let again = CertificateDraft::leaf().extension(ext::EXTENDED_KEY_USAGE).to_der();
    vec![
        BrokenCertificate::leaf("extensions_present", |leaf| leaf.extensions = Vec::new())
            .and("authority_key_identifier_present")
            .and("subject_key_identifier_present")
            .and("key_usage_present"),
        BrokenCertificate::leaf("extensions_unique", raw(again)),
        BrokenCertificate::leaf(
            "extensions_encoding",
            raw(sequence(&[&[6, 2, 0x2a, 3], &[1, 1, 0], &[4, 2, 5, 0]])),
        ),
        BrokenCertificate::leaf("extensions_encoding", raw(sequence(&[&[6, 2, 0x2a, 3], &[4, 3, 1, 1, 1]]))),
        BrokenCertificate::leaf("extensions_encoding", raw(sequence(&[&[6, 2, 0x2a, 3], &[4, 0]]))),
        BrokenCertificate::leaf("critical_extensions_known", odd(true)),
    ]
}
