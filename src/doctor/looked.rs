//! Results of a check: its scope, or why it was not possible.
use crate::error::{Problem, Shown as _};
use crate::index::IndexError;
use std::io;
use std::path::PathBuf;

/// The scope of a check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// The objects checked, in a few words.
    pub what: String,
    /// Number of all objects, where only the newest were compared.
    pub newest_of: Option<usize>,
}

/// A scope that includes all objects.
impl From<String> for Seen {
    fn from(what: String) -> Self {
        Self { what, newest_of: None }
    }
}

/// Reasons why a check did not run, or not completely.
#[derive(Debug, thiserror::Error)]
pub enum Unseen {
    /// The index is not open.
    #[error("the index is not open: {0}")]
    NoIndex(Problem),
    /// The CAs cannot be read from the index.
    #[error("the CAs cannot be read: {0}")]
    Authorities(IndexError),
    /// The path is no regular file: reading it could block, or follow a link out of the home.
    #[error("{} is not a regular file", .0.shown())]
    NotAFile(PathBuf),
    /// The store of keys can check none without its secret.
    #[error("keys cannot be looked at without their secrets")]
    Secrets,
    /// No file system reports its free space.
    #[error("no file system could be asked")]
    NoFileSystem,
    /// The status is being published.
    #[error("another process is publishing")]
    Publishing,
    /// The index is damaged, which another check reports.
    #[error("{0}")]
    Damaged(String),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A record cannot be read.
    #[error(transparent)]
    Record(#[from] Problem),
    /// The system returned an error.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// The scope of a check, or why it was not possible.
pub(super) type Looked = Result<Seen, Unseen>;
