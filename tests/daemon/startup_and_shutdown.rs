//! Beginning and ending: sockets, signals, systemd, exit codes.
use crate::http_client::{Client, get, message, ocsp_request};
use crate::running_daemon::{Site, issue, request_for};
use crate::support::{Home, OCSPD, Said, free_address, python, there_is};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const OCSP: &str = "Content-Type: application/ocsp-request\r\n";

/// The daemon, started by whatever command line; ended when dropped.
pub(crate) struct Running {
    pub child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// The address in its next line.
    pub(crate) fn url(&mut self) -> String {
        let line = self.line();
        line.strip_prefix("listening on ").unwrap_or_else(|| panic!("`{line}`")).to_owned()
    }

    /// Its next line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit status, which is not waited for long.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn daemon(home: &Home, words: &[&str]) -> Command {
    let mut command = Command::new(OCSPD);
    command.arg("--home").arg(home.path("home")).args(words).current_dir(home.directory());
    command
}

fn said(command: &mut Command) -> Said {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Said {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_signal_to_end_lets_the_request_under_way_finish_and_takes_no_new_one() {
    // G7
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let issued = issue(&home, "w.genfic.example");
    let request = ocsp_request(&[request_for(&home, &issued, "-sha1")], None);
    for signal in ["TERM", "INT"] {
        let mut running = Running::start(&mut daemon(&home, &["--listen", "127.0.0.1:0"]));
        let url = running.url();
        let whole = message("POST", "/", OCSP, &request);
        let (first, second) = whole.split_at(whole.len() - 20);
        let (mut open, mut idle) = (Client::connect(&url), Client::connect(&url));
        assert_eq!(idle.ask("GET", "/healthz", "", &[]).status, 200);
        open.send(first).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        running.signal(signal);
        let begun = Instant::now();
        while TcpStream::connect(url.strip_prefix("http://").unwrap()).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(5), "it still accepts connections");
            std::thread::sleep(Duration::from_millis(10));
        }
        open.send(second).unwrap();
        let reply = open.reply(false).unwrap();
        assert_eq!(reply.verdict(), "good");
        assert!(open.reply(false).is_err(), "the connection ends with it");
        assert_eq!(running.ended(), Some(0), "{signal}");
    }
}

#[test]
fn an_address_in_use_is_said_with_what_to_do() {
    let site = Site::new();
    let address = site.url().strip_prefix("http://").unwrap();
    let said = said(&mut daemon(&site.home, &["--listen", address]));
    assert_eq!(said.status, 1, "{}", said.all());
    assert!(said.out.is_empty(), "it does not listen: {}", said.out);
    for part in [address, "cannot be listened on", "--listen", "(exit 1, daemon.listen)"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    assert_eq!(get(site.url(), "/readyz").status, 200, "the first one goes on");
}

#[test]
fn what_it_cannot_start_with_has_its_exit_code() {
    // P12
    let home = Home::new();
    for words in
        [&["--listen", "nowhere"][..], &["--listen", "127.0.0.1"], &["--listen"], &["--what"], &["x"]]
    {
        let said = said(&mut daemon(&home, words));
        assert_eq!(said.status, 2, "{words:?}: {}", said.all());
        let lines: Vec<&str> = said.err.lines().collect();
        assert!(lines[0].starts_with("error: "), "{}", said.err);
        assert!(lines.iter().any(|line| line.starts_with("usage: genfic-ocspd ")), "{}", said.err);
        assert_eq!(lines.last(), Some(&"(exit 2, usage)"), "{}", said.err);
    }
    let missing = said(Command::new(OCSPD).args(["--home", "/nowhere/at/all"]));
    assert_eq!(missing.status, 5, "{}", missing.all());
    assert!(
        missing.err.contains("/nowhere/at/all") && missing.err.contains("genfic-ca init"),
        "{}",
        missing.err
    );
    let config = home.path("wrong.toml");
    std::fs::write(&config, "[daemon]\nlisten = [\"127.0.0.1:0\"]\nspeed = 9\n").unwrap();
    let wrong = said(&mut daemon(&home, &["--config", "wrong.toml"]));
    assert_eq!(wrong.status, 1, "{}", wrong.all());
    for part in [
        "error: wrong.toml: the configuration is wrong: line 3: daemon.speed: ",
        "\n(exit 1, config.invalid)\n",
    ] {
        assert!(wrong.err.contains(part), "{part}: {}", wrong.err);
    }
    home.run(&["mkfifo", "fifo"]).ok();
    for (name, exit) in [("fifo", 1), ("home", 1), ("/dev/zero", 1), ("none", 5)] {
        let said = said(&mut daemon(&home, &["--config", name]));
        assert_eq!(said.status, exit, "{name}: {}", said.all());
        let lines: Vec<&str> = said.err.lines().collect();
        assert!(lines.len() == 3 && lines[0].starts_with("error: "), "{name}: {}", said.err);
        assert_eq!(lines[2], format!("(exit {exit}, file.read)"), "{name}");
        assert!(!said.err.contains("os error"), "{name}: {}", said.err);
    }
    for (words, part) in [(["--version"], "genfic-ocspd "), (["--help"], "Usage: genfic-ocspd")] {
        let said = said(&mut daemon(&home, &words)).ok();
        assert!(said.out.contains(part), "{}", said.out);
    }
}

#[test]
fn it_listens_on_every_address_that_is_named() {
    let home = Home::new();
    let mut running =
        Running::start(&mut daemon(&home, &["--listen", "127.0.0.1:0", "--listen", "127.77.0.2:0"]));
    let (one, two) = (running.url(), running.url());
    assert!(one.starts_with("http://127.0.0.1:") && two.starts_with("http://127.77.0.2:"));
    for url in [one, two] {
        assert_eq!(get(&url, "/healthz").text(), "ok\n");
    }
    // without the option, where the configuration says
    crate::running_daemon::configure(&home, "listen = [\"127.0.0.1:2560\"]", "listen = [\"127.77.0.3:0\"]");
    let mut running = Running::start(&mut daemon(&home, &[]));
    let url = running.url();
    assert!(url.starts_with("http://127.77.0.3:"), "{url}");
    assert_eq!(get(&url, "/healthz").text(), "ok\n");
}

/// Passes a listening socket as descriptor 3, as systemd does, once a client is already waiting in its queue.
const LAUNCHER: &str = r#"
import os, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(16)
print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
sys.stdin.readline()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], sys.argv[1:])
"#;

#[test]
fn a_socket_that_is_passed_is_served_and_nothing_else_is_bound() {
    // G7
    let home = Home::new();
    let mut command = Command::new(python());
    command.args(["-c", LAUNCHER, OCSPD, "--home"]).arg(home.path("home")).args(["--listen", "127.77.0.4:9"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (output, input) = (BufReader::new(child.stdout.take().unwrap()), child.stdin.take().unwrap());
    let mut running = Running { child, output };
    let url = running.url();
    let mut early = Client::connect(&url);
    early.send(&message("GET", "/healthz", "", &[])).unwrap();
    drop(input);
    assert_eq!(running.url(), url, "the daemon says where it listens");
    assert_eq!(early.reply(false).unwrap().text(), "ok\n");
    assert_eq!(get(&url, "/healthz").text(), "ok\n");
    drop(early);
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn systemds_own_launcher_starts_it_with_the_first_client() {
    // G7
    if !there_is("systemd-socket-activate") {
        return;
    }
    let (home, address) = (Home::new(), free_address());
    let mut command = Command::new("systemd-socket-activate");
    command.args(["-l", &address, OCSPD, "--home"]).arg(home.path("home")).stderr(Stdio::null());
    let mut running = Running::start(&mut command);
    let begun = Instant::now();
    while TcpStream::connect(&address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody listens");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(running.url(), format!("http://{address}"));
    assert_eq!(get(&format!("http://{address}"), "/healthz").text(), "ok\n");
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    // G7
    let home = Home::new();
    let path = home.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let received = || {
        let mut octets = [0; 256];
        let length = socket.recv(&mut octets).unwrap();
        String::from_utf8_lossy(&octets[..length]).into_owned()
    };
    let mut command = daemon(&home, &["--listen", "127.0.0.1:0"]);
    let mut running = Running::start(command.env("NOTIFY_SOCKET", &path));
    assert_eq!(received().trim(), "READY=1");
    assert_eq!(get(&running.url(), "/healthz").status, 200);
    running.signal("TERM");
    assert_eq!(received().trim(), "STOPPING=1");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn an_output_that_nobody_reads_does_not_stop_it() {
    let home = Home::new();
    let address = free_address();
    let mut command = daemon(&home, &["--listen", &address]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let begun = Instant::now();
    while TcpStream::connect(&address).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(get(&format!("http://{address}"), "/healthz").status, 200);
    let _ = child.kill();
    let _ = child.wait();
}
