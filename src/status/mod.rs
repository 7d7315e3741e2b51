//! The status that the index publishes for responders: immutable SQLite files with the state of every
//! certificate and with the CAs.
//!
//! `base-N.db` has everything up to change N, and `delta-M.db` has the changes from N to M. `manifest.json`
//! names both with their digests. All are written under temporary names and renamed, the manifest last, so that
//! a reader always finds a complete state. A new file continues the one before it where there is one. The files
//! have no subjects and no mail addresses.
mod authority;
mod compare;
#[cfg(test)]
mod compare_tests;
mod continuity;
#[cfg(test)]
mod continuity_tests;
mod directory;
mod error;
mod freshness;
mod image;
#[cfg(test)]
mod image_reuse_tests;
mod lock;
mod manifest;
mod publish;
mod publisher;
mod reader;
mod signed;
mod snapshot;
#[cfg(test)]
mod tests;

pub use authority::PublishedAuthority;
pub(crate) use compare::StatusComparison;
pub use directory::StatusDirectory;
pub(crate) use error::SignedEvidence;
pub use error::StatusError;
pub use freshness::{CLOCK_SKEW, StatusAge, beyond};
pub use publish::PublishedFiles;
#[cfg(test)]
pub(crate) use publish::Written;
pub(crate) use publish::publish;
pub use publisher::StatusPublisher;
pub use reader::{StatusEntry, StatusReader, StatusSource};
pub(crate) use signed::{CrlMarks, SignedCrls, check_contradicting, contradicts, last_signed, signed_list};
pub use snapshot::StatusSnapshot;

use crate::error::Shown as _;
use crate::index::StoreError;
#[cfg(test)]
use manifest::StatusManifest;
#[cfg(test)]
pub(crate) use signed::unmarked;
use std::io::{self, ErrorKind};
use std::path::Path;

fn failed(path: &Path, error: &io::Error) -> StatusError {
    let message = format!("{}: {error}", path.shown());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::NoSpace(message).into(),
        _ => StoreError::Backend(message).into(),
    }
}
