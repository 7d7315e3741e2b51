//! Thousands of clients that want nothing, go away, or take their time, while others are served.
use crate::http_client::{Client, message, ocsp_request, post};
use crate::running_daemon::{Site, issue, request_for};
use crate::support::Daemon;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

const OCSP: &str = "Content-Type: application/ocsp-request\r\n";

fn connect(site: &Site) -> TcpStream {
    let stream = TcpStream::connect(site.url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// The most memory that it has ever had, in KiB.
fn peak(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// As many files as the system allows this process, and how many sockets that leaves.
fn room() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX).min(20_000).max(limit.current.unwrap_or(0).min(20_000));
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit });
    usize::try_from(most).unwrap() - 500
}

#[test]
fn ten_thousand_idle_connections_hold_nobody_up_and_cost_little() {
    // O2
    let patient = [
        ("header_timeout = \"10s\"", "header_timeout = \"5m\""),
        ("idle_timeout = \"60s\"", "idle_timeout = \"5m\""),
    ];
    let site = Site::with(&patient);
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    assert_eq!(post(site.url(), &question).verdict(), "good");
    let mut regular = Client::connect(site.url());
    let before = peak(&site.daemon);
    let mut idle = Vec::new();
    for number in 0..room().min(10_000) {
        let mut stream = connect(&site);
        match number % 4 {
            0 => {}
            1 => drop(stream.write_all(b"POST / HTTP/1.1\r\nHost: pki\r\nX-Slow: ")),
            2 => drop(stream.write_all(&message("POST", "/", OCSP, &question)[..100])),
            _ => drop(stream.write_all(b"\r\n")),
        }
        idle.push(stream);
        if number % 250 == 0 {
            assert_eq!(post(site.url(), &question).verdict(), "good", "behind {number} idle connections");
            assert_eq!(regular.ask("POST", "/", OCSP, &question).verdict(), "good", "one that comes back");
        }
    }
    assert!(idle.len() >= 3000, "too few descriptors to prove anything: {}", idle.len());
    // and a revocation is seen as ever
    site.home.ca(&["revoke", &issued.file]).ok();
    site.soon(&question, "revoked");
    assert_eq!(post(site.url(), &question).verdict(), "revoked");
    let after = peak(&site.daemon);
    assert!(after < before + (100 << 10), "{before} KiB before, {after} KiB after");
    let open = fs::read_dir(format!("/proc/{}/fd", site.daemon.id())).unwrap().count();
    assert!(open < 1300, "{open} files open");
}

#[test]
fn clients_that_go_away_at_any_stage_leave_nothing_behind() {
    // O2
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let whole = message("POST", "/", OCSP, &question);
    let files = || fs::read_dir(format!("/proc/{}/fd", site.daemon.id())).unwrap().count();
    assert_eq!(post(site.url(), &question).verdict(), "good");
    let before = files();
    for length in 0..=whole.len() {
        // closed with octets unread, which the kernel tells the other side by RST
        let mut reset = connect(&site);
        reset.write_all(&whole[..length]).unwrap();
        if length == whole.len() {
            reset.read_exact(&mut [0]).unwrap();
        }
        drop(reset);
        let mut closed = connect(&site);
        closed.write_all(&whole[..length]).unwrap();
        closed.shutdown(Shutdown::Both).unwrap();
    }
    // gone without ever reading any of many answers
    for _ in 0..50 {
        let mut greedy = connect(&site);
        for _ in 0..50 {
            if greedy.write_all(&whole).is_err() {
                break;
            }
        }
    }
    assert_eq!(post(site.url(), &question).verdict(), "good");
    let begun = Instant::now();
    while files() > before + 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} files open, {before} before", files());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_client_that_closes_its_half_is_answered_all_the_same() {
    // O2
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], Some(&[7; 16]));
    for _ in 0..20 {
        let mut client = Client::connect(site.url());
        client.send(&message("POST", "/", OCSP, &question)).unwrap();
        client.shut();
        assert_eq!(client.reply(false).unwrap().verdict(), "good");
        assert!(client.reply(false).is_err(), "and the connection ends");
    }
}

#[test]
fn readers_that_do_not_read_and_bodies_that_do_not_come_are_cut_and_the_others_served() {
    // O2
    let home = crate::support::Home::with_hierarchy("http://pki.genfic.example");
    crate::running_daemon::configure(&home, "idle_timeout = \"60s\"", "idle_timeout = \"2s\"");
    let issued = issue(&home, "w.genfic.example");
    let question = ocsp_request(&[request_for(&home, &issued, "-sha1")], None);
    let site = Site { daemon: home.daemon("127.0.0.1:0"), home };
    let whole = message("POST", "/", OCSP, &question);
    // requests without end, and no answer read
    let mut deaf: Vec<TcpStream> = (0..20).map(|_| connect(&site)).collect();
    for stream in &deaf {
        stream.set_nonblocking(true).unwrap();
    }
    let begun = Instant::now();
    let mut gone = 0;
    while gone < deaf.len() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{gone} of {} were cut", deaf.len());
        gone = 0;
        for stream in &mut deaf {
            for _ in 0..50 {
                match stream.write(&whole) {
                    Ok(_) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    Err(_) => {
                        gone += 1;
                        break;
                    }
                }
            }
        }
        assert_eq!(post(site.url(), &question).verdict(), "good");
        std::thread::sleep(Duration::from_millis(20));
    }
    // bodies that are promised and do not come
    let mut silent: Vec<TcpStream> = (0..20).map(|_| connect(&site)).collect();
    for stream in &mut silent {
        stream.write_all(&whole[..whole.len() - 1]).unwrap();
    }
    for stream in &mut silent {
        let mut reply = String::new();
        let _ = stream.read_to_string(&mut reply);
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{reply}");
        assert_eq!(post(site.url(), &question).verdict(), "good");
    }
}
