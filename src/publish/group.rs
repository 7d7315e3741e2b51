//! Many files at the price of a few: they wait for the disk together.
use super::atomic::{directory_of, write_aside};
use super::{Mode, WriteError, sync_directory};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// Up to so many files are made durable one by one, side by side; of more, the whole file system is told to
/// write what it has, which waits for other programs' data too.
const FEW: usize = 8;

/// A file to be put in place.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// Where.
    pub path: PathBuf,
    /// What will be in it.
    pub contents: Vec<u8>,
    /// Its permissions.
    pub mode: Mode,
}

/// Puts files in the places of whatever their paths name. All are written aside and made durable together, then
/// put in place one after the other in the order given, and last the directories are made durable: a process
/// that is killed on the way leaves the first of them in place or none, and each of them whole.
///
/// # Errors
/// When a directory cannot be written or the disk is full. Those that follow the one named are as they were.
pub fn replace_all(files: &[Replacement]) -> Result<(), WriteError> {
    let failed = |path: &Path, source| WriteError { path: path.to_owned(), source };
    let aside = if files.len() <= FEW { write_few(files)? } else { write_many(files)? };
    for (aside, file) in aside.into_iter().zip(files) {
        aside.persist(&file.path).map_err(|error| failed(&file.path, error.error))?;
    }
    let directories = directories(files);
    let synced = each(&directories, |directory| sync_directory(directory));
    synced.into_iter().collect()
}

fn directories(files: &[Replacement]) -> Vec<&Path> {
    let mut directories: Vec<&Path> = files.iter().map(|file| directory_of(&file.path)).collect();
    directories.sort_unstable();
    directories.dedup();
    directories
}

fn write_few(files: &[Replacement]) -> Result<Vec<TempPath>, WriteError> {
    let mut aside = Vec::with_capacity(files.len());
    for Replacement { path, contents, mode } in files {
        aside.push(write_aside(path, contents, *mode)?);
    }
    let synced = each(&aside, |aside: &NamedTempFile| aside.as_file().sync_all());
    for (outcome, file) in synced.into_iter().zip(files) {
        outcome.map_err(|source| WriteError { path: file.path.clone(), source })?;
    }
    Ok(aside.into_iter().map(NamedTempFile::into_temp_path).collect())
}

/// The files are closed on the way: there may be more of them than a process may have open.
fn write_many(files: &[Replacement]) -> Result<Vec<TempPath>, WriteError> {
    let mut aside = Vec::with_capacity(files.len());
    for Replacement { path, contents, mode } in files {
        aside.push(write_aside(path, contents, *mode)?.into_temp_path());
    }
    for directory in directories(files) {
        File::open(directory)
            .and_then(|directory| rustix::fs::syncfs(directory).map_err(io::Error::from))
            .map_err(|source| WriteError { path: directory.to_owned(), source })?;
    }
    Ok(aside)
}

/// Does something with each, all at the same time; the outcomes are in the same order.
fn each<T: Sync, R: Send>(all: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    let act = &act;
    std::thread::scope(|scope| {
        let others: Vec<_> = others.iter().map(|one| scope.spawn(move || act(one))).collect();
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
