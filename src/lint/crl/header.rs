//! Rules on `version`, `signature`, `issuer`, `thisUpdate` and `nextUpdate` (RFC 5280 §5.1.2.1 to §5.1.2.5).
use super::{CertList, CrlRule};
use crate::lint::algorithm;
use crate::lint::moment::Moment;
use crate::lint::rule::{RuleOver, Scope, when};
use crate::x509::extension::KeyUsage;

pub(super) const RULES: &[CrlRule] = &[
    RuleOver {
        name: "crl_version_is_v2",
        rows: &["C1"],
        citation: "RFC 5280 §5.1.2.1",
        says: "The version is v2",
        scope: Scope::Everyone,
        check: |list| when(list.version != Some(&[1]), "the version is not v2"),
    },
    RuleOver {
        name: "crl_signature_algorithm_exact",
        rows: &["X14"],
        citation: "RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3",
        says: "The signature algorithm is a known one; NULL parameters for RSA PKCS#1, none for others",
        scope: Scope::Everyone,
        check: |list| algorithm::exactness(list.signature),
    },
    RuleOver {
        name: "crl_signature_algorithm_fits_key",
        rows: &["X14"],
        citation: "RFC 5280 §5.1.1.2",
        says: "The issuer's key can make signatures of this algorithm",
        scope: Scope::Everyone,
        check: fits_key,
    },
    RuleOver {
        name: "crl_signature_algorithms_equal",
        rows: &["X14"],
        citation: "RFC 5280 §5.1.1.2",
        says: "The signature algorithm outside repeats the one inside",
        scope: Scope::Everyone,
        check: |list| algorithm::equality(list.signature, list.outer_signature),
    },
    RuleOver {
        name: "crl_issuer_not_empty",
        rows: &["X3"],
        citation: "RFC 5280 §5.1.2.3",
        says: "The issuer's name is not empty",
        scope: Scope::Everyone,
        check: |list| when(list.issuer.contents.is_empty(), "the issuer's name is empty"),
    },
    RuleOver {
        name: "crl_issuer_repeats_subject",
        rows: &["X3"],
        citation: "RFC 5280 §5.1.2.3",
        says: "The issuer's name has the octets of the subject in the issuer's certificate",
        scope: Scope::Everyone,
        check: repeats_subject,
    },
    RuleOver {
        name: "crl_issuer_may_sign",
        rows: &["X5"],
        citation: "RFC 5280 §6.3.3 (f)",
        says: "The issuer's key may sign CRLs",
        scope: Scope::Everyone,
        check: may_sign,
    },
    RuleOver {
        name: "crl_time_encoding",
        rows: &["C1", "X2"],
        citation: "RFC 5280 §5.1.2.4, §5.1.2.5",
        says: "Times are UTCTime through 2049 and GeneralizedTime after, in whole seconds and UTC",
        scope: Scope::Everyone,
        check: time_encoding,
    },
    RuleOver {
        name: "crl_next_update_present",
        rows: &["C1"],
        citation: "RFC 5280 §5.1.2.5",
        says: "There is a nextUpdate",
        scope: Scope::Everyone,
        check: |list| when(list.next_update.is_none(), "there is no nextUpdate"),
    },
    RuleOver {
        name: "crl_next_update_after_this_update",
        rows: &["C1"],
        citation: "RFC 5280 §5.1.2.5",
        says: "nextUpdate is after thisUpdate",
        scope: Scope::Everyone,
        check: order,
    },
];

fn fits_key(list: &CertList<'_>) -> Vec<String> {
    let issuer = list.issuer_certificate.as_ref();
    issuer.map_or_else(Vec::new, |issuer| algorithm::fitness(list.signature, issuer.public_key))
}

fn repeats_subject(list: &CertList<'_>) -> Vec<String> {
    let differs =
        list.issuer_certificate.as_ref().is_some_and(|issuer| issuer.subject.whole != list.issuer.whole);
    when(differs, "the issuer's name is not, octet for octet, the subject of the issuer's certificate")
}

fn may_sign(list: &CertList<'_>) -> Vec<String> {
    let usage = list.issuer_certificate.as_ref().and_then(|issuer| issuer.key_usage());
    when(usage.is_some_and(|usage| !usage.has(KeyUsage::CRL_SIGN)), "the issuer's certificate has no cRLSign")
}

fn time_encoding(list: &CertList<'_>) -> Vec<String> {
    [("thisUpdate", Some(list.this_update)), ("nextUpdate", list.next_update)]
        .into_iter()
        .filter_map(|(field, tlv)| Some(format!("{field} {}", Moment::read(tlv?).err()?)))
        .collect()
}

fn order(list: &CertList<'_>) -> Vec<String> {
    let next = list.next_update.and_then(|next| Moment::read(next).ok());
    match (Moment::read(list.this_update), next) {
        (Ok(this), Some(next)) => when(next <= this, format!("nextUpdate is {next}, thisUpdate {this}")),
        _ => Vec::new(),
    }
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCrl> {
    use super::draft::{BrokenCrl, CrlDraft, THIS_UPDATE};
    use crate::lint::certificate::draft::{self, name};
    use crate::x509::SignatureAlgorithm as S;
    use crate::x509::octets::{sequence, tlv};
    let signature = |octets: Vec<u8>| {
        move |list: &mut CrlDraft| {
            list.signature.clone_from(&octets);
            list.outer_signature.clone_from(&octets);
        }
    };
    let null = sequence(&[&[6, 3, 0x2b, 0x65, 0x70], &[5, 0]]);
    let mut no_crl_sign = draft::CertificateDraft::parent();
    no_crl_sign.put(KeyUsage::KEY_CERT_SIGN.to_extension());
    vec![
        BrokenCrl::complete("crl_version_is_v2", |list| list.version = vec![2, 1, 0]),
        BrokenCrl::complete("crl_version_is_v2", |list| list.version = Vec::new()),
        BrokenCrl::complete("crl_signature_algorithm_exact", signature(null)),
        BrokenCrl::complete("crl_signature_algorithm_fits_key", signature(S::RSA_SHA256.to_der())),
        BrokenCrl::complete("crl_signature_algorithms_equal", |list| {
            list.outer_signature = S::ECDSA_SHA512.to_der()
        }),
        BrokenCrl::without_issuer("crl_issuer_not_empty", |list| list.issuer = vec![0x30, 0]),
        BrokenCrl::complete("crl_issuer_repeats_subject", |list| list.issuer = name("CN=Child,C=BE")),
        BrokenCrl::complete("crl_issuer_may_sign", |_| ()).issued_by(no_crl_sign),
        BrokenCrl::complete("crl_time_encoding", |list| {
            list.next_update = THIS_UPDATE.plus(9).to_generalized_der()
        }),
        BrokenCrl::complete("crl_time_encoding", |list| list.this_update = tlv(0x17, b"2501010000Z")),
        BrokenCrl::complete("crl_next_update_present", |list| list.next_update = Vec::new()),
        BrokenCrl::complete("crl_next_update_after_this_update", |list| {
            list.next_update = list.this_update.clone()
        }),
    ]
}
