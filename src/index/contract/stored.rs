//! An index that is a file can be copied and examined for damage.
use super::fixture::*;
use crate::index::{CertificateRecord, Damage, Examined, StoredIndex};

/// Checks that nothing in a store is damaged, which holds after every test.
pub(crate) fn is_undamaged(index: &dyn StoredIndex) {
    let mut damages = Vec::new();
    let mut visit = |examined| {
        if let Examined::Damage(damage) = examined {
            damages.push(damage);
        }
    };
    index.examine(&mut visit).unwrap();
    assert_eq!(damages, []);
}

pub(crate) fn a_copy_is_of_one_moment_and_does_not_change(index: &dyn StoredIndex) {
    let root = CertificateAuthority::root(index, "genfic");
    root.issue_leaf(index, "a.example", 10, 9);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy.db");
    index.copy_to(&path).unwrap();
    assert!(index.copy_to(&path).is_err(), "a copy never replaces anything");
    let octets = std::fs::read(&path).unwrap();
    root.issue_leaf(index, "b.example", 10, 10);
    assert_eq!(std::fs::read(&path).unwrap(), octets);
    let names: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names, ["copy.db"], "all of it is in one file");
}

pub(crate) fn what_is_recorded_is_found_whole_newest_first(index: &dyn StoredIndex) {
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "genfic-user", 2);
    let id = child.issue_leaf(index, "a.example", 10, 9);
    index.record_intent(vec![root.intent(root.leaf("b.example", 10, serial(8)))]).unwrap();
    let (mut damages, mut records): (Vec<Damage>, Vec<CertificateRecord>) = (Vec::new(), Vec::new());
    index
        .examine(&mut |examined| match examined {
            Examined::Damage(damage) => damages.push(damage),
            Examined::Certificate(record) => records.push(*record),
        })
        .unwrap();
    assert_eq!(damages, []);
    let numbers: Vec<_> = records.iter().map(|record| record.id.serial_number.clone()).collect();
    assert_eq!(numbers, [serial(8), serial(9), serial(2), serial(1)]);
    assert_eq!(Some(&records[1]), index.certificate(&id).unwrap().as_ref());
    assert_eq!(records[0].certificate, None, "what is pending is found too");
}
