//! What clients can have the daemon's memory grow to: no more than each connection's share of it, whatever they send
//! and whether or not they read.
use crate::http_client::{message, ocsp_request, post};
use crate::running_daemon::{Site, request_for};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const OCSP: &str = "Content-Type: application/ocsp-request\r\n";
/// As many as the configuration of these tests allows.
const CONNECTIONS: usize = 64;
/// `max_body` at its default.
const BODY: u64 = 64 << 10;
/// What a connection may take besides the body.
const REST: u64 = 32 << 10;

/// The most memory that the daemon has ever had, in octets.
fn peak(site: &Site) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", site.daemon.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// A site with a question for it, which has been asked often enough for everything to be in place.
fn asked() -> (Site, Vec<u8>) {
    let site = Site::with(&[("max_connections = 1024", "max_connections = 64")]);
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    for _ in 0..200 {
        assert_eq!(post(site.url(), &question).verdict(), "good");
    }
    (site, question)
}

fn connect(site: &Site) -> TcpStream {
    let stream = TcpStream::connect(site.url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

fn crowd(site: &Site) -> Vec<TcpStream> {
    (0..CONNECTIONS).map(|_| connect(site)).collect()
}

/// Has `attack` done and looks what it has cost; nothing that is asked in it may be one of the kept answers.
#[track_caller]
fn is_bounded(site: &Site, question: &[u8], attack: impl FnOnce()) {
    let before = peak(site);
    attack();
    let grown = peak(site) - before;
    let share = u64::try_from(CONNECTIONS).unwrap() * (BODY + REST);
    assert!(grown <= share, "{} KiB, of which {} KiB are allowed", grown >> 10, share >> 10);
    assert_eq!(post(site.url(), question).verdict(), "good");
}

/// Sends to all of them by turns, so many octets at a time.
fn drip(clients: &mut [TcpStream], octets: &[u8], at_a_time: usize) {
    for part in octets.chunks(at_a_time) {
        for client in clients.iter_mut() {
            // one that was refused is gone
            let _ = client.write_all(part);
        }
    }
}

fn chunked(headers: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: pki\r\n{OCSP}{headers}Transfer-Encoding: chunked\r\n\r\n").into_bytes()
}

#[test]
fn bodies_of_one_octet_a_segment_cost_no_more_than_their_size() {
    // O2
    let (site, question) = asked();
    is_bounded(&site, &question, || {
        let mut clients = crowd(&site);
        let head = message("POST", "/", OCSP, &[0; 65_536]);
        drip(&mut clients, &head[..head.len() - 65_536], 4096);
        drip(&mut clients, &[0x30; 600], 1);
        // and then all of it but for the end
        drip(&mut clients, &[0x30; 64_000], 4096);
        std::thread::sleep(Duration::from_millis(500));
    });
}

#[test]
fn bodies_of_one_octet_a_chunk_cost_no_more_than_their_size() {
    // O2
    let (site, question) = asked();
    is_bounded(&site, &question, || {
        let mut clients = crowd(&site);
        drip(&mut clients, &chunked(""), 4096);
        drip(&mut clients, &b"1\r\nx\r\n".repeat(60_000), 6000);
        std::thread::sleep(Duration::from_millis(500));
    });
}

#[test]
fn chunk_extensions_cost_nothing() {
    // O2
    let (site, question) = asked();
    is_bounded(&site, &question, || {
        let mut clients = crowd(&site);
        drip(&mut clients, &chunked(""), 4096);
        drip(&mut clients, &b"1;a=\"b\"\r\nx\r\n".repeat(80), 1);
        for client in &mut clients {
            let _ = client.write_all(&b"1;".iter().copied().chain([b'e'; 20_000]).collect::<Vec<_>>());
        }
        std::thread::sleep(Duration::from_millis(500));
    });
}

#[test]
fn trailers_cost_no_more_than_a_head() {
    // O2
    let (site, question) = asked();
    is_bounded(&site, &question, || {
        let mut clients = crowd(&site);
        drip(&mut clients, &chunked("Trailer: X\r\n"), 4096);
        drip(&mut clients, &b"1000\r\n".iter().copied().chain([0x30; 4096]).collect::<Vec<_>>(), 4102);
        drip(&mut clients, b"\r\n0\r\n", 1);
        drip(&mut clients, format!("X: {}\r\n", "y".repeat(300)).as_bytes(), 1);
        drip(&mut clients, format!("X: {}\r\n", "y".repeat(300)).repeat(40).as_bytes(), 1400);
        std::thread::sleep(Duration::from_millis(500));
    });
}

#[test]
fn three_thousand_headers_cost_no_more_than_a_head_and_so_do_heads_that_do_not_end() {
    // O2
    let (site, question) = asked();
    is_bounded(&site, &question, || {
        for _ in 0..4 {
            let mut clients = crowd(&site);
            drip(&mut clients, b"GET /healthz HTTP/1.1\r\nHost: pki\r\n", 4096);
            drip(&mut clients, &b"X: y\r\n".repeat(3000), 3000);
            for client in &mut clients {
                let _ = client.write_all(b"\r\n");
                let mut reply = [0; 12];
                if client.read_exact(&mut reply).is_ok() {
                    assert_eq!(&reply, b"HTTP/1.1 431");
                }
            }
        }
        let mut clients = crowd(&site);
        drip(&mut clients, b"GET /", 5);
        drip(&mut clients, &[b'A'; 400], 1);
        drip(&mut clients, &[b'A'; 15_000], 1000);
        std::thread::sleep(Duration::from_millis(500));
    });
}

#[test]
fn bodies_that_are_promised_cost_nothing_until_they_come() {
    // O2
    let (site, question) = asked();
    is_bounded(&site, &question, || {
        let mut clients = crowd(&site);
        let half = clients.len() / 2;
        let promised =
            |length: u64| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        drip(&mut clients[..half], promised(65_536).as_bytes(), 4096);
        drip(&mut clients[half..], promised(u64::MAX / 4).as_bytes(), 4096);
        drip(&mut clients, &[0x30; 100], 1);
        std::thread::sleep(Duration::from_millis(500));
    });
}

/// Requests one after the other, as fast as they are taken, and never an answer read.
fn pipelining(site: &Site, question: &[u8], requests: &[u8]) {
    is_bounded(site, question, || {
        let mut clients = crowd(site);
        for client in &clients {
            client.set_nonblocking(true).unwrap();
        }
        // whole ones alone: half a request would be another attack
        let block = requests.repeat((64 << 10) / requests.len() + 1);
        let mut sent = vec![0; clients.len()];
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            let mut moved = false;
            for (client, sent) in clients.iter_mut().zip(&mut sent) {
                match client.write(&block[*sent % block.len()..]) {
                    Ok(written) => (*sent, moved) = (*sent + written, true),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    // connections of before may still have been there, and one more takes the place of another
                    Err(_) => *sent = usize::MAX / 2,
                }
            }
            if !moved {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        assert!(sent.iter().all(|sent| *sent > 64 << 10), "{sent:?}");
        let cut_off = sent.iter().filter(|sent| **sent >= usize::MAX / 2).count();
        assert!(cut_off <= CONNECTIONS / 2, "{cut_off} were cut off");
    });
}

#[test]
fn clients_that_pipeline_questions_and_never_read_cost_no_more_than_others() {
    // O2
    let (site, question) = asked();
    let [one, two] = [1, 2].map(|nonce| {
        let issued = crate::http_client::contents(crate::http_client::contents(
            crate::http_client::contents(&question),
        ));
        message("POST", "/", OCSP, &ocsp_request(&[issued.to_vec()], Some(&[nonce; 32])))
    });
    pipelining(&site, &question, &[one, two].concat());
}

#[test]
fn clients_that_pipeline_requests_without_bodies_in_their_answers_and_never_read_cost_no_more_than_others() {
    // O2
    let (site, question) = asked();
    pipelining(&site, &question, &message("HEAD", "/healthz", "", &[]));
    pipelining(&site, &question, &message("GET", "/genfic.crt", "If-None-Match: *\r\n", &[]));
    pipelining(&site, &question, &message("GET", "/genfic.crl", "", &[]));
    pipelining(&site, &question, &message("PUT", "/", "", &[]));
}
