//! The order of steps, and the state in which a failing step leaves a home.
use super::fixture::{DAY, Fixture, ends_with, new, request};
use crate::error::{Exit, remedy};
use crate::home::AuthorityName;
use crate::index::{CertificateState, Selector};
use crate::x509::CertificateId;

fn state(fixture: &Fixture, host: &str) -> Option<CertificateState> {
    let found = fixture.records.select(&Selector::Name(host.into()), 9).unwrap();
    found.first().map(|record| record.state.clone())
}

fn kept(fixture: &Fixture) -> usize {
    let name: AuthorityName = "genfic-system".parse().unwrap();
    std::fs::read_dir(fixture.home.issued_directory(&name)).unwrap().count()
}

#[test]
fn nothing_is_signed_before_it_is_on_record_and_nothing_kept_before_its_status_is_published() {
    // O12
    let fixture = Fixture::with_system_ca();
    fixture.issue(&[request("a.example")]).unwrap();
    assert_eq!(fixture.script.steps(), ["open", "intent", "sign", "recorded", "status", "issued"]);
}

#[test]
fn a_request_that_is_refused_leaves_no_trace() {
    let fixture = Fixture::with_system_ca();
    let refused = fixture.issue(&[request("not_a_host")]).unwrap();
    assert_eq!((refused.issued.len(), refused.refused.len()), (0, 1));
    assert_eq!(fixture.script.steps(), ["open"]);
    assert_eq!(state(&fixture, "not_a_host"), None);
}

#[test]
fn what_fails_before_the_record_never_happened() {
    let fixture = Fixture::with_system_ca();
    let before = fixture.audit().len();
    fixture.script.fail(&["intent"]);
    assert_eq!(fixture.issue(&[request("a.example")]).unwrap_err().code.code(), "index.failed");
    assert_eq!((state(&fixture, "a.example"), fixture.audit().len()), (None, before));
    assert_eq!(fixture.script.steps(), ["open", "intent"]);
}

#[test]
fn what_was_intended_and_not_signed_is_abandoned_by_the_next_command() {
    for step in ["sign", "miscalculate", "recorded"] {
        let fixture = Fixture::with_system_ca();
        fixture.script.fail(&[step]);
        let problem = fixture.issue(&[request("a.example")]).unwrap_err();
        assert!(
            ["key.cryptography", "key.signature", "index.failed"].contains(&problem.code.code()),
            "{problem:?}"
        );
        assert_eq!(state(&fixture, "a.example"), Some(CertificateState::Pending), "{step}");
        assert!(!fixture.script.steps().contains(&"issued"), "{step}: nothing is handed out");
        fixture.script.fail(&[]);
        assert_eq!(fixture.engine().maintenance().recover().unwrap().abandoned, 1, "{step}");
        let record = fixture.record("a.example");
        assert!(record.is_abandoned() && record.certificate.is_none(), "{step}");
        assert!(
            fixture.engine().maintenance().crl_is_due("genfic-system").unwrap(),
            "{step}: a signature may exist"
        );
        fixture.publish("genfic-system").unwrap();
        let listed = fixture.list("genfic-system").tbs().find(&record.id.serial_number);
        assert!(listed.is_some(), "{step}");
        assert_eq!(
            fixture.engine().maintenance().recover().unwrap(),
            Default::default(),
            "{step}: once is enough"
        );
    }
}

#[test]
fn while_somebody_is_signing_nothing_is_abandoned() {
    let fixture = Fixture::with_system_ca();
    fixture.script.fail(&["sign"]);
    fixture.issue(&[request("a.example")]).unwrap_err();
    fixture.script.fail(&[]);
    let other = crate::index::IssuanceIndex::signing(&*fixture.records).unwrap();
    assert_eq!(fixture.engine().maintenance().recover().unwrap().abandoned, 0);
    assert_eq!(state(&fixture, "a.example"), Some(CertificateState::Pending));
    drop(other);
    assert_eq!(fixture.engine().maintenance().recover().unwrap().abandoned, 1);
}

#[test]
fn a_certificate_whose_status_is_not_published_is_not_handed_out_until_it_is() {
    // O12
    let fixture = Fixture::with_system_ca();
    fixture.script.fail(&["status"]);
    let problem = fixture.issue(&[request("a.example")]).unwrap_err();
    assert!(ends_with(&problem, remedy::Record::NotSignedAgain), "{problem:?}");
    assert_eq!(state(&fixture, "a.example"), Some(CertificateState::Issued));
    assert_eq!(kept(&fixture), 0);
    let still = fixture.engine().maintenance().recover().unwrap();
    assert_eq!((still.repeated.len(), still.owed.len()), (0, 1), "{still:?}");
    assert_eq!(kept(&fixture), 0, "its status is not published yet");
    fixture.script.fail(&[]);
    let recovered = fixture.engine().maintenance().recover().unwrap();
    assert_eq!(recovered.repeated.len(), 2, "{recovered:?}");
    assert_eq!(kept(&fixture), 1);
    assert_eq!(fixture.engine().maintenance().recover().unwrap(), Default::default());
}

#[test]
fn a_certificate_that_could_not_be_kept_is_kept_by_the_next_command() {
    let fixture = Fixture::with_system_ca();
    fixture.script.fail(&["issued"]);
    let problem = fixture.issue(&[request("a.example")]).unwrap_err();
    assert_eq!((problem.exit, kept(&fixture)), (Exit::Failure, 0));
    fixture.script.fail(&[]);
    fixture.engine().maintenance().recover().unwrap();
    assert_eq!(kept(&fixture), 1);
}

#[test]
fn a_passphrase_is_asked_for_once_and_not_for_what_is_refused_anyway() {
    let fixture = Fixture::with_system_ca();
    let engine = fixture.engine();
    let (issuer, refused) = engine
        .issuance()
        .unlock_and_issue("genfic-system", "system", &[request("not_a_host"), request("-")])
        .unwrap();
    assert!(issuer.is_none());
    assert_eq!((refused.issued.len(), refused.refused.len()), (0, 2));
    assert_eq!(fixture.asked(), []);
    let requests = [request("not_a_host"), request("a.example")];
    let (issuer, issuance) =
        engine.issuance().unlock_and_issue("genfic-system", "system", &requests).unwrap();
    assert_eq!((issuance.issued.len(), issuance.refused.len()), (1, 1));
    let issuer = issuer.unwrap();
    fixture.wait(16 * super::fixture::DAY);
    assert_eq!(
        engine.maintenance().maintain(issuer).unwrap().len(),
        2,
        "the same key makes responder and list"
    );
    assert_eq!(fixture.asked().len(), 1);
}

/// Returns which of these steps were taken, in order.
fn made_public(fixture: &Fixture) -> Vec<&'static str> {
    let mut steps = fixture.script.steps();
    steps.retain(|step| ["authority", "crl", "responder"].contains(step));
    steps
}

#[test]
fn a_ca_signs_its_list_after_its_certificate_is_public_and_before_its_responder_is_certified() {
    let fixture = Fixture::new();
    fixture.root("genfic");
    fixture.script.steps();
    fixture.child("genfic", "genfic-system", "system-ca");
    assert_eq!(made_public(&fixture), ["authority", "crl", "responder"]);
    fixture.wait(16 * DAY);
    let engine = fixture.engine();
    let issuer = engine.issuance().unlock_issuer("genfic-system").unwrap();
    assert_eq!(engine.maintenance().maintain(issuer).unwrap().len(), 2);
    assert_eq!(made_public(&fixture), ["crl", "responder"]);
}

#[test]
fn a_responder_that_is_due_does_not_wait_for_a_list_that_fails_and_the_first_of_a_ca_does() {
    let fixture = Fixture::new();
    fixture.root("genfic");
    fixture.script.steps();
    fixture.script.fail(&["crl"]);
    let (engine, child) = (fixture.engine(), new("genfic-system", "system-ca"));
    engine.lifecycle().create_child("genfic", &child).unwrap_err();
    assert_eq!(made_public(&fixture), ["authority", "crl"]);
    let issuer = engine.issuance().unlock_issuer("genfic-system").unwrap();
    assert_eq!(engine.maintenance().maintain(issuer).unwrap().len(), 2);
    assert_eq!(made_public(&fixture), ["crl", "responder"]);
    assert!(!engine.maintenance().responder_is_due("genfic-system").unwrap());
}

#[test]
fn a_certificate_is_looked_up_by_its_number_and_one_that_is_not_on_record_is_refused() {
    // O12
    let fixture = Fixture::with_system_ca();
    let known = fixture.issue_host("a.example");
    fixture.script.fail(&["status"]);
    fixture.engine().lifecycle().create_child("genfic", &new("late", "system-ca")).unwrap_err();
    let engine = fixture.engine();
    let late = CertificateId {
        issuer: fixture.certificate("genfic").tbs().as_issuer(),
        serial_number: fixture.certificate("late").tbs().serial_number().clone(),
    };
    let found = engine.publication().check_published(&known.id).unwrap();
    assert_eq!(found.certificate, known.certificate);
    let refused = |id| engine.publication().check_published(id).unwrap_err().code.code();
    assert_eq!(refused(&late), "status.not-published");
    let other = CertificateId { issuer: fixture.certificate("late").tbs().as_issuer(), ..known.id };
    assert_eq!(refused(&other), "certificate.not-found");
    let refused = |name| engine.publication().check_authority_published(name).unwrap_err().code.code();
    assert_eq!(refused("late"), "status.not-published");
    assert!(engine.publication().check_authority_published("genfic-system").is_ok());
}
