//! Private directories for work in progress. A finished command removes its own; an interrupted one's is removed by
//! the next command.
use super::problems::unwritten;
use crate::error::Problem;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A directory that only its owner can use, locked as long as it is in use.
#[derive(Debug)]
pub(super) struct Workplace {
    directory: tempfile::TempDir,
    _lock: File,
}

impl Workplace {
    /// Creates a directory whose name begins with `prefix`, and removes those that ended processes left behind.
    pub(super) fn new(within: &Path, prefix: &str) -> Result<Self, Problem> {
        sweep(within, prefix);
        loop {
            let failed = |error: std::io::Error| unwritten(within, &error);
            let directory = tempfile::Builder::new()
                .prefix(prefix)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(within)
                .map_err(failed)?;
            let lock = File::open(directory.path()).map_err(failed)?;
            flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| failed(error.into()))?;
            // another process may have removed it as left behind before it was locked
            let there = fs::metadata(directory.path()).map(|metadata| metadata.ino());
            if there.ok() == lock.metadata().ok().map(|metadata| metadata.ino()) {
                return Ok(Self { directory, _lock: lock });
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

/// Removes the directories that no process has locked.
pub(super) fn sweep(within: &Path, prefix: &str) {
    for (_lock, path) in left_in(within, prefix) {
        let _ = fs::remove_dir_all(&path);
    }
}

/// Returns the directories that ended processes left behind, locked while the returned files are open.
pub(super) fn left_in(within: &Path, prefix: &str) -> Vec<(File, PathBuf)> {
    let entries = fs::read_dir(within).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    ours.filter_map(|entry| {
        let path = entry.path();
        let is_directory = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let lock = is_directory.then(|| File::open(&path).ok()).flatten()?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
        Some((lock, path))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_is_in_use_stays() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join(".work-left")).unwrap();
        fs::write(directory.path().join(".work-left/index.db"), "x").unwrap();
        fs::create_dir(directory.path().join("other")).unwrap();
        let first = Workplace::new(directory.path(), ".work-").unwrap();
        assert!(!directory.path().join(".work-left").exists());
        let second = Workplace::new(directory.path(), ".work-").unwrap();
        assert!(first.path().exists() && second.path().exists());
        assert_eq!(fs::metadata(first.path()).unwrap().mode() & 0o777, 0o700);
        drop((first, second));
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["other"]);
    }
}
