//! Runs the contract on this index, with tests of SQLite's own behaviour.
use super::SqliteIndex;
use crate::index::contract::{CertificateAuthority, NOW, contract, event, is_undamaged, serial};
use crate::index::prelude::*;
use crate::index::{IndexError, StoreError};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) fn make() -> (SqliteIndex, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let index = SqliteIndex::create(&directory.path().join("index.db")).unwrap();
    (index, directory)
}

contract!(make, is_undamaged; issuance revocation authorities audit reading restoration stored);

#[test]
fn a_new_index_is_the_owners_alone_and_never_replaces_one() {
    let (index, directory) = make();
    let path = directory.path().join("index.db");
    index.record_event(event(NOW, "x")).unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
    assert!(matches!(SqliteIndex::create(&path), Err(IndexError::Store(StoreError::Exists(_)))));
    let missing = SqliteIndex::open(&directory.path().join("other.db"));
    assert!(matches!(missing, Err(IndexError::Store(StoreError::Missing(_)))));
    assert!(!directory.path().join("other.db").exists());
}

#[test]
fn what_was_recorded_is_there_after_opening_again() {
    let (index, directory) = make();
    CertificateAuthority::root(&index, "genfic");
    drop(index);
    let index = SqliteIndex::open(&directory.path().join("index.db")).unwrap();
    assert_eq!(index.authorities().unwrap().len(), 1);
    assert_eq!(index.audit_head().unwrap().sequence, 2);
}

#[test]
fn the_log_of_a_batch_is_copied_into_the_file_at_its_end_and_nobody_is_waited_for() {
    let (index, directory) = make();
    let path = directory.path().join("index.db");
    let log = || std::fs::metadata(directory.path().join("index.db-wal")).unwrap().len();
    let root = CertificateAuthority::root(&index, "genfic");
    let group = |first: u8| (first..first + 2).map(|at| root.intent(root.leaf("x.example", 10, serial(at))));
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM head").unwrap();
    index.record_intent(group(2).collect()).unwrap();
    drop(index);
    assert!(log() > 0, "somebody still reads what was before");
    reader.execute_batch("COMMIT").unwrap();
    let index = SqliteIndex::open(&path).unwrap();
    index.record_intent(group(4).collect()).unwrap();
    drop(index);
    assert_eq!(log(), 0);
    assert_eq!(SqliteIndex::open(&path).unwrap().pending().unwrap().len(), 4);
}

#[test]
fn an_index_of_a_newer_version_or_of_another_program_is_refused() {
    let (index, directory) = make();
    drop(index);
    let path = directory.path().join("index.db");
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", 9).unwrap();
    assert!(matches!(
        SqliteIndex::open(&path),
        Err(IndexError::Store(StoreError::Schema { found: 9, known: 8 }))
    ));
    raw.pragma_update(None, "user_version", 8).unwrap();
    raw.pragma_update(None, "application_id", 7).unwrap();
    assert!(matches!(SqliteIndex::open(&path), Err(IndexError::Store(StoreError::Damaged(_)))));
    let text = directory.path().join("text.db");
    std::fs::write(&text, "this is not a database, and longer than its header would be".repeat(20)).unwrap();
    assert!(matches!(SqliteIndex::open(&text), Err(IndexError::Store(StoreError::Damaged(_)))));
}

#[test]
fn another_writer_is_waited_for_and_then_reported_as_busy() {
    let (index, directory) = make();
    let path = directory.path().join("index.db");
    drop(index);
    let index = SqliteIndex::open_waiting(&path, Duration::from_millis(20)).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(index.record_event(event(NOW, "x")), Err(IndexError::Store(StoreError::Busy))));
    assert_eq!(index.newest_signed().unwrap(), None, "readers are not held up");
    other.execute_batch("COMMIT").unwrap();
    index.record_event(event(NOW, "x")).unwrap();
}

#[test]
fn two_processes_continue_one_chain() {
    // G15
    let (index, directory) = make();
    let path = directory.path().join("index.db");
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                let index = SqliteIndex::open(&path).unwrap();
                (0..20).for_each(|_| index.record_event(event(NOW, "x")).unwrap());
            });
        }
    });
    let head = index.audit_head().unwrap();
    assert_eq!(head.sequence, 60);
    let mut verifier = crate::audit::Verifier::new(Some(head));
    index
        .audit_records(1, &mut |record| {
            verifier.check(&record).unwrap();
            true
        })
        .unwrap();
    assert_eq!(verifier.finish(), Ok(head));
}

#[test]
fn a_record_that_was_changed_or_cut_off_in_the_file_is_found() {
    // G15
    let (index, directory) = make();
    for action in ["a", "b", "c"] {
        index.record_event(event(NOW, action)).unwrap();
    }
    let raw = rusqlite::Connection::open(directory.path().join("index.db")).unwrap();
    let verify = || -> Result<(), String> {
        let mut verifier = crate::audit::Verifier::new(Some(index.audit_head().unwrap()));
        let mut result = Ok(());
        index
            .audit_records(1, &mut |record| {
                result = verifier.check(&record);
                result.is_ok()
            })
            .map_err(|error| error.to_string())?;
        result.map_err(|error| error.to_string())?;
        verifier.finish().map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(verify(), Ok(()));
    for (act, found) in [
        (
            "UPDATE audit SET event = (SELECT event FROM audit WHERE sequence = 1) WHERE sequence = 2",
            "changed",
        ),
        ("UPDATE audit SET event = substr(event, 2) WHERE sequence = 2", "audit record 2 was changed"),
        ("UPDATE audit SET digest = zeroblob(32) WHERE sequence = 2", "record 2 was changed"),
        ("DELETE FROM audit WHERE sequence = 2", "records 2 to 2 are missing"),
        ("DELETE FROM audit WHERE sequence = 3", "the last is 2, and 3 was written"),
        ("DELETE FROM audit", "the last is 0, and 3 was written"),
        ("UPDATE audit SET sequence = 9 WHERE sequence = 3", "records 3 to 8 are missing"),
    ] {
        raw.execute(act, []).unwrap();
        let error = verify().unwrap_err();
        assert!(error.contains(found), "{act}: {error}");
        raw.execute_batch("DELETE FROM audit; UPDATE head SET sequence = 0, digest = zeroblob(32)").unwrap();
        for action in ["a", "b", "c"] {
            index.record_event(event(NOW, action)).unwrap();
        }
        assert_eq!(verify(), Ok(()));
    }
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_lost() {
    let (index, _kept) = make();
    let root = CertificateAuthority::root(&index, "genfic");
    let head = index.audit_head().unwrap();
    let limit = |pages: i64| {
        let writer = index.writer.lock().unwrap();
        let pragma = format!("PRAGMA max_page_count = {pages}");
        writer.query_row(&pragma, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let now = limit(1); // the limit never falls below the present size
    let group = |count| (0..count).map(|number| root.intent(root.leaf("a.example", 10, serial(9 + number))));
    let error = index.record_intent(group(200).collect()).unwrap_err();
    assert!(
        matches!(&error, IndexError::Store(StoreError::NoSpace(reason)) if reason.contains("full")),
        "{error}"
    );
    assert_eq!((index.audit_head().unwrap(), index.pending().unwrap()), (head, Vec::new()));
    limit(now + 1000);
    index.record_intent(group(20).collect()).unwrap();
    assert_eq!(index.pending().unwrap().len(), 20);
}
