//! What homes of before have in other places: moved when a command opens the home, and read where it is until then.
use super::create::make_within;
use super::mark::read_mark;
use super::{AuthorityName, Home, Mode, Writing, replace_alone, sync_directory};
use crate::failpoint;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for those who write there.
const WAIT: Duration = Duration::from_secs(1);

/// How the mark of a CA ended, which was in `keys/` as it is now.
pub(super) const MARK: &str = "crlnumber";
/// How the request of a CA ended that waits for its certificate, which was in `keys/`.
pub(super) const WAITING: &str = "waiting";

impl Home {
    /// Where the mark of a CA was.
    pub(super) fn former_mark_file(&self, authority: &AuthorityName) -> PathBuf {
        self.keys_directory().join(format!("{authority}.{MARK}"))
    }

    /// Where the request of a CA was.
    pub(super) fn former_waiting_file(&self, authority: &AuthorityName) -> PathBuf {
        self.keys_directory().join(format!("{authority}.{WAITING}"))
    }

    /// Moves what a home of before has in other places, once programs of before are kept out of its index. What
    /// cannot be moved stays, and is read where it is.
    pub(crate) fn move_former(&self) {
        self.move_former_within(WAIT);
    }

    fn move_former_within(&self, wait: Duration) {
        let (keys, requests) = (self.keys_directory(), self.requests_directory());
        if requests.symlink_metadata().is_err() {
            let _ = make_within(&requests, 0o700, None);
        }
        let former = self.former();
        if former.is_empty() {
            return;
        }
        // as whoever raises a mark
        let Ok(alone) = Writing::alone(&keys, wait) else { return };
        for (path, place) in former {
            let moved = match place {
                Place::Mark(mark) => move_mark(&alone, &path, &mark),
                Place::Waiting(waiting) => move_file(&path, &waiting),
            };
            if moved.is_some() {
                failpoint::passed("former: moved");
                let _ = sync_directory(&requests);
                let _ = sync_directory(&keys);
            }
        }
    }

    /// What is in a former place, and where its place is.
    fn former(&self) -> Vec<(PathBuf, Place)> {
        let place = |path: PathBuf| {
            let name: AuthorityName = path.file_stem()?.to_str()?.parse().ok()?;
            let place = match path.extension()?.to_str()? {
                MARK => Place::Mark(self.mark_file(&name)),
                WAITING => Place::Waiting(self.waiting_file(&name)),
                _ => return None,
            };
            Some((path, place))
        };
        super::check::entries(&self.keys_directory()).into_iter().filter_map(place).collect()
    }
}

/// Where something belongs.
enum Place {
    Mark(PathBuf),
    Waiting(PathBuf),
}

/// Moves a file to a place where nothing is; what is there already is the later one.
fn move_file(from: &Path, to: &Path) -> Option<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => fs::remove_file(from).ok(),
        moved => moved.ok(),
    }
}

/// The same of a mark, which never goes back.
fn move_mark(alone: &Writing, from: &Path, to: &Path) -> Option<()> {
    if to.symlink_metadata().is_ok() {
        let (former, mark) = (read_mark(from).ok()??, read_mark(to).ok()??);
        if former > mark {
            replace_alone(alone, to, format!("{former}\n").as_bytes(), Mode::Private).ok()?;
        }
    }
    move_file(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_requests_of_before_are_read_where_they_are_and_moved_once() {
        // C1, G6
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let keys = home.keys_directory();
        let name: AuthorityName = "a".parse().unwrap();
        fs::remove_dir(home.requests_directory()).unwrap();
        fs::write(keys.join("a.age"), "key").unwrap();
        fs::write(keys.join("a.crlnumber"), "7\n").unwrap();
        fs::write(keys.join("b.waiting"), "request").unwrap();
        let waiting: Vec<AuthorityName> = vec!["b".parse().unwrap()];
        assert_eq!(home.mark(&name).unwrap(), Some(7));
        assert_eq!(home.waiting().unwrap(), waiting);
        home.move_former();
        let names = |directory: &Path| -> Vec<String> {
            let paths = super::super::check::entries(directory).into_iter();
            paths.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&keys), ["a.age", "a.mark"]);
        assert_eq!(names(&home.requests_directory()), ["b.waiting"]);
        assert_eq!((home.mark(&name).unwrap(), home.waiting().unwrap()), (Some(7), waiting));
        // a program of before was at work once more
        for (former, mark) in [("9", 9), ("3", 9)] {
            fs::write(keys.join("a.crlnumber"), former).unwrap();
            assert_eq!(home.mark(&name).unwrap(), Some(mark));
            home.move_former();
            assert_eq!(home.mark(&name).unwrap(), Some(mark));
            assert_eq!(names(&keys), ["a.age", "a.mark"]);
        }
    }

    #[test]
    fn a_mark_is_not_moved_while_somebody_raises_it() {
        // C1
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let (name, keys): (AuthorityName, _) = ("a".parse().unwrap(), home.keys_directory());
        fs::write(keys.join("a.crlnumber"), "7\n").unwrap();
        let alone = Writing::alone(&keys, Duration::ZERO).unwrap();
        home.move_former_within(Duration::ZERO);
        assert!(keys.join("a.crlnumber").exists() && !keys.join("a.mark").exists());
        replace_alone(&alone, &keys.join("a.mark"), b"8\n", Mode::Private).unwrap();
        drop(alone);
        home.move_former_within(Duration::ZERO);
        assert!(!keys.join("a.crlnumber").exists());
        assert_eq!(home.mark(&name).unwrap(), Some(8));
    }

    #[test]
    fn a_mark_that_is_no_number_is_moved_only_to_where_none_is() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let (name, keys): (AuthorityName, _) = ("a".parse().unwrap(), home.keys_directory());
        fs::write(keys.join("a.crlnumber"), "hello").unwrap();
        home.move_former();
        assert!(home.mark(&name).is_err() && keys.join("a.mark").exists());
        fs::write(keys.join("a.mark"), "4").unwrap();
        fs::write(keys.join("a.crlnumber"), "hello").unwrap();
        home.move_former();
        assert!(home.mark(&name).is_err() && keys.join("a.crlnumber").exists(), "neither is thrown away");
    }
}
