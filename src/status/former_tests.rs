//! Tests of a status that the former version published.
use super::tests::Home;
use super::*;
use crate::error::Problem;
use crate::index::contract::NOW;
use crate::index::prelude::*;
use crate::x509::CertificateId;
use base16ct::lower::encode_string as hex;
use rusqlite::Connection;

/// Replaces what is published by files of the former version that have this certificate as revoked.
fn go_back(home: &Home, revoked: &CertificateId) {
    let head = home.index.audit_head().unwrap();
    for name in home.files().iter().filter(|name| !name.starts_with('.')) {
        std::fs::remove_file(home.status.join(name)).unwrap();
    }
    let base = Connection::open(home.status.join("base-2.db")).unwrap();
    base.execute_batch(
        "CREATE TABLE issuer (number INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE) STRICT;
         CREATE TABLE status (
             issuer INTEGER NOT NULL, serial BLOB NOT NULL, state INTEGER NOT NULL, revoked_at INTEGER,
             reason INTEGER, invalidity_date INTEGER, PRIMARY KEY (issuer, serial)
         ) WITHOUT ROWID, STRICT;",
    )
    .unwrap();
    base.execute("INSERT INTO issuer VALUES (1, ?1)", [revoked.issuer.0]).unwrap();
    let row = (revoked.serial_number.as_be_octets(), NOW.0);
    base.execute("INSERT INTO status VALUES (1, ?1, 2, ?2, 1, NULL)", row).unwrap();
    let manifest = format!(
        r#"{{"schema": "genfic-ca-status/1", "base": {{"file": "base-2.db", "sha256": "", "change": 2, "rows": 1}},
            "delta": null, "change": {}, "time": "{NOW}", "confirmed": true, "identity": "compared-name",
            "ends": true, "audit": {{"sequence": {}, "digest": "{}"}}}}"#,
        home.index.change_number().unwrap(),
        head.sequence,
        hex(&head.digest)
    );
    std::fs::write(home.status.join("manifest.json"), manifest).unwrap();
}

#[test]
fn a_status_of_the_former_version_is_not_answered_from_and_is_published_again() {
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    home.publish();
    let to = home.revoke(&id);
    go_back(&home, &id);
    let directory = StatusDirectory::new(&home.status);
    let error = directory.open(None).unwrap_err();
    assert!(matches!(error, StatusError::Former(_)), "{error}");
    let problem = Problem::from(error);
    assert_eq!(problem.code.code(), "status.not-published");
    let publisher: &dyn StatusPublisher = &directory;
    assert!(!publisher.is_current(&home.index).unwrap(), "the next command publishes");
    assert_eq!(publisher.confirmed().unwrap(), Some(NOW));
    assert_eq!(home.publish().written, Written::Base(2));
    assert_eq!(home.open().status(&id).unwrap(), Some(to));
    home.publish();
    assert!(!home.files().iter().any(|name| name.ends_with(".db")), "{:?}", home.files());
}

#[test]
fn what_the_former_version_published_as_revoked_for_good_stays_so() {
    // C4, K3
    let home = Home::new();
    let id = home.root.issue_leaf(&home.index, "a.example", 10, 9);
    home.publish();
    go_back(&home, &id);
    let refused = publish(&home.index, None, &home.status, NOW).unwrap_err();
    assert_eq!(Problem::from(refused).code.code(), "index.contradicts-status");
}
