//! Reads a journal, group after group, and tells a torn end from a change.
use super::entry::Malformed;
use super::group::{BEGINNING, Group, HEAD, JournalHead, LONGEST};
use std::io::{self, Read};

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalFault {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// An entry was changed, or is missing.
    #[error("entry {0} was changed, or is missing")]
    Changed(u64),
    /// An entry is none that this version knows.
    #[error("entry {0} is not one that this version knows")]
    Unknown(u64),
    /// Its newest entries are missing.
    #[error("its newest entries are missing: entry {0} was written")]
    Cut(u64),
}

/// A last group that was not written to its end, as a power cut or a full disk leaves it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Torn {
    /// Where the journal is whole up to.
    pub(crate) head: JournalHead,
    /// Number of octets that follow.
    pub(crate) octets: u64,
}

/// Reads groups from a source, one after the other, with the memory of one group.
pub(crate) struct JournalReader<R> {
    source: R,
    head: JournalHead,
    buffer: Vec<u8>,
    torn: Option<Torn>,
    is_done: bool,
}

impl<R: Read> JournalReader<R> {
    /// Returns a reader of a source that stands at this head.
    pub(crate) fn after(head: JournalHead, source: R) -> Self {
        Self { source, head, buffer: Vec::new(), torn: None, is_done: false }
    }

    /// Returns the head of what was read.
    pub(crate) fn head(&self) -> JournalHead {
        self.head
    }

    /// Returns the torn end, once everything before it was read.
    pub(crate) fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }

    /// Returns the next group with its digest; `None` at the end, and at a torn end.
    ///
    /// # Errors
    /// When a group was changed or is missing, or the source fails. Nothing is read after that.
    pub(crate) fn next_group(&mut self) -> Result<Option<Group>, JournalFault> {
        if self.is_done {
            return Ok(None);
        }
        let found = self.read_group();
        if !matches!(found, Ok(Some(_))) {
            self.is_done = true;
        }
        found
    }

    fn read_group(&mut self) -> Result<Option<Group>, JournalFault> {
        self.buffer.clear();
        self.fill(HEAD)?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let group = match Group::length(&self.buffer) {
            Ok(length) => {
                self.fill(length)?;
                Group::from_octets(&self.buffer)
            }
            Err(malformed) => Err(malformed),
        };
        let expected = self.head.sequence.saturating_add(1);
        match group {
            Ok((group, digest)) => {
                if group.first != expected || group.previous != self.head.digest || group.entries.is_empty() {
                    return Err(JournalFault::Changed(expected));
                }
                let length = u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
                self.head = JournalHead {
                    offset: self.head.offset.saturating_add(length),
                    sequence: group.last(),
                    digest,
                };
                Ok(Some(group))
            }
            // its digest is right: it was written so, by a later version or by somebody else
            Err(Malformed::Unknown | Malformed::Value) => Err(JournalFault::Unknown(expected)),
            Err(_) => self.judge_the_rest(),
        }
    }

    /// Reads until the buffer has this many octets, or the source ends.
    fn fill(&mut self, length: usize) -> io::Result<()> {
        let missing = length.saturating_sub(self.buffer.len());
        let most = u64::try_from(missing).unwrap_or(u64::MAX);
        self.source.by_ref().take(most).read_to_end(&mut self.buffer).map(drop)
    }

    /// Looks for a whole group behind one that is not. If that later one was written when this one was on the disk,
    /// it is a change; else it is what a power cut leaves.
    fn judge_the_rest(&mut self) -> Result<Option<Group>, JournalFault> {
        let mut octets = u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        // at the first octet is the group that was not read
        let mut from = 1;
        loop {
            let read = self.source.by_ref().take(1 << 20).read_to_end(&mut self.buffer)?;
            octets = octets.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            let is_last = read == 0;
            // a group that begins before this is in the buffer whole
            let whole = self.buffer.len().saturating_sub(if is_last { 0 } else { LONGEST });
            while let Some(at) = find(&self.buffer, from).filter(|at| *at < whole) {
                if self.settles_more(at) {
                    return Err(JournalFault::Changed(self.head.sequence.saturating_add(1)));
                }
                from = at.saturating_add(1);
            }
            if is_last {
                self.torn = Some(Torn { head: self.head, octets });
                return Ok(None);
            }
            from = from.max(whole);
            let looked_at = from.min(self.buffer.len());
            self.buffer.drain(..looked_at);
            from = from.saturating_sub(looked_at);
        }
    }

    /// Returns whether a group is here that was written when the one after the head was on the disk.
    fn settles_more(&self, at: usize) -> bool {
        let rest = self.buffer.get(at..).unwrap_or_default();
        let found = Group::length(rest)
            .and_then(|length| Group::from_octets(rest.get(..length).ok_or(Malformed::Short)?));
        found.is_ok_and(|(group, _)| group.settled > self.head.sequence)
    }
}

/// Returns where the next group may begin.
fn find(octets: &[u8], from: usize) -> Option<usize> {
    let rest = octets.get(from..)?;
    rest.windows(BEGINNING).position(Group::begins_with).map(|at| from.saturating_add(at))
}

/// Reads a journal from its beginning, and returns its head. A torn end is passed over.
///
/// # Errors
/// When it was changed, or cannot be read.
pub(crate) fn check_journal(source: impl Read) -> Result<JournalHead, JournalFault> {
    let mut reader = JournalReader::after(JournalHead::default(), source);
    while reader.next_group()?.is_some() {}
    Ok(reader.head())
}
