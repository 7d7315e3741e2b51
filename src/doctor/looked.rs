//! What a check looked at, and why it could not.
use crate::error::{Problem, Shown as _};
use crate::index::IndexError;
use std::io;
use std::path::PathBuf;

/// What a check looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// In a few words.
    pub what: String,
    /// How many there are, where only the newest were compared.
    pub newest_of: Option<usize>,
}

/// All there is.
impl From<String> for Seen {
    fn from(what: String) -> Self {
        Self { what, newest_of: None }
    }
}

/// Why a check did not look, or not at everything.
#[derive(Debug, thiserror::Error)]
pub enum Unseen {
    /// The index is not open.
    #[error("the index is not open: {0}")]
    NoIndex(Problem),
    /// The CAs cannot be read.
    #[error("the CAs cannot be read: {0}")]
    Authorities(IndexError),
    /// Reading it could wait without end, or lead elsewhere.
    #[error("{} is not a regular file", .0.shown())]
    NotAFile(PathBuf),
    /// Where the keys are, none can be looked at without its secret.
    #[error("keys cannot be looked at without their secrets")]
    Secrets,
    /// No file system says how much room there is.
    #[error("no file system could be asked")]
    NoFileSystem,
    /// The status is being published.
    #[error("another process is publishing")]
    Publishing,
    /// The index is damaged, which another check tells.
    #[error("{0}")]
    Damaged(String),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// What is on record cannot be read.
    #[error(transparent)]
    Record(#[from] Problem),
    /// The system refuses to.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What a check looked at, or why it could not.
pub(super) type Looked = Result<Seen, Unseen>;
