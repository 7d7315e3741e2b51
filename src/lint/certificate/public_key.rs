//! Rules on `subjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
use super::{CertificateRule, Subject};
use crate::lint::rule::{RuleOver, Scope};
use crate::x509::{SubjectPublicKeyInfo, key_weaknesses};

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "public_key_exact",
        rows: &["X13", "X14"],
        citation: "RFC 3279 §2.3.1, RFC 5480 §2.1.1, RFC 8410 §3",
        says: "The public key is RSA, P-256, P-384, P-521, Ed25519 or ML-DSA, with the parameters that belong to it",
        scope: Scope::Everyone,
        check: exact,
    },
    RuleOver {
        name: "public_key_strength",
        rows: &["X13"],
        citation: "CA/Browser Forum BR §6.1.1.3, §6.1.5, §6.1.6",
        says: "The public key has none of the weaknesses that can be seen in it",
        scope: Scope::Everyone,
        check: strength,
    },
];

fn exact(subject: &Subject<'_>) -> Vec<String> {
    let key = SubjectPublicKeyInfo::from_der(subject.own.public_key.whole);
    key.err().map(|error| error.reason).into_iter().collect()
}

fn strength(subject: &Subject<'_>) -> Vec<String> {
    let key = SubjectPublicKeyInfo::from_der(subject.own.public_key.whole);
    key.map_or_else(|_| Vec::new(), |key| key_weaknesses(&key).iter().map(ToString::to_string).collect())
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::BrokenCertificate;
    use crate::x509::octets::sequence;
    let ed25519 = |parameters: &[u8], octets: u8| {
        let identifier = sequence(&[&[6, 3, 0x2b, 0x65, 0x70], parameters]);
        let mut bits = vec![3, 33, 0];
        bits.extend([octets; 32]);
        sequence(&[&identifier, &bits])
    };
    let (with_null, zeros) = (ed25519(&[5, 0], 9), ed25519(&[], 0));
    vec![
        BrokenCertificate::leaf("public_key_exact", move |leaf| leaf.public_key.clone_from(&with_null))
            .and("subject_key_identifier_method"),
        BrokenCertificate::leaf("public_key_strength", move |leaf| leaf.set_key(&zeros)),
    ]
}
