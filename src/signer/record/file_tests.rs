use super::super::contract::{Fill, keeps_the_contract, revoked};
use super::super::listed::pack;
use super::super::{ListChanges, SignedList, memory::MemoryRecord};
use super::*;
use crate::signer::journal::Asker;
use crate::x509::sha256;
use proptest::prelude::*;

fn record() -> (tempfile::TempDir, RecordFile) {
    let directory = tempfile::tempdir().unwrap();
    let record = RecordFile::open(&directory.path().join("record.db")).unwrap();
    (directory, record)
}

impl RecordFile {
    fn filled(&self, entry: Entry, at: UnixTime) {
        self.filled_from(1, entry, at);
    }

    fn filled_from(&self, first: u64, entry: Entry, at: UnixTime) {
        let by = Asker { user: 0, login: None, session: None };
        let group = Group { first, settled: 0, at, by, previous: [0; 32], entries: vec![entry] };
        self.enter(&group, false).unwrap();
        self.commit().unwrap();
    }
}

impl Fill for RecordFile {
    fn certificate(&self, key: &Key, serial: &SerialNumber, not_after: UnixTime, at: UnixTime) {
        self.begin().unwrap();
        let signed = Signed {
            key: *key,
            kind: SignedKind::Certificate,
            digest: [0; 32],
            serial: Some(serial.clone()),
            until: Some(not_after),
            crl_number: None,
            list: None,
        };
        self.filled(Entry::Intended(signed), at);
    }

    fn enrolment(&self, key: &Key, at: UnixTime) {
        self.begin().unwrap();
        let act = Act { kind: ActKind::Enrolled, key: Some(*key), details: "4a, by 4b".into() };
        self.filled(Entry::Act(act), at);
    }

    fn timer_crl(&self, key: &Key, at: UnixTime) {
        self.begin().unwrap();
        let act = Act { kind: ActKind::TimerCrl, key: Some(*key), details: "CRL 7, for a timer".into() };
        self.filled(Entry::Act(act), at);
    }

    fn request(&self, key: &Key, at: UnixTime) {
        self.begin().unwrap();
        self.filled(Entry::Intended(Signed::request(*key, b"request")), at);
    }

    fn gap(&self) {
        self.begin().unwrap();
        self.filled(Entry::Act(Act { kind: ActKind::Gap, key: None, details: String::new() }), UnixTime(0));
    }

    fn shown(&self, key: &Key, serial: &SerialNumber, not_after: UnixTime) {
        self.begin().unwrap();
        let shown = Shown::Certificate { key: *key, serial: serial.clone(), until: not_after };
        self.filled(Entry::Shown(shown), UnixTime(0));
    }

    fn crl(&self, key: &Key, crl: LastCrl, is_delta: bool, entries: &[(SerialNumber, Revoked)]) {
        self.begin().unwrap();
        let base = is_delta.then_some(1);
        let list = SignedList { scope: Vec::new(), this_update: crl.this_update, base };
        let digest = sha256(format!("{key:?}{crl:?}{is_delta}").as_bytes());
        if !is_delta {
            let packed: Vec<_> = entries.iter().map(|(serial, revoked)| pack(serial, *revoked)).collect();
            let mut changes = self.last_crl(key).unwrap().map(|last| ListChanges::from(last.number));
            if let Some(changes) = &mut changes {
                let mut before = Vec::new();
                let taken = self.each_last_entry(key, &mut |serial, revoked| {
                    before.push((serial.clone(), revoked));
                    true
                });
                taken.unwrap();
                let new = entries.iter().filter(|one| !before.contains(one));
                new.for_each(|(serial, revoked)| changes.note(serial, *revoked));
            }
            let of = (crl.number, &digest);
            self.prepare_entries(key, &list, of, &packed, changes.as_ref()).unwrap();
        }
        let signed = Signed {
            key: *key,
            kind: SignedKind::Crl,
            digest,
            serial: None,
            until: None,
            crl_number: Some(crl.number),
            list: Some(list),
        };
        // each key has a place of its own in the journal
        let first = u64::from(key[0]);
        self.filled_from(first, Entry::Intended(signed), UnixTime(0));
        self.begin().unwrap();
        self.filled(Entry::Signed { first, last: first }, UnixTime(0));
    }
}

#[test]
fn the_record_on_disk_keeps_the_contract() {
    let (_directory, record) = record();
    keeps_the_contract(&record);
}

#[test]
fn a_serial_number_is_entered_once() {
    let (_directory, record) = record();
    record.certificate(&[1; 32], &"4a".parse().unwrap(), UnixTime(9), UnixTime(1));
    record.begin().unwrap();
    let entry = |key| {
        let signed = Signed {
            key,
            kind: SignedKind::Certificate,
            digest: [7; 32],
            serial: Some("4a".parse().unwrap()),
            until: Some(UnixTime(99)),
            crl_number: None,
            list: None,
        };
        record.intended(&signed, &mut Keys::new(), (2, false))
    };
    assert!(matches!(entry([1; 32]), Err(RecordError::Repeated(_))));
    entry([2; 32]).unwrap();
}

#[test]
fn a_file_that_is_no_record_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.db");
    for contents in [b"".as_slice(), b"hello", &[0; 9000]] {
        std::fs::write(&path, contents).unwrap();
        let record = RecordFile::open(&path).unwrap();
        assert_eq!(record.built().unwrap(), (JournalHead::default(), 0));
    }
    // another version's
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", VERSION + 1).unwrap();
    drop(other);
    assert_eq!(RecordFile::open(&path).unwrap().built().unwrap(), (JournalHead::default(), 0));
}

#[test]
fn entries_that_are_not_known_are_told_as_such() {
    let (_directory, record) = record();
    let serials = [("4a".parse().unwrap(), revoked(0))];
    let crl = |number| LastCrl { number, this_update: UnixTime(1) };
    record.crl(&[1; 32], crl(4), false, &serials);
    // the journal has a CRL that the record was not told of before
    record.begin().unwrap();
    let list = SignedList { scope: Vec::new(), this_update: UnixTime(2), base: None };
    record.put_list(&[1; 32], &list, 5, &[5; 32], Origin::Intended(2)).unwrap();
    record.commit().unwrap();
    let listed = || {
        let mut count = 0;
        record.each_last_entry(&[1; 32], &mut |_, _| {
            count += 1;
            true
        })?;
        Ok::<_, RecordError>(count)
    };
    assert!(matches!(listed(), Err(RecordError::ListUnknown(5))));
    // an older one than that which was handed out last is not taken in its place
    let last = "SELECT digest FROM handed_out WHERE sequence = 1";
    let last: Key = record.with(|connection| connection.query_row(last, [], |row| row.get(0))).unwrap();
    for (number, digest, expected) in [(3, [9; 32], None), (4, [9; 32], None), (4, last, Some(1))] {
        record.begin().unwrap();
        let packed = [pack(&"4a".parse().unwrap(), revoked(0))];
        record.prepare_entries(&[1; 32], &list, (number, &digest), &packed, None).unwrap();
        record.put_list(&[1; 32], &list, number, &digest, Origin::Shown(3)).unwrap();
        record.commit().unwrap();
        assert_eq!(listed().ok(), expected, "{number}");
        assert_eq!(record.last_crl(&[1; 32]).unwrap().unwrap().number, 5);
        // those of an older one are used all the same
        assert!(record.lists_serial(&[1; 32], &"4a".parse().unwrap()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn it_answers_as_the_one_in_memory(
        certificates in prop::collection::vec((0_u8..3, 1_u64..40, 0_i64..100, 0_i64..100), 0..40),
        entries in prop::collection::btree_map(1_u128.., 0_u8..11, 0..40),
        many in 0_u128..3,
    ) {
        let (_directory, record) = record();
        let memory = MemoryRecord::default();
        let serial = |number: u128| SerialNumber::from_be_octets(&number.to_be_bytes()).unwrap();
        for (key, number, end, at) in certificates {
            let (key, serial) = ([key; 32], serial(number.into()));
            if !memory.knows_serial(&key, &serial).unwrap() {
                let both: [&dyn Fill; 2] = [&record, &memory];
                for one in both {
                    one.certificate(&key, &serial, UnixTime(end), UnixTime(at));
                }
            }
        }
        let mut listed: Vec<(SerialNumber, Revoked)> =
            entries.into_iter().map(|(number, reason)| (serial(number), revoked(reason))).collect();
        // more than a row of the table has
        listed.extend((0..many * 2500).map(|at| (serial(u128::MAX - 1_000_000 + at), revoked(0))));
        listed.sort_by(|a, b| crate::x509::compare_serials(a.0.as_be_octets(), b.0.as_be_octets()));
        listed.dedup_by(|a, b| a.0 == b.0);
        let both: [&dyn Fill; 2] = [&record, &memory];
                for one in both {
            one.crl(&[1; 32], LastCrl { number: 1, this_update: UnixTime(5) }, false, &listed);
        }
        for key in 0..3 {
            for number in 1..40 {
                let id = ([key; 32], serial(number));
                prop_assert_eq!(
                    record.not_after(&id.0, &id.1).unwrap(),
                    memory.not_after(&id.0, &id.1).unwrap()
                );
            }
            for since in (0..100).step_by(7) {
                let since = UnixTime(since);
                prop_assert_eq!(
                    record.signed_since(&[key; 32], since).unwrap(),
                    memory.signed_since(&[key; 32], since).unwrap()
                );
            }
        }
        let all = |one: &dyn SignatureRecord| {
            let mut all = Vec::new();
            one.each_last_entry(&[1; 32], &mut |serial, revoked| {
                all.push((serial.clone(), revoked));
                true
            }).unwrap();
            all
        };
        prop_assert_eq!(all(&record), all(&memory));
        let ends = (u128::MAX - 1_000_000..).take(6000).step_by(97);
        for number in (1..40).chain(ends).map(serial) {
            let told = memory.lists_serial(&[1; 32], &number).unwrap();
            prop_assert_eq!(record.lists_serial(&[1; 32], &number).unwrap(), told);
        }
    }
}
