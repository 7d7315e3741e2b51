//! Checks of what a program opens that does not own the home: the daemon, the signer with its own directory, media.
use super::access::{AccessCause, AccessFinding, AccessRule, Owners};
use super::check::{entries, examine, unsafe_places};
use super::names::{is_key, second_names};
use super::trail::{Trail, unreadable};
use super::{Accounts, Home, has_no_modes, mended_there};
use crate::error::{Problem, Shown as _};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// A directory that the signer has for itself.
const OWN_DIRECTORY: AccessRule = AccessRule::directory(Owners::User, 0o077);
/// A directory of what the security administrator grants.
const GRANTED_DIRECTORY: AccessRule = AccessRule::directory(Owners::UserOrRoot, 0o022);

impl Home {
    /// Checks what the daemon reads: directories, files, and the way to them. Everything belongs to the owner of the
    /// home, root may own the configuration, and nobody else may change any of it. What the daemon may not look at is
    /// no fault: it says so when it reads.
    ///
    /// # Errors
    /// `home.unsafe` (exit 10) with the commands that mend it.
    pub fn verify_for_daemon(&self, status: &Path) -> Result<(), Problem> {
        let owner_of = |path: &Path| path.metadata().map(|metadata| metadata.uid());
        // where parts of the home are mounted into an empty directory, as in the daemon's unit, that directory is root's,
        // and nobody else has put the parts there
        let owner = match owner_of(self.directory()) {
            Ok(0) => owner_of(status).unwrap_or(0),
            Ok(owner) => owner,
            Err(_) => return Ok(()),
        };
        let mut places = Places::new(owner);
        let public = AccessRule { owners: Owners::User, ..AccessRule::CONFIGURATION };
        for above in [self.directory(), self.configuration_directory(), status] {
            places.way(above);
        }
        places.look(self.directory(), AccessRule::directory(Owners::UserOrRoot, 0o022), true);
        places.below(status, AccessRule::directory(Owners::User, 0o027), |_| Some(public));
        for responder in entries(&self.responders_directory()) {
            places.below(&responder, AccessRule::directory(Owners::User, 0o027), |file| {
                Some(if is_key(file) { AccessRule::GROUP_FILE } else { public })
            });
            places.findings.extend(second_names(&responder, owner, is_key));
        }
        places.look(&self.responders_directory(), AccessRule::directory(Owners::User, 0o027), false);
        places.below(&self.public_directory(), AccessRule::directory(Owners::User, 0o022), |file| {
            let served = file.extension().is_some_and(|ending| ending == "crt" || ending == "crl");
            served.then_some(public)
        });
        places.verdict(&format!("the home {}", self.directory().shown()))
    }
}

/// Returns what lets others than this process' user and root change the way to a file: a directory or a link above it.
#[must_use]
pub fn unsafe_way(path: &Path) -> Option<AccessFinding> {
    let mut places = Places::new(rustix::process::geteuid().as_raw());
    places.way(path);
    places.findings.into_iter().next()
}

/// Checks the directory of the signer, every file in it, the directory of what the security administrator grants, and
/// the way to both. A directory that is not there is no fault.
///
/// Each file of the signer has one name: a second one would outlive the removal of the first.
///
/// # Errors
/// `home.unsafe` (exit 10) with the commands that mend it.
pub fn verify_signer(directory: &Path, granted: Option<&Path>) -> Result<(), Problem> {
    let mut places = Places::new(rustix::process::geteuid().as_raw());
    places.way(directory);
    places.below(directory, OWN_DIRECTORY, |file| (!is_socket(file)).then_some(AccessRule::PRIVATE_FILE));
    places.findings.extend(second_names(directory, places.user, |_| true));
    if let Some(granted) = granted {
        places.way(granted);
        places.granted(granted);
    }
    places.verdict(&format!("the signer's directory {}", directory.shown()))
}

/// Checks a directory on a medium with every file in it, its profiles, and the way to it. Where its file system has no
/// modes, the options of its mount say who has access: the directory and the key there are judged when they are opened.
///
/// # Errors
/// `home.unsafe` (exit 10) with the commands that mend it.
pub fn verify_medium(directory: &Path) -> Result<(), Problem> {
    let mut places = Places::new(rustix::process::geteuid().as_raw());
    places.way(directory);
    places.findings = places.findings.into_iter().map(mended_there).collect();
    if !has_no_modes(directory) {
        places.below(directory, OWN_DIRECTORY, |file| (!file.is_dir()).then(|| rule_on_medium(file)));
        places.findings.extend(second_names(directory, places.user, |_| true));
        places.granted(&directory.join("policy"));
    }
    places.verdict_outside(&format!("the medium {}", directory.shown()))
}

/// The key, and what its signer knows of it, are for nobody else; what is public may be read.
fn rule_on_medium(file: &Path) -> AccessRule {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let is_own = name.ends_with(".age") || name.starts_with("journal") || name.starts_with("record.db");
    if is_own { AccessRule::PRIVATE_FILE } else { AccessRule::CONFIGURATION }
}

/// Checks a directory of profiles that was named, and the way to it.
///
/// # Errors
/// `home.unsafe` (exit 10) with the commands that mend it.
pub fn verify_policy(directory: &Path) -> Result<(), Problem> {
    let mut places = Places::new(rustix::process::geteuid().as_raw());
    places.way(directory);
    places.findings = places.findings.into_iter().map(mended_there).collect();
    places.granted(directory);
    places.verdict_outside(&format!("the profiles in {}", directory.shown()))
}

/// Checks the file that names the modules of tokens, for the process that loads them.
///
/// # Errors
/// When others than its owner, root or this user, can change it, with the command that mends it.
pub fn verify_tokens(file: &Path) -> Result<(), Problem> {
    let mut places = Places::new(rustix::process::geteuid().as_raw());
    places.way(file);
    places.look(file, AccessRule::CONFIGURATION, true);
    places.verdict(&format!("the list of modules {}", file.shown()))
}

/// Sockets of the signer may be in its directory.
fn is_socket(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// What was found so far.
struct Places {
    user: u32,
    accounts: Accounts,
    findings: Vec<AccessFinding>,
}

impl Places {
    fn new(user: u32) -> Self {
        Self { user, accounts: Accounts::of_system(), findings: Vec::new() }
    }

    /// Looks at every directory and link on the way to a path.
    fn way(&mut self, path: &Path) {
        let found = Trail::to(path).findings(self.user, self.accounts.private_group_of(self.user), &[]);
        self.findings.extend(found.into_iter().filter(|one| one.cause != AccessCause::Unreadable));
    }

    /// Looks at a path; a symbolic link is followed only where a person has typed it.
    fn look(&mut self, path: &Path, rule: AccessRule, follow: bool) {
        // what a command was asked to rename does no harm
        if path.extension().is_some_and(|extension| extension == "aside") {
            return;
        }
        match examine(path, follow) {
            Ok(Some(status)) => self.findings.extend(rule.judge(path, &status, self.user)),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => self.findings.push(unreadable(path, &error)),
        }
    }

    /// Looks at a directory, and at those files in it that have a rule.
    fn below(&mut self, directory: &Path, rule: AccessRule, of: impl Fn(&Path) -> Option<AccessRule>) {
        self.look(directory, rule, true);
        for file in entries(directory) {
            if let Some(rule) = of(&file) {
                self.look(&file, rule, false);
            }
        }
    }

    /// Looks at a directory of what is granted, and at the files in it.
    fn granted(&mut self, directory: &Path) {
        self.below(directory, GRANTED_DIRECTORY, |file| {
            (!file.is_dir()).then_some(AccessRule::CONFIGURATION)
        });
    }

    fn verdict(self, what: &str) -> Result<(), Problem> {
        unsafe_places(what, &self.findings).map_or(Ok(()), Err)
    }

    /// The same of a place outside of a home, where the doctor mends nothing.
    fn verdict_outside(self, what: &str) -> Result<(), Problem> {
        let mut commands: Vec<String> =
            self.findings.iter().map(|finding| format!("run: {}", finding.remedy)).collect();
        commands.dedup();
        self.verdict(what).map_err(|problem| problem.hint(commands.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Exit, Remedy, remedy};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn put(path: &Path, bits: u32) {
        fs::write(path, "x").unwrap();
        mode(path, bits);
    }

    /// Returns the commands that mend what is found.
    fn commands(checked: Result<(), Problem>, directory: &Path) -> Vec<String> {
        let Err(problem) = checked else { return Vec::new() };
        assert_eq!((problem.code.code(), problem.exit), ("home.unsafe", Exit::Permissions));
        let commands: Vec<String> = match problem.hint {
            Remedy::Home(remedy::Home::Mend(commands)) => commands,
            Remedy::Words(text) => text.lines().map(|line| line.replacen("run: ", "", 1)).collect(),
            other => panic!("no commands: {other:?}"),
        };
        let directory = directory.to_str().unwrap();
        commands.iter().map(|command| command.replace(directory, "~")).collect()
    }

    /// Runs the commands where they are, and expects that nothing is found then.
    fn mended(check: impl Fn() -> Result<(), Problem>, directory: &Path) {
        for command in commands(check(), directory) {
            let command = command.replace('~', directory.to_str().unwrap());
            assert!(std::process::Command::new("sh").args(["-c", &command]).status().unwrap().success());
        }
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn the_signers_directory_is_its_own_with_all_that_is_in_it_and_above_it() {
        // P2, K1
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir_all(at("signer")).unwrap();
        fs::create_dir_all(at("granted/policy")).unwrap();
        mode(&at("signer"), 0o700);
        put(&at("signer/a.age"), 0o600);
        put(&at("signer/journal"), 0o600);
        put(&at("granted/policy/user.toml"), 0o644);
        let check = || verify_signer(&at("signer"), Some(&at("granted/policy")));
        let found = || commands(check(), directory.path());
        assert_eq!(check(), Ok(()));
        assert_eq!(verify_signer(&at("nowhere"), None), Ok(()), "nothing is there to be read by others");

        mode(&at("signer"), 0o750);
        mode(&at("signer/a.age"), 0o640);
        mode(&at("granted/policy/user.toml"), 0o664);
        mode(&at("granted/policy"), 0o777);
        assert_eq!(
            found(),
            [
                "chmod go-rwx ~/signer",
                "chmod go-rwx ~/signer/a.age",
                "chmod go-w ~/granted/policy",
                "chmod go-w ~/granted/policy/user.toml"
            ]
        );
        mended(check, directory.path());

        fs::hard_link(at("signer/a.age"), at("kept")).unwrap();
        assert_eq!(
            found(),
            ["cp -p ~/signer/a.age ~/signer/a.age.alone && mv ~/signer/a.age.alone ~/signer/a.age"]
        );
        mended(check, directory.path());

        symlink("../kept", at("signer/b.age")).unwrap();
        assert_eq!(found(), ["mv ~/signer/b.age ~/signer/b.age.aside"]);
        mended(check, directory.path());

        mode(directory.path(), 0o777);
        let above = found();
        assert!(above == ["chmod go-w ~"] || above == ["chmod o-w ~"], "its own group may: {above:?}");
        mended(check, directory.path());
    }

    #[test]
    fn a_medium_is_its_users_with_all_that_is_in_it_and_above_it() {
        // P2, G6
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir_all(at("m/policy")).unwrap();
        mode(&at("m"), 0o700);
        let files = ["a.age", "journal", "record.db", "a.envelope.toml", "a.used", "a.pem", "bundle.toml"];
        files.iter().for_each(|file| put(&at("m").join(file), 0o600));
        put(&at("m/policy/user.toml"), 0o644);
        put(&at("m/README.txt"), 0o644);
        let check = || verify_medium(&at("m"));
        let found = || commands(check(), directory.path());
        assert_eq!(check(), Ok(()));
        assert_eq!(verify_medium(&at("nowhere")), Ok(()), "whoever reads it says that");
        for file in files.iter().map(|file| format!("m/{file}")).chain(["m/policy/user.toml".into()]) {
            mode(&at(&file), 0o666);
            let bits = if ["age", "nal", ".db"].iter().any(|end| file.ends_with(end)) { "rwx" } else { "w" };
            assert_eq!(found(), [format!("chmod go-{bits} ~/{file}")]);
            mended(check, directory.path());
        }
        mode(&at("m"), 0o777);
        mode(&at("m/policy"), 0o777);
        assert_eq!(found(), ["chmod go-rwx ~/m", "chmod go-w ~/m/policy"]);
        mended(check, directory.path());
        fs::hard_link(at("m/a.age"), at("kept")).unwrap();
        assert_eq!(found().len(), 1);
        mended(check, directory.path());
        symlink("../kept", at("m/b.age")).unwrap();
        assert_eq!(found(), ["mv ~/m/b.age ~/m/b.age.aside"]);
        mended(check, directory.path());
        if crate::testing::is_root() {
            std::os::unix::fs::chown(at("m/policy/user.toml"), Some(65534), None).unwrap();
            assert_eq!(found(), ["sudo chown 0 ~/m/policy/user.toml"]);
            std::os::unix::fs::chown(at("m/policy/user.toml"), Some(0), None).unwrap();
        }
        mode(directory.path(), 0o777);
        assert_eq!(found().len(), 1);
        assert!(verify_policy(&at("m/policy")).is_err());
        mended(check, directory.path());
        assert_eq!(verify_policy(&at("m/policy")), Ok(()));
    }

    #[test]
    fn the_daemon_reads_nothing_that_others_can_change_and_no_key_that_others_can_read() {
        // P2, K1
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let name = "a".parse().unwrap();
        home.create_authority(&name).unwrap();
        let key = home.responder_key_file(&name);
        put(&key, 0o640);
        put(&home.responder_certificate_file(&name), 0o640);
        put(&home.status_directory().join("manifest.json"), 0o644);
        put(&home.public_directory().join("a.crl"), 0o644);
        let check = || home.verify_for_daemon(&home.status_directory());
        assert_eq!(check(), Ok(()));
        mode(&key, 0o644);
        mode(&home.status_directory().join("manifest.json"), 0o666);
        mode(&home.public_directory().join("a.crl"), 0o664);
        mode(&home.responders_directory(), 0o2770);
        assert_eq!(
            commands(check(), home.directory()),
            [
                "chmod go-w ~/status/manifest.json",
                "chmod g-w,o-rwx ~/ocsp/a/responder.key",
                "chmod g-w,o-rwx ~/ocsp",
                "chmod go-w ~/public/a.crl"
            ]
        );
        mended(check, home.directory());
        // what is none of its business
        mode(&home.keys_directory(), 0o777);
        assert_eq!(check(), Ok(()));
        assert_eq!(Home::at("/nowhere").verify_for_daemon(Path::new("/nowhere/status")), Ok(()));
    }
}
