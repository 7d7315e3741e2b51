//! CRLs: numbers that never go back, entries that stay as long as they must, lists that are due.
use super::fixture::{DAY, Fixture, NOW, order};
use crate::audit::{Actor, AuditEvent, Outcome};
use crate::home::PublicFile;
use crate::index::{Index, IndexReader};
use crate::problem::Exit;
use crate::publish::Publisher;
use crate::x509::{CrlReason, UnixTime};

const CA: &str = "genfic-system";

fn number(fixture: &Fixture) -> u64 {
    fixture.publish(CA).unwrap().number
}

#[test]
fn the_next_number_is_above_every_one_known_anywhere() {
    // C1
    let fixture = Fixture::with_system_ca();
    assert_eq!(number(&fixture), 2);
    let file = fixture.home.crl_number_file(&CA.parse().unwrap());
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), "2");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(number(&fixture), 3, "without the high-water file");
    std::fs::remove_file(fixture.public(CA, PublicFile::Crl)).unwrap();
    assert!(fixture.pki().crl_is_due(CA).unwrap(), "what is gone is made again");
    assert_eq!(number(&fixture), 4, "without the published list");
    std::fs::write(&file, "70\n").unwrap();
    assert_eq!(number(&fixture), 71, "as after a restore of the index");
    std::fs::write(&file, "1\n").unwrap();
    assert_eq!(number(&fixture), 72);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), "72");
    for damaged in ["", "-1", "many"] {
        std::fs::write(&file, damaged).unwrap();
        assert_eq!(fixture.publish(CA).unwrap_err().exit, Exit::Integrity, "{damaged}");
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::write(fixture.public(CA, PublicFile::Crl), "no list").unwrap();
    let problem = fixture.publish(CA).unwrap_err();
    assert_eq!((problem.exit, problem.code), (Exit::Integrity, "file.unreadable"));
}

#[test]
fn a_number_is_never_used_again_wherever_a_list_failed() {
    // C1
    for step in ["reserve", "list", "sign", "miscalculate", "crl", "listed"] {
        let fixture = Fixture::with_system_ca();
        fixture.script.fail(&[step]);
        fixture.publish(CA).unwrap_err();
        fixture.script.fail(&[]);
        assert_eq!(number(&fixture), 3, "{step}");
        assert_eq!(fixture.list(CA).tbs().crl_number(), Some(3));
    }
}

#[test]
fn a_list_is_never_replaced_by_an_older_one_and_the_noted_number_never_goes_back() {
    // C7, C1
    let fixture = Fixture::with_system_ca();
    let older = fixture.list(CA);
    fixture.publish(CA).unwrap();
    assert!(fixture.publication.directory.crl(CA, &older).is_err());
    assert_eq!(fixture.list(CA).tbs().crl_number(), Some(2));
    fixture.publication.directory.reserve_crl_number(CA, 1).unwrap();
    assert_eq!(fixture.publication.directory.crl_number_floor(CA).unwrap(), 2);
    let file = fixture.home.crl_number_file(&CA.parse().unwrap());
    assert_eq!(std::fs::read_to_string(file).unwrap().trim(), "2");
    let pem = std::fs::read(fixture.public(CA, PublicFile::CrlPem)).unwrap();
    let text = crate::x509::pem::encode("X509 CRL", fixture.list(CA).as_der());
    assert_eq!(pem, text.as_bytes(), "both forms are the same list");
}

#[test]
fn an_older_list_or_another_cas_in_its_place_is_found_due() {
    // C7
    let fixture = Fixture::with_system_ca();
    let file = fixture.public(CA, PublicFile::Crl);
    let older = std::fs::read(&file).unwrap();
    fixture.publish(CA).unwrap();
    assert!(!fixture.pki().crl_is_due(CA).unwrap());
    std::fs::write(&file, older).unwrap();
    assert!(fixture.pki().crl_is_due(CA).unwrap());
    (0..3).for_each(|_| drop(fixture.publish("genfic").unwrap()));
    std::fs::copy(fixture.public("genfic", PublicFile::Crl), &file).unwrap();
    assert!(fixture.pki().crl_is_due(CA).unwrap());
}

#[test]
fn a_list_is_due_at_half_its_life_or_where_the_configuration_says() {
    // C8: 7 days for an online CA, 365 for one whose key is away
    let fixture = Fixture::with_system_ca();
    for (name, days) in [(CA, 7), ("genfic", 365)] {
        let list = fixture.list(name);
        assert_eq!(list.tbs().next_update().unwrap().0 - list.tbs().this_update().0, days * DAY);
        fixture.set(NOW.plus(days * DAY / 2 - 1));
        assert!(!fixture.pki().crl_is_due(name).unwrap());
        fixture.set(NOW.plus(days * DAY / 2));
        assert!(fixture.pki().crl_is_due(name).unwrap());
    }
    let early = Fixture::with("crl = { renew_at = 0.25, next_update = '100h' }\nauthority.a.offline = false");
    early.root("a");
    early.set(NOW.plus(25 * 3600 - 1));
    assert!(!early.pki().crl_is_due("a").unwrap());
    early.set(NOW.plus(25 * 3600));
    assert!(early.pki().crl_is_due("a").unwrap());
}

#[test]
fn what_was_revoked_and_then_ended_is_on_one_list_made_after_its_end() {
    // C3
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    fixture.pki().revoke(&record, Some(CrlReason::Superseded), None, true).unwrap();
    let listed = || fixture.list(CA).tbs().find(&record.id.serial_number).is_some();
    assert!(listed());
    fixture.set(record.validity.not_after.plus(1));
    fixture.script.fail(&["crl"]);
    fixture.publish(CA).unwrap_err();
    fixture.script.fail(&[]);
    fixture.publish(CA).unwrap();
    assert!(listed(), "the list that was not published does not count");
    fixture.publish(CA).unwrap();
    assert!(!listed());
}

#[test]
fn a_clock_behind_the_newest_record_signs_nothing() {
    // X2
    let fixture = Fixture::with_system_ca();
    fixture.set(NOW.plus(-1));
    let problems = [
        fixture.issue(&[order("a.example")]).unwrap_err(),
        fixture.publish(CA).unwrap_err(),
        fixture.pki().create_root(&super::fixture::new("b", "root-ca")).err().unwrap(),
    ];
    for problem in problems {
        assert_eq!((problem.exit, problem.code), (Exit::Integrity, "clock.behind"));
    }
    assert!(!fixture.script.steps().contains(&"sign"));
}

fn event_at(at: UnixTime) -> AuditEvent {
    let (action, object) = ("ocsp.sync".into(), CA.into());
    AuditEvent {
        at,
        actor: Actor::named("timer"),
        action,
        object,
        outcome: Outcome::Done,
        details: Vec::new(),
    }
}

#[test]
fn what_another_process_records_meanwhile_is_no_clock_that_is_behind() {
    // X2: time passes between the look at the clock and the turn at the index
    let fixture = Fixture::with_system_ca();
    let meanwhile = |moves_on: bool| {
        let (event, clock) = (event_at(fixture.now().plus(5)), fixture.clock.clone());
        *fixture.records.meanwhile.lock().unwrap() = Some(Box::new(move |index| {
            index.record_event(event).unwrap();
            clock.advance(if moves_on { 6 } else { 0 });
        }));
    };
    meanwhile(true);
    assert_eq!(fixture.issue(&[order("a.example")]).unwrap().issued.len(), 1);
    meanwhile(true);
    let list = fixture.publish(CA).unwrap();
    assert_eq!(list.crl.tbs().this_update(), fixture.now());
    meanwhile(true);
    fixture.child("genfic", "another", "system-ca");
    meanwhile(false);
    assert_eq!(fixture.issue(&[order("b.example")]).unwrap_err().code, "clock.behind", "it stands still");
}

#[test]
fn an_entry_dated_after_the_list_does_not_keep_it_from_being_made() {
    // C2, X2: a revocation was dated by a clock that was ahead
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    let revocation =
        crate::index::Revocation { revoked_at: NOW.plus_days(400), reason: None, invalidity_date: None };
    let to = crate::index::CertificateState::Revoked(revocation);
    let event = fixture.audit().pop().unwrap().event;
    fixture.records.index.transition(&record.id, &record.state, &to, event).unwrap();
    fixture.publish(CA).unwrap();
    let entry = fixture.list(CA).tbs().find(&record.id.serial_number).unwrap();
    assert_eq!(entry.revocation_date, fixture.list(CA).tbs().this_update());
    assert!(fixture.records.newest_record().unwrap().is_some());
}
