//! Rules on `validity` (RFC 5280 §4.1.2.5).
use super::{CertificateRule, Subject};
use crate::lint::moment::Moment;
use crate::lint::rule::{RuleOver, Scope, when};

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "validity_encoding",
        rows: &["X2"],
        citation: "RFC 5280 §4.1.2.5",
        says: "Times are UTCTime through 2049 and GeneralizedTime after, in whole seconds and UTC",
        scope: Scope::Everyone,
        check: encoding,
    },
    RuleOver {
        name: "validity_order",
        rows: &["X2"],
        citation: "RFC 5280 §4.1.2.5",
        says: "notAfter is not before notBefore",
        scope: Scope::Everyone,
        check: order,
    },
    RuleOver {
        name: "not_before_within_issuer",
        rows: &["X2"],
        citation: "RFC 5280 §6.1.3 (a)",
        says: "notBefore is not before the issuer's",
        scope: Scope::Everyone,
        check: not_before_within_issuer,
    },
    RuleOver {
        name: "not_after_within_issuer",
        rows: &["X11"],
        citation: "RFC 5280 §6.1.3 (a)",
        says: "notAfter is not after the issuer's",
        scope: Scope::Everyone,
        check: not_after_within_issuer,
    },
];

fn encoding(subject: &Subject<'_>) -> Vec<String> {
    [("notBefore", subject.own.not_before), ("notAfter", subject.own.not_after)]
        .into_iter()
        .filter_map(|(field, tlv)| Moment::read(tlv).err().map(|fault| format!("{field} {fault}")))
        .collect()
}

fn order(subject: &Subject<'_>) -> Vec<String> {
    match subject.own.validity() {
        (Some(from), Some(until)) => when(until < from, format!("it ends {until}, before it begins {from}")),
        _ => Vec::new(),
    }
}

fn not_before_within_issuer(subject: &Subject<'_>) -> Vec<String> {
    let Some(parent) = subject.parent() else { return Vec::new() };
    match (subject.own.validity().0, parent.validity().0) {
        (Some(own), Some(issuers)) => when(own < issuers, format!("it begins {own}, its issuer {issuers}")),
        _ => Vec::new(),
    }
}

fn not_after_within_issuer(subject: &Subject<'_>) -> Vec<String> {
    let Some(parent) = subject.parent() else { return Vec::new() };
    match (subject.own.validity().1, parent.validity().1) {
        (Some(own), Some(issuers)) => when(own > issuers, format!("it ends {own}, its issuer {issuers}")),
        _ => Vec::new(),
    }
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, LEAF_END, LEAF_START, PARENT_END, PARENT_START};
    use crate::x509::octets::{sequence, tlv};
    let validity = |name, from: Vec<u8>, until: Vec<u8>| {
        BrokenCertificate::leaf(name, move |leaf| leaf.validity = sequence(&[&from, &until]))
    };
    vec![
        validity("validity_encoding", LEAF_START.to_der(), LEAF_END.to_generalized_der()),
        validity("validity_encoding", tlv(0x17, b"2501010000Z"), LEAF_END.to_der()),
        validity("validity_encoding", LEAF_START.to_der(), tlv(0x17, b"260101000000+0000")),
        validity("validity_order", LEAF_START.plus(1).to_der(), LEAF_START.to_der()),
        validity("not_before_within_issuer", PARENT_START.plus(-1).to_der(), LEAF_END.to_der()),
        validity("not_after_within_issuer", LEAF_START.to_der(), PARENT_END.plus(1).to_der()),
    ]
}
