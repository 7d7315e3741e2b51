use super::*;
use crate::document;
use crate::profile::parse_alt_name;
use crate::profile::testing::ec_key;
use crate::x509::{Attribute, AttributeType};

const SYSTEM: &str = "kinds = ['dns', 'ip']\nrequire_one_of = ['dns', 'ip']\ndns_from_common_name = true\n";

fn grant(rules: &str, subject: &str, requested: &[&str], asked: Option<&[&str]>) -> (Vec<String>, Verdict) {
    let rules = document::read(rules, NameRules::read).unwrap();
    let parse = |list: &[&str]| list.iter().map(|text| parse_alt_name(text).unwrap()).collect();
    let subject = Name::parse(subject).unwrap();
    let mut applicant = Applicant::new(subject.clone(), ec_key());
    applicant.alt_names = parse(requested);
    let values = RequestedValues { alt_names: asked.map(parse), ..RequestedValues::default() };
    let mut verdict = Verdict::default();
    let granted = rules.grant(&applicant, &values, &subject, &mut verdict);
    (granted.iter().map(ToString::to_string).collect(), verdict)
}

fn broken(rules: &str, subject: &str, requested: &[&str]) -> Vec<&'static str> {
    grant(rules, subject, requested, None)
        .1
        .violations
        .iter()
        .map(|violation| violation.rule.code())
        .collect()
}

#[test]
fn requested_names_are_granted_once_each() {
    // X12
    let (names, verdict) = grant(SYSTEM, "CN=a.example", &["a.example", "A.example", "192.0.2.1"], None);
    assert_eq!(names, ["DNS:a.example", "IP:192.0.2.1"]);
    assert!(verdict.violations.is_empty());
}

#[test]
fn names_given_by_the_administrator_replace_those_of_the_request() {
    // X12
    let (names, verdict) = grant(SYSTEM, "CN=b.example", &["a.example"], Some(&["b.example"]));
    assert_eq!(names, ["DNS:b.example"]);
    assert!(verdict.violations.is_empty());
}

#[test]
fn without_any_name_the_common_name_gives_one_where_the_profile_says_so() {
    // X12
    let (names, verdict) = grant(SYSTEM, "CN=myhost", &[], None);
    assert_eq!(names, ["DNS:myhost"]);
    assert!(verdict.notices[0].contains("common name"));
    assert_eq!(grant(SYSTEM, "CN=192.0.2.7", &[], None).0, ["IP:192.0.2.7"]);
    assert_eq!(broken(SYSTEM, "CN=My Server", &[]), ["policy.name-missing"]);
    let other = SYSTEM.replace("true", "false");
    assert_eq!(broken(&other, "CN=myhost", &[]), ["policy.name-missing"]);
}

#[test]
fn one_bad_requested_value_refuses_the_request_and_is_named() {
    // X12
    let subject = Name::parse("CN=a.example").unwrap();
    let mut applicant = Applicant::new(subject.clone(), ec_key());
    applicant.alt_names =
        vec![GeneralName::Dns("a.example".into()), GeneralName::Dns("bad name.example".into())];
    applicant.malformed_names = vec!["`é`: not an IA5String".into()];
    let rules = document::read(SYSTEM, NameRules::read).unwrap();
    let mut verdict = Verdict::default();
    rules.grant(&applicant, &RequestedValues::default(), &subject, &mut verdict);
    let messages: Vec<String> = verdict.violations.iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains('é') && messages[1].contains("bad name.example"));
    let values = RequestedValues {
        alt_names: Some(vec![GeneralName::Dns("a.example".into())]),
        ..RequestedValues::default()
    };
    let mut verdict = Verdict::default();
    rules.grant(&applicant, &values, &subject, &mut verdict);
    assert!(verdict.violations.is_empty(), "replaced names do not count");
}

#[test]
fn kinds_wildcards_and_underscores_need_the_profiles_leave() {
    // X7
    let dns = "kinds = ['dns']\n";
    assert_eq!(broken(dns, "CN=a", &["a@b.example"]), ["policy.name-kind"]);
    assert_eq!(broken(dns, "CN=a", &["*.b.example"]), ["policy.name-wildcard"]);
    assert_eq!(broken(&format!("{dns}wildcards = true"), "CN=a", &["*.b.example"]), [""; 0]);
    assert_eq!(broken(dns, "CN=a", &["a_b.example"]), ["policy.name-syntax"]);
    assert_eq!(broken(&format!("{dns}underscores = true"), "CN=a", &["a_b.example"]), [""; 0]);
    assert_eq!(broken("", "CN=a", &["b.example"]), ["policy.name-kind"]);
    assert_eq!(
        broken("kinds = ['dns']\nmax_count = 1", "CN=a", &["b.example", "c.example"]),
        ["policy.name-count"]
    );
}

#[test]
fn names_outside_the_profiles_subtrees_are_refused() {
    // X8
    let rules = "kinds = ['dns', 'ip', 'email', 'uri']\npermitted = ['dns:ok.example', 'email:ok.example', \
                 'uri:.ok.example']\nexcluded = ['dns:no.ok.example']\n";
    for name in ["a.ok.example", "a@ok.example", "https://a.ok.example/"] {
        assert_eq!(broken(rules, "CN=a", &[name]), [""; 0], "{name}");
    }
    for name in ["a.example", "x.no.ok.example", "a@b.example", "https://a.example/", "192.0.2.1"] {
        assert_eq!(broken(rules, "CN=a", &[name]), ["policy.name-not-permitted"], "{name}");
    }
    let range = "kinds = ['ip']\npermitted = ['192.0.2.0/24']";
    assert_eq!(broken(range, "CN=a", &["192.0.2.9"]), [""; 0]);
    assert_eq!(broken(range, "CN=a", &["192.0.3.9"]), ["policy.name-not-permitted"]);
}

#[test]
fn a_common_name_that_is_a_host_name_is_held_to_the_same_rules() {
    // X8
    assert_eq!(broken(SYSTEM, "CN=b.example", &["a.example"]), ["policy.common-name"]);
    assert_eq!(broken(SYSTEM, "CN=A.Example", &["a.example"]), [""; 0]);
    let mail = "kinds = ['email']\npermitted = ['dns:ok.example']";
    assert_eq!(broken(mail, "CN=b.example", &[]), ["policy.name-not-permitted"]);
    assert_eq!(broken(mail, "CN=Amber McStone", &[]), [""; 0]);
}

#[test]
fn a_mail_address_in_the_subject_is_among_the_names() {
    // X7
    let (names, verdict) = grant("", "CN=Amber,emailAddress=amber@b.example", &[], None);
    assert_eq!(names, ["email:amber@b.example"]);
    assert!(verdict.violations.is_empty() && verdict.notices.len() == 1);
    let limited = "permitted = ['email:c.example']";
    assert_eq!(broken(limited, "CN=Amber,emailAddress=amber@b.example", &[]), ["policy.name-not-permitted"]);
}

#[test]
fn mistakes_in_the_rules_are_told() {
    for text in [
        "kinds = ['fax']",
        "kinds = ['dns']\nrequire_one_of = ['ip']",
        "wildcards = true",
        "kinds = ['email']\ndns_from_common_name = true",
        "permitted = ['192.0.2.1/24']",
        "max_count = 0",
        "kind = ['dns']",
    ] {
        assert!(document::read(text, NameRules::read).is_err(), "{text}");
    }
}

#[test]
fn a_common_name_does_not_escape_by_being_dressed_up() {
    // X8
    let dns = "kinds = ['dns']\n";
    for dressed in [
        "b.example.",
        "b.example:443",
        "https://b.example/",
        "b\u{3002}example",
        "b\u{ff0e}example",
        "b\u{ff61}example",
        "b.exam\u{200d}ple",
        "B.EXAMPLE/x",
        "b%2eexample",
        "192.0.2.1:80",
        "[2001:db8::1]",
    ] {
        let name =
            Name::from_attributes(&[Attribute::new(AttributeType::by_name("CN").unwrap(), dressed).unwrap()]);
        let rules = document::read("kinds = ['dns', 'ip']", NameRules::read).unwrap();
        let mut applicant = Applicant::new(name.clone(), ec_key());
        applicant.alt_names = vec![GeneralName::Dns("a.example".into())];
        let mut verdict = Verdict::default();
        rules.grant(&applicant, &RequestedValues::default(), &name, &mut verdict);
        let rules: Vec<&str> = verdict.violations.iter().map(|violation| violation.rule.code()).collect();
        assert_eq!(rules, ["policy.common-name"], "{dressed:?}");
    }
    assert_eq!(broken(dns, "CN=b.example.", &["b.example"]), [""; 0], "the host is among the names");
    assert_eq!(broken("permitted = ['ok.example']", "CN=b.example:443", &[]), ["policy.name-not-permitted"]);
    assert_eq!(
        broken("permitted = ['ok.example']", "CN=a@b.example", &[]),
        ["policy.name-not-permitted"],
        "a mailbox too"
    );
}

#[test]
fn what_permits_dns_names_alone_permits_no_mailboxes_or_uris_elsewhere() {
    // X8
    let rules = "kinds = ['email', 'uri']\npermitted = ['ok.example']";
    for name in ["a@ok.example", "a@x.ok.example", "https://x.ok.example/"] {
        assert_eq!(broken(rules, "CN=a", &[name]), [""; 0], "{name}");
    }
    for name in ["a@b.example", "https://b.example/"] {
        assert_eq!(broken(rules, "CN=a", &[name]), ["policy.name-not-permitted"], "{name}");
    }
}

#[test]
fn an_empty_list_of_what_is_permitted_is_a_flaw_and_one_of_what_is_excluded_is_none() {
    // X8
    let flaws = |text: &str| document::read(text, NameRules::read).unwrap().flaws;
    assert_eq!(flaws("kinds = ['dns']\npermitted = []")[0].line, Some(2));
    assert!(flaws("excluded = []").is_empty() && flaws("permitted = ['a.example']").is_empty());
}
