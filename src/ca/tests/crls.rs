//! CRLs: numbers that never go back, entries that stay as long as they must, due dates.
use super::faulty_keys::Forgetful;
use super::fixture::{DAY, Fixture, NOW, request};
use crate::ca::CrlAuthority;
use crate::error::Exit;
use crate::home::PublicFile;
use crate::index::prelude::*;
use crate::repository::Publisher;
use crate::signing::CaKeys;
use crate::x509::{CrlReason, SerialNumber, compare_serials};
use std::sync::Arc;

const CA: &str = "genfic-system";

fn number(fixture: &Fixture) -> u64 {
    fixture.publish(CA).unwrap().number
}

#[test]
fn the_next_number_is_above_every_one_known_anywhere() {
    // C1
    let fixture = Fixture::with_system_ca();
    assert_eq!(number(&fixture), 2);
    let file = fixture.home.keys_directory().join("genfic-system.mark");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), "2");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(number(&fixture), 3, "without the high-water file");
    std::fs::remove_file(fixture.public(CA, PublicFile::Crl)).unwrap();
    assert!(fixture.engine().maintenance().crl_is_due(CA).unwrap(), "what is gone is made again");
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
    assert_eq!((problem.exit, problem.code.code()), (Exit::Integrity, "file.unreadable"));
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
    let key = fixture.keys.new_key(CA);
    fixture.keys.store.raise_mark(&key, 1).unwrap();
    assert_eq!(fixture.keys.mark(&key).unwrap().number, Some(2));
    assert_eq!(fixture.publication.directory.crl_number_floor(CA).unwrap(), 2);
    let file = fixture.home.keys_directory().join("genfic-system.mark");
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
    assert!(!fixture.engine().maintenance().crl_is_due(CA).unwrap());
    std::fs::write(&file, older).unwrap();
    assert!(fixture.engine().maintenance().crl_is_due(CA).unwrap());
    (0..3).for_each(|_| drop(fixture.publish("genfic").unwrap()));
    std::fs::copy(fixture.public("genfic", PublicFile::Crl), &file).unwrap();
    assert!(fixture.engine().maintenance().crl_is_due(CA).unwrap());
}

#[test]
fn a_list_of_which_only_one_form_is_in_place_is_found_due() {
    // C7: a process was killed between the two files
    let fixture = Fixture::with_system_ca();
    let (der, text) = (fixture.public(CA, PublicFile::Crl), fixture.public(CA, PublicFile::CrlPem));
    let older = [&der, &text].map(|file| std::fs::read(file).unwrap());
    fixture.publish(CA).unwrap();
    let newer = [&der, &text].map(|file| std::fs::read(file).unwrap());
    let place = |files: [&[u8]; 2]| {
        std::fs::write(&der, files[0]).unwrap();
        std::fs::write(&text, files[1]).unwrap();
        fixture.engine().maintenance().crl_is_due(CA).unwrap()
    };
    assert!(!place([&newer[0], &newer[1]]));
    assert!(place([&newer[0], &older[1]]));
    assert!(place([&older[0], &newer[1]]));
    assert!(place([&newer[0], &newer[1][..newer[1].len() - 1]]));
    assert!(place([&newer[0], b""]));
    std::fs::remove_file(&text).unwrap();
    assert!(fixture.engine().maintenance().crl_is_due(CA).unwrap());
    fixture.publish(CA).unwrap();
    assert!(!fixture.engine().maintenance().crl_is_due(CA).unwrap());
}

#[test]
fn a_list_is_due_at_half_its_life_or_where_the_configuration_says() {
    // C8: 7 days for an online CA, 400 for one with an offline key, whose CRL is asked for five weeks ahead
    let fixture = Fixture::with_system_ca();
    for (name, days, due) in [(CA, 7, 7 * DAY / 2), ("genfic", 400, 365 * DAY)] {
        let list = fixture.list(name);
        assert_eq!(list.tbs().next_update().unwrap().0 - list.tbs().this_update().0, days * DAY);
        fixture.set(NOW.plus(due - 1));
        assert!(!fixture.engine().maintenance().crl_is_due(name).unwrap());
        fixture.set(NOW.plus(due));
        assert!(fixture.engine().maintenance().crl_is_due(name).unwrap());
    }
    let early = Fixture::with("crl = { renew_at = 0.25, next_update = '100h' }\nauthority.a.offline = false");
    early.root("a");
    early.set(NOW.plus(25 * 3600 - 1));
    assert!(!early.engine().maintenance().crl_is_due("a").unwrap());
    early.set(NOW.plus(25 * 3600));
    assert!(early.engine().maintenance().crl_is_due("a").unwrap());
}

#[test]
fn what_was_revoked_and_then_ended_is_on_one_list_made_after_its_end() {
    // C3
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    fixture.engine().revocation().revoke(&record, Some(CrlReason::Superseded), None, true).unwrap();
    let listed = || fixture.list(CA).tbs().find(&record.id.serial_number).is_some();
    assert!(listed());
    fixture.set(record.validity.not_after.plus(1));
    fixture.script.fail(&["crl"]);
    fixture.publish(CA).unwrap_err();
    fixture.script.fail(&[]);
    fixture.publish(CA).unwrap();
    assert!(listed(), "the list that was not published does not count");
    let later = fixture.another_process();
    later.publish(CA).unwrap();
    assert!(listed(), "when the list before was made, its end had not passed by a time that was confirmed");
    later.publish(CA).unwrap();
    assert!(!listed());
}

#[test]
fn entries_whose_ends_the_signer_does_not_know_stay_on_the_next_list() {
    // C4, K3
    let fixture = Fixture::with_system_ca();
    let hosts = ["a.example", "b.example", "c.example"];
    let records = hosts.map(|host| {
        let record = fixture.issue_host(host);
        fixture.engine().revocation().revoke(&record, Some(CrlReason::Superseded), None, true).unwrap();
        record
    });
    let end = records.iter().map(|record| record.validity.not_after).max().unwrap();
    let mut serials = records.map(|record| record.id.serial_number);
    serials.sort_by(|one, other| compare_serials(one.as_be_octets(), other.as_be_octets()));
    fixture.set(end.plus(1));
    fixture.publish(CA).unwrap();
    let fixture = fixture.another_process();
    fixture.publish(CA).unwrap();
    let listed = || -> Vec<_> { fixture.list(CA).tbs().entries().map(|entry| entry.unwrap()).collect() };
    let before = listed();
    assert_eq!(before.len(), 3, "each is on one list made after its end");
    let signer = |unknown: &[&SerialNumber]| {
        let key = crate::signing::KeyRef::of(&fixture.engine().index().authority(CA).unwrap().unwrap());
        let signer = fixture.keys.signer(&key).unwrap();
        let unknown = unknown.iter().map(|serial| (*serial).clone()).collect();
        CrlAuthority::new(CA, fixture.certificate(CA), Arc::new(Forgetful { signer, unknown })).unwrap()
    };
    let publish = |signer: &CrlAuthority| fixture.engine().maintenance().publish_crl(CA, signer);
    let made = publish(&signer(&[&serials[2], &serials[0]])).unwrap();
    let kept: Vec<_> = before.iter().filter(|entry| entry.serial_number != serials[1]).cloned().collect();
    assert_eq!((listed(), made.entries), (kept.clone(), 2), "as they were, in order");

    // what never was on the list is not put there, and nothing is published without it
    let never = "7f".parse().unwrap();
    let refused = publish(&signer(&[&serials[0], &serials[2], &never])).unwrap_err();
    assert_eq!(refused.code.code(), "signer.crl-entry-unknown");
    assert_eq!(listed(), kept);
    assert_eq!(publish(&signer(&[])).unwrap().entries, 0);
}

#[test]
fn a_long_list_is_in_memory_once_from_the_index_to_the_file() {
    // C2: measures the octets that are allocated at the same time, and the number of allocations
    const ENTRIES: u32 = 50_000;
    let fixture = Fixture::with_system_ca();
    let (engine, signer) = (fixture.engine(), fixture.engine().maintenance().unlock_for_crl(CA).unwrap());
    let measure = |more| {
        fixture.memory.list_more(more);
        let mut validity = 0;
        let counted = allocation_counter::measure(|| {
            let published = engine.maintenance().publish_crl(CA, &signer).unwrap();
            validity = u64::try_from(published.crl.as_der().len()).unwrap();
        });
        (counted, validity)
    };
    let (short, _) = measure(0);
    let (long, validity) = measure(ENTRIES);
    assert_eq!(fixture.list(CA).tbs().entries().count(), usize::try_from(ENTRIES).unwrap());
    // while a buffer grows, the allocator that counts here keeps the old one beside the new one
    let held = long.bytes_max - short.bytes_max;
    assert!(held < 3 * validity, "{held} octets are held for a list of {validity}");
    // one allocation for each entry that is read, one for the lint's view of its extensions
    let asked = long.count_total - short.count_total;
    assert!(asked < 5 * u64::from(ENTRIES) / 2, "{asked} allocations");
    let due = allocation_counter::measure(|| assert!(!engine.maintenance().crl_is_due(CA).unwrap()));
    assert!(due.bytes_total < validity / 4, "{} octets to see that it is not due", due.bytes_total);
}

#[test]
fn a_clock_behind_what_was_signed_signs_nothing() {
    // X2
    let fixture = Fixture::with_system_ca();
    fixture.set(NOW.plus(-1));
    let problems = [
        fixture.issue(&[request("a.example")]).unwrap_err(),
        fixture.publish(CA).unwrap_err(),
        fixture.engine().lifecycle().create_root(&super::fixture::new("b", "root-ca")).err().unwrap(),
    ];
    for problem in problems {
        assert_eq!((problem.exit, problem.code.code()), (Exit::Integrity, "clock.behind"));
    }
    assert!(!fixture.script.steps().contains(&"sign"));
}

#[test]
fn what_another_process_records_meanwhile_is_no_clock_that_is_behind() {
    // X2: time passes between reading the clock and writing to the index
    let fixture = Fixture::with_system_ca();
    let meanwhile = |step, moves_on: bool| {
        let (other, clock) = (fixture.another_process(), fixture.clock.clone());
        fixture.script.before(step, move || {
            clock.advance(5);
            other.publish("genfic").unwrap();
            clock.advance(if moves_on { 1 } else { -5 });
        });
    };
    meanwhile("intent", true);
    assert_eq!(fixture.issue(&[request("a.example")]).unwrap().issued.len(), 1);
    meanwhile("number", true);
    let list = fixture.publish(CA).unwrap();
    assert_eq!(list.crl.tbs().this_update(), fixture.now());
    meanwhile("list", true);
    let list = fixture.publish(CA).unwrap();
    assert_eq!(list.crl.tbs().this_update(), fixture.now().plus(-6), "when its number was taken");
    assert_eq!(fixture.script.steps().iter().filter(|step| **step == "number").count(), 3, "one again");
    meanwhile("intent", true);
    fixture.child("genfic", "another", "system-ca");
    meanwhile("intent", false);
    assert_eq!(
        fixture.issue(&[request("b.example")]).unwrap_err().code.code(),
        "clock.behind",
        "it stands still"
    );
    fixture.wait(5);
    meanwhile("number", false);
    assert_eq!(fixture.publish(CA).unwrap_err().code.code(), "clock.behind");
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
    fixture.external().transition(&record.id, &record.state, &to, event).unwrap();
    fixture.publish(CA).unwrap();
    let entry = fixture.list(CA).tbs().find(&record.id.serial_number).unwrap();
    assert_eq!(entry.revocation_date, fixture.list(CA).tbs().this_update());
    // and the lists after that say no later date, also when the clock has come to it
    for days in [1, 401] {
        fixture.set(NOW.plus_days(days));
        fixture.publish(CA).unwrap();
        let later = fixture.list(CA).tbs().find(&record.id.serial_number).unwrap();
        assert_eq!(later, entry, "{days}");
    }
}
