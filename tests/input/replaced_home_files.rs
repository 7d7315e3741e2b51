//! Every file and directory of a home in turn replaced by what it should not be: exit 10 with the command that
//! mends it, nothing waited for, nothing followed (P2).
use crate::ends;
use crate::support::{CA, Home, PASSPHRASE, Said, is_root, run};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NOBODY: u32 = 65534;

/// A home that is put back as it was before each case, and the user who owns it.
struct Stage {
    home: Home,
    user: u32,
    /// Somebody else, whose files are in the way.
    other: u32,
}

/// What is put in the place of a file or directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Instead {
    LinkToOwnFile,
    LinkToDevice,
    DanglingLink,
    Fifo,
    Exchanged,
    Socket,
    Loose,
    TheirFile,
    HardLinkToTheirFile,
}

use Instead::*;

const ALL: [Instead; 9] = [
    LinkToOwnFile,
    LinkToDevice,
    DanglingLink,
    Fifo,
    Exchanged,
    Socket,
    Loose,
    TheirFile,
    HardLinkToTheirFile,
];

fn own_user() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

impl Stage {
    fn new(user: u32) -> Self {
        let home = Home::new();
        home.ca(&["create-root", "genfic"]).ok();
        home.ca(&["create-child", "genfic-system", "-p", "genfic"]).ok();
        home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
        home.ca(&["revoke", "www.example"]).ok();
        let stage = Self { home, user, other: if user == 0 { NOBODY } else { 0 } };
        fs::set_permissions(stage.home.directory(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(CA, stage.home.path("genfic-ca")).unwrap();
        if user != own_user() {
            let owner = format!("{user}:{user}");
            run(stage.home.directory(), &["chown", "-R", &owner, "home"]).ok();
        }
        run(stage.home.directory(), &["cp", "-a", "home", "good"]).ok();
        stage
    }

    fn restore(&self) {
        run(self.home.directory(), &["sh", "-c", "rm -rf home victim && cp -a good home"]).ok();
        fs::write(self.home.path("victim"), "precious").unwrap();
        fs::set_permissions(self.home.path("victim"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn ca(&self, words: &[&str], what: &str) -> Said {
        let mut command = if self.user == own_user() {
            Command::new(self.home.path("genfic-ca"))
        } else {
            let mut command = Command::new("setpriv");
            let ids = [format!("--reuid={}", self.user), format!("--regid={}", self.user)];
            command.args(ids).args(["--clear-groups", "--"]).arg(self.home.path("genfic-ca"));
            command
        };
        command.args(words).current_dir(self.home.directory()).stdin(Stdio::null());
        command.env("GENFIC_CA_HOME", self.home.path("home")).env("GENFIC_TEST_PASSPHRASE", PASSPHRASE);
        command.env("GENFIC_CA_PASSPHRASE_FROM", "env:GENFIC_TEST_PASSPHRASE");
        ends(&mut command, what)
    }

    /// Paths below `home/` that a command reads or writes.
    fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        let root = self.home.path("good");
        walk(&root, &mut paths);
        let mut relative: Vec<PathBuf> =
            paths.iter().map(|path| path.strip_prefix(&root).unwrap().to_owned()).collect();
        for comes_and_goes in
            ["home.lock", "index.db-wal", "index.db-shm", "index.db-journal", "index.db-signing"]
        {
            relative.push(comes_and_goes.into());
        }
        relative.sort();
        relative.dedup();
        // read by people alone, or only looked for: tested below
        relative.retain(|path| {
            let text = path.display().to_string();
            !text.ends_with(".md") && !text.ends_with(".example") && path.iter().count() < 3
                || text.starts_with("ocsp")
        });
        relative
    }

    /// Puts it in place; `false` when that makes no sense.
    fn replace(&self, path: &Path, instead: Instead) -> bool {
        let is_directory = path.is_dir();
        let own = |path: &Path| drop(std::os::unix::fs::lchown(path, Some(self.user), Some(self.user)));
        let remove = || {
            if is_directory { fs::remove_dir_all(path).unwrap() } else { drop(fs::remove_file(path)) }
        };
        let aside = self.home.path("aside");
        let _ = fs::remove_dir_all(&aside);
        let _ = fs::remove_file(&aside);
        match instead {
            LinkToOwnFile => {
                // to the very thing, elsewhere
                if path.exists() {
                    fs::rename(path, &aside).unwrap()
                } else {
                    fs::write(&aside, "").unwrap()
                }
                symlink(&aside, path).unwrap();
                own(path);
            }
            LinkToDevice | DanglingLink => {
                remove();
                symlink(if instead == LinkToDevice { "/dev/null" } else { "nowhere" }, path).unwrap();
                own(path);
            }
            Fifo => {
                remove();
                run(Path::new("/"), &["mkfifo", "-m", "600", path.to_str().unwrap()]).ok();
                own(path);
            }
            Socket => {
                remove();
                // a path of a socket has at most 107 octets
                drop(UnixListener::bind(path).unwrap());
                own(path);
            }
            Exchanged => {
                remove();
                if is_directory {
                    fs::write(path, "x").unwrap()
                } else {
                    fs::create_dir(path).unwrap()
                }
                own(path);
            }
            Loose => {
                if !path.exists() {
                    fs::write(path, "").unwrap();
                    own(path);
                }
                let mode = if is_directory { 0o777 } else { 0o666 };
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            TheirFile | HardLinkToTheirFile if own_user() != 0 => return false,
            TheirFile => {
                if !path.exists() {
                    fs::write(path, "").unwrap();
                }
                chown(path, Some(self.other), None).unwrap();
            }
            HardLinkToTheirFile => {
                if is_directory {
                    return false;
                }
                drop(fs::remove_file(path));
                chown(self.home.path("victim"), Some(self.other), None).unwrap();
                fs::hard_link(self.home.path("victim"), path).unwrap();
            }
        }
        true
    }

    /// Whether root's file is as good as one's own there.
    fn may_be_roots(&self, path: &Path, instead: Instead) -> bool {
        let text = path.display().to_string();
        instead == TheirFile && self.other == 0 && (text.starts_with("policy") || text == "genfic-ca.toml")
    }

    fn all_cases(&self) {
        let paths = self.paths();
        assert!(paths.len() > 30, "{paths:?}");
        let mut tried = 0;
        for relative in &paths {
            for instead in ALL {
                self.restore();
                let path = self.home.path("home").join(relative);
                if self.may_be_roots(relative, instead) || !self.replace(&path, instead) {
                    continue;
                }
                tried += 1;
                self.case(relative, instead);
            }
        }
        assert!(tried > 200, "{tried}");
    }

    fn case(&self, path: &Path, instead: Instead) {
        let what = format!("{} {instead:?}", path.display());
        let victim = fs::metadata(self.home.path("victim")).unwrap();
        let said = self.ca(&["crl", "publish", "genfic-system"], &what);
        assert_eq!(said.status, 10, "{what}: {}", said.all());
        assert!(said.err.ends_with("(exit 10, home.unsafe)\n"), "{what}: {}", said.err);
        assert!(said.err.contains(&format!("home/{}", path.display())), "{what}: {}", said.err);
        let remedies: Vec<&str> = said.err.lines().filter_map(|line| line.strip_prefix("run: ")).collect();
        assert!(!remedies.is_empty(), "{what}: {}", said.err);
        for remedy in remedies {
            run(self.home.directory(), &["sh", "-c", &remedy.replace("sudo ", "")]).ok();
        }
        let again = self.ca(&["status"], &what);
        assert_ne!(again.status, 10, "{what} is not mended: {}", again.all());
        let now = fs::metadata(self.home.path("victim")).unwrap();
        assert_eq!(fs::read_to_string(self.home.path("victim")).unwrap(), "precious", "{what}");
        assert_eq!((now.mode(), now.uid(), now.len()), (victim.mode(), victim.uid(), victim.len()), "{what}");
    }
}

fn walk(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, into);
        }
        into.push(path);
    }
}

#[test]
fn whatever_replaces_a_file_of_the_home_is_told_with_the_command_that_mends_it() {
    // P2, K1
    Stage::new(own_user()).all_cases();
}

#[test]
fn whatever_replaces_a_file_of_an_ordinary_users_home_is_told_with_the_command_that_mends_it() {
    // P2, K1
    if is_root() {
        Stage::new(NOBODY).all_cases();
    }
}

#[test]
fn kept_certificates_that_were_replaced_are_not_followed() {
    // P2
    let stage = Stage::new(own_user());
    let kept = fs::read_dir(stage.home.path("good/issued/genfic-system")).unwrap().next().unwrap().unwrap();
    let relative = Path::new("issued/genfic-system").join(kept.file_name());
    for instead in [LinkToOwnFile, LinkToDevice, DanglingLink, Fifo, Socket, Exchanged] {
        stage.restore();
        assert!(stage.replace(&stage.home.path("home").join(&relative), instead));
        for words in [&["status"][..], &["show", "genfic"], &["list"], &["ocsp", "sync"]] {
            let said = stage.ca(words, &format!("{instead:?}"));
            assert_eq!(said.status, 0, "{instead:?}: {}", said.all());
        }
        assert!(Path::new("/dev/null").metadata().unwrap().mode() & 0o777 == 0o666);
    }
}

#[test]
fn init_over_something_else_says_what_is_in_the_way() {
    // P2
    for (name, make) in [
        ("keys", "mkfifo home/keys"),
        ("status", "ln -s /tmp home/status"),
        ("genfic-ca.toml", "mkfifo home/genfic-ca.toml"),
        ("index.db", "mkdir home/index.db"),
    ] {
        let home = Home::new();
        run(home.directory(), &["sh", "-c", &format!("rm -rf home/{name}; {make}")]).ok();
        let said = crate::ca(&home, &["init"]);
        assert_eq!(said.status, 10, "{name}: {}", said.all());
        assert!(said.err.contains("run: mv "), "{name}: {}", said.err);
    }
}
