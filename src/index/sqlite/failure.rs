//! Conversion of SQLite's errors.
use crate::index::{IndexError, StoreError};
use rusqlite::ErrorCode;

/// Returns a text for a file that could not be opened. Where no other file can be opened either, it has the
/// system's reason, which SQLite does not report.
fn not_opened(error: &rusqlite::Error) -> String {
    match std::fs::File::open("/dev/null") {
        Ok(_) => error.to_string(),
        Err(reason) => format!("{error}: {reason}"),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let extended = error.sqlite_error().map(|error| error.extended_code);
        if extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return Self::NoSpace(format!("{error} while index.db-shm grew"));
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation) => {
                Self::Damaged(error.to_string())
            }
            Some(ErrorCode::DiskFull) => Self::NoSpace(error.to_string()),
            Some(ErrorCode::CannotOpen) => Self::Backend(not_opened(&error)),
            Some(_) => Self::Backend(error.to_string()),
            None => match error {
                E::FromSqlConversionFailure(..)
                | E::IntegralValueOutOfRange(..)
                | E::InvalidColumnType(..)
                | E::QueryReturnedNoRows
                | E::Utf8Error(..) => Self::Damaged(error.to_string()),
                other => Self::Backend(other.to_string()),
            },
        }
    }
}

impl From<rusqlite::Error> for IndexError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
