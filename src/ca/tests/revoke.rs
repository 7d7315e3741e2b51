//! Revocation: the index has it first, whatever becomes of the later steps.
use super::fixture::{Fixture, NOW};
use crate::error::Exit;
use crate::index::CertificateState;
use crate::status::StatusPublisher;
use crate::x509::CrlReason;

const CA: &str = "genfic-system";

#[test]
fn a_revocation_is_recorded_then_answered_then_listed() {
    // G11, O12
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    fixture.script.steps();
    let revoked =
        fixture.engine().revocation().revoke(&record, Some(CrlReason::KeyCompromise), None, true).unwrap();
    let steps = fixture.script.steps();
    let expected = ["transition", "status", "open", "number", "reserve", "list", "sign", "crl", "listed"];
    assert_eq!(steps, expected);
    assert!(revoked.owed.is_none() && revoked.unanswered.is_none() && revoked.crl.is_some());
}

#[test]
fn a_failure_after_the_record_is_told_and_made_good() {
    // G11
    for step in ["status", "number", "reserve", "list", "sign", "crl", "listed"] {
        let fixture = Fixture::with_system_ca();
        let record = fixture.issue_host("a.example");
        fixture.script.fail(&[step]);
        let revoked = fixture.engine().revocation().revoke(&record, None, None, true).unwrap();
        assert!(revoked.owed.is_some(), "{step}");
        assert_eq!(revoked.unanswered.is_some(), step == "status", "{step}");
        assert!(matches!(fixture.record("a.example").state, CertificateState::Revoked(_)), "{step}");
        assert_eq!(revoked.crl.is_some(), step == "status", "{step}: the list does not wait for the status");
        fixture.script.fail(&[]);
        fixture.engine().maintenance().recover().unwrap();
        assert!(fixture.status.is_current(&*fixture.records).unwrap(), "{step}");
        assert_eq!(fixture.engine().maintenance().crl_is_due(CA).unwrap(), step != "status", "{step}");
        fixture.publish(CA).unwrap();
        assert!(fixture.list(CA).tbs().find(&record.id.serial_number).is_some(), "{step}");
        assert!(!fixture.engine().maintenance().crl_is_due(CA).unwrap(), "{step}");
    }
}

#[test]
fn without_the_key_a_revocation_is_recorded_and_answered_and_the_list_is_owed() {
    // G11
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    let keys = fixture.home.keys_directory();
    std::fs::rename(keys.join("genfic-system.age"), keys.join("away")).unwrap();
    let revoked = fixture.engine().revocation().revoke(&record, None, None, true).unwrap();
    assert_eq!(revoked.owed.unwrap().exit, Exit::KeyUnavailable);
    assert!(fixture.status.is_current(&*fixture.records).unwrap());
    assert!(fixture.engine().maintenance().crl_is_due(CA).unwrap());
}

#[test]
fn a_clock_that_is_behind_holds_up_the_list_and_not_the_revocation() {
    // X2, G11
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    fixture.set(NOW.plus(-100));
    let revoked =
        fixture.engine().revocation().revoke(&record, Some(CrlReason::KeyCompromise), None, true).unwrap();
    assert_eq!(revoked.owed.as_ref().unwrap().exit, Exit::Integrity);
    assert_eq!(revoked.record.revocation().unwrap().revoked_at, NOW.plus(-100));
    assert!(fixture.status.is_current(&*fixture.records).unwrap(), "it is answered");
    fixture.set(NOW.plus(1));
    fixture.publish(CA).unwrap();
    assert!(fixture.list(CA).tbs().find(&record.id.serial_number).is_some());
    fixture.audit();
}

#[test]
fn a_hold_is_lifted_and_what_is_revoked_for_good_is_not() {
    // C4
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    let engine = fixture.engine();
    let held =
        engine.revocation().revoke(&record, Some(CrlReason::CertificateHold), None, true).unwrap().record;
    let entry = fixture.list(CA).tbs().find(&record.id.serial_number).unwrap();
    assert_eq!(entry.reason, Some(CrlReason::CertificateHold));
    let free = engine.revocation().release(&held, true).unwrap().record;
    assert!(fixture.list(CA).tbs().find(&record.id.serial_number).is_none());
    let gone = engine
        .revocation()
        .revoke(&free, Some(CrlReason::KeyCompromise), Some(NOW.plus(-5)), true)
        .unwrap()
        .record;
    let entry = fixture.list(CA).tbs().find(&record.id.serial_number).unwrap();
    assert_eq!((entry.reason, entry.invalidity_date), (Some(CrlReason::KeyCompromise), Some(NOW.plus(-5))));
    assert_eq!(engine.revocation().release(&gone, true).unwrap_err().exit, Exit::Refused);
    assert_eq!(engine.revocation().revoke(&gone, None, None, true).unwrap_err().exit, Exit::Exists);
    let stale = engine.revocation().revoke(&record, None, None, true).unwrap_err();
    assert_eq!((stale.exit, stale.code.code()), (Exit::Busy, "index.conflict"), "somebody else was quicker");
    let actions = fixture.actions();
    for action in ["certificate.held", "certificate.released", "certificate.revoked"] {
        assert_eq!(actions.iter().filter(|one| *one == action).count(), 1, "{action}");
    }
}

#[test]
fn an_invalidity_date_to_come_is_refused() {
    // C4
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    let later = fixture.engine().revocation().revoke(&record, None, Some(NOW.plus(1)), true).unwrap_err();
    assert_eq!(later.exit, Exit::Usage);
    assert_eq!(fixture.record("a.example").state, CertificateState::Issued);
}

#[test]
fn every_act_and_refusal_is_on_record_with_who_and_what_and_no_secret() {
    // G15, K2
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    let engine = fixture.engine();
    engine.revocation().revoke(&record, Some(CrlReason::Superseded), None, true).unwrap();
    let problem = engine.revocation().revoke(&fixture.record("a.example"), None, None, true).unwrap_err();
    engine.record_refusal("revoke", "genfic-system", &problem).unwrap();
    let records = fixture.audit();
    let serial = format!("genfic-system/{}", record.id.serial_number);
    for action in ["certificate.intended", "certificate.issued", "certificate.revoked"] {
        let found = records.iter().find(|one| one.event.action == action && one.event.object == serial);
        assert_eq!(found.unwrap().event.actor.user, "alice", "{action}");
    }
    let root = records.iter().find(|one| one.event.action == "certificate.intended").unwrap();
    assert!(root.event.details.iter().any(|(name, value)| name == "subject" && value.contains("CN=genfic")));
    for action in ["crl.issued", "crl.published", "responder.installed"] {
        assert!(records.iter().any(|one| one.event.action == action && one.event.object == CA), "{action}");
    }
    let refused = &records.last().unwrap().event;
    assert_eq!(
        (refused.action.as_str(), refused.outcome.clone()),
        ("revoke", crate::audit::Outcome::Refused("certificate.revoked".into()))
    );
    let everything = format!("{records:?}");
    assert!(!everything.contains("correct horse") && !everything.contains("PRIVATE KEY"));
    assert!(fixture.records.audit_head().unwrap().sequence >= 12);
}
