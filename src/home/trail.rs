//! The directories and links on the way to a path. Whoever can change one of them decides what is at the path.
use super::access::{AccessCause, AccessFinding, FileStatus, finding, judge_parent, quoted};
use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Bound of the symbolic links that are followed, as in the kernel.
const MOST_LINKS: usize = 40;

/// Every directory on the way, and every symbolic link that is followed, the last part of the path included.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Trail {
    pub(super) directories: BTreeSet<PathBuf>,
    pub(super) links: BTreeSet<PathBuf>,
}

impl Trail {
    /// Returns the way to this path, as far as it exists.
    pub(super) fn to(path: &Path) -> Self {
        let mut trail = Self::default();
        let Ok(path) = std::path::absolute(path) else { return trail };
        let mut left = parts(&path);
        let mut here = PathBuf::from("/");
        let mut followed = 0;
        while let Some(part) = left.pop_front() {
            trail.directories.insert(here.clone());
            if part == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&part);
            match fs::read_link(&next) {
                Ok(target) if followed < MOST_LINKS => {
                    followed += 1;
                    trail.links.insert(next);
                    if target.is_absolute() {
                        here = PathBuf::from("/");
                    }
                    for part in parts(&target).into_iter().rev() {
                        left.push_front(part);
                    }
                }
                _ => here = next,
            }
        }
        trail
    }

    /// Returns the faults that let other users than this user, root and `also` change the way.
    pub(super) fn findings(&self, user: u32, private_group: Option<u32>, also: &[u32]) -> Vec<AccessFinding> {
        let as_ours = |status: FileStatus| match also.contains(&status.owner) {
            true => FileStatus { owner: user, ..status },
            false => status,
        };
        let mut findings = Vec::new();
        for directory in &self.directories {
            match directory.symlink_metadata() {
                Ok(metadata) => {
                    let status = as_ours(FileStatus::from(&metadata));
                    findings.extend(judge_parent(directory, &status, user, private_group));
                }
                Err(error) => findings.push(unreadable(directory, &error)),
            }
        }
        for link in &self.links {
            match link.symlink_metadata().map(|metadata| as_ours(FileStatus::from(&metadata)).owner) {
                Ok(owner) if owner == user || owner == 0 => {}
                Ok(owner) => {
                    let fault = format!("is a symbolic link of user {owner}, who can turn it elsewhere");
                    let remedy = format!("sudo chown -h root {}", quoted(link));
                    findings.push(finding(link, AccessCause::Parent, fault, remedy));
                }
                Err(error) => findings.push(unreadable(link, &error)),
            }
        }
        findings
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    parts.collect()
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> AccessFinding {
    finding(
        path,
        AccessCause::Unreadable,
        format!("cannot be looked at: {error}"),
        format!("ls -ld {}", quoted(path)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{lchown, symlink};

    #[test]
    fn every_link_and_every_directory_on_the_way_is_seen() {
        // P2
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(at("deep/home")).unwrap();
        fs::create_dir(at("between")).unwrap();
        symlink("../deep", at("between/second")).unwrap();
        symlink(at("between/second"), at("first")).unwrap();
        symlink("first/home", at("home")).unwrap();
        let trail = Trail::to(&at("home"));
        assert_eq!(trail.links, [at("between/second"), at("first"), at("home")].into());
        for passed in ["", "between", "deep"] {
            assert!(trail.directories.contains(at(passed).as_path()), "{passed}: {trail:?}");
        }
        assert!(!trail.directories.contains(&at("deep/home")), "what is at its end is looked at as itself");
        symlink("round", at("round")).unwrap();
        assert!(!Trail::to(&at("round")).links.is_empty());
    }

    #[test]
    fn a_link_of_another_user_is_refused_wherever_it_stands() {
        // P2: the directory is sticky, in which users can change only their own entries.
        if !crate::testing::is_root() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        fs::create_dir(directory.path().join("home")).unwrap();
        symlink("home", &link).unwrap();
        let found = |also: &[u32]| Trail::to(&link).findings(0, None, also);
        assert_eq!(found(&[]), []);
        lchown(&link, Some(4242), None).unwrap();
        assert_eq!(found(&[]).len(), 1);
        assert!(found(&[])[0].fault.contains("of user 4242"), "{:?}", found(&[]));
        assert_eq!(found(&[4242]), []);
    }
}
