//! Overwriting of a file before it is removed, or after it was replaced.
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Most octets that are written at once: no key file is longer.
const MOST: usize = 1 << 20;

/// A file that is to be overwritten, whatever has its name by then.
pub(crate) struct Former(File);

impl Former {
    /// Opens a file that is about to be replaced.
    ///
    /// # Errors
    /// When it is not there, or cannot be written.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        OpenOptions::new().write(true).open(path).map(Self)
    }

    /// Overwrites it with zeros, durably, once it has its name no more. That reaches the device only where it overwrites
    /// in place. A file that still has a name is left as it is: somebody keeps it, as backups by hard links do.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn overwrite(self) -> io::Result<()> {
        self.zero_unless_named(0)
    }

    fn zero_unless_named(mut self, own: u64) -> io::Result<()> {
        let metadata = self.0.metadata()?;
        if metadata.nlink() > own {
            return Ok(());
        }
        let length = usize::try_from(metadata.len()).unwrap_or_default();
        self.0.write_all(&vec![0; length.min(MOST)])?;
        self.0.sync_all()
    }
}

/// Overwrites a file that has no other name, as [`Former::overwrite`].
///
/// # Errors
/// When it is not there, or cannot be written.
pub(crate) fn overwrite(path: &Path) -> io::Result<()> {
    Former::of(path)?.zero_unless_named(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::{Read as _, Seek as _};

    #[test]
    fn what_somebody_keeps_by_another_name_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let (path, kept) = (directory.path().join("key"), directory.path().join("kept"));
        fs::write(&path, "former").unwrap();
        fs::hard_link(&path, &kept).unwrap();
        let former = Former::of(&path).unwrap();
        overwrite(&path).unwrap();
        fs::remove_file(&path).unwrap();
        former.overwrite().unwrap();
        assert_eq!(fs::read(&kept).unwrap(), b"former");
        overwrite(&kept).unwrap();
        assert_eq!(fs::read(&kept).unwrap(), [0; 6]);
    }

    #[test]
    fn what_was_replaced_is_overwritten_and_what_has_its_name_now_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, "former").unwrap();
        let mut seen = File::open(&path).unwrap();
        let former = Former::of(&path).unwrap();
        fs::write(directory.path().join("new"), "latter").unwrap();
        fs::rename(directory.path().join("new"), &path).unwrap();
        former.overwrite().unwrap();
        let mut octets = Vec::new();
        seen.rewind().unwrap();
        seen.read_to_end(&mut octets).unwrap();
        assert_eq!((octets, fs::read(&path).unwrap()), (vec![0; 6], b"latter".to_vec()));
    }
}
