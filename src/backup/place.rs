//! The step that puts a prepared directory in the place of the home, atomically.
use super::problems::unwritten;
use super::workplace::{Workplace, sweep};
use crate::error::{Code, Problem, Shown as _, remedy};
use crate::failpoint;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A directory in preparation, and its destination.
#[derive(Debug)]
pub(super) struct Staging {
    work: Workplace,
    target: PathBuf,
    /// Whether the directory is prepared within the target, which exists and is empty, since the parent is not
    /// writable.
    within: bool,
}

impl Staging {
    /// Prepares a directory for this destination.
    pub(super) fn beside(target: &Path) -> Result<Self, Problem> {
        let target = std::path::absolute(target).map_err(|error| unwritten(target, &error))?;
        let parent = target.parent().unwrap_or(Path::new("/")).to_owned();
        let prefix = prefix(&target);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&parent)
            .map_err(|error| unwritten(&parent, &error))?;
        match Workplace::new(&parent, &prefix) {
            Ok(work) => Ok(Self { work, target, within: false }),
            Err(_) if target.is_dir() => {
                let work = Workplace::new(&target, &prefix)?;
                Ok(Self { work, target, within: true })
            }
            Err(problem) => Err(problem.hint(format!(
                "make the directory for the user who is to own it: sudo install -d -o USER {}",
                target.shown()
            ))),
        }
    }

    /// Returns the path of the directory, which does not exist yet.
    pub(super) fn path(&self) -> PathBuf {
        self.work.join("home")
    }

    /// Makes the written files durable, and puts the directory in place.
    pub(super) fn put_in_place(self) -> Result<(), Problem> {
        let staged = self.path();
        let failed = |error: io::Error| unwritten(&self.target, &error);
        let directory = fs::File::open(&staged).map_err(failed)?;
        rustix::fs::syncfs(&directory).map_err(|error| failed(error.into()))?;
        failpoint::passed("restore: durable");
        if self.within {
            merge(&staged, &self.target)?;
        } else {
            // replaces an empty directory or nothing; anything else is an error
            fs::rename(&staged, &self.target).map_err(failed)?;
        }
        failpoint::passed("restore: in place");
        let parent = self.target.parent().unwrap_or(Path::new("/"));
        let synced = if self.within { self.target.as_path() } else { parent };
        fs::File::open(synced).and_then(|directory| directory.sync_all()).map_err(failed)
    }

    /// Adds missing files to a destination that contains some of them already.
    pub(super) fn complete(self) -> Result<(), Problem> {
        merge(&self.path(), &self.target)
    }
}

/// Moves each entry that is missing. The index is moved last, since without it a directory is no home; and keys are, since
/// without its journal no signer may have them.
fn merge(from: &Path, to: &Path) -> Result<(), Problem> {
    let failed = |error: io::Error| unwritten(to, &error);
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(from).and_then(Iterator::collect).map_err(failed)?;
    let is_last =
        |name: &Path| name == Path::new("index.db") || name.extension().is_some_and(|one| one == "age");
    entries.sort_by_key(|entry| is_last(Path::new(&entry.file_name())));
    for entry in entries {
        let target = to.join(entry.file_name());
        if target.is_dir() {
            merge(&entry.path(), &target)?;
        } else if target.symlink_metadata().is_err() {
            fs::rename(entry.path(), &target).map_err(failed)?;
        }
    }
    fs::File::open(to).and_then(|directory| directory.sync_all()).map_err(failed)
}

pub(super) fn prefix(target: &Path) -> String {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!(".{name}.restoring-")
}

/// Checks that the place is empty, after removing what an interrupted restore left there.
pub(super) fn check_vacant(target: &Path) -> Result<(), Problem> {
    let target = std::path::absolute(target).map_err(|error| unwritten(target, &error))?;
    for place in [Some(target.as_path()), target.parent()].into_iter().flatten() {
        sweep(place, &prefix(&target));
    }
    let taken = match fs::read_dir(&target) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    if !taken {
        return Ok(());
    }
    let message = format!("{} is not an empty directory", target.shown());
    Err(Problem::new(Code::HomeExists, message).hint(remedy::Home::EmptyTarget))
}

/// Returns whether every file of a directory is in `whole` with the same contents. `whole` may be within the
/// directory, when it is prepared there.
pub(super) fn is_part_of(directory: &Path, whole: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if whole.starts_with(entry.path()) {
            continue;
        }
        let counterpart = whole.join(entry.file_name());
        let kind = entry.file_type()?;
        let same = if kind.is_dir() {
            is_part_of(&entry.path(), &counterpart)?
        } else {
            kind.is_file() && counterpart.is_file() && fs::read(entry.path())? == fs::read(&counterpart)?
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn what_is_staged_appears_whole_and_only_where_nothing_is() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("home");
        let staging = Staging::beside(&target).unwrap();
        fs::create_dir(staging.path()).unwrap();
        fs::write(staging.path().join("index.db"), "x").unwrap();
        assert!(!target.exists());
        check_vacant(&target).unwrap();
        staging.put_in_place().unwrap();
        assert_eq!(fs::read(target.join("index.db")).unwrap(), b"x");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left aside");
        let problem = check_vacant(&target).unwrap_err();
        assert_eq!((problem.exit, problem.code.code()), (Exit::Exists, "home.exists"));

        let second = Staging::beside(&target).unwrap();
        fs::create_dir(second.path()).unwrap();
        assert!(second.put_in_place().is_err(), "a home is never replaced");
        assert_eq!(fs::read(target.join("index.db")).unwrap(), b"x");
    }

    #[test]
    fn a_directory_that_is_part_of_what_is_restored_is_completed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("etc");
        fs::create_dir_all(target.join("policy")).unwrap();
        fs::write(target.join("policy/user.toml"), "a").unwrap();
        let staging = Staging::beside(&target).unwrap();
        fs::create_dir_all(staging.path().join("policy")).unwrap();
        fs::write(staging.path().join("policy/user.toml"), "a").unwrap();
        fs::write(staging.path().join("policy/system.toml"), "b").unwrap();
        assert!(is_part_of(&target, &staging.path()).unwrap());
        assert!(!is_part_of(&staging.path(), &target).unwrap());
        staging.complete().unwrap();
        assert_eq!(fs::read(target.join("policy/system.toml")).unwrap(), b"b");
    }

    #[test]
    fn what_is_being_made_within_an_empty_directory_is_no_part_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let staged = directory.path().join(".etc.restoring-x/home");
        fs::create_dir_all(&staged).unwrap();
        fs::write(staged.join("genfic-ca.toml"), "a").unwrap();
        assert!(is_part_of(directory.path(), &staged).unwrap());
        fs::write(directory.path().join("genfic-ca.toml"), "b").unwrap();
        assert!(!is_part_of(directory.path(), &staged).unwrap());
    }
}
