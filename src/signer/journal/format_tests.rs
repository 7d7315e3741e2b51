use super::entry::{Malformed, Rest};
use super::*;
use crate::signer::record::{Shown, Signed, SignedKind, SignedList};
use crate::x509::SerialNumber;
use proptest::prelude::*;

fn numbers() -> impl Strategy<Value = SerialNumber> {
    prop::collection::vec(1_u8..128, 1..20).prop_map(|octets| SerialNumber::from_be_octets(&octets).unwrap())
}

fn lists() -> impl Strategy<Value = SignedList> {
    (prop::collection::vec(any::<u8>(), 0..40), any::<i64>(), any::<Option<u64>>())
        .prop_map(|(scope, at, base)| SignedList { scope, this_update: UnixTime(at), base })
}

fn entries() -> impl Strategy<Value = Entry> {
    let signed = (
        prop::sample::select(vec![SignedKind::Certificate, SignedKind::Crl, SignedKind::Request]),
        any::<([u8; 32], [u8; 32])>(),
        prop::option::of(numbers()),
        any::<Option<i64>>(),
        any::<Option<u64>>(),
        prop::option::of(lists()),
    );
    prop_oneof![
        signed.prop_map(|(kind, (key, digest), serial, until, crl_number, list)| Entry::Intended(Signed {
            key,
            kind,
            digest,
            serial,
            until: until.map(UnixTime),
            crl_number,
            list
        })),
        any::<(u64, u64)>().prop_map(|(first, last)| Entry::Signed { first, last }),
        (any::<[u8; 32]>(), numbers()).prop_map(|(key, serial)| Entry::Abandoned { key, serial }),
        (any::<[u8; 32]>(), numbers(), any::<i64>()).prop_map(|(key, serial, until)| {
            Entry::Shown(Shown::Certificate { key, serial, until: UnixTime(until) })
        }),
        (any::<([u8; 32], [u8; 32], u64)>(), lists())
            .prop_map(|((key, digest, number), list)| Entry::Shown(Shown::Crl { key, list, number, digest })),
        ("[a-z é]{0,20}", any::<Option<[u8; 32]>>()).prop_map(|(details, key)| Entry::Act(Act {
            kind: ActKind::Unlocked,
            key,
            details
        })),
    ]
}

proptest! {
    #[test]
    fn a_group_is_read_as_it_was_written_and_nothing_else(
        entries in prop::collection::vec(entries(), 1..20),
        numbers in any::<(u32, u64, i64, u32)>(),
        login in prop::option::of(0..u32::MAX),
        session in prop::option::of(0..u32::MAX),
        previous in any::<[u8; 32]>(),
        flipped in any::<(prop::sample::Index, u8)>(),
    ) {
        let (first, settled, at, user) = numbers;
        let by = Asker { user, login, session };
        let group = Group { first: first.into(), settled, at: UnixTime(at), by, previous, entries };
        let mut octets = Vec::new();
        let digest = group.put(&mut octets);
        prop_assert_eq!(Group::from_octets(&octets), Ok((group, digest)));
        for end in (0..octets.len()).step_by(11) {
            prop_assert!(Group::from_octets(&octets[..end]).is_err());
        }
        let (at, bit) = flipped;
        let at = at.index(octets.len());
        octets[at] ^= 1 << (bit % 8);
        prop_assert!(Group::from_octets(&octets).is_err());
    }

    #[test]
    fn whatever_octets_come_an_entry_has_one_encoding(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut octets = octets;
        if let Some(first) = octets.first_mut() {
            *first %= 8;
        }
        let mut rest = Rest(&octets);
        if let Ok(entry) = Entry::take(&mut rest) {
            let mut again = Vec::new();
            entry.put(&mut again);
            prop_assert_eq!(&octets[..octets.len() - rest.0.len()], again);
        }
    }

    #[test]
    fn whatever_octets_come_the_reader_ends(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut reader = JournalReader::after(JournalHead::default(), octets.as_slice());
        while let Ok(Some(_)) = reader.next_group() {}
        prop_assert_eq!(reader.head(), JournalHead::default());
    }
}

#[test]
fn a_journal_from_before_there_were_sessions_is_read_and_goes_on_with_them() {
    // the octets of an older version, of a group with the entry that the journal was begun
    let head = [
        &b"GFSJRNL1"[..],
        &5_u32.to_be_bytes(),
        &1_u64.to_be_bytes(),
        &0_u64.to_be_bytes(),
        &1_800_000_000_i64.to_be_bytes(),
        &900_u32.to_be_bytes(),
        &1000_u32.to_be_bytes(),
        &1_u32.to_be_bytes(),
        &[0; 32],
        &[6, 1, 0, 0, 0],
    ];
    let mut octets = head.concat();
    octets.extend(super::group::digest(&octets));
    let (group, digest) = Group::from_octets(&octets).unwrap();
    assert_eq!(group.by, Asker { user: 900, login: Some(1000), session: None });
    let mut again = Vec::new();
    assert_eq!((group.put(&mut again), &again), (digest, &octets), "it is written as it was");
    let by = Asker { session: Some(4), ..group.by };
    let next = Group { first: 2, settled: 1, previous: digest, by, ..group };
    next.put(&mut octets);
    let mut reader = JournalReader::after(JournalHead::default(), octets.as_slice());
    assert_eq!(reader.next_group().unwrap().unwrap().by.session, None);
    assert_eq!(reader.next_group().unwrap(), Some(next));
    // an absent session is said in one way
    let at = octets.len() - 32 - 5 - 4;
    octets[at..at + 4].fill(0xff);
    let start = octets.len() - (80 + 4 + 5 + 32);
    let said = octets[start..octets.len() - 32].to_vec();
    let end = octets.len() - 32;
    octets[end..].copy_from_slice(&super::group::digest(&said));
    assert_eq!(Group::from_octets(&octets[start..]), Err(Malformed::Value));
}
