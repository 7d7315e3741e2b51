//! The journal: what the signer signed and did. It is only ever written on, its groups are chained by digests, and a
//! group is on the disk before a key signs anything of it. Only this file makes a [`Journaled`].
//!
//! ```text
//! turn (one process at a time) -> rules of admission look at the record -> intended: record, journal, disk -> end of the
//! turn -> the key signs a Journaled -> signed
//! ```
//!
//! A crash at any step is no alarm: an intent without the entry that it was signed says that it may have been. A group
//! that is not written to its end is dropped, with an entry that says so, unless a later group says that it was on the
//! disk. [`group`] has the format.
mod elsewhere;
mod entry;
#[cfg(test)]
mod format_tests;
mod former_files;
mod group;
#[cfg(test)]
mod list_tests;
mod named_keys;
mod reader;
#[cfg(test)]
mod tests;
mod to_be_signed;
mod turn;

pub(crate) use entry::{Act, ActKind, Entry};
pub(crate) use former_files::{file_on_media, gone_to_media, lent, replaced, was_in_place};
pub(crate) use group::{Asker, Group, JournalHead};
pub(crate) use named_keys::{MADE_FOR, named_keys};
pub(crate) use reader::{JournalFault, JournalReader, check_journal};
pub(crate) use to_be_signed::ToBeSigned;
pub(crate) use turn::Turn;

use super::record::{RecordError, RecordFile, SignedKind};
use crate::failpoint;
use crate::signer::enrolment::is_responder;
use crate::signing::ForKey;
use crate::x509::{TbsCertificate, UnixTime};
use rustix::fs::{Mode, OFlags};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Name of the journal in the signer's directory.
pub(crate) const JOURNAL: &str = "journal";
/// Name of the record in the signer's directory.
pub(crate) const RECORD: &str = "record.db";
/// Bound of the wait for other processes.
const WAIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(1);

/// Something to be signed that the journal has, durably. A key signs nothing else, and each once.
#[derive(Debug)]
pub(crate) struct Journaled<T>(T, u64);

impl<T> Journaled<T> {
    /// Returns the sequence number of the intent.
    pub(crate) fn sequence(&self) -> u64 {
        self.1
    }
}

impl<T: ToBeSigned> Journaled<T> {
    /// Returns the octets to be signed.
    pub(crate) fn octets(&self) -> &[u8] {
        self.0.octets()
    }

    /// Returns the octets for a key, which signs nothing else.
    pub(crate) fn for_key(&self) -> ForKey<'_> {
        ForKey::journaled(self.octets())
    }
}

/// The journal of a signer, with the record that is derived from it. Several processes may have one open.
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    record: RecordFile,
}

impl Journal {
    /// Opens the journal in the signer's directory, or begins one, and brings the record up to it.
    ///
    /// # Errors
    /// When it cannot be read or written, or was changed.
    pub(crate) fn open(directory: &Path, by: Asker, at: UnixTime) -> Result<Self, RecordError> {
        let path = directory.join(JOURNAL);
        let failed = |source: io::Error| RecordError::Io { path: path.clone(), source };
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::open(&path, flags | OFlags::NONBLOCK, Mode::from_raw_mode(0o600));
        let file = File::from(file.map_err(|errno| failed(errno.into()))?);
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")));
        }
        failpoint::passed("journal: there");
        // a record that is made anew is made by one process, while the others wait
        locked(&file, &path)?;
        let record = RecordFile::open(&directory.join(RECORD));
        file.unlock().map_err(failed)?;
        let journal = Self { file: Mutex::new(file), record: record?, path: path.clone() };
        failpoint::passed("journal: with its record");
        journal.turn()?.begun(directory, by, at)?;
        Ok(journal)
    }

    /// Returns the record, as of the last turn.
    #[cfg(test)]
    pub(crate) fn record(&self) -> &dyn super::record::SignatureRecord {
        &self.record
    }

    /// Waits for the other processes, and brings the record up to the journal. Nobody else writes until the turn ends.
    ///
    /// # Errors
    /// When the journal cannot be read, or was changed; [`RecordError::Busy`] after half a minute.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, RecordError> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        locked(&file, &self.path)?;
        Turn::begin(self, file)
    }

    /// Enters that the intents with these sequence numbers were signed. It is on the disk with the next group.
    ///
    /// # Errors
    /// As [`Journal::turn`], and when it cannot be written.
    pub(crate) fn signed(&self, by: Asker, at: UnixTime, first: u64, last: u64) -> Result<(), RecordError> {
        let mut turn = self.turn()?;
        turn = turn.mended(by, at)?;
        turn.write(by, at, vec![Entry::Signed { first, last }]).map(drop)
    }

    /// Returns octets of the journal from this one on, at most `most`; none at its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn octets_from(&self, from: u64, most: usize) -> Result<Vec<u8>, RecordError> {
        self.turn()?.octets_from(from, most)
    }

    /// Reads the journal from its beginning, and returns the first fault, or the head.
    ///
    /// # Errors
    /// When an entry was changed or is missing.
    #[cfg(test)]
    pub(crate) fn verify(&self) -> Result<JournalHead, RecordError> {
        self.turn()?.verify()
    }
}

impl Turn<'_> {
    /// Refuses what is not signed before what a restore could not know was accepted.
    ///
    /// # Errors
    /// [`RecordError::NotAccepted`]; when the record cannot be read.
    pub(crate) fn may_intend<T: ToBeSigned>(&self, key: &[u8; 32], group: &[T]) -> Result<(), RecordError> {
        if !self.has_gap()? {
            return Ok(());
        }
        let is_unseen = self.journal.record.is_unseen(key)?;
        let waits = |one: &T| waits_for_acceptance(*key, one) || (is_unseen && one.as_crl().is_some());
        if group.iter().any(waits) { Err(RecordError::NotAccepted) } else { Ok(()) }
    }

    /// Enters that these are about to be signed by this key, waits for the disk, and returns the proofs. The turn ends.
    ///
    /// # Errors
    /// [`RecordError::Repeated`] for a serial number that the key used before; or when the journal cannot be written.
    /// Nothing may be signed then.
    pub(crate) fn intend<T: ToBeSigned>(
        self,
        by: Asker,
        at: UnixTime,
        key: [u8; 32],
        group: Vec<T>,
    ) -> Result<Vec<Journaled<T>>, RecordError> {
        let mut turn = self.mended(by, at)?;
        turn.may_intend(&key, &group)?;
        for one in &group {
            if let Some(crl) = one.as_crl() {
                turn.prepare(&key, (crl, &one.entry(key).digest), one.changes())?;
            }
        }
        let first = turn.head().sequence.saturating_add(1);
        if !group.is_empty() {
            let intents = group.iter().map(|one| Entry::Intended(one.entry(key)));
            // behind them, so that the intents have the numbers that follow each other
            let after = group.iter().filter_map(|one| one.act(key)).map(Entry::Act);
            turn.enter(by, at, intents.chain(after).collect())?;
        }
        Ok(group.into_iter().zip(first..).map(|(one, sequence)| Journaled(one, sequence)).collect())
    }
}

/// Waits for the lock of the journal, half a minute at most.
fn locked(file: &File, path: &Path) -> Result<(), RecordError> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if begun.elapsed() < WAIT => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(RecordError::Busy(path.to_owned())),
            Err(TryLockError::Error(source)) => {
                return Err(RecordError::Io { path: path.to_owned(), source });
            }
        }
    }
}

/// Returns whether this is signed only after what a restore could not know was accepted, whatever it found: a certificate,
/// unless it is a responder's.
fn waits_for_acceptance(key: [u8; 32], one: &impl ToBeSigned) -> bool {
    let is_responders = || TbsCertificate::from_der(one.octets()).is_ok_and(|tbs| is_responder(&tbs));
    one.entry(key).kind == SignedKind::Certificate && !is_responders()
}
