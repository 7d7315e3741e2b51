//! Tests of files that continue those published before.
use super::tests::Home;
use super::*;
use crate::index::contract::{NOW, TestKey, event, leaf};
use crate::index::prelude::*;
use crate::index::{CertificateState, Intent, Issued, Recorded};
use crate::x509::{CertificateId, IssuerId, SerialNumber, sha256};
use rusqlite::Connection;

/// Issues `count` certificates in one group.
pub(super) fn issue_many(home: &Home, round: u8, count: u32) -> Vec<CertificateId> {
    let key = TestKey::ed25519();
    let intents = (0..count).map(|number| -> Intent {
        let mut octets = [round; 17];
        // The serial numbers are spread over the others of the same CA.
        octets[1..5].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
        home.root.intent(leaf(
            &home.root,
            "x.example",
            10,
            SerialNumber::from_random(octets),
            key.public_key(),
        ))
    });
    let recorded = home.index.record_intent(intents.collect()).unwrap();
    let issued = recorded.into_iter().map(Recorded::into_inner).map(|tbs| Issued {
        issuer: home.root.issuer(),
        certificate: home.root.key.certify(&tbs),
        event: event(NOW, "certificate.issued"),
    });
    let issued: Vec<Issued> = issued.collect();
    home.index.record_issued(&issued).unwrap();
    issued.iter().map(Issued::id).collect()
}

/// Returns the state that the published files have of every certificate.
fn published(home: &Home) -> Vec<(CertificateId, CertificateState)> {
    let mut all = Vec::new();
    home.open().for_each(&mut |id, state| all.push((id, state))).unwrap();
    all.sort_by(|(one, _), (other, _)| one.serial_number.cmp(&other.serial_number));
    all
}

#[test]
fn files_that_go_on_from_older_ones_say_the_same_as_new_ones() {
    let home = Home::new();
    home.publish();
    for round in 1..=3 {
        let many = issue_many(&home, round, 600);
        home.publish();
        home.revoke(&many[5]);
        home.publish();
        home.revoke(&many[7]);
        home.publish();
    }
    let continued = published(&home);
    assert_eq!(continued.len(), 1801);
    std::fs::remove_file(home.status.join("manifest.json")).unwrap();
    assert_eq!(home.publish().written, Written::Base(1801));
    assert!(continued == published(&home));
}

#[test]
fn what_was_published_before_and_did_not_change_is_not_read_again() {
    let home = Home::new();
    let early = issue_many(&home, 4, 1);
    home.publish();
    let many = issue_many(&home, 1, 600);
    assert_eq!(home.publish().written, Written::Delta(600));
    // The rows change without a change number, which no method of the index does.
    let index = Connection::open(home.directory.path().join("index.db")).unwrap();
    index.execute("UPDATE status SET state = 0 WHERE certificate > 1", []).unwrap();
    issue_many(&home, 2, 300);
    assert_eq!(home.publish().written, Written::Delta(900));
    assert_eq!(home.open().status(&many[0]).unwrap(), Some(CertificateState::Issued), "it is from the delta");
    issue_many(&home, 3, 300);
    assert_eq!(home.publish().written, Written::Base(1202));
    assert_eq!(home.open().status(&early[0]).unwrap(), Some(CertificateState::Issued), "it is from the base");
}

#[test]
fn a_ca_that_is_published_as_it_is_on_record_is_not_read_again() {
    let home = Home::new();
    let child = home.root.child(&home.index, "child", 200);
    home.publish();
    // The row changes without a change number, so that a publisher cannot notice.
    let index = Connection::open(home.directory.path().join("index.db")).unwrap();
    let spoil = "UPDATE certificate SET der = x'00' WHERE number = (SELECT certificate FROM authority WHERE name = 'child')";
    assert_eq!(index.execute(spoil, []).unwrap(), 1);
    assert!(home.index.authority("child").is_err());
    for round in [1, 2] {
        // The first round makes a new file, and the second continues it.
        issue_many(&home, round, 2);
        home.publish();
        let snapshot = home.open();
        assert_eq!(
            snapshot.authorities().iter().map(|one| &*one.name).collect::<Vec<_>>(),
            ["child", "genfic"]
        );
        assert_eq!(snapshot.authorities()[0].certificate, child.certificate);
    }
    issue_many(&home, 3, 1001);
    assert!(matches!(home.publish().written, Written::Base(_)));
    assert_eq!(home.open().authorities().len(), 2);
    home.index.set_serves_ocsp(&child.issuer(), true, event(NOW, "authority.ocsp")).unwrap();
    assert!(publish(&home.index, None, &home.status, NOW).is_err(), "it has changed");
}

#[test]
fn a_ca_that_is_damaged_in_the_base_is_read_again() {
    let home = Home::new();
    home.publish();
    let before = home.open().authorities().to_vec();
    let base = home.files().into_iter().find(|name| name.starts_with("base-")).unwrap();
    let raw = Connection::open(home.status.join(base)).unwrap();
    raw.execute("UPDATE authority SET certificate = x'00'", []).unwrap();
    issue_many(&home, 1, 2);
    assert_eq!(home.publish().written, Written::Delta(2));
    let delta = home.files().into_iter().find(|name| name.starts_with("delta-")).unwrap();
    let raw = Connection::open(home.status.join(delta)).unwrap();
    let certificate: Vec<u8> =
        raw.query_row("SELECT certificate FROM authority", [], |row| row.get(0)).unwrap();
    assert_eq!(certificate, before[0].certificate.as_der());
}

#[test]
fn a_file_that_is_not_the_one_published_is_not_gone_on_from() {
    let home = Home::new();
    home.publish();
    issue_many(&home, 1, 2);
    home.publish();
    let delta = home.files().into_iter().find(|name| name.starts_with("delta-")).unwrap();
    std::fs::write(home.status.join(delta), "something else").unwrap();
    issue_many(&home, 2, 1);
    assert_eq!(home.publish().written, Written::Delta(3));
    assert_eq!(published(&home).len(), 4);
}

#[test]
fn files_of_before_names_were_compared_say_the_same_and_are_not_gone_on_from() {
    // X3, O12
    let home = Home::new();
    let many = issue_many(&home, 1, 2);
    home.publish();
    let before = published(&home);
    let tbs = home.root.certificate.tbs();
    let base = home.status.join(home.files().into_iter().find(|name| name.starts_with("base-")).unwrap());
    let old = base16ct::lower::encode_string(&sha256(&std::fs::read(&base).unwrap()));
    let raw = Connection::open(&base).unwrap();
    let octets = IssuerId::by_octets(tbs.subject(), tbs.public_key());
    assert_eq!(raw.execute("UPDATE issuer SET identity = ?1", [octets.0]).unwrap(), 1);
    raw.execute_batch("DROP TABLE issuer_name").unwrap();
    drop(raw);
    let new = base16ct::lower::encode_string(&sha256(&std::fs::read(&base).unwrap()));
    let manifest = home.status.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap().replace(&old, &new);
    let text = text.replace("\"identity\"", "\"formerly\"");
    std::fs::write(&manifest, text).unwrap();

    assert!(before == published(&home));
    assert_eq!(home.open().status(&many[0]).unwrap(), Some(CertificateState::Issued));
    assert_eq!(home.open().authorities()[0].issuer, tbs.as_issuer());
    let compared =
        crate::status::StatusPublisher::compare(&StatusDirectory::new(&home.status), &home.index).unwrap();
    assert!(
        compared.is_current && compared.authorities.is_empty() && compared.differing.is_empty(),
        "{compared:?}"
    );
    assert_eq!(home.publish().written, Written::Base(3), "none is a mixture");
    assert_eq!(home.open().authorities()[0].names, [tbs.subject().clone()]);
    assert!(before == published(&home));
    issue_many(&home, 2, 1);
    assert_eq!(home.publish().written, Written::Delta(1));
}

#[test]
fn the_query_of_a_state_is_not_prepared_anew_for_each_certificate() {
    let home = Home::new();
    home.publish();
    let many = issue_many(&home, 1, 3);
    home.publish();
    let (manifest, _) = manifest::StatusManifest::read(&home.status).unwrap().unwrap();
    let base = snapshot::connect(&home.status.join(&manifest.base.file)).unwrap();
    let next = home.status.join("delta-99.db");
    let image = image::Image::continuing(&next, &manifest.delta.unwrap()).unwrap().unwrap();
    for id in &many {
        assert!(image.state(id).unwrap().is_some());
        assert!(continuity::state_in(&base, id).unwrap().is_none());
    }
    assert_eq!((image.prepared_anew(), continuity::prepared_anew(&base)), (0, 0));
}
