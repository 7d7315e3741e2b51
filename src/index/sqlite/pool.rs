//! Connections for reading: one for each concurrent reader, kept for later readers.
use crate::index::IndexError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Read-only connections to one index file.
pub(super) struct Readers {
    path: PathBuf,
    wait: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path, wait: Duration) -> Self {
        Self { path: path.to_owned(), wait, idle: Mutex::default() }
    }

    /// Runs `read` in one transaction, so that all its data is of the same moment. `read` may call the index
    /// again, because no lock is held.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        self.with_connection(|connection| {
            let transaction = connection.transaction()?;
            read(&transaction)
        })
    }

    /// Runs an operation that makes a transaction of its own.
    pub(super) fn with_connection<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => super::connection::open_reader(&self.path, self.wait)?,
        };
        let result = read(&mut connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
}
