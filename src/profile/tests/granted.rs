//! Tests of what the shipped profiles grant.
use super::*;

#[test]
fn a_root_lasts_20_years_and_has_neither_path_length_nor_pointers() {
    // G1, X5, X10
    let applicant = applicant("C=BE,O=Genfic,CN=GenFic Root CA");
    let template = shipped("root-ca").evaluate(&applicant, None, &ask(), NOW).unwrap();
    let length = template.validity.not_after.0 - template.validity.not_before.0 + 1;
    assert_eq!(length, 7305 * 86_400);
    let tbs = assembled(&template, &template.subject);
    assert_eq!(BasicConstraints::of(&tbs), Some(BasicConstraints { ca: true, path_length: None }));
    assert_eq!(KeyUsage::of(&tbs), Some(KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN)));
    let key_identifier = subject_key_identifier(&tbs).unwrap();
    assert_eq!(key_identifier, applicant.public_key.key_identifier());
    assert_eq!(
        oids(&template),
        [
            extension::BASIC_CONSTRAINTS,
            extension::KEY_USAGE,
            extension::SUBJECT_KEY_IDENTIFIER,
            extension::AUTHORITY_KEY_IDENTIFIER
        ]
    );
}

#[test]
fn child_cas_carry_path_length_zero_and_no_purposes() {
    // G3, X5, X9
    for profile in ["user-ca", "system-ca"] {
        let template = grant(profile, "root-ca", &applicant("CN=Child"), &ask());
        let tbs = assembled(&template, root().tbs().subject());
        assert_eq!(BasicConstraints::of(&tbs), Some(BasicConstraints { ca: true, path_length: Some(0) }));
        assert!(ExtendedKeyUsage::of(&tbs).is_none());
        assert_eq!(template.validity.not_after.0 - template.validity.not_before.0 + 1, 3650 * 86_400);
    }
    let intermediate = grant("sub-ca", "root-ca", &applicant("CN=Sub"), &ask());
    let tbs = assembled(&intermediate, root().tbs().subject());
    assert_eq!(BasicConstraints::of(&tbs).unwrap().path_length, Some(1));
}

#[test]
fn a_user_certificate_of_the_reference_chapter_is_granted() {
    // G8
    let subject = "/C=BE/ST=Antwerp/L=Mechelen/O=Gentoo Fictional, Inc./OU=Gentoo Infrastructure\
                   /CN=Amber McStone/emailAddress=amber@genfic.example";
    let template = grant("user", "user-ca", &applicant(subject), &ask());
    assert_eq!(template.subject, Name::parse(subject).unwrap());
    assert_eq!(template.alt_names, [GeneralName::Email("amber@genfic.example".into())]);
    assert_eq!(template.contact.as_deref(), Some("amber@genfic.example"));
    assert_eq!(template.validity.not_after.0 - template.validity.not_before.0 + 1, 396 * 86_400);
    let usage = ExtendedKeyUsage::of(&assembled(&template, root().tbs().subject())).unwrap();
    assert_eq!(usage.0, [Purpose::CLIENT_AUTH, Purpose::EMAIL_PROTECTION]);
    assert_eq!(grant("user", "user-ca", &applicant("CN=Amber McStone"), &ask()).alt_names, []);
}

#[test]
fn a_system_certificate_gets_its_name_from_the_subject_and_keeps_the_contact_out_of_it() {
    // G9, X12
    let with_contact = Ask { contact: Some("ops@Genfic.example".into()), ..ask() };
    let template = grant("system", "system-ca", &applicant("C=BE,CN=w03443ad.genfic.example"), &with_contact);
    assert_eq!(template.alt_names, [GeneralName::Dns("w03443ad.genfic.example".into())]);
    assert_eq!(template.contact.as_deref(), Some("ops@genfic.example"));
    assert_eq!(template.subject.to_string(), "C=BE, CN=w03443ad.genfic.example");
    assert_eq!(template.validity.not_after.0 - template.validity.not_before.0 + 1, 825 * 86_400);
    let usage = ExtendedKeyUsage::of(&assembled(&template, root().tbs().subject())).unwrap();
    assert_eq!(usage.0, [Purpose::SERVER_AUTH, Purpose::CLIENT_AUTH]);
    let bad = Ask { contact: Some("nobody".into()), ..ask() };
    assert_eq!(refused("system", "system-ca", &applicant("CN=a.example"), &bad), ["policy.contact"]);
}

#[test]
fn ten_years_for_a_system_are_granted_on_request_with_a_notice() {
    // G9
    let length = |days| Ask { length: Length::Days(days), ..ask() };
    let system = applicant("CN=a.example");
    let granted = |days| grant("system", "system-ca", &system, &length(days)).notices.join("; ");
    assert!(granted(3650).contains("Apple"));
    assert!(!granted(825).contains("Apple"));
    assert_eq!(refused("system", "system-ca", &system, &length(3651)), ["policy.too-long"]);
}

#[test]
fn a_certificate_of_a_purpose_cannot_come_from_another_ca() {
    // G21
    let (user, system) = (applicant("CN=Amber"), applicant("CN=a.example"));
    assert_eq!(refused("user", "system-ca", &user, &ask()), ["policy.wrong-ca"]);
    assert_eq!(refused("system", "user-ca", &system, &ask()), ["policy.wrong-ca"]);
    assert_eq!(refused("user", "root-ca", &user, &ask()), ["policy.wrong-ca"]);
    assert_eq!(refused("user-ca", "user-ca", &user, &ask()), ["policy.wrong-ca"]);
    assert_eq!(refused("root-ca", "root-ca", &user, &ask()), ["policy.issuer"]);
    let alone = shipped("user").evaluate(&user, None, &ask(), NOW).unwrap_err();
    assert_eq!(alone[0].rule.code(), "policy.issuer");
    for ca in ["root-ca", "sub-ca", "user-ca", "system-ca"] {
        grant("ocsp-responder", ca, &applicant("CN=OCSP"), &ask());
    }
}

#[test]
fn who_is_not_a_ca_issues_nothing() {
    let issuer = authority_with("CN=Leaf", Vec::new());
    let user = applicant("CN=Amber");
    let violations =
        shipped("user").evaluate(&user, Some(&view(&issuer, "user-ca")), &ask(), NOW).unwrap_err();
    assert_eq!(violations[0].rule.code(), "policy.issuer");
}

#[test]
fn a_responder_certificate_is_not_looked_up_itself() {
    // X9, X10
    let template = grant("ocsp-responder", "root-ca", &applicant("CN=OCSP"), &ask());
    let tbs = assembled(&template, root().tbs().subject());
    assert_eq!(ExtendedKeyUsage::of(&tbs).unwrap().0, [Purpose::OCSP_SIGNING]);
    assert_eq!(KeyUsage::of(&tbs), Some(KeyUsage::DIGITAL_SIGNATURE));
    assert!(tbs.extension(extension::OCSP_NO_CHECK).is_some());
    assert!(tbs.extension(extension::CRL_DISTRIBUTION_POINTS).is_none());
    assert!(tbs.extension(extension::AUTHORITY_INFO_ACCESS).is_none());
    assert_eq!(template.validity.not_after.0 - template.validity.not_before.0 + 1, 30 * 86_400);
}

#[test]
fn a_certificate_says_where_to_ask_about_revocation() {
    // X10
    let template = grant("system", "system-ca", &applicant("CN=a.example"), &ask());
    let tbs = assembled(&template, root().tbs().subject());
    let points = &tbs.extension(extension::CRL_DISTRIBUTION_POINTS).unwrap().value;
    assert_eq!(distribution_point_urls(points).unwrap(), ["http://pki.genfic.example/ca.crl"]);
    let access = &tbs.extension(extension::AUTHORITY_INFO_ACCESS).unwrap().value;
    let access = AccessDescription::list_from_value(access).unwrap();
    assert_eq!(access[0], AccessDescription::ocsp("http://pki.genfic.example/ocsp"));
    assert_eq!(access[1], AccessDescription::ca_issuers("http://pki.genfic.example/ca.crt"));
}

#[test]
fn an_issuer_without_responder_or_address_leaves_the_pointers_out() {
    // X10
    let issuer = root();
    let offline = IssuerView { ocsp_url: None, ..view(&issuer, "system-ca") };
    let system = applicant("CN=a.example");
    let template = shipped("system").evaluate(&system, Some(&offline), &ask(), NOW).unwrap();
    let tbs = assembled(&template, issuer.tbs().subject());
    let access = &tbs.extension(extension::AUTHORITY_INFO_ACCESS).unwrap().value;
    assert_eq!(AccessDescription::list_from_value(access).unwrap().len(), 1);
    let silent = IssuerView { crl_urls: Vec::new(), ca_issuers_url: None, ..offline };
    let template = shipped("system").evaluate(&system, Some(&silent), &ask(), NOW).unwrap();
    assert!(!oids(&template).contains(&extension::CRL_DISTRIBUTION_POINTS));
    assert!(!oids(&template).contains(&extension::AUTHORITY_INFO_ACCESS));
    assert!(template.notices.iter().any(|notice| notice.contains("publication.url")));
}

#[test]
fn a_short_lived_certificate_says_that_revocation_is_not_available() {
    // X10
    let template = grant("short-lived", "system-ca", &applicant("CN=a.example"), &ask());
    let tbs = assembled(&template, root().tbs().subject());
    assert!(tbs.extension(extension::NO_REV_AVAIL).is_some());
    assert!(tbs.extension(extension::CRL_DISTRIBUTION_POINTS).is_none());
    let access = &tbs.extension(extension::AUTHORITY_INFO_ACCESS).unwrap().value;
    let access = AccessDescription::list_from_value(access).unwrap();
    assert!(access.iter().all(|one| one.method == AccessDescription::CA_ISSUERS));
}

#[test]
fn the_authority_key_identifier_repeats_the_issuers_octets() {
    // X6
    let own = Extension::new(extension::SUBJECT_KEY_IDENTIFIER, false, vec![4, 3, 1, 2, 3]);
    let constraints = BasicConstraints { ca: true, path_length: None }.to_extension();
    let issuer = authority_with("CN=Imported", vec![constraints, own]);
    let system = applicant("CN=a.example");
    let template =
        shipped("system").evaluate(&system, Some(&view(&issuer, "system-ca")), &ask(), NOW).unwrap();
    let tbs = assembled(&template, issuer.tbs().subject());
    let value = &tbs.extension(extension::AUTHORITY_KEY_IDENTIFIER).unwrap().value;
    assert_eq!(authority_key_identifier_of(value), Some(vec![1, 2, 3]));
    assert_eq!(subject_key_identifier(&tbs).unwrap(), system.public_key.key_identifier());
    assert_eq!(tbs.issuer(), issuer.tbs().subject());
}

#[test]
fn leaf_certificates_have_no_basic_constraints_and_rsa_keys_may_encipher() {
    // X5
    let mut system = applicant("CN=a.example");
    assert!(!oids(&grant("system", "system-ca", &system, &ask())).contains(&extension::BASIC_CONSTRAINTS));
    system.public_key = rsa_key();
    let usage = |template: CertificateTemplate| {
        KeyUsage::of(&assembled(&template, root().tbs().subject())).unwrap().to_string()
    };
    assert_eq!(usage(grant("system", "system-ca", &system, &ask())), "digitalSignature, keyEncipherment");
    system.public_key = ed25519_key();
    assert_eq!(usage(grant("system", "system-ca", &system, &ask())), "digitalSignature");
}
