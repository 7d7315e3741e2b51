//! Compares the signer's journal with what a CA's record says that was signed. Pure.
//!
//! The memory is 48 octets a certificate of the journal. The journal is read before the record, and what was written to
//! it meanwhile is read after: so nothing is missed and nothing is an alarm that another command does at the same time.
use super::journal::{ActKind, Entry, JournalFault, JournalHead, JournalReader};
use super::record::{Shown, Signed, SignedKind};
use crate::x509::extension::CrlNumber;
use crate::x509::{SerialNumber, UnixTime, sha256};
use std::io::Read;

/// SHA-256 of the SubjectPublicKeyInfo of a key.
type Key = [u8; 32];

/// A certificate of the record, with SHA-256 of its TBSCertificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Row {
    /// It was issued.
    Issued([u8; 32]),
    /// It was to be signed, and is pending or was abandoned.
    Intended([u8; 32]),
    /// Its serial number alone is known.
    Number,
}

/// Something that one of the two says and the other does not. Keys are named by the SHA-256 of their
/// SubjectPublicKeyInfo.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Contradiction {
    /// The journal says that this was signed, and the record has no such certificate.
    UnknownCertificate {
        /// Sequence number of the intent.
        sequence: u64,
    },
    /// The journal says that this CRL was signed, and the record has no such CRL.
    UnknownCrl {
        /// Sequence number of the intent.
        sequence: u64,
        /// The key.
        key: Key,
        /// cRLNumber.
        number: CrlNumber,
    },
    /// The record has this certificate as signed, and the journal does not know it.
    NotInJournal {
        /// The key.
        key: Key,
        /// serialNumber.
        serial: SerialNumber,
    },
    /// The two have different certificates of one serial number.
    Other {
        /// Sequence number of the intent.
        sequence: u64,
    },
    /// The client gave this certificate up, and the record has it as issued.
    GivenUp {
        /// Sequence number of the intent.
        sequence: u64,
    },
}

/// What came out of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Reconciled {
    /// Certificates and CRLs that both know.
    pub(crate) both: u64,
    /// Certificates that were signed before the journal began, before a key came to the signer, or in a gap after a
    /// restore.
    pub(crate) older: u64,
    /// Signatures that an administrator accepted as lost after a restore.
    pub(crate) accepted: u64,
    /// Intents that were never signed, as a crash leaves them.
    pub(crate) unsigned: u64,
    /// What is not right.
    pub(crate) contradictions: Vec<Contradiction>,
}

/// A certificate of the journal.
#[derive(Clone, Debug)]
struct Line {
    /// The beginning of a digest over key and serial number.
    id: [u8; 16],
    /// The beginning of the digest of the TBSCertificate.
    digest: [u8; 15],
    is_seen: bool,
    sequence: u64,
}

/// A CRL of the journal.
#[derive(Clone, Debug)]
struct List {
    key: Key,
    number: CrlNumber,
    digest: [u8; 32],
    sequence: u64,
    is_seen: bool,
}

/// An act after which certificates may be on record that the journal does not know.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    sequence: u64,
    /// The key that it is about; `None` for all.
    key: Option<Key>,
}

/// A certificate that the journal does not know, to be judged when the next one is found that it does.
#[derive(Debug)]
struct Unknown {
    key: Key,
    serial: SerialNumber,
}

/// The journal, as it is compared.
#[derive(Debug, Default)]
pub(crate) struct Reconciliation {
    head: JournalHead,
    lines: Vec<Line>,
    lists: Vec<List>,
    /// Sequence numbers of what was signed, from and to, in order.
    signed: Vec<(u64, u64)>,
    given_up: Vec<[u8; 16]>,
    beginnings: Vec<Beginning>,
    /// Sequence number of the gap of a restore that was not accepted yet.
    gap: Option<u64>,
    /// What was signed before this may be lost: sequence number of the last gap that was accepted.
    accepted: u64,
    /// The newest entry that the record must know.
    bound: u64,
    /// Sequence number of the last certificate that both know.
    last: u64,
    waiting: Vec<Unknown>,
    found: Reconciled,
}

impl Reconciliation {
    /// Reads a journal from its beginning. A torn end is passed over.
    ///
    /// # Errors
    /// When it was changed, or cannot be read.
    pub(crate) fn read(source: impl Read) -> Result<Self, JournalFault> {
        let mut this = Self::default();
        this.read_on(source)?;
        this.bound = this.head.sequence;
        Ok(this)
    }

    /// Returns up to where the journal was read.
    pub(crate) fn head(&self) -> JournalHead {
        self.head
    }

    /// Reads what was written since. The record need not know it.
    ///
    /// # Errors
    /// As [`Reconciliation::read`].
    pub(crate) fn read_on(&mut self, source: impl Read) -> Result<(), JournalFault> {
        let mut reader = JournalReader::after(self.head, source);
        while let Some(group) = reader.next_group()? {
            for (sequence, entry) in group.numbered() {
                self.take(sequence, entry);
            }
        }
        if reader.head() == self.head {
            return Ok(());
        }
        self.head = reader.head();
        self.lines.sort_unstable_by_key(|line| line.id);
        self.given_up.sort_unstable();
        Ok(())
    }

    fn take(&mut self, sequence: u64, entry: &Entry) {
        match entry {
            Entry::Intended(signed) => self.intended(sequence, signed),
            Entry::Signed { first, last } => match self.signed.last_mut() {
                Some((_, end)) if end.saturating_add(1) == *first => *end = *last,
                _ => self.signed.push((*first, *last)),
            },
            Entry::Abandoned { key, serial } => self.given_up.push(id(key, serial)),
            Entry::Shown(Shown::Certificate { .. } | Shown::Crl { .. }) => {}
            Entry::Act(act) => match act.kind {
                ActKind::Gap => {
                    self.gap = Some(sequence);
                    self.beginnings.push(Beginning { sequence, key: act.key });
                }
                ActKind::Begun | ActKind::KeyImported | ActKind::KeyMoved => {
                    self.beginnings.push(Beginning { sequence, key: act.key });
                }
                ActKind::Accepted => self.accepted = self.gap.take().unwrap_or(self.accepted),
                _ => {}
            },
        }
    }

    fn intended(&mut self, sequence: u64, signed: &Signed) {
        match (signed.kind, &signed.serial, signed.crl_number) {
            (SignedKind::Certificate, Some(serial), _) => self.lines.push(Line {
                id: id(&signed.key, serial),
                digest: beginning(&signed.digest),
                is_seen: false,
                sequence,
            }),
            (SignedKind::Crl, _, Some(number)) => {
                let (key, digest) = (signed.key, signed.digest);
                self.lists.push(List { key, number, digest, sequence, is_seen: false });
            }
            _ => {}
        }
    }

    /// Takes the next certificate of the record, oldest first. A key that is not `here` has another journal, which knows
    /// the certificates.
    pub(crate) fn certificate(&mut self, key: &Key, is_here: bool, serial: &SerialNumber, row: Row) {
        let id = id(key, serial);
        let Ok(at) = self.lines.binary_search_by_key(&id, |line| line.id) else {
            if matches!(row, Row::Issued(_)) && is_here {
                self.waiting.push(Unknown { key: *key, serial: serial.clone() });
            }
            return;
        };
        let is_given_up = self.given_up.binary_search(&id).is_ok();
        let Some(line) = self.lines.get_mut(at) else { return };
        line.is_seen = true;
        let sequence = line.sequence;
        let is_other = match &row {
            // what was never put on record as issued may be out all the same, and is what was to be signed
            Row::Issued(tbs) | Row::Intended(tbs) => line.digest != beginning(tbs),
            Row::Number => false,
        };
        self.judge_waiting(Some(sequence));
        self.last = sequence;
        if is_other {
            self.found.contradictions.push(Contradiction::Other { sequence });
        } else if is_given_up && matches!(row, Row::Issued(_)) {
            self.found.contradictions.push(Contradiction::GivenUp { sequence });
        } else {
            self.found.both = self.found.both.saturating_add(1);
        }
    }

    /// Judges the certificates that the journal does not know and that stand on record between the last that it knows
    /// and this one.
    fn judge_waiting(&mut self, next: Option<u64>) {
        for Unknown { key, serial } in std::mem::take(&mut self.waiting) {
            let is_between = |beginning: &Beginning| {
                let is_before_next = next.is_none_or(|next| beginning.sequence < next);
                // what a key signed elsewhere was put on record while others signed here
                let is_of_it = beginning.key.map_or(is_before_next, |of| of == key);
                beginning.sequence > self.last && is_of_it
            };
            if self.beginnings.iter().any(is_between) {
                self.found.older = self.found.older.saturating_add(1);
            } else {
                self.found.contradictions.push(Contradiction::NotInJournal { key, serial });
            }
        }
    }

    /// Returns the CRLs of the journal, with their keys and numbers, that the record is to be asked for.
    pub(crate) fn crls(&self) -> impl Iterator<Item = (Key, CrlNumber)> {
        self.lists.iter().map(|list| (list.key, list.number))
    }

    /// Takes a CRL of the record: SHA-256 of its TBSCertList.
    pub(crate) fn crl(&mut self, key: &Key, number: CrlNumber, tbs: &[u8; 32]) {
        let is_it = |list: &&mut List| {
            !list.is_seen && list.key == *key && list.number == number && list.digest == *tbs
        };
        for list in self.lists.iter_mut().filter(is_it) {
            list.is_seen = true;
            self.found.both = self.found.both.saturating_add(1);
        }
    }

    /// Returns what came out, after everything on record was taken.
    pub(crate) fn finish(mut self) -> Reconciled {
        self.judge_waiting(None);
        self.signed.sort_unstable();
        let (signed, bound) = (&self.signed, self.bound);
        let is_signed = |sequence: u64| {
            let after = signed.partition_point(|(first, _)| *first <= sequence);
            after.checked_sub(1).and_then(|at| signed.get(at)).is_some_and(|(_, last)| sequence <= *last)
        };
        let mut unknown = Vec::new();
        let lists = self.lists.iter().filter(|list| !list.is_seen).map(|list| {
            let (sequence, key, number) = (list.sequence, list.key, list.number);
            (sequence, Contradiction::UnknownCrl { sequence, key, number })
        });
        let lines = self.lines.iter().filter(|line| !line.is_seen);
        let lines = lines.map(|line| line.sequence);
        let lines = lines.map(|sequence| (sequence, Contradiction::UnknownCertificate { sequence }));
        for (sequence, contradiction) in lines.chain(lists).filter(|(sequence, _)| *sequence <= bound) {
            if !is_signed(sequence) {
                self.found.unsigned = self.found.unsigned.saturating_add(1);
            } else if sequence < self.accepted {
                self.found.accepted = self.found.accepted.saturating_add(1);
            } else {
                unknown.push((sequence, contradiction));
            }
        }
        unknown.sort_by_key(|(sequence, _)| *sequence);
        self.found.contradictions.extend(unknown.into_iter().map(|(_, contradiction)| contradiction));
        self.found
    }
}

/// An intent of the journal, to be named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NamedIntent {
    /// When it was.
    pub(crate) at: UnixTime,
    /// The uid of the client.
    pub(crate) user: u32,
    /// Who had logged in.
    pub(crate) login: Option<u32>,
    /// What was to be signed.
    pub(crate) signed: Signed,
}

/// Returns the intents of these sequence numbers, which are in order.
///
/// # Errors
/// As [`Reconciliation::read`].
pub(crate) fn named(source: impl Read, sequences: &[u64]) -> Result<Vec<(u64, NamedIntent)>, JournalFault> {
    let mut reader = JournalReader::after(JournalHead::default(), source);
    let mut named = Vec::new();
    while let Some(group) = reader.next_group()? {
        for (sequence, entry) in group.numbered() {
            if let (Entry::Intended(signed), Ok(_)) = (entry, sequences.binary_search(&sequence)) {
                let (at, user, login) = (group.at, group.by.user, group.by.login);
                named.push((sequence, NamedIntent { at, user, login, signed: signed.clone() }));
            }
        }
    }
    Ok(named)
}

fn id(key: &Key, serial: &SerialNumber) -> [u8; 16] {
    beginning(&sha256(&[key.as_slice(), serial.as_be_octets()].concat()))
}

fn beginning<const N: usize>(digest: &[u8; 32]) -> [u8; N] {
    let mut beginning = [0; N];
    for (to, from) in beginning.iter_mut().zip(digest) {
        *to = *from;
    }
    beginning
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
