//! Answers that were signed beforehand, served by a daemon that has no home and no key.
use crate::http_client::{Reply, get, ocsp_request, post};
use crate::running_daemon::{Issued, issue, request_for};
use crate::startup_and_shutdown::Running;
use crate::support::{Home, OCSPD, free_address, there_is};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Front {
    home: Home,
    issued: Issued,
}

impl Front {
    fn new() -> Self {
        let home = Home::with_hierarchy("http://pki.genfic.example");
        let issued = issue(&home, "w.genfic.example");
        let front = Self { home, issued };
        front.presign();
        fs::create_dir(front.home.path("state")).unwrap();
        front
    }

    fn file(&self) -> PathBuf {
        self.home.path("answers")
    }

    fn presign(&self) -> serde_json::Value {
        self.home.result(&["ocsp", "presign", "-o", &self.file().display().to_string()])
    }

    fn daemon(&self, words: &[&str]) -> Command {
        let mut command = Command::new(OCSPD);
        command
            .arg("--home")
            .arg(self.home.path("no-home"))
            .arg("--responses")
            .arg(self.file())
            .arg("--state")
            .arg(self.home.path("state"))
            .args(words)
            .current_dir(self.home.directory());
        command
    }

    fn start(&self) -> (Running, String) {
        let mut running = Running::start(&mut self.daemon(&["--listen", "127.0.0.1:0"]));
        let url = running.url();
        (running, url)
    }

    fn request(&self, hash: &str, nonce: Option<&[u8]>) -> Vec<u8> {
        ocsp_request(&[request_for(&self.home, &self.issued, hash)], nonce)
    }
}

#[track_caller]
fn soon(url: &str, request: &[u8], wanted: &str) {
    let begun = Instant::now();
    loop {
        let verdict = post(url, request).verdict();
        if verdict == wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "`{verdict}` where `{wanted}` is true");
    }
}

#[test]
fn a_daemon_without_a_home_answers_from_a_file_of_answers_and_takes_up_the_next() {
    // O1, O12
    let front = Front::new();
    let (mut running, url) = front.start();
    for hash in ["-sha1", "-sha256"] {
        for nonce in [None, Some(&[1; 16][..])] {
            let reply = post(&url, &front.request(hash, nonce));
            assert_eq!(reply.verdict(), "good", "{hash}");
            assert_eq!(reply.basic().data().nonce(), None);
        }
    }
    let path = STANDARD.encode(front.request("-sha1", None)).replace('/', "%2F").replace('+', "%2B");
    let reply = get(&url, &format!("/{path}"));
    assert_eq!(reply.verdict(), "good");
    assert!(reply.header("cache-control").is_some_and(|value| value.contains("public")));
    let request = front.request("-sha1", None);
    assert_eq!(front.presign()["signed"], 0, "all of it counts still");
    front.home.ca(&["revoke", &front.issued.file, "--reason", "key-compromise"]).ok();
    assert_eq!(front.presign()["signed"], 2, "only what was revoked");
    soon(&url, &request, "revoked");
    let ready = get(&url, "/readyz");
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains("genfic-system: answered from a file, all until "), "{}", ready.text());
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn others_verify_answers_that_were_signed_beforehand() {
    // O1
    let front = Front::new();
    let (_running, url) = front.start();
    for hash in ["-sha1", "-sha256"] {
        let said = front.home.run(&[
            "openssl",
            "ocsp",
            hash,
            "-issuer",
            "home/public/genfic-system.pem",
            "-cert",
            &front.issued.file,
            "-CAfile",
            "home/public/genfic-system.chain.pem",
            "-url",
            &url,
            "-no_nonce",
        ]);
        let all = said.ok().all();
        assert!(all.contains("Response verify OK") && all.contains(": good"), "{all}");
    }
    front.home.ca(&["ocsp", "query", &front.issued.file, "--url", &url]).ok();
}

#[test]
fn an_older_or_broken_file_is_not_served_after_a_restart_either() {
    // O13
    let front = Front::new();
    let older = fs::read(front.file()).unwrap();
    front.home.ca(&["revoke", &front.issued.file]).ok();
    front.presign();
    let request = front.request("-sha1", None);
    let (mut running, url) = front.start();
    assert_eq!(post(&url, &request).verdict(), "revoked");
    let put = |octets: &[u8]| {
        fs::write(front.home.path("copied"), octets).unwrap();
        fs::rename(front.home.path("copied"), front.file()).unwrap();
    };
    let told = |what: &str| {
        let begun = Instant::now();
        loop {
            let page = get(&url, "/readyz").text();
            if page.contains(what) {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "no `{what}` in\n{page}");
        }
        assert_eq!(post(&url, &request).verdict(), "revoked");
    };
    put(&older);
    told("refused: ");
    put(&older[..older.len() - 1]);
    told("lacking: the newest published status cannot be used");
    put(&older);
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
    let (_running, url) = front.start();
    assert_eq!(post(&url, &request).verdict(), "tryLater");
    let checked = front.daemon(&["--check"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(checked.status.code(), Some(12));
    let text = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(text.contains("lower than"), "{text}");
}

#[test]
fn a_file_that_others_can_change_is_not_served() {
    // P2
    let front = Front::new();
    let changed = Command::new("chmod").arg("666").arg(front.file()).status().unwrap();
    assert!(changed.success());
    let output = front.daemon(&["--check"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(10));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("chmod"), "{text}");
}

/// A web server with a cache in front of the daemon, ended when dropped.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts nginx with the sample in the manual.
fn nginx(home: &Home, daemon: &str, address: &str) -> Nginx {
    let manual =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ca-layout/doc/publish.md")).unwrap();
    let samples = manual.split("```nginx\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut text = samples.into_iter().find(|sample| sample.contains("proxy_cache_path")).unwrap().to_owned();
    let cache = home.path("cache").display().to_string();
    for (default, wanted) in [
        ("/var/cache/nginx/pki", cache.as_str()),
        ("http://127.0.0.1:2560", daemon),
        ("listen 80;", &format!("listen {address};")),
        ("proxy_cache pki;", "proxy_cache pki; add_header X-Cache-Status $upstream_cache_status;"),
    ] {
        assert!(text.contains(default), "{default}");
        text = text.replace(default, wanted);
    }
    let own: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {cache}-{what};\n"))
        .concat();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {cache}.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{own}{text}}}\n"
    );
    fs::write(home.path("nginx.conf"), text).unwrap();
    let child = Command::new("nginx")
        .arg("-p")
        .arg(home.directory())
        .arg("-c")
        .arg(home.path("nginx.conf"))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "nginx does not listen");
    }
    Nginx(child)
}

#[test]
fn nginx_with_the_sample_keeps_answers_to_get_and_passes_the_rest_on() {
    // O9, O11
    if !there_is("nginx") {
        return;
    }
    let front = Front::new();
    let (_running, url) = front.start();
    let address = free_address();
    let _nginx = nginx(&front.home, url.trim_end_matches('/'), &address);
    let url = format!("http://{address}");
    let is_from = |reply: &Reply, wanted: &str| {
        assert_eq!(reply.verdict(), "good");
        assert_eq!(reply.header("x-cache-status"), Some(wanted));
    };
    for hash in ["-sha1", "-sha256"] {
        let path = STANDARD.encode(front.request(hash, None)).replace('/', "%2F").replace('+', "%2B");
        let first = get(&url, &format!("/{path}"));
        is_from(&first, "MISS");
        let again = get(&url, &format!("/{path}"));
        is_from(&again, "HIT");
        assert_eq!(again.body, first.body);
    }
    let posted = post(&url, &front.request("-sha1", None));
    assert_eq!(posted.verdict(), "good");
    assert_eq!(get(&url, "/none").status, 404);
}
