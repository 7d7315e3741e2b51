//! The status that the index publishes for responders: the state of every certificate, and the CAs.
//!
//! | file | what it is |
//! |---|---|
//! | `base-N.status` | every state up to change N, sorted by issuer and serial number, in blocks of 4 KiB with a table of their first serial numbers and digests; it never changes |
//! | `delta-N.status` | what has changed since the base; each publication adds a group at its end |
//! | `authorities-N.json` | the CAs; it never changes |
//! | `manifest.json` | which of these files are in force, how long the delta is, their digests, and since when |
//!
//! A lookup looks into the delta, which is in memory, and then reads one block of the base. A block is compared with
//! its digest when it is first read, the table when the base is opened: the manifest has the digest of the table. The
//! digest of a delta is a chain over its groups, so that adding a group costs as much as the group. Octets behind what
//! the manifest names are what a publisher left that was killed, or has not finished; a file that is shorter is being
//! copied, and readers keep what they had.
//!
//! New files are written under temporary names and renamed under names that were never used before, a group of the
//! delta is made durable, and the manifest is renamed last, so that a reader always finds a complete state. The files have no
//! subjects and no mail addresses. `entry.rs`, `block.rs`, `table.rs` and `delta.rs` say what their octets are.
mod addition;
#[cfg(debug_assertions)]
pub(crate) mod any_octets;
mod authorities_file;
mod authority;
mod base;
mod base_writer;
mod block;
mod changes;
mod compare;
#[cfg(test)]
mod compare_tests;
mod continuity;
#[cfg(test)]
mod continuity_tests;
#[cfg(test)]
mod copied_tests;
#[cfg(test)]
mod damage_tests;
mod delta;
mod delta_file;
mod directory;
mod entry;
mod error;
mod former;
#[cfg(test)]
mod former_tests;
mod freshness;
#[cfg(test)]
mod growth_tests;
mod lock;
mod manifest;
mod publish;
mod publisher;
mod reader;
mod signed;
mod snapshot;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use authorities_file::{encode_authorities, read_authorities};
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
pub use reader::{EveryStatus, StatusEntry, StatusReader, StatusSource};
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
