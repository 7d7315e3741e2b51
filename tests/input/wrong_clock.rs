//! Clocks that are set back or far ahead, and clients whose clock is behind (X2).
use crate::support::terminal::Terminal;
use crate::support::{CA, Home, Said};
use crate::{ca, on_record, refused};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Notes that something was signed at this time, as by a command before the clock was set back.
fn sign_at(home: &Home, at: i64) {
    home.shell(&format!("sqlite3 home/index.db 'update head set newest = {at}'")).ok();
}

/// Runs `genfic-ca` with the clock moved by this, for example `+900d`; nobody is there to be asked.
fn at(home: &Home, moved: &str, words: &[&str]) -> Said {
    let like = home.command(words);
    let mut command = Command::new("faketime");
    command.args(["-f", moved]).arg(CA).args(words).current_dir(home.directory()).stdin(Stdio::null());
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Said::of(command.output().unwrap())
}

/// The same at a terminal, with this answer to whatever is asked.
fn attended_at(home: &Home, moved: &str, words: &str, answer: &str) -> Said {
    let like = home.command::<&str>(&[]);
    let mut command = Command::new("faketime");
    command.args(["-f", moved, CA]).args(words.split_whitespace()).current_dir(home.directory());
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (out, status) = Terminal::spawn(&command, 80, 24).type_line(answer).end();
    Said { status, out, err: String::new() }
}

fn is_listed(home: &Home, serial: &Value) -> bool {
    home.ca(&["crl", "show", "genfic-system"]).ok().out.contains(serial.as_str().unwrap())
}

fn published(home: &Home) -> Vec<Vec<u8>> {
    ["public/genfic-system.crl", "public/genfic-system.pem", "ocsp/genfic-system/responder.pem"]
        .iter()
        .map(|name| fs::read(home.path("home").join(name)).unwrap())
        .collect()
}

#[test]
fn with_a_clock_behind_what_was_signed_nothing_is_signed_and_a_revocation_is_recorded_all_the_same() {
    // X2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["one.example", "two.example"] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system"]).ok();
    }
    home.ca(&["create-request", "new.example"]).ok();
    sign_at(&home, now() + 7200);
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
    sign_at(&home, then);
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

#[test]
fn what_is_refused_under_a_wrong_clock_holds_nothing_up_afterwards() {
    // X2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "new.example"]).ok();
    assert_eq!(at(&home, "+60y", &["--no-input", "revoke", "nosuch"]).status, 5);
    let (before, files) = (on_record(&home).0, published(&home));
    for words in [
        &["crl", "publish", "--due"][..],
        &["crl", "publish", "--all"],
        &["crl", "publish", "genfic-system"],
        &["ocsp", "responder", "--due"],
        &["ocsp", "sync"],
        &["sign", "new.example.req", "-p", "genfic-system"],
        &["create-root", "another"],
        &["create-child", "below", "-p", "genfic", "--profile", "system-ca"],
        &["renew-ca", "genfic-system"],
    ] {
        for unattended in ["--no-input", "--yes"] {
            let said = at(&home, "+60y", &[&[unattended], words].concat());
            refused(&said, 13, "clock.unconfirmed", &words.join(" "));
        }
    }
    assert_eq!((on_record(&home).0, published(&home)), (before, files), "nothing was signed");
    home.ca(&["--no-input", "sign", "new.example.req", "-p", "genfic-system"]).ok();
    home.ca(&["--no-input", "crl", "publish", "--all"]).ok();
    home.ca(&["--no-input", "ocsp", "sync"]).ok();
    home.ca(&["audit", "verify"]).ok();
    assert_eq!(home.ca(&["doctor"]).ok().out.lines().last(), Some("nothing is wrong"));
}

#[test]
fn a_clock_far_ahead_takes_no_entry_off_a_list_and_revokes_nothing_in_the_future() {
    // C3, X2, O12
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["one.example", "two.example"] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system", "-v", "300"]).ok();
    }
    let one = home.result(&["revoke", "one.example"])["serial"].clone();
    let begin = now();
    for _ in 0..2 {
        let said = at(&home, "+900d", &["crl", "publish", "genfic-system"]);
        refused(&said, 13, "clock.unconfirmed", "crl publish");
    }
    // its certificate has ended by that clock
    let said = at(&home, "+900d", &["revoke", "two.example", "--reason", "key-compromise", "--json"]);
    assert_eq!(said.status, 13, "{}", said.all());
    let result = said.json()["result"].clone();
    assert!(result["crl"].is_null() && said.json()["error"]["code"] == "clock.unconfirmed", "{result}");
    let revoked_at: jiff::Timestamp = result["revoked_at"].as_str().unwrap().parse().unwrap();
    assert!((begin - 60..=now()).contains(&revoked_at.as_second()), "{result}");
    home.ca(&["crl", "publish", "--due"]).ok();
    assert!(is_listed(&home, &one) && is_listed(&home, &result["serial"]));

    // a person who says that it is right: what has ended by it alone stays for two lists
    for asked in [1, 0] {
        let said = attended_at(&home, "+900d", "crl publish genfic-system", "y");
        assert_eq!(said.status, 0, "{}", said.all());
        assert_eq!(said.all().matches("Is it really").count(), asked, "once: {}", said.all());
        assert!(is_listed(&home, &one));
    }
}

#[test]
fn at_a_terminal_a_person_says_once_whether_a_clock_far_from_the_last_confirmed_time_is_right() {
    // X2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let no = attended_at(&home, "+40d", "crl publish --all", "n");
    assert!(no.status == 13 && no.all().matches("Is it really").count() == 1, "{}", no.all());
    assert!(no.all().contains("clock.unconfirmed"), "{}", no.all());
    let whatever = attended_at(&home, "+40d", "--yes crl publish --all", "n");
    assert_eq!(whatever.status, 13, "--yes says nothing of the clock: {}", whatever.all());
    let yes = attended_at(&home, "+40d", "crl publish --all", "y");
    assert!(yes.status == 0 && yes.all().matches("Is it really").count() == 1, "{}", yes.all());
    let next = at(&home, "+41d", &["--no-input", "crl", "publish", "--all"]);
    assert_eq!(next.status, 0, "it is confirmed: {}", next.all());
    let set_back = ca(&home, &["crl", "publish", "genfic"]);
    refused(&set_back, 13, "clock.behind", "crl publish");
}

#[test]
fn the_status_that_the_timer_publishes_confirms_the_clock_only_while_it_is_trusted() {
    // X2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let time = || {
        let manifest = fs::read_to_string(home.path("home/status/manifest.json")).unwrap();
        serde_json::from_str::<Value>(&manifest).unwrap()["time"].clone()
    };
    let begin = time();
    let far = at(&home, "+31d", &["--no-input", "ocsp", "sync"]);
    refused(&far, 13, "clock.unconfirmed", "ocsp sync");
    assert_eq!(time(), begin, "it confirmed itself");
    for moved in ["+20d", "+40d", "+60d"] {
        assert_eq!(at(&home, moved, &["--no-input", "ocsp", "sync"]).status, 0, "{moved}");
    }
    assert_eq!(at(&home, "+80d", &["--no-input", "crl", "publish", "--all"]).status, 0);
    home.shell("echo '[clock]\ntrust = \"3d\"' >>home/genfic-ca.toml; sed -i '0,/^\\[clock\\]/s///' home/genfic-ca.toml")
        .ok();
    let far = at(&home, "+84d", &["--no-input", "crl", "publish", "--all"]);
    refused(&far, 13, "clock.unconfirmed", "with another trust");
}

#[test]
fn what_the_clock_says_is_accepted_by_a_person_and_no_further_back_than_what_was_signed() {
    // X2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let far = "+900d";
    refused(&at(&home, far, &["--no-input", "clock", "accept"]), 9, "input.confirmation", "clock accept");
    let status = at(&home, far, &["clock", "status", "--json"]).ok().json()["result"].clone();
    assert_eq!(
        (&status["standing"], &status["signs"]),
        (&"unconfirmed".into(), &"attended".into()),
        "{status}"
    );
    assert!(status["signed"]["what"].as_str().unwrap().contains("genfic-system"), "{status}");
    assert_eq!(status["trust"], "30d");
    at(&home, far, &["--yes", "clock", "accept"]).ok();
    assert_eq!(at(&home, far, &["clock", "status", "--json"]).ok().json()["result"]["standing"], "trusted");
    // it was wrong after all, and nothing was signed by it
    assert_ne!(home.result(&["clock", "status"])["confirmed"], home.result(&["clock", "status"])["now"]);
    let back = home.result(&["--yes", "clock", "accept"]);
    assert_eq!(home.result(&["clock", "status"])["confirmed"], back["accepted"], "{back}");
    home.ca(&["--no-input", "crl", "publish", "--all"]).ok();
    refused(&at(&home, "-1h", &["--yes", "clock", "accept"]), 13, "clock.behind", "clock accept");
    assert_eq!(at(&home, "-1h", &["clock", "status", "--json"]).ok().json()["result"]["signs"], "never");
    let audit = home.ca(&["audit", "show", "--verbose"]).ok().out;
    assert_eq!(audit.matches("clock.accepted").count(), 2, "{audit}");
    assert_eq!(home.result(&["clock", "status"])["signs"], "always");
}

#[test]
fn in_a_home_in_which_nothing_was_signed_any_clock_will_do() {
    // X2
    let home = Home::new();
    assert_eq!(at(&home, "+900d", &["--no-input", "create-root", "genfic"]).status, 0);
}
