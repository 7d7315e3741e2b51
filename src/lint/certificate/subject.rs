//! Rules on `subject` (RFC 5280 §4.1.2.6 and Appendix A).
use super::{CertificateRule, Subject};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::lint::tlv::Tlvs;
use crate::x509::{Attribute, AttributeValue, StringKind};

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "subject_encoding",
        rows: &["X4"],
        citation: "RFC 5280 §4.1.2.4",
        says: "The subject is a sequence of relative distinguished names, each with an attribute at least",
        scope: Scope::Everyone,
        check: |subject| when(subject.own.subject_name().is_none(), "the subject is no sequence of RDNs"),
    },
    RuleOver {
        name: "subject_of_ca_not_empty",
        rows: &["X3"],
        citation: "RFC 5280 §4.1.2.6",
        says: "A CA certificate has a subject",
        scope: Scope::Everyone,
        check: not_empty,
    },
    RuleOver {
        name: "subject_values",
        rows: &["X4"],
        citation: "RFC 5280 Appendix A.1",
        says: "Subject attributes are not empty, within their upper bounds, and of the characters of their type",
        scope: Scope::Everyone,
        check: values,
    },
    RuleOver {
        name: "subject_string_types",
        rows: &["X4"],
        citation: "RFC 5280 §4.1.2.4, Appendix A.1",
        says: "Countries, serial numbers and DN qualifiers are PrintableString; domain components and mail addresses IA5String",
        scope: Scope::Everyone,
        check: string_types,
    },
    RuleOver {
        name: "subject_text_is_utf8",
        rows: &["X4"],
        citation: "RFC 5280 §4.1.2.4",
        says: "Other text is UTF8String, unless the name is established: that of a self-issued certificate",
        scope: Scope::Ours,
        check: utf8,
    },
    RuleOver {
        name: "subject_rdn_order",
        rows: &["X4"],
        citation: "X.690 §11.6",
        says: "The attributes of an RDN are in DER's order, unless the name is established",
        scope: Scope::Everyone,
        check: rdn_order,
    },
];

fn attributes(subject: &Subject<'_>) -> Vec<Attribute> {
    subject.own.subject_name().map_or_else(Vec::new, |name| name.attributes())
}

fn not_empty(subject: &Subject<'_>) -> Vec<String> {
    when(subject.own.is_ca() && subject.own.subject.contents.is_empty(), "a CA certificate without a subject")
}

fn values(subject: &Subject<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for attribute in attributes(subject) {
        let label = attribute.label();
        match (attribute.text(), attribute.kind()) {
            (Some(text), Some(kind)) => {
                out.extend(kind.refuses(&text).map(|reason| format!("the subject's {label} {reason}")));
            }
            (Some(text), None) if text.is_empty() || text.chars().any(char::is_control) => {
                out.push(format!("the subject's {label} is empty or has control characters"));
            }
            (None, Some(_)) => out.push(format!("the subject's {label} is no text of its string type")),
            _ => {}
        }
    }
    out
}

fn string_types(subject: &Subject<'_>) -> Vec<String> {
    let wrong = |attribute: &Attribute| match attribute.kind().map(|kind| kind.kind) {
        Some(StringKind::Printable) => attribute.value.tag() != AttributeValue::PRINTABLE_STRING,
        Some(StringKind::Ia5) => attribute.value.tag() != AttributeValue::IA5_STRING,
        _ => false,
    };
    let wrong = attributes(subject).into_iter().filter(wrong);
    wrong
        .map(|attribute| format!("the subject's {} is {}", attribute.label(), attribute.value.type_name()))
        .collect()
}

fn utf8(subject: &Subject<'_>) -> Vec<String> {
    if subject.own.is_self_issued() {
        return Vec::new();
    }
    attributes(subject)
        .into_iter()
        .filter(|attribute| attribute.kind().is_some_and(|kind| kind.kind == StringKind::Utf8))
        .filter(|attribute| attribute.value.tag() != AttributeValue::UTF8_STRING)
        .map(|attribute| format!("the subject's {} is {}", attribute.label(), attribute.value.type_name()))
        .collect()
}

fn rdn_order(subject: &Subject<'_>) -> Vec<String> {
    if subject.own.is_self_issued() {
        return Vec::new();
    }
    let unsorted = |rdn: Tlvs<'_>| !rdn.map(|one| one.whole).is_sorted();
    let found = subject.own.subject.tlvs().any(|rdn| unsorted(rdn.tlvs()));
    when(found, "the attributes of an RDN of the subject are not in DER's order")
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::BrokenCertificate;
    use crate::x509::octets::{SEQUENCE, SET, sequence, tlv};
    let value = |arc: u8, tag: u8, text: &[u8]| sequence(&[&[6, 3, 0x55, 4, arc], &tlv(tag, text)]);
    let one = |name, attribute: Vec<u8>| {
        BrokenCertificate::leaf(name, move |leaf| leaf.subject = tlv(SEQUENCE, &tlv(SET, &attribute)))
    };
    vec![
        BrokenCertificate::leaf("subject_encoding", |leaf| leaf.subject = vec![0x30, 2, 0x31, 0]),
        BrokenCertificate::child_ca("subject_of_ca_not_empty", |ca| ca.subject = vec![0x30, 0])
            .and("subject_alt_name_present"),
        one("subject_values", value(10, 0x0c, &[b'x'; 65])),
        one("subject_values", value(10, 0x0c, b"")),
        one("subject_values", value(10, 0x0c, b"a\x1b[2J")),
        one("subject_values", value(10, 0x0c, &[0xff])),
        one("subject_values", value(6, 0x13, b"be")),
        one("subject_string_types", value(6, 0x0c, b"BE")),
        one("subject_text_is_utf8", value(10, 0x13, b"Example")),
        one("subject_text_is_utf8", value(10, 0x14, b"Example")),
        one("subject_rdn_order", [value(11, 0x0c, b"b"), value(11, 0x0c, b"a")].concat()),
    ]
}
