//! The turn of one process at the journal.
use super::Journal;
use super::entry::{Act, ActKind, Entry};
use super::group::{Asker, Group, JournalHead, MOST};
use super::reader::{JournalFault, JournalReader, Torn};
use crate::failpoint;
use crate::home::sync_directory;
use crate::signer::record::{ListChanges, RecordError, Shown, SignatureRecord, Verified};
use crate::x509::extension::CrlNumber;
use crate::x509::{SerialNumber, TbsCertList, UnixTime};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::iter::Peekable;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::MutexGuard;
use std::vec::IntoIter;

/// Entries of one group; an entry of a certificate has up to 120 octets.
const ENTRIES: usize = 4096;
/// Octets of the journal after which what is read of it is kept, when the record is behind.
const KEPT_EVERY: u64 = 16 << 20;

/// The turn of one process: it has the journal and the record to itself.
pub(crate) struct Turn<'j> {
    pub(super) journal: &'j Journal,
    file: MutexGuard<'j, File>,
    head: JournalHead,
    settled: u64,
    torn: Option<Torn>,
    has_read: bool,
}

impl<'j> Turn<'j> {
    /// Begins a turn with a file that is locked.
    pub(super) fn begin(journal: &'j Journal, file: MutexGuard<'j, File>) -> Result<Self, RecordError> {
        let head = JournalHead::default();
        let mut turn = Self { journal, file, head, settled: 0, torn: None, has_read: false };
        journal.record.begin()?;
        turn.catch_up()?;
        Ok(turn)
    }
}

impl Turn<'_> {
    /// Returns the record, which has everything that the journal has.
    pub(crate) fn record(&self) -> &dyn SignatureRecord {
        &self.journal.record
    }

    /// Returns the head of the journal.
    pub(crate) fn head(&self) -> JournalHead {
        self.head
    }

    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::Io { path: self.journal.path.clone(), source }
    }

    fn damaged(&self, fault: &JournalFault) -> RecordError {
        RecordError::Damaged { path: self.journal.path.clone(), reason: fault.to_string() }
    }

    pub(super) fn reader(&self, head: JournalHead) -> JournalReader<BufReader<At<'_>>> {
        let source = At { file: &self.file, offset: head.offset };
        JournalReader::after(head, BufReader::with_capacity(1 << 18, source))
    }

    pub(super) fn read<R: Read>(&self, reader: &mut JournalReader<R>) -> Result<Option<Group>, RecordError> {
        reader.next_group().map_err(|fault| match fault {
            JournalFault::Io(source) => self.failed(source),
            fault => self.damaged(&fault),
        })
    }

    /// Returns whether a restore has left a gap that nobody has accepted yet.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(crate) fn has_gap(&self) -> Result<bool, RecordError> {
        self.journal.record.has_gap()
    }

    /// Returns octets of the journal from this one on.
    pub(super) fn octets_from(&self, from: u64, most: usize) -> Result<Vec<u8>, RecordError> {
        let most = u64::try_from(most).unwrap_or(u64::MAX).min(self.head.offset.saturating_sub(from));
        let mut octets = Vec::new();
        let source = At { file: &self.file, offset: from };
        source.take(most).read_to_end(&mut octets).map_err(|error| self.failed(error))?;
        Ok(octets)
    }

    /// Reads the journal from its beginning, and returns its head.
    ///
    /// # Errors
    /// When an entry was changed or is missing.
    #[cfg(test)]
    pub(super) fn verify(&self) -> Result<JournalHead, RecordError> {
        let mut reader = self.reader(JournalHead::default());
        while self.read(&mut reader)?.is_some() {}
        Ok(reader.head())
    }

    /// Reads what the record does not have yet. It has that only for this turn, until a group is on the disk.
    fn catch_up(&mut self) -> Result<(), RecordError> {
        let record = &self.journal.record;
        (self.head, self.settled) = record.built()?;
        let length = self.file.metadata().map_err(|error| self.failed(error))?.len();
        if length == self.head.offset && self.is_at_head()? {
            return Ok(());
        }
        if length < self.head.offset {
            return Err(self.damaged(&JournalFault::Cut(self.head.sequence)));
        }
        if !self.is_at_head()? {
            return Err(self.damaged(&JournalFault::Changed(self.head.sequence)));
        }
        let mut reader = self.reader(self.head);
        let (mut settled, mut kept) = (self.settled, self.head.offset);
        while let Some(group) = self.read(&mut reader)? {
            record.enter(&group, true)?;
            settled = settled.max(group.settled);
            if reader.head().offset.saturating_sub(kept) > KEPT_EVERY {
                self.file.sync_data().map_err(|error| self.failed(error))?;
                settled = reader.head().sequence;
                record.set_built(reader.head(), settled)?;
                record.commit()?;
                record.begin()?;
                kept = reader.head().offset;
            }
        }
        let (head, torn) = (reader.head(), reader.torn().cloned());
        if head.sequence < settled {
            return Err(self.damaged(&JournalFault::Changed(head.sequence.saturating_add(1))));
        }
        (self.head, self.settled, self.torn, self.has_read) = (head, settled, torn, true);
        Ok(())
    }

    /// Returns whether the journal has the digest of the head where the head is.
    fn is_at_head(&self) -> Result<bool, RecordError> {
        let Some(start) = self.head.offset.checked_sub(32) else { return Ok(self.head.sequence == 0) };
        let mut found = [0; 32];
        match self.file.read_exact_at(&mut found, start) {
            Ok(()) => Ok(found == self.head.digest),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Makes what was read durable in the record.
    fn keep_what_was_read(&mut self) -> Result<(), RecordError> {
        self.file.sync_data().map_err(|error| self.failed(error))?;
        self.settled = self.head.sequence;
        self.journal.record.set_built(self.head, self.settled)?;
        self.journal.record.commit()?;
        failpoint::passed("journal: record brought up");
        Ok(())
    }

    /// Begins the journal where it has no entry, mends a torn end, and keeps what was read.
    pub(super) fn begun(mut self, directory: &Path, by: Asker, at: UnixTime) -> Result<(), RecordError> {
        if self.head.sequence == 0 {
            sync_directory(directory).map_err(|error| self.failed(error.source))?;
            return self.begin_with(ActKind::Begun, String::new(), by, at);
        }
        let has_read = self.has_read;
        let mut turn = self.mended(by, at)?;
        if has_read { turn.keep_what_was_read() } else { Ok(()) }
    }

    /// Drops a group that is not written to its end.
    fn cut(&mut self) -> Result<(), RecordError> {
        self.file.set_len(self.head.offset).map_err(|error| self.failed(error))?;
        self.torn = None;
        failpoint::passed("journal: torn end dropped");
        Ok(())
    }

    fn begin_with(
        &mut self,
        kind: ActKind,
        details: String,
        by: Asker,
        at: UnixTime,
    ) -> Result<(), RecordError> {
        let length = self.file.metadata().map_err(|error| self.failed(error))?.len();
        if length > self.head.offset {
            self.cut()?;
        }
        self.enter(by, at, vec![Entry::Act(Act { kind, key: None, details })])
    }

    /// Writes a group behind the last one. The disk may not have it yet.
    pub(super) fn write(
        &mut self,
        by: Asker,
        at: UnixTime,
        entries: Vec<Entry>,
    ) -> Result<Vec<Group>, RecordError> {
        let (mut octets, mut groups, mut head) = (Vec::new(), Vec::new(), self.head);
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let group = Group {
                first: head.sequence.saturating_add(1),
                settled: self.settled,
                at,
                by,
                previous: head.digest,
                entries: of_one_group(&mut entries),
            };
            let digest = group.put(&mut octets);
            let offset = self.head.offset.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
            head = JournalHead { offset, sequence: group.last(), digest };
            groups.push(group);
        }
        failpoint::passed("journal: to be written");
        let mut file: &File = &self.file;
        if let Err(error) = file.write_all(&octets) {
            // a part of it says nothing, and the next group follows the last whole one
            let _ = file.set_len(self.head.offset);
            return Err(self.failed(error));
        }
        failpoint::passed("journal: written");
        self.head = head;
        Ok(groups)
    }

    /// Writes groups and waits for the disk; then the record has them.
    pub(super) fn enter(&mut self, by: Asker, at: UnixTime, entries: Vec<Entry>) -> Result<(), RecordError> {
        let record = &self.journal.record;
        let before = self.head;
        let groups = self.write(by, at, entries)?;
        let entered: Result<(), RecordError> = groups.iter().try_for_each(|group| record.enter(group, false));
        if let Err(error) = entered {
            // nothing was waited for: it is as if it had not been written
            self.file.set_len(before.offset).map_err(|error| self.failed(error))?;
            self.head = before;
            return Err(error);
        }
        self.file.sync_data().map_err(|error| self.failed(error))?;
        failpoint::passed("journal: durable");
        self.settled = self.head.sequence;
        record.set_built(self.head, self.settled)?;
        record.commit()?;
        failpoint::passed("journal: on record");
        Ok(())
    }

    /// Has the record keep the entries of a CRL durably, before the journal has it.
    pub(super) fn prepare(
        &mut self,
        key: &[u8; 32],
        crl: (&TbsCertList, &[u8; 32]),
        changes: Option<&ListChanges>,
    ) -> Result<(), RecordError> {
        if self.has_read {
            self.keep_what_was_read()?;
            self.has_read = false;
            self.journal.record.begin()?;
        }
        self.journal.record.prepare(key, crl, changes)?;
        failpoint::passed("journal: entries of the CRL kept");
        Ok(())
    }

    pub(super) fn mended(mut self, by: Asker, at: UnixTime) -> Result<Self, RecordError> {
        if self.torn.is_none() {
            return Ok(self);
        }
        let octets = self.torn.as_ref().map_or(0, |torn| torn.octets);
        let said = format!("{octets} octets after entry {}", self.head.sequence);
        self.begin_with(ActKind::Mended, said, by, at)?;
        self.journal.record.begin()?;
        Ok(self)
    }

    /// Enters that the client gave up the certificates of this key with these serial numbers. Those that the key never
    /// was to sign are passed over. The turn ends.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn abandon(
        self,
        by: Asker,
        at: UnixTime,
        key: [u8; 32],
        serials: Vec<SerialNumber>,
    ) -> Result<(), RecordError> {
        let mut turn = self.mended(by, at)?;
        let mut entries = Vec::new();
        for serial in serials {
            if turn.record().knows_serial(&key, &serial)? {
                entries.push(Entry::Abandoned { key, serial });
            }
        }
        if entries.is_empty() { Ok(()) } else { turn.enter(by, at, entries) }
    }

    /// Enters what was shown, as far as it is not known. The turn ends.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn show(self, by: Asker, at: UnixTime, shown: &[Verified]) -> Result<(), RecordError> {
        let mut turn = self.mended(by, at)?;
        let mut entries = Vec::new();
        for one in shown {
            let is_known = match one.shown() {
                Shown::Certificate { key, serial, .. } => turn.record().knows_serial(key, serial)?,
                Shown::Crl { key, number, .. } => turn.knows_crl(key, *number)?,
            };
            if !is_known {
                if let (Shown::Crl { key, list, number, digest }, Some(crl)) = (one.shown(), one.list()) {
                    if !turn.journal.record.takes(key, list, *number, digest)? {
                        return Err(RecordError::ListOlder(*number));
                    }
                    turn.prepare(key, (crl, digest), None)?;
                }
                entries.push(Entry::Shown(one.shown().clone()));
            }
        }
        if entries.is_empty() { Ok(()) } else { turn.enter(by, at, entries) }
    }

    /// Returns whether the entries of this CRL, or of a later one, are on record.
    pub(super) fn knows_crl(&self, key: &[u8; 32], number: CrlNumber) -> Result<bool, RecordError> {
        let is_behind = self.record().last_crl(key)?.is_some_and(|last| last.number >= number);
        match self.record().each_last_entry(key, &mut |_, _| false) {
            Ok(()) => Ok(is_behind),
            Err(RecordError::ListUnknown(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Enters acts, and goes on with the turn: what they say is done within it.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn acted(self, by: Asker, at: UnixTime, acts: Vec<Act>) -> Result<Self, RecordError> {
        let mut turn = self.mended(by, at)?;
        turn.enter(by, at, acts.into_iter().map(Entry::Act).collect())?;
        turn.journal.record.begin()?;
        Ok(turn)
    }

    /// Enters acts. The turn ends.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn act(self, by: Asker, at: UnixTime, acts: Vec<Act>) -> Result<(), RecordError> {
        let mut turn = self.mended(by, at)?;
        turn.enter(by, at, acts.into_iter().map(Entry::Act).collect())
    }
}

/// Ends the turn. What was read stays in the journal, and is read again.
impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.journal.record.roll_back();
        let _ = self.file.unlock();
    }
}

/// Takes as many entries as one group holds.
fn of_one_group(entries: &mut Peekable<IntoIter<Entry>>) -> Vec<Entry> {
    let (mut taken, mut octets) = (Vec::new(), 0_usize);
    while let Some(entry) = entries.peek() {
        octets = octets.saturating_add(entry.length());
        // no single entry is longer than a group
        if taken.len() >= ENTRIES || (octets > MOST && !taken.is_empty()) {
            break;
        }
        taken.extend(entries.next());
    }
    taken
}

/// A file from this octet on.
pub(super) struct At<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset = self.offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}
