//! Examines a whole home for what is missing, inaccessible, left behind or unknown. [`Home::findings`] reports
//! excess permissions.
use super::access::{AccessCause, AccessFinding, AccessRule, FileStatus, Owners, finding, quoted};
use super::aside::{ASIDE, left_behind};
use super::check::entries;
use super::status_file::status_file_change;
use super::{Accounts, AuthorityName, Home, PublicFile};
use crate::x509::UnixTime;
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Endings of the signer's copies of the certificates of a CA, of the envelope of its key, and of the key while it comes
/// from another signer.
const ENDINGS: [&str; 4] = [".pem", ".envelope.toml", ".coming", ".ready"];

/// State of a home, apart from excess permissions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Survey {
    /// Number of files and directories that were examined.
    pub seen: usize,
    /// Missing directories, with their modes.
    pub missing: Vec<(PathBuf, u32)>,
    /// Faults that deny access to the owner or the daemon's group.
    pub shut: Vec<AccessFinding>,
    /// Temporary files that a killed process did not rename or remove.
    pub leftovers: Vec<PathBuf>,
    /// Files in the directories of keys, status and public files that this program did not create.
    pub unknown: Vec<PathBuf>,
    /// The file of the home with the latest time of modification, and that time.
    pub newest: Option<(PathBuf, UnixTime)>,
}

impl Home {
    /// Examines the home. `authorities` are the CAs on record, or `None` when they are not known. `kept` are
    /// the files in the key store of these CAs and of the CAs with a pending request.
    #[must_use]
    pub(crate) fn survey(
        &self,
        authorities: Option<&[AuthorityName]>,
        kept: &[PathBuf],
        now: UnixTime,
    ) -> Survey {
        let mut survey = Survey::default();
        let accounts = Accounts::of_system();
        let mut directories: Vec<(PathBuf, u32)> =
            self.permissions().into_iter().map(|place| (place.path, place.mode)).collect();
        for name in authorities.unwrap_or_default() {
            directories.push((self.ocsp_directory(name), 0o2750));
            directories.push((self.issued_directory(name), 0o700));
        }
        for (path, mode) in directories {
            match path.metadata() {
                Ok(metadata) => {
                    let confined = accounts.confined_mode(mode, &metadata);
                    let shared = if mode & 0o2000 == 0 { 0 } else { confined & 0o2050 };
                    survey.judge_owner(&path, &metadata, 0o700, shared);
                }
                // Homes of earlier versions have none, and the next command creates it.
                Err(_) if path == self.requests_directory() => {}
                Err(_) if path.symlink_metadata().is_err() => survey.missing.push((path, mode)),
                Err(_) => {}
            }
        }
        let mut own = vec![(self.index_file(), 0o600), (self.configuration_file(), 0o400)];
        for directory in [self.keys_directory(), self.requests_directory()] {
            own.extend(entries(&directory).into_iter().map(|path| (path, 0o400)));
        }
        for (path, needed) in own {
            if let Ok(metadata) = path.symlink_metadata().as_ref()
                && metadata.is_file()
            {
                survey.judge_owner(&path, metadata, needed, 0);
            }
        }
        let known = authorities.map(|names| self.known_files(names, kept));
        self.look_into(&mut survey, &accounts, known.as_ref(), now);
        survey
    }

    fn look_into(
        &self,
        survey: &mut Survey,
        accounts: &Accounts,
        known: Option<&BTreeSet<PathBuf>>,
        now: UnixTime,
    ) {
        let mut flat = vec![
            self.directory().to_owned(),
            self.policy_directory(),
            self.keys_directory(),
            self.requests_directory(),
            self.status_directory(),
            self.public_directory(),
        ];
        if self.configuration_directory() != self.directory() {
            flat.push(self.configuration_directory().to_owned());
        }
        let strict = [
            self.keys_directory(),
            self.requests_directory(),
            self.status_directory(),
            self.public_directory(),
        ];
        let for_daemon = self.status_directory();
        let issued = self.directory().join("issued");
        for below in [&self.responders_directory(), &issued] {
            flat.extend(entries(below).into_iter().filter(|path| path.is_dir()));
        }
        for directory in flat.iter().chain([&self.responders_directory(), &issued]) {
            survey.leftovers.extend(left_behind(directory));
        }
        for directory in flat {
            let owned = directory.metadata().ok();
            let owned = owned.filter(|owned| accounts.is_confined(owned.gid(), owned.uid()));
            let group = owned.map(|metadata| metadata.gid());
            let responder = directory.parent() == Some(self.responders_directory().as_path());
            for path in entries(&directory) {
                let Ok(metadata) = path.symlink_metadata() else { continue };
                survey.note(&path, &metadata, now);
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                let name = name.unwrap_or_default();
                if name.starts_with(ASIDE) {
                    continue;
                }
                if (responder || directory == for_daemon) && name != ".lock" && metadata.is_file() {
                    survey.judge_group(&path, &metadata, group);
                }
                let own = directory == self.public_directory() || directory == for_daemon;
                if !metadata.is_file() && (own || directory.parent() == Some(issued.as_path())) {
                    let rule = AccessRule { owners: Owners::Anybody, ..AccessRule::PRIVATE_FILE };
                    survey.shut.extend(rule.judge(&path, &FileStatus::from(&metadata), 0));
                    continue;
                }
                let status = directory == for_daemon
                    && (name == ".lock" || name == "manifest.json" || status_file_change(&name).is_some());
                let is_beside_keys = directory == self.keys_directory();
                let is_known = |known: &BTreeSet<PathBuf>| {
                    known.contains(&path) || (is_beside_keys && is_copy(&name, known))
                };
                if strict.contains(&directory) && !status && known.is_some_and(|known| !is_known(known)) {
                    survey.unknown.push(path);
                }
            }
        }
    }

    fn known_files(&self, authorities: &[AuthorityName], kept: &[PathBuf]) -> BTreeSet<PathBuf> {
        let of_one = |name: &AuthorityName| {
            let ceremony =
                [self.ceremony_file(name), self.ceremony_history_file(name), self.key_move_file(name)];
            let copies = ENDINGS.map(|ending| self.keys_directory().join(format!("{name}{ending}")));
            let public = PublicFile::ALL.map(|file| self.public_file(name, file)).into_iter();
            public.chain(ceremony).chain(copies).collect::<Vec<_>>()
        };
        let pending_requests = self.pending_requests().unwrap_or_default();
        let of_pending_requests = pending_requests
            .iter()
            .flat_map(|name| [self.pending_request_file(name), self.former_pending_request_file(name)]);
        authorities.iter().flat_map(of_one).chain(of_pending_requests).chain(kept.iter().cloned()).collect()
    }
}

/// Returns whether this is the name of a signer's copy of certificates or of an envelope, of a key in another place than
/// a file, or of a key whose name another key had before: `key-DIGEST` or `NAME-DIGEST`.
fn is_copy(name: &str, known: &BTreeSet<PathBuf>) -> bool {
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    let Some((of, digest)) = stem.and_then(|stem| stem.rsplit_once('-')) else { return false };
    let is_digest = digest.len() == 16 && digest.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let key = format!("{of}.age");
    let is_key = |path: &PathBuf| path.file_name().is_some_and(|name| name == key.as_str());
    is_digest && (of == "key" || known.iter().any(is_key))
}

impl Survey {
    fn note(&mut self, path: &Path, metadata: &Metadata, now: UnixTime) {
        self.seen = self.seen.saturating_add(1);
        let at = UnixTime(metadata.mtime());
        if at > now && self.newest.as_ref().is_none_or(|(_, newest)| at > *newest) {
            self.newest = Some((path.to_owned(), at));
        }
    }

    /// Checks the permissions of the owner, and those of the group with the set-group-ID bit.
    fn judge_owner(&mut self, path: &Path, metadata: &Metadata, needed: u32, shared: u32) {
        let status = FileStatus::from(metadata);
        let lacking = (needed | shared) & !status.mode;
        if lacking == 0 {
            return;
        }
        let whom = if lacking & needed != 0 { "its owner" } else { "the daemon's group" };
        let fault = format!("keeps {whom} out (mode {:04o})", status.mode);
        let remedy = format!("chmod {} {}", letters(lacking), quoted(path));
        self.shut.push(finding(path, AccessCause::Shut(lacking), fault, remedy));
    }

    fn judge_group(&mut self, path: &Path, metadata: &Metadata, group: Option<u32>) {
        let status = FileStatus::from(metadata);
        let Some(group) = group else { return };
        if status.mode & 0o040 == 0 {
            let fault = format!("cannot be read by the daemon's group (mode {:04o})", status.mode);
            self.shut.push(finding(
                path,
                AccessCause::Shut(0o040),
                fault,
                format!("chmod g+r {}", quoted(path)),
            ));
        } else if status.group != group && status.mode & 0o004 == 0 {
            let fault = format!("is of group {}, its directory of group {group}", status.group);
            self.shut.push(finding(
                path,
                AccessCause::Group,
                fault,
                format!("chgrp {group} {}", quoted(path)),
            ));
        }
    }
}

/// Returns the argument of `chmod` that gives these bits.
fn letters(bits: u32) -> String {
    let rows =
        [(0o400, "u+r"), (0o200, "u+w"), (0o100, "u+x"), (0o040, "g+r"), (0o010, "g+x"), (0o2000, "g+s")];
    rows.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, text)| *text).collect::<Vec<_>>().join(",")
}

impl AccessFinding {
    /// Corrects a fault of permission bits. The file is opened without following a link, and only bits that the
    /// rules name are changed.
    ///
    /// # Errors
    /// When the file belongs to another user, is missing, or is no longer a regular file or directory.
    pub fn mend(&self) -> std::io::Result<()> {
        use rustix::fs::{Mode, OFlags, open};
        let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let descriptor = fs::File::from(open(&self.path, flags, Mode::empty())?);
        let metadata = descriptor.metadata()?;
        let mode = FileStatus::from(&metadata).mode;
        let mode = match self.cause {
            AccessCause::Mode(excess) | AccessCause::Shared(excess) => mode & !excess,
            AccessCause::Shut(lacking) => mode | lacking,
            AccessCause::Kind
            | AccessCause::Owner
            | AccessCause::Group
            | AccessCause::Parent
            | AccessCause::Linked
            | AccessCause::Unreadable => {
                return Err(std::io::ErrorKind::Unsupported.into());
            }
        };
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(std::io::ErrorKind::Unsupported.into());
        }
        // The descriptor refers to the examined file, whatever the path refers to by now.
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&descriptor));
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
    }

    /// Returns whether [`AccessFinding::mend`] can correct the fault: it concerns permission bits, and not a
    /// directory above the home.
    #[must_use]
    pub(crate) fn is_mendable(&self) -> bool {
        matches!(self.cause, AccessCause::Mode(_) | AccessCause::Shared(_) | AccessCause::Shut(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Writing;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const NOW: UnixTime = UnixTime(4_000_000_000);

    fn home() -> (tempfile::TempDir, Home, AuthorityName) {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let name: AuthorityName = "a".parse().unwrap();
        home.create_authority(&name).unwrap();
        (directory, home, name)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_home_has_nothing_missing_shut_or_strange() {
        let (_directory, home, name) = home();
        let survey = home.survey(Some(&[name]), &[], NOW);
        assert_eq!((survey.missing, survey.shut), (Vec::new(), Vec::new()));
        assert_eq!((survey.leftovers, survey.unknown), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_home_of_before_lacks_nothing_and_has_nothing_strange() {
        let (_directory, home, name) = home();
        fs::remove_dir(home.requests_directory()).unwrap();
        let files = ["a.age", "a.crlnumber", "b.age", "b.waiting"];
        let files = files.map(|file| home.keys_directory().join(file));
        for file in &files {
            fs::write(file, "x").unwrap();
            set_mode(file, 0o600);
        }
        let survey = home.survey(Some(&[name]), &files[..3], NOW);
        assert_eq!((survey.missing, survey.shut), (Vec::new(), Vec::new()));
        assert_eq!(survey.unknown, Vec::<PathBuf>::new());
    }

    #[test]
    fn what_is_missing_left_behind_and_strange_is_told_apart() {
        let (_directory, home, name) = home();
        fs::remove_dir(home.issued_directory(&name)).unwrap();
        let left = home.public_directory().join(".new-abc");
        let (key, strange) = (home.keys_directory().join("a.age"), home.keys_directory().join("b.age"));
        for path in [&left, &key, &strange] {
            fs::write(path, "x").unwrap();
        }
        let survey = home.survey(Some(std::slice::from_ref(&name)), &[key], NOW);
        assert_eq!(survey.missing, [(home.issued_directory(&name), 0o700)]);
        assert_eq!((survey.leftovers, survey.unknown), (vec![left.clone()], vec![strange]));
        assert_eq!(home.survey(None, &[], NOW).unknown, Vec::<PathBuf>::new(), "nobody knows whose they are");
        let _writing = Writing::into(&home.public_directory()).unwrap();
        assert_eq!(
            home.survey(None, &[], NOW).leftovers,
            Vec::<PathBuf>::new(),
            "somebody may be writing it"
        );
    }

    #[test]
    fn the_copies_and_envelopes_of_a_signer_are_known_by_their_keys() {
        let (_directory, home, name) = home();
        let at = |file: &str| home.keys_directory().join(file);
        let key = at("a.age");
        let own = [
            "a.age",
            "a.pem",
            "a.envelope.toml",
            "a-0123456789abcdef.pem",
            "key-0123456789abcdef.envelope.toml",
        ];
        let strange =
            ["a-0123.pem", "b-0123456789abcdef.pem", "b.envelope.toml", "b.pem", "key-0123456789abcdef.age"];
        own.iter().chain(&strange).for_each(|file| fs::write(at(file), "x").unwrap());
        // elsewhere such a name says nothing
        let public = home.public_directory().join("key-0123456789abcdef.pem");
        fs::write(&public, "x").unwrap();
        let survey = home.survey(Some(&[name]), &[key], NOW);
        assert_eq!(survey.unknown, strange.map(at).into_iter().chain([public]).collect::<Vec<_>>());
    }

    #[test]
    fn a_directory_that_keeps_its_owner_or_the_daemon_out_is_mended() {
        let (_directory, home, name) = home();
        set_mode(&home.status_directory(), 0o700);
        set_mode(&home.keys_directory(), 0o500);
        let survey = home.survey(Some(&[name]), &[], NOW);
        let mut remedies: Vec<String> = survey.shut.iter().map(|one| one.remedy.clone()).collect();
        remedies.sort();
        assert!(remedies[0].starts_with("chmod g+r,g+x,g+s /") && remedies[0].ends_with("/status"));
        assert!(remedies[1].starts_with("chmod u+w /") && remedies[1].ends_with("/keys"));
        survey.shut.iter().for_each(|one| one.mend().unwrap());
        assert_eq!(fs::metadata(home.status_directory()).unwrap().mode() & 0o7777, 0o2750);
        assert_eq!(fs::metadata(home.keys_directory()).unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn what_a_link_points_to_is_never_mended() {
        let (directory, home, _) = home();
        let elsewhere = directory.path().join("elsewhere");
        fs::write(&elsewhere, "x").unwrap();
        set_mode(&elsewhere, 0o666);
        let link = home.keys_directory().join("a.age");
        symlink(&elsewhere, &link).unwrap();
        let loose = AccessFinding {
            path: link,
            cause: AccessCause::Mode(0o066),
            fault: String::new(),
            remedy: String::new(),
        };
        loose.mend().unwrap_err();
        assert_eq!(fs::metadata(&elsewhere).unwrap().mode() & 0o777, 0o666);
    }
}
