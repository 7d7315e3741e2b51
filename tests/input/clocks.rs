//! Clocks that are set back, and clients whose clock is behind (X2).
use crate::support::Home;
use crate::{ca, on_record, refused};
use genfic_ca::audit::{Actor, AuditEvent, Outcome};
use genfic_ca::index::Index;
use genfic_ca::index::sqlite::SqliteIndex;
use genfic_ca::x509::UnixTime;
use std::fs;

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Records something at this time, as a command did before the clock was set back.
fn record_at(home: &Home, at: i64) {
    let index = SqliteIndex::open(&home.path("home/index.db")).unwrap();
    let event = AuditEvent {
        at: UnixTime(at),
        actor: Actor::named("timer"),
        action: "ocsp.sync".into(),
        object: "home".into(),
        outcome: Outcome::Done,
        details: Vec::new(),
    };
    index.record_event(event).unwrap();
}

fn published(home: &Home) -> Vec<Vec<u8>> {
    ["public/genfic-system.crl", "public/genfic-system.pem", "ocsp/genfic-system/responder.pem"]
        .iter()
        .map(|name| fs::read(home.path("home").join(name)).unwrap())
        .collect()
}

#[test]
fn with_a_clock_behind_the_newest_record_nothing_is_signed_and_a_revocation_is_recorded_all_the_same() {
    // X2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["one.example", "two.example"] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system"]).ok();
    }
    home.ca(&["create-request", "new.example"]).ok();
    record_at(&home, now() + 7200);
    let (before, files) = (on_record(&home).0, published(&home));
    for words in [
        &["sign", "new.example.req", "-p", "genfic-system"][..],
        &["sign", "new.example.req", "one.example.req", "-p", "genfic-system"],
        &["create-request", "third.example", "--sign", "-p", "genfic-system"],
        &["create-root", "another"],
        &["create-child", "below", "-p", "genfic", "--profile", "system-ca"],
        &["crl", "publish", "genfic-system"],
        &["crl", "publish", "--all"],
        &["ocsp", "responder", "genfic-system"],
    ] {
        let said = ca(&home, words);
        refused(&said, 13, "clock.behind", &words.join(" "));
        assert!(said.err.contains("set the clock"), "{}", said.err);
    }
    let after = on_record(&home).0;
    assert_eq!((after, published(&home)), (before, files), "nothing was signed");
    for name in ["another", "below"] {
        assert!(!home.path(&format!("home/keys/{name}.age")).exists(), "{name}");
    }
    let said = ca(&home, &["revoke", "one.example", "--reason", "key-compromise"]);
    refused(&said, 13, "clock.behind", "revoke");
    let shown = home.result(&["list", "--status", "revoked"]);
    assert_eq!(shown["certificates"][0]["subject"], "CN=one.example", "{shown}");
    let said = ca(&home, &["hold", "two.example", "--json"]).json();
    assert!(said["result"]["crl"].is_null() && said["error"]["code"] == "clock.behind", "{said}");
    home.ca(&["audit", "verify"]).ok();
    let status = ca(&home, &["status"]);
    assert!(status.all().contains("clock"), "the screen does not say it: {}", status.all());
}

#[test]
fn once_the_clock_is_right_again_what_was_owed_is_published() {
    // X2, C1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "one.example", "--sign", "-p", "genfic-system"]).ok();
    let serial = home.result(&["list", "--profile", "system"])["certificates"][0]["serial"].clone();
    let then = now() + 6;
    record_at(&home, then);
    assert_eq!(ca(&home, &["revoke", "one.example"]).status, 13);
    while now() <= then {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    home.ca(&["crl", "publish", "--due"]).ok();
    let crl = home.ca(&["crl", "show", "genfic-system"]).ok().out;
    assert!(crl.contains(serial.as_str().unwrap()), "{crl}");
}

#[test]
fn what_is_signed_is_dated_back_for_clients_whose_clock_is_behind() {
    // X2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let made = home.result(&["create-request", "one.example", "--sign", "-p", "genfic-system"]);
    let text = made["certificates"][0]["not_before"].as_str().unwrap();
    let not_before: jiff::Timestamp = text.parse().unwrap();
    let back = now() - not_before.as_second();
    let issuer = home.result(&["show", "genfic-system"]).to_string();
    assert!((0..=3700).contains(&back), "{back}");
    let earliest: jiff::Timestamp = {
        let at = issuer.find("not_before").unwrap();
        issuer[at + 13..at + 33].parse().unwrap()
    };
    assert!(not_before >= earliest, "not before its issuer: {not_before} {earliest}");
}
