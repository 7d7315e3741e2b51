//! Checks the owners and modes of a home before it is used.
use super::access::{AccessCause, AccessFinding, AccessRule, FileStatus, Owners, aside, finding, quoted};
use super::names::{is_key, second_names};
use super::trail::{Trail, unreadable};
use super::{Accounts, AuthorityName, Home};
use crate::error::{Code, Problem, Shown as _, remedy};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of the home that anyone may read and only the user may change.
const OWN_FILE: AccessRule = AccessRule { owners: Owners::User, ..AccessRule::CONFIGURATION };

impl Home {
    /// Checks that this user may work in the home and that no other user has access that the rules forbid.
    ///
    /// # Errors
    /// - `home.missing` (exit 5): there is no home here.
    /// - `home.wrong-user` (exit 10): it belongs to another user. This holds for root too, whose new files
    ///   would deny access to the owner.
    /// - `home.unsafe` (exit 10): there are [findings](Home::findings), except for files that a group may read. A key
    ///   with a second name is one of them, as `cp -al` makes it: what is removed here would stay there.
    pub fn verify(&self) -> Result<(), Problem> {
        self.verify_owner()?;
        let mut findings = self.findings();
        // A file that a group can read was readable before: `doctor` reports it, and no command is refused.
        findings.retain(|finding| !matches!(finding.cause, AccessCause::Shared(_)));
        unsafe_places(&format!("the home {}", self.directory().shown()), &findings).map_or(Ok(()), Err)
    }

    /// Checks that the home, or the empty directory at its path, belongs to this user.
    ///
    /// # Errors
    /// `home.missing` and `home.wrong-user` as [`Home::verify`].
    pub fn verify_owner(&self) -> Result<(), Problem> {
        let user = rustix::process::geteuid().as_raw();
        let metadata = fs::metadata(self.directory()).map_err(|error| self.unreachable(&error))?;
        wrong_user(self.directory(), metadata.uid(), user, &Accounts::of_system()).map_or(Ok(()), Err)
    }

    fn unreachable(&self, error: &io::Error) -> Problem {
        let home = self.directory();
        if error.kind() == io::ErrorKind::NotFound {
            Problem::new(Code::HomeMissing, format!("there is no home in {}", home.shown()))
                .hint(remedy::Home::MakeOrName)
        } else {
            let message = format!("the home {} cannot be looked at: {error}", home.shown());
            Problem::new(Code::HomeUnsafe, message).hint(remedy::Home::AsOwner)
        }
    }

    /// Returns every fault that gives other users access to the home, to its files, or to a directory above it.
    ///
    /// A missing file is no fault. In directories that only the owner can enter, only keys and requests are checked.
    #[must_use]
    pub fn findings(&self) -> Vec<AccessFinding> {
        self.findings_for(rustix::process::geteuid().as_raw())
    }

    /// Returns the findings for the user of this number.
    #[must_use]
    pub(crate) fn findings_for(&self, user: u32) -> Vec<AccessFinding> {
        let accounts = Accounts::of_system();
        let private_group = accounts.private_group_of(user);
        let mut findings = Vec::new();
        let mut above = Trail::to(self.directory());
        if self.configuration_directory() != self.directory() {
            let Trail { directories, links } = Trail::to(self.configuration_directory());
            above.directories.extend(directories);
            above.links.extend(links);
        }
        findings.extend(above.findings(user, private_group, &[]));
        let mut look = |path: &Path, rule: AccessRule| match examine(path, path == self.directory()) {
            Ok(Some(status)) => {
                let mut found = rule.judge(path, &status, user);
                found.extend(shared(path, &status, rule, &accounts));
                let is_aside = path.extension().is_some_and(|extension| extension == "aside");
                // A file that was renamed as an earlier finding asked does no harm.
                findings.extend(found.into_iter().filter(|one| !is_aside || one.remedy != aside(path)));
            }
            Ok(None) => {}
            Err(error) => findings.push(unreadable(path, &error)),
        };
        for place in self.permissions() {
            look(&place.path, place.rule);
        }
        look(&self.configuration_file(), AccessRule::CONFIGURATION);
        for profile in entries(&self.policy_directory()) {
            if profile.extension().is_some_and(|extension| extension == "toml") {
                look(&profile, AccessRule::CONFIGURATION);
            }
        }
        for file in self.index_files() {
            look(&file, AccessRule::PRIVATE_FILE);
        }
        look(&self.lock_file(), AccessRule::PRIVATE_FILE);
        look(&self.reserve_file(), AccessRule::PRIVATE_FILE);
        for directory in [self.keys_directory(), self.requests_directory()] {
            for file in entries(&directory) {
                look(&file, AccessRule::PRIVATE_FILE);
            }
        }
        let mut linked = second_names(&self.keys_directory(), user, |_| true);
        for responder in entries(&self.responders_directory()) {
            look(&responder, AccessRule::directory(Owners::User, 0o027));
            linked.extend(second_names(&responder, user, is_key));
            for file in entries(&responder) {
                look(&file, if is_key(&file) { AccessRule::GROUP_FILE } else { OWN_FILE });
            }
        }
        for issued in entries(&self.issued_root()) {
            look(&issued, AccessRule::directory(Owners::User, 0o077));
        }
        for status in entries(&self.status_directory()) {
            look(&status, OWN_FILE);
        }
        for public in entries(&self.public_directory()) {
            let ends = |ending: &&str| public.extension().is_some_and(|extension| extension == *ending);
            if ["pem", "crt", "crl"].iter().any(ends) {
                look(&public, OWN_FILE);
            }
        }
        findings.extend(linked);
        findings
    }
}

impl Home {
    /// Returns the names of the CAs with a pending request: their keys are in this home, and their certificates
    /// are not issued yet.
    ///
    /// # Errors
    /// `file.read` when the directory of the requests, or that of the keys, cannot be read.
    pub fn pending_requests(&self) -> Result<Vec<AuthorityName>, Problem> {
        let mut names = BTreeSet::new();
        // Earlier versions kept requests in the directory of the keys.
        for directory in [self.requests_directory(), self.keys_directory()] {
            let failed = |error: io::Error| {
                let message = format!("{} cannot be read: {error}", directory.shown());
                Problem::new(Code::FileNotRead, message).hint("look at its owner and mode")
            };
            let listed = match fs::read_dir(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                listed => listed.map_err(failed)?,
            };
            for entry in listed {
                let name = entry.map_err(failed)?.file_name();
                let name = name.to_str().and_then(|name| name.strip_suffix(".waiting"));
                names.extend(name.and_then(|name| name.parse::<AuthorityName>().ok()));
            }
        }
        Ok(names.into_iter().collect())
    }

    /// Returns the path of a CA's pending request: the former path when the file is only there, otherwise the
    /// present one.
    #[must_use]
    pub(crate) fn pending_request_file_found(&self, authority: &AuthorityName) -> PathBuf {
        let (now, before) =
            (self.pending_request_file(authority), self.former_pending_request_file(authority));
        if !now.exists() && before.exists() { before } else { now }
    }

    /// Returns the former and the present path of a CA's pending request.
    #[must_use]
    pub(crate) fn pending_request_files(&self, authority: &AuthorityName) -> [PathBuf; 2] {
        [self.former_pending_request_file(authority), self.pending_request_file(authority)]
    }
}

/// Returns a finding when a file for the daemon's group can be read by a group with other members.
fn shared(path: &Path, status: &FileStatus, rule: AccessRule, accounts: &Accounts) -> Option<AccessFinding> {
    let excess = status.mode & !rule.forbidden & 0o070;
    let is_for_daemon = rule.forbidden == AccessRule::GROUP_FILE.forbidden && status.kind == rule.kind;
    if excess == 0 || !is_for_daemon || accounts.is_confined(status.group, status.owner) {
        return None;
    }
    let fault = format!(
        "can be read by the group {}, which is neither genfic-ocsp nor private (mode {:04o})",
        accounts.name_of_group(status.group),
        status.mode
    );
    Some(finding(path, AccessCause::Shared(excess), fault, format!("chmod g-rwx {}", quoted(path))))
}

/// Returns the status of a path. A symbolic link is followed only for the path that the user typed.
pub(super) fn examine(path: &Path, follow: bool) -> io::Result<Option<FileStatus>> {
    let metadata = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
    match metadata {
        Ok(metadata) => Ok(Some(FileStatus::from(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the entries of a directory in order. A directory that cannot be read counts as empty, because its
/// own check reports it.
pub(super) fn entries(directory: &Path) -> BTreeSet<PathBuf> {
    let list = fs::read_dir(directory).into_iter().flatten();
    list.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
}

fn wrong_user(home: &Path, owner: u32, user: u32, accounts: &Accounts) -> Option<Problem> {
    if owner == user {
        return None;
    }
    let name = accounts.name_of(owner);
    let message = format!(
        "the home {} belongs to {name}, and this is {}: its files would not be {name}'s",
        home.shown(),
        accounts.name_of(user)
    );
    let name = if name.chars().all(|c| c.is_ascii_digit()) { format!("'#{name}'") } else { name };
    Some(Problem::new(Code::HomeWrongUser, message).hint(remedy::Home::As(name)))
}

/// Returns the problem of these findings, if there are any; `what` is not safe to use.
pub(super) fn unsafe_places(what: &str, findings: &[AccessFinding]) -> Option<Problem> {
    if findings.is_empty() {
        return None;
    }
    let faults: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let mut commands: Vec<String> = findings.iter().map(|finding| finding.remedy.clone()).collect();
    commands.dedup();
    let message = format!("{what} is not safe to use\n{}", faults.join("\n"));
    Some(Problem::new(Code::HomeUnsafe, message).hint(remedy::Home::Mend(commands)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;
    use crate::error::Remedy;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::process::Command;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn write(path: &Path, mode: u32) {
        fs::write(path, "x").unwrap();
        set_mode(path, mode);
    }

    fn remedies(home: &Home) -> Vec<String> {
        let inside = home.directory().to_owned();
        let findings = home.findings().into_iter().filter(|finding| finding.path.starts_with(&inside));
        findings.map(|finding| finding.remedy.replace(inside.to_str().unwrap(), "~")).collect()
    }

    fn filled(home: &Home) {
        home.create().unwrap();
        let name = "a".parse().unwrap();
        home.create_authority(&name).unwrap();
        write(&home.configuration_file(), 0o644);
        write(&home.policy_directory().join("user.toml"), 0o644);
        write(&home.index_file(), 0o600);
        write(&home.keys_directory().join("a.age"), 0o600);
        write(&home.responder_key_file(&name), 0o640);
        write(&home.responder_certificate_file(&name), 0o644);
    }

    /// Checks a home of an ordinary user, and panics when a fault is not found.
    fn look_as_an_ordinary_user(home: &Home) {
        filled(home);
        let status = fs::metadata(home.directory()).unwrap();
        let is_confined = Accounts::of_system().is_confined(status.gid(), status.uid());
        let key = home.responder_key_file(&"a".parse().unwrap());
        assert_eq!(home.verify(), Ok(()), "what a shared group may read holds nothing up");
        let shared: Vec<String> =
            if is_confined { vec![] } else { vec!["chmod g-rwx ~/ocsp/a/responder.key".into()] };
        assert_eq!(remedies(home), shared);
        home.findings()
            .iter()
            .filter(|one| one.path.starts_with(home.directory()))
            .for_each(|one| one.mend().unwrap());
        assert_eq!(remedies(home), [""; 0]);
        for directory in [home.status_directory(), home.responders_directory()] {
            set_mode(&directory, 0o2750);
        }
        let group = if is_confined { vec![] } else { vec!["chmod g-rwx ~/ocsp", "chmod g-rwx ~/status"] };
        let mut found = remedies(home);
        found.sort();
        assert_eq!(found, group);
        home.findings()
            .iter()
            .filter(|one| one.path.starts_with(home.directory()))
            .for_each(|one| one.mend().unwrap());

        set_mode(&home.keys_directory().join("a.age"), 0o644);
        set_mode(&home.index_file(), 0o660);
        set_mode(&home.keys_directory(), 0o750);
        set_mode(&home.responder_key_file(&"a".parse().unwrap()), 0o644);
        set_mode(&home.configuration_file(), 0o666);
        assert_eq!(
            remedies(home),
            [
                "chmod go-rwx ~/keys",
                "chmod go-w ~/genfic-ca.toml",
                "chmod go-rwx ~/index.db",
                "chmod go-rwx ~/keys/a.age",
                "chmod g-w,o-rwx ~/ocsp/a/responder.key",
            ]
            .into_iter()
            .chain((!is_confined).then_some("chmod g-rwx ~/ocsp/a/responder.key"))
            .collect::<Vec<_>>()
        );
        let problem = home.verify().unwrap_err();
        assert_eq!((problem.code.code(), problem.exit), ("home.unsafe", Exit::Permissions));
        let Remedy::Home(remedy::Home::Mend(commands)) = &problem.hint else { panic!("{problem:?}") };
        assert!(commands.iter().any(|command| command.starts_with("chmod go-rwx ")), "{commands:?}");
        set_mode(&key, 0o604);
        for finding in home.findings() {
            let mended = Command::new("sh").args(["-c", &finding.remedy]).status().unwrap();
            assert!(mended.success(), "{}", finding.remedy);
        }
        assert_eq!(home.verify(), Ok(()), "the commands mend it");

        let link = home.keys_directory().join("b.age");
        symlink("a.age", &link).unwrap();
        fs::create_dir(home.keys_directory().join("c.age")).unwrap();
        assert_eq!(
            remedies(home),
            ["mv ~/keys/b.age ~/keys/b.age.aside", "mv ~/keys/c.age ~/keys/c.age.aside"]
        );
        fs::remove_file(link).unwrap();
        fs::remove_dir(home.keys_directory().join("c.age")).unwrap();

        let parent = home.directory().parent().unwrap();
        set_mode(parent, 0o777);
        assert_eq!(home.verify().unwrap_err().code.code(), "home.unsafe");
        set_mode(parent, 0o1777);
        assert_eq!(home.verify(), Ok(()), "sticky");
        set_mode(parent, 0o755);
    }

    #[test]
    #[ignore = "run by the test below as another user"]
    fn probe() {
        if let Some(directory) = std::env::var_os("GENFIC_TEST_HOME") {
            look_as_an_ordinary_user(&Home::at(directory));
        }
    }

    #[test]
    fn a_loose_home_is_refused_with_the_commands_that_mend_it() {
        // P2, K1
        let directory = tempfile::tempdir().unwrap();
        let nobody = 65534;
        let own = directory.path().join("nobody");
        fs::create_dir(&own).unwrap();
        let home = Home::at(own.join("home"));
        if !rustix::process::geteuid().is_root() {
            look_as_an_ordinary_user(&home);
            return;
        }
        set_mode(directory.path(), 0o755);
        chown(&own, Some(nobody), Some(nobody)).unwrap();
        let program = directory.path().join("probe");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(&program)
            .args(["--ignored", "--exact", "home::check::tests::probe"])
            .env("GENFIC_TEST_HOME", home.directory())
            .current_dir("/")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");

        let problem = home.verify().unwrap_err();
        assert_eq!(
            (problem.code.code(), problem.exit),
            ("home.wrong-user", Exit::Permissions),
            "root is refused"
        );
        assert_eq!(problem.hint, remedy::Home::As("nobody".into()).into());
    }

    #[test]
    fn a_home_that_is_not_there_is_told_from_an_unsafe_one() {
        let problem = Home::at("/nowhere/at/all").verify().unwrap_err();
        assert_eq!((problem.code.code(), problem.exit), ("home.missing", Exit::NotFound));
        assert_eq!(problem.hint, remedy::Home::MakeOrName.into());
    }

    #[test]
    fn another_users_home_names_the_command_that_works() {
        let accounts = Accounts::parse("genfic-ca:x:900:900\nalice:x:1000:1000\n", "");
        let hint = |owner| wrong_user(Path::new("/h"), owner, 1000, &accounts).unwrap().hint;
        assert_eq!(hint(900), remedy::Home::As("genfic-ca".into()).into());
        assert_eq!(hint(4242), remedy::Home::As("'#4242'".into()).into());
        assert_eq!(wrong_user(Path::new("/h"), 1000, 1000, &accounts), None);
    }
}
