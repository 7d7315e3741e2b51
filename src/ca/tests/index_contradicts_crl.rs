//! An index that contradicts the signed CRLs: nothing that takes a revocation back is published from it.
use super::fixture::{Fixture, request};
use crate::error::{Exit, Problem};
use crate::home::PublicFile;
use crate::index::{CertificateRecord, CertificateState};
use crate::x509::{CrlReason, UnixTime};

const CA: &str = "genfic-system";
const ISSUED: &str = "UPDATE status SET state = 1, revoked_at = NULL, reason = NULL";

/// A home, and a certificate that was revoked and is on the CRL.
fn revoked() -> (Fixture, CertificateRecord) {
    let fixture = Fixture::with_system_ca_in_a_file();
    let record = fixture.issue_host("a.example");
    fixture.issue_host("b.example");
    let at = fixture.now().plus(-500);
    fixture.engine().revocation().revoke(&record, Some(CrlReason::KeyCompromise), Some(at), true).unwrap();
    fixture.script.steps();
    (fixture, record)
}

/// Changes the row of a certificate directly in the database file, as its owner can.
fn tamper(fixture: &Fixture, record: &CertificateRecord, statement: &str) {
    let raw = rusqlite::Connection::open(fixture.home.index_file()).unwrap();
    let serial = record.id.serial_number.to_string();
    let which = format!("WHERE ltrim(lower(hex(serial)), '0') = ltrim('{serial}', '0')");
    raw.execute_batch(&format!("{statement} {which}")).unwrap();
}

fn bump(fixture: &Fixture, record: &CertificateRecord) {
    let raw = rusqlite::Connection::open(fixture.home.index_file()).unwrap();
    raw.execute_batch("UPDATE head SET change = change + 1").unwrap();
    tamper(fixture, record, "UPDATE status SET change = (SELECT change FROM head)");
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Problem>) -> &'static str {
    let problem = outcome.unwrap_err();
    assert_eq!(problem.exit, Exit::Integrity, "{problem:?}");
    problem.code.code()
}

fn lose_status(fixture: &Fixture) {
    for entry in std::fs::read_dir(fixture.home.status_directory()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

/// Statements that tamper with the row.
const TAMPERED: [&str; 5] = [
    ISSUED,
    "DELETE FROM status",
    "UPDATE status SET reason = 6",
    "UPDATE status SET state = 0, revoked_at = NULL, reason = NULL",
    "UPDATE status SET closed = 1, not_after = 0",
];

#[test]
fn no_list_is_signed_that_lacks_what_the_last_has_revoked() {
    // K3, C4
    for statement in TAMPERED {
        let (fixture, record) = revoked();
        let before = fixture.list(CA);
        tamper(&fixture, &record, statement);
        let problem = fixture.publish(CA).unwrap_err();
        assert_eq!(
            (problem.exit, problem.code.code()),
            (Exit::Integrity, "index.contradicts-crl"),
            "{statement}"
        );
        let serial = record.id.serial_number.to_string();
        assert!(problem.message.contains(&serial) && problem.message.contains(CA), "{}", problem.message);
        assert_eq!(problem.hint, crate::error::remedy::Home::TakeOverRevocations.into());
        assert!(!fixture.script.steps().contains(&"sign"), "{statement}");
        assert_eq!(fixture.list(CA), before, "{statement}");
        // another revocation goes on record and is published as status, and its CRL is outstanding
        let other = fixture.record("b.example");
        let told = fixture.engine().revocation().revoke(&other, None, None, true).unwrap();
        assert_eq!(told.owed.unwrap().code.code(), "index.contradicts-crl", "{statement}");
        assert!(told.unanswered.is_none() && fixture.list(CA) == before, "{statement}");
    }
}

#[test]
fn no_status_is_published_that_lacks_it() {
    // K3, O12
    for statement in TAMPERED.iter().filter(|one| !one.starts_with("DELETE")) {
        for is_whole in [true, false] {
            let (fixture, record) = revoked();
            tamper(&fixture, &record, statement);
            if is_whole {
                lose_status(&fixture);
            } else if statement.contains("closed") {
                continue;
            } else {
                bump(&fixture, &record);
            }
            let refusal = refused(fixture.engine().publication().publish_status().map_err(Problem::from));
            assert_eq!(refusal, "index.contradicts-crl", "{statement} {is_whole}");
            if statement.contains("state = 0") {
                // a pending certificate is abandoned first, and so counts as revoked again
                assert!(fixture.engine().maintenance().recover().unwrap().owed.is_empty());
                continue;
            }
            assert_eq!(
                fixture.engine().maintenance().recover().unwrap().owed[0].code.code(),
                "index.contradicts-crl"
            );
            // nothing is signed when its status could not be published
            fixture.script.steps();
            assert_eq!(refused(fixture.issue(&[request("c.example")])), "index.contradicts-crl");
            assert!(!fixture.script.steps().contains(&"intent"), "{statement} {is_whole}");
        }
    }
}

#[test]
fn what_the_list_has_is_taken_over_with_date_and_reason_and_everything_goes_on() {
    // C4, G15
    for statement in TAMPERED {
        let (fixture, record) = revoked();
        let at = fixture.now();
        tamper(&fixture, &record, statement);
        lose_status(&fixture);
        fixture.wait(60);
        let actions = fixture.actions().len();
        assert_eq!(fixture.engine().revocation().take_over_from_crl(CA).unwrap(), 1, "{statement}");
        let Some(CertificateState::Revoked(revocation)) = fixture.records.status(&record.id).unwrap() else {
            panic!("{statement}");
        };
        assert_eq!((revocation.revoked_at, revocation.reason), (at, Some(CrlReason::KeyCompromise)));
        assert_eq!(revocation.invalidity_date, Some(at.plus(-500)), "{statement}");
        let told = fixture.audit().split_off(actions);
        let [event] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(event.event.action, "certificate.revoked");
        assert!(event.event.details.contains(&("source".into(), format!("CRL 2 of {CA}"))), "{event:?}");
        fixture.engine().publication().publish_status().unwrap();
        assert!(fixture.engine().maintenance().crl_is_due(CA).unwrap(), "{statement}");
        fixture.publish(CA).unwrap();
        assert!(fixture.list(CA).tbs().find(&record.id.serial_number).is_some(), "{statement}");
        assert_eq!(fixture.record("a.example").certificate, record.certificate, "{statement}");
        assert_eq!(fixture.engine().revocation().take_over_from_crl(CA).unwrap(), 0, "{statement}");
    }
}

#[test]
fn where_the_list_is_gone_or_an_older_one_stands_there_the_records_of_the_index_tell() {
    // K3
    for is_gone in [true, false] {
        let fixture = Fixture::with_system_ca_in_a_file();
        let older = std::fs::read(fixture.public(CA, PublicFile::Crl)).unwrap();
        let record = fixture.issue_host("a.example");
        fixture.engine().revocation().revoke(&record, None, None, true).unwrap();
        tamper(&fixture, &record, ISSUED);
        let file = fixture.public(CA, PublicFile::Crl);
        if is_gone {
            std::fs::remove_file(file).unwrap()
        } else {
            std::fs::write(file, &older).unwrap()
        }
        assert_eq!(refused(fixture.publish(CA)), "index.contradicts-audit", "{is_gone}");
        lose_status(&fixture);
        let status = fixture.engine().publication().publish_status().map_err(Problem::from);
        assert_eq!(refused(status), "index.contradicts-audit", "{is_gone}");
        // the suggested remedy is applied
        let again = fixture.record("a.example");
        fixture.engine().revocation().revoke(&again, None, None, true).unwrap();
        fixture.engine().publication().publish_status().unwrap();
        assert!(fixture.list(CA).tbs().find(&record.id.serial_number).is_some());
    }
}

#[test]
fn a_revocation_that_was_made_a_hold_by_hand_is_not_released() {
    // C4
    let (fixture, record) = revoked();
    tamper(&fixture, &record, "UPDATE status SET reason = 6");
    let held = fixture.record("a.example");
    assert_eq!(refused(fixture.engine().revocation().release(&held, true)), "index.contradicts-crl");
    assert!(!matches!(fixture.records.status(&record.id).unwrap(), Some(CertificateState::Issued)));
}

#[test]
fn a_hold_that_is_lifted_and_what_has_ended_leave_the_list() {
    // C3, C4
    let mut fixture = Fixture::with_system_ca_in_a_file();
    let record = fixture.issue_host("a.example");
    let ended = fixture.issue_host("b.example");
    fixture.engine().revocation().revoke(&record, Some(CrlReason::CertificateHold), None, true).unwrap();
    fixture.engine().revocation().revoke(&ended, None, None, true).unwrap();
    fixture.engine().revocation().release(&fixture.record("a.example"), true).unwrap();
    assert!(fixture.list(CA).tbs().find(&record.id.serial_number).is_none());
    fixture.set(UnixTime(ended.validity.not_after.0 + 1));
    // X2: the first CRL confirms the time, the second is the one issued after the certificate's expiry
    fixture.publish(CA).unwrap();
    fixture.watch = crate::ca::ClockWatch::unattended().into();
    (0..2).for_each(|_| drop(fixture.publish(CA).unwrap()));
    assert_eq!(fixture.list(CA).tbs().entries().count(), 0);
    lose_status(&fixture);
    fixture.engine().publication().publish_status().unwrap();
}

#[test]
fn an_index_that_is_older_than_what_was_used_is_told_by_its_numbers_alone() {
    // C1
    let fixture = Fixture::with_system_ca_in_a_file();
    let copy = fixture.home.directory().join("older.db");
    fixture.file.as_ref().unwrap().copy_to(&copy).unwrap();
    fixture.publish(CA).unwrap();
    std::fs::remove_file(fixture.public(CA, PublicFile::Crl)).unwrap();
    lose_status(&fixture);
    let older = crate::index::sqlite::SqliteIndex::open(&copy).unwrap();
    let outcome = crate::status::StatusPublisher::publish_status(
        &*fixture.status,
        &older,
        fixture.engine().signed(),
        fixture.now(),
    );
    assert_eq!(refused(outcome.map_err(Problem::from)), "index.restored");
    fixture.engine().publication().publish_status().unwrap();
}
