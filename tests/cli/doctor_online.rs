//! `doctor --online`: what is at the URLs that certificates name.
use crate::support::{Home, free_address};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;

/// Code and URL of each finding of the check `online`, and what it looked at.
fn online(home: &Home) -> (Vec<(String, String)>, Value) {
    let result = home.ca(&["doctor", "--online", "--json"]).json()["result"].clone();
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let findings = result["findings"].as_array().unwrap().iter();
    let mut found: Vec<(String, String)> = findings
        .filter(|one| one["check"] == "online")
        .map(|one| {
            assert_ne!(text(one, "remedy"), "", "{one}");
            let path = text(one, "object").split_once("//").map(|(_, rest)| rest.to_owned()).unwrap();
            (text(one, "code"), path.split_once('/').map(|(_, path)| path.to_owned()).unwrap())
        })
        .collect();
    found.sort();
    let checks = result["checks"].as_array().unwrap();
    (found, checks.iter().find(|one| one["name"] == "online").unwrap()["looked_at"].clone())
}

fn served() -> (Home, String) {
    let address = free_address();
    let home = Home::with_hierarchy(&format!("http://{address}"));
    home.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    (home, address)
}

#[test]
fn what_the_daemon_serves_is_what_certificates_name() {
    // C7, O2
    let (home, address) = served();
    let (nobody, _) = online(&home);
    assert!(nobody.iter().all(|one| one.0 == "online.unreachable") && nobody.len() > 6, "{nobody:?}");
    assert!(
        home.ca(&["doctor"]).ok().out.lines().all(|line| !line.starts_with("online")),
        "nothing is fetched unasked"
    );
    let daemon = home.daemon(&address);
    let (found, looked) = online(&home);
    // three CRLs and certificates, and the responder for two CAs
    assert_eq!((found, looked), (Vec::new(), Value::from("8 URLs")));
    assert_eq!(home.ca(&["doctor", "--online"]).ok().out.matches("online").count(), 1);
    drop(daemon);
}

#[test]
fn nobody_is_to_answer_for_a_retired_ca() {
    // C7, C8, O2
    let (home, address) = served();
    home.ca(&["retire", "genfic-system", "--yes"]).ok();
    let daemon = home.daemon(&address);
    assert_eq!(online(&home).0, Vec::new());
    drop(daemon);
}

/// Serves these files, by path, until the test ends.
fn serve(address: &str, files: BTreeMap<String, PathBuf>) {
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut octet = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut octet).unwrap_or(0) == 1 {
                head.push(octet[0]);
            }
            let head = String::from_utf8_lossy(&head);
            let path = head.split(' ').nth(1).unwrap_or_default();
            let body = files.get(path).and_then(|file| fs::read(file).ok());
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
}

#[test]
fn what_is_not_there_older_or_something_else_is_told_with_its_url() {
    // C7, O2
    let (home, address) = served();
    home.shell("mkdir old; cp home/public/* old; cp home/public/genfic.crl.pem old/pem.crl").ok();
    home.ca(&["crl", "publish", "genfic-user"]).ok();
    let file = |name: &str| home.path("old").join(name);
    serve(
        &address,
        BTreeMap::from([
            ("/genfic.crl".to_owned(), file("pem.crl")),
            ("/genfic.crt".to_owned(), file("genfic.crt")),
            ("/genfic-user.crl".to_owned(), file("genfic-user.crl")),
            ("/genfic-user.crt".to_owned(), file("genfic-system.crt")),
            ("/genfic-system.crl".to_owned(), file("genfic-user.crl")),
        ]),
    );
    let (found, _) = online(&home);
    let expected = [
        ("online.not-served", "genfic-system.crt"),
        ("online.not-served", "ocsp"),
        ("online.other", "genfic-system.crl"),
        ("online.other", "genfic-user.crt"),
        ("online.other", "genfic.crl"),
        ("online.stale", "genfic-user.crl"),
    ];
    let expected: Vec<_> = expected.iter().map(|one| (one.0.to_owned(), one.1.to_owned())).collect();
    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, expected);
    assert_eq!(home.ca(&["doctor", "--online"]).status, 12);
}

#[test]
fn an_answer_from_an_older_status_is_told() {
    // O2, O13
    let (home, address) = served();
    let stopped = home.copied();
    home.ca(&["revoke", "w.example"]).ok();
    let daemon = stopped.daemon(&address);
    let (found, _) = online(&home);
    let stale = |path: &str| ("online.stale".to_owned(), path.to_owned());
    assert_eq!(found, [stale("genfic-system.crl"), stale("ocsp")]);
    drop(daemon);
}
