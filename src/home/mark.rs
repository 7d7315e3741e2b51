//! The key store's mark of a CA: the highest CRL number taken, noted beside the key.
use super::{AuthorityName, Home, ReadError, read_file};
use crate::x509::extension::CrlNumber;
use std::io::ErrorKind;
use std::num::ParseIntError;
use std::path::{Path, PathBuf};

/// Octets of the largest mark.
const LARGEST: u64 = 64;

impl Home {
    /// The highest CRL number noted for a CA in `keys/NAME.mark`; `None` when there is no mark.
    ///
    /// # Errors
    /// When there is one that cannot be read or is no number.
    pub fn mark(&self, authority: &AuthorityName) -> Result<Option<CrlNumber>, NoteError> {
        Ok(self.noted(authority)?.map(|(number, _)| number))
    }

    /// The same and the file that has it, which homes of before called otherwise.
    ///
    /// # Errors
    /// As [`Home::mark`].
    pub fn noted(&self, authority: &AuthorityName) -> Result<Option<(CrlNumber, PathBuf)>, NoteError> {
        let read = |file: PathBuf| Ok(read_mark(&file)?.map(|number| (number, file)));
        // in this order, one that is moved meanwhile is not missed
        let former = read(self.former_mark_file(authority))?;
        let mark = read(self.mark_file(authority))?;
        Ok(former.into_iter().chain(mark).max_by_key(|(number, _)| *number))
    }
}

/// The mark in a file; `None` when there is none.
///
/// # Errors
/// When there is one that cannot be read or is no number.
pub(crate) fn read_mark(file: &Path) -> Result<Option<CrlNumber>, NoteError> {
    let failed = |fault| NoteError { path: file.to_owned(), fault };
    match read_file(file, LARGEST) {
        Ok(octets) => {
            let number = String::from_utf8_lossy(&octets).trim().parse();
            number.map(Some).map_err(|error| failed(NoteFault::NoNumber(error)))
        }
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(NoteFault::Read(error))),
    }
}

/// A note of a CRL number that cannot be used; says why, to be read behind its name.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct NoteError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub fault: NoteFault,
}

/// Why a note of a CRL number cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoteFault {
    /// It was not read.
    #[error(transparent)]
    Read(ReadError),
    /// It says something else.
    #[error("is not a CRL number: {0}")]
    NoNumber(ParseIntError),
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
        let fault = home.mark(&name).unwrap_err().fault;
        assert!(matches!(fault, NoteFault::Read(ReadError::Kind(_))));
    }

    #[test]
    fn of_two_files_the_one_is_named_that_is_wrong_or_has_the_number() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let name: AuthorityName = "a".parse().unwrap();
        let (file, former) = (home.mark_file(&name), home.former_mark_file(&name));
        for (other, one) in [(&file, &former), (&former, &file)] {
            std::fs::write(other, "7").unwrap();
            std::fs::write(one, "many").unwrap();
            assert_eq!(home.mark(&name).unwrap_err().path, *one);
            std::fs::write(one, "8").unwrap();
            assert_eq!(home.noted(&name).unwrap(), Some((8, one.clone())));
        }
    }
}
