//! What every record of signatures keeps, in memory or on disk.
use super::{LastCrl, SignatureRecord};
use crate::x509::extension::CrlNumber;
use crate::x509::{Revoked, SerialNumber, UnixTime};

/// A record that a test fills.
pub(crate) trait Fill: SignatureRecord {
    /// Enters a certificate that this key was about to sign at this time.
    fn certificate(&self, key: &[u8; 32], serial: &SerialNumber, not_after: UnixTime, at: UnixTime);

    /// Enters that a responder named the key after its own.
    fn enrolment(&self, key: &[u8; 32], at: UnixTime);

    /// Enters that a CRL was about to be signed for a timer.
    fn timer_crl(&self, key: &[u8; 32], at: UnixTime);

    /// Enters a request that this key was about to sign at this time.
    fn request(&self, key: &[u8; 32], at: UnixTime);

    /// Enters that a restore left a gap.
    fn gap(&self);

    /// Enters a certificate with a valid signature of this key that was shown to the signer.
    fn shown(&self, key: &[u8; 32], serial: &SerialNumber, not_after: UnixTime);

    /// Enters a complete CRL that was signed, or a delta, with these entries in the order of serial numbers.
    fn crl(&self, key: &[u8; 32], crl: LastCrl, is_delta: bool, entries: &[(SerialNumber, Revoked)]);
}

const KEY: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

fn serial(text: &str) -> SerialNumber {
    text.parse().unwrap()
}

/// What an entry of this reason says.
pub(crate) fn revoked(reason: u8) -> Revoked {
    Revoked { reason, date: UnixTime(77 + i64::from(reason)) }
}

fn listed(record: &dyn SignatureRecord, key: &[u8; 32]) -> Vec<(String, Revoked)> {
    let mut listed = Vec::new();
    let taken = record.each_last_entry(key, &mut |serial, revoked| {
        listed.push((serial.to_string(), revoked));
        true
    });
    taken.unwrap();
    listed
}

/// Checks an empty record.
pub(crate) fn keeps_the_contract(record: &dyn Fill) {
    certificates_are_known_by_key_and_serial_number(record);
    crls_are_known_by_key(record);
    the_last_enrolment_is_known_by_key(record);
    crls_for_timers_are_counted_by_key(record);
    a_request_is_a_use_of_its_key(record);
    a_gap_ends_with_the_next_crl_of_the_key(record);
    what_lists_say_otherwise_than_those_before_is_known_by_key(record);
}

fn what_lists_say_otherwise_than_those_before_is_known_by_key(record: &dyn Fill) {
    // C5
    const THIRD: [u8; 32] = [3; 32];
    let crl = |number: CrlNumber, entries: &[(&str, u8)]| {
        let entries: Vec<_> = entries.iter().map(|(text, reason)| (serial(text), revoked(*reason))).collect();
        record.crl(&THIRD, LastCrl { number, this_update: UnixTime(900) }, false, &entries);
    };
    let since = |base| {
        let changed = record.changed_since(&THIRD, base).unwrap();
        changed.map(|changed| {
            let mut texts: Vec<String> = changed.iter().map(ToString::to_string).collect();
            texts.sort();
            texts
        })
    };
    assert_eq!(since(0), None);
    crl(3, &[("4a", 0)]);
    assert_eq!(
        (since(2), since(3)),
        (None, Some(vec![])),
        "what the first one was compared with is not known"
    );
    crl(5, &[("4a", 0), ("4b", 6), ("4c", 6)]);
    crl(6, &[("4a", 0), ("4b", 1)]);
    let told = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(
        [3, 4, 5, 6].map(since),
        [told(&["4b", "4b", "4c"]), told(&["4b", "4b", "4c"]), told(&["4b"]), told(&[])]
    );
    assert_eq!(since(2), None);
    assert_eq!(record.changed_since(&[9; 32], 3).unwrap(), None);
}

fn a_request_is_a_use_of_its_key(record: &dyn Fill) {
    const FIFTH: [u8; 32] = [5; 32];
    assert_eq!(record.last_used(&FIFTH).unwrap(), None);
    for at in [300, 700, 500] {
        record.request(&FIFTH, UnixTime(at));
    }
    assert_eq!(record.last_used(&FIFTH).unwrap(), Some(UnixTime(700)));
    assert_eq!(record.signed_since(&FIFTH, UnixTime(0)).unwrap(), 0, "it is no certificate");
}

fn a_gap_ends_with_the_next_crl_of_the_key(record: &dyn Fill) {
    const FOURTH: [u8; 32] = [4; 32];
    let crl = |number| record.crl(&FOURTH, LastCrl { number, this_update: UnixTime(900) }, false, &[]);
    let is_continued = || record.is_continued(&FOURTH).unwrap();
    assert!(!is_continued(), "it has signed none");
    crl(3);
    assert!(is_continued());
    record.gap();
    assert!(!is_continued());
    record.crl(&OTHER, LastCrl { number: 9, this_update: UnixTime(900) }, false, &[]);
    assert!(!is_continued(), "that of another key");
    crl(4);
    assert!(is_continued());
}

fn crls_for_timers_are_counted_by_key(record: &dyn Fill) {
    let count = |key, since| record.timer_crls_since(key, UnixTime(since)).unwrap();
    assert_eq!(count(&KEY, 0), 0);
    for at in [300, 500, 500] {
        record.timer_crl(&KEY, UnixTime(at));
    }
    assert_eq!([0, 300, 301, 501].map(|since| count(&KEY, since)), [3, 3, 2, 0]);
    assert_eq!(count(&OTHER, 0), 0);
}

fn the_last_enrolment_is_known_by_key(record: &dyn Fill) {
    assert_eq!(record.last_enrolment(&KEY).unwrap(), None);
    for at in [300, 500] {
        record.enrolment(&KEY, UnixTime(at));
    }
    assert_eq!(record.last_enrolment(&KEY).unwrap(), Some(UnixTime(500)));
    assert_eq!(record.last_enrolment(&OTHER).unwrap(), None);
}

fn certificates_are_known_by_key_and_serial_number(record: &dyn Fill) {
    assert!(!record.knows_serial(&KEY, &serial("4a")).unwrap());
    assert_eq!(record.signed_since(&KEY, UnixTime(0)).unwrap(), 0);
    assert_eq!(record.last_used(&KEY).unwrap(), None);
    record.certificate(&KEY, &serial("4a"), UnixTime(900), UnixTime(100));
    record.certificate(&KEY, &serial("80"), UnixTime(800), UnixTime(200));
    record.shown(&KEY, &serial("7f00"), UnixTime(700));
    for (known, end) in [("4a", 900), ("80", 800), ("7f00", 700)] {
        assert!(record.knows_serial(&KEY, &serial(known)).unwrap(), "{known}");
        assert_eq!(record.not_after(&KEY, &serial(known)).unwrap(), Some(UnixTime(end)));
        assert!(!record.knows_serial(&OTHER, &serial(known)).unwrap());
        assert_eq!(record.not_after(&OTHER, &serial(known)).unwrap(), None);
    }
    assert!(!record.knows_serial(&KEY, &serial("4a00")).unwrap());
    for (since, count) in [(0, 2), (100, 2), (101, 1), (200, 1), (201, 0)] {
        assert_eq!(record.signed_since(&KEY, UnixTime(since)).unwrap(), count, "since {since}");
    }
    assert_eq!(record.signed_since(&OTHER, UnixTime(0)).unwrap(), 0);
    assert_eq!(record.last_used(&KEY).unwrap(), Some(UnixTime(200)), "one that was shown is no use");
    assert_eq!(record.last_used(&OTHER).unwrap(), None);
}

fn crls_are_known_by_key(record: &dyn Fill) {
    let crl =
        |number: CrlNumber| LastCrl { number, this_update: UnixTime(i64::try_from(number).unwrap() * 10) };
    assert_eq!(record.last_crl(&KEY).unwrap(), None);
    assert_eq!(record.last_delta(&KEY).unwrap(), None);
    assert!(listed(record, &KEY).is_empty());
    // as numbers: by length first
    let entries = [(serial("4a"), revoked(0)), (serial("80"), revoked(6)), (serial("0100"), revoked(1))];
    record.crl(&KEY, crl(3), false, &entries);
    assert_eq!(record.last_crl(&KEY).unwrap(), Some(crl(3)));
    assert_eq!(record.last_delta(&KEY).unwrap(), None);
    let told = [("4a", 0), ("80", 6), ("0100", 1)].map(|(text, reason)| (text.to_owned(), revoked(reason)));
    assert_eq!(listed(record, &KEY), told);
    for (number, is_listed) in [("49", false), ("4a", true), ("80", true), ("0100", true), ("0101", false)] {
        assert_eq!(record.lists_serial(&KEY, &serial(number)).unwrap(), is_listed, "{number}");
        assert!(!record.lists_serial(&OTHER, &serial(number)).unwrap(), "{number}");
    }
    let mut first = Vec::new();
    let taken = record.each_last_entry(&KEY, &mut |serial, _| {
        first.push(serial.clone());
        false
    });
    taken.unwrap();
    assert_eq!(first, [serial("4a")], "it ends when it is told to");
    record.crl(&KEY, crl(4), true, &entries[..1]);
    assert_eq!(record.last_delta(&KEY).unwrap(), Some(crl(4)));
    assert_eq!((record.last_crl(&KEY).unwrap(), listed(record, &KEY).len()), (Some(crl(3)), 3));
    record.crl(&OTHER, crl(1), false, &entries[1..]);
    assert_eq!(record.last_crl(&KEY).unwrap(), Some(crl(3)));
    record.crl(&KEY, crl(5), false, &entries[..1]);
    assert_eq!((record.last_crl(&KEY).unwrap(), listed(record, &KEY).len()), (Some(crl(5)), 1));
    assert_eq!(listed(record, &OTHER).len(), 2);
}
