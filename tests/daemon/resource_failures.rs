//! What the daemon cannot go on without, and what it can: its log, its threads, the signal that terminals send.
use crate::http_client::{Client, get, message, ocsp_request, post};
use crate::running_daemon::{Issued, issue, request_for};
use crate::startup_and_shutdown::{Running, daemon};
use crate::support::Home;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const OCSP: &str = "Content-Type: application/ocsp-request\r\n";
const PANIC: &str = "GENFIC_CA_FAILPOINT_PANIC";

fn home() -> (Home, Issued, Vec<u8>) {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let issued = issue(&home, "w.genfic.example");
    let question = ocsp_request(&[request_for(&home, &issued, "-sha1")], None);
    (home, issued, question)
}

#[track_caller]
fn becomes(url: &str, question: &[u8], wanted: &str) {
    let begun = Instant::now();
    loop {
        let verdict = post(url, question).verdict();
        if verdict == wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "`{verdict}` where `{wanted}` is true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Has the reloader say something: new responder certificates, a file that is broken and mended.
fn have_it_log(home: &Home) {
    home.ca(&["ocsp", "responder", "genfic-system"]).ok();
    let crl = home.path("home/public/genfic-user.crl");
    let whole = fs::read(&crl).unwrap();
    for contents in [&b"broken"[..], &whole] {
        fs::write(&crl, contents).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// A daemon whose standard error is what `with` makes it.
#[track_caller]
fn goes_on(with: impl FnOnce(&mut Command)) {
    let (home, issued, question) = home();
    let mut command = daemon(&home, &["--listen", "127.0.0.1:0"]);
    with(command.env("GENFIC_OCSPD_LOG", "trace"));
    let mut running = Running::start(&mut command);
    let url = running.url();
    for _ in 0..300 {
        assert_eq!(post(&url, &question).verdict(), "good");
    }
    have_it_log(&home);
    home.ca(&["revoke", &issued.file]).ok();
    becomes(&url, &question, "revoked");
    assert_eq!(get(&url, "/readyz").status, 200);
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn on_a_full_disk_it_starts_and_what_is_new_is_taken_up() {
    // O12
    goes_on(|command| {
        command.stderr(File::options().write(true).open("/dev/full").unwrap());
    });
}

#[test]
fn with_a_pipe_that_is_gone_for_its_log_what_is_new_is_taken_up() {
    // O12
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    goes_on(|command| {
        command.stderr(writer);
    });
}

#[test]
fn with_a_pipe_that_nobody_reads_for_its_log_what_is_new_is_taken_up() {
    // O12
    let (reader, writer) = std::io::pipe().unwrap();
    goes_on(|command| {
        command.stderr(writer);
    });
    drop(reader);
}

#[test]
fn with_its_outputs_closed_it_starts_and_what_is_new_is_taken_up() {
    // O12
    let (home, issued, question) = home();
    let address = crate::support::free_address();
    let like = daemon(&home, &["--listen", &address]);
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" <&- >&- 2>&-", "sh"]).arg(like.get_program()).args(like.get_args());
    let mut running = Running::start(&mut command);
    let url = format!("http://{address}");
    let begun = Instant::now();
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    have_it_log(&home);
    home.ca(&["revoke", &issued.file]).ok();
    becomes(&url, &question, "revoked");
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn lines_that_could_not_be_written_are_counted_when_they_can_be_again() {
    let (home, _, question) = home();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = daemon(&home, &["--listen", "127.0.0.1:0"]);
    let mut running = Running::start(command.env("GENFIC_OCSPD_LOG", "trace").stderr(writer));
    drop(command);
    let url = running.url();
    // more than the pipe and the queue hold; a request is several lines
    let mut client = Client::connect(&url);
    for _ in 0..3000 {
        assert_eq!(client.ask("POST", "/", OCSP, &question[..9]).verdict(), "malformedRequest");
    }
    let read = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    // there is room for lines once the queue is written
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(get(&url, "/healthz").status, 200);
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
    let text = read.join().unwrap();
    let lost =
        text.lines().filter(|line| line.ends_with("lines of the log are lost: they could not be written"));
    assert!(lost.count() >= 1, "{}", text.lines().count());
    assert!(text.lines().last().unwrap().ends_with("stopping"), "the last lines are written before the end");
}

/// The daemon with a thread that ends at this place, and what it writes to standard error.
fn collapsing(home: &Home, place: &str) -> Running {
    let mut command = daemon(home, &["--listen", "127.0.0.1:0"]);
    command.env(PANIC, place).stderr(File::create(home.path("log")).unwrap());
    Running::start(&mut command)
}

#[test]
fn what_it_cannot_do_without_ends_it() {
    // O12, O13
    let (home, ..) = home();
    for (place, what) in [
        ("daemon: look", "looking for new files has ended"),
        ("daemon: accept", "accepting connections has ended"),
        ("daemon: log", "the log cannot go on"),
    ] {
        let mut running = collapsing(&home, place);
        if place == "daemon: accept" {
            let url = running.url();
            assert!(running.child.try_wait().unwrap().is_none());
            let _ = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap());
        }
        assert_eq!(running.ended(), Some(1), "{place}");
        let log = fs::read_to_string(home.path("log")).unwrap();
        assert!(log.contains(what) && log.contains("(exit 1, daemon.ended)"), "{place}: {log}");
    }
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_it_from_ending() {
    // O13
    let (home, ..) = home();
    let (reader, mut writer) = std::io::pipe().unwrap();
    // as much as a pipe holds
    writer.write_all(&vec![b'x'; 64 << 10]).unwrap();
    let mut command = daemon(&home, &["--listen", "127.0.0.1:0"]);
    let mut running = Running::start(command.env(PANIC, "daemon: accept").stderr(writer));
    let url = running.url();
    let _ = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap());
    assert_eq!(running.ended(), Some(1));
    drop(reader);
}

#[test]
fn a_connection_or_a_signature_that_fails_is_logged_and_the_others_go_on() {
    // O2, O13
    let (home, _, question) = home();
    let logged = |place: &str| {
        let log = fs::read_to_string(home.path("log")).unwrap();
        assert!(log.contains("ERROR") && log.contains(&format!("the failpoint `{place}`")), "{log}");
    };
    let mut running = collapsing(&home, "daemon: sign");
    let url = running.url();
    for _ in 0..20 {
        assert_eq!(post(&url, &question).verdict(), "internalError");
    }
    assert_eq!(get(&url, "/healthz").status, 200);
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
    logged("daemon: sign");

    let mut running = collapsing(&home, "daemon: connection");
    let url = running.url();
    for _ in 0..20 {
        let mut client = Client::connect(&url);
        let _ = client.send(&message("GET", "/healthz", "", &[]));
        assert!(client.reply(false).is_err(), "it is cut off");
    }
    assert!(running.child.try_wait().unwrap().is_none());
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
    logged("daemon: connection");
}

#[test]
fn sighup_has_it_look_for_new_files_and_does_not_end_it() {
    // G7
    let (home, issued, question) = home();
    let log = home.path("log");
    let mut command = daemon(&home, &["--listen", "127.0.0.1:0"]);
    let mut running = Running::start(command.stderr(File::create(&log).unwrap()).stdin(Stdio::null()));
    let url = running.url();
    for _ in 0..3 {
        running.signal("HUP");
        assert_eq!(post(&url, &question).verdict(), "good");
    }
    home.ca(&["revoke", &issued.file]).ok();
    running.signal("HUP");
    becomes(&url, &question, "revoked");
    let begun = Instant::now();
    while !fs::read_to_string(&log).unwrap().contains("SIGHUP: looking for new files") {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
}
