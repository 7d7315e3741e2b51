//! Rules on `serialNumber` (RFC 5280 §4.1.2.2).
use super::{CertificateRule, Subject};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::lint::tlv::is_minimal_integer;

const CITATION: &str = "RFC 5280 §4.1.2.2";

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "serial_number_positive",
        rows: &["X1"],
        citation: CITATION,
        says: "The serial number is positive",
        scope: Scope::Everyone,
        check: positive,
    },
    RuleOver {
        name: "serial_number_length",
        rows: &["X1"],
        citation: CITATION,
        says: "The serial number has at most 20 octets, the sign octet included",
        scope: Scope::Everyone,
        check: length,
    },
    RuleOver {
        name: "serial_number_encoding",
        rows: &["X1"],
        citation: "X.690 §8.3.2",
        says: "The serial number has no octets that it does not need",
        scope: Scope::Everyone,
        check: encoding,
    },
    RuleOver {
        name: "serial_number_random_bits",
        rows: &["X1"],
        citation: "CA/Browser Forum BR §7.1",
        says: "The serial number is long enough for 128 random bits",
        scope: Scope::Ours,
        check: random_bits,
    },
];

fn positive(subject: &Subject<'_>) -> Vec<String> {
    match subject.own.serial_number.contents {
        [] | [0] => vec!["the serial number is zero".into()],
        [0x80..=0xff, ..] => vec!["the serial number is negative".into()],
        _ => Vec::new(),
    }
}

fn length(subject: &Subject<'_>) -> Vec<String> {
    let octets = subject.own.serial_number.contents.len();
    when(octets > 20, format!("the serial number has {octets} octets"))
}

fn encoding(subject: &Subject<'_>) -> Vec<String> {
    let minimal = is_minimal_integer(subject.own.serial_number.contents);
    when(!minimal, "the serial number has octets that it does not need")
}

fn random_bits(subject: &Subject<'_>) -> Vec<String> {
    let octets = subject.own.serial_number.contents.len();
    when(octets < 16, format!("a serial number of {octets} octets cannot have 128 random bits"))
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::BrokenCertificate;
    let serial = |name, contents: Vec<u8>| {
        BrokenCertificate::leaf(name, move |leaf| leaf.serial_number = crate::x509::octets::tlv(2, &contents))
    };
    vec![
        serial("serial_number_positive", vec![0x80; 17]),
        serial("serial_number_length", vec![0x7f; 21]),
        serial("serial_number_encoding", vec![0; 17]),
        serial("serial_number_random_bits", vec![0x7f; 15]),
    ]
}
