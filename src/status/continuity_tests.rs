//! Tests that a certificate published as permanently revoked stays so, whatever happens to the manifest and the
//! index.
use super::tests::Home;
use super::*;
use crate::error::Problem;
use crate::index::contract::{NOW, event, serial};
use crate::index::prelude::*;
use crate::index::sqlite::SqliteIndex;
use crate::index::{CertificateState, Revocation};
use crate::x509::{CertificateId, CrlReason};
use rusqlite::Connection;

fn refused(index: &dyn IndexReader, home: &Home) -> &'static str {
    Problem::from(publish(index, None, &home.status, NOW.plus(60)).unwrap_err()).code.code()
}

/// Undoes a revocation in the index, as the owner of the file can.
fn turn_back(home: &Home, id: &CertificateId, state: &str) {
    let raw = Connection::open(home.directory.path().join("index.db")).unwrap();
    let serial = id.serial_number.to_string();
    let changed = raw.execute_batch(&format!(
        "UPDATE head SET change = change + 1;
             UPDATE status SET {state}, change = (SELECT change FROM head)
             WHERE ltrim(lower(hex(serial)), '0') = ltrim('{serial}', '0')"
    ));
    changed.unwrap();
}

const ISSUED: &str = "state = 1, revoked_at = NULL, reason = NULL";

#[test]
fn a_row_that_was_published_as_revoked_for_good_is_published_as_nothing_else() {
    // C4, K3
    for state in [ISSUED, "reason = 6", "state = 0, revoked_at = NULL, reason = NULL"] {
        for is_in_base in [true, false] {
            let home = Home::new();
            let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
            home.publish();
            home.revoke(&id);
            home.publish();
            if is_in_base {
                std::fs::remove_file(home.status.join("manifest.json")).unwrap();
                assert!(matches!(home.publish().written, Written::Base(_)));
            }
            turn_back(&home, &id, state);
            assert_eq!(refused(&home.index, &home), "index.contradicts-status", "{state} {is_in_base}");
            home.root.issue_leaf(&home.index, "b.example", 10, 8);
            assert_eq!(refused(&home.index, &home), "index.contradicts-status", "{state} {is_in_base}");
        }
    }
}

#[test]
fn a_delta_that_is_folded_into_a_base_does_not_take_back_what_it_had() {
    // C4
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    home.publish();
    home.revoke(&id);
    home.publish();
    turn_back(&home, &id, ISSUED);
    super::growth_tests::issue_many(&home, 1, 3000);
    assert_eq!(refused(&home.index, &home), "index.contradicts-status");
}

#[test]
fn a_delta_or_base_that_is_damaged_does_not_take_back_what_else_it_has() {
    // C4
    for in_base in [false, true] {
        for first in [false, true] {
            let home = Home::new();
            let many = super::growth_tests::issue_many(&home, 1, 600);
            home.publish();
            for id in &many[..40] {
                home.revoke(id);
                if !in_base {
                    home.publish();
                }
            }
            if in_base {
                std::fs::remove_file(home.status.join("manifest.json")).unwrap();
                home.publish();
            }
            let file = if in_base { home.base() } else { home.delta().unwrap() };
            let mut octets = std::fs::read(home.status.join(&file)).unwrap();
            // A block or a group at the beginning, or one near the end.
            let end = if in_base { 3 * 4096 } else { octets.len() };
            let at = if first { 110 } else { end - 40 };
            octets[at] ^= 1;
            std::fs::write(home.status.join(&file), octets).unwrap();
            many[..40].iter().for_each(|id| turn_back(&home, id, ISSUED));
            assert_eq!(refused(&home.index, &home), "index.contradicts-status", "{file} {at}");
        }
    }
}

#[test]
fn without_a_manifest_the_files_that_are_left_tell_of_an_older_copy() {
    // C7
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    home.publish();
    let copy = home.directory.path().join("copy.db");
    home.index.copy_to(&copy).unwrap();
    home.revoke(&id);
    home.publish();
    std::fs::remove_file(home.status.join("manifest.json")).unwrap();
    let older = SqliteIndex::open(&copy).unwrap();
    assert_eq!(refused(&older, &home), "index.restored");
    // The older copy is refused until its own numbers are as high.
    (20..30).for_each(|octet| drop(home.root.issue_leaf(&older, "c.example", 10, octet)));
    assert_eq!(refused(&older, &home), "index.contradicts-status");
    assert_eq!(home.publish().change, home.index.change_number().unwrap());
    assert!(matches!(home.publish().written, Written::Time));
}

#[test]
fn a_hold_that_is_lifted_is_published() {
    // C4
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    let reason = Some(CrlReason::CertificateHold);
    let held = CertificateState::Revoked(Revocation { revoked_at: NOW, reason, invalidity_date: None });
    home.index.transition(&id, &CertificateState::Issued, &held, event(NOW, "hold")).unwrap();
    home.publish();
    home.index.transition(&id, &held, &CertificateState::Issued, event(NOW, "release")).unwrap();
    home.publish();
    assert_eq!(id.serial_number, serial(9));
}

#[test]
fn what_cannot_be_written_is_called_not_published() {
    // O12
    let home = Home::new();
    let lists = crate::repository::HomeDirectory::new(crate::home::Home::at(home.directory.path()));
    std::fs::remove_dir(&home.status).unwrap();
    std::fs::write(&home.status, "no directory").unwrap();
    let directory = StatusDirectory::new(&home.status);
    let error =
        crate::status::StatusPublisher::publish_status(&directory, &home.index, super::unmarked(&lists), NOW);
    assert!(matches!(error, Err(StatusError::NotPublished(_))), "{error:?}");
    assert_eq!(Problem::from(error.unwrap_err()).code.code(), "status.not-published");
}
