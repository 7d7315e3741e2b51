//! Downloads that are under way while other clients need their places, or the server is to end.
use super::tests::{Daemon, head};
use crate::config::ListenAddress;
use crate::ocsp::fixture::NOW;
use crate::ocsp::settings::ServerSettings;
use crate::testing::{entry, tbs_cert_list};
use crate::x509::extension::crl_number;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const PROBE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
const DOWNLOAD: &[u8] = b"GET /ca.crl HTTP/1.1\r\nHost: a\r\n\r\n";

/// Publishes a CRL that no buffer on the way holds, and waits until it is served.
fn publish_long_crl(daemon: &Daemon) -> usize {
    let (key, issuer) = (daemon.hierarchy.ca_key(), daemon.hierarchy.ca.tbs().subject());
    let entries = (1..40_000_u32).map(|serial| entry(&serial.to_be_bytes(), None));
    let times = (NOW, NOW.plus_days(7));
    let tbs = tbs_cert_list(key.algorithm(), issuer, times, entries, vec![crl_number(1)]);
    let octets = key.encode_signed(tbs.as_der());
    std::fs::write(daemon.home.path().join("public/ca.crl"), &octets).unwrap();
    let begun = Instant::now();
    loop {
        let mut client = daemon.connect();
        client.write_all(b"HEAD /ca.crl HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        if head(&mut client).starts_with("HTTP/1.1 200") {
            return octets.len();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the CRL is not served");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Begins a download and takes only its head. The client has room for a few octets, so that the rest stays with the
/// server.
fn begin(daemon: &Daemon) -> (TcpStream, usize) {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    set_socket_recv_buffer_size(&socket, 4096).unwrap();
    connect(&socket, &daemon.address).unwrap();
    let mut client = TcpStream::from(socket);
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.write_all(DOWNLOAD).unwrap();
    let head = head(&mut client);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    (client, length.parse().unwrap())
}

/// Takes the rest of a download.
#[track_caller]
fn is_whole(client: &mut TcpStream, length: usize) {
    let mut octets = vec![0; length];
    client.read_exact(&mut octets).unwrap();
}

#[test]
fn a_download_under_way_keeps_its_place_against_any_number_of_silent_clients() {
    // O2
    let daemon = Daemon::start(ServerSettings { max_connections: 3, ..ServerSettings::default() });
    let length = publish_long_crl(&daemon);
    let (mut client, announced) = begin(&daemon);
    assert_eq!(announced, length);
    let mut silent: Vec<TcpStream> = Vec::new();
    for number in 0..20 {
        silent.push(daemon.connect());
        let mut other = daemon.connect();
        other.write_all(PROBE).unwrap();
        assert!(head(&mut other).starts_with("HTTP/1.1 200"), "behind {number} silent clients");
    }
    is_whole(&mut client, length);
    // its connection is idle now, and makes room as any other
    for _ in 0..3 {
        silent.push(daemon.connect());
    }
    let mut other = daemon.connect();
    other.write_all(PROBE).unwrap();
    assert!(head(&mut other).starts_with("HTTP/1.1 200"));
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)), "its place was given away");
}

#[test]
fn a_download_of_which_nothing_is_taken_gives_way_after_a_while() {
    // O2
    let settings = ServerSettings {
        max_connections: 1,
        idle_timeout: Duration::from_secs(2),
        ..ServerSettings::default()
    };
    let daemon = Daemon::start(settings);
    publish_long_crl(&daemon);
    let (_stalled, _) = begin(&daemon);
    let mut other = daemon.connect();
    other.write_all(PROBE).unwrap();
    assert!(head(&mut other).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_download_under_way_ends_after_the_signal_to_end_and_within_its_time() {
    // G7
    let mut daemon = Daemon::start(ServerSettings::default());
    let length = publish_long_crl(&daemon);
    let (mut client, _) = begin(&daemon);
    let reader = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        is_whole(&mut client, length);
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "and the connection ends with it");
    });
    daemon.stop();
    reader.join().unwrap();

    let mut daemon = Daemon::start(ServerSettings::default());
    publish_long_crl(&daemon);
    let (_stalled, _) = begin(&daemon);
    let took = daemon.stop();
    assert!((Duration::from_secs(2)..Duration::from_secs(10)).contains(&took), "{took:?}");
}

#[test]
fn a_connection_lies_idle_for_as_long_as_is_configured_and_a_head_has_a_time_of_its_own() {
    let settings = ServerSettings {
        header_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(1500),
        ..ServerSettings::default()
    };
    let daemon = Daemon::start(settings);
    let lasts = |client: &mut TcpStream| {
        let begun = Instant::now();
        let _ = client.read_to_end(&mut Vec::new());
        begun.elapsed()
    };
    let idle = Duration::from_millis(1400)..Duration::from_secs(10);
    let mut silent = daemon.connect();
    let took = lasts(&mut silent);
    assert!(idle.contains(&took), "before the first request: {took:?}");
    let mut client = daemon.connect();
    for _ in 0..2 {
        client.write_all(PROBE).unwrap();
        assert!(head(&mut client).starts_with("HTTP/1.1 200"));
        client.read_exact(&mut [0; 3]).unwrap();
        std::thread::sleep(Duration::from_millis(600));
    }
    client.write_all(PROBE).unwrap();
    assert!(head(&mut client).starts_with("HTTP/1.1 200"), "longer than a head may take, it lay idle");
    client.read_exact(&mut [0; 3]).unwrap();
    let took = lasts(&mut client);
    assert!(idle.contains(&took), "between requests: {took:?}");
    let mut slow = daemon.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
    let begun = Instant::now();
    while slow.write_all(b"X: y\r\n").is_ok() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "a head that drips has {:?}", begun.elapsed());
}

#[test]
fn a_unix_socket_is_served_like_an_address() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ocsp.sock");
    let mut daemon = Daemon::start_at(ListenAddress::Unix(path.clone()), ServerSettings::default());
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(PROBE).unwrap();
    let mut reply = [0; 15];
    client.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"HTTP/1.1 200 OK");
    drop(client);
    daemon.stop();
    assert!(!path.exists(), "it goes with the server");
}
