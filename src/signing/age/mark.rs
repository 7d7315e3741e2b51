//! The mark beside a CA key, `NAME.mark`: the highest CRL number used with the key, in decimal.
use super::files::{FORMER_MARK, KeyFile, MARK};
use crate::failpoint;
use crate::home::{Mode, ReadError, Writing, read_file, replace_alone, sync_directory};
use crate::signing::{KeyPlace, Mark, MarkError};
use crate::x509::extension::CrlNumber;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bound of the wait for another process that writes marks.
const WAIT: Duration = Duration::from_secs(30);
/// Bound of the wait for other writers before marks under their former names are renamed. After it the marks stay, and
/// are read where they are.
const WAIT_TO_MOVE: Duration = Duration::from_secs(1);
/// Bound of a mark file, in octets; a CRL number takes at most 20 digits.
const LARGEST: u64 = 64;

/// Returns the paths of the mark of this key file: the current one, then the former one.
pub(in crate::signing) fn places(key: &Path) -> [PathBuf; 2] {
    [key.with_extension(MARK), key.with_extension(FORMER_MARK)]
}

/// Reads the mark of this key file. Where both the current and the former file exist, the higher number counts.
pub(in crate::signing) fn read(key: &Path) -> Result<Mark, MarkError> {
    let [place, former_place] = places(key);
    // former path first, so that a rename in between is not missed
    let former = number_in(&former_place)?;
    let number = number_in(&place)?;
    let (number, place) = if former > number { (former, former_place) } else { (number, place) };
    Ok(Mark { number, place: KeyPlace::File(place) })
}

/// Raises the mark to this number. A lower number leaves the mark as it is.
pub(in crate::signing) fn raise(key: &Path, number: CrlNumber) -> Result<(), MarkError> {
    let path = key.with_extension(MARK);
    let alone = Writing::alone(key.parent().unwrap_or(key), WAIT).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => MarkError::Busy,
        _ => MarkError::NotRead { path: path.clone(), source: error },
    })?;
    if read(key)?.number.is_some_and(|mark| mark >= number) {
        return Ok(());
    }
    Ok(replace_alone(&alone, &path, format!("{number}\n").as_bytes(), Mode::Private)?)
}

/// Renames the marks of this directory that have their former names. The caller first keeps older versions of the
/// program out of the index. A mark that cannot be renamed stays, and is read where it is.
pub(crate) fn move_former_marks(directory: &Path) {
    move_former_within(directory, WAIT_TO_MOVE);
}

fn move_former_within(directory: &Path, wait: Duration) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_former = |path: &PathBuf| {
        let file = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        matches!(file, Some(KeyFile::FormerMark(_)))
    };
    let mut former: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_former).collect();
    former.sort();
    if former.is_empty() {
        return;
    }
    // under the same lock as raising a mark
    let Ok(alone) = Writing::alone(directory, wait) else { return };
    for path in former {
        if move_one(&alone, &path, &path.with_extension(MARK)).is_some() {
            failpoint::passed("former: mark moved");
            let _ = sync_directory(directory);
        }
    }
}

fn move_one(alone: &Writing, from: &Path, to: &Path) -> Option<()> {
    if to.symlink_metadata().is_ok() {
        let (former, mark) = (number_in(from).ok()??, number_in(to).ok()??);
        if former > mark {
            replace_alone(alone, to, format!("{former}\n").as_bytes(), Mode::Private).ok()?;
        }
    }
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => fs::remove_file(from).ok(),
        moved => moved.ok(),
    }
}

/// Returns the number in a file; `None` when the file does not exist.
fn number_in(file: &Path) -> Result<Option<CrlNumber>, MarkError> {
    let path = || file.to_owned();
    match read_file(file, LARGEST) {
        Ok(octets) => String::from_utf8_lossy(&octets).trim().parse().map(Some).map_err(|error| {
            let error: std::num::ParseIntError = error;
            MarkError::Unreadable { path: path(), reason: format!("is not a CRL number: {error}") }
        }),
        Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // such an error is a shortage of the system and says nothing about the file
        Err(ReadError::Io(source))
            if [Errno::MFILE, Errno::NFILE, Errno::NOMEM]
                .iter()
                .any(|errno| source.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            Err(MarkError::NotRead { path: path(), source })
        }
        Err(error @ ReadError::Kind(_)) => {
            Err(MarkError::NotAFile { path: path(), reason: error.to_string() })
        }
        Err(error) => Err(MarkError::Unreadable { path: path(), reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Keys(tempfile::TempDir);

    impl Keys {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn at(&self, file: &str) -> PathBuf {
            self.0.path().join(file)
        }

        fn put(&self, file: &str, contents: &str) {
            fs::write(self.at(file), contents).unwrap();
        }

        fn mark(&self) -> Result<Option<CrlNumber>, MarkError> {
            read(&self.at("a.age")).map(|mark| mark.number)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    #[test]
    fn a_mark_is_a_number_or_said_to_be_none_and_a_fifo_is_not_waited_for() {
        // C1
        let keys = Keys::new();
        assert_eq!(keys.mark().unwrap(), None);
        keys.put("a.mark", "7\n");
        assert_eq!(keys.mark().unwrap(), Some(7));
        for damaged in ["", "-1", "many", &"1".repeat(30), &"1".repeat(65)] {
            keys.put("a.mark", damaged);
            assert!(matches!(keys.mark(), Err(MarkError::Unreadable { .. })), "{damaged}");
        }
        fs::remove_file(keys.at("a.mark")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(keys.at("a.mark")).status();
        assert!(made.unwrap().success());
        assert!(matches!(keys.mark(), Err(MarkError::NotAFile { .. })));
    }

    #[test]
    fn of_two_files_the_one_is_named_that_is_wrong_or_has_the_number() {
        let keys = Keys::new();
        for (other, one) in [("a.mark", "a.crlnumber"), ("a.crlnumber", "a.mark")] {
            keys.put(other, "7");
            keys.put(one, "many");
            assert_eq!(keys.mark().unwrap_err().fault().unwrap().0, keys.at(one));
            keys.put(one, "8");
            let mark = read(&keys.at("a.age")).unwrap();
            assert_eq!(mark, Mark { number: Some(8), place: KeyPlace::File(keys.at(one)) });
        }
    }

    #[test]
    fn marks_of_before_are_read_where_they_are_and_moved_once() {
        // C1, G6
        let keys = Keys::new();
        keys.put("a.age", "key");
        keys.put("a.crlnumber", "7\n");
        assert_eq!(keys.mark().unwrap(), Some(7));
        move_former_marks(keys.0.path());
        assert_eq!(keys.names(), ["a.age", "a.mark"]);
        assert_eq!(keys.mark().unwrap(), Some(7));
        // an older version of the program was used once more
        for (former, mark) in [("9", 9), ("3", 9)] {
            keys.put("a.crlnumber", former);
            assert_eq!(keys.mark().unwrap(), Some(mark));
            move_former_marks(keys.0.path());
            assert_eq!(keys.mark().unwrap(), Some(mark));
            assert_eq!(keys.names(), ["a.age", "a.mark"]);
        }
    }

    #[test]
    fn a_mark_is_not_moved_while_somebody_raises_it() {
        // C1
        let keys = Keys::new();
        keys.put("a.crlnumber", "7\n");
        let alone = Writing::alone(keys.0.path(), Duration::ZERO).unwrap();
        move_former_within(keys.0.path(), Duration::ZERO);
        assert_eq!(keys.names(), ["a.crlnumber"]);
        replace_alone(&alone, &keys.at("a.mark"), b"8\n", Mode::Private).unwrap();
        drop(alone);
        move_former_within(keys.0.path(), Duration::ZERO);
        assert_eq!(keys.names(), ["a.mark"]);
        assert_eq!(keys.mark().unwrap(), Some(8));
    }

    #[test]
    fn a_mark_that_is_no_number_is_moved_only_to_where_none_is() {
        let keys = Keys::new();
        keys.put("a.crlnumber", "hello");
        move_former_marks(keys.0.path());
        assert!(keys.mark().is_err());
        assert_eq!(keys.names(), ["a.mark"]);
        keys.put("a.mark", "4");
        keys.put("a.crlnumber", "hello");
        move_former_marks(keys.0.path());
        assert!(keys.mark().is_err());
        assert_eq!(keys.names(), ["a.crlnumber", "a.mark"], "neither is thrown away");
    }
}
