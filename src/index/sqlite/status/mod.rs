//! The index's public face: immutable SQLite files with the status of every certificate, and the CAs.
//!
//! `base-N.db` has everything up to change N, `delta-M.db` what changed from N to M, and `manifest.json`
//! names both with their digests. All are written aside and renamed, the manifest last, so that a reader
//! finds a whole state whenever it looks. A new file goes on from the one before it where there is one. There are no subjects and no mail addresses in them.
mod compare;
#[cfg(test)]
mod compare_tests;
#[cfg(test)]
mod continued_tests;
mod continuity;
#[cfg(test)]
mod continuity_tests;
mod directory;
mod image;
mod lock;
mod manifest;
mod publish;
mod snapshot;
#[cfg(test)]
mod tests;

pub use directory::StatusDirectory;
#[cfg(test)]
use manifest::Manifest;
pub use publish::{Published, Written, publish};
pub use snapshot::StatusSnapshot;

use crate::error::Shown as _;
use crate::index::IndexError;
use std::io::{self, ErrorKind};
use std::path::Path;

fn failed(path: &Path, error: &io::Error) -> IndexError {
    let message = format!("{}: {error}", path.shown());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => IndexError::NoSpace(message),
        _ => IndexError::Backend(message),
    }
}
