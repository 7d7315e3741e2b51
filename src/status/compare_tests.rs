//! Tests of the comparison with indexes that disagree with the published status.
use super::{StatusComparison, StatusDirectory, StatusError, StatusManifest, StatusPublisher, unmarked};
use crate::index::contract::{CertificateAuthority, NOW, event};
use crate::index::prelude::*;
use crate::index::sqlite::SqliteIndex;
use crate::index::sqlite::tests::make;
use crate::index::{CertificateState, Revocation, StoreError};
use crate::repository::HomeDirectory;
use crate::x509::{CertificateId, CrlReason};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Home {
    index: SqliteIndex,
    directory: TempDir,
    status: PathBuf,
    id: CertificateId,
}

fn home() -> Home {
    let (index, directory) = make();
    let root = CertificateAuthority::root(&index, "genfic");
    let id = root.issue_leaf(&index, "a.example", 10, 9);
    root.issue_leaf(&index, "b.example", 10, 8);
    let status = directory.path().join("status");
    std::fs::create_dir(&status).unwrap();
    let home = Home { index, directory, status, id };
    home.published().publish_status(&home.index, unmarked(&home.lists()), NOW).unwrap();
    home
}

impl Home {
    /// Returns a publisher of a home without CRLs.
    fn lists(&self) -> HomeDirectory {
        HomeDirectory::new(crate::home::Home::at(self.directory.path()))
    }

    fn published(&self) -> StatusDirectory {
        StatusDirectory::new(&self.status)
    }

    fn compare(&self) -> Result<StatusComparison, StatusError> {
        self.published().compare(&self.index)
    }

    fn revoke(&self, reason: CrlReason) {
        let revocation = Revocation { revoked_at: NOW, reason: Some(reason), invalidity_date: None };
        let to = CertificateState::Revoked(revocation);
        self.index.transition(&self.id, &CertificateState::Issued, &to, event(NOW, "revoke")).unwrap();
    }

    /// Changes the index in a way that only damage does.
    fn tamper(&self, statements: &str) {
        let raw = Connection::open(self.directory.path().join("index.db")).unwrap();
        raw.execute_batch(&format!("PRAGMA foreign_keys = 0; {statements}")).unwrap();
    }
}

fn base(status: &Path) -> PathBuf {
    status.join(&StatusManifest::read(status).unwrap().unwrap().0.files().unwrap().base.file)
}

#[test]
fn what_was_published_from_the_index_agrees_with_it() {
    let home = home();
    let comparison = home.compare().unwrap();
    assert_eq!((comparison.compared, comparison.is_current, comparison.time), (3, true, NOW));
    assert!(
        comparison.differing.is_empty() && comparison.lost.is_empty() && comparison.authorities.is_empty()
    );
    home.revoke(CrlReason::KeyCompromise);
    let behind = home.compare().unwrap();
    assert!(!behind.is_current && behind.differing.is_empty(), "what changed since is no contradiction");
    home.published().publish_status(&home.index, unmarked(&home.lists()), NOW).unwrap();
    assert_eq!(home.compare().unwrap(), comparison, "a delta is read with its base");
}

#[test]
fn a_revocation_that_the_index_lost_is_told_from_other_differences() {
    let home = home();
    home.revoke(CrlReason::KeyCompromise);
    home.published().publish_status(&home.index, unmarked(&home.lists()), NOW).unwrap();
    home.tamper("update status set state = 1, revoked_at = null, reason = null where state = 2");
    let comparison = home.compare().unwrap();
    assert_eq!((comparison.lost, comparison.differing), (vec![home.id.clone()], Vec::new()));
    home.tamper("delete from status where certificate = 2");
    assert_eq!(home.compare().unwrap().lost, std::slice::from_ref(&home.id), "not on record at all");
    home.tamper("delete from status where certificate = 3");
    assert_eq!(home.compare().unwrap().differing.len(), 1);
    home.tamper("delete from authority");
    assert_eq!(home.compare().unwrap().authorities, ["genfic"]);
}

#[test]
fn damaged_files_are_replaced_whole_and_a_later_state_never_is() {
    let home = home();
    let mut octets = std::fs::read(base(&home.status)).unwrap();
    octets[5] ^= 1;
    std::fs::write(base(&home.status), &octets).unwrap();
    assert!(matches!(home.compare(), Err(StatusError::Store(StoreError::Damaged(_)))));
    home.published().publish_status(&home.index, unmarked(&home.lists()), NOW).unwrap();
    assert!(home.compare().is_err(), "publishing as always trusts what is there");
    home.published().rebuild_status(&home.index, unmarked(&home.lists()), NOW).unwrap();
    assert_eq!(home.compare().unwrap().compared, 3);
    std::fs::write(home.status.join(StatusManifest::FILE), "nonsense").unwrap();
    home.published().rebuild_status(&home.index, unmarked(&home.lists()), NOW).unwrap();
    assert!(home.compare().unwrap().is_current);

    home.index.record_event(event(NOW, "later")).unwrap();
    home.published().publish_status(&home.index, unmarked(&home.lists()), NOW).unwrap();
    home.tamper("delete from audit where sequence = (select max(sequence) from audit)");
    assert!(matches!(home.compare(), Err(StatusError::NotContinued { .. })));
    let refused = home.published().rebuild_status(&home.index, unmarked(&home.lists()), NOW);
    assert!(matches!(refused, Err(StatusError::NotContinued { .. })), "{refused:?}");
}
