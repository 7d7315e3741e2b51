//! What the daemon logs, where, and that it opens its files anew.
use crate::http_client::{Client, get, ocsp_request, post};
use crate::running_daemon::{configure, issue, request_for};
use crate::startup_and_shutdown::{Running, daemon};
use crate::support::Home;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Waits until what `read` returns is as it should be.
#[track_caller]
pub(crate) fn until(read: impl Fn() -> String, is_so: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        let text = read();
        if is_so(&text) {
            return text;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A daemon that was started with these lines below `[log]`, and its log on standard error.
fn logging(home: &Home, lines: &[(&str, &str)]) -> (Running, String, PathBuf) {
    for (default, wanted) in lines {
        configure(home, default, wanted);
    }
    let errors = home.path("stderr");
    let mut command = daemon(home, &["--listen", "127.0.0.1:0"]);
    let mut running = Running::start(command.stderr(fs::File::create(&errors).unwrap()));
    let url = running.url();
    (running, url, errors)
}

fn read(path: &PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn what_is_no_level_is_refused_wherever_it_stands() {
    // P12
    let home = Home::new();
    let said = |command: &mut std::process::Command| {
        let output = command.stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mut command = daemon(&home, &["--listen", "127.0.0.1:0"]);
    let (status, text) = said(command.env("GENFIC_OCSPD_LOG", "debgu"));
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("GENFIC_OCSPD_LOG: `debgu` is not a level"), "{text}");
    configure(&home, "level = \"info\"", "level = \"loud\"");
    let (status, text) = said(&mut daemon(&home, &["--listen", "127.0.0.1:0"]));
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains(": log.level: `loud` is not a level") && text.contains("line "), "{text}");
    configure(&home, "target = \"stderr\"", "target = \"/nowhere/at/all/daemon.log\"");
    let file = home.path("home/genfic-ca.toml");
    fs::write(&file, read(&file).replace("\"loud\"", "\"warn\"")).unwrap();
    let (status, text) = said(&mut daemon(&home, &["--listen", "127.0.0.1:0"]));
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("/nowhere/at/all/daemon.log") && text.contains("(exit 1, file.write)"), "{text}");
}

#[test]
fn the_environment_counts_before_the_configuration() {
    let home = Home::new();
    configure(&home, "level = \"info\"", "level = \"off\"");
    let errors = home.path("stderr");
    let mut command = daemon(&home, &["--listen", "127.0.0.1:0"]);
    command.env("GENFIC_OCSPD_LOG", "debug").stderr(fs::File::create(&errors).unwrap());
    let mut running = Running::start(&mut command);
    assert_eq!(get(&running.url(), "/healthz").status, 200);
    until(|| read(&errors), |text| text.contains("DEBUG"));
}

#[test]
fn the_log_goes_to_its_file_as_json_and_to_the_new_one_after_it_was_renamed() {
    let home = Home::new();
    let (log, old) = (home.path("daemon.log"), home.path("daemon.log.1"));
    let target = format!("target = \"{}\"", log.display());
    let lines = [("target = \"stderr\"", target.as_str()), ("format = \"text\"", "format = \"json\"")];
    let (mut running, _, errors) = logging(&home, &lines);
    // a home without CAs is empty, and as such published
    let text = until(|| read(&log), |text| text.contains("ready"));
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(value["timestamp"].is_string() && value["level"].is_string(), "{line}");
    }
    fs::rename(&log, &old).unwrap();
    running.signal("HUP");
    let text = until(|| read(&log), |_| log.exists());
    assert!(!text.contains("stopping"), "{text}");
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
    assert!(read(&log).contains("stopping") && !read(&old).contains("stopping"));
    assert_eq!(read(&errors), "");
}

#[test]
fn each_request_is_in_the_access_log_that_sighup_switches_on_opens_anew_and_switches_off() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let issued = issue(&home, "w.genfic.example");
    let question = ocsp_request(&[request_for(&home, &issued, "-sha1")], None);
    let (running, url, errors) = logging(&home, &[]);
    let (log, old) = (home.path("access.log"), home.path("access.log.1"));
    assert_eq!(get(&url, "/genfic.crt").status, 200);
    let access = format!("access = \"{}\"", log.display());
    configure(&home, "access = \"off\"", &access);
    configure(&home, "access_addresses = \"full\"", "access_addresses = \"short\"");
    let asked = |path: &str| {
        assert_eq!(get(&url, path).status, 200);
        read(&log)
    };
    running.signal("HUP");
    until(|| asked("/genfic.crl"), |text| text.contains("GET /genfic.crl HTTP/1.1\" 200 "));
    assert_eq!(post(&url, &question).verdict(), "good");
    let text = until(|| read(&log), |text| text.contains("\"POST / HTTP/1.1\" 200 "));
    assert!(text.lines().all(|line| line.starts_with("127.0.0.0 - - [")), "{text}");
    let line = text.lines().find(|line| line.contains("POST")).unwrap();
    assert!(line.ends_with(" successful"), "{line}");
    fs::rename(&log, &old).unwrap();
    running.signal("HUP");
    until(|| asked("/genfic-user.crl"), |text| text.contains("/genfic-user.crl"));
    let file = home.path("home/genfic-ca.toml");
    fs::write(&file, read(&file).replace(&access, "access = \"off\"")).unwrap();
    let logged = || read(&errors).matches("SIGHUP").count();
    let before = logged();
    running.signal("HUP");
    until(|| read(&errors), |_| logged() > before);
    std::thread::sleep(Duration::from_millis(500));
    let length = read(&log).len();
    assert_eq!(get(&url, "/genfic.crt").status, 200);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(read(&log).len(), length, "it is off");
}

#[test]
fn a_configuration_that_is_wrong_changes_nothing_and_one_that_is_right_counts_after_sighup() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let issued = issue(&home, "w.genfic.example");
    let question = ocsp_request(&[request_for(&home, &issued, "-sha1")], None);
    let (running, url, errors) = logging(&home, &[]);
    let life = || {
        let basic = post(&url, &question).basic();
        let data = basic.data();
        data.responses[0].next_update.unwrap().0 - data.produced_at.0
    };
    assert_eq!(life(), 86_400);
    configure(&home, "next_update = \"24h\"", "next_update = \"1y\"");
    running.signal("HUP");
    let text = until(|| read(&errors), |text| text.contains("the configuration stays as it was: "));
    assert!(text.contains("ocsp.next_update"), "{text}");
    assert_eq!(life(), 86_400);
    let file = home.path("home/genfic-ca.toml");
    fs::write(&file, read(&file).replace("\"1y\"", "\"1h\"")).unwrap();
    configure(&home, "max_body = 65536", "max_body = 2048");
    running.signal("HUP");
    until(|| life().to_string(), |life| life == "3600");
    until(|| read(&errors), |text| text.contains("that counts from the next start"));
}

#[test]
fn why_requests_were_refused_is_logged_and_however_many_there_are_in_few_lines() {
    // O2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let (_running, url, errors) = logging(&home, &[]);
    let mut client = Client::connect(&url);
    for number in 0..300 {
        let ocsp = "Content-Type: application/ocsp-request\r\n";
        assert_eq!(client.ask("POST", "/", ocsp, b"x").verdict(), "malformedRequest");
        assert_eq!(client.ask("GET", &format!("/{number}.txt"), "", &[]).status, 404);
    }
    let text =
        until(|| read(&errors), |text| text.contains("malformedRequest") && text.contains("Not Found"));
    let refused: Vec<&str> = text.lines().filter(|line| line.contains("refused")).collect();
    assert!(refused.len() <= 4, "{refused:#?}");
}

#[test]
fn what_is_lost_is_logged_once_and_once_when_it_is_back_and_ready_only_when_it_is_so() {
    // O13
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let crl = home.path("home/public/genfic-system.crl");
    let key = home.path("home/ocsp/genfic-system");
    fs::rename(&key, home.path("aside")).unwrap();
    let (_running, url, errors) = logging(&home, &[]);
    let count = |what: &str| read(&errors).lines().filter(|line| line.ends_with(what)).count();
    let lost = "not ready: genfic-system has no valid responder certificate";
    until(|| read(&errors), |text| text.contains(lost));
    assert_eq!((count(lost), count(" ready")), (1, 0), "{}", read(&errors));
    assert_eq!(get(&url, "/readyz").status, 503);
    fs::rename(home.path("aside"), &key).unwrap();
    until(|| read(&errors), |_| count(" ready") == 1);
    assert_eq!(count(lost), 1);
    fs::rename(&crl, home.path("aside")).unwrap();
    let missing = "the CRL of genfic-system is missing";
    until(|| get(&url, "/readyz").text(), |text| text.contains(&format!("lacking: {missing}\n")));
    assert_eq!(get(&url, "/readyz").status, 200, "what it has it answers");
    until(|| read(&errors), |text| text.contains(missing));
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(count(missing), 1, "{}", read(&errors));
    fs::rename(home.path("aside"), &crl).unwrap();
    until(|| read(&errors), |text| text.contains(&format!("mended: {missing}")));
    assert!(!get(&url, "/readyz").text().contains("lacking"));
    fs::write(&crl, "broken").unwrap();
    until(
        || get(&url, "/readyz").text(),
        |text| text.contains("lacking: genfic-system.crl cannot be used\n"),
    );
    assert_eq!(get(&url, "/genfic-system.crl").status, 200, "the former one stays");
}
