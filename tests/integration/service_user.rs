//! The manual's examples as they are given on an installed system: an administrator's shell, in which each `genfic-ca` is
//! run as the service user, in the work directory that the package makes; and the same in the administrator's own
//! directory.
use crate::support::{CA, Home, KEY, OCSPD, PASSPHRASE, SIGNER, Said, is_root, run, skipped};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// User and group numbers, which nobody has.
const SERVICE: u32 = 12345;
const ADMINISTRATOR: u32 = 12346;
/// The group of those who may write into the work directory.
const ADMINISTRATORS: u32 = 12347;

/// What `sudo -u genfic-ca` is to the administrator: a program that becomes the service user and nobody else. It is a
/// copy of `setpriv` with the set-user-ID bit of that user, who has nothing on this machine.
pub(crate) struct Sudo {
    programs: TempDir,
}

impl Sudo {
    /// Returns nothing, and reports the rest of the test as skipped, where there can be no such program.
    pub(crate) fn new() -> Option<Self> {
        if !is_root() {
            return None;
        }
        let sudo = Self { programs: tempfile::tempdir().unwrap() };
        fs::set_permissions(sudo.programs.path(), Permissions::from_mode(0o755)).unwrap();
        let setpriv = sudo.program("setpriv");
        let found = run(Path::new("/"), &["sh", "-c", "command -v setpriv"]).ok().out;
        fs::copy(found.trim(), &setpriv).unwrap();
        chown(&setpriv, Some(SERVICE), Some(SERVICE)).unwrap();
        fs::set_permissions(&setpriv, Permissions::from_mode(0o6755)).unwrap();
        fs::copy(CA, sudo.program("program")).unwrap();
        fs::copy(SIGNER, sudo.program("genfic-signer")).unwrap();
        fs::copy(OCSPD, sudo.program("daemon")).unwrap();
        fs::copy(KEY, sudo.program("custodian")).unwrap();
        let said = sudo.shell(Path::new("/"), Path::new("/"), &format!("{} id -u", sudo.becoming()));
        if said.out.trim() != SERVICE.to_string() {
            skipped("programs in $TMPDIR cannot have another user's rights (nosuid)");
            return None;
        }
        Some(sudo)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.path().join(name)
    }

    /// The beginning of a command line that runs as the service user with an environment of its own.
    fn becoming(&self) -> String {
        let path = std::env::var("PATH").unwrap();
        format!(
            "{} --reuid={SERVICE} --regid={SERVICE} --keep-groups env -i PATH='{path}'",
            self.program("setpriv").display()
        )
    }

    /// Gives a home to the service user, and has the directory that it is in be a work directory, made by the line that
    /// the package installs.
    pub(crate) fn takes(&self, home: &Home) {
        let line = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/tmpfiles.d/genfic-ca.conf"),
        );
        let lines: String = line
            .unwrap()
            .lines()
            .filter(|line| line.contains(" /var/spool/genfic-ca "))
            .map(|line| {
                let line = line.replace("/var/spool/genfic-ca", home.directory().to_str().unwrap());
                // the directory is there already, with the mode of a test's
                let line = line.replace(":genfic-ca", &SERVICE.to_string()).replace(":3770", "3770");
                line.replace(":genfic-admin", &ADMINISTRATORS.to_string()) + "\n"
            })
            .collect();
        assert_eq!(lines.lines().count(), 2, "{lines}");
        let file = self.program("work.conf");
        fs::write(&file, lines).unwrap();
        home.run(&["systemd-tmpfiles", "--create", file.to_str().unwrap()]).ok();
        home.run(&["chown", "-R", &format!("{SERVICE}:{SERVICE}"), "home"]).ok();
        // the number of a group that is in no list is not known to be private
        home.run(&["chmod", "-R", "g-rwx", "home/status", "home/ocsp"]).ok();
        assert_eq!(fs::metadata(home.directory()).unwrap().permissions().mode() & 0o7777, 0o3770);
    }

    /// Runs shell lines in a directory as the administrator. In them `genfic-ca` is run as the service user.
    pub(crate) fn shell(&self, home: &Path, directory: &Path, lines: &str) -> Said {
        let program = self.program("genfic-ca");
        let daemon_program = self.program("daemon").display().to_string();
        let text = format!(
            "#!/bin/sh\nexec {} GENFIC_CA_HOME='{}' GENFIC_CA_PASSPHRASE_FROM=env:GENFIC_TEST_PASSPHRASE \
             GENFIC_TEST_PASSPHRASE='{PASSPHRASE}' NO_COLOR=1 {} \"$@\"\n",
            self.becoming(),
            home.display(),
            self.program("program").display()
        );
        fs::write(&program, &text).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let daemon = self.program("genfic-ocspd");
        fs::write(&daemon, text.replace(&*self.program("program").to_string_lossy(), &daemon_program))
            .unwrap();
        fs::set_permissions(&daemon, Permissions::from_mode(0o755)).unwrap();
        let custody = self.program("genfic-key");
        let custodian = self.program("custodian").display().to_string();
        fs::write(&custody, text.replace(&*self.program("program").to_string_lossy(), &custodian)).unwrap();
        fs::set_permissions(&custody, Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", self.programs.path().display(), std::env::var("PATH").unwrap());
        let output = Command::new("setpriv")
            .args([format!("--reuid={ADMINISTRATOR}"), format!("--regid={ADMINISTRATOR}")])
            .args([format!("--groups={ADMINISTRATORS}"), "sh".into(), "-euc".into(), lines.into()])
            .current_dir(directory)
            .env("PATH", path)
            .env("GENFIC_CA_HOME", home)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Said::of(output)
    }
}

/// A home of the service user beside a directory that only the administrator can enter.
fn own_directory(sudo: &Sudo) -> (Home, PathBuf) {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    sudo.takes(&home);
    let own = home.path("own");
    fs::create_dir(&own).unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
    chown(&own, Some(ADMINISTRATOR), Some(ADMINISTRATOR)).unwrap();
    (home, own)
}

#[test]
fn in_an_administrators_own_directory_the_hint_names_the_work_directory_and_standard_input() {
    let Some(sudo) = Sudo::new() else { return };
    let (home, own) = own_directory(&sudo);
    let shell = |lines: &str| sudo.shell(&home.path("home"), &own, lines);
    shell("openssl req -new -newkey rsa:2048 -nodes -keyout a.key -out a.req -subj /CN=a.genfic.example")
        .ok();
    for (line, code) in [
        ("genfic-ca sign a.req -p genfic-system", "file.read"),
        ("genfic-ca sign - -p genfic-system -o a.crt <a.req", "file.write"),
        ("genfic-ca export bundle -o \"$PWD/roots.pem\"", "file.write"),
        ("genfic-ca create-request b.genfic.example", "file.write"),
        ("genfic-ca import openssl . --as old", "file.read"),
        ("genfic-ca backup verify genfic.age --passphrase-from env:GENFIC_TEST_PASSPHRASE", "file.read"),
    ] {
        let said = shell(line);
        assert!(said.status != 0 && said.err.contains(code), "{line}: {}", said.all());
        let hint = "it belongs to another user: work in /var/spool/genfic-ca, which both may use; or where a command \
                    takes - for a file, have the shell open it: genfic-ca sign - -o - <x.req >x.crt";
        assert!(said.err.contains(hint), "{line}: {}", said.all());
    }
    let before = shell("genfic-ca list").ok().out;
    assert!(!before.contains("a.genfic.example"), "a refused output left a certificate: {before}");
    shell("genfic-ca sign - -p genfic-system -o - <a.req >a.crt && openssl x509 -noout -in a.crt").ok();
    shell("genfic-ca export bundle >roots.pem && openssl x509 -noout -in roots.pem").ok();
}

#[test]
fn the_work_directory_is_for_its_group_alone_and_each_persons_files_stay_theirs() {
    let Some(sudo) = Sudo::new() else { return };
    let (home, _) = own_directory(&sudo);
    let shell = |lines: &str| sudo.shell(&home.path("home"), home.directory(), lines);
    // whatever the umask is: what is made to be shared is, what is made for its owner alone is not
    shell("umask 077; mkdir certificates; genfic-ca create-request a.genfic.example --sign -p genfic-system")
        .ok();
    shell("genfic-ca export bundle -o certificates/roots.pem; cat a.genfic.example.crt >/dev/null").ok();
    assert_ne!(shell("cat a.genfic.example.key").status, 0, "a key is its owner's alone");
    assert_ne!(shell("mv a.genfic.example.req b.req").status, 0, "nobody else renames what somebody left");
    for (user, groups) in [("--reuid=65534", "--clear-groups"), ("--reuid=12348", "--groups=12348")] {
        let words = ["setpriv", user, "--regid=65534", groups, "sh", "-c", "ls . || ln -s /etc/hosts x"];
        let said = home.run(&words);
        assert_ne!(said.status, 0, "{}", said.all());
    }
}
