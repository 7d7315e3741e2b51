//! Connections for reading: as many as are reading at the same time, kept for the next.
use crate::index::IndexError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Connections to one index file that change nothing.
pub(super) struct Readers {
    path: PathBuf,
    wait: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path, wait: Duration) -> Self {
        Self { path: path.to_owned(), wait, idle: Mutex::default() }
    }

    /// Reads within one transaction, so that everything is of the same moment. `read` may call the index
    /// again: it holds no lock.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        self.with_connection(|connection| {
            let transaction = connection.transaction()?;
            read(&transaction)
        })
    }

    /// Reads in a way that has a transaction of its own.
    pub(super) fn with_connection<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = super::connection::open(&self.path, self.wait)?;
                connection.pragma_update(None, "query_only", true)?;
                connection
            }
        };
        let result = read(&mut connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
}
