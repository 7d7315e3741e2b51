//! Detects changed files without reading them, and opens files for reading.
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Inode, size and change time of a file. A change of its contents or permissions changes one of the three, whether
/// another file was renamed into its place, the file was written to, or `chmod` was used.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct FileVersion {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl FileVersion {
    /// Returns the stamp of a file; `None` when there is no file.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::of_metadata(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn of_metadata(metadata: &fs::Metadata) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { inode: metadata.ino(), size: metadata.len(), changed }
    }
}

/// Opens a regular file for reading. Anything else is refused. A FIFO is not waited for: waiting would keep all later
/// changes from being seen.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let no_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(no_waiting).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}
