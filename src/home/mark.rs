//! The key store's mark of a CA: the highest CRL number taken, noted beside the key.
use super::{AuthorityName, Home, ReadError, read_file};
use crate::x509::extension::CrlNumber;
use std::io::ErrorKind;
use std::num::ParseIntError;
use std::path::Path;

/// Octets of the largest mark.
const LARGEST: u64 = 64;

impl Home {
    /// The highest CRL number noted for a CA in `keys/NAME.mark`; `None` when there is no mark.
    ///
    /// # Errors
    /// When there is one that cannot be read or is no number.
    pub fn mark(&self, authority: &AuthorityName) -> Result<Option<CrlNumber>, NoteError> {
        let mark = read_mark(&self.mark_file(authority))?;
        Ok(mark.max(read_mark(&self.former_mark_file(authority))?))
    }
}

/// The mark in a file; `None` when there is none.
///
/// # Errors
/// When there is one that cannot be read or is no number.
pub(crate) fn read_mark(file: &Path) -> Result<Option<CrlNumber>, NoteError> {
    match read_file(file, LARGEST) {
        Ok(octets) => Ok(Some(String::from_utf8_lossy(&octets).trim().parse()?)),
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Why a note of a CRL number cannot be used; to be read behind its name.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// It was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It says something else.
    #[error("is not a CRL number: {0}")]
    NoNumber(#[from] ParseIntError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_a_number_or_said_to_be_none_and_a_fifo_is_not_waited_for() {
        // C1
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let name: AuthorityName = "a".parse().unwrap();
        let file = home.mark_file(&name);
        assert_eq!(home.mark(&name).unwrap(), None);
        std::fs::write(&file, "7\n").unwrap();
        assert_eq!(home.mark(&name).unwrap(), Some(7));
        for damaged in ["", "-1", "many", &"1".repeat(30), &"1".repeat(65)] {
            std::fs::write(&file, damaged).unwrap();
            home.mark(&name).unwrap_err();
        }
        std::fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        assert!(matches!(home.mark(&name), Err(NoteError::Read(ReadError::Kind(_)))));
    }
}
