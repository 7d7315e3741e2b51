//! Rules on `cRLDistributionPoints`, `freshestCRL`, `authorityInfoAccess` and `noRevAvail` (RFC 5280 §4.2.1.13,
//! §4.2.1.15, §4.2.2.1; RFC 9608).
use super::{CertificateRule, Subject, never_critical};
use crate::lint::distribution_point::{points_faults, url_fault};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::lint::tlv::Tlv;
use crate::x509::extension::{
    AUTHORITY_INFO_ACCESS, AccessDescription, CRL_DISTRIBUTION_POINTS, FRESHEST_CRL, NO_REV_AVAIL,
};
use crate::x509::octets::SEQUENCE;

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "crl_distribution_points_not_critical",
        rows: &["X10"],
        citation: "RFC 5280 §4.2.1.13",
        says: "cRLDistributionPoints are not critical",
        scope: Scope::Everyone,
        check: |subject| never_critical(subject, CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints"),
    },
    RuleOver {
        name: "crl_distribution_points_form",
        rows: &["X10"],
        citation: "RFC 5280 §4.2.1.13",
        says: "cRLDistributionPoints name http URLs, for all reasons, of CRLs by the issuer itself",
        scope: Scope::Everyone,
        check: |subject| points(subject, CRL_DISTRIBUTION_POINTS),
    },
    RuleOver {
        name: "freshest_crl_form",
        rows: &["C5", "X10"],
        citation: "RFC 5280 §4.2.1.15",
        says: "freshestCRL is not critical, and names http URLs as cRLDistributionPoints do",
        scope: Scope::Everyone,
        check: freshest,
    },
    RuleOver {
        name: "authority_info_access_not_critical",
        rows: &["X10"],
        citation: "RFC 5280 §4.2.2.1",
        says: "authorityInfoAccess is not critical",
        scope: Scope::Everyone,
        check: |subject| never_critical(subject, AUTHORITY_INFO_ACCESS, "authorityInfoAccess"),
    },
    RuleOver {
        name: "authority_info_access_form",
        rows: &["X10"],
        citation: "RFC 5280 §4.2.2.1",
        says: "authorityInfoAccess names http URLs, of responders and of the issuer's certificate",
        scope: Scope::Everyone,
        check: access,
    },
    RuleOver {
        name: "root_without_pointers",
        rows: &["X10"],
        citation: "CA/Browser Forum BR §7.1.2.1",
        says: "A root names neither CRLs nor responders",
        scope: Scope::Everyone,
        check: root,
    },
    RuleOver {
        name: "no_rev_avail_alone",
        rows: &["X10"],
        citation: "RFC 9608 §2, §3",
        says: "noRevAvail is NULL, not critical, in certificates of no CA, and without CRL or OCSP pointer beside it",
        scope: Scope::Everyone,
        check: no_rev_avail,
    },
];

fn points(subject: &Subject<'_>, oid: der::asn1::ObjectIdentifier) -> Vec<String> {
    subject.own.extension(oid).map_or_else(Vec::new, |extension| points_faults(extension.value))
}

fn freshest(subject: &Subject<'_>) -> Vec<String> {
    let mut out = never_critical(subject, FRESHEST_CRL, "freshestCRL");
    out.extend(points(subject, FRESHEST_CRL));
    out
}

fn access(subject: &Subject<'_>) -> Vec<String> {
    let Some(extension) = subject.own.extension(AUTHORITY_INFO_ACCESS) else { return Vec::new() };
    let list = Tlv::only(extension.value).filter(|list| list.tag == SEQUENCE && !list.contents.is_empty());
    let Some(list) = list else { return vec!["authorityInfoAccess is empty".into()] };
    let mut descriptions = list.tlvs();
    let mut out = Vec::new();
    for description in descriptions.by_ref() {
        let mut fields = description.tlvs();
        match (fields.next_if(6), fields.next()) {
            (Some(method), Some(location)) if fields.is_empty() => {
                let known = [AccessDescription::OCSP, AccessDescription::CA_ISSUERS];
                if !known.iter().any(|oid| oid.as_bytes() == method.contents) {
                    out.push("an access method is neither OCSP nor caIssuers".into());
                } else if location.tag == 0x86 {
                    out.extend(url_fault(location.contents));
                } else {
                    out.push("an access location is no URL".into());
                }
            }
            _ => out.push("an access description cannot be read".into()),
        }
    }
    out.extend(when(!descriptions.is_empty(), "authorityInfoAccess cannot be read"));
    out
}

fn has_ocsp(subject: &Subject<'_>) -> bool {
    let access = subject.own.extension(AUTHORITY_INFO_ACCESS);
    let list = access.and_then(|one| AccessDescription::list_from_value(one.value).ok()).unwrap_or_default();
    list.iter().any(|description| description.method == AccessDescription::OCSP)
}

fn root(subject: &Subject<'_>) -> Vec<String> {
    let pointers = [CRL_DISTRIBUTION_POINTS, FRESHEST_CRL, AUTHORITY_INFO_ACCESS];
    let pointed = pointers.into_iter().any(|oid| subject.own.has(oid));
    when(subject.is_root() && pointed, "a root that says where its own revocation could be asked for")
}

fn no_rev_avail(subject: &Subject<'_>) -> Vec<String> {
    let Some(extension) = subject.own.extension(NO_REV_AVAIL) else { return Vec::new() };
    let own = &subject.own;
    let pointed = own.has(CRL_DISTRIBUTION_POINTS) || own.has(FRESHEST_CRL) || has_ocsp(subject);
    let mut out = when(extension.value != [5, 0], "noRevAvail is not NULL");
    out.extend(when(extension.is_critical(), "noRevAvail is critical"));
    out.extend(when(own.is_ca(), "noRevAvail in a CA certificate"));
    out.extend(when(pointed, "noRevAvail stands beside a CRL or OCSP pointer"));
    out
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft};
    use crate::x509::Extension;
    use crate::x509::extension::{
        authority_info_access, crl_distribution_points, freshest_crl, no_rev_avail,
    };
    use crate::x509::octets::tlv;
    let put = |extension: Extension| move |draft: &mut CertificateDraft| draft.put(extension.clone());
    let critical = |extension: Extension| put(Extension { critical: true, ..extension });
    let crl = |url: &str| crl_distribution_points(&[url.to_owned()]);
    let value = |oid, octets: &[u8]| put(Extension::new(oid, false, octets.to_vec()));
    let reasons_only = tlv(0x30, &tlv(0x30, &tlv(0x81, &[6, 0x40])));
    let other_method = AccessDescription {
        method: "1.2.3".parse().unwrap(),
        ..AccessDescription::ocsp("http://a.example/")
    };
    let only_no_rev_avail = |extension: Extension| {
        move |leaf: &mut CertificateDraft| {
            leaf.remove(CRL_DISTRIBUTION_POINTS);
            leaf.remove(AUTHORITY_INFO_ACCESS);
            leaf.put(extension.clone());
        }
    };
    vec![
        BrokenCertificate::leaf(
            "crl_distribution_points_not_critical",
            critical(crl("http://a.example/a.crl")),
        ),
        BrokenCertificate::leaf("crl_distribution_points_form", put(crl("https://a.example/a.crl"))),
        BrokenCertificate::leaf("crl_distribution_points_form", value(CRL_DISTRIBUTION_POINTS, &[0x30, 0])),
        BrokenCertificate::leaf(
            "crl_distribution_points_form",
            value(CRL_DISTRIBUTION_POINTS, &reasons_only),
        ),
        BrokenCertificate::leaf("freshest_crl_form", put(freshest_crl(&["ldap://a.example/".into()]))),
        BrokenCertificate::leaf("freshest_crl_form", critical(freshest_crl(&["http://a.example/".into()]))),
        BrokenCertificate::leaf(
            "authority_info_access_not_critical",
            critical(CertificateDraft::leaf().extension(AUTHORITY_INFO_ACCESS)),
        ),
        BrokenCertificate::leaf("authority_info_access_form", value(AUTHORITY_INFO_ACCESS, &[0x30, 0])),
        BrokenCertificate::leaf(
            "authority_info_access_form",
            put(authority_info_access(&[AccessDescription::ocsp("https://a.example/")])),
        ),
        BrokenCertificate::leaf("authority_info_access_form", put(authority_info_access(&[other_method]))),
        BrokenCertificate::root("root_without_pointers", put(crl("http://a.example/a.crl"))),
        BrokenCertificate::root(
            "root_without_pointers",
            put(authority_info_access(&[AccessDescription::ca_issuers("http://a.example/")])),
        ),
        BrokenCertificate::leaf("no_rev_avail_alone", put(no_rev_avail())),
        BrokenCertificate::leaf(
            "no_rev_avail_alone",
            only_no_rev_avail(Extension { critical: true, ..no_rev_avail() }),
        ),
        BrokenCertificate::leaf(
            "no_rev_avail_alone",
            only_no_rev_avail(Extension { value: vec![4, 0], ..no_rev_avail() }),
        ),
        BrokenCertificate::child_ca("no_rev_avail_alone", only_no_rev_avail(no_rev_avail())),
    ]
}
