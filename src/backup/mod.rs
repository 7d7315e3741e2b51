//! Backups of a home: made while other processes write, verified by restoring them, and restored without forgetting
//! what was published since.
//!
//! A backup is a tar archive in an age envelope. Its first entry is the [manifest](manifest::BackupManifest), which names
//! every other entry with size and SHA-256. Nothing that the manifest does not name is read, and every entry is a
//! plain file in a known place. `issued/` and `status/` are not included: both are made anew from the index. Keys are
//! included only on request.
//!
//! The index is copied at one moment. The public files are read after it, and the marks with the highest CRL numbers
//! after those: so each is as new as the index or newer. A CRL that was published in between does no harm: entries
//! that the index lacks are recorded at restoring, like all other data from after the backup.
//!
//! *Restore*: read into a directory beside the home → check as [`verify()`] does → search the published data → record
//! revocations, certificates and numbers, and lock the index against issuing, in one transaction → make `issued/` and
//! `status/` → put in place. A revocation is believed without a signature when it says no more than that something is
//! not to be trusted. Nothing that is found releases a hold or makes a revoked certificate valid.
mod check;
mod collect;
mod create;
mod digest;
mod entry;
mod evidence;
mod leftovers;
mod manifest;
mod place;
mod problems;
mod read;
mod restore;
mod search;
mod signer_create;
mod signer_manifest;
mod signer_restore;
#[cfg(test)]
mod tests;
mod verify;
mod workplace;

pub(crate) use create::{Created, Creation, create};
pub(crate) use leftovers::{left_behind, remove_left};
pub use restore::RestoredHome;
pub(crate) use restore::{Restoring, restore};
pub(crate) use signer_create::{SignerFiles, create_of_signer};
pub use signer_manifest::{SignerKeyEntry, SignerManifest};
pub use signer_restore::{RestoredKey, RestoredSigner, VerifiedSigner, verify_of_signer};
pub(crate) use signer_restore::{RestoringSigner, restore_signer};
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

/// Access to the index, the keys and the published status of homes.
pub trait Stores {
    /// Returns the keys of a home; no user is asked for a secret.
    fn keys_in(&self, home: &Home) -> Box<dyn CaKeys>;

    /// Returns the path of a home's index.
    fn index_in(&self, home: &Home) -> PathBuf;

    /// Opens the index in this file.
    ///
    /// # Errors
    /// When the file is no index, or of a newer version. The same holds for the methods below.
    fn open_index(&self, path: &Path) -> Result<Box<dyn Index>, IndexError>;

    /// Reads all of an index file, and returns every damage in it.
    fn index_faults(&self, path: &Path) -> Result<Vec<String>, IndexError>;

    /// Calls `visit` with every certificate status of a published status.
    fn published_status(
        &self,
        directory: &Path,
        visit: &mut dyn FnMut(CertificateId, CertificateState),
    ) -> Result<PublishedState, StatusError>;

    /// Reads configuration and profiles of a home, and returns their mistakes as a problem.
    fn check_settings(&self, home: &Home) -> Result<(), Problem>;

    /// Publishes the status of an index into this directory.
    fn publish_status(
        &self,
        directory: &Path,
        index: &dyn IndexReader,
        now: UnixTime,
    ) -> Result<(), StatusError>;
}

/// Header of a published status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublishedState {
    /// Change number of the index at the time of publication.
    pub change: u64,
    /// Time of the last confirmation.
    pub time: UnixTime,
    /// The newest audit record of the index at that time.
    pub head: Option<Head>,
}

/// A function that returns what decrypts an envelope: a passphrase for true, identities for false.
pub type Opener<'a> = &'a dyn Fn(bool) -> Result<OpenWith, Problem>;
