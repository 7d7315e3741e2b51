//! Rules on `subjectAltName` (RFC 5280 §4.2.1.6, RFC 9598, RFC 9525).
use super::{CertificateRule, Subject, name_syntax};
use crate::lint::rule::{RuleOver, Scope, repeated, when};
use crate::lint::tlv::Tlv;
use crate::x509::GeneralName;
use crate::x509::extension::{Purpose, SUBJECT_ALT_NAME};
use crate::x509::octets::SEQUENCE;

const CITATION: &str = "RFC 5280 §4.2.1.6";

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "subject_alt_name_present",
        rows: &["X7"],
        citation: "RFC 5280 §4.1.2.6",
        says: "Where the subject is empty there is a subjectAltName",
        scope: Scope::Everyone,
        check: present,
    },
    RuleOver {
        name: "subject_alt_name_critical",
        rows: &["X7"],
        citation: CITATION,
        says: "subjectAltName is critical when the subject is empty, and only then",
        scope: Scope::Everyone,
        check: critical,
    },
    RuleOver {
        name: "subject_alt_name_form",
        rows: &["X7"],
        citation: CITATION,
        says: "subjectAltName is a list of names that can be read, with one at least and none twice",
        scope: Scope::Everyone,
        check: form,
    },
    RuleOver {
        name: "subject_alt_name_kinds",
        rows: &["X7"],
        citation: CITATION,
        says: "subjectAltName has DNS names, IP addresses, mailboxes and URIs only",
        scope: Scope::Ours,
        check: kinds,
    },
    RuleOver {
        name: "subject_alt_name_syntax",
        rows: &["X7"],
        citation: "RFC 5280 §4.2.1.6, RFC 1123 §2.1, RFC 5890 §2.3, RFC 9598 §3",
        says: "Names are written as their kind asks for: no NUL, no blank, no port, A-labels, a wildcard only as the whole left-most label",
        scope: Scope::Everyone,
        check: syntax,
    },
    RuleOver {
        name: "common_name_repeated",
        rows: &["X7", "X8"],
        citation: "CA/Browser Forum BR §7.1.4.3, RFC 9525 §6.3",
        says: "The common name of a server, where it looks like a DNS name, stands in the subjectAltName too",
        scope: Scope::Everyone,
        check: common_name,
    },
];

fn tlvs<'a>(subject: &Subject<'a>) -> Vec<Tlv<'a>> {
    let list = subject.own.extension(SUBJECT_ALT_NAME).and_then(|one| Tlv::only(one.value));
    list.map_or_else(Vec::new, |list| list.tlvs().collect())
}

fn present(subject: &Subject<'_>) -> Vec<String> {
    let nameless = subject.own.subject.contents.is_empty() && !subject.own.has(SUBJECT_ALT_NAME);
    when(nameless, "the subject is empty and there is no subjectAltName")
}

fn critical(subject: &Subject<'_>) -> Vec<String> {
    let Some(extension) = subject.own.extension(SUBJECT_ALT_NAME) else { return Vec::new() };
    match (extension.is_critical(), subject.own.subject.contents.is_empty()) {
        (true, false) => vec!["subjectAltName is critical although there is a subject".into()],
        (false, true) => vec!["subjectAltName is not critical although the subject is empty".into()],
        _ => Vec::new(),
    }
}

fn form(subject: &Subject<'_>) -> Vec<String> {
    let Some(extension) = subject.own.extension(SUBJECT_ALT_NAME) else { return Vec::new() };
    let list = Tlv::only(extension.value).filter(|list| list.tag == SEQUENCE);
    if list.is_none_or(|list| list.contents.is_empty()) {
        return vec!["subjectAltName is no list of names".into()];
    }
    let tlvs = tlvs(subject);
    let unreadable = tlvs.iter().filter_map(|tlv| GeneralName::from_der(tlv.whole).err());
    let mut out: Vec<String> = unreadable
        .map(|error| format!("a name of the subjectAltName cannot be read: {}", error.reason))
        .collect();
    let again = repeated(tlvs.iter().map(|tlv| tlv.whole)).into_iter();
    out.extend(
        again
            .filter_map(|tlv| GeneralName::from_der(tlv).ok())
            .map(|name| format!("the name {} stands there twice", name.to_string().escape_debug())),
    );
    out
}

fn kinds(subject: &Subject<'_>) -> Vec<String> {
    let names = subject.own.alternative_names().into_iter();
    names
        .filter(|name| matches!(name, GeneralName::Directory(_) | GeneralName::Other(_)))
        .map(|name| format!("the name {} is of another kind", name.to_string().escape_debug()))
        .collect()
}

fn syntax(subject: &Subject<'_>) -> Vec<String> {
    let names = subject.own.alternative_names().into_iter();
    let fault = |name: GeneralName| {
        let fault = name_syntax::fault(&name)?;
        Some(format!("the name {} {fault}", name.to_string().escape_debug()))
    };
    names.filter_map(fault).collect()
}

fn common_name(subject: &Subject<'_>) -> Vec<String> {
    if !subject.own.purposes().contains(&Purpose::SERVER_AUTH) {
        return Vec::new();
    }
    let Some(common_name) = subject.own.subject_name().and_then(|name| name.common_name()) else {
        return Vec::new();
    };
    let Some(host) = name_syntax::apparent_host_name(&common_name) else { return Vec::new() };
    let names = subject.own.alternative_names();
    let repeated = names.iter().any(|name| {
        let value = name.value();
        value.eq_ignore_ascii_case(&host) || value.eq_ignore_ascii_case(&common_name)
    });
    when(!repeated, format!("the common name {common_name} is not in the subjectAltName"))
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft, name};
    use crate::x509::octets::tlv;
    use crate::x509::{Extension, Name};
    let value = |octets: Vec<u8>, critical: bool| {
        move |leaf: &mut CertificateDraft| {
            leaf.put(Extension::new(SUBJECT_ALT_NAME, critical, octets.clone()))
        }
    };
    let names = |names: &[GeneralName]| value(GeneralName::list_to_der(names), false);
    let a = GeneralName::Dns("a.example".into());
    vec![
        BrokenCertificate::leaf("subject_alt_name_present", |leaf| {
            leaf.subject = vec![0x30, 0];
            leaf.remove(SUBJECT_ALT_NAME);
        }),
        BrokenCertificate::leaf(
            "subject_alt_name_critical",
            value(GeneralName::list_to_der(std::slice::from_ref(&a)), true),
        ),
        BrokenCertificate::leaf("subject_alt_name_critical", |leaf| leaf.subject = vec![0x30, 0]),
        BrokenCertificate::leaf("subject_alt_name_form", value(vec![0x30, 0], false))
            .and("common_name_repeated"),
        BrokenCertificate::leaf(
            "subject_alt_name_form",
            value(tlv(0x30, &[a.to_der(), tlv(0x87, &[1])].concat()), false),
        ),
        BrokenCertificate::leaf("subject_alt_name_form", names(&[a.clone(), a.clone()])),
        BrokenCertificate::leaf(
            "subject_alt_name_kinds",
            names(&[a.clone(), GeneralName::Directory(Name::parse("CN=a").unwrap())]),
        ),
        BrokenCertificate::leaf(
            "subject_alt_name_syntax",
            names(&[a, GeneralName::Dns("a_b.example".into())]),
        ),
        BrokenCertificate::leaf("common_name_repeated", |leaf| leaf.subject = name("C=BE,CN=b.example")),
        BrokenCertificate::leaf("common_name_repeated", |leaf| leaf.subject = name("C=BE,CN=192.0.2.1")),
    ]
}
