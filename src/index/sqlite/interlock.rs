//! The lock of the processes between an intent and its outcome. It is a lock on a file beside the index, shared
//! by all processes that sign. The kernel releases it when the process ends, however it ends.
use crate::error::Shown as _;
use crate::index::{Guard, IndexError, StoreError};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The lock of one index.
#[derive(Debug)]
pub(super) struct Interlock {
    path: PathBuf,
}

impl Interlock {
    /// Returns the lock of the index at this path: `index.db-signing`.
    pub(super) fn beside(index: &Path) -> Self {
        let mut name = index.as_os_str().to_owned();
        name.push("-signing");
        Self { path: name.into() }
    }

    fn open(&self) -> Result<File, IndexError> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> IndexError {
        IndexError::Store(StoreError::Backend(format!("{}: {error}", self.path.shown())))
    }

    /// Takes the lock shared. It waits while another process excludes, which takes as long as abandoning a few
    /// rows.
    pub(super) fn share(&self) -> Result<Guard, IndexError> {
        let file = self.open()?;
        file.lock_shared().map_err(|error| self.failed(&error))?;
        crate::failpoint::passed("index: signing");
        Ok(Box::new(file))
    }

    /// Takes the lock exclusively. Returns `None` while another process shares it.
    pub(super) fn exclude(&self) -> Result<Option<Guard>, IndexError> {
        let file = self.open()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.failed(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_may_sign_and_nobody_abandons_meanwhile() {
        let directory = tempfile::tempdir().unwrap();
        let interlock = Interlock::beside(&directory.path().join("index.db"));
        let one = interlock.share().unwrap();
        let two = interlock.share().unwrap();
        assert!(interlock.exclude().unwrap().is_none());
        drop(one);
        assert!(interlock.exclude().unwrap().is_none());
        drop(two);
        assert!(interlock.exclude().unwrap().is_some());
    }
}
