//! The index in one SQLite file, and the status files that are published from any index.
//!
//! WAL mode with `synchronous=FULL`: what was committed stays. Writers take their lock at once and wait for
//! each other; readers see one moment and hold nobody up.
mod adapter;
mod authority;
pub(crate) mod connection;
mod copy;
#[cfg(test)]
mod copy_tests;
mod examining;
#[cfg(test)]
mod examining_tests;
mod failure;
mod importing;
mod interlock;
mod issuing;
mod journal;
mod keys;
mod naming;
#[cfg(test)]
mod plan;
mod pool;
mod reading;
mod restoring;
mod revoking;
pub(crate) mod row;
mod summaries;
#[cfg(test)]
pub(crate) mod tests;

use super::IndexError;
use crate::failpoint;
use interlock::Interlock;
use pool::Readers;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Pages of 4 KiB that the log may have while many certificates are issued.
const LARGE_LOG: i64 = 16384;

/// An index in an SQLite file.
pub struct SqliteIndex {
    writer: Mutex<Connection>,
    readers: Readers,
    interlock: Interlock,
    /// Whether the log may grow for as long as this is open.
    grows: AtomicBool,
}

impl SqliteIndex {
    /// How long to wait for another process, unless told otherwise.
    pub(crate) const WAIT: Duration = Duration::from_secs(30);

    /// Makes a new, empty index; the file belongs to the caller alone (0600).
    ///
    /// # Errors
    /// `Exists` ([`super::StoreError`]) when the path names something, or a failing file system.
    pub fn create(path: &Path) -> Result<Self, IndexError> {
        connection::create(path)?;
        Self::open(path)
    }

    /// Opens an index and waits up to [`SqliteIndex::WAIT`] for other processes.
    ///
    /// # Errors
    /// `Missing`, `Schema` when a newer program wrote it, `Damaged` when it is something else, `Busy`
    /// ([`super::StoreError`]), or a failing file system.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        Self::open_waiting(path, Self::WAIT)
    }

    /// Opens an index and waits this long for other processes, at each use.
    ///
    /// # Errors
    /// As [`SqliteIndex::open`].
    pub(crate) fn open_waiting(path: &Path, wait: Duration) -> Result<Self, IndexError> {
        Ok(Self {
            writer: Mutex::new(connection::open(path, wait)?),
            readers: Readers::new(path, wait),
            interlock: Interlock::beside(path),
            grows: AtomicBool::new(false),
        })
    }

    /// Looks through every page of an index file for damage, and says what is wrong with it.
    ///
    /// # Errors
    /// As [`SqliteIndex::open`].
    pub fn faults(path: &Path) -> Result<Vec<String>, IndexError> {
        examining::faults(&connection::open(path, Self::WAIT)?)
    }

    /// Whether it was made by a version that knew less, and migrated: its home may be older than what is asked of new
    /// ones.
    ///
    /// # Errors
    /// A failing database.
    pub(crate) fn is_migrated(&self) -> Result<bool, IndexError> {
        self.read(|connection| Ok(connection.prepare_cached("SELECT 1 FROM older")?.exists([])?))
    }

    fn write<T>(&self, write: impl FnOnce(&Connection) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = write(&transaction)?;
        failpoint::passed("index: before commit");
        transaction.commit()?;
        failpoint::passed("index: committed");
        Ok(result)
    }

    /// Where group follows group, the log is copied into the file less often, and once more at the end.
    fn let_grow(&self, group: usize) -> Result<(), IndexError> {
        if group > 1 && !self.grows.swap(true, Ordering::Relaxed) {
            let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            connection.pragma_update(None, "wal_autocheckpoint", LARGE_LOG)?;
        }
        Ok(())
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, IndexError>) -> Result<T, IndexError> {
        self.readers.read(read)
    }
}

impl Drop for SqliteIndex {
    fn drop(&mut self) {
        if *self.grows.get_mut() {
            // nobody is waited for: should it fail, the next command that writes does it
            let connection = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
            let _ = connection
                .busy_timeout(Duration::ZERO)
                .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        }
    }
}

impl std::fmt::Debug for SqliteIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteIndex").finish_non_exhaustive()
    }
}
