//! Rules on `signature` and `signatureAlgorithm` (RFC 5280 §4.1.1.2, §4.1.2.3).
use super::{CertificateRule, Subject};
use crate::lint::algorithm;
use crate::lint::rule::{RuleOver, Scope};

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "signature_algorithm_exact",
        rows: &["X14"],
        citation: "RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3",
        says: "The signature algorithm is a known one; NULL parameters for RSA PKCS#1, none for others",
        scope: Scope::Everyone,
        check: |subject| algorithm::exactness(subject.own.signature),
    },
    RuleOver {
        name: "signature_algorithm_fits_key",
        rows: &["X14"],
        citation: "RFC 5280 §4.1.1.2",
        says: "The issuer's key can make signatures of this algorithm",
        scope: Scope::Everyone,
        check: fits_key,
    },
    RuleOver {
        name: "signature_algorithms_equal",
        rows: &["X14"],
        citation: "RFC 5280 §4.1.1.2",
        says: "The signature algorithm outside repeats the one inside",
        scope: Scope::Everyone,
        check: |subject| algorithm::equality(subject.own.signature, subject.own.outer_signature),
    },
];

fn fits_key(subject: &Subject<'_>) -> Vec<String> {
    let issuer = subject.issuer.as_ref();
    issuer.map_or_else(Vec::new, |issuer| algorithm::fitness(subject.own.signature, issuer.public_key))
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft};
    use crate::x509::SignatureAlgorithm as S;
    let null = || crate::x509::octets::sequence(&[&[6, 3, 0x2b, 0x65, 0x70], &[5, 0]]);
    let bare_rsa = || crate::x509::octets::sequence(&[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11]]);
    let sha1_rsa =
        || crate::x509::octets::sequence(&[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 5], &[5, 0]]);
    let signature = |octets: Vec<u8>| {
        move |leaf: &mut CertificateDraft| {
            leaf.signature.clone_from(&octets);
            leaf.outer_signature.clone_from(&octets);
        }
    };
    vec![
        BrokenCertificate::leaf("signature_algorithm_exact", signature(null())),
        BrokenCertificate::leaf("signature_algorithm_exact", signature(sha1_rsa())),
        BrokenCertificate::without_issuer("signature_algorithm_exact", signature(bare_rsa())),
        BrokenCertificate::leaf("signature_algorithm_fits_key", signature(S::RSA_SHA256.to_der())),
        BrokenCertificate::leaf("signature_algorithm_fits_key", signature(S::ED25519.to_der())),
        BrokenCertificate::leaf("signature_algorithms_equal", |leaf| {
            leaf.outer_signature = S::ECDSA_SHA512.to_der()
        }),
    ]
}
