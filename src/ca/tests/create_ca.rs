//! Creation of CAs: order of steps, crashes, names in certificates, siblings.
use super::fixture::{DAY, Fixture, NOW, ends_with, new, request};
use crate::ca::NewAuthority;
use crate::error::{Exit, Remedy, remedy};
use crate::home::PublicFile;
use crate::profile::RequestedValidity;
use crate::signing::CaKeys;
use crate::x509::extension::{
    AUTHORITY_INFO_ACCESS, AccessDescription, NameConstraints, distribution_point_urls,
};
use crate::x509::{Certificate, KeyAlgorithm, Name};

fn key_file(fixture: &Fixture, name: &str) -> std::path::PathBuf {
    fixture.home.keys_directory().join(format!("{name}.age"))
}

#[test]
fn a_root_is_recorded_before_it_is_signed_and_has_its_list_before_anything_else_is_made() {
    // G1, G2
    let fixture = Fixture::new();
    fixture.root("genfic");
    let steps = fixture.script.steps();
    let expected = [
        "generate",
        "intent",
        "sign",
        "recorded",
        "status",
        "authority",
        "number",
        "reserve",
        "list",
        "sign",
    ];
    assert_eq!(steps[..10], expected);
    assert_eq!(steps[10..], ["crl", "listed"]);
    assert_eq!(fixture.list("genfic").tbs().crl_number(), Some(1));
}

#[test]
fn a_key_whose_certificate_did_not_come_to_be_is_removed_and_the_name_is_free_again() {
    for step in ["intent", "sign", "miscalculate", "recorded"] {
        let fixture = Fixture::new();
        fixture.script.fail(&[step]);
        fixture.engine().lifecycle().create_root(&new("genfic", "root-ca")).unwrap_err();
        assert!(!key_file(&fixture, "genfic").exists(), "{step}");
        fixture.script.fail(&[]);
        fixture.engine().maintenance().recover().unwrap();
        fixture.root("genfic");
        assert!(!fixture.audit().is_empty());
    }
}

#[test]
fn a_key_left_by_a_command_that_died_is_kept_and_it_is_said_how_to_go_on() {
    let fixture = Fixture::new();
    let key = fixture.keys.new_key("genfic");
    fixture.keys.generate(&key, KeyAlgorithm::P256).unwrap();
    let before = std::fs::read(key_file(&fixture, "genfic")).unwrap();
    let problem = fixture.engine().lifecycle().create_root(&new("genfic", "root-ca")).unwrap_err();
    assert_eq!((problem.exit, problem.code.code()), (Exit::Exists, "key.exists"));
    assert!(problem.message.contains("no CA of this home has it"), "{problem}");
    let Remedy::Words(hint) = &problem.hint else { panic!("{problem:?}") };
    let mv = hint.split(['(', ')']).nth(1).unwrap().to_owned();
    assert_eq!(std::fs::read(key_file(&fixture, "genfic")).unwrap(), before, "it may be the only copy");
    let other = crate::index::IssuanceIndex::signing(&*fixture.records).unwrap();
    let busy = fixture.engine().lifecycle().create_root(&new("genfic", "root-ca")).unwrap_err();
    assert_eq!((busy.exit, busy.code.code()), (Exit::Busy, "key.in-use"), "its owner may be about to use it");
    drop(other);
    let words: Vec<&str> = mv.split(' ').collect();
    assert!(std::process::Command::new(words[0]).args(&words[1..]).status().unwrap().success(), "{mv}");
    fixture.root("genfic");
}

#[test]
fn whatever_a_new_ca_lacks_after_a_failure_is_made_good_by_the_next_commands() {
    for step in ["status", "authority", "number", "reserve", "list", "crl", "listed", "issued", "responder"] {
        let fixture = Fixture::new();
        fixture.root("genfic");
        fixture.script.fail(&[step]);
        let problem = fixture
            .engine()
            .lifecycle()
            .create_child("genfic", &new("genfic-system", "system-ca"))
            .unwrap_err();
        let finish = remedy::Authority::Finish("genfic-system".into());
        assert!(ends_with(&problem, finish), "{step}: {problem:?}");
        assert!(key_file(&fixture, "genfic-system").exists(), "{step}");
        fixture.script.fail(&[]);
        let engine = fixture.engine();
        let again =
            engine.lifecycle().create_child("genfic", &new("genfic-system", "system-ca")).unwrap_err();
        assert_eq!((again.exit, again.code.code()), (Exit::Exists, "authority.exists"), "{step}");
        engine.maintenance().recover().unwrap();
        engine.maintenance().maintain(engine.issuance().unlock_issuer("genfic-system").unwrap()).unwrap();
        for file in [PublicFile::Certificate, PublicFile::CertificateDer, PublicFile::Chain, PublicFile::Crl]
        {
            assert!(fixture.public("genfic-system", file).is_file(), "{step}: {}", file.ending());
        }
        assert!(!engine.maintenance().crl_is_due("genfic-system").unwrap(), "{step}");
        assert!(!engine.maintenance().responder_is_due("genfic-system").unwrap(), "{step}");
        assert_eq!(
            engine.maintenance().recover().unwrap(),
            Default::default(),
            "{step}: nothing is owed any more"
        );
        fixture.issue(&[request("a.example")]).unwrap();
    }
}

#[test]
fn a_ca_that_is_to_have_a_responder_is_not_begun_without_the_profile_for_it() {
    // O7
    let mut fixture = Fixture::new();
    fixture.root("genfic");
    let text = crate::profile::SHIPPED.iter().filter(|(file, _)| *file != "ocsp-responder.toml");
    let others = text.filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, *text)));
    fixture.settings.profiles = crate::profile::Profiles::parse(others).unwrap();
    fixture.asked();
    let problem =
        fixture.engine().lifecycle().create_child("genfic", &new("genfic-system", "system-ca")).unwrap_err();
    assert_eq!(problem.exit, Exit::NotFound);
    assert!(problem.message.contains("ocsp-responder"), "{problem}");
    assert_eq!(fixture.asked(), []);
    let without = NewAuthority { ocsp: Some(false), ..new("genfic-system", "system-ca") };
    fixture.engine().lifecycle().create_child("genfic", &without).unwrap();
}

fn pointers(certificate: &Certificate) -> (Vec<String>, Vec<String>) {
    let tbs = certificate.tbs();
    let lists = tbs
        .extension(crate::x509::extension::CRL_DISTRIBUTION_POINTS)
        .map(|extension| distribution_point_urls(&extension.value).unwrap())
        .unwrap_or_default();
    let access = tbs.extension(AUTHORITY_INFO_ACCESS);
    let access = access.map(|extension| AccessDescription::list_from_value(&extension.value).unwrap());
    (lists, access.unwrap_or_default().iter().map(|one| one.location.value()).collect())
}

#[test]
fn certificates_of_a_root_name_its_list_and_certificate_only_unless_a_responder_is_asked_for() {
    // X10
    let fixture = Fixture::with_system_ca();
    assert_eq!(pointers(&fixture.certificate("genfic")), (vec![], vec![]));
    let (lists, access) = pointers(&fixture.certificate("genfic-system"));
    assert_eq!(lists, ["http://engine.example/genfic.crl"]);
    assert_eq!(access, ["http://engine.example/genfic.crt"]);
    let leaf = fixture.issue_host("a.example").certificate.unwrap();
    let (lists, access) = pointers(&leaf);
    assert_eq!(lists, ["http://engine.example/genfic-system.crl"]);
    assert_eq!(access, ["http://engine.example/ocsp", "http://engine.example/genfic-system.crt"]);

    let asked = Fixture::new();
    asked
        .engine()
        .lifecycle()
        .create_root(&NewAuthority { ocsp: Some(true), ..new("genfic", "root-ca") })
        .unwrap();
    asked.child("genfic", "genfic-system", "system-ca");
    let (_, access) = pointers(&asked.certificate("genfic-system"));
    assert_eq!(access, ["http://engine.example/ocsp", "http://engine.example/genfic.crt"]);
}

#[test]
fn without_an_address_nothing_is_pointed_to_and_it_is_said() {
    // X10
    let fixture = Fixture::with("");
    let created = fixture.engine().lifecycle().create_root(&new("genfic", "root-ca")).unwrap();
    assert!(created.notices.iter().any(|notice| notice.message.contains("no URL is configured")));
    fixture.child("genfic", "genfic-system", "system-ca");
    let issuance = fixture.issue(&[request("a.example")]).unwrap();
    assert_eq!(pointers(&issuance.issued[0].certificate), (vec![], vec![]));
    assert!(issuance.issued[0].notices.iter().any(|notice| notice.message.contains("publication.url")));
}

#[test]
fn siblings_end_14_days_apart_in_either_order_and_an_explicit_end_is_warned_about() {
    // G4
    for request in [["user-ca", "system-ca"], ["system-ca", "user-ca"]] {
        let fixture = Fixture::new();
        fixture.root("genfic");
        request.iter().for_each(|profile| fixture.child("genfic", &format!("genfic-{profile}"), profile));
        let end = |name: &str| fixture.certificate(name).tbs().validity().not_after;
        assert!(end("genfic-system-ca").0 - end("genfic-user-ca").0 >= 14 * DAY);
        assert!(end("genfic-system-ca") <= end("genfic"));
        let explicit = NewAuthority { validity: RequestedValidity::Days(3650), ..new("third", "user-ca") };
        let created = fixture.engine().lifecycle().create_child("genfic", &explicit).unwrap();
        assert!(
            created.notices.iter().any(|notice| notice.message.contains("14 days")),
            "{:?}",
            created.notices
        );
        let days = (end("third").0 - fixture.certificate("third").tbs().validity().not_before.0 + 1) / DAY;
        assert_eq!(days, 3650, "honoured all the same");
    }
}

#[test]
fn names_that_a_ca_may_not_certify_are_refused_through_the_whole_chain() {
    // X8
    let fixture = Fixture::new();
    fixture.root("genfic");
    let permitted = vec!["corp.example".parse().unwrap()];
    let constraints = NameConstraints { permitted, excluded: Vec::new() };
    let corp = NewAuthority { name_constraints: constraints, ..new("corp", "sub-ca") };
    fixture.engine().lifecycle().create_child("genfic", &corp).unwrap();
    fixture.child("corp", "genfic-system", "system-ca");
    let codes = |host: &str| -> Vec<&str> {
        fixture
            .issue(&[request(host)])
            .unwrap()
            .refused
            .iter()
            .map(|refusal| refusal.problem.code.code())
            .collect()
    };
    assert_eq!(codes("a.corp.example"), [""; 0]);
    assert_eq!(codes("a.example").len(), 1);
    let subject = Some(Name::parse("CN=www.elsewhere.example").unwrap());
    let child = NewAuthority { subject, ..new("child", "system-ca") };
    assert!(
        fixture.engine().lifecycle().create_child("corp", &child).is_err(),
        "a CN that looks like a DNS name counts"
    );
}

#[test]
fn a_list_that_is_due_is_made_while_the_key_of_the_issuer_is_open() {
    // C8: the key of a root is seldom available
    let fixture = Fixture::new();
    fixture.root("genfic");
    fixture.set(NOW.plus_days(200));
    assert!(!fixture.engine().maintenance().crl_is_due("genfic").unwrap(), "nobody is asked for it yet");
    fixture.child("genfic", "genfic-system", "system-ca");
    assert_eq!(fixture.list("genfic").tbs().crl_number(), Some(2));
    fixture.set(NOW.plus_days(200 + 365));
    assert!(fixture.engine().maintenance().crl_is_due("genfic").unwrap());
    fixture.child("genfic", "genfic-user", "user-ca");
    assert!(!fixture.engine().maintenance().crl_is_due("genfic").unwrap());
    assert_eq!(fixture.list("genfic").tbs().crl_number(), Some(3));
}
