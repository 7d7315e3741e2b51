//! Creates the directories of a home.
use super::access::{FileStatus, aside};
use super::layout::DAEMON_GROUP;
use super::{ASIDE, Accounts, AuthorityName, Home, Writing};
use crate::error::{Code, Problem, Shown as _, remedy};
use crate::failpoint;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

impl Home {
    /// Creates the missing directories, with their modes whatever the umask is, and returns them. Existing
    /// directories are not changed.
    ///
    /// `status/` and `ocsp/` get the group `genfic-ocsp` where it exists and this user is a member.
    ///
    /// # Errors
    /// `home.not-created` when a directory cannot be created, `home.unsafe` when another kind of file is at its
    /// path.
    pub fn create(&self) -> Result<Vec<PathBuf>, Problem> {
        for directory in [self.configuration_directory(), self.directory()] {
            if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o755)
                    .create(parent)
                    .map_err(|error| not_created(parent, &error))?;
            }
        }
        let daemon = Accounts::of_system().group_of(DAEMON_GROUP);
        let mut made = Vec::new();
        for place in self.permissions() {
            let is_outermost = [self.directory(), self.configuration_directory()].contains(&&*place.path);
            made.extend(match is_outermost {
                true => make(&place.path, place.mode)?,
                false => make_within(&place.path, place.mode, daemon)?,
            });
            failpoint::passed("directory made");
        }
        Ok(made)
    }

    /// Creates the directory of requests, which homes of earlier versions do not have.
    ///
    /// # Errors
    /// As [`Home::create`].
    pub(crate) fn create_requests(&self) -> Result<(), Problem> {
        make_within(&self.requests_directory(), 0o700, None).map(drop)
    }

    /// Creates the directories of one CA: `ocsp/NAME/` and `issued/NAME/`.
    ///
    /// # Errors
    /// As [`Home::create`].
    pub(crate) fn create_authority(&self, authority: &AuthorityName) -> Result<(), Problem> {
        for (directory, mode) in
            [(self.ocsp_directory(authority), 0o2750), (self.issued_directory(authority), 0o700)]
        {
            make_within(&directory, mode, None)?;
            failpoint::passed("directory made");
        }
        Ok(())
    }
}

/// Creates a directory of the home that has its mode from the start, because a directory left without its
/// set-group-ID bit by a killed process would stay so. A directory with that bit gets `group` where that is
/// permitted. A group with other members gets no access.
pub(super) fn make_within(path: &Path, mode: u32, group: Option<u32>) -> Result<Option<PathBuf>, Problem> {
    let parent = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.parent(),
        _ => None,
    };
    let Some(parent) = parent else { return make(path, mode) };
    let made = Writing::into(parent).and_then(|writing| {
        let aside = tempfile::Builder::new()
            .prefix(ASIDE)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        failpoint::passed("directory: aside");
        if let Some(group) = group.filter(|_| mode & 0o2000 != 0) {
            // The group is set before the mode, because `chown` clears the set-group-ID bit. Only a member may
            // set it; other users continue without.
            let _ = chown(aside.path(), None, Some(group));
        }
        let mode = Accounts::of_system().confined_mode(mode, &fs::metadata(aside.path())?);
        fs::set_permissions(aside.path(), Permissions::from_mode(mode))?;
        failpoint::passed("directory: aside, with its mode");
        fs::rename(aside.path(), path)?;
        // The directory no longer has its temporary name, so that nothing is to be removed at the drop.
        let _ = aside.keep();
        writing.sync()
    });
    match made {
        Ok(()) => Ok(Some(path.to_owned())),
        // Another process may have created it meanwhile.
        Err(_) if path.symlink_metadata().is_ok() => make(path, mode),
        Err(error) => Err(not_created(path, &error)),
    }
}

fn make(path: &Path, mode: u32) -> Result<Option<PathBuf>, Problem> {
    match DirBuilder::new().mode(mode & 0o777).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode))
            .map(|()| Some(path.to_owned()))
            .map_err(|error| not_created(path, &error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() || path.is_dir() => Ok(None),
            Ok(metadata) => {
                let kind = FileStatus::from(&metadata).kind;
                let message = format!("{} is {kind} where a directory belongs", path.shown());
                Err(Problem::new(Code::HomeUnsafe, message).hint(format!("run: {}", aside(path))))
            }
            Err(error) => Err(not_created(path, &error)),
        },
        Err(error) => Err(not_created(path, &error)),
    }
}

fn not_created(path: &Path, error: &io::Error) -> Problem {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied => Code::HomeNotPermitted,
        _ => Code::HomeNotCreated,
    };
    Problem::new(code, format!("{} cannot be made: {error}", path.shown())).hint(remedy::Home::OtherDirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;
    use crate::error::Remedy;
    use std::process::Command;

    fn modes(home: &Home) -> Vec<(PathBuf, u32)> {
        home.permissions()
            .into_iter()
            .map(|place| {
                let mode = fs::metadata(&place.path).unwrap().permissions().mode() & 0o7777;
                (place.path, mode)
            })
            .collect()
    }

    /// Returns the mode that a directory gets in the tests, where the group may have other members.
    fn of_this_group(mode: u32, path: &Path) -> u32 {
        Accounts::of_system().confined_mode(mode, &fs::metadata(path).unwrap())
    }

    #[test]
    fn directories_are_made_with_their_modes_and_left_when_they_are_there() {
        // K1, P2
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("a/home"));
        assert_eq!(home.create().unwrap().len(), home.permissions().len());
        for (place, (path, mode)) in home.permissions().iter().zip(modes(&home)) {
            assert_eq!(mode, of_this_group(place.mode, &path), "{}", path.display());
            assert_eq!(mode & place.rule.forbidden, 0);
        }
        fs::set_permissions(home.public_directory(), Permissions::from_mode(0o700)).unwrap();
        assert_eq!(home.create().unwrap(), Vec::<PathBuf>::new());
        assert_eq!(fs::metadata(home.public_directory()).unwrap().permissions().mode() & 0o777, 0o700);
        let name: AuthorityName = "a".parse().unwrap();
        home.create_authority(&name).unwrap();
        home.create_authority(&name).unwrap();
        let mode = fs::metadata(home.ocsp_directory(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, of_this_group(0o2750, &home.ocsp_directory(&name)));
    }

    #[test]
    fn the_daemons_directories_are_its_groups_where_that_is_allowed() {
        // P2
        use std::os::unix::fs::MetadataExt;
        let directory = tempfile::tempdir().unwrap();
        let own = fs::metadata(directory.path()).unwrap().gid();
        let others = if rustix::process::geteuid().is_root() { 64_987 } else { own };
        for (name, group, mode, expected) in [
            ("status", Some(others), 0o2750, others),
            ("keys", Some(others), 0o700, own),
            ("ocsp", None, 0o2750, own),
        ] {
            let path = directory.path().join(name);
            make_within(&path, mode, group).unwrap();
            let metadata = fs::metadata(&path).unwrap();
            // K1: the members of the group are not known, so that only the owner has access.
            let mode = of_this_group(mode, &path);
            assert_eq!((metadata.gid(), metadata.mode() & 0o7777), (expected, mode), "{name}");
        }
    }

    #[test]
    #[ignore = "run by the test below under another umask"]
    fn create_for_another_umask() {
        let Some(directory) = std::env::var_os("GENFIC_TEST_HOME") else { return };
        Home::at(directory).create().unwrap();
    }

    #[test]
    fn the_umask_does_not_change_the_modes() {
        for umask in ["000", "077", "777"] {
            let directory = tempfile::tempdir().unwrap();
            let home = Home::at(directory.path().join("home"));
            let script =
                "umask $0; exec \"$1\" --ignored --exact home::create::tests::create_for_another_umask";
            let status = Command::new("sh")
                .args(["-c", script, umask])
                .arg(std::env::current_exe().unwrap())
                .env("GENFIC_TEST_HOME", home.directory())
                .output()
                .unwrap();
            assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
            for (place, (path, mode)) in home.permissions().iter().zip(modes(&home)) {
                assert_eq!(mode, of_this_group(place.mode, &path), "umask {umask}: {}", path.display());
            }
        }
    }

    #[test]
    fn a_file_in_the_place_of_a_directory_is_said() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("keys"), "").unwrap();
        let problem = Home::at(directory.path()).create().unwrap_err();
        assert_eq!((problem.code.code(), problem.exit), ("home.unsafe", Exit::Permissions));
        assert!(matches!(&problem.hint, Remedy::Words(words) if words.contains("mv ")), "{problem:?}");
    }
}
