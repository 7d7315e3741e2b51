use super::*;
use crate::clock::FixedClock;
use crate::ocsp::fixture::{Hierarchy, MemorySource, NOW, write_responder};
use crate::ocsp::http::refreshes;
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::query;
use crate::ocsp::responder_files::ResponderFiles;
use crate::ocsp::response::OcspResponse;
use crate::ocsp::rules::Rules;
use crate::ocsp::settings::ResponderSettings;
use arc_swap::ArcSwap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream as Client};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;
use tokio::sync::oneshot;

pub(super) struct Daemon {
    pub(super) hierarchy: Hierarchy,
    source: MemorySource,
    pub(super) home: tempfile::TempDir,
    pub(super) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Daemon {
    pub(super) fn start(settings: ServerSettings) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), settings)
    }

    /// Listens there; `address` is that of an address.
    pub(super) fn start_at(listen: ListenAddress, settings: ServerSettings) -> Self {
        Self::start_looking(listen, settings, Duration::from_millis(20))
    }

    /// The same, and looks for new files at this interval.
    fn start_looking(listen: ListenAddress, settings: ServerSettings, interval: Duration) -> Self {
        let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
        let certificate = hierarchy.responder.certificate();
        write_responder(&home.path().join("ocsp/ca"), &hierarchy.responder_key, certificate);
        let source = MemorySource(Arc::new(Mutex::new(Some(hierarchy.status()))));
        let responders = ResponderFiles::new(home.path().join("ocsp"));
        std::fs::create_dir(home.path().join("public")).unwrap();
        let public = PublicFiles::new(home.path().join("public"));
        let clock: Arc<dyn Clock> = Arc::new(FixedClock(NOW));
        let reloader = Reloader::new(source.clone(), responders, public, NOW);
        let settings = ServerSettings {
            listen: vec![listen],
            poll_interval: interval,
            shutdown_timeout: Duration::from_secs(2),
            ..settings
        };
        let rules = Rules::new(ResponderSettings::default(), Vec::new(), None);
        let service = OcspService::new(reloader.current(), rules, &settings, Arc::clone(&clock));
        let (refresher, refreshes) = refreshes();
        let service = service.with_looker(refresher);
        let listeners = listeners(&settings.listen, None).unwrap();
        let address =
            listeners.clients[0].to_string().strip_prefix("http://").and_then(|text| text.parse().ok());
        let address = address.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
        let controls = service.controls();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let at_once = Arc::default();
                let rules = (clock, controls);
                tokio::spawn(keep_reloading(reloader, refreshes, at_once, settings.poll_interval, rules));
                let stop = async { stopped.await.unwrap_or_default() };
                serve(listeners, service, &settings, stop).await.unwrap();
            });
        });
        Self { hierarchy, source, home, address, stop: Some(stop), thread: Some(thread) }
    }

    pub(super) fn connect(&self) -> Client {
        let client = Client::connect(self.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        client
    }

    fn ask(&self, serial: u8) -> Vec<u8> {
        let url = format!("http://{}/", self.address);
        query::post(&url, &self.hierarchy.request(serial), Duration::from_secs(10)).unwrap()
    }

    pub(super) fn stop(&mut self) -> Duration {
        let begun = Instant::now();
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap();
        begun.elapsed()
    }
}

pub(super) fn head(client: &mut Client) -> String {
    let mut octets = Vec::new();
    while !octets.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        if client.read(&mut octet).unwrap() == 0 {
            break;
        }
        octets.push(octet[0]);
    }
    String::from_utf8(octets).unwrap()
}

#[test]
fn a_plain_client_is_answered_and_a_revocation_is_seen_within_a_second() {
    // O1, O12
    let mut daemon = Daemon::start(ServerSettings::default());
    let good = daemon.ask(2);
    assert!(matches!(OcspResponse::from_der(&good), Ok(OcspResponse::Successful(_))));
    assert_eq!(daemon.ask(2), good, "from the cache");
    daemon.source.0.lock().unwrap().as_mut().unwrap().revoke(2, NOW);
    let begun = Instant::now();
    while daemon.ask(2) == good {
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
    assert!(daemon.stop() < Duration::from_secs(2));
}

#[test]
fn a_file_that_comes_into_its_place_is_served_without_a_look_at_an_interval() {
    // O12, X10
    let listen = "127.0.0.1:0".parse().unwrap();
    let hour = Duration::from_secs(3600);
    let mut daemon = Daemon::start_looking(listen, ServerSettings::default(), hour);
    let url = format!("http://{}/ca.crl", daemon.address);
    let limit = Duration::from_secs(10);
    for number in 1..4 {
        let list = daemon.hierarchy.crl(number, &[]);
        let path = daemon.home.path().join("public/ca.crl");
        crate::home::replace(&path, &list, crate::home::Mode::Public).unwrap();
        let begun = Instant::now();
        while query::fetch(&url, limit).ok().as_ref() != Some(&list) {
            assert!(begun.elapsed() < limit, "it is not noticed");
        }
    }
    daemon.stop();
}

#[test]
fn a_connection_is_kept_and_head_has_no_body() {
    // O9
    let mut daemon = Daemon::start(ServerSettings::default());
    let mut client = daemon.connect();
    for _ in 0..2 {
        client.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let head = head(&mut client);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("content-length: 3\r\n"), "{head}");
    }
    assert!(daemon.stop() < Duration::from_secs(2), "an idle connection does not hold up the end");
}

#[test]
fn clients_that_say_nothing_or_stop_half_way_are_cut_off() {
    let settings = ServerSettings {
        header_timeout: Duration::from_millis(200),
        body_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_millis(500),
        ..ServerSettings::default()
    };
    let daemon = Daemon::start(settings);
    for (sent, status) in [
        ("", ""),
        ("POST / HTTP/1.1\r\nHost", "HTTP/1.1 408"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", "HTTP/1.1 408"),
    ] {
        let begun = Instant::now();
        let mut client = daemon.connect();
        client.write_all(sent.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(2), "{sent}");
        assert!(answer.is_empty() || answer.starts_with(status), "{answer}");
    }
}

#[test]
fn above_the_limit_the_connection_that_waits_longest_makes_room() {
    // O2
    let settings = ServerSettings { max_connections: 2, ..ServerSettings::default() };
    let daemon = Daemon::start(settings);
    let question = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let (mut silent, mut active) = (daemon.connect(), daemon.connect());
    active.write_all(question).unwrap();
    assert!(head(&mut active).starts_with("HTTP/1.1 200"));
    let mut third = daemon.connect();
    third.write_all(question).unwrap();
    assert!(head(&mut third).starts_with("HTTP/1.1 200"));
    assert!(matches!(silent.read(&mut [0]), Ok(0) | Err(_)), "its place was given away");
    active.read_exact(&mut [0; 3]).unwrap();
    active.write_all(question).unwrap();
    assert!(head(&mut active).starts_with("HTTP/1.1 200"), "and that of the other was not");
}

#[test]
fn requests_sent_ahead_of_their_answers_wait_for_their_turn_and_no_others_do() {
    // O2
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (hierarchy, settings) = (Hierarchy::new(), ServerSettings::default());
    let snapshot = Arc::new(ArcSwap::from_pointee(hierarchy.snapshot()));
    let clock = Arc::new(FixedClock(NOW));
    let rules = Rules::new(ResponderSettings::default(), Vec::new(), None);
    let service = OcspService::new(snapshot, rules, &settings, clock);
    let turns = Arc::new(Semaphore::new(0));
    let patience = Patience { head: settings.header_timeout, idle: settings.idle_timeout };
    let connection = Connection { service: Arc::new(service), patience, turns: Arc::clone(&turns) };
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(accept(Served::Tcp(listener), connection, ConnectionLimit::new(8)));

    let connect = || {
        let client = Client::connect(address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        client
    };
    let body = hierarchy.request(2);
    let post = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    let post = [post.as_bytes(), &body].concat();
    let probe = b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let (mut hasty, mut patient) = (connect(), connect());
    hasty.write_all(&[&probe[..], &post, probe].concat()).unwrap();
    assert!(head(&mut hasty).starts_with("HTTP/1.1 200"), "its first");
    for _ in 0..3 {
        patient.write_all(probe).unwrap();
        assert!(head(&mut patient).starts_with("HTTP/1.1 200"));
    }
    hasty.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(hasty.read(&mut [0]).is_err(), "it waits for its turn");
    hasty.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    turns.add_permits(1);
    let answer = head(&mut hasty);
    let length = answer.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    hasty.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
    assert!(head(&mut hasty).starts_with("HTTP/1.1 200"), "the turn was given back");
}

#[test]
fn an_address_in_use_is_a_problem_with_a_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = listeners(&[ListenAddress::Tcp(taken.local_addr().unwrap())], None).unwrap_err();
    assert_eq!(Problem::from(error).code.code(), "daemon.listen");
    assert!(matches!(listeners(&[], None), Err(ServerError::NoAddress)));
}

#[test]
fn openssl_verifies_our_answers() {
    // O3, O7, O8
    let daemon = Daemon::start(ServerSettings::default());
    let path = |name: &str| daemon.home.path().join(name).display().to_string();
    std::fs::write(path("ca.pem"), daemon.hierarchy.ca.to_pem()).unwrap();
    for hash in ["-sha1", "-sha256", "-sha384", "-sha512"] {
        let output = Command::new("openssl")
            .args(["ocsp", hash, "-issuer", &path("ca.pem"), "-serial", "3", "-CAfile", &path("ca.pem")])
            .args(["-url", &format!("http://{}/ocsp", daemon.address), "-attime", &NOW.0.to_string()])
            .args(["-validity_period", "2000000000", "-resp_text"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("Response verify OK"), "{hash}: {errors}");
        assert!(text.contains("3: revoked") && text.contains("Reason: keyCompromise"), "{text}");
        assert!(!errors.contains("no nonce"), "{errors}");
    }
}
