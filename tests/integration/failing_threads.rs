//! Threads that end before their work is done: the command ends too, and says so; what is left the next one mends.
use crate::support::Home;
use std::fs::File;

const PANIC: &str = "GENFIC_CA_FAILPOINT_PANIC";
const PLACES: [&str; 4] =
    ["abreast", "groups: to be signed", "groups: to be published", "certificate signed"];

fn home() -> (Home, Vec<&'static str>) {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "c.example"]).ok();
    // more than one thread's share
    (home, [&["sign", "-p", "genfic-system"][..], &["c.example.req"; 40]].concat())
}

/// Serial numbers on record, and what is missing of each.
fn listed(home: &Home) -> Vec<String> {
    let result = home.result(&["list"]);
    let all =
        result.as_array().cloned().unwrap_or_else(|| result["certificates"].as_array().unwrap().clone());
    all.iter().map(|one| one["serial"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_thread_of_a_command_ends_unseen_and_the_next_command_goes_on() {
    // G22
    let (home, sign) = home();
    for place in PLACES {
        let before = listed(&home).len();
        let said = home.command(&sign).env(PANIC, place).output().unwrap();
        assert!(!said.status.success(), "{place}: it says that all went well");
        let told = String::from_utf8_lossy(&said.stderr);
        assert!(told.contains(&format!("the failpoint `{place}`")), "{place}: {told}");
        assert!(said.stdout.is_empty(), "{place}: {}", String::from_utf8_lossy(&said.stdout));
        home.ca(&sign).ok();
        home.ca(&["doctor"]).ok();
        assert!(listed(&home).len() >= before + 40, "{place}");
    }
}

#[test]
fn no_thread_that_writes_files_at_the_same_time_ends_unseen_and_the_next_command_goes_on() {
    // G22
    let (home, _) = home();
    // a certificate of a CA changes several files of the status
    let renew = ["renew-ca", "genfic-system"];
    let place = "files: at the same time";
    let said = home.command(&renew).env(PANIC, place).output().unwrap();
    let told = String::from_utf8_lossy(&said.stderr);
    assert!(!said.status.success() && told.contains(&format!("the failpoint `{place}`")), "{told}");
    home.ca(&renew).ok();
    home.ca(&["doctor"]).ok();
}

#[test]
fn a_thread_that_ends_is_seen_by_the_exit_status_when_nothing_can_be_written() {
    let (home, sign) = home();
    for place in PLACES {
        let full = || File::options().write(true).open("/dev/full").unwrap();
        let said = home.command(&sign).env(PANIC, place).stderr(full()).stdout(full()).status().unwrap();
        assert!(said.code().is_some_and(|code| code != 0), "{place}: {said}");
        home.ca(&["doctor"]);
        home.ca(&sign).ok();
    }
}

#[test]
fn a_thread_of_the_signer_that_ends_ends_the_command_too_and_the_next_one_goes_on() {
    // G6, G22
    let (home, sign) = home();
    for place in ["journal: with its record", "journal: durable", "signer: signed"] {
        let said = home.command(&sign).env("GENFIC_SIGNER_FAILPOINT_PANIC", place).output().unwrap();
        let told = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(8), "{place}: {told}");
        assert!(told.contains("signer.unavailable") && said.stdout.is_empty(), "{place}: {told}");
        home.ca(&sign).ok();
        home.ca(&["doctor"]).ok();
    }
}
