//! Groups of entries, which are chained by their digests and written together.
//!
//! | octets | what |
//! |---|---|
//! | 8 | `GFSJRNL1`; `GFSJRNL2` with a session |
//! | 4 | number of octets of the entries |
//! | 8 | sequence number of the first entry; the first of all is 1 |
//! | 8 | sequence number of the newest entry that was on the disk when this was written |
//! | 8 | time, seconds since 1970 |
//! | 4 | uid of the client |
//! | 4 | its loginuid; `ffffffff` without one |
//! | 4 | number of entries |
//! | 32 | digest of the group before; zeros in the first |
//! | 4 | with `GFSJRNL2` alone: the audit session of the client |
//! | | the entries |
//! | 32 | SHA-256 over a tag and all of this |
use super::entry::{Entry, Malformed, Rest};
use crate::signer::Peer;
use crate::x509::{UnixTime, sha256};

/// The first octets of a group, without and with a session. Journals from before there were sessions have the first one.
const BEGINNINGS: [[u8; 8]; 2] = [*b"GFSJRNL1", *b"GFSJRNL2"];
/// Number of octets of either.
pub(super) const BEGINNING: usize = 8;
/// Number of octets before the session, or before the entries where there is none.
pub(super) const HEAD: usize = 80;
/// Number of octets of a session.
const SESSION: usize = 4;
/// Number of octets of a digest.
pub(super) const DIGEST: usize = 32;
/// Bound of the entries of one group, in octets.
pub(super) const MOST: usize = 1 << 20;
/// Bound of a group, in octets.
pub(super) const LONGEST: usize = HEAD + SESSION + MOST + DIGEST;
/// Prefix that separates these digests from every other use of SHA-256.
const TAG: &[u8] = b"genfic-signer journal group 1\0";
const NO_LOGIN: u32 = u32::MAX;

/// Who asked the signer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Asker {
    /// The uid of the client's process.
    pub(crate) user: u32,
    /// Its loginuid, which says who logged in; `None` where nobody did.
    pub(crate) login: Option<u32>,
    /// Its audit session, which tells one login of a user from another; `None` where there is none.
    pub(crate) session: Option<u32>,
}

impl From<&Peer> for Asker {
    fn from(peer: &Peer) -> Self {
        Self { user: peer.user, login: peer.login, session: peer.session }
    }
}

impl Asker {
    /// Returns the user of this process, for what no client asks.
    #[must_use]
    pub(crate) fn this_process() -> Self {
        Self { user: rustix::process::geteuid().as_raw(), login: None, session: None }
    }
}

/// The newest group: where it ends, and its digest. The default is the state before the first group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct JournalHead {
    /// Number of octets of the journal up to here.
    pub(crate) offset: u64,
    /// Sequence number of the newest entry.
    pub(crate) sequence: u64,
    /// Digest of the newest group, and through the chain of all before it.
    pub(crate) digest: [u8; 32],
}

/// A group of entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Group {
    /// Sequence number of the first entry.
    pub(crate) first: u64,
    /// Sequence number of the newest entry that was on the disk when this was written.
    pub(crate) settled: u64,
    /// When it was written.
    pub(crate) at: UnixTime,
    /// Who asked.
    pub(crate) by: Asker,
    /// Digest of the group before.
    pub(crate) previous: [u8; 32],
    /// The entries.
    pub(crate) entries: Vec<Entry>,
}

impl Group {
    /// Appends the octets of the group, and returns its digest.
    pub(crate) fn put(&self, out: &mut Vec<u8>) -> [u8; 32] {
        let mut entries = Vec::new();
        for entry in &self.entries {
            entry.put(&mut entries);
        }
        let start = out.len();
        let [without, with] = BEGINNINGS;
        out.extend(if self.by.session.is_some() { with } else { without });
        out.extend(u32::try_from(entries.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend(self.first.to_be_bytes());
        out.extend(self.settled.to_be_bytes());
        out.extend(self.at.0.to_be_bytes());
        out.extend(self.by.user.to_be_bytes());
        out.extend(self.by.login.unwrap_or(NO_LOGIN).to_be_bytes());
        out.extend(u32::try_from(self.entries.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend(self.previous);
        out.extend(self.by.session.into_iter().flat_map(u32::to_be_bytes));
        out.extend(entries);
        let digest = digest(out.get(start..).unwrap_or_default());
        out.extend(digest);
        digest
    }

    /// Returns whether a group that begins with these octets has a session.
    fn has_session(beginning: &[u8; BEGINNING]) -> Result<bool, Malformed> {
        let found = BEGINNINGS.iter().position(|known| known == beginning);
        found.map(|place| place > 0).ok_or(Malformed::Beginning)
    }

    /// Returns whether a group may begin with these octets.
    pub(super) fn begins_with(octets: &[u8]) -> bool {
        octets.try_into().is_ok_and(|beginning| Self::has_session(beginning).is_ok())
    }

    /// Returns the number of octets of a group that begins with these, [`HEAD`] of them.
    ///
    /// # Errors
    /// When no group begins so.
    pub(super) fn length(head: &[u8]) -> Result<usize, Malformed> {
        let mut rest = Rest(head);
        let session = if Self::has_session(&rest.array()?)? { SESSION } else { 0 };
        let length = usize::try_from(u32::from_be_bytes(rest.array()?)).map_err(|_| Malformed::Length)?;
        if length > MOST { Err(Malformed::Length) } else { Ok(HEAD + session + length + DIGEST) }
    }

    /// Reads exactly one group, and returns it with its digest. Octets that would not be written are refused.
    ///
    /// # Errors
    /// When the octets are no such group.
    pub(crate) fn from_octets(octets: &[u8]) -> Result<(Self, [u8; 32]), Malformed> {
        match Self::length(octets)?.cmp(&octets.len()) {
            std::cmp::Ordering::Greater => return Err(Malformed::Short),
            std::cmp::Ordering::Less => return Err(Malformed::Trailing),
            std::cmp::Ordering::Equal => {}
        }
        let (said, found) = octets.split_at_checked(octets.len() - DIGEST).ok_or(Malformed::Short)?;
        let found: [u8; 32] = found.try_into().map_err(|_| Malformed::Short)?;
        if digest(said) != found {
            return Err(Malformed::Digest);
        }
        let mut within = Rest(said);
        let has_session = Self::has_session(&within.array()?)?;
        let _length: [u8; 4] = within.array()?;
        let group = Self::read(within, has_session).map_err(|malformed| match malformed {
            Malformed::Unknown => malformed,
            _ => Malformed::Value,
        })?;
        Ok((group, found))
    }

    fn read(mut rest: Rest<'_>, has_session: bool) -> Result<Self, Malformed> {
        let (first, settled, at) = (rest.number()?, rest.number()?, rest.time()?);
        let (user, login) = (u32::from_be_bytes(rest.array()?), u32::from_be_bytes(rest.array()?));
        let count = u32::from_be_bytes(rest.array()?);
        let previous = rest.array()?;
        let session = if has_session { Some(u32::from_be_bytes(rest.array()?)) } else { None };
        if session == Some(NO_LOGIN) {
            return Err(Malformed::Value);
        }
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push(Entry::take(&mut rest)?);
        }
        if !rest.0.is_empty() {
            return Err(Malformed::Trailing);
        }
        let by = Asker { user, login: Some(login).filter(|login| *login != NO_LOGIN), session };
        Ok(Self { first, settled, at, by, previous, entries })
    }

    /// Returns the sequence number of the last entry.
    #[must_use]
    pub(crate) fn last(&self) -> u64 {
        let count = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        self.first.saturating_add(count).saturating_sub(1)
    }

    /// Returns the entries with their sequence numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u64, &Entry)> {
        (self.first..).zip(&self.entries)
    }
}

pub(super) fn digest(said: &[u8]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(TAG);
    context.update(said);
    context.finish().as_ref().try_into().unwrap_or_else(|_| sha256(&[TAG, said].concat()))
}
