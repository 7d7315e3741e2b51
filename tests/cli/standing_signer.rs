//! A signer that listens, as a user of its own, with users who unlock its keys and one who has them used.
use crate::support::terminal::Terminal;
use crate::support::{CA, Home, KEY, Said};
use serde_json::Value;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SIGNER: &str = env!("CARGO_BIN_EXE_genfic-signer");
/// The users of the service, the administrator, the CA, and somebody else; and the group of administrators.
pub(crate) const SERVICE: u32 = 20001;
pub(crate) const AMBER: u32 = 20002;
pub(crate) const ADMINS: u32 = 20003;
pub(crate) const OWNER: u32 = 20004;
pub(crate) const OTHER: u32 = 20005;
/// The user of the process that reaches tokens.
pub(crate) const TOKENS: u32 = 20006;

/// What the CA's user is told to make keys with.
pub(crate) const WORDS: &str = "six uncommon words of a long sentence";

/// A process of another user that ends with this value, whatever becomes of the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Starts this as the user and the group of this number, and nothing else.
    pub(crate) fn of(user: u32, command: &[&str], adapt: impl FnOnce(&mut Command)) -> Self {
        let mut setpriv = Command::new("setpriv");
        setpriv.args([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".into()]);
        // the kernel ends it where the test itself is killed
        setpriv.args(["--pdeathsig", "KILL"]).args(command).stdin(Stdio::null());
        adapt(&mut setpriv);
        Self(setpriv.spawn().unwrap())
    }

    pub(crate) fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// A signer that listens, with the key of `genfic`.
pub(crate) struct Service {
    pub(crate) home: Home,
    pub(crate) process: Running,
    pub(crate) log: PathBuf,
}

/// What runs a line as this user, who has logged in.
pub(crate) fn login(user: u32, groups: u32, line: &str) -> String {
    format!(
        "echo {user} >/proc/self/loginuid && exec setpriv --reuid={user} --regid={user} --groups={groups} \
         --reset-env env PATH=/usr/bin:/bin {line}"
    )
}

pub(crate) fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < end, "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::with_credentials(&[])
    }

    /// Returns one whose unit has these credentials, by their names.
    pub(crate) fn with_credentials(credentials: &[(&str, &str)]) -> Self {
        Self::of(credentials, false)
    }

    /// Returns one to which a process connects that reaches tokens.
    pub(crate) fn with_tokens() -> Self {
        Self::of(&[], true)
    }

    fn of(credentials: &[(&str, &str)], has_tokens: bool) -> Self {
        let home = Home::new();
        home.ca(&["create-root", "genfic", "--key", "ed25519"]).ok();
        home.shell("chmod 755 . && mkdir -m 700 signer credentials && mkdir -m 755 sockets bin own").ok();
        home.shell("cp -r home/policy policy && chmod 755 policy").ok();
        for (program, name) in [(CA, "bin/genfic-ca"), (KEY, "bin/genfic-key"), (SIGNER, "bin/genfic-signer")]
        {
            fs::copy(program, home.path(name)).unwrap();
        }
        fs::copy(home.path("home/keys/genfic.age"), home.path("signer/genfic.age")).unwrap();
        for own in ["signer", "signer/genfic.age", "sockets", "credentials"] {
            chown(home.path(own), Some(SERVICE), Some(SERVICE)).unwrap();
        }
        for (name, secret) in credentials {
            let file = home.path("credentials").join(name);
            fs::write(&file, secret).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
            chown(&file, Some(SERVICE), Some(SERVICE)).unwrap();
        }
        chown(home.path("own"), Some(OWNER), Some(OWNER)).unwrap();
        let log = home.path("log");
        if has_tokens {
            fs::write(home.path("has-tokens"), "").unwrap();
        }
        let process = Self::started(&home, !credentials.is_empty(), &[]);
        Self { home, process, log }
    }

    /// Starts the signer of this home, with these variables, and waits until it listens.
    fn started(home: &Home, has_credentials: bool, variables: &[(&str, &str)]) -> Running {
        let (log, program) = (home.path("log"), home.path("bin/genfic-signer"));
        let has_tokens = home.path("has-tokens").exists();
        let process = Running::of(SERVICE, &[program.to_str().unwrap()], |command| {
            command.arg("--directory").arg(home.path("signer")).arg("--policy").arg(home.path("policy"));
            command.arg("--listen-ca").arg(home.path("sockets/ca.socket"));
            command.arg("--listen-admin").arg(home.path("sockets/admin.socket"));
            if has_tokens {
                command.arg("--listen-tokens").arg(home.path("sockets/tokens.socket"));
            }
            command
                .args(["--may-be-swapped", "--scrypt-log-n", "10"])
                .env_clear()
                .env("PATH", "/usr/bin:/bin");
            command.envs(variables.iter().copied());
            if has_credentials {
                command.env("CREDENTIALS_DIRECTORY", home.path("credentials"));
            }
            command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        });
        let there = |name: &str| home.path(name).exists();
        let end = Instant::now() + Duration::from_secs(30);
        while !(there("sockets/ca.socket")
            && there("sockets/admin.socket")
            && (!has_tokens || there("sockets/tokens.socket")))
        {
            assert!(Instant::now() < end, "no socket: {}", fs::read_to_string(&log).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20));
        }
        chown(home.path("sockets/ca.socket"), Some(OWNER), None).unwrap();
        chown(home.path("sockets/admin.socket"), None, Some(ADMINS)).unwrap();
        if has_tokens {
            chown(home.path("sockets/tokens.socket"), Some(TOKENS), None).unwrap();
        }
        process
    }

    /// Ends the signer. Nobody listens any more.
    pub(crate) fn end(&mut self) {
        self.process.end();
        for socket in ["sockets/ca.socket", "sockets/admin.socket"] {
            let _ = fs::remove_file(self.home.path(socket));
        }
    }

    /// Waits for the end of the signer, which a failpoint has killed: a client sees that before its parent does.
    #[track_caller]
    pub(crate) fn must_be_killed(&mut self, at: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        while self.process.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "not killed at {at}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the service and starts it again; it is killed at this point, if one is named.
    pub(crate) fn restart(&mut self, failpoint: Option<&str>) {
        let variables: Vec<_> = failpoint.map(|place| ("GENFIC_CA_FAILPOINT", place)).into_iter().collect();
        self.restart_with(&variables);
    }

    /// Ends the service, and starts it again with these variables.
    pub(crate) fn restart_with(&mut self, variables: &[(&str, &str)]) {
        self.end();
        self.process = Self::started(&self.home, false, variables);
    }

    /// Returns the shell line by which the CA's user runs a command of its own home.
    pub(crate) fn ca(&self, words: &str) -> String {
        let (program, own) = (self.home.path("bin/genfic-ca"), self.home.path("own"));
        let line = format!("{} --home {}/home --no-input {words}", program.display(), own.display());
        format!("(cd {} && setpriv --reuid={OWNER} --regid={OWNER} --clear-groups {line})", own.display())
    }

    /// Returns the shell line by which the administrator runs a `key` command, with the passphrase [`WORDS`].
    pub(crate) fn admin(&self, words: &str) -> String {
        self.admin_with(WORDS, words)
    }

    /// Returns the shell line by which the administrator runs a `key` command, with this passphrase.
    pub(crate) fn admin_with(&self, passphrase: &str, words: &str) -> String {
        let line = self.words(words);
        let setpriv = format!("setpriv --reuid={AMBER} --regid={AMBER} --groups={ADMINS} {line}");
        format!("printf '{passphrase}' | {setpriv}")
    }

    /// Returns the shell line that ends well only if this one is refused with this code.
    pub(crate) fn refused(&self, code: &str, line: &str) -> String {
        let said = self.home.path("refused");
        let said = said.display();
        format!(
            "if {line} >{said} 2>&1; then echo 'not refused: {code}' >&2; exit 1; fi; \
             grep -qF {code} {said} || {{ cat {said} >&2; exit 1; }}"
        )
    }

    /// Returns the shell lines by which the CA's user makes a home whose keys are the service's.
    pub(crate) fn own_home(&self) -> String {
        let socket = self.home.path("sockets/ca.socket");
        self.ca(&format!(
            "init --org Example --country BE --url http://pki.genfic.example --signer-socket {}",
            socket.display()
        ))
    }

    /// Runs these lines in one login: the administrator unlocks, and what follows as the CA's user is of that session.
    pub(crate) fn in_one_login(&self, steps: &[String]) -> Said {
        let steps = steps.join("\n");
        self.home.shell(&format!("set -e\necho {AMBER} >/proc/self/loginuid\n{steps}"))
    }

    /// Likewise, where all of it is to end well.
    #[track_caller]
    pub(crate) fn done(&self, steps: &[String]) -> Said {
        let said = self.in_one_login(steps);
        assert_eq!(said.status, 0, "{}", said.all());
        said
    }

    pub(crate) fn words(&self, words: &str) -> String {
        let (program, socket) = (self.home.path("bin/genfic-ca"), self.home.path("sockets/admin.socket"));
        format!("{} {words} --socket {}", program.display(), socket.display())
    }

    /// Runs a `key` command as this user, with this on standard input.
    pub(crate) fn key(&self, user: u32, groups: u32, words: &str, input: &str) -> Said {
        let line = login(user, groups, &self.words(words));
        self.home.shell(&format!("printf '{input}' | sh -c '{line}'"))
    }

    pub(crate) fn administrator(&self, words: &str, input: &str) -> Said {
        self.key(AMBER, ADMINS, words, input)
    }

    pub(crate) fn unlocked(&self) -> Vec<Value> {
        let said = self.administrator("key status --json", "").ok().json();
        said["result"]["keys"].as_array().unwrap().clone()
    }

    /// Has the administrator unlock the key at a terminal of the own; `owner` is whose the terminal is.
    pub(crate) fn at_terminal(&self, owner: u32) -> Terminal {
        let line = login(AMBER, ADMINS, &self.words("key unlock genfic --for 10m"));
        let mut command = Command::new("sh");
        command.args(["-c", &format!("chown {owner} $(tty) && chmod 600 $(tty) && {line}")]);
        Terminal::spawn(&command, 120, 24)
    }

    /// Counts these octets in the memory of the signer.
    pub(crate) fn in_memory(&self, octets: &[u8]) -> usize {
        let id = self.process.0.id();
        let maps = fs::read_to_string(format!("/proc/{id}/maps")).unwrap();
        let mut memory = fs::File::open(format!("/proc/{id}/mem")).unwrap();
        let ranges = maps.lines().filter_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (from, to) = range.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).ok();
            rest.starts_with("rw").then_some((number(from)?, number(to)?))
        });
        let mut count = 0;
        for (from, to) in ranges {
            let mut part = vec![0; usize::try_from(to - from).unwrap()];
            memory.seek(SeekFrom::Start(from)).unwrap();
            if memory.read_exact(&mut part).is_ok() {
                count += part.windows(octets.len()).filter(|window| *window == octets).count();
            }
        }
        count
    }
}
