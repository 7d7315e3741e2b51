//! `audit show` by command and by condition, who is behind a command, and what `show` tells of a certificate.
use crate::refused;
use crate::support::{CA, Home, is_root, skipped};
use std::fs;
use std::process::Command;

/// A home in which two certificates were issued, one of them renewed, and one revoked.
fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.genfic.example"]).ok();
    home.ca(&["create-request", "b.genfic.example"]).ok();
    let words = ["sign", "a.genfic.example.req", "b.genfic.example.req", "-p", "genfic-system", "-o", "."];
    home.ca(&words).ok();
    home.ca(&["revoke", "a.genfic.example", "--reason", "superseded"]).ok();
    home
}

/// The rows of a table as text, without its headings.
fn rows(home: &Home, words: &[&str]) -> Vec<String> {
    let said = home.ca(&[&["audit", "show"], words].concat()).ok().out;
    said.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_command_is_one_row_and_with_verbose_its_steps_are_told() {
    // G15
    let home = home();
    let acts = rows(&home, &["--last", "2"]);
    assert_eq!(acts.len(), 2, "{acts:#?}");
    assert!(acts[0].contains("  sign  ") && acts[0].contains(" +1 "), "{}", acts[0]);
    assert!(acts[1].contains("  revoke  ") && acts[1].contains("  done  "), "{}", acts[1]);
    let steps = rows(&home, &["--last", "1", "--verbose"]);
    assert!(steps[0].contains("  revoke  "), "{steps:#?}");
    for (step, action) in steps[1..].iter().zip(["certificate.revoked", "crl.issued", "crl.published"]) {
        assert!(step.contains(action), "{steps:#?}");
    }
    assert_eq!(steps.len(), 4, "{steps:#?}");
    let all = rows(&home, &[]);
    let count = |name: &str| all.iter().filter(|row| row.contains(&format!("  {name}  "))).count();
    assert_eq!((count("create-child"), count("sign"), count("revoke")), (2, 1, 1), "{all:#?}");
}

#[test]
fn what_was_done_and_refused_in_part_is_told_as_both() {
    // G11, G15
    let home = home();
    let words = ["revoke", "--file", "list", "--yes"];
    fs::write(home.path("list"), "b.genfic.example\nnobody.example\n").unwrap();
    assert_eq!(home.ca(&words).status, 7);
    let acts = rows(&home, &["--last", "1"]);
    assert!(acts[0].contains("  refused in part certificate.not-found  "), "{acts:#?}");
    fs::write(home.path("list"), "nobody.example\n").unwrap();
    home.ca(&words);
    let acts = rows(&home, &["--last", "1"]);
    assert!(acts[0].contains("  refused certificate.not-found  "), "{acts:#?}");
}

#[test]
fn in_json_each_record_says_of_which_command_it_is() {
    // G15
    let home = home();
    let records = home.result(&["audit", "show"])["records"].clone();
    let records = records.as_array().unwrap();
    let revoked = records.iter().find(|one| one["action"] == "certificate.revoked").unwrap();
    assert_eq!((&revoked["act"], &revoked["command"]), (&revoked["sequence"], &"revoke".into()));
    let last = records.last().unwrap();
    assert_eq!((&last["action"], &last["act"]), (&"crl.published".into(), &revoked["sequence"]));
    assert_eq!(
        home.result(&["audit", "show", "--last", "3"])["records"].as_array().unwrap(),
        &records[records.len() - 3..]
    );
    home.ca(&["audit", "verify"]).ok();
}

#[test]
fn records_are_shown_by_time_person_object_and_action() {
    // G15
    let home = home();
    let serial = home.result(&["show", "a.genfic.example"])["serial"].as_str().unwrap().to_owned();
    let me =
        home.result(&["audit", "show", "--last", "1"])["records"][0]["user"].as_str().unwrap().to_owned();
    let names = |words: &[&str]| -> Vec<String> {
        rows(&home, words)
            .iter()
            .map(|row| row.split("  ").filter(|cell| !cell.is_empty()).nth(3).unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&["--object", "a.genfic.example"]), ["sign", "revoke"]);
    assert_eq!(names(&["--object", &format!("genfic-system/{serial}")]), ["sign", "revoke"]);
    assert_eq!(names(&["--object", &serial[..8]]), ["sign", "revoke"]);
    assert_eq!(names(&["--action", "certificate.rev*"]), ["revoke"]);
    assert_eq!(names(&["--action", "revoke", "--who", &me]), ["revoke"]);
    assert_eq!(names(&["--object", "genfic-user", "--action", "crl.*"]), ["create-child"]);
    assert_eq!(names(&["--since", "1h"]).len(), names(&[]).len());
    for nothing in
        [&["--who", "nobody-here"][..], &["--until", "2020-01-01"], &["--since", "2100-01-01T00:00:00Z"]]
    {
        assert_eq!(home.ca(&[&["audit", "show"], nothing].concat()).ok().out, "nothing\n");
    }
    refused(&home.ca(&["audit", "show", "--since", "soon"]), 2, "usage");
}

#[test]
fn show_says_who_issued_a_certificate_from_which_request_and_what_became_of_it() {
    // G15
    let home = home();
    let shown = home.result(&["show", "a.genfic.example"]);
    assert_eq!(shown["request"], "a.genfic.example.req");
    home.run(&["openssl", "req", "-in", "a.genfic.example.req", "-outform", "DER", "-out", "a.der"]).ok();
    let digest = home.run(&["sha256sum", "a.der"]).out;
    assert_eq!(shown["request_sha256"].as_str().unwrap(), digest.split(' ').next().unwrap());
    let text = home.ca(&["show", "a.genfic.example"]).ok().out;
    let by = shown["issued_by"].as_str().unwrap();
    for told in [
        "Issued ",
        &format!(" by {by} "),
        "a.genfic.example.req, sha256:",
        "What became of it",
        "revoked 20",
        "superseded",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
    home.ca(&["renew", "b.genfic.example"]).ok();
    let newer = home.result(&["list", "--subject", "b.genfic.example"])["certificates"].clone();
    let find = |one: &str| -> serde_json::Value { home.result(&["show", &format!("serial:{one}")]) };
    let all: Vec<_> =
        newer.as_array().unwrap().iter().map(|one| find(one["serial"].as_str().unwrap())).collect();
    let former = all.iter().find(|one| one["renews"].is_null()).unwrap();
    let renewed = all.iter().find(|one| !one["renews"].is_null()).unwrap();
    let name = |one: &serde_json::Value| format!("genfic-system/{}", one["serial"].as_str().unwrap());
    assert_eq!(renewed["renews"], name(former));
    assert_eq!(former["renewed_by"], name(renewed));
    assert!(renewed["renewed_by"].is_null());
}

#[test]
fn the_person_is_the_one_who_started_the_program_that_became_another_user_whatever_variables_say() {
    // G15
    if !is_root() {
        return skipped("becoming another user needs root");
    }
    let home = Home::new();
    let become_root = home.path("become");
    fs::copy("/usr/bin/setpriv", &become_root).unwrap();
    home.run(&["chmod", "4755", become_root.to_str().unwrap()]).ok();
    home.run(&["chmod", "755", "."]).ok();
    // what `sudo` is: a program of root that somebody else starts
    let line = format!(
        "'{}' --reuid=0 --regid=0 --clear-groups env GENFIC_CA_HOME='{}' {CA} create-root mine; true",
        become_root.display(),
        home.path("home").display()
    );
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", &line]);
    command.env("SUDO_USER", "daemon").env("SUDO_UID", "1");
    for (name, value) in home.command::<&str>(&[]).get_envs().filter(|(_, value)| value.is_some()) {
        command.env(name, value.unwrap());
    }
    let output = command.current_dir("/").output().unwrap();
    let records = home.result(&["audit", "show", "--object", "mine"])["records"].clone();
    let record = &records[0];
    assert_eq!(
        (&record["user"], &record["on_behalf_of"]),
        (&"root".into(), &"nobody".into()),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let own = home
        .command(&["create-root", "other"])
        .env("SUDO_USER", "daemon")
        .env("SUDO_UID", "1")
        .output()
        .unwrap();
    assert!(own.status.success());
    let records = home.result(&["audit", "show", "--object", "other"])["records"].clone();
    assert!(records[0]["on_behalf_of"].is_null(), "{records}");
}

#[test]
fn what_the_signer_signed_is_compared_with_the_index() {
    // K3
    let home = home();
    let journal = home.result(&["audit", "verify"])["journal"].clone();
    assert_eq!((&journal["older"], &journal["unsigned"]), (&0.into(), &0.into()), "{journal}");
    assert!(journal["both"].as_u64().unwrap() >= 9, "{journal}");
    // the record is derived: without it everything goes on
    for file in ["record.db", "record.db-wal", "record.db-shm"] {
        let _ = fs::remove_file(home.path(&format!("home/keys/{file}")));
    }
    home.ca(&["revoke", "b.genfic.example"]).ok();
    home.ca(&["audit", "verify"]).ok();
    // a home from before there were journals
    fs::remove_file(home.path("home/keys/journal")).unwrap();
    for file in ["record.db", "record.db-wal", "record.db-shm"] {
        let _ = fs::remove_file(home.path(&format!("home/keys/{file}")));
    }
    assert!(home.result(&["audit", "verify"])["journal"].is_null());
    home.ca(&["create-request", "c.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    let journal = home.result(&["audit", "verify"])["journal"].clone();
    assert!(journal["older"].as_u64().unwrap() >= 5, "{journal}");
    // a certificate that the index loses
    let index = rusqlite::Connection::open(home.path("home/index.db")).unwrap();
    let lost = "PRAGMA foreign_keys = OFF; DELETE FROM status WHERE certificate = (SELECT max(number) FROM certificate)";
    index.execute_batch(lost).unwrap();
    drop(index);
    let said = home.ca(&["audit", "verify"]);
    assert_eq!(said.status, 13, "{}", said.err);
    assert!(said.err.contains("the index does not know a certificate that was signed"), "{}", said.err);
    // and a journal that somebody changed
    let path = home.path("home/keys/journal");
    let mut octets = fs::read(&path).unwrap();
    octets[100] ^= 1;
    fs::write(&path, octets).unwrap();
    let said = home.ca(&["audit", "verify"]);
    assert!(said.status == 13 && said.err.contains("was changed, or is missing"), "{}", said.err);
}
