//! The index in one SQLite file, and the status files that are published from any index.
//!
//! The database is in WAL mode with `synchronous=FULL`, so that committed transactions survive a crash. Writers
//! take their lock at the start and wait for each other. Readers see one moment and delay nobody.
mod adapter;
mod authority;
pub(crate) mod connection;
mod copy;
#[cfg(test)]
mod copy_tests;
mod ending;
mod examining;
#[cfg(test)]
mod examining_tests;
mod failure;
mod finding;
mod glance;
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

pub(crate) use glance::IndexGlance;

use super::IndexError;
use crate::failpoint;
use interlock::Interlock;
use pool::Readers;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Number of 4 KiB pages that the log may have while many certificates are issued (64 MiB).
const LARGE_LOG: i64 = 16384;

/// An index in an SQLite file.
pub struct SqliteIndex {
    writer: Mutex<Connection>,
    readers: Readers,
    interlock: Interlock,
    /// Whether the log may grow to `LARGE_LOG` while this index is open.
    grows: AtomicBool,
}

impl SqliteIndex {
    /// Time to wait for another process, unless the caller gives another.
    pub(crate) const WAIT: Duration = Duration::from_secs(30);

    /// Creates a new, empty index. Only the caller can access the file (0600).
    ///
    /// # Errors
    /// `Exists` ([`super::StoreError`]) when the path exists, or a failing file system.
    pub fn create(path: &Path) -> Result<Self, IndexError> {
        connection::create(path)?;
        Self::open(path)
    }

    /// Opens an index and waits up to [`SqliteIndex::WAIT`] for other processes.
    ///
    /// # Errors
    /// `Missing`, `Schema` when a newer program wrote it, `Damaged` when it is another kind of file, `Busy`
    /// ([`super::StoreError`]), or a failing file system.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        Self::open_waiting(path, Self::WAIT)
    }

    /// Opens an index that waits this long for other processes at each use.
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

    /// Examines every page of an index file for damage and returns the faults.
    ///
    /// # Errors
    /// As [`SqliteIndex::open`].
    pub fn faults(path: &Path) -> Result<Vec<String>, IndexError> {
        examining::faults(&connection::open(path, Self::WAIT)?)
    }

    /// Returns whether an earlier version created the index and it was migrated. The home of such an index may
    /// be older than the checks of new homes assume.
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

    /// Allows a larger log while groups follow each other, so that checkpoints are rarer. One checkpoint
    /// follows at the end.
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
            // This does not wait for other processes. If it fails, the next command that writes makes the
            // checkpoint.
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
