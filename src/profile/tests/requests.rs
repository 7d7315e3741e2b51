//! Tests of requests: which of the requested values are granted.
use super::*;

#[test]
fn extensions_of_a_request_are_left_out_and_said_so() {
    // X12
    let asked = [
        BasicConstraints { ca: true, path_length: None }.to_extension(),
        KeyUsage::KEY_CERT_SIGN.to_extension(),
        ExtendedKeyUsage(vec![Purpose::SERVER_AUTH, Purpose::CLIENT_AUTH]).to_extension(),
        subject_alt_name(&[GeneralName::Dns("WWW.Genfic.example".into())], &Name::empty()),
        Extension::new("1.2.3.4".parse().unwrap(), true, vec![5, 0]),
    ];
    let applicant = request("CN=www.genfic.example", &asked, false);
    let template = grant("system", "system-ca", &applicant, &values());
    assert_eq!(template.alt_names, [GeneralName::Dns("www.genfic.example".into())]);
    let tbs = assembled(&template, root().tbs().subject());
    assert!(BasicConstraints::of(&tbs).is_none());
    assert!(!KeyUsage::of(&tbs).unwrap().has(KeyUsage::KEY_CERT_SIGN));
    assert_eq!(
        template.notices,
        [
            "the request asks for a CA certificate (CA:TRUE), which is not granted",
            "the extension keyUsage of the request is not copied",
            "the extension 1.2.3.4 of the request is not copied",
        ],
        "what was granted all the same (extKeyUsage) is not said to be missing"
    );
}

#[test]
fn a_challenge_password_is_noticed_and_nothing_else() {
    // G20
    let template = grant("system", "system-ca", &request("CN=a.example", &[], true), &values());
    assert!(template.notices.iter().any(|notice| notice.contains("challenge password")));
    let plain = grant("system", "system-ca", &request("CN=a.example", &[], false), &values());
    assert!(!plain.notices.iter().any(|notice| notice.contains("challenge password")));
}

#[test]
fn a_malformed_requested_name_is_told_among_the_good_ones() {
    // X12
    let value =
        [0x30, 15, 0x82, 9, b'a', b'.', b'e', b'x', b'a', b'm', b'p', b'l', b'e', 0x82, 2, 0xc3, 0xa9];
    let asked = [Extension::new(extension::SUBJECT_ALT_NAME, false, value.to_vec())];
    let applicant = request("CN=a.example", &asked, false);
    assert_eq!(applicant.alt_names, [GeneralName::Dns("a.example".into())]);
    let issuer = root();
    let verdict = shipped("system").evaluate(&applicant, Some(&view(&issuer, "system-ca")), &values(), NOW);
    let violations = verdict.unwrap_err();
    assert_eq!(violations.len(), 1);
    assert!(violations[0].message.contains('é'), "{violations:?}");
    let broken = [Extension::new(extension::SUBJECT_ALT_NAME, false, vec![4, 0])];
    let applicant = request("CN=a.example", &broken, false);
    assert_eq!(
        refused("system", "system-ca", &applicant, &values()),
        ["policy.name-syntax", "policy.name-missing"]
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once_as_one_problem() {
    // X4, X7, X11, G21
    let mut applicant = applicant("street=x,CN=b.example");
    applicant.alt_names = vec![GeneralName::Dns("*.a.example".into()), GeneralName::Dns("a b".into())];
    let asked = RequestedValues { validity: RequestedValidity::Days(9000), ..values() };
    let rules = refused("system", "user-ca", &applicant, &asked);
    assert_eq!(
        rules,
        [
            "policy.wrong-ca",
            "policy.subject-unlisted",
            "policy.name-syntax",
            "policy.name-wildcard",
            "policy.common-name",
            "policy.outlives-issuer",
            "policy.too-long",
        ]
    );
    let issuer = root();
    let verdict = shipped("system").evaluate(&applicant, Some(&view(&issuer, "user-ca")), &asked, NOW);
    let problem = Problem::from(verdict.unwrap_err());
    assert_eq!((problem.code.code(), problem.exit.code()), ("policy.wrong-ca", 7));
    assert!(problem.message.starts_with("the request breaks 7 rules:\n"));
}

#[test]
fn an_empty_subject_needs_an_alternative_name_and_makes_it_critical() {
    // X7
    let mut system = applicant("");
    system.alt_names = vec![GeneralName::Dns("a.example".into())];
    let template = grant("system", "system-ca", &system, &values());
    let names = template.extensions.iter().find(|one| one.oid == extension::SUBJECT_ALT_NAME).unwrap();
    assert!(names.critical);
    let rules = refused("system", "system-ca", &applicant(""), &values());
    assert_eq!(rules, ["policy.name-missing", "policy.subject-empty"]);
    assert!(refused("user-ca", "root-ca", &applicant(""), &values()).contains(&"policy.subject-empty"));
}

#[test]
fn name_constraints_go_into_ca_certificates_only() {
    // X8
    let constraints =
        NameConstraints { permitted: vec!["genfic.example".parse().unwrap()], excluded: Vec::new() };
    let asked = RequestedValues { name_constraints: constraints, ..values() };
    let template = grant("system-ca", "root-ca", &applicant("CN=Systems"), &asked);
    let tbs = assembled(&template, root().tbs().subject());
    let granted = NameConstraints::of(&tbs).unwrap().unwrap();
    assert_eq!(granted.excluded.len(), 2, "addresses are closed");
    assert!(tbs.extension(extension::NAME_CONSTRAINTS).unwrap().critical);
    let leaf = refused("system", "system-ca", &applicant("CN=a.example"), &asked);
    assert_eq!(leaf, ["policy.name-constraints"]);
    let none = grant("system-ca", "root-ca", &applicant("CN=Systems"), &values());
    assert!(!oids(&none).contains(&extension::NAME_CONSTRAINTS));
}

#[test]
fn what_a_key_was_used_for_before_counts() {
    // P1, X13
    let mut system = applicant("CN=a.example");
    let subject = Name::parse("CN=b.example").unwrap();
    system.prior_uses =
        vec![PriorUse { subject, authority: None, compromised: true, is_one_subscriber: false }];
    assert_eq!(
        refused("system", "system-ca", &system, &values()),
        ["policy.compromised-key", "policy.key-reused"]
    );
    system.prior_uses.clear();
    grant("system", "system-ca", &system, &values());
}
