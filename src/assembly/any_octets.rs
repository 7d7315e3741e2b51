//! The readers of the signer and of status files, for tests that try any octets. Release builds do not have them.
//!
//! Each returns what it understood, encoded once more: a test sees that this is understood in the same way.
mod admission;

pub use admission::Admitting;

use crate::ceremony::{History, profile_of};
use crate::error::Problem;
pub use crate::status::any_octets::{
    status_authorities, status_block, status_delta, status_manifest, status_sections, status_table,
};

use crate::signer::{Failure, Frame, JournalReader, KeyEnvelope, Reply, Request, token_frames};
use crate::signing::{KeyError, PassphraseOrders, TokenStore};
use std::path::PathBuf;
use std::sync::Arc;

/// Reads a frame as a request, as a reply, and as one to and from the process of the tokens.
#[must_use]
pub fn signer_frames(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut read = token_frames(octets);
    if let Ok(frame) = Frame::<Request>::from_octets(octets) {
        read.extend(frame.to_octets());
        match frame.message {
            Request::Hello { orders: Some(orders), .. } => {
                let directory = PathBuf::from(orders.directory.clone());
                drop((directory, PassphraseOrders::from(orders)));
            }
            Request::Unlock { terms, .. } | Request::Prepare { terms, .. } => {
                let _ = crate::signer::terms(terms);
            }
            _ => {}
        }
    }
    if let Ok(frame) = Frame::<Reply>::from_octets(octets) {
        read.extend(frame.to_octets());
        if let Reply::Failed { failure } = frame.message {
            let error = KeyError::from(failure);
            drop(Failure::from(error));
        }
    }
    read
}

/// Has those who speak with the processes of tokens hear these octets, and returns how many of the three took them for
/// what belongs there: the process of a module, a launcher, and who asks the process of a module.
#[must_use]
pub fn token_conversations(octets: &[u8]) -> usize {
    crate::signer::token_conversations(octets, |pins| Arc::new(TokenStore::new(Vec::new(), "/nowhere", pins)))
}

/// Returns the problem that a reply which is a failure is for the user.
#[must_use]
pub fn failure_in(octets: &[u8]) -> Option<Problem> {
    match Frame::<Reply>::from_octets(octets).ok()?.message {
        Reply::Failed { failure } => Some(KeyError::from(failure).into()),
        _ => None,
    }
}

/// Reads a journal, and returns the octets of the groups that are whole.
#[must_use]
pub fn journal(octets: &[u8]) -> Vec<u8> {
    let mut reader = JournalReader::after(crate::signer::JournalHead::default(), octets);
    let mut written = Vec::new();
    while let Ok(Some(group)) = reader.next_group() {
        group.put(&mut written);
    }
    written
}

/// Reads the text of an envelope, and returns it as it is written.
#[must_use]
pub fn envelope(text: &str) -> Option<String> {
    KeyEnvelope::parse(text).ok().map(|envelope| envelope.to_toml("fuzz"))
}

/// Reads what a medium has besides a request: the history of its key, and its manifest.
pub fn medium(text: &str) {
    if let Ok(history) = History::parse(text) {
        let head = |history: &History| history.head();
        assert_eq!(History::parse(&history.to_toml()).as_ref().map(head), Ok(history.head()));
    }
    let _ = profile_of(text.as_bytes());
}
