//! Tests that damage in the file is found and that the rest is still read.
use super::tests::make;
use crate::index::contract::CertificateAuthority;
use crate::index::prelude::*;
use crate::index::{DamageKind, Examined, IndexError, StoreError};
use rusqlite::Connection;

/// Returns kind, place and fault of each damage after these statements, and the number of certificates that
/// were read.
fn after(statements: &str) -> (Vec<(DamageKind, String, String)>, usize) {
    let (index, directory) = make();
    let root = CertificateAuthority::root(&index, "genfic");
    root.issue_leaf(&index, "a.example", 10, 9);
    root.issue_leaf(&index, "b.example", 10, 8);
    let raw = Connection::open(directory.path().join("index.db")).unwrap();
    raw.execute_batch(&format!("PRAGMA foreign_keys = 0; PRAGMA ignore_check_constraints = 1; {statements}"))
        .unwrap();
    drop(raw);
    let (mut damages, mut read) = (Vec::new(), 0);
    index
        .examine(&mut |examined| match examined {
            Examined::Damage(damage) => damages.push((damage.kind, damage.place, damage.fault)),
            Examined::Certificate(_) => read += 1,
        })
        .unwrap();
    (damages, read)
}

#[test]
fn each_column_that_disagrees_with_its_certificate_is_named() {
    for (statement, named) in [
        ("update certificate set not_before = 1 where number = 2", "notBefore"),
        ("update certificate set not_after = 1 where number = 2", "notAfter"),
        ("update certificate set subject = 'cn=x' where number = 2", "subject"),
        ("update certificate set key = zeroblob(32) where number = 2", "key"),
        ("update certificate set fingerprint = zeroblob(32) where number = 2", "fingerprint"),
        ("update status set not_after = 1 where certificate = 2", "end in the status"),
        ("update status set certificate = 1 where certificate = 2", "status of another certificate"),
        ("update status set state = 0 where certificate = 2", "pending with a signature"),
        ("delete from name where certificate = 2", "names"),
        // This is not a certificate that an import or a restore knows by its serial number only.
        ("update certificate set der = null where number = 2", "octets that are lost"),
        ("update certificate set der = null, fingerprint = null where number = 2", "octets that are lost"),
        (
            "update certificate set der = null, key = null, not_before = 0 where number = 2",
            "octets that are lost",
        ),
    ] {
        let (damages, read) = after(statement);
        assert_eq!(read, 3, "{statement}");
        let told = damages.iter().any(|(kind, place, fault)| {
            *kind == DamageKind::Record && place.starts_with("genfic/") && fault.contains(named)
        });
        assert!(told, "{statement}: {damages:?}");
    }
    let (damages, _) = after("insert into name values ('c.example', 2)");
    assert!(damages[0].2.contains("1 names that no certificate bears"), "{damages:?}");
}

#[test]
fn a_certificate_that_cannot_be_read_leaves_the_others_readable() {
    let (damages, read) = after("update certificate set der = x'3000' where number = 2");
    assert_eq!(read, 2);
    assert!(damages.iter().any(|(_, _, fault)| fault.starts_with("cannot be read")), "{damages:?}");
}

#[test]
fn what_refers_to_nothing_and_what_breaks_a_constraint_is_found() {
    for (statement, kind) in [
        ("delete from status where certificate = 2", DamageKind::Reference),
        ("delete from certificate where number = 2", DamageKind::Reference),
        ("delete from issuer", DamageKind::Reference),
        ("update head set change = 1", DamageKind::Reference),
        ("delete from key_place", DamageKind::Reference),
        ("update authority set key = zeroblob(32)", DamageKind::Reference),
        ("update status set state = 7 where certificate = 2", DamageKind::Storage),
    ] {
        let (damages, _) = after(statement);
        assert!(damages.iter().any(|damage| damage.0 == kind), "{statement}: {damages:?}");
    }
}

#[test]
fn a_ca_of_this_home_whose_key_is_nowhere_is_damage() {
    let (index, directory) = make();
    CertificateAuthority::root(&index, "genfic");
    let raw = Connection::open(directory.path().join("index.db")).unwrap();
    raw.execute_batch("DELETE FROM key_place").unwrap();
    for read in [index.authority("genfic").map(drop), index.authorities().map(drop)] {
        assert!(matches!(read, Err(IndexError::Store(StoreError::Damaged(_)))), "{read:?}");
    }
    raw.execute_batch("UPDATE authority SET external = 1").unwrap();
    assert_eq!(index.authority("genfic").unwrap().unwrap().key, "", "others have it");
}
