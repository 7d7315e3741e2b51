//! Files with more than one name: what is removed under one stays under the others.
use super::access::{AccessCause, AccessFinding, FileKind, FileStatus, finding, quoted};
use super::check::{entries, examine};
use std::path::Path;

/// Whether a file has the name of a responder's key.
pub(super) fn is_key(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "key")
}

/// Returns the fault of each file of this user in a directory that is meant and has another name besides.
pub(super) fn second_names(
    directory: &Path,
    user: u32,
    is_meant: impl Fn(&Path) -> bool,
) -> Vec<AccessFinding> {
    let found = entries(directory).into_iter().filter(|file| is_meant(file)).filter_map(|file| {
        let status = examine(&file, false).ok().flatten()?;
        judge(&file, &status, user)
    });
    found.collect()
}

/// Returns the fault of this file of this user, if it has another name besides.
pub(super) fn second_name(file: &Path, user: u32) -> Option<AccessFinding> {
    judge(file, &examine(file, true).ok().flatten()?, user)
}

/// Returns the fault of a file of this user with more than one name, if it has. A key whose file is removed would stay
/// under the other one.
#[must_use]
fn judge(path: &Path, status: &FileStatus, user: u32) -> Option<AccessFinding> {
    if status.kind != FileKind::File || status.owner != user || status.links < 2 {
        return None;
    }
    let file = quoted(path);
    let mut alone = path.as_os_str().to_owned();
    alone.push(".alone");
    let alone = quoted(Path::new(&alone));
    let fault = format!("has {} names, and what is removed here stays under the others", status.links);
    Some(finding(path, AccessCause::Linked, fault, format!("cp -p {file} {alone} && mv {alone} {file}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Exit, Remedy, remedy};
    use crate::home::Home;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    #[test]
    fn a_key_with_a_second_name_is_told_with_the_command_that_gives_it_a_file_of_its_own() {
        // P2, K1
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("a key.age");
        let other = directory.path().join("other");
        std::fs::write(&key, "key").unwrap();
        let user = rustix::process::geteuid().as_raw();
        let judged = |path: &Path| judge(path, &FileStatus::from(&path.metadata().unwrap()), user);
        assert_eq!(judged(&key), None);
        std::fs::hard_link(&key, &other).unwrap();
        let found = judged(&key).unwrap();
        assert_eq!(found.fault, "has 2 names, and what is removed here stays under the others");
        assert!(std::process::Command::new("sh").args(["-c", &found.remedy]).status().unwrap().success());
        assert_eq!((judged(&key), judged(&other)), (None, None));
        assert_eq!(std::fs::read(&key).unwrap(), b"key");
    }

    #[test]
    fn a_key_with_a_second_name_stops_every_command_until_it_has_one() {
        // P2, K1
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let name = "a".parse().unwrap();
        home.create_authority(&name).unwrap();
        let keys = [home.keys_directory().join("a.age"), home.responder_key_file(&name)];
        let profile = home.policy_directory().join("user.toml");
        for (file, mode) in [(&keys[0], 0o600), (&keys[1], 0o640), (&profile, 0o644)] {
            fs::write(file, "x").unwrap();
            fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        }
        assert_eq!(home.verify(), Ok(()));
        for (key, kept) in keys.iter().zip(["kept", "kept-too"]) {
            fs::hard_link(key, directory.path().join(kept)).unwrap();
            let problem = home.verify().unwrap_err();
            assert_eq!((problem.code.code(), problem.exit), ("home.unsafe", Exit::Permissions));
            let Remedy::Home(remedy::Home::Mend(commands)) = problem.hint else { panic!("no command") };
            for command in commands {
                assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
            }
            assert_eq!(home.verify(), Ok(()), "{}", key.display());
        }
        // what anybody may read is copied as one likes
        fs::hard_link(&profile, directory.path().join("user.toml")).unwrap();
        assert_eq!(home.verify(), Ok(()));
    }
}
