//! Writes many files durably for the price of a few, with one wait for the disk.
use super::atomic::{Aside, directory_of, empty_file};
use super::{Mode, WriteError, Writing, sync_directory};
use crate::failpoint;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Bound of the files that are synchronised one by one, in parallel. For more files the whole file system is
/// synchronised, which also waits for other programs' data.
const FEW: usize = 8;

/// A file to be written.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The path of the file.
    pub path: PathBuf,
    /// The contents of the file.
    pub contents: Vec<u8>,
    /// The permissions of the file.
    pub mode: Mode,
}

/// Creates or replaces files. All are written under temporary names and made durable together. Then they are
/// renamed in the order given, and last the directories are made durable. If the process is killed on the way,
/// each file is complete, and those already renamed are the first in the order.
///
/// # Errors
/// When a directory cannot be written or the disk is full. The file that the error names and those after it are
/// not replaced.
pub fn replace_all(files: &[Replacement]) -> Result<(), WriteError> {
    if files.len() > FEW {
        return replace_many(files);
    }
    let asides =
        files.iter().map(|file| Aside::fill(&file.path, file.mode, |aside| aside.write_all(&file.contents)));
    put_all(asides.collect::<Result<_, _>>()?)
}

/// Creates or replaces a file that can be made again from elsewhere. When the process is killed it is there whole or not
/// at all; when the power fails within the next half minute it may be cut short, so that its reader has to know whether it
/// is whole.
///
/// # Errors
/// As [`replace_all`].
pub(crate) fn replace_soon(file: &Replacement) -> Result<(), WriteError> {
    Aside::fill(&file.path, file.mode, |aside| aside.write_all(&file.contents))?.ready()?.replace()
}

/// Makes a few written temporary files durable and renames them, in the same way.
///
/// # Errors
/// As [`replace_all`].
pub(crate) fn put_all(asides: Vec<Aside>) -> Result<(), WriteError> {
    let paths: Vec<PathBuf> = asides.iter().map(|aside| aside.path().to_owned()).collect();
    each(&asides, Aside::settle).into_iter().collect::<Result<(), _>>()?;
    failpoint::passed("files: aside, durable");
    asides.into_iter().try_for_each(Aside::replace)?;
    sync_directories(&directories(paths.iter()))
}

/// Writes many files. Each is closed after it is written, because there may be more of them than a process may
/// have open.
fn replace_many(files: &[Replacement]) -> Result<(), WriteError> {
    let failed = |path: &Path, source| WriteError { path: path.to_owned(), source };
    let directories = directories(files.iter().map(|file| &file.path));
    let mut writing = Vec::with_capacity(directories.len());
    for directory in &directories {
        writing.push(Writing::into(directory).map_err(|source| failed(directory, source))?);
    }
    failpoint::passed("files: to be written");
    let mut asides = Vec::with_capacity(files.len());
    for file in files {
        asides.push(write_aside(file).map_err(|source| failed(&file.path, source))?);
        failpoint::passed("files: one aside");
    }
    for directory in &directories {
        File::open(directory)
            .and_then(|directory| rustix::fs::syncfs(directory).map_err(io::Error::from))
            .map_err(|source| failed(directory, source))?;
    }
    failpoint::passed("files: aside, durable");
    for (aside, file) in asides.into_iter().zip(files) {
        aside.persist(&file.path).map_err(|error| failed(&file.path, error.error))?;
        failpoint::passed("file: in place");
    }
    sync_directories(&directories)
}

fn write_aside(file: &Replacement) -> io::Result<TempPath> {
    let mut aside = empty_file(directory_of(&file.path))?;
    aside.write_all(&file.contents)?;
    let bits = file.mode.bits(aside.as_file())?;
    aside.as_file().set_permissions(Permissions::from_mode(bits))?;
    Ok(aside.into_temp_path())
}

fn directories<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> Vec<&'p Path> {
    let mut directories: Vec<&Path> = paths.map(|path| directory_of(path)).collect();
    directories.sort_unstable();
    directories.dedup();
    directories
}

fn sync_directories(directories: &[&Path]) -> Result<(), WriteError> {
    each(directories, |directory| sync_directory(directory)).into_iter().collect()
}

/// Applies a function to all elements in parallel, and returns the results in the same order.
fn each<T: Sync, R: Send>(all: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    let act = &act;
    std::thread::scope(|scope| {
        let others: Vec<_> = others
            .iter()
            .map(|one| {
                scope.spawn(move || {
                    failpoint::in_thread("files: at the same time");
                    act(one)
                })
            })
            .collect();
        let mut outcomes = vec![act(first)];
        outcomes.extend(others.into_iter().map(|other| match other.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        outcomes
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn files(directory: &Path, count: usize) -> Vec<Replacement> {
        let file = |at| Replacement {
            path: directory.join(format!("{at}.pem")),
            contents: format!("{at}").into_bytes(),
            mode: Mode::Private,
        };
        (0..count).map(file).collect()
    }

    #[test]
    fn few_and_many_are_written_whole_and_with_their_mode() {
        for count in [0, 1, FEW, FEW + 1, 1100] {
            let directory = tempfile::tempdir().unwrap();
            let files = files(directory.path(), count);
            fs::write(directory.path().join("0.pem"), "old and longer").unwrap();
            replace_all(&files).unwrap();
            for file in &files {
                assert_eq!(fs::read(&file.path).unwrap(), file.contents);
                assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
            }
            assert_eq!(
                fs::read_dir(directory.path()).unwrap().count(),
                count.max(1),
                "nothing is left aside"
            );
        }
    }

    #[test]
    fn when_one_cannot_be_put_in_place_those_before_it_are_and_those_after_it_are_not() {
        for count in [3, FEW + 3] {
            let directory = tempfile::tempdir().unwrap();
            let files = files(directory.path(), count);
            fs::create_dir(directory.path().join("1.pem")).unwrap();
            let error = replace_all(&files).unwrap_err();
            assert_eq!(error.path, files[1].path);
            let left: Vec<_> =
                fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert_eq!(left.len(), 2, "{left:?}");
            assert!(files[0].path.is_file());
        }
    }

    #[test]
    fn when_one_cannot_be_written_none_is_put_in_place() {
        for count in [2, FEW + 2] {
            let directory = tempfile::tempdir().unwrap();
            let mut files = files(directory.path(), count);
            files[count - 1].path = directory.path().join("nowhere/a.pem");
            assert!(replace_all(&files).is_err());
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        }
    }
}
