//! Rules on `nameConstraints` (RFC 5280 §4.2.1.10).
use super::{CertificateRule, Subject, name_syntax};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::lint::tlv::Tlv;
use crate::x509::GeneralName;
use crate::x509::extension::{NAME_CONSTRAINTS, NameConstraints};
use crate::x509::octets::SEQUENCE;

const CITATION: &str = "RFC 5280 §4.2.1.10";

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "name_constraints_critical",
        rows: &["X8"],
        citation: CITATION,
        says: "nameConstraints are critical",
        scope: Scope::Everyone,
        check: critical,
    },
    RuleOver {
        name: "name_constraints_only_in_ca",
        rows: &["X8"],
        citation: CITATION,
        says: "nameConstraints stand in CA certificates only",
        scope: Scope::Everyone,
        check: only_in_ca,
    },
    RuleOver {
        name: "name_constraints_form",
        rows: &["X8"],
        citation: CITATION,
        says: "nameConstraints and their lists are not empty, and can be read: addresses have masks, minimum and maximum are absent",
        scope: Scope::Everyone,
        check: form,
    },
    RuleOver {
        name: "name_constraints_no_leading_dot",
        rows: &["X8"],
        citation: CITATION,
        says: "DNS names in nameConstraints have no leading dot",
        scope: Scope::Everyone,
        check: no_leading_dot,
    },
    RuleOver {
        name: "name_constraints_cover_addresses",
        rows: &["X8"],
        citation: "CA/Browser Forum BR §7.1.2.5.2",
        says: "Where only DNS names are permitted, all addresses are excluded",
        scope: Scope::Everyone,
        check: cover_addresses,
    },
    RuleOver {
        name: "names_permitted_by_issuer",
        rows: &["X8"],
        citation: "RFC 5280 §6.1.3 (b), (c)",
        says: "The subject and its names are within the issuer's nameConstraints, a common name that looks like a DNS name too",
        scope: Scope::Everyone,
        check: permitted,
    },
];

fn critical(subject: &Subject<'_>) -> Vec<String> {
    let lax = subject.own.extension(NAME_CONSTRAINTS).is_some_and(|one| !one.is_critical());
    when(lax, "nameConstraints are not critical")
}

fn only_in_ca(subject: &Subject<'_>) -> Vec<String> {
    let odd = subject.own.has(NAME_CONSTRAINTS) && !subject.own.is_ca();
    when(odd, "nameConstraints in a certificate of no CA")
}

fn form(subject: &Subject<'_>) -> Vec<String> {
    let Some(extension) = subject.own.extension(NAME_CONSTRAINTS) else { return Vec::new() };
    let list = Tlv::only(extension.value).filter(|list| list.tag == SEQUENCE);
    let empty = list
        .is_none_or(|list| list.contents.is_empty() || list.tlvs().any(|trees| trees.contents.is_empty()));
    if empty {
        return vec!["nameConstraints or one of their lists are empty".into()];
    }
    NameConstraints::from_value(extension.value).err().map(|error| error.reason).into_iter().collect()
}

fn no_leading_dot(subject: &Subject<'_>) -> Vec<String> {
    let list = subject.own.extension(NAME_CONSTRAINTS).and_then(|one| Tlv::only(one.value));
    let trees = list.into_iter().flat_map(|list| list.tlvs()).flat_map(|trees| trees.tlvs());
    let bases = trees.filter_map(|tree| tree.tlvs().next());
    let dotted = bases.filter(|base| base.tag == 0x82 && base.contents.first() == Some(&b'.'));
    dotted.map(|base| format!("the DNS name {} has a leading dot", base.contents.escape_ascii())).collect()
}

fn constraints(subject: Option<&super::Fields<'_>>) -> Option<NameConstraints> {
    NameConstraints::from_value(subject?.extension(NAME_CONSTRAINTS)?.value).ok()
}

fn cover_addresses(subject: &Subject<'_>) -> Vec<String> {
    let Some(constraints) = constraints(Some(&subject.own)) else { return Vec::new() };
    let open = constraints.clone().closed_for_addresses() != constraints;
    when(open, "DNS names are permitted and addresses left free: exclude 0.0.0.0/0 and ::/0")
}

fn permitted(subject: &Subject<'_>) -> Vec<String> {
    let Some(constraints) = constraints(subject.parent()) else { return Vec::new() };
    let mut names = subject.own.alternative_names();
    if let Some(name) = subject.own.subject_name().filter(|name| !name.is_empty()) {
        names.extend(name.texts("emailAddress").into_iter().map(GeneralName::Email));
        for host in name.texts("CN").iter().filter_map(|text| name_syntax::apparent_dns(text)) {
            let dns = GeneralName::Dns(host);
            if !names.contains(&dns) {
                names.push(dns);
            }
        }
        names.push(GeneralName::Directory(name));
    }
    let refusals = names.iter().filter_map(|name| constraints.refuses(name));
    refusals.map(|refusal| refusal.escape_debug().to_string()).collect()
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft, name};
    use crate::x509::Extension;
    use crate::x509::octets::tlv;
    let constraints = |permit: &[&str], exclude: &[&str]| {
        let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        NameConstraints { permitted: parse(permit), excluded: parse(exclude) }
            .closed_for_addresses()
            .to_extension()
    };
    let good = constraints(&["ok.example"], &[]);
    let issuer = |extension: Extension| {
        let mut issuer = CertificateDraft::child_ca();
        issuer.put(extension);
        issuer
    };
    let value = |octets: Vec<u8>| {
        move |ca: &mut CertificateDraft| ca.put(Extension::new(NAME_CONSTRAINTS, true, octets.clone()))
    };
    let permit = |tree: &[u8]| tlv(0x30, &tlv(0xa0, &tlv(0x30, tree)));
    let (lax, misplaced) = (Extension { critical: false, ..good.clone() }, good.clone());
    let open = permit(&tlv(0x82, b"ok.example"));
    let with_minimum = permit(&[tlv(0x86, b"ok.example"), tlv(0x80, &[1])].concat());
    vec![
        BrokenCertificate::child_ca("name_constraints_critical", move |ca| ca.put(lax.clone())),
        BrokenCertificate::leaf("name_constraints_only_in_ca", move |leaf| leaf.put(misplaced.clone())),
        BrokenCertificate::child_ca("name_constraints_form", value(vec![0x30, 0])),
        BrokenCertificate::child_ca("name_constraints_form", value(vec![0x30, 2, 0xa0, 0])),
        BrokenCertificate::child_ca("name_constraints_form", value(with_minimum)),
        BrokenCertificate::child_ca(
            "name_constraints_form",
            value(permit(&tlv(0x87, &[192, 0, 2, 0, 255, 0, 255, 0]))),
        ),
        BrokenCertificate::child_ca(
            "name_constraints_no_leading_dot",
            value(tlv(0x30, &tlv(0xa1, &tlv(0x30, &tlv(0x82, b".a"))))),
        ),
        BrokenCertificate::child_ca("name_constraints_cover_addresses", value(open)),
        BrokenCertificate::leaf("names_permitted_by_issuer", |_| ()).issued_by(issuer(good)),
        BrokenCertificate::leaf("names_permitted_by_issuer", |_| ())
            .issued_by(issuer(constraints(&[], &["dir:C=BE"]))),
        BrokenCertificate::leaf("names_permitted_by_issuer", |leaf| {
            leaf.remove(crate::x509::extension::SUBJECT_ALT_NAME);
            leaf.remove(crate::x509::extension::EXTENDED_KEY_USAGE);
        })
        .issued_by(issuer(constraints(&["b.example"], &[]))),
        BrokenCertificate::leaf("names_permitted_by_issuer", |leaf| {
            leaf.subject = name("emailAddress=a@c.example")
        })
        .issued_by(issuer(constraints(&["email:b.example"], &[]))),
    ]
}
