//! Files at the paths of earlier versions. They are moved when a command opens the home, and read there until
//! then.
use super::create::make_within;
use super::{AuthorityName, Home, sync_directory};
use crate::failpoint;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs;
use std::path::{Path, PathBuf};

/// Suffix of a CA's pending request, which was in `keys/`.
pub(super) const WAITING: &str = "waiting";

impl Home {
    /// Returns the former path of a CA's pending request.
    pub(super) fn former_pending_request_file(&self, authority: &AuthorityName) -> PathBuf {
        self.keys_directory().join(format!("{authority}.{WAITING}"))
    }

    /// Moves files from the paths of earlier versions, after programs of earlier versions can no longer open
    /// the index. A file that cannot be moved stays and is read there.
    pub(crate) fn move_former(&self) {
        let (keys, requests) = (self.keys_directory(), self.requests_directory());
        if requests.symlink_metadata().is_err() {
            let _ = make_within(&requests, 0o700, None);
        }
        for (path, place) in self.former() {
            if move_file(&path, &place).is_some() {
                failpoint::passed("former: moved");
                let _ = sync_directory(&requests);
                let _ = sync_directory(&keys);
            }
        }
    }

    /// Returns the files at former paths, each with its present path.
    fn former(&self) -> Vec<(PathBuf, PathBuf)> {
        let place = |path: PathBuf| {
            let name: AuthorityName = path.file_stem()?.to_str()?.parse().ok()?;
            let is_waiting = path.extension().is_some_and(|ending| ending == WAITING);
            is_waiting.then(|| (path, self.pending_request_file(&name)))
        };
        super::check::entries(&self.keys_directory()).into_iter().filter_map(place).collect()
    }
}

/// Moves a file to a path that does not exist. An existing file there is newer, so that the former one is
/// removed.
fn move_file(from: &Path, to: &Path) -> Option<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => fs::remove_file(from).ok(),
        moved => moved.ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_before_are_read_where_they_are_and_moved_once() {
        // G6
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let keys = home.keys_directory();
        fs::remove_dir(home.requests_directory()).unwrap();
        fs::write(keys.join("a.age"), "key").unwrap();
        fs::write(keys.join("b.waiting"), "request").unwrap();
        let pending_requests: Vec<AuthorityName> = vec!["b".parse().unwrap()];
        assert_eq!(home.pending_requests().unwrap(), pending_requests);
        let names = |directory: &Path| -> Vec<String> {
            let paths = super::super::check::entries(directory).into_iter();
            paths.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
        };
        // A program of an earlier version ran again.
        for former in ["request", "an older one"] {
            fs::write(keys.join("b.waiting"), former).unwrap();
            home.move_former();
            assert_eq!(names(&keys), ["a.age"]);
            assert_eq!(names(&home.requests_directory()), ["b.waiting"]);
            let kept = fs::read_to_string(home.requests_directory().join("b.waiting")).unwrap();
            assert_eq!(
                (kept.as_str(), home.pending_requests().unwrap()),
                ("request", pending_requests.clone())
            );
        }
    }
}
