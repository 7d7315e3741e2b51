use super::*;
use crate::signer::record::{Signed, SignedKind};
use crate::testing::crl;
use crate::x509::SerialNumber;
use std::fs;

pub(super) const KEY: [u8; 32] = [1; 32];
pub(super) const BY: Asker = Asker { user: 1000, login: Some(1001), session: Some(3) };
pub(super) const AT: UnixTime = UnixTime(1_900_000_000);

/// A certificate to be signed, without its octets.
#[derive(Debug)]
struct Leaf(u64, Vec<u8>);

impl ToBeSigned for Leaf {
    fn octets(&self) -> &[u8] {
        &self.1
    }

    fn entry(&self, key: [u8; 32]) -> Signed {
        Signed {
            serial: Some(serial(self.0)),
            until: Some(UnixTime(2_000_000_000)),
            kind: SignedKind::Certificate,
            ..Signed::request(key, &self.1)
        }
    }
}

fn serial(number: u64) -> SerialNumber {
    SerialNumber::from_be_octets(&number.to_be_bytes()).unwrap()
}

fn leaves(numbers: std::ops::Range<u64>) -> Vec<Leaf> {
    numbers.map(|number| Leaf(number, number.to_be_bytes().to_vec())).collect()
}

pub(super) struct Place(tempfile::TempDir);

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn open(&self) -> Result<Journal, RecordError> {
        Journal::open(self.0.path(), BY, AT)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn octets(&self) -> Vec<u8> {
        fs::read(self.at(JOURNAL)).unwrap()
    }

    pub(super) fn forget_record(&self) {
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.at(&format!("{RECORD}{ending}")));
        }
    }

    fn groups(&self) -> Vec<Group> {
        let octets = self.octets();
        let mut reader = JournalReader::after(JournalHead::default(), octets.as_slice());
        let groups = std::iter::from_fn(|| reader.next_group().unwrap()).collect();
        assert_eq!(reader.torn(), None);
        groups
    }

    fn acts(&self) -> Vec<&'static str> {
        let groups = self.groups();
        let entries = groups.iter().flat_map(|group| &group.entries);
        entries
            .filter_map(|entry| if let Entry::Act(act) = entry { Some(act.kind.name()) } else { None })
            .collect()
    }
}

/// A journal with three groups of certificates, each signed.
fn filled() -> Place {
    let place = Place::new();
    let journal = place.open().unwrap();
    for start in [10, 20, 30] {
        let journaled = journal.turn().unwrap().intend(BY, AT, KEY, leaves(start..start + 3)).unwrap();
        let (first, last) = (journaled[0].sequence(), journaled[2].sequence());
        assert_eq!((last - first, journaled[1].octets()), (2, (start + 1).to_be_bytes().as_slice()));
        journal.signed(BY, AT, first, last).unwrap();
    }
    place
}

fn is_damaged(result: Result<Journal, RecordError>) -> bool {
    matches!(result, Err(RecordError::Damaged { .. }))
}

#[test]
fn what_is_to_be_signed_is_in_the_journal_and_on_record() {
    let place = filled();
    let groups = place.groups();
    assert_eq!(groups.len(), 7);
    assert_eq!((groups[1].by, groups[1].at, groups[1].first), (BY, AT, 2));
    assert_eq!(groups[2].entries, [Entry::Signed { first: 2, last: 4 }]);
    let journal = place.open().unwrap();
    for number in [10, 12, 20, 32] {
        assert!(journal.record().knows_serial(&KEY, &serial(number)).unwrap(), "{number}");
    }
    assert!(!journal.record().knows_serial(&KEY, &serial(13)).unwrap());
    assert_eq!(journal.record().signed_since(&KEY, AT).unwrap(), 9);
    assert_eq!(journal.verify().unwrap().sequence, 13);
}

#[test]
fn a_serial_number_comes_once_and_what_is_refused_leaves_nothing() {
    let place = filled();
    let journal = place.open().unwrap();
    let before = place.octets();
    for group in [leaves(12..14), vec![Leaf(99, vec![1]), Leaf(99, vec![2])]] {
        let refused = journal.turn().unwrap().intend(BY, AT, KEY, group);
        assert!(matches!(refused, Err(RecordError::Repeated(_))));
    }
    assert_eq!(place.octets(), before);
    journal.turn().unwrap().intend(BY, AT, KEY, leaves(13..14)).unwrap();
    journal.turn().unwrap().intend(BY, AT, [2; 32], leaves(12..14)).unwrap();
}

#[test]
fn a_record_that_is_missing_or_behind_is_made_from_the_journal() {
    let place = filled();
    let told = |journal: &Journal| {
        let known = |number| journal.record().not_after(&KEY, &serial(number)).unwrap().is_some();
        ((1..50).map(known).collect::<Vec<_>>(), journal.record().signed_since(&KEY, UnixTime(0)).unwrap())
    };
    let expected = told(&place.open().unwrap());
    place.forget_record();
    assert_eq!(told(&place.open().unwrap()), expected);
    // a record of before
    let copy: Vec<_> =
        ["", "-wal"].map(|ending| (ending, fs::read(place.at(&format!("{RECORD}{ending}"))))).into();
    place.open().unwrap().turn().unwrap().intend(BY, AT, KEY, leaves(40..41)).unwrap();
    place.forget_record();
    for (ending, contents) in copy {
        if let Ok(contents) = contents {
            fs::write(place.at(&format!("{RECORD}{ending}")), contents).unwrap();
        }
    }
    let journal = place.open().unwrap();
    assert!(journal.record().knows_serial(&KEY, &serial(40)).unwrap());
    assert_eq!(journal.record().signed_since(&KEY, UnixTime(0)).unwrap(), 10);
}

#[test]
fn a_group_that_a_power_cut_left_half_written_is_dropped_and_said_to_be() {
    let place = filled();
    let whole = place.octets();
    place.open().unwrap();
    // a process that was killed before the disk had it, or the record
    let late = Place::new();
    fs::write(late.at(JOURNAL), &whole).unwrap();
    late.open().unwrap().turn().unwrap().intend(BY, AT, KEY, leaves(50..53)).unwrap();
    let longer = late.octets();
    for end in (whole.len() + 1..longer.len()).step_by(13) {
        for zeros in [0, 5000] {
            let cut = Place::new();
            for ending in ["", "-wal"] {
                let name = format!("{RECORD}{ending}");
                if let Ok(contents) = fs::read(place.at(&name)) {
                    fs::write(cut.at(&name), contents).unwrap();
                }
            }
            fs::write(cut.at(JOURNAL), [&longer[..end], &vec![0; zeros]].concat()).unwrap();
            let journal = cut.open().unwrap();
            assert!(!journal.record().knows_serial(&KEY, &serial(50)).unwrap());
            assert_eq!(cut.acts(), ["begun", "mended"], "{end}");
            journal.turn().unwrap().intend(BY, AT, KEY, leaves(50..53)).unwrap();
            assert_eq!(journal.verify().unwrap().sequence, 17);
        }
    }
    // the same while the journal is open
    let journal = place.open().unwrap();
    fs::write(place.at(JOURNAL), &longer[..longer.len() - 1]).unwrap();
    journal.signed(BY, AT, 11, 13).unwrap();
    assert_eq!(place.acts(), ["begun", "mended"]);
}

#[test]
fn an_entry_that_was_changed_or_is_missing_is_an_alarm() {
    let place = filled();
    // the disk has all but the last group
    let journal = place.open().unwrap();
    journal.turn().unwrap().intend(BY, AT, KEY, leaves(40..41)).unwrap();
    drop(journal);
    let whole = place.octets();
    let mut ends = vec![0];
    let mut reader = JournalReader::after(JournalHead::default(), whole.as_slice());
    while reader.next_group().unwrap().is_some() {
        ends.push(usize::try_from(reader.head().offset).unwrap());
    }
    let last = ends[ends.len() - 2];
    let alarms = |contents: &[u8], why: &str| {
        // with the record, whether it looks at all of it now or later, and without it
        fs::write(place.at(JOURNAL), contents).unwrap();
        let looked = place.open().and_then(|journal| journal.verify());
        assert!(matches!(looked, Err(RecordError::Damaged { .. })), "{why}");
        let bare = Place::new();
        fs::write(bare.at(JOURNAL), contents).unwrap();
        bare.open()
    };
    for at in (0..last).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        assert!(is_damaged(alarms(&changed, &format!("octet {at}"))), "octet {at}");
    }
    for pair in ends.windows(2) {
        let without = [&whole[..pair[0]], &whole[pair[1]..]].concat();
        let bare = alarms(&without, "without a group");
        assert!(is_damaged(bare) || pair[1] == whole.len());
    }
    let _ = alarms(&whole[..last], "without the last group");
    let _ = alarms(&[], "empty");
    fs::remove_file(place.at(JOURNAL)).unwrap();
    assert!(is_damaged(place.open()), "a journal that is gone");
}

#[test]
fn eight_at_once_lose_nothing_and_the_chain_stays_whole() {
    let place = Place::new();
    let taken: Vec<u64> = std::thread::scope(|scope| {
        let place = &place;
        let one = |number: u64| {
            let journal = place.open().unwrap();
            let mut taken = Vec::new();
            for round in 0..25 {
                let start = number * 1000 + round * 10;
                let group = journal.turn().unwrap().intend(BY, AT, KEY, leaves(start..start + 3)).unwrap();
                journal.signed(BY, AT, group[0].sequence(), group[2].sequence()).unwrap();
                // everybody wants this one
                let contested = journal.turn().unwrap().intend(BY, AT, KEY, leaves(round + 1..round + 2));
                taken.extend(contested.ok().map(|_| round));
            }
            taken
        };
        let all: Vec<_> = (1..9).map(|number| scope.spawn(move || one(number))).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    let mut taken = taken;
    taken.sort_unstable();
    assert_eq!(taken, (0..25).collect::<Vec<_>>(), "each by one alone");
    let journal = place.open().unwrap();
    assert_eq!(journal.verify().unwrap().sequence, 1 + 8 * 25 * 4 + 25);
    assert_eq!(journal.record().signed_since(&KEY, AT).unwrap(), 8 * 25 * 3 + 25);
    assert_eq!(place.acts(), ["begun"]);
}

#[test]
fn a_record_of_an_earlier_version_is_made_anew_once_by_many_who_open_it_at_the_same_time() {
    // X1
    for _ in 0..20 {
        let place = filled();
        let record = rusqlite::Connection::open(place.at(RECORD)).unwrap();
        record.pragma_update(None, "user_version", 1).unwrap();
        drop(record);
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..6).map(|_| scope.spawn(|| place.open().map(drop))).collect();
            all.into_iter().for_each(|one| one.join().unwrap().unwrap());
        });
        let journal = place.open().unwrap();
        assert!(journal.record().signed_since(&KEY, UnixTime(0)).unwrap() > 0);
    }
}

#[test]
fn after_a_restore_crls_alone_are_signed_until_the_gap_is_accepted() {
    let place = filled();
    let journal = place.open().unwrap();
    let act = |kind| Act { kind, key: None, details: String::new() };
    journal.turn().unwrap().act(BY, AT, vec![act(ActKind::Gap)]).unwrap();
    // whether the record knows or has to be told by the journal
    for forget in [false, true] {
        if forget {
            place.forget_record();
        }
        let journal = place.open().unwrap();
        let refused = journal.turn().unwrap().intend(BY, AT, KEY, leaves(70..71));
        assert!(matches!(refused, Err(RecordError::NotAccepted)));
        let number = 7 + u64::from(forget);
        let list = crl(number, []).tbs().clone();
        journal.turn().unwrap().intend(BY, AT, KEY, vec![list]).unwrap();
    }
    let journal = place.open().unwrap();
    journal.turn().unwrap().act(BY, AT, vec![act(ActKind::Accepted)]).unwrap();
    journal.turn().unwrap().intend(BY, AT, KEY, leaves(70..71)).unwrap();
}

#[test]
fn whatever_is_entered_at_once_can_be_read_again() {
    let place = filled();
    let act = Act { kind: ActKind::Locked, key: None, details: "x".repeat(4096) };
    let acts = vec![act; 2 * group::MOST / 4096];
    place.open().unwrap().turn().unwrap().act(BY, AT, acts.clone()).unwrap();
    let octets = place.octets();
    let mut reader = JournalReader::after(JournalHead::default(), octets.as_slice());
    let (mut groups, mut read) = (0, 0);
    while let Some(group) = reader.next_group().unwrap() {
        let is_one = |entry: &&Entry| matches!(entry, Entry::Act(act) if act.details.len() == 4096);
        read += group.entries.iter().filter(is_one).count();
        groups += 1;
    }
    assert_eq!((read, reader.torn()), (acts.len(), None), "{groups} groups");
}

#[test]
fn a_crl_that_is_known_is_not_entered_again() {
    let place = filled();
    let journal = place.open().unwrap();
    journal.turn().unwrap().intend(BY, AT, KEY, vec![crl(9, []).tbs().clone()]).unwrap();
    let before = journal.turn().unwrap().head();
    assert!(journal.turn().unwrap().knows_crl(&KEY, 9).unwrap());
    assert!(!journal.turn().unwrap().knows_crl(&KEY, 10).unwrap());
    drop(journal);
    place.forget_record();
    let journal = place.open().unwrap();
    assert_eq!(journal.turn().unwrap().head(), before);
    assert!(!journal.turn().unwrap().knows_crl(&KEY, 9).unwrap(), "its entries are not here");
}

#[test]
fn what_a_later_version_wrote_is_not_dropped() {
    let place = filled();
    let mut octets = place.octets();
    let mut reader = JournalReader::after(JournalHead::default(), octets.as_slice());
    while reader.next_group().unwrap().is_some() {}
    let act = Act { kind: ActKind::Locked, key: None, details: "later".into() };
    let group = Group {
        first: reader.head().sequence + 1,
        settled: 0,
        at: AT,
        by: BY,
        previous: reader.head().digest,
        entries: vec![Entry::Act(act)],
    };
    let mut later = Vec::new();
    group.put(&mut later);
    let kind = later.len() - 32 - 1 - 1 - 2 - "later".len();
    assert_eq!(later[kind - 1], 6);
    later[kind - 1] = 200;
    let said = later.len() - 32;
    let digest = group::digest(&later[..said]);
    later[said..].copy_from_slice(&digest);
    octets.extend(later);
    fs::write(place.at(JOURNAL), octets).unwrap();
    let Err(error) = place.open() else { panic!("it was opened") };
    assert!(error.to_string().contains("not one that this version knows"), "{error}");
}
