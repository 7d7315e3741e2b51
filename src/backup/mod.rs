//! Backups of a home: made while others write, verified by restoring them, restored without forgetting what was
//! published since.
//!
//! A backup is a tar archive in an age envelope. Its first entry is the [manifest](manifest::Manifest), which names every
//! other with size and SHA-256; nothing that it does not name is read, and no entry is anything but a plain file
//! in a known place. `issued/` and `status/` are not in it: both are made anew from the index. Neither are keys,
//! unless they are asked for.
//!
//! The index is copied at one moment. The public files are read after it, and the high-water marks of CRL numbers
//! after these: so each is as new as the index or newer. A CRL that was published in between does no harm: what
//! it lists and the index lacks is taken over at restoring, like everything else that is found of the time after
//! the backup.
//!
//! *Restore*: read into a directory beside the home → check as [`verify()`] does → look through what was published
//! → take over revocations, certificates and numbers, and lock, in one transaction → make `issued/` and `status/`
//! → put in place. A revocation is believed when it says nothing worse than that something is not to be trusted;
//! nothing that is found releases anything.
mod check;
mod collect;
mod create;
mod entry;
mod evidence;
mod leftovers;
mod manifest;
mod place;
mod problems;
mod read;
mod restore;
mod search;
#[cfg(test)]
mod tests;
mod verify;
mod workplace;

pub(crate) use create::{Created, Creation, create};
pub(crate) use leftovers::{left_behind, remove_left};
pub use restore::RestoredHome;
pub(crate) use restore::{Restoring, restore};
pub(crate) use verify::Verified;
pub use verify::{Behind, verify};

use crate::audit::Head;
use crate::error::Problem;
use crate::home::Home;
use crate::index::{CertificateState, Index, IndexError, IndexReader};
use crate::signing::{CaKeys, OpenWith};
use crate::status::StatusError;
use crate::x509::{CertificateId, UnixTime};
use std::path::{Path, PathBuf};

/// What a home's index, keys and published status are kept in.
pub trait Stores {
    /// The keys of a home, of which no person is asked for a secret.
    fn keys_in(&self, home: &Home) -> Box<dyn CaKeys>;

    /// Where the index of a home is.
    fn index_in(&self, home: &Home) -> PathBuf;

    /// Opens the index in this file.
    ///
    /// # Errors
    /// When it is none, or of a newer version; so below.
    fn open_index(&self, path: &Path) -> Result<Box<dyn Index>, IndexError>;

    /// Looks through all of an index file, and says what is damaged in it.
    fn index_faults(&self, path: &Path) -> Result<Vec<String>, IndexError>;

    /// Hands every state of a published status to `visit`.
    fn published_status(
        &self,
        directory: &Path,
        visit: &mut dyn FnMut(CertificateId, CertificateState),
    ) -> Result<PublishedState, StatusError>;

    /// Reads configuration and profiles of a home, and says what is wrong with them.
    fn check_settings(&self, home: &Home) -> Result<(), Problem>;

    /// Publishes the status of an index into this directory.
    fn publish_status(
        &self,
        directory: &Path,
        index: &dyn IndexReader,
        now: UnixTime,
    ) -> Result<(), StatusError>;
}

/// What a published status says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublishedState {
    /// The index's change number that it is the state of.
    pub change: u64,
    /// When it was last confirmed.
    pub time: UnixTime,
    /// The newest audit record of the index at that time.
    pub head: Option<Head>,
}

/// Finds what opens an envelope: true asks for a passphrase, false for identities.
pub type Opener<'a> = &'a dyn Fn(bool) -> Result<OpenWith, Problem>;
