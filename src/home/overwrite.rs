//! Overwriting of a file after it was removed or replaced.
use super::sync_directory;
use crate::failpoint;
use std::fs::{self, File, OpenOptions};
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
    pub(crate) fn overwrite(mut self) -> io::Result<()> {
        let metadata = self.0.metadata()?;
        if metadata.nlink() > 0 {
            return Ok(());
        }
        let length = usize::try_from(metadata.len()).unwrap_or_default();
        self.0.write_all(&vec![0; length.min(MOST)])?;
        self.0.sync_all()
    }
}

/// Removes the file of a key: its name, durably, and then its octets as [`Former::overwrite`] does. Whoever is killed in
/// between leaves it whole, or gone, and none that has its name and no key in it.
///
/// # Errors
/// When it is not there, cannot be written or removed, or the directory cannot be made durable: it may be gone then.
pub(crate) fn remove_overwritten(path: &Path) -> io::Result<()> {
    // whatever has its name afterwards
    let former = Former::of(path)?;
    fs::remove_file(path)?;
    failpoint::passed("key: without its name");
    if let Some(directory) = path.parent() {
        sync_directory(directory).map_err(|error| error.source)?;
    }
    failpoint::passed("key: not overwritten yet");
    // it is not needed any more; a disk may keep it all the same
    let _ = former.overwrite();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Seek as _};

    #[test]
    fn what_somebody_keeps_by_another_name_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let (path, kept) = (directory.path().join("key"), directory.path().join("kept"));
        fs::write(&path, "former").unwrap();
        fs::hard_link(&path, &kept).unwrap();
        remove_overwritten(&path).unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read(&kept).unwrap(), b"former");
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

    #[test]
    fn what_is_removed_is_overwritten_and_never_has_its_name_without_its_octets() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, "former").unwrap();
        let mut seen = File::open(&path).unwrap();
        let looking = path.clone();
        let whole = std::thread::spawn(move || {
            // as whoever comes after one that was killed
            loop {
                match fs::read(&looking) {
                    Ok(octets) if octets == b"former" => {}
                    found => return found.ok(),
                }
            }
        });
        remove_overwritten(&path).unwrap();
        assert_eq!(whole.join().unwrap(), None);
        let mut octets = Vec::new();
        seen.read_to_end(&mut octets).unwrap();
        assert_eq!(octets, [0; 6]);
        assert_eq!(remove_overwritten(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
