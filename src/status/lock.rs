//! The lock of the status directory, for one publisher at a time.
use super::StatusError;
use super::failed;
use crate::index::StoreError;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time to wait for another publisher.
const WAIT: Duration = Duration::from_secs(30);
/// Time between two attempts to take the lock.
const PAUSE: Duration = Duration::from_millis(5);

/// Holds the lock of the directory until it is dropped.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(directory: &Path) -> Result<Self, StatusError> {
        let path = directory.join(".lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&path, &error))?;
        let begun = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(Errno::WOULDBLOCK) if begun.elapsed() < WAIT => std::thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(StoreError::Busy.into()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(failed(&path, &error.into())),
            }
        }
    }
}
