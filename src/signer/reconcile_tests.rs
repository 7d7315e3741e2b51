use super::*;
use crate::signer::journal::{Act, Asker, Group};

const A: Key = [1; 32];
const B: Key = [2; 32];

fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_be_octets(&[number]).unwrap()
}

/// The digest of the certificate with this serial number.
fn tbs(number: u8) -> [u8; 32] {
    sha256(&[number])
}

fn certificate(key: Key, number: u8) -> Entry {
    let kind = SignedKind::Certificate;
    let signed = Signed::request(key, &[number]);
    Entry::Intended(Signed { kind, serial: Some(serial(number)), ..signed })
}

fn crl(key: Key, number: u8) -> Entry {
    let signed = Signed::request(key, &[number]);
    Entry::Intended(Signed { kind: SignedKind::Crl, crl_number: Some(number.into()), ..signed })
}

fn act(kind: ActKind, key: Option<Key>) -> Entry {
    Entry::Act(Act { kind, key, details: String::new() })
}

fn signed(first: u64, last: u64) -> Entry {
    Entry::Signed { first, last }
}

/// Adds a group of these entries to a journal.
fn write(journal: &mut Vec<u8>, entries: Vec<Entry>) {
    let mut reader = JournalReader::after(JournalHead::default(), journal.as_slice());
    while reader.next_group().unwrap().is_some() {}
    let (head, by) = (reader.head(), Asker { user: 7, login: None, session: None });
    let group = Group {
        first: head.sequence + 1,
        settled: head.sequence,
        at: UnixTime(9),
        by,
        previous: head.digest,
        entries,
    };
    group.put(journal);
}

fn begun(entries: Vec<Entry>) -> Vec<u8> {
    let mut journal = Vec::new();
    write(&mut journal, vec![act(ActKind::Begun, None)]);
    write(&mut journal, entries);
    journal
}

fn reconciled(journal: &[u8], record: &[(Key, u8)]) -> Reconciled {
    let mut compared = Reconciliation::read(journal).unwrap();
    for (key, number) in record {
        compared.certificate(key, true, &serial(*number), Row::Issued(tbs(*number)));
    }
    compared.finish()
}

#[test]
fn what_both_know_is_right_and_so_is_what_a_crash_leaves() {
    let journal = begun(vec![certificate(A, 1), certificate(A, 2), signed(2, 3), certificate(A, 3)]);
    let found = reconciled(&journal, &[(A, 1), (A, 2)]);
    assert_eq!(found, Reconciled { both: 2, unsigned: 1, ..Reconciled::default() });
    // signed, and the power went before the journal said so
    let found = reconciled(&journal, &[(A, 1), (A, 2), (A, 3)]);
    assert_eq!(found, Reconciled { both: 3, ..Reconciled::default() });
}

#[test]
fn a_signature_that_the_record_does_not_know_is_named() {
    let journal = begun(vec![certificate(A, 1), certificate(B, 1), signed(2, 2), signed(3, 3)]);
    let found = reconciled(&journal, &[(A, 1)]);
    assert_eq!(found.contradictions, [Contradiction::UnknownCertificate { sequence: 3 }]);
    let (_, told) = named(journal.as_slice(), &[3]).unwrap().remove(0);
    assert_eq!(
        (told.signed.key, told.signed.serial, told.user, told.at),
        (B, Some(serial(1)), 7, UnixTime(9))
    );
    // giving it up does not hide it
    let mut hidden = journal.clone();
    write(&mut hidden, vec![Entry::Abandoned { key: B, serial: serial(1) }]);
    assert_eq!(reconciled(&hidden, &[(A, 1)]).contradictions, found.contradictions);
    // nor does accepting where nothing was restored
    write(&mut hidden, vec![act(ActKind::Accepted, None)]);
    assert_eq!(reconciled(&hidden, &[(A, 1)]).contradictions, found.contradictions);
    // who restored has said that these are lost, and not what was signed since
    write(&mut hidden, vec![act(ActKind::Gap, None), crl(B, 9), signed(9, 9), act(ActKind::Accepted, None)]);
    let found = reconciled(&hidden, &[(A, 1)]);
    assert_eq!((found.accepted, found.contradictions.len()), (1, 1), "{found:?}");
}

#[test]
fn a_row_that_the_journal_does_not_know_is_named_unless_it_is_older_than_the_journal() {
    let journal = begun(vec![certificate(A, 10), certificate(A, 11), signed(2, 3)]);
    let found = reconciled(&journal, &[(A, 1), (B, 2), (A, 10), (A, 11)]);
    assert_eq!(found, Reconciled { both: 2, older: 2, ..Reconciled::default() });
    let not_known = |number| Contradiction::NotInJournal { key: A, serial: serial(number) };
    for record in [[(A, 10), (A, 1), (A, 11)], [(A, 10), (A, 11), (A, 1)]] {
        assert_eq!(reconciled(&journal, &record).contradictions, [not_known(1)]);
    }
    // one that was never signed is not missed
    let mut compared = Reconciliation::read(journal.as_slice()).unwrap();
    compared.certificate(&A, true, &serial(10), Row::Issued(tbs(10)));
    compared.certificate(&A, true, &serial(1), Row::Intended(tbs(1)));
    compared.certificate(&A, true, &serial(11), Row::Intended(tbs(11)));
    assert_eq!(compared.finish().contradictions, []);
}

#[test]
fn certificates_of_a_key_that_came_later_or_in_a_gap_are_older() {
    let journal = begun(vec![
        certificate(A, 10),
        signed(2, 2),
        act(ActKind::KeyImported, Some(B)),
        certificate(A, 11),
        act(ActKind::Gap, None),
        certificate(A, 12),
    ]);
    let found = reconciled(&journal, &[(A, 10), (B, 1), (B, 2), (A, 11), (A, 3), (A, 12)]);
    assert_eq!((found.both, found.older, found.contradictions.len()), (3, 3, 0));
    let found = reconciled(&journal, &[(A, 10), (A, 1), (A, 11), (A, 12), (A, 4)]);
    assert_eq!(found.contradictions.len(), 2, "only the key that came");
    let renamed = begun(vec![certificate(A, 10), signed(2, 2), act(ActKind::KeyRenamed, Some(A))]);
    assert_eq!(reconciled(&renamed, &[(A, 10), (A, 1)]).contradictions.len(), 1, "it was here before");
}

#[test]
fn another_certificate_of_one_number_is_named() {
    let journal = begun(vec![certificate(A, 1), certificate(A, 2), signed(2, 3)]);
    let mut compared = Reconciliation::read(journal.as_slice()).unwrap();
    compared.certificate(&A, true, &serial(1), Row::Issued(tbs(99)));
    compared.certificate(&A, true, &serial(2), Row::Issued(tbs(2)));
    assert_eq!(compared.finish().contradictions, [Contradiction::Other { sequence: 2 }]);
    // also where the record has it as one that was never issued
    let mut compared = Reconciliation::read(journal.as_slice()).unwrap();
    compared.certificate(&A, true, &serial(1), Row::Intended(tbs(99)));
    compared.certificate(&A, true, &serial(2), Row::Intended(tbs(2)));
    let found = compared.finish();
    assert_eq!((found.both, found.contradictions), (1, vec![Contradiction::Other { sequence: 2 }]));
    let mut compared = Reconciliation::read(journal.as_slice()).unwrap();
    compared.certificate(&A, true, &serial(1), Row::Number);
    compared.certificate(&A, true, &serial(2), Row::Number);
    assert_eq!(compared.finish().contradictions, []);
    let mut given_up = journal;
    write(&mut given_up, vec![Entry::Abandoned { key: A, serial: serial(2) }]);
    let found = reconciled(&given_up, &[(A, 1), (A, 2)]);
    assert_eq!(found.contradictions, [Contradiction::GivenUp { sequence: 3 }]);
}

#[test]
fn crls_are_compared_by_number_and_digest() {
    let journal = begun(vec![crl(A, 1), crl(A, 2), crl(A, 3), signed(2, 3)]);
    let mut compared = Reconciliation::read(journal.as_slice()).unwrap();
    assert_eq!(compared.crls().collect::<Vec<_>>(), [(A, 1), (A, 2), (A, 3)]);
    compared.crl(&A, 1, &tbs(1));
    compared.crl(&A, 2, &tbs(1));
    let found = compared.finish();
    assert_eq!((found.both, found.unsigned), (1, 1));
    assert_eq!(found.contradictions, [Contradiction::UnknownCrl { sequence: 3, key: A, number: 2 }]);
}

#[test]
fn what_is_signed_meanwhile_is_no_alarm() {
    let mut journal = begun(vec![certificate(A, 1), signed(2, 2)]);
    let mut compared = Reconciliation::read(journal.as_slice()).unwrap();
    let before = journal.len();
    write(&mut journal, vec![certificate(A, 2), certificate(A, 3), signed(4, 5)]);
    compared.read_on(&journal[before..]).unwrap();
    for number in [1, 2] {
        compared.certificate(&A, true, &serial(number), Row::Issued(tbs(number)));
    }
    assert_eq!(compared.finish(), Reconciled { both: 2, ..Reconciled::default() });
}
