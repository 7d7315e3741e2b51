//! The index's public face: immutable SQLite files with the status of every certificate, and the CAs.
//!
//! `base-N.db` has everything up to change N, `delta-M.db` what changed from N to M, and `manifest.json`
//! names both with their digests. All are written aside and renamed, the manifest last, so that a reader
//! finds a whole state whenever it looks. There are no subjects and no mail addresses in them.
mod directory;
mod image;
mod lock;
mod manifest;
mod publish;
mod snapshot;
#[cfg(test)]
mod tests;

pub use directory::StatusDirectory;
pub use publish::{Published, Written, publish};
pub use snapshot::StatusSnapshot;

use crate::index::IndexError;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

fn failed(path: &Path, error: &io::Error) -> IndexError {
    let message = format!("{}: {error}", path.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => IndexError::NoSpace(message),
        _ => IndexError::Backend(message),
    }
}

/// Opens a file for reading. Whatever else stands in its place is refused, and a FIFO is not waited for: one
/// that is would keep everything that comes after from being seen.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let no_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(no_waiting).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}
