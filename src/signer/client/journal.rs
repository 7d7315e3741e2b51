//! The journal of a signer that listens, read over its connection.
use super::keys::unexpected;
use super::link::Link;
use crate::signer::protocol::{Failure, Reply, Request};
use crate::signing::KeyError;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// The journal of the signer that listens on a socket.
pub(crate) struct RemoteJournal(Arc<Link>);

impl RemoteJournal {
    /// Returns the journal of the signer on this socket. Nothing is asked yet.
    pub(crate) fn at(socket: PathBuf) -> Self {
        Self(Arc::new(Link::socket(socket)))
    }

    /// Returns the octets of the journal from this one on. No more than one answer of the signer is in memory. An error of
    /// the signer is a [`KeyError`] within the [`io::Error`].
    pub(crate) fn from(&self, offset: u64) -> impl Read + use<> {
        RemoteOctets { link: Arc::clone(&self.0), next: offset, part: Vec::new(), taken: 0 }
    }
}

/// What a signer answers, one part after the other.
struct RemoteOctets {
    link: Arc<Link>,
    /// Where the next part begins in the journal.
    next: u64,
    part: Vec<u8>,
    taken: usize,
}

impl RemoteOctets {
    fn next_part(&self) -> Result<Vec<u8>, Failure> {
        let answer = self.link.ask(Request::Journal { from: self.next })?;
        match answer.message {
            Reply::Done => answer.only_part().map_err(|_| unexpected()),
            _ => Err(unexpected()),
        }
    }
}

impl Read for RemoteOctets {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.part.len() && !into.is_empty() {
            let part = self.next_part().map_err(|failure| io::Error::other(KeyError::from(failure)))?;
            self.next = self.next.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
            (self.part, self.taken) = (part, 0);
        }
        let mut rest = self.part.get(self.taken..).unwrap_or_default();
        let read = rest.read(into)?;
        self.taken = self.taken.saturating_add(read);
        Ok(read)
    }
}
