//! Temporary files that are renamed when they are complete, and their removal after a process was killed.
//!
//! A process that writes a `.new-*` file holds a shared lock on the directory, from before the file exists
//! until it is renamed. A file that exists while no process holds the lock was left behind.
use super::{AuthorityName, Home};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Prefix of the names of files and directories until they are complete.
pub(crate) const ASIDE: &str = ".new-";
/// Bound of the attempts to get the lock, and the time between them. Another process holds it while it removes
/// a few files.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// Marks a directory as being written into, until it is dropped.
#[derive(Debug)]
pub(crate) struct Writing {
    directory: File,
}

impl Writing {
    /// Marks this directory. If another process keeps it locked for long, or the file system has no such locks,
    /// the directory is written into without the mark: no process can remove files there either.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub(crate) fn into(directory: &Path) -> io::Result<Self> {
        let directory = File::open(directory)?;
        for _ in 0..ATTEMPTS {
            match directory.try_lock_shared() {
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Ok(()) | Err(TryLockError::Error(_)) => break,
            }
        }
        Ok(Self { directory })
    }

    /// Locks this directory exclusively, after waiting for the processes that write into it. Files are then
    /// written with [`replace_alone`](super::replace_alone).
    ///
    /// # Errors
    /// When the directory cannot be opened or locked; `WouldBlock` when other processes write for longer than
    /// `wait`.
    pub(crate) fn alone(directory: &Path, wait: Duration) -> io::Result<Self> {
        let (directory, begun) = (File::open(directory)?, Instant::now());
        loop {
            match directory.try_lock() {
                Ok(()) => return Ok(Self { directory }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < wait => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Makes the names in the directory durable.
    ///
    /// # Errors
    /// When the system cannot.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.directory.sync_all()
    }
}

impl Home {
    /// Removes temporary files that killed processes left, and returns their number. A directory that is being
    /// written into is left to a later call. The directories of issued certificates may be large, so that only
    /// those of these CAs are read. Files that cannot be read or removed are skipped.
    pub(crate) fn sweep(&self, issued_by: &[AuthorityName]) -> usize {
        let mut directories: Vec<PathBuf> = self.permissions().into_iter().map(|place| place.path).collect();
        let responders = fs::read_dir(self.responders_directory()).into_iter().flatten().flatten();
        directories.extend(responders.map(|entry| entry.path()));
        directories.extend(issued_by.iter().map(|name| self.issued_directory(name)));
        directories.iter().map(|directory| sweep(directory)).sum()
    }
}

fn sweep(directory: &Path) -> usize {
    let Some((_lock, found)) = left_in(directory) else { return 0 };
    found.iter().filter(|path| remove(path).is_ok()).count()
}

/// Returns the files left behind in a directory, and the lock that keeps processes from writing there. A file
/// that existed before the lock was taken, and still exists, has no writer, because names are not used again.
fn left_in(directory: &Path) -> Option<(File, Vec<PathBuf>)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(ASIDE.as_bytes()))
        .map(|entry| entry.path())
        .collect();
    if found.is_empty() {
        return None;
    }
    let lock = File::open(directory).ok()?;
    lock.try_lock().ok()?;
    found.retain(|path| path.symlink_metadata().is_ok());
    Some((lock, found))
}

fn remove(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }
}

/// Returns the temporary files that killed processes left in this directory; none while a process is writing
/// there.
pub(super) fn left_behind(directory: &Path) -> Vec<PathBuf> {
    left_in(directory).map(|(_lock, found)| found).unwrap_or_default()
}

/// Removes one such file, unless a process is writing in the directory.
///
/// # Errors
/// `WouldBlock` when a process is writing; when the file cannot be removed.
pub(crate) fn remove_left(path: &Path) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    match left_in(directory) {
        Some((_lock, found)) if found.iter().any(|one| one == path) => remove(path),
        _ if path.symlink_metadata().is_err() => Ok(()),
        _ => Err(io::ErrorKind::WouldBlock.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mode, replace_alone};
    use super::*;

    fn left_in(directory: &Path) {
        fs::write(directory.join(".new-a"), "half").unwrap();
        fs::write(directory.join("whole"), "whole").unwrap();
        fs::create_dir(directory.join(".new-b")).unwrap();
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_left_aside_is_removed_unless_somebody_is_writing() {
        // C7
        let directory = tempfile::tempdir().unwrap();
        left_in(directory.path());
        let one = Writing::into(directory.path()).unwrap();
        let other = Writing::into(directory.path()).unwrap();
        assert_eq!(sweep(directory.path()), 0);
        drop(one);
        assert_eq!(sweep(directory.path()), 0);
        assert_eq!(left_behind(directory.path()), Vec::<PathBuf>::new());
        remove_left(&directory.path().join(".new-a")).unwrap_err();
        drop(other);
        assert_eq!(left_behind(directory.path()).len(), 2);
        assert_eq!(sweep(directory.path()), 2);
        assert_eq!(names(directory.path()), ["whole"]);
    }

    #[test]
    fn every_directory_of_a_home_is_swept() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let name: AuthorityName = "a".parse().unwrap();
        home.create_authority(&name).unwrap();
        let mut swept: Vec<PathBuf> = home.permissions().into_iter().map(|place| place.path).collect();
        swept.push(home.ocsp_directory(&name));
        let issued = home.issued_directory(&name);
        for directory in swept.iter().chain([&issued]) {
            fs::write(directory.join(".new-a"), "half").unwrap();
        }
        assert_eq!(home.sweep(&[]), swept.len());
        assert!(issued.join(".new-a").exists());
        assert_eq!(home.sweep(&[name]), 1);
    }

    #[test]
    fn who_writes_alone_waits_for_nobody_and_nobody_writes_meanwhile() {
        // C1
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.mark");
        let alone = Writing::alone(directory.path(), Duration::ZERO).unwrap();
        // The fastest of many writes is not delayed by the disk.
        let quickest = (0..20).map(|_| {
            let begun = Instant::now();
            replace_alone(&alone, &path, b"7", Mode::Private).unwrap();
            begun.elapsed()
        });
        let waited = PAUSE * u32::try_from(ATTEMPTS).unwrap();
        assert!(quickest.min().unwrap() < waited, "its own lock is not waited for");
        let busy = Writing::alone(directory.path(), Duration::ZERO).unwrap_err();
        assert_eq!(busy.kind(), io::ErrorKind::WouldBlock);
        drop(alone);
        let other = Writing::into(directory.path()).unwrap();
        Writing::alone(directory.path(), Duration::ZERO).unwrap_err();
        drop(other);
        Writing::alone(directory.path(), Duration::ZERO).unwrap();
        assert_eq!(names(directory.path()), ["a.mark"]);
    }

    #[test]
    fn a_directory_that_somebody_keeps_locked_is_written_into_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let locked = File::open(directory.path()).unwrap();
        locked.lock().unwrap();
        assert!(Writing::into(directory.path()).is_ok());
    }
}
