use super::growth_tests::issue_many;
use super::*;
use crate::index::contract::{CertificateAuthority, NOW, event, serial};
use crate::index::prelude::*;
use crate::index::sqlite::SqliteIndex;
use crate::index::sqlite::tests::make;
use crate::index::{CertificateState, Revocation, StoreError};
use crate::x509::{CertificateId, CrlReason};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

pub(super) struct Home {
    pub(super) index: SqliteIndex,
    pub(super) root: CertificateAuthority,
    pub(super) directory: TempDir,
    pub(super) status: PathBuf,
}

impl Home {
    pub(super) fn new() -> Self {
        let (index, directory) = make();
        let root = CertificateAuthority::root(&index, "genfic");
        // Characters with a meaning in a URI must have none here.
        let status = directory.path().join("status?#%20");
        std::fs::create_dir(&status).unwrap();
        Self { index, root, directory, status }
    }

    pub(super) fn publish(&self) -> PublishedFiles {
        publish(&self.index, None, &self.status, NOW).unwrap()
    }

    pub(super) fn open(&self) -> StatusSnapshot {
        StatusDirectory::new(&self.status).open(None).unwrap()
    }

    pub(super) fn revoke(&self, id: &CertificateId) -> CertificateState {
        let revocation = Revocation {
            revoked_at: NOW,
            reason: Some(CrlReason::KeyCompromise),
            invalidity_date: Some(NOW.plus(-60)),
        };
        let to = CertificateState::Revoked(revocation);
        self.index.transition(id, &CertificateState::Issued, &to, event(NOW, "revoke")).unwrap();
        to
    }

    fn manifest(&self) -> StatusManifest {
        StatusManifest::read(&self.status).unwrap().unwrap().0
    }

    /// The name of the base in force.
    pub(super) fn base(&self) -> String {
        self.manifest().files().unwrap().base.file.clone()
    }

    /// The name of the delta in force.
    pub(super) fn delta(&self) -> Option<String> {
        self.manifest().files().unwrap().delta.as_ref().map(|delta| delta.file.clone())
    }

    pub(super) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.status).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_revocation_is_published_as_a_delta_over_the_base() {
    // O12
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    let (kept, unknown) = (
        home.root.issue_leaf(&home.index, "b.example", 10, 10),
        CertificateId { issuer: home.root.issuer(), serial_number: serial(11) },
    );
    assert_eq!(home.publish().written, Written::Base(3));
    let before = home.open();
    assert_eq!(before.status(&id).unwrap(), Some(CertificateState::Issued));
    let to = home.revoke(&id);
    assert_eq!(home.publish().written, Written::Delta(1));
    let directory = StatusDirectory::new(&home.status);
    assert!(directory.changed_since(&before));
    let after = directory.open(Some(&before)).unwrap();
    assert!(std::sync::Arc::ptr_eq(&before.base, &after.base), "the base is not read again");
    assert_eq!(after.status(&id).unwrap(), Some(to));
    assert_eq!(after.status(&kept).unwrap(), Some(CertificateState::Issued));
    assert_eq!(after.status(&unknown).unwrap(), None);
    assert_eq!(before.status(&id).unwrap(), Some(CertificateState::Issued), "a snapshot never changes");
    assert_eq!((after.change(), after.time()), (home.index.change_number().unwrap(), NOW));
    assert!(!directory.changed_since(&after));
}

#[test]
fn the_end_of_each_certificate_is_published() {
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    home.publish();
    let end = home.index.certificate(&id).unwrap().unwrap().validity.not_after;
    assert_eq!(home.open().entry(&id).unwrap().unwrap().not_after, Some(end));
    home.revoke(&id);
    home.publish();
    assert_eq!(home.open().entry(&id).unwrap().unwrap().not_after, Some(end), "of a delta too");
}

#[test]
fn a_manifest_that_comes_before_a_file_that_it_names_is_told_from_a_file_that_is_wrong() {
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    home.publish();
    let before = home.open();
    home.revoke(&id);
    home.publish();
    let delta = home.files().into_iter().find(|name| name.starts_with("delta-")).unwrap();
    let whole = std::fs::read(home.status.join(&delta)).unwrap();
    std::fs::remove_file(home.status.join(&delta)).unwrap();
    let directory = StatusDirectory::new(&home.status);
    let opened = directory.open(Some(&before));
    assert!(matches!(&opened, Err(StatusError::Incomplete(path)) if path.ends_with(&delta)), "{opened:?}");
    std::fs::write(home.status.join(&delta), &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(directory.open(Some(&before)), Err(StatusError::Incomplete(_))), "it is cut short");
    let mut wrong = whole.clone();
    *wrong.last_mut().unwrap() ^= 1;
    std::fs::write(home.status.join(&delta), &wrong).unwrap();
    assert!(matches!(directory.open(Some(&before)), Err(StatusError::Store(StoreError::Damaged(_)))));
    std::fs::write(home.status.join(&delta), &whole).unwrap();
    assert!(directory.open(Some(&before)).is_ok());
}

#[test]
fn pending_and_abandoned_certificates_are_published_as_what_they_are() {
    let home = Home::new();
    home.index.record_intent(vec![home.root.intent(home.root.leaf("a.example", 10, serial(9)))]).unwrap();
    home.publish();
    let id = CertificateId { issuer: home.root.issuer(), serial_number: serial(9) };
    assert_eq!(home.open().status(&id).unwrap(), Some(CertificateState::Pending));
    home.index.abandon(&[(id.clone(), event(NOW, "certificate.abandoned"))]).unwrap();
    home.publish();
    assert!(matches!(home.open().status(&id).unwrap(), Some(CertificateState::Revoked(_))));
}

#[test]
fn the_files_say_which_cas_there_are_and_whether_they_have_a_responder() {
    let home = Home::new();
    let child = home.root.child(&home.index, "genfic-user", 2);
    home.publish();
    let serving = |snapshot: &StatusSnapshot| -> Vec<(String, bool)> {
        snapshot.authorities().iter().map(|ca| (ca.name.clone(), ca.serves_ocsp)).collect()
    };
    let before = serving(&home.open())[1].clone();
    assert_eq!(home.open().authorities()[1].certificate, child.certificate);
    assert_eq!(home.open().authorities()[1].issuer, child.issuer());
    home.index.set_serves_ocsp(&child.issuer(), !before.1, event(NOW, "authority.ocsp")).unwrap();
    home.publish();
    assert_eq!(serving(&home.open())[1], ("genfic-user".to_owned(), !before.1));
}

#[test]
fn nobody_is_named_in_the_files_and_everybody_may_read_them() {
    let home = Home::new();
    home.root.issue_leaf(&home.index, "secret-host.example", 10, 9);
    home.publish();
    for name in home.files().iter().filter(|name| !name.starts_with('.')) {
        let path = home.status.join(name);
        let octets = std::fs::read(&path).unwrap();
        for secret in ["secret-host", "owner@example.com"] {
            assert!(!octets.windows(secret.len()).any(|part| part == secret.as_bytes()), "{name}");
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644, "{name}");
    }
}

#[test]
fn without_a_change_only_the_time_is_refreshed() {
    // O13: age means age
    let home = Home::new();
    home.publish();
    let before = home.open();
    let published = publish(&home.index, None, &home.status, NOW.plus(60)).unwrap();
    assert_eq!(published, PublishedFiles { change: before.change(), written: Written::Time });
    let after = StatusDirectory::new(&home.status).open(Some(&before)).unwrap();
    assert_eq!(after.time(), NOW.plus(60));
    assert!(std::sync::Arc::ptr_eq(&before.base, &after.base));
}

#[test]
fn a_large_delta_becomes_a_new_base_and_older_files_go() {
    let home = Home::new();
    home.publish();
    issue_many(&home, 1, 3000);
    assert_eq!(home.publish().written, Written::Base(3001));
    let change = home.index.change_number().unwrap();
    let (authorities, base) = ("authorities-2.json".to_owned(), format!("base-{change}.status"));
    let kept =
        [".lock".into(), authorities.clone(), "base-2.status".into(), base.clone(), "manifest.json".into()];
    assert_eq!(home.files(), kept, "what the last manifest named stays for its readers");
    std::fs::write(home.status.join(".new-left"), "by a publisher that was killed").unwrap();
    home.publish();
    assert_eq!(home.files(), [".lock".to_owned(), authorities, base, "manifest.json".into()]);
}

#[test]
fn a_lost_file_is_made_anew() {
    let home = Home::new();
    home.publish();
    std::fs::remove_file(home.status.join("base-2.status")).unwrap();
    let error = StatusDirectory::new(&home.status).open(None).unwrap_err();
    assert!(matches!(error, StatusError::Incomplete(_)), "{error}");
    assert_eq!(home.publish().written, Written::Base(1));
    home.open();
}

#[test]
fn a_changed_file_or_one_of_a_newer_version_is_refused() {
    // O13
    let home = Home::new();
    home.publish();
    let path = home.status.join("base-2.status");
    let mut octets = std::fs::read(&path).unwrap();
    let last = octets.len() - 1;
    octets[last] ^= 1;
    std::fs::write(&path, octets).unwrap();
    let directory = StatusDirectory::new(&home.status);
    assert!(matches!(directory.open(None), Err(StatusError::Store(StoreError::Damaged(_)))));
    let manifest = home.status.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("status/2", "status/3")).unwrap();
    assert!(matches!(
        directory.open(None),
        Err(StatusError::Store(StoreError::Schema { found: 3, known: 2 }))
    ));
    std::fs::write(&manifest, text.replace("base-2.status", "../base-2.status")).unwrap();
    assert!(matches!(directory.open(None), Err(StatusError::Store(StoreError::Damaged(_)))));
    std::fs::write(&manifest, "{").unwrap();
    assert!(matches!(directory.open(None), Err(StatusError::Store(StoreError::Damaged(_)))));
    std::fs::remove_file(&manifest).unwrap();
    assert!(matches!(directory.open(None), Err(StatusError::Store(StoreError::Missing(_)))));
}

#[test]
fn an_older_copy_of_the_index_cannot_take_a_revocation_back() {
    // C7, O13
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    home.publish();
    let copy = home.directory.path().join("copy.db");
    let raw = rusqlite::Connection::open(home.directory.path().join("index.db")).unwrap();
    raw.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    home.revoke(&id);
    home.publish();
    let restored = SqliteIndex::open(&copy).unwrap();
    let refused = |index: &SqliteIndex| {
        let error = publish(index, None, &home.status, NOW.plus(60)).unwrap_err();
        assert!(matches!(error, StatusError::NotContinued { published: 5 }), "{error}");
    };
    refused(&restored);
    for octet in [20, 21] {
        home.root.issue_leaf(&restored, "b.example", 10, octet);
    }
    assert!(restored.change_number().unwrap() > home.index.change_number().unwrap());
    refused(&restored);
    assert!(matches!(home.open().status(&id).unwrap(), Some(CertificateState::Revoked(_))));
    home.publish();
}

#[test]
fn publishers_and_readers_at_the_same_time_never_see_a_broken_or_older_state() {
    // C7
    let home = Home::new();
    home.publish();
    let path = home.directory.path().join("index.db");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        let publishers: Vec<_> = (0..2u8)
            .map(|thread| {
                let (path, home) = (&path, &home);
                threads.spawn(move || {
                    let index = SqliteIndex::open(path).unwrap();
                    for number in 0..15 {
                        home.root.issue_leaf(&index, "a.example", 10, 10 + thread * 20 + number);
                        publish(&index, None, &home.status, NOW).unwrap();
                    }
                })
            })
            .collect();
        threads.spawn(|| {
            let mut last = home.open();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let next = StatusDirectory::new(&home.status).open(Some(&last)).unwrap();
                assert!(next.change() >= last.change());
                last = next;
            }
        });
        publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(home.open().change(), home.index.change_number().unwrap());
}

#[test]
fn a_snapshot_is_asked_by_many_threads_after_its_files_are_gone() {
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    home.publish();
    let snapshot = home.open();
    std::fs::remove_dir_all(&home.status).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(snapshot.status(&id).unwrap(), Some(CertificateState::Issued));
                }
            });
        }
    });
}
