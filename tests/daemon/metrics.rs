//! Metrics, on a listener of their own.
use crate::http_client::{get, ocsp_request, post};
use crate::running_daemon::{configure, issue, request_for};
use crate::startup_and_shutdown::{Running, daemon};
use crate::support::{Home, there_is};
use std::io::Write;
use std::process::{Command, Stdio};

/// The value in a line of the page.
#[track_caller]
fn value(page: &str, line: &str) -> f64 {
    let found = page.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' '));
    found.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no {line} in\n{page}"))
}

#[test]
fn what_the_daemon_does_is_counted_and_said_on_a_listener_of_its_own() {
    // O13
    let home = Home::with_hierarchy("http://pki.genfic.example");
    configure(&home, "metrics = \"127.0.0.1:9561\"", "metrics = \"127.0.0.1:0\"");
    let issued = issue(&home, "w.genfic.example");
    let request = ocsp_request(&[request_for(&home, &issued, "-sha1")], None);
    let mut running = Running::start(&mut daemon(&home, &["--listen", "127.0.0.1:0"]));
    let url = running.url();
    let line = running.line();
    let metrics = line.strip_prefix("metrics on ").unwrap_or_else(|| panic!("`{line}`")).to_owned();
    for _ in 0..3 {
        assert_eq!(post(&url, &request).verdict(), "good");
    }
    assert_eq!(post(&url, b"no request").verdict(), "malformedRequest");
    assert_eq!(get(&url, "/metrics").status, 404, "clients are not told");
    let reply = get(&metrics, "/metrics");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let page = reply.text();
    let counted = |line: &str| value(&page, &format!("genfic_ocspd_{line}"));
    assert_eq!(counted("answers_total{status=\"successful\",path=\"live\"}"), 1.0);
    assert_eq!(counted("answers_total{status=\"successful\",path=\"kept\"}"), 2.0);
    assert_eq!(counted("answers_total{status=\"malformedRequest\",path=\"live\"}"), 1.0);
    assert_eq!(counted("requests_total{method=\"POST\",outcome=\"answered\"}"), 4.0);
    assert_eq!(counted("requests_total{method=\"GET\",outcome=\"refused\"}"), 1.0);
    assert_eq!(counted("signatures_total"), 1.0);
    assert_eq!(counted("cache_answers"), 1.0);
    assert_eq!(counted("ready"), 1.0);
    for ca in ["genfic-system", "genfic-user"] {
        assert!(counted(&format!("responder_not_after_timestamp_seconds{{ca=\"{ca}\"}}")) > 0.0);
        assert!(counted(&format!("crl_next_update_timestamp_seconds{{ca=\"{ca}\"}}")) > 0.0);
    }
    for (path, status) in [("/", 404), ("/healthz", 404), ("/metrics/", 404)] {
        assert_eq!(get(&metrics, path).status, status, "{path}");
    }
    if there_is("promtool") {
        let mut check =
            Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
        check.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        assert!(check.wait().unwrap().success());
    }
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn the_rules_for_alerts_are_right_and_name_what_there_is() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/ca-layout/prometheus/genfic-ocspd.rules.yml");
    if there_is("promtool") {
        let output = Command::new("promtool").args(["check", "rules", rules]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let home = Home::with_hierarchy("http://pki.genfic.example");
    configure(&home, "metrics = \"127.0.0.1:9561\"", "metrics = \"127.0.0.1:0\"");
    let mut running = Running::start(&mut daemon(&home, &["--listen", "127.0.0.1:0"]));
    running.url();
    let page = get(running.line().trim_start_matches("metrics on "), "/metrics").text();
    let board = rules.replace(".rules.yml", ".dashboard.json");
    for file in [rules, &board] {
        let text = std::fs::read_to_string(file).unwrap();
        let names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let mut found = 0;
        for name in names.filter(|name| name.starts_with("genfic_ocspd_")) {
            assert!(page.contains(&format!("\n{name}")) || page.starts_with(name), "{name} in {file}");
            found += 1;
        }
        assert!(found > 5, "{file}");
    }
}
