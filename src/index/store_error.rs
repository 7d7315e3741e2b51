//! Errors of a file in which records are stored.
use crate::error::{Code, Problem, Remedy, Shown as _, remedy};
use crate::home::WriteError;
use std::path::PathBuf;

/// Error of the file of an index, or of a file in which its status is published.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the index for longer than the wait allows.
    #[error("the index is held by another process")]
    Busy,
    /// A file exists at the path of a new index.
    #[error("{} exists already", .0.shown())]
    Exists(PathBuf),
    /// There is no file at this path.
    #[error("{} does not exist", .0.shown())]
    Missing(PathBuf),
    /// The schema version of the file is unknown to this program.
    #[error("the index has schema version {found}; this program knows {known}")]
    Schema {
        /// The version of the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The stored data contradicts itself.
    #[error("what is stored is damaged: {0}")]
    Damaged(String),
    /// The disk is full.
    #[error("there is no space left on the disk: {0}")]
    NoSpace(String),
    /// The database failed.
    #[error("the index cannot be used: {0}")]
    Backend(String),
}

impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        if error.is_for_want_of_space() {
            Self::NoSpace(error.to_string())
        } else {
            Self::Backend(error.to_string())
        }
    }
}

impl StoreError {
    pub(crate) fn code_and_hint(&self) -> (Code, Remedy) {
        match self {
            Self::Busy => (Code::IndexBusy, "wait for the other command to end, then try again".into()),
            Self::Exists(_) => (Code::IndexExists, "use the index that is there, or another home".into()),
            Self::Missing(_) => (Code::IndexMissing, remedy::Home::MakeIndex.into()),
            Self::Schema { .. } => {
                (Code::IndexSchema, "use the version of genfic-ca that wrote it, or a newer one".into())
            }
            Self::Damaged(_) => (Code::IndexDamaged, remedy::Home::DamagedIndex.into()),
            Self::NoSpace(_) => (
                Code::DiskFull,
                "make room; nothing that is on record is lost, and the next command goes on from there"
                    .into(),
            ),
            Self::Backend(_) => (Code::IndexFailed, remedy::Home::UnusableIndex.into()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (code, hint) = error.code_and_hint();
        Self::of(code, error).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_says_what_to_do() {
        for error in [
            StoreError::Busy,
            StoreError::Missing("index.db".into()),
            StoreError::Schema { found: 2, known: 1 },
            StoreError::NoSpace("index.db".into()),
        ] {
            let problem = Problem::from(error);
            assert!(!problem.hint.is_empty() && !problem.message.ends_with('.'), "{problem:?}");
        }
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let unwritten = StoreError::from(WriteError { path: "delta-1.db".into(), source: full });
        assert_eq!(Problem::from(unwritten).code.code(), "disk.full");
    }
}
