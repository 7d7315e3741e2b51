//! What is written aside before it is put in place, and what a killed process left of it.
//!
//! Whoever writes a `.new-*` holds a shared lock on the directory from before it is there until it has its
//! name. What is there while nobody holds one was left behind.
use super::{AuthorityName, Home};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What the names of files and directories begin with until they are whole.
pub(crate) const ASIDE: &str = ".new-";
/// How often, and how long each, to wait for somebody who removes a few files.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// Says that something is being written aside in a directory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Writing {
    directory: File,
}

impl Writing {
    /// Says so of this directory. One that somebody keeps locked for long, or whose file system has no such
    /// locks, is written into all the same: nothing can be removed there either.
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

    /// Says so, and that nobody else writes there meanwhile: those who do are waited for. What is written then is
    /// written with [`replace_alone`](super::replace_alone).
    ///
    /// # Errors
    /// When the directory cannot be opened or locked; `WouldBlock` when others write for longer than this.
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
    /// Removes what killed processes left written aside; where somebody is writing at the moment, it is left to
    /// a later call. Directories of issued certificates, which may be large, are looked into for these CAs.
    /// Returns how many were removed; what cannot be read or removed is passed over.
    pub(crate) fn sweep(&self, issued_by: &[AuthorityName]) -> usize {
        let mut directories: Vec<PathBuf> = self.places().into_iter().map(|place| place.path).collect();
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

/// What was left behind in a directory, and the lock that keeps anybody from writing there meanwhile. Those that
/// were there before the lock was had, and still are, belong to nobody: names are not used again.
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

/// What killed processes left written aside in this directory; nothing where somebody is writing.
pub(super) fn left_behind(directory: &Path) -> Vec<PathBuf> {
    left_in(directory).map(|(_lock, found)| found).unwrap_or_default()
}

/// Removes one of them, unless somebody is writing beside it.
///
/// # Errors
/// `WouldBlock` when somebody is; when it cannot be removed.
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
        let mut swept: Vec<PathBuf> = home.places().into_iter().map(|place| place.path).collect();
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
        // of many, one is not held up by the disk
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
