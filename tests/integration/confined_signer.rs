//! What the signer opens and asks of the kernel, as a service and as the child of a command.
use crate::support::{CA, Home, is_root, skipped, there_is};
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SIGNER: &str = env!("CARGO_BIN_EXE_genfic-signer");

/// A service in a directory of its own.
struct Service {
    directory: tempfile::TempDir,
    child: Option<Child>,
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Service {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("signer")).unwrap();
        fs::create_dir(directory.path().join("policy")).unwrap();
        for (name, mode) in [("signer", 0o700), ("policy", 0o755)] {
            fs::set_permissions(directory.path().join(name), Permissions::from_mode(mode)).unwrap();
        }
        Self { directory, child: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, before: &[&str]) -> Command {
        let words = [before, &[SIGNER]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("--directory").arg(self.path("signer"));
        command.arg("--policy").arg(self.path("policy"));
        command.arg("--listen-ca").arg(self.path("ca")).arg("--listen-admin").arg(self.path("admin"));
        // a container may have no right to a higher limit
        command.arg("--may-be-swapped").stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn start(mut self, before: &[&str]) -> Self {
        self.child = Some(self.command(before).spawn().unwrap());
        let begun = Instant::now();
        while UnixStream::connect(self.path("ca")).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    /// The process of the program itself, also below a tracer.
    fn process(&self) -> u32 {
        let own = self.child.as_ref().unwrap().id();
        let below = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        below.split_whitespace().next().map_or(own, |below| below.parse().unwrap())
    }

    /// Ends it as systemd does; returns its exit status.
    fn end(&mut self) -> Option<i32> {
        let process = self.process().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        self.child.take().unwrap().wait().unwrap().code()
    }
}

fn status(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/status")).unwrap()
}

/// Returns the calls that a tracer wrote after the process gave them up.
fn after_the_filter(trace: &str) -> Vec<&str> {
    let filtered = trace.lines().position(|line| line.contains("seccomp(SECCOMP_SET_MODE_FILTER"));
    trace.lines().skip(filtered.expect("a filter") + 1).collect()
}

/// Returns the paths that were opened.
fn opened<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    lines
        .iter()
        .filter(|line| (line.contains("openat(") || line.contains("open(")) && !line.contains(" = -1 "))
        .filter_map(|line| line.split('"').nth(1))
        .collect()
}

#[test]
fn a_service_that_listens_is_confined_and_ends_when_it_is_told_to() {
    // K2, K3
    let mut service = Service::new().start(&[]);
    let told = status(service.process());
    for line in ["Seccomp:\t2", "NoNewPrivs:\t1"] {
        assert!(told.lines().any(|found| found == line), "{told}");
    }
    let mode = |name: &str| service.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("ca"), mode("admin")), (0o600, 0o660));
    assert_eq!(service.end(), Some(0));
}

#[test]
fn what_is_no_frame_ends_one_connection_and_holds_nobody_up() {
    let mut service = Service::new().start(&[]);
    let silent = UnixStream::connect(service.path("ca")).unwrap();
    for octets in [&[0xff; 8][..], b"GET / HTTP/1.1\r\n\r\n", &[0, 0, 0, 2, 0, 0, 0, 0, b'{', b'}']] {
        let mut client = UnixStream::connect(service.path("ca")).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        client.write_all(octets).unwrap();
        let mut said = Vec::new();
        let _ = client.read_to_end(&mut said);
        assert_eq!(said, b"", "{octets:?}");
    }
    drop(silent);
    assert_eq!(service.end(), Some(0));
}

#[test]
fn a_service_starts_on_no_directory_that_others_can_read_and_names_the_command_that_mends_it() {
    // P2
    let service = Service::new();
    fs::write(service.path("signer/a.age"), "").unwrap();
    fs::set_permissions(service.path("signer/a.age"), Permissions::from_mode(0o644)).unwrap();
    let said = service.command(&[]).output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(10), "{text}");
    let command =
        text.lines().find_map(|line| line.split("run: ").nth(1)).unwrap_or_else(|| panic!("{text}"));
    assert!(command.starts_with("chmod go-rwx ") && command.ends_with("/signer/a.age"), "{command}");
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success());
    assert_eq!(service.start(&[]).end(), Some(0));
}

#[test]
fn a_service_starts_with_no_key_that_has_a_second_name_and_names_the_command_that_mends_it() {
    // P2, K1
    let service = Service::new();
    let (key, second) = (service.path("signer/a.age"), service.path("second"));
    fs::write(&key, "").unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(&key, &second).unwrap();
    let said = service.command(&[]).output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(10), "{text}");
    let command =
        text.lines().find_map(|line| line.split("run: ").nth(1)).unwrap_or_else(|| panic!("{text}"));
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
    assert_eq!(service.start(&[]).end(), Some(0));
}

#[test]
fn a_service_opens_nothing_but_what_is_its_own_and_starts_nothing() {
    // K2, K3
    if !there_is("strace") {
        return;
    }
    let service = Service::new();
    let trace = service.path("trace");
    for (name, text) in genfic_ca::profile::SHIPPED.iter().filter(|(name, _)| name.ends_with(".toml")) {
        fs::write(service.path("policy").join(name), text).unwrap();
    }
    let calls = "--trace=execve,execveat,socket,connect,bind,open,openat,ptrace,seccomp";
    let mut service = service.start(&["strace", "-f", "-o", trace.to_str().unwrap(), calls]);
    drop(UnixStream::connect(service.path("admin")).unwrap());
    if is_root() {
        uses_the_service(&service);
    } else {
        skipped("a login for the service needs root: it is not asked for a key");
    }
    std::thread::sleep(Duration::from_millis(300));
    service.end();
    let trace = fs::read_to_string(trace).unwrap();
    let after = after_the_filter(&trace);
    for call in ["execve", "socket(", "connect(", "bind(", "ptrace("] {
        assert!(!after.iter().any(|line| line.contains(call)), "{call}: {after:#?}");
    }
    let own = service.path("signer").canonicalize().unwrap();
    let policy = service.path("policy").canonicalize().unwrap();
    let opened = opened(&after);
    if is_root() {
        assert!(opened.iter().any(|path| Path::new(path) == own.join("example.age")), "{opened:?}");
    }
    let files = ["age", "mark", "pem", "envelope.toml"].map(|ending| format!("example.{ending}"));
    let others = ["journal", "record.db", "record.db-journal", "record.db-wal", "record.db-shm"];
    // the allocator asks for the last one
    let of_system = ["/proc/self/cgroup", "/proc/sys/vm/overcommit_memory"].map(Path::new);
    for path in opened.into_iter().map(Path::new) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_in = |directory: &Path| path.parent() == Some(directory);
        // what an administrator said of a new key
        let is_said = [".bound.toml", ".accepted"].into_iter().any(|ending| {
            name.strip_suffix(ending).is_some_and(|digest| {
                digest.len() == 64 && digest.bytes().all(|octet| octet.is_ascii_hexdigit())
            })
        });
        let is_own = files.contains(&name.to_string())
            || others.contains(&&*name)
            || is_said
            || name.starts_with(".new-");
        let of_client = ["loginuid", "sessionid", "status", "stat"].contains(&&*name);
        let is_process = path.starts_with("/proc") && (of_client || of_system.contains(&path));
        let is_listed = path == own
            || path == policy
            || (is_in(&own) && is_own)
            || (is_in(&policy) && name.ends_with(".toml"))
            || is_process
            || path == Path::new("/dev/urandom");
        assert!(is_listed, "{path:?}");
    }
}

/// Has the service make a key, sign a root with it, lock it, open it again, and sign its CRL.
fn uses_the_service(service: &Service) {
    let (ca, home) = (CA, service.path("home"));
    let (ca_socket, admin) = (service.path("ca"), service.path("admin"));
    let lines = format!(
        "echo 0 >/proc/self/loginuid
        export GENFIC_CA_HOME={home}
        {ca} init --org Example --country BE --url http://pki.genfic.example
        sed -i 's|^\\[keys\\]|[keys]\\nsigner_socket = \"{socket}\"|' {home}/genfic-ca.toml
        printf 'six uncommon words of a long sentence' | {ca} key unlock example --new --profile root-ca --scope leaf --scope ca --scope crl \\
          --passphrase-from fd:0 --socket {admin}
        {ca} create-root example --key ed25519
        {ca} key lock --all --socket {admin}
        printf 'six uncommon words of a long sentence' | {ca} key unlock example --scope crl \\
          --passphrase-from fd:0 --socket {admin}
        {ca} crl publish example",
        home = home.display(),
        socket = ca_socket.display(),
        admin = admin.display(),
    );
    let said = Command::new("sh").args(["-euc", &lines]).stdin(Stdio::null()).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn a_command_opens_no_ca_key_and_its_signer_starts_nothing() {
    // K1, K2
    if !there_is("strace") {
        return;
    }
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let trace = home.path("trace");
    let calls = "--trace=execve,execveat,socket,connect,open,openat,seccomp";
    let mut command = home.command(&["crl", "publish", "genfic-system"]);
    let program = command.get_program().to_owned();
    let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    assert_eq!(program, CA);
    let mut traced = Command::new("strace");
    traced.args(["-ff", "-o", trace.to_str().unwrap(), calls]).arg(program).args(words);
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.current_dir(command.current_dir(home.directory()).get_current_dir().unwrap());
    let said = traced.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let traces: Vec<String> = fs::read_dir(home.directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("trace."))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let opens_a_key =
        |text: &&String| opened(&text.lines().collect::<Vec<_>>()).iter().any(|path| path.ends_with(".age"));
    let signers: Vec<&String> = traces.iter().filter(opens_a_key).collect();
    assert_eq!(signers.len(), 1, "one process opens keys");
    let begun = signers[0].lines().find(|line| line.starts_with("execve(")).unwrap();
    assert!(begun.contains("genfic-signer"), "{begun}");
    let after = after_the_filter(signers[0]);
    assert!(
        opened(&after).iter().any(|path| path.ends_with("genfic-system.age")),
        "confined before it opens one"
    );
    assert!(
        !after
            .iter()
            .any(|line| line.contains("execve") || line.contains("socket(") || line.contains("connect("))
    );
}
