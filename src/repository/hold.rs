//! The lock on what is published, which only one process replaces at a time.
use super::PublishError;
use crate::home::WriteError;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time between two attempts to take the lock.
const PAUSE: Duration = Duration::from_millis(5);

/// Flags that refuse a symbolic link and do not wait for a FIFO.
const NEITHER_LINK_NOR_FIFO: i32 = (OFlags::NOFOLLOW.bits() | OFlags::NONBLOCK.bits()).cast_signed();

/// Keeps other processes from replacing what is published until it is dropped. The kernel releases the lock
/// when the process ends.
#[derive(Debug)]
pub(super) struct Hold(#[expect(dead_code, reason = "held, not read")] File);

impl Hold {
    /// Locks a file, which is created when it does not exist.
    pub(super) fn take(path: &Path, wait: Duration) -> Result<Self, PublishError> {
        let failed = |source: io::Error| WriteError { path: path.to_owned(), source };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(NEITHER_LINK_NOR_FIFO)
            .open(path)
            .map_err(failed)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    crate::failpoint::passed("publish: held");
                    return Ok(Self(file));
                }
                Err(TryLockError::WouldBlock) if begun.elapsed() < wait => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(PublishError::Busy),
                Err(TryLockError::Error(error)) => return Err(failed(error).into()),
            }
        }
    }
}
