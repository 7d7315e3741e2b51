//! Tests of copies while others write, of damage, and of files of the first schema version.
use super::SqliteIndex;
use super::tests::make;
use crate::index::contract::{CertificateAuthority, NOW, event, serial};
use crate::index::prelude::*;
use crate::index::{CertificateState, Examined, Filter, Restoration, Selector};
use crate::status::{StatusDirectory, StatusError, StatusReader as _, StatusSource as _, publish};
use crate::x509::IssuerId;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_copy_made_while_others_write_is_whole_and_opens() {
    // G15
    let (index, directory) = make();
    let root = CertificateAuthority::root(&index, "genfic");
    let done = AtomicBool::new(false);
    let copies: Vec<_> = (0..20).map(|number| directory.path().join(format!("copy{number}.db"))).collect();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let other = SqliteIndex::open(&directory.path().join("index.db")).unwrap();
            let mut octet = 3;
            while !done.load(Ordering::Relaxed) && octet < 250 {
                root.issue_leaf(&other, "a.example", 10, octet);
                octet += 1;
            }
        });
        for path in &copies {
            index.copy_to(path).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    for path in &copies {
        assert_eq!(SqliteIndex::faults(path).unwrap(), Vec::<String>::new());
        let copy = SqliteIndex::open(path).unwrap();
        let head = copy.audit_head().unwrap();
        let mut verifier = crate::audit::Verifier::new(Some(head));
        copy.audit_records(1, &mut |record| verifier.check(&record).is_ok()).unwrap();
        assert_eq!(verifier.finish(), Ok(head));
    }
}

#[test]
fn damage_in_any_page_is_found() {
    let (index, directory) = make();
    let root = CertificateAuthority::root(&index, "genfic");
    (3..60).for_each(|octet| drop(root.issue_leaf(&index, "a.example", 10, octet)));
    let path = directory.path().join("copy.db");
    index.copy_to(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let page = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    let mut found = 0;
    for start in (page..whole.len()).step_by(page) {
        let mut octets = whole.clone();
        octets[start..start + 8].fill(0xff);
        std::fs::write(&path, octets).unwrap();
        for left in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{left}", path.display()));
        }
        found += usize::from(SqliteIndex::faults(&path).map_or(true, |faults| !faults.is_empty()));
    }
    // An overflow page has nothing but the octets of a row, which the digests of a backup protect.
    assert!(found > whole.len() / page / 2, "{found} of {}", whole.len() / page);
}

/// Writes rows of a certificate of every kind as schema version 1 stored them.
fn first_version(path: &std::path::Path, from: &std::path::Path) {
    let raw = rusqlite::Connection::open(path).unwrap();
    raw.pragma_update(None, "application_id", super::connection::APPLICATION_ID).unwrap();
    raw.execute_batch(include_str!("schema/1.sql")).unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    raw.execute("ATTACH ?1 AS new", [from.to_str().unwrap()]).unwrap();
    raw.execute_batch("DELETE FROM main.head").unwrap();
    // The newest record is not of a signature, as version 1 counted it.
    raw.execute_batch(
        "INSERT INTO main.head SELECT one, change, sequence, digest, newest + 9999 FROM new.head",
    )
    .unwrap();
    let copy = |table: &str| {
        raw.execute_batch(&format!("INSERT INTO main.{table} SELECT * FROM new.{table}")).unwrap();
    };
    copy("issuer");
    let certificate = "number, issuer, serial, key, subject, profile, contact, not_before, not_after, tbs, der, \
                       fingerprint";
    let rows =
        format!("INSERT INTO main.certificate ({certificate}) SELECT {certificate} FROM new.certificate");
    raw.execute_batch(&rows).unwrap();
    ["name", "audit"].into_iter().for_each(copy);
    let lists = "issuer, number, this_update, next_update, digest, change, published";
    raw.execute_batch(&format!("INSERT INTO main.crl ({lists}) SELECT {lists} FROM new.crl")).unwrap();
    let rows = "INSERT INTO main.authority (issuer, name, certificate, key, serves_ocsp, revised)
                SELECT issuer, name, certificate, coalesce(substr(k.uri, 5), ''), serves_ocsp, revised
                FROM new.authority a LEFT JOIN new.key_place k ON k.authority = a.issuer";
    raw.execute_batch(rows).unwrap();
    let status =
        "issuer, serial, certificate, state, revoked_at, reason, invalidity_date, not_after, closed, change";
    raw.execute_batch(&format!("INSERT INTO main.status ({status}) SELECT {status} FROM new.status"))
        .unwrap();
    raw.execute_batch("DETACH new").unwrap();
    for authority in SqliteIndex::open(from).unwrap().authorities().unwrap() {
        let tbs = authority.certificate.tbs();
        let before = IssuerId::by_octets(tbs.subject(), tbs.public_key());
        let update = "UPDATE issuer SET identity = ?1 WHERE identity = ?2";
        assert_eq!(raw.execute(update, (before.0, authority.issuer.0)).unwrap(), 1);
    }
}

#[test]
fn an_index_of_the_first_version_is_migrated_with_all_its_rows() {
    let (index, directory) = make();
    let root = CertificateAuthority::root(&index, "genfic");
    let child = root.child(&index, "child", 2);
    root.child(&index, "others", 3);
    child.twin(&index, "twin");
    let raw = rusqlite::Connection::open(directory.path().join("index.db")).unwrap();
    raw.execute_batch(
        "UPDATE authority SET external = 1 WHERE name = 'others';
         DELETE FROM key_place WHERE uri = 'age:others.age'",
    )
    .unwrap();
    drop(raw);
    root.issue_leaf(&index, "issued.example", 10, 9);
    index.record_intent(vec![root.intent(root.leaf("pending.example", 10, serial(10)))]).unwrap();
    let gone = root.leaf("gone.example", 10, serial(11));
    index.record_intent(vec![root.intent(gone)]).unwrap();
    let id = crate::x509::CertificateId { issuer: root.issuer(), serial_number: serial(11) };
    index.abandon(&[(id, event(NOW, "certificate.abandoned"))]).unwrap();
    root.publish_crl(&index, NOW.plus(3));
    index.record_event(event(NOW.plus(90), "revoke")).unwrap();
    let copy = directory.path().join("copy.db");
    index.copy_to(&copy).unwrap();
    let old = directory.path().join("old.db");
    first_version(&old, &copy);

    let migrated = SqliteIndex::open(&old).unwrap();
    let records = |index: &SqliteIndex| {
        let mut records = Vec::new();
        index
            .list(&Filter::default(), &mut |record| {
                records.push(record);
                true
            })
            .unwrap();
        records
    };
    assert_eq!(records(&migrated), records(&index));
    assert_eq!(records(&migrated).len(), 7);
    // X3: issuers are known by their names in comparable form, and the encodings of the names are known too.
    assert_eq!(migrated.authorities().unwrap(), index.authorities().unwrap());
    let keys: Vec<_> =
        migrated.authorities().unwrap().into_iter().map(|one| (one.key, one.external)).collect();
    let own = |uri: &str| (uri.to_owned(), false);
    let others = (String::new(), true);
    assert_eq!(keys, [own("age:genfic.age"), own("age:twin.age"), own("age:child.age"), others]);
    for authority in migrated.authorities().unwrap() {
        let own = vec![authority.certificate.tbs().subject().clone()];
        assert_eq!(migrated.names_of_issuer(&authority.issuer).unwrap(), own);
    }
    migrated.examine(&mut |seen| assert!(matches!(seen, Examined::Certificate(_)), "{seen:?}")).unwrap();
    assert_eq!(migrated.audit_head().unwrap(), index.audit_head().unwrap());
    let newest = migrated.newest_signed().unwrap().unwrap();
    assert_eq!((newest.at, newest.what.as_str()), (NOW.plus(3), "CRL 1 of genfic"), "X2");
    assert_eq!(migrated.last_crl(&root.issuer()).unwrap(), index.last_crl(&root.issuer()).unwrap());
    assert_eq!(migrated.select(&Selector::Name("issued.example".into()), 9).unwrap().len(), 1);
    assert_eq!(SqliteIndex::faults(&old).unwrap(), Vec::<String>::new());
    let mut new = child.intent(child.leaf("new.example", 10, serial(12)));
    new.event.at = NOW.plus(3);
    migrated.record_intent(vec![new]).unwrap();
    drop(migrated);
    let raw = rusqlite::Connection::open(&old).unwrap();
    let version: i64 = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 8);
}

#[test]
fn a_status_that_a_restore_took_over_is_replaced_whole_and_any_other_is_refused() {
    // O12
    let (index, directory) = make();
    let root = CertificateAuthority::root(&index, "genfic");
    let copy = directory.path().join("copy.db");
    index.copy_to(&copy).unwrap();
    root.issue_leaf(&index, "lost.example", 10, 9);
    let status = directory.path().join("status");
    std::fs::create_dir(&status).unwrap();
    publish(&index, None, &status, NOW).unwrap();
    let published = StatusDirectory::new(&status).open(None).unwrap();
    let mut states = Vec::new();
    published.for_each(&mut |id, state| states.push((id.serial_number, state))).unwrap();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&(serial(9), CertificateState::Issued)));

    let old = SqliteIndex::open(&copy).unwrap();
    let mut restoration = Restoration {
        backup: NOW,
        change: published.change() + 10,
        crl_numbers: Vec::new(),
        certificates: Vec::new(),
        revocations: Vec::new(),
        superseded: Vec::new(),
        signed: None,
        event: event(NOW, "home.restored"),
    };
    old.restore(&restoration).unwrap();
    let refused = publish(&old, None, &status, NOW);
    assert!(matches!(refused, Err(StatusError::NotContinued { .. })), "{refused:?}");
    restoration.superseded = published.head().into_iter().collect();
    old.restore(&restoration).unwrap();
    publish(&old, None, &status, NOW).unwrap();
    let mut states = Vec::new();
    let replaced = StatusDirectory::new(&status).open(Some(&published)).unwrap();
    replaced.for_each(&mut |id, state| states.push((id.serial_number, state))).unwrap();
    assert_eq!(states, [(serial(1), CertificateState::Issued)], "nothing of the other history is left");
    assert!(replaced.change() > published.change());
    publish(&old, None, &status, NOW).unwrap();
}
