//! A separate home for each test, and the programs that run in it.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(unreachable_pub, reason = "shared by path between test binaries")]
pub(crate) mod builders;
pub(crate) mod killing;
#[path = "../../src/testing/skipped.rs"]
mod skipped;
pub(crate) mod terminal;
pub(crate) mod tokens;

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

pub const CA: &str = env!("CARGO_BIN_EXE_genfic-ca");
pub const KEY: &str = env!("CARGO_BIN_EXE_genfic-key");
pub const OCSPD: &str = env!("CARGO_BIN_EXE_genfic-ocspd");
/// It is found beside the program that needs a key: where that is copied, this is copied too.
pub const SIGNER: &str = env!("CARGO_BIN_EXE_genfic-signer");
#[allow(unused_imports, reason = "each test binary uses its part")]
pub(crate) use skipped::{is_root, skipped};

/// The passphrase of every CA key in tests.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// A home with a cheap work factor, in a directory with room for other files beside it.
pub struct Home {
    directory: TempDir,
    url: String,
}

/// The output and exit status of a program.
#[derive(Debug)]
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Returns all output, for messages.
    pub fn all(&self) -> String {
        format!("exit {}\n{}{}", self.status, self.out, self.err)
    }

    /// Checks that the program succeeded, and returns the same output.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{}", self.all());
        self
    }

    /// Returns the JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.all()))
    }
}

/// Runs another project's program in a directory.
#[track_caller]
pub fn run(directory: &Path, words: &[&str]) -> Said {
    let output = Command::new(words[0])
        .args(&words[1..])
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", words[0]));
    Said::of(output)
}

/// Returns the names of the commands that a help text lists.
pub fn listed_commands(help: &str) -> Vec<&str> {
    let told = help.split("\nOptions:\n").next().unwrap_or_default();
    let rows = told.lines().filter_map(|line| line.strip_prefix("  "));
    let names = rows.filter(|row| row.starts_with(|c: char| c.is_ascii_lowercase()));
    names.filter_map(|row| row.split_whitespace().next()).filter(|name| *name != "help").collect()
}

impl Home {
    /// Returns an initialized home whose certificates have this base URL.
    pub fn at_url(url: &str) -> Self {
        let home = Self { directory: tempfile::tempdir().unwrap(), url: url.into() };
        home.ca(&["init", "--org", "Gentoo Fictional, Inc.", "--country", "BE", "--url", url]).ok();
        let config = home.path("home/genfic-ca.toml");
        let text = fs::read_to_string(&config).unwrap();
        let cheap: String = text
            .lines()
            .map(|line| {
                let is_cost = line.trim_start_matches(['#', ' ']).starts_with("scrypt_log_n");
                if is_cost { "scrypt_log_n = 10\n".to_owned() } else { format!("{line}\n") }
            })
            .collect();
        assert!(cheap.contains("scrypt_log_n = 10"), "{text}");
        fs::write(&config, cheap).unwrap();
        home
    }

    /// Returns an initialized home.
    pub fn new() -> Self {
        Self::at_url("http://pki.genfic.example")
    }

    /// Returns a home with a root, a user CA and a system CA.
    pub fn with_hierarchy(url: &str) -> Self {
        let home = Self::at_url(url);
        home.ca(&["create-root", "genfic"]).ok();
        home.ca(&["create-child", "genfic-user", "-p", "genfic", "--profile", "user-ca"]).ok();
        home.ca(&["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca"]).ok();
        home
    }

    /// Returns a copy of the home and the files beside it. The copy is in memory if a file system in memory has room
    /// for many homes, of 8 MiB each.
    pub fn copied(&self) -> Self {
        let memory = Path::new("/dev/shm");
        let free = rustix::fs::statvfs(memory).map_or(0, |status| status.f_bavail * status.f_frsize);
        self.copied_to(&if free > 2 << 30 { memory.to_owned() } else { std::env::temp_dir() })
    }

    /// Returns a copy of the home and the files beside it, in a new directory below `parent`.
    pub fn copied_to(&self, parent: &Path) -> Self {
        let directory = tempfile::Builder::new().prefix("genfic-").tempdir_in(parent).unwrap();
        let from = format!("{}/.", self.directory.path().display());
        let copied = Command::new("cp").args(["-a", &from]).arg(directory.path()).status().unwrap();
        assert!(copied.success());
        Self { directory, url: self.url.clone() }
    }

    /// Returns the home in this directory, with the same URL.
    pub fn at(&self, directory: TempDir) -> Self {
        Self { directory, url: self.url.clone() }
    }

    /// Runs shell lines in the directory beside the home, with `genfic-ca` in the PATH and this home set.
    #[track_caller]
    pub fn shell(&self, lines: &str) -> Said {
        let programs = Path::new(CA).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let like = self.command::<&str>(&[]);
        let mut command = Command::new("sh");
        command.args(["-euc", lines]).current_dir(self.directory()).env("PATH", path).stdin(Stdio::null());
        for (name, value) in like.get_envs() {
            command.env(name, value.unwrap());
        }
        Said::of(command.output().unwrap())
    }

    /// Returns the directory that contains `home/` and the files beside it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the base URL of the certificates.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns a path below [`Home::directory`].
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns the program, set up to run in this home.
    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = Command::new(CA);
        let is = |wanted: &str| words.iter().any(|word| word.as_ref() == wanted);
        if is("backup") && !is("--passphrase-from") {
            // a backup has a passphrase of its own, which the environment does not contain
            command.args(["--passphrase-from", "env:GENFIC_TEST_PASSPHRASE"]);
        }
        command
            .args(words)
            .current_dir(self.directory())
            .env("GENFIC_CA_HOME", self.path("home"))
            .env("GENFIC_CA_PASSPHRASE_FROM", "env:GENFIC_TEST_PASSPHRASE")
            .env("GENFIC_TEST_PASSPHRASE", PASSPHRASE)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs `genfic-ca`.
    #[track_caller]
    pub fn ca<S: AsRef<OsStr>>(&self, words: &[S]) -> Said {
        Said::of(self.command(words).output().unwrap())
    }

    /// Runs `genfic-ca --json` and returns its `result`.
    #[track_caller]
    pub fn result<S: AsRef<OsStr>>(&self, words: &[S]) -> Value {
        let mut all: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
        all.push(OsStr::new("--json"));
        self.ca(&all).ok().json()["result"].clone()
    }

    /// Runs another project's program in the directory beside the home.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Said {
        run(self.directory(), words)
    }

    /// Returns the decrypted key of a CA, as a thief who knows the passphrase could take it from its file.
    pub fn ca_key_pem(&self, name: &str) -> String {
        let file = fs::File::open(self.path(&format!("home/keys/{name}.age"))).unwrap();
        let identity = age::scrypt::Identity::new(age::secrecy::SecretString::from(PASSPHRASE));
        let identities: [&dyn age::Identity; 1] = [&identity];
        let mut pem = String::new();
        let mut decrypted = age::Decryptor::new(file).unwrap().decrypt(identities.into_iter()).unwrap();
        decrypted.read_to_string(&mut pem).unwrap();
        pem
    }

    /// Starts the daemon on a free port, or on the given `ADDR:PORT`.
    pub fn daemon(&self, listen: &str) -> Daemon {
        Daemon::start(&self.path("home"), listen)
    }
}

/// A running `genfic-ocspd`, stopped when dropped.
pub struct Daemon {
    child: Child,
    pub url: String,
}

impl Daemon {
    pub fn start(home: &Path, listen: &str) -> Self {
        Self::start_with(home, listen, &[])
    }

    /// Starts it with more in its environment.
    pub fn start_with(home: &Path, listen: &str, environment: &[(&str, String)]) -> Self {
        let mut child = Command::new(OCSPD)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .args([OsStr::new("--home"), home.as_os_str(), OsStr::new("--listen"), OsStr::new(listen)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("`{line}`")).to_owned();
        Self { child, url }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops the daemon with SIGTERM and returns its exit status.
    pub fn terminate(&mut self) -> i32 {
        let ended = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(ended.success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns whether another project's program is installed; otherwise reports that the rest of the test is skipped.
#[track_caller]
pub fn there_is(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skipped(&format!("there is no {program}"));
    }
    found
}

/// Returns a loopback address that was free a moment ago, as `ADDR:PORT`.
pub fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Returns Python with pkilint and cryptography, as `tests/run` installs it.
pub fn python() -> String {
    std::env::var("GENFIC_TEST_PYTHON").unwrap_or_else(|_| {
        let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
        if installed.exists() { installed.display().to_string() } else { "python3".into() }
    })
}

/// Returns whether the kernel knows Landlock with rules for signals.
#[allow(dead_code, reason = "not every test asks for it")]
pub fn has_landlock() -> bool {
    let version = "import ctypes; print(ctypes.CDLL(None).syscall(444, 0, 0, 1))";
    let said = Command::new("python3").args(["-c", version]).output().unwrap();
    String::from_utf8_lossy(&said.stdout).trim().parse::<i32>().is_ok_and(|version| version >= 6)
}
