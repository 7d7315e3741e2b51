//! What homes of before have in other places: moved when a command opens the home, and read where it is until then.
use super::create::make_within;
use super::mark::read_mark;
use super::{AuthorityName, Home, Mode, replace, sync_directory};
use std::fs;
use std::path::{Path, PathBuf};

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

    /// Moves what a home of before has in other places. What cannot be moved stays, and is read where it is.
    pub(crate) fn move_former(&self) {
        let requests = self.requests_directory();
        if requests.symlink_metadata().is_err() {
            let _ = make_within(&requests, 0o700, None);
        }
        for path in super::check::entries(&self.keys_directory()) {
            let name = path.file_stem().and_then(|name| name.to_str());
            let Some(name) = name.and_then(|name| name.parse::<AuthorityName>().ok()) else { continue };
            let ending = path.extension().and_then(|ending| ending.to_str());
            let moved = match ending {
                Some(MARK) => move_mark(&path, &self.mark_file(&name)),
                Some(WAITING) => move_file(&path, &self.waiting_file(&name)),
                _ => continue,
            };
            if moved.is_some() {
                let _ = sync_directory(&requests);
                let _ = sync_directory(&self.keys_directory());
            }
        }
    }
}

/// Moves a file to a place where nothing is; what is there already is the later one.
fn move_file(from: &Path, to: &Path) -> Option<()> {
    match to.symlink_metadata() {
        Err(_) => fs::rename(from, to).ok(),
        Ok(_) => fs::remove_file(from).ok(),
    }
}

/// The same of a mark, which never goes back.
fn move_mark(from: &Path, to: &Path) -> Option<()> {
    if to.symlink_metadata().is_ok() {
        let (former, mark) = (read_mark(from).ok()??, read_mark(to).ok()??);
        if former > mark {
            replace(to, format!("{former}\n").as_bytes(), Mode::Private).ok()?;
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
