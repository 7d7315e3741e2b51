//! Rules on `issuingDistributionPoint`, `deltaCRLIndicator` and `freshestCRL` (RFC 5280 §5.2.4 to §5.2.6).
use super::extensions::number_faults;
use super::{CertList, CrlRule};
use crate::lint::distribution_point::{point_name_faults, points_faults};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::lint::tlv::Tlv;
use crate::x509::extension::{CRL_NUMBER, DELTA_CRL_INDICATOR, FRESHEST_CRL, ISSUING_DISTRIBUTION_POINT};
use crate::x509::octets::SEQUENCE;
use der::asn1::ObjectIdentifier;

const POINT: &str = "RFC 5280 §5.2.5";
const DELTA: &str = "RFC 5280 §5.2.4";

pub(super) const RULES: &[CrlRule] = &[
    RuleOver {
        name: "crl_issuing_distribution_point_critical",
        rows: &["C5"],
        citation: POINT,
        says: "issuingDistributionPoint is critical",
        scope: Scope::Everyone,
        check: |list| always_critical(list, ISSUING_DISTRIBUTION_POINT, "issuingDistributionPoint"),
    },
    RuleOver {
        name: "crl_issuing_distribution_point_form",
        rows: &["C5"],
        citation: POINT,
        says: "issuingDistributionPoint is not empty, names http URLs, and limits the list to one kind of certificate at most",
        scope: Scope::Everyone,
        check: point_form,
    },
    RuleOver {
        name: "crl_delta_indicator_critical",
        rows: &["C5"],
        citation: DELTA,
        says: "deltaCRLIndicator is critical",
        scope: Scope::Everyone,
        check: |list| always_critical(list, DELTA_CRL_INDICATOR, "deltaCRLIndicator"),
    },
    RuleOver {
        name: "crl_delta_indicator_form",
        rows: &["C5"],
        citation: DELTA,
        says: "deltaCRLIndicator is the number of an earlier CRL than the delta itself",
        scope: Scope::Everyone,
        check: delta_form,
    },
    RuleOver {
        name: "crl_freshest_form",
        rows: &["C5"],
        citation: "RFC 5280 §5.2.6",
        says: "freshestCRL is not critical, names http URLs, and does not stand in a delta CRL",
        scope: Scope::Everyone,
        check: freshest_form,
    },
];

fn always_critical(list: &CertList<'_>, oid: ObjectIdentifier, name: &str) -> Vec<String> {
    let lax = list.extension(oid).is_some_and(|extension| !extension.is_critical());
    when(lax, format!("{name} is not critical"))
}

fn point_form(list: &CertList<'_>) -> Vec<String> {
    let Some(extension) = list.extension(ISSUING_DISTRIBUTION_POINT) else { return Vec::new() };
    let point = Tlv::only(extension.value).filter(|one| one.tag == SEQUENCE && !one.contents.is_empty());
    let Some(point) = point else { return vec!["issuingDistributionPoint is empty".into()] };
    let mut fields = point.tlvs();
    let location = fields.next_if(0xa0);
    let mut out = location.map_or_else(Vec::new, |location| point_name_faults(location.contents));
    let flags = [0x81, 0x82, 0x83, 0x84, 0x85].map(|tag| fields.next_if(tag));
    let [user, ca, _reasons, _indirect, attribute] = flags;
    let kinds = [user, ca, attribute].into_iter().flatten();
    out.extend(when(
        kinds.clone().count() > 1,
        "the list is limited to several kinds of certificate at once",
    ));
    out.extend(when(
        kinds.into_iter().any(|flag| flag.contents != [0xff]),
        "a limit is written out and not TRUE",
    ));
    out.extend(when(!fields.is_empty(), "issuingDistributionPoint cannot be read"));
    out
}

fn delta_form(list: &CertList<'_>) -> Vec<String> {
    let Some(extension) = list.extension(DELTA_CRL_INDICATOR) else { return Vec::new() };
    let faults = number_faults(extension.value);
    let number = list.extension(CRL_NUMBER).filter(|number| number_faults(number.value).is_empty());
    match number {
        Some(number) if faults.is_empty() => {
            // Both are minimal and not negative, so the longer one is the greater.
            let key = |value: &[u8]| (value.len(), value.to_vec());
            let later = key(extension.value) >= key(number.value);
            when(later, "the delta CRL is based on a CRL that is not earlier than itself")
        }
        _ => faults,
    }
}

fn freshest_form(list: &CertList<'_>) -> Vec<String> {
    let Some(extension) = list.extension(FRESHEST_CRL) else { return Vec::new() };
    let mut out = points_faults(extension.value);
    out.extend(when(extension.is_critical(), "freshestCRL is critical"));
    out.extend(when(list.has(DELTA_CRL_INDICATOR), "freshestCRL in a delta CRL"));
    out
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCrl> {
    use super::draft::{BrokenCrl, CrlDraft};
    use crate::x509::Extension;
    use crate::x509::extension::{IssuingDistributionPoint, delta_crl_indicator, freshest_crl};
    use crate::x509::octets::tlv;
    let put = |extension: Extension| move |list: &mut CrlDraft| list.put(extension.clone());
    let point =
        |url: &str| IssuingDistributionPoint { url: Some(url.into()), ..Default::default() }.to_extension();
    let value = |octets: Vec<u8>| put(Extension::new(ISSUING_DISTRIBUTION_POINT, true, octets));
    let both =
        IssuingDistributionPoint { only_ca_certificates: true, only_user_certificates: true, url: None };
    vec![
        BrokenCrl::complete(
            "crl_issuing_distribution_point_critical",
            put(Extension { critical: false, ..point("http://a.example/a.crl") }),
        ),
        BrokenCrl::complete("crl_issuing_distribution_point_form", put(point("https://a.example/a.crl"))),
        BrokenCrl::complete("crl_issuing_distribution_point_form", put(both.to_extension())),
        BrokenCrl::complete("crl_issuing_distribution_point_form", value(vec![0x30, 0])),
        BrokenCrl::complete("crl_issuing_distribution_point_form", value(tlv(0x30, &[0x81, 1, 0]))),
        BrokenCrl::delta("crl_delta_indicator_critical", |list| {
            list.put(Extension { critical: false, ..delta_crl_indicator(5) });
        }),
        BrokenCrl::delta("crl_delta_indicator_form", put(delta_crl_indicator(7))),
        BrokenCrl::delta("crl_delta_indicator_form", put(delta_crl_indicator(200))),
        BrokenCrl::delta(
            "crl_delta_indicator_form",
            put(Extension::new(DELTA_CRL_INDICATOR, true, vec![2, 1, 0x80])),
        ),
        BrokenCrl::delta("crl_freshest_form", put(freshest_crl(&["http://a.example/d.crl".into()]))),
        BrokenCrl::complete("crl_freshest_form", put(freshest_crl(&["ldap://a.example/".into()]))),
        BrokenCrl::complete("crl_freshest_form", |list| {
            list.put(Extension { critical: true, ..freshest_crl(&["http://a.example/d.crl".into()]) });
        }),
    ]
}
