//! A home of its own for each test, and the programs run in it.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(unreachable_pub, reason = "shared by path between test binaries")]
pub(crate) mod builders;
#[path = "../../src/testing/skipped.rs"]
mod skipped;

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

pub const CA: &str = env!("CARGO_BIN_EXE_genfic-ca");
pub const OCSPD: &str = env!("CARGO_BIN_EXE_genfic-ocspd");
#[allow(unused_imports, reason = "each test binary uses its part")]
pub(crate) use skipped::{is_root, skipped};

/// What every CA key here is protected with.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// A home with a cheap work factor, and a directory for what stands beside it.
pub struct Home {
    directory: TempDir,
    url: String,
}

/// What a program said.
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

    /// Everything, for messages.
    pub fn all(&self) -> String {
        format!("exit {}\n{}{}", self.status, self.out, self.err)
    }

    /// The same, having checked that it ended well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{}", self.all());
        self
    }

    /// The JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.all()))
    }
}

/// Runs a program of somebody else's in a directory.
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

impl Home {
    /// An initialised home whose certificates name this base URL.
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

    /// An initialised home.
    pub fn new() -> Self {
        Self::at_url("http://pki.genfic.example")
    }

    /// A home with a root, a user CA and a system CA.
    pub fn with_hierarchy(url: &str) -> Self {
        let home = Self::at_url(url);
        home.ca(&["create-root", "genfic"]).ok();
        home.ca(&["create-child", "genfic-user", "-p", "genfic", "--profile", "user-ca"]).ok();
        home.ca(&["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca"]).ok();
        home
    }

    /// A copy of it and of what stands beside it, in memory where there is a file system for that with room for
    /// many: each home keeps 8 MiB.
    pub fn copied(&self) -> Self {
        let memory = Path::new("/dev/shm");
        let free = rustix::fs::statvfs(memory).map_or(0, |status| status.f_bavail * status.f_frsize);
        self.copied_to(&if free > 2 << 30 { memory.to_owned() } else { std::env::temp_dir() })
    }

    /// A copy of it and of what stands beside it, in a directory of its own below this one.
    pub fn copied_to(&self, parent: &Path) -> Self {
        let directory = tempfile::Builder::new().prefix("genfic-").tempdir_in(parent).unwrap();
        let from = format!("{}/.", self.directory.path().display());
        let copied = Command::new("cp").args(["-a", &from]).arg(directory.path()).status().unwrap();
        assert!(copied.success());
        Self { directory, url: self.url.clone() }
    }

    /// What is in this directory, in its place.
    pub fn at(&self, directory: TempDir) -> Self {
        Self { directory, url: self.url.clone() }
    }

    /// Runs shell lines beside the home, `genfic-ca` in the PATH and this home its own.
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

    /// The directory that has `home/` and what stands beside it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The base URL of its certificates.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A path below [`Home::directory`].
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The program, ready to be run in this home.
    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = Command::new(CA);
        let is = |wanted: &str| words.iter().any(|word| word.as_ref() == wanted);
        if is("backup") && !is("--passphrase-from") {
            // a backup has a passphrase of its own, which the environment does not give
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

    /// Runs `genfic-ca --json` and gives `result`.
    #[track_caller]
    pub fn result<S: AsRef<OsStr>>(&self, words: &[S]) -> Value {
        let mut all: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
        all.push(OsStr::new("--json"));
        self.ca(&all).ok().json()["result"].clone()
    }

    /// Runs somebody else's program beside the home.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Said {
        run(self.directory(), words)
    }

    /// The key of a CA, taken out of its file as a thief who knew the passphrase would.
    pub fn ca_key_pem(&self, name: &str) -> String {
        let file = fs::File::open(self.path(&format!("home/keys/{name}.age"))).unwrap();
        let identity = age::scrypt::Identity::new(age::secrecy::SecretString::from(PASSPHRASE));
        let identities: [&dyn age::Identity; 1] = [&identity];
        let mut pem = String::new();
        let mut decrypted = age::Decryptor::new(file).unwrap().decrypt(identities.into_iter()).unwrap();
        decrypted.read_to_string(&mut pem).unwrap();
        pem
    }

    /// Starts the daemon on a free port, or on the one given as `ADDR:PORT`.
    pub fn daemon(&self, listen: &str) -> Daemon {
        Daemon::start(&self.path("home"), listen)
    }
}

/// A running `genfic-ocspd`, ended when dropped.
pub struct Daemon {
    child: Child,
    pub url: String,
}

impl Daemon {
    pub fn start(home: &Path, listen: &str) -> Self {
        let mut child = Command::new(OCSPD)
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

    /// Ends it with SIGTERM and gives its exit status.
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

/// Whether a program of somebody else's is here; says otherwise that what follows is skipped.
#[track_caller]
pub fn there_is(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skipped(&format!("there is no {program}"));
    }
    found
}

/// A loopback address that was free a moment ago, as `ADDR:PORT`.
pub fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Python with pkilint and cryptography, as `tests/run` installs it.
pub fn python() -> String {
    std::env::var("GENFIC_TEST_PYTHON").unwrap_or_else(|_| {
        let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
        if installed.exists() { installed.display().to_string() } else { "python3".into() }
    })
}
