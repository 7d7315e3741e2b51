//! Files with more than one name: what is removed under one stays under the others.
use super::access::{AccessCause, AccessFinding, FileKind, FileStatus, finding, quoted};
use super::check::{entries, examine};
use std::path::Path;

/// Returns the fault of each file of this user in a directory that has another name besides.
pub(super) fn second_names(directory: &Path, user: u32) -> Vec<AccessFinding> {
    let found = entries(directory).into_iter().filter_map(|file| {
        let status = examine(&file, false).ok().flatten()?;
        judge(&file, &status, user)
    });
    found.collect()
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
}
