//! Many clients, slow ones, and many requests.
use crate::http_client::{Client, get, ocsp_request, post};
use crate::running_daemon::{Site, configure, issue, request_for};
use crate::support::{Daemon, Home, OCSPD};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const OCSP: &str = "Content-Type: application/ocsp-request\r\n";

/// The daemon under a limit of open files.
struct Limited {
    child: Child,
    url: String,
}

impl Limited {
    fn start(home: &Home, limit: &str) -> Self {
        use std::io::{BufRead, BufReader};
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={limit}")).args([OCSPD, "--listen", "127.0.0.1:0", "--home"]);
        command.arg(home.path("home")).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { url: line.trim().strip_prefix("listening on ").unwrap().to_owned(), child }
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn six_hundred_connections_at_once_are_served_and_idle_ones_hold_nobody_up() {
    // O2: no connection is dropped; the soft limit of 256 files is raised for them
    let home = Home::with_hierarchy("http://pki.genfic.example");
    configure(&home, "header_timeout = \"10s\"", "header_timeout = \"5m\"");
    let issued = issue(&home, "w.genfic.example");
    let daemon = Limited::start(&home, "256:4096");
    let question = ocsp_request(&[request_for(&home, &issued, "-sha1")], None);
    let mut clients: Vec<Client> = (0..600).map(|_| Client::connect(&daemon.url)).collect();
    for client in clients.iter_mut().step_by(2) {
        client.send(b"POST / HTTP/1.1\r\nHost: pki\r\n").unwrap();
    }
    for _ in 0..20 {
        assert_eq!(post(&daemon.url, &question).verdict(), "good");
    }
    // new status can be opened all the same
    home.ca(&["revoke", &issued.file]).ok();
    let begun = Instant::now();
    while post(&daemon.url, &question).verdict() != "revoked" {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    for (at, client) in clients.iter_mut().enumerate() {
        if at % 2 == 0 {
            let rest = format!("{OCSP}Content-Length: {}\r\n\r\n", question.len());
            client.send(&[rest.as_bytes(), &question].concat()).unwrap();
        } else {
            client.send(&crate::http_client::message("POST", "/", OCSP, &question)).unwrap();
        }
    }
    for client in &mut clients {
        assert_eq!(client.reply(false).unwrap().verdict(), "revoked");
    }
}

#[test]
fn when_files_cannot_be_had_connections_wait_and_a_revocation_is_answered_all_the_same() {
    // O12
    let home = Home::with_hierarchy("http://pki.genfic.example");
    configure(&home, "header_timeout = \"10s\"", "header_timeout = \"1s\"");
    let issued = issue(&home, "w.genfic.example");
    let daemon = Limited::start(&home, "200:200");
    let question = ocsp_request(&[request_for(&home, &issued, "-sha1")], None);
    assert_eq!(post(&daemon.url, &question).verdict(), "good");
    let idle: Vec<Client> = (0..300).map(|_| Client::connect(&daemon.url)).collect();
    home.ca(&["revoke", &issued.file]).ok();
    let begun = Instant::now();
    while post(&daemon.url, &question).verdict() != "revoked" {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    drop(idle);
}

#[test]
fn a_client_that_sends_its_headers_slowly_is_cut_off_and_the_others_are_served_meanwhile() {
    // O2
    let site = Site::with(&[("header_timeout = \"10s\"", "header_timeout = \"2s\"")]);
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let mut slow: Vec<Client> = (0..50).map(|_| Client::connect(site.url())).collect();
    let begun = Instant::now();
    let mut cut = false;
    for octet in b"POST / HTTP/1.1\r\nHost: pki\r\nX-Slow: ".iter().chain([b'a'; 1000].iter()) {
        let sent = slow.iter_mut().filter_map(|client| client.send(&[*octet]).ok()).count();
        assert_eq!(post(site.url(), &question).verdict(), "good");
        if sent == 0 {
            cut = true;
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{sent} slow clients are still connected");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(cut);
    for mut client in slow {
        if let Ok(reply) = client.reply(false) {
            assert_eq!(reply.status, 408);
        }
    }
}

fn resident_kib(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn twenty_thousand_requests_leave_its_memory_as_it_was() {
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let element = request_for(&site.home, &issued, "-sha1");
    let kept = ocsp_request(std::slice::from_ref(&element), None);
    let at = element.windows(4).position(|part| part == serial_octets(&issued.serial)).unwrap();
    let mut client = Client::connect(site.url());
    let mut ask = |count: u32| {
        for number in 0..count {
            let (request, verdict) = match number % 20 {
                // signed for one client
                0 => (ocsp_request(std::slice::from_ref(&element), Some(&number.to_be_bytes())), "good"),
                // a serial number that nobody has asked about before
                1 => {
                    let mut other = element.clone();
                    other[at..at + 4].copy_from_slice(&(0x1000_0000 + number).to_be_bytes());
                    (ocsp_request(&[other], None), "unknown")
                }
                2 => (kept[..kept.len() - 1].to_vec(), "malformedRequest"),
                _ => (kept.clone(), "good"),
            };
            assert_eq!(client.ask("POST", "/", OCSP, &request).verdict(), verdict);
        }
    };
    ask(2000);
    let before = resident_kib(&site.daemon);
    ask(20_000);
    let after = resident_kib(&site.daemon);
    assert!(after < before + (48 << 10), "{before} KiB before, {after} KiB after");
    assert_eq!(get(site.url(), "/readyz").status, 200);
}

/// The first four octets of a serial number in hexadecimal.
fn serial_octets(serial: &str) -> [u8; 4] {
    u32::from_str_radix(&serial[..8], 16).unwrap().to_be_bytes()
}
