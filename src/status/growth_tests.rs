//! Tests of files that continue those published before.
use super::tests::Home;
use super::*;
use crate::index::contract::{NOW, TestKey, event, leaf};
use crate::index::prelude::*;
use crate::index::{CertificateState, Intent, Issued, Recorded, StoreError};
use crate::x509::{CertificateId, IssuerId, SerialNumber};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

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
    assert_eq!(home.publish().written, Written::Delta(300));
    assert_eq!(home.open().status(&many[0]).unwrap(), Some(CertificateState::Issued), "it is from the delta");
    issue_many(&home, 3, 2400);
    assert_eq!(home.publish().written, Written::Base(3302));
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
    issue_many(&home, 3, 3000);
    assert!(matches!(home.publish().written, Written::Base(_)));
    assert_eq!(home.open().authorities().len(), 2);
    home.index.set_serves_ocsp(&child.issuer(), true, event(NOW, "authority.ocsp")).unwrap();
    assert!(publish(&home.index, None, &home.status, NOW).is_err(), "it has changed");
}

#[test]
fn cas_whose_file_is_damaged_are_read_again() {
    let home = Home::new();
    home.publish();
    let before = home.open().authorities().to_vec();
    let file = home.status.join("authorities-2.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("genfic", "GENFIC", 1)).unwrap();
    assert!(StatusDirectory::new(&home.status).open(None).is_err());
    issue_many(&home, 1, 2);
    assert_eq!(home.publish().written, Written::Delta(2));
    assert_eq!(home.open().authorities(), before);
}

#[test]
fn a_file_that_is_not_the_one_published_is_not_gone_on_from() {
    let home = Home::new();
    home.publish();
    issue_many(&home, 1, 2);
    home.publish();
    let delta = home.status.join(home.delta().unwrap());
    let mut octets = std::fs::read(&delta).unwrap();
    octets[100] ^= 1;
    std::fs::write(&delta, octets).unwrap();
    issue_many(&home, 2, 1);
    assert_eq!(home.publish().written, Written::Base(4));
    assert_eq!(home.delta(), None);
    assert_eq!(published(&home).len(), 4);
}

#[test]
fn a_base_that_is_damaged_is_made_again_when_it_is_needed() {
    for at in [0, 4096] {
        // In a block, and in the table.
        let home = Home::new();
        let many = issue_many(&home, 1, 3);
        home.publish();
        let base = home.status.join(home.base());
        let mut octets = std::fs::read(&base).unwrap();
        octets[at] ^= 1;
        std::fs::write(&base, octets).unwrap();
        issue_many(&home, 2, 1);
        let written = home.publish().written;
        assert!(matches!(written, Written::Base(5)), "{at}: {written:?}");
        assert_eq!(home.open().status(&many[0]).unwrap(), Some(CertificateState::Issued));
    }
}

/// Octets that a publication wrote: what is new of each file, and all of a file that is new.
fn written(home: &Home, act: impl FnOnce()) -> u64 {
    let files = || -> BTreeMap<(String, u64), u64> {
        let of = |name: String| {
            let metadata = std::fs::metadata(home.status.join(&name)).unwrap();
            ((name, metadata.ino()), metadata.len())
        };
        home.files().into_iter().map(of).collect()
    };
    let before = files();
    act();
    let added = |(file, length)| length - before.get(&file).copied().unwrap_or_default();
    files().into_iter().map(added).sum()
}

#[test]
fn a_revocation_writes_less_than_eight_kilobytes_however_long_the_delta_is() {
    // O12
    let home = Home::new();
    home.publish();
    let many = issue_many(&home, 1, 2600);
    assert_eq!(home.publish().written, Written::Delta(2600));
    for id in &many[..3] {
        home.revoke(id);
        let octets = written(&home, || assert_eq!(home.publish().written, Written::Delta(1)));
        assert!(octets < 2048, "{octets}");
    }
    assert!(std::fs::metadata(home.status.join(home.delta().unwrap())).unwrap().len() > 60_000);
}

#[test]
fn serial_numbers_of_different_lengths_are_published_in_every_kind_of_file() {
    let home = Home::new();
    let number = |octets: &[u8]| SerialNumber::from_be_octets(octets).unwrap();
    let issue = |serial: SerialNumber| {
        home.index
            .record_intent(vec![home.root.intent(home.root.leaf("a.example", 10, serial.clone()))])
            .unwrap();
        CertificateId { issuer: home.root.issuer(), serial_number: serial }
    };
    let mut all = vec![issue(number(&[1; 20])), issue(number(&[0x7f; 18])), issue(number(&[9; 17]))];
    all.extend(issue_many(&home, 1, 3));
    assert!(matches!(home.publish().written, Written::Base(_)), "from the index");
    let is_there = |all: &[CertificateId]| {
        let snapshot = home.open();
        assert!(all.iter().all(|id| snapshot.status(id).unwrap().is_some()));
    };
    is_there(&all);
    all.extend([issue(number(&[2; 20])), issue(number(&[0x7e; 18])), issue(number(&[8; 17]))]);
    assert_eq!(home.publish().written, Written::Delta(3));
    is_there(&all);
    all.extend(issue_many(&home, 2, 3000));
    assert!(matches!(home.publish().written, Written::Base(_)), "folded");
    is_there(&all);
    assert_eq!(published(&home).len(), all.len() + 1);
}

#[test]
fn a_certificate_takes_less_than_thirty_one_octets_of_a_base() {
    let home = Home::new();
    issue_many(&home, 1, 3000);
    home.publish();
    let length = std::fs::metadata(home.status.join(home.base())).unwrap().len();
    assert!(length < 31 * 3000, "{length}");
}

#[test]
fn a_lookup_is_one_read_and_a_start_reads_no_block() {
    let home = Home::new();
    let many = issue_many(&home, 1, 3000);
    home.publish();
    let snapshot = home.open();
    let reads = || snapshot.base.reads.load(std::sync::atomic::Ordering::Relaxed);
    let begun = reads();
    assert_eq!(begun, 3, "the end, the beginning of the table, and the table");
    for (number, id) in (1..).zip(&many[..100]) {
        assert_eq!(snapshot.status(id).unwrap(), Some(CertificateState::Issued));
        assert_eq!(reads(), begun + number);
    }
    let other = CertificateId { issuer: IssuerId([7; 32]), ..many[0].clone() };
    assert_eq!((snapshot.status(&other).unwrap(), reads()), (None, begun + 100));
}

#[test]
fn a_block_that_is_damaged_answers_nothing_and_the_others_do() {
    // O13
    let home = Home::new();
    let many = issue_many(&home, 1, 1000);
    home.publish();
    let path = home.status.join(home.base());
    let mut octets = std::fs::read(&path).unwrap();
    // All of the first block, so that its entries say something else.
    octets[2..4096].iter_mut().for_each(|octet| *octet ^= 1);
    std::fs::write(&path, &octets).unwrap();
    let snapshot = home.open();
    let states: Vec<_> = many.iter().map(|id| snapshot.status(id)).collect();
    let damaged =
        |state: &Result<_, StatusError>| matches!(state, Err(StatusError::Store(StoreError::Damaged(_))));
    let answered = states.iter().filter(|state| matches!(state, Ok(Some(CertificateState::Issued)))).count();
    let refused = states.iter().filter(|state| damaged(state)).count();
    assert!(refused > 100 && answered + refused == many.len(), "{refused} {answered}");
    // Cut short while it is open.
    let snapshot = home.open();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4096).unwrap();
    assert!(many.iter().all(|id| damaged(&snapshot.status(id))));
}

#[test]
fn what_a_killed_publisher_left_behind_a_delta_is_not_read_and_not_written_over() {
    // C7
    let home = Home::new();
    home.publish();
    let many = issue_many(&home, 1, 3);
    home.publish();
    let before = home.open();
    let delta = home.delta().unwrap();
    let mut octets = std::fs::read(home.status.join(&delta)).unwrap();
    octets.extend([0, 0, 0, 200, 1, 2, 3]);
    std::fs::write(home.status.join(&delta), &octets).unwrap();
    assert_eq!(home.open().status(&many[0]).unwrap(), Some(CertificateState::Issued));
    let to = home.revoke(&many[0]);
    assert_eq!(home.publish().written, Written::Delta(1));
    assert_ne!(home.delta().unwrap(), delta);
    assert_eq!(std::fs::read(home.status.join(&delta)).unwrap(), octets);
    let after = StatusDirectory::new(&home.status).open(Some(&before)).unwrap();
    assert_eq!(after.status(&many[0]).unwrap(), Some(to));
}

#[test]
fn of_a_delta_that_has_grown_only_what_was_added_is_read() {
    let home = Home::new();
    home.publish();
    let many = issue_many(&home, 1, 3);
    home.publish();
    let before = home.open();
    let to = home.revoke(&many[1]);
    home.publish();
    let path = home.status.join(home.delta().unwrap());
    let mut octets = std::fs::read(&path).unwrap();
    octets[60] ^= 1;
    std::fs::write(&path, octets).unwrap();
    let directory = StatusDirectory::new(&home.status);
    assert!(directory.open(None).is_err());
    let after = directory.open(Some(&before)).unwrap();
    assert_eq!(after.status(&many[1]).unwrap(), Some(to));
    assert_eq!(after.status(&many[0]).unwrap(), Some(CertificateState::Issued));
    assert_eq!(before.status(&many[1]).unwrap(), Some(CertificateState::Issued), "a snapshot never changes");
}

#[test]
fn a_copy_in_any_order_leaves_a_reader_with_the_former_or_the_new_status() {
    // O13
    let home = Home::new();
    let many = issue_many(&home, 1, 3);
    home.publish();
    let acts: [&dyn Fn(); 5] = [
        &|| {
            let _ = home.revoke(&many[0]);
        },
        &|| {
            let _ = home.revoke(&many[1]);
        },
        &|| {
            let _ = home.root.child(&home.index, "child", 200);
        },
        &|| {
            let _ = issue_many(&home, 2, 3000);
        },
        &|| {
            let _ = home.revoke(&many[2]);
        },
    ];
    let copy = home.directory.path().join("copy");
    let read = |name: &String| std::fs::read(home.status.join(name)).unwrap();
    for (number, act) in acts.into_iter().enumerate() {
        let former: BTreeMap<String, Vec<u8>> =
            home.files().into_iter().map(|name| (name.clone(), read(&name))).collect();
        let before = home.open();
        act();
        home.publish();
        let newer: Vec<String> =
            home.files().into_iter().filter(|name| former.get(name) != Some(&read(name))).collect();
        // Each of the new files is there, or is not, or is there in part.
        for state in 0..3_usize.pow(u32::try_from(newer.len()).unwrap()) {
            let _ = std::fs::remove_dir_all(&copy);
            std::fs::create_dir(&copy).unwrap();
            former.iter().for_each(|(name, octets)| std::fs::write(copy.join(name), octets).unwrap());
            let mut is_whole = true;
            for (at, name) in newer.iter().enumerate() {
                let octets = read(name);
                match state / 3_usize.pow(u32::try_from(at).unwrap()) % 3 {
                    0 => is_whole = false,
                    // The manifest is small, and renamed by every program that copies.
                    1 if name == StatusManifest::FILE => is_whole = false,
                    1 => {
                        is_whole = false;
                        let old = former.get(name).map_or(0, Vec::len);
                        std::fs::write(copy.join(name), &octets[..old.midpoint(octets.len())]).unwrap();
                    }
                    _ => std::fs::write(copy.join(name), &octets).unwrap(),
                }
            }
            match StatusDirectory::new(&copy).open(Some(&before)) {
                Ok(snapshot) if snapshot.change() == before.change() => assert!(!is_whole),
                Ok(snapshot) => {
                    let now = home.open();
                    assert_eq!(snapshot.change(), now.change());
                    for id in &many {
                        assert_eq!(snapshot.status(id).unwrap(), now.status(id).unwrap());
                    }
                }
                Err(error) => {
                    assert!(
                        !is_whole && matches!(error, StatusError::Incomplete(_)),
                        "{number} {state}: {error}"
                    );
                }
            }
        }
    }
}
