//! Tokens for tests: directories that a PKCS#11 module takes for smart cards.
use super::{Home, PASSPHRASE, skipped};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// SoftHSM 2.
pub const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// A token in Rust, which `tests/run` builds.
const KRYOPTIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/kryoptic/debug/libkryoptic_pkcs11.so");
/// Of p11-kit: connects to a server by a Unix socket.
const REMOTE: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";
const LABEL: &str = "Office";

/// A token with the label `Office`, whose PIN is the passphrase of the tests.
pub struct Tokens {
    directory: TempDir,
    module: &'static str,
    server: Option<Child>,
    /// Whose they are, where they are not root's.
    owner: Option<u32>,
}

/// Makes a module without tokens in this directory, which does what `STUB_MODULE` in its environment says. Returns its
/// path.
#[allow(dead_code, reason = "not every test has other modules")]
#[track_caller]
pub fn stub_module(directory: &Path) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/module/stub.c");
    let module = directory.join("stub.so");
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&module).arg(source).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    module
}

impl Drop for Tokens {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Tokens {
    fn of(module: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tokens = directory.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let text = format!("directories.tokendir = {}\n", tokens.display());
        fs::write(directory.path().join("softhsm2.conf"), text).unwrap();
        let database = tokens.join("token.sql");
        let slot = format!("[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", database.display());
        fs::write(directory.path().join("kryoptic.conf"), slot).unwrap();
        Self { directory, module, server: None, owner: None }
    }

    /// Returns a token of SoftHSM.
    pub fn softhsm() -> Self {
        let tokens = Self::of(SOFTHSM);
        tokens.make(LABEL);
        tokens
    }

    /// Returns a token of kryoptic; `None`, reported as skipped, where it was not built.
    pub fn kryoptic() -> Option<Self> {
        if !Path::new(KRYOPTIC).exists() {
            skipped("tests/run builds kryoptic, which is not there");
            return None;
        }
        let tokens = Self::of(KRYOPTIC);
        tokens.make(LABEL);
        Some(tokens)
    }

    /// Returns a token of SoftHSM that a server of p11-kit hands out by a socket.
    pub fn remote() -> Self {
        let mut tokens = Self::of(REMOTE);
        let made = tokens
            .command("softhsm2-util")
            .args(["--init-token", "--free", "--label", LABEL, "--so-pin", "12345678", "--pin", PASSPHRASE])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        tokens.serve();
        tokens
    }

    /// Starts the server, and waits until it is there.
    pub fn serve(&mut self) {
        // it serves nobody but the own user
        let mut command = match self.owner {
            None => self.command("p11-kit"),
            Some(owner) => {
                let mut command = self.command("setpriv");
                command.args([
                    format!("--reuid={owner}"),
                    format!("--regid={owner}"),
                    "--clear-groups".into(),
                ]);
                command.arg("p11-kit");
                command
            }
        };
        let server = command
            .args(["server", "--foreground", "--provider", SOFTHSM, "--name"])
            .arg(self.path("p11-kit"))
            .arg("pkcs11:token=Office")
            .env("XDG_RUNTIME_DIR", self.directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.server = Some(server);
        for _ in 0..500 {
            if self.path("p11-kit").exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("p11-kit does not serve");
    }

    /// Ends the server.
    #[allow(dead_code, reason = "not every test takes it away")]
    pub fn stop_serving(&mut self) {
        if let Some(mut server) = self.server.take() {
            // it has a process for each connection
            let id = server.id();
            let each = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
            for process in each.split_whitespace() {
                let _ = Command::new("kill").args(["-KILL", process]).status();
            }
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = fs::remove_file(self.path("p11-kit"));
    }

    /// Gives the tokens to this user, and has the server run as this user.
    #[allow(dead_code, reason = "not every test has other users")]
    pub fn give_to(&mut self, user: u32) {
        let is_served = self.server.is_some();
        self.stop_serving();
        self.owner = Some(user);
        let output = Command::new("chown")
            .args(["-R", &format!("{user}:{user}")])
            .arg(self.directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if is_served {
            self.serve();
        }
    }

    /// Makes another token of this label.
    pub fn make(&self, label: &str) {
        let slots = self.tool(&["-L"]).lines().filter(|line| line.starts_with("Slot ")).count();
        let index = (slots - 1).to_string();
        self.tool(&["--init-token", "--slot-index", &index, "--label", label, "--so-pin", "12345678"]);
        let login = ["--token-label", label, "--login", "--login-type", "so", "--so-pin", "12345678"];
        self.tool(&[&login[..], &["--init-pin", "--new-pin", PASSPHRASE]].concat());
    }

    /// Runs `pkcs11-tool` of OpenSC with the module, and returns what it said.
    #[track_caller]
    pub fn tool(&self, words: &[&str]) -> String {
        let output =
            self.command("pkcs11-tool").args(["--module", self.module]).args(words).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{text}");
        text
    }

    /// Returns a path beside the tokens.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns the path of the module.
    pub fn module(&self) -> &str {
        self.module
    }

    /// Takes the token away, or brings it back.
    pub fn take_away(&self, away: bool) {
        let (from, to) = if away { ("tokens", "away") } else { ("away", "tokens") };
        let _ = fs::remove_dir(self.path(to));
        fs::rename(self.path(from), self.path(to)).unwrap();
        if away {
            fs::create_dir(self.path("tokens")).unwrap();
        }
    }

    /// Returns what a process needs in its environment to see the tokens.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        let at = |name: &str| self.path(name).display().to_string();
        [
            ("SOFTHSM2_CONF", at("softhsm2.conf")),
            ("KRYOPTIC_CONF", at("kryoptic.conf")),
            ("P11_KIT_SERVER_ADDRESS", format!("unix:path={}", at("p11-kit"))),
        ]
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment());
        command
    }

    /// Names the module in the configuration of a home.
    pub fn configure(&self, home: &Home) {
        self.configure_beside(home, &[]);
    }

    /// Names these modules and this one in the configuration of a home.
    pub fn configure_beside(&self, home: &Home, others: &[&Path]) {
        let config = home.path("home/genfic-ca.toml");
        let text = fs::read_to_string(&config).unwrap();
        let all: Vec<&Path> = others.iter().copied().chain([Path::new(self.module)]).collect();
        let named = text.replacen("# modules = []", &format!("modules = {all:?}"), 1);
        assert_ne!(named, text);
        fs::write(&config, named).unwrap();
    }
}
