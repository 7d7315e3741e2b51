//! The daemon as a user of its own: it reads what it needs and nothing else.
use crate::http_client::{get, ocsp_request, post};
use crate::running_daemon::{Issued, issue, request_for};
use crate::support::{Home, OCSPD, is_root};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nobody's user number, and a group that nothing on the system belongs to.
const USER: &str = "65534";
const GROUP: &str = "64987";

/// A home whose parents anybody may pass, and a copy of the daemon there that anybody may run.
struct Shared {
    home: Home,
    issued: Issued,
    daemon: String,
}

struct Confined {
    child: Child,
    url: String,
}

impl Shared {
    fn new() -> Self {
        let home = Home::with_hierarchy("http://pki.genfic.example");
        let issued = issue(&home, "w.genfic.example");
        fs::set_permissions(home.directory(), Permissions::from_mode(0o755)).unwrap();
        let daemon = home.path("genfic-ocspd");
        fs::copy(OCSPD, &daemon).unwrap();
        fs::set_permissions(&daemon, Permissions::from_mode(0o755)).unwrap();
        Self { issued, daemon: daemon.display().to_string(), home }
    }

    fn give(&self, directory: &str) {
        self.home.run(&["chgrp", "-R", GROUP, &format!("home/{directory}")]).ok();
    }

    fn as_other_user(&self, words: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        let user = [&format!("--reuid={USER}"), &format!("--regid={GROUP}"), "--clear-groups"];
        command.args(user).args(words).current_dir(self.home.directory()).stdin(Stdio::null());
        command
    }

    fn start(&self) -> Confined {
        let log = fs::File::create(self.home.path("log")).unwrap();
        let words = [&self.daemon, "--home", "home", "--listen", "127.0.0.1:0"];
        let mut child = self.as_other_user(&words).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ");
        let url = url.unwrap_or_else(|| panic!("`{line}` {}", self.log())).to_owned();
        Confined { child, url }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path("log")).unwrap()
    }

    fn question(&self) -> Vec<u8> {
        ocsp_request(&[request_for(&self.home, &self.issued, "-sha1")], None)
    }
}

impl Confined {
    #[track_caller]
    fn becomes_ready(&self) {
        let begun = Instant::now();
        while get(&self.url, "/readyz").status != 200 {
            assert!(begun.elapsed() < Duration::from_secs(10), "{}", get(&self.url, "/readyz").text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_user_in_the_responders_group_serves_without_reading_any_ca_key_or_the_index() {
    // K1, G7
    if !is_root() {
        return;
    }
    let shared = Shared::new();
    shared.give("ocsp");
    shared.give("status");
    let daemon = shared.start();
    daemon.becomes_ready();
    assert_eq!(post(&daemon.url, &shared.question()).verdict(), "good");
    assert_eq!(get(&daemon.url, "/genfic-system.crl").status, 200);
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).unwrap();
    assert!(status.contains(&format!("Uid:\t{USER}\t{USER}\t{USER}\t{USER}")), "{status}");
    assert!(status.lines().any(|line| line.trim_end() == "Groups:"), "{status}");
    assert!(status.contains("CapEff:\t0000000000000000"), "{status}");

    // that same user may not read what is not for it
    for file in ["keys/genfic.age", "keys/genfic-system.age", "index.db", "issued/genfic-system"] {
        let path = shared.home.path("home").join(file);
        assert!(path.exists(), "{file}");
        let mut test = shared.as_other_user(&["test", "-r", path.to_str().unwrap()]);
        assert!(!test.status().unwrap().success(), "{file} can be read");
    }
    let mut test = shared.as_other_user(&["test", "-r", "home/ocsp/genfic-system/responder.key"]);
    assert!(test.status().unwrap().success());
    for writable in ["home/status", "home/ocsp", "home/ocsp/genfic-system", "home/public", "home"] {
        let mut test = shared.as_other_user(&["test", "-w", writable]);
        assert!(!test.status().unwrap().success(), "{writable} can be written");
    }
    for entry in fs::read_dir(format!("/proc/{}/fd", daemon.child.id())).unwrap() {
        let Ok(target) = fs::read_link(entry.unwrap().path()) else { continue };
        let target = target.display().to_string();
        assert!(!target.contains("index.db") && !target.contains("/keys/"), "it has {target} open");
    }

    // and the group is handed on: to new status, and to a new responder's key
    shared.home.ca(&["revoke", &shared.issued.file]).ok();
    let begun = Instant::now();
    while post(&daemon.url, &shared.question()).verdict() != "revoked" {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", shared.log());
    }
    let signer = || post(&daemon.url, &shared.question()).basic().certificates()[0].fingerprint().to_hex();
    let former = signer();
    shared.home.ca(&["ocsp", "responder", "genfic-system"]).ok();
    let begun = Instant::now();
    while signer() == former {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", shared.log());
    }
}

#[test]
fn a_user_without_the_rights_says_so_is_not_ready_and_serves_once_it_has_them() {
    // O13, K1
    if !is_root() {
        return;
    }
    let shared = Shared::new();
    let daemon = shared.start();
    let ready = get(&daemon.url, "/readyz");
    assert_eq!(ready.status, 503);
    assert_eq!(post(&daemon.url, &shared.question()).verdict(), "tryLater");
    assert_eq!(get(&daemon.url, "/healthz").status, 200);
    assert!(shared.log().contains("the published status cannot be read"), "{}", shared.log());
    assert!(shared.log().contains("ermission denied"), "{}", shared.log());
    shared.give("status");
    let begun = Instant::now();
    while !get(&daemon.url, "/readyz").text().contains("genfic-system has no valid responder certificate") {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", get(&daemon.url, "/readyz").text());
    }
    let is_named =
        |log: &str| log.lines().any(|line| line.contains("ocsp/genfic-system") && line.contains("denied"));
    // the log is written by a thread of its own
    while !is_named(&shared.log()) {
        let log = shared.log();
        assert!(begun.elapsed() < Duration::from_secs(10), "the log does not say which directory: {log}");
    }
    shared.give("ocsp");
    daemon.becomes_ready();
    assert_eq!(post(&daemon.url, &shared.question()).verdict(), "good");

    // taken away again: status is not answered from what was read before
    fs::set_permissions(shared.home.path("home/status"), Permissions::from_mode(0o700)).unwrap();
    let begun = Instant::now();
    while post(&daemon.url, &shared.question()).verdict() != "tryLater" {
        assert!(begun.elapsed() < Duration::from_secs(10), "a stale good");
    }
    assert_eq!(get(&daemon.url, "/readyz").status, 503);
    fs::set_permissions(shared.home.path("home/status"), Permissions::from_mode(0o2750)).unwrap();
    daemon.becomes_ready();
}

#[test]
fn a_configuration_that_it_may_not_read_is_named() {
    if !is_root() {
        return;
    }
    let shared = Shared::new();
    fs::set_permissions(shared.home.path("home/genfic-ca.toml"), Permissions::from_mode(0o600)).unwrap();
    let words = [&shared.daemon, "--home", "home", "--listen", "127.0.0.1:0"];
    let mut child =
        shared.as_other_user(&words).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{text}");
    assert!(text.contains("genfic-ca.toml cannot be read") && text.contains("denied"), "{text}");
}

#[test]
fn it_does_not_start_on_files_that_others_can_change_and_names_the_commands_that_mend_them() {
    // P2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (file, loose) in [
        ("home/status", 0o2777),
        ("home/status/manifest.json", 0o666),
        ("home/ocsp/genfic-system/responder.key", 0o644),
        ("home/public/genfic-system.crl", 0o666),
    ] {
        let path = home.path(file);
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(loose)).unwrap();
        let words = [OCSPD, "--home", "home", "--listen", "127.0.0.1:0"];
        let said = home.run(&words);
        assert_eq!(said.status, 10, "{file}: {}", said.err);
        assert!(said.err.contains("(exit 10, home.unsafe)"), "{}", said.err);
        let command = said.err.lines().find_map(|line| line.strip_prefix("run: ")).unwrap();
        home.run(&["sh", "-c", command]).ok();
        assert_eq!(home.run(&[&words[..], &["--check"]].concat()).status, 0, "{file}: {command}");
        fs::set_permissions(&path, before).unwrap();
    }
}
