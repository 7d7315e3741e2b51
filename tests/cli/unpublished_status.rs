//! What is on record and not published is handed out by no command (O12).
use crate::refused;
use crate::support::{Home, Said};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

const CODE: &str = "status.not-published";

/// A hierarchy whose status cannot be written any more, by whatever user.
fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example").copied();
    home.shell(
        "genfic-ca create-request kept.genfic.example --sign -p genfic-system
         genfic-ca create-request late.genfic.example
         genfic-ca create-request other.genfic.example
         chmod a-w home/status",
    )
    .ok();
    home
}

/// Runs `genfic-ca` as a user whom modes bind, be it root.
fn ca(home: &Home, words: &[&str]) -> Said {
    let plain = home.command(words);
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return home.ca(words);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-dac_override,-dac_read_search"]).arg(plain.get_program()).args(words);
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap());
    }
    Said::of(command.current_dir(home.directory()).stdin(std::process::Stdio::null()).output().unwrap())
}

#[test]
fn a_certificate_whose_status_cannot_be_published_is_handed_out_by_no_command() {
    // O12
    let home = home();
    refused(
        &ca(&home, &["sign", "late.genfic.example.req", "-p", "genfic-system", "-o", "out.crt"]),
        1,
        CODE,
    );
    assert!(!home.path("out.crt").exists());
    let said = ca(&home, &["ocsp", "sync"]);
    refused(&said, 1, CODE);
    assert!(said.err.contains("genfic-ca ocsp sync"), "{}", said.all());
    let listed = ca(&home, &["list", "--json"]).ok().json();
    let all = listed["result"]["certificates"].as_array().unwrap();
    let late = all.iter().find(|one| one["subject"].as_str().unwrap().contains("late")).unwrap();
    assert!(late["file"].is_null(), "{late}");
    let serial = format!("serial:{}", late["serial"].as_str().unwrap());
    fs::write(home.path("pass"), "changeit").unwrap();
    home.shell("chmod 600 pass").ok();
    for words in [
        &["show", &serial, "--pem"][..],
        &["show", "late.genfic.example", "--der"],
        &["show", &serial, "--pem", "--json"],
        &["export", "snippet", "nginx", &serial, "--dir", "."],
        &[
            "export",
            "p12",
            &serial,
            "--key",
            "late.genfic.example.key",
            "-o",
            "late.p12",
            "--p12-passphrase-from",
            "file:pass",
        ],
    ] {
        let said = ca(&home, words);
        assert!(said.status == 1 && said.all().contains(CODE), "{words:?}\n{}", said.all());
        assert!(!said.all().contains("BEGIN CERTIFICATE"), "{words:?}\n{}", said.all());
    }
    assert!(!home.path("late.p12").exists() && !home.path("late.genfic.example.chain.pem").exists());
    // what was published before is not kept back, and what is on record is told
    assert!(ca(&home, &["show", "kept.genfic.example", "--pem"]).ok().out.contains("BEGIN CERTIFICATE"));
    assert!(ca(&home, &["show", &serial]).ok().out.contains("On record"), "it may be looked at");
    // nothing more is signed meanwhile
    let before =
        ca(&home, &["list", "--json"]).ok().json()["result"]["certificates"].as_array().unwrap().len();
    for words in [
        &["sign", "other.genfic.example.req", "-p", "genfic-system"][..],
        &["renew", "kept.genfic.example"],
        &["create-request", "new.genfic.example", "--sign", "-p", "genfic-system"],
    ] {
        let said = ca(&home, words);
        assert!(said.status == 1 && said.all().contains(CODE), "{words:?}\n{}", said.all());
    }
    let after =
        ca(&home, &["list", "--json"]).ok().json()["result"]["certificates"].as_array().unwrap().len();
    assert_eq!(before, after);
    home.shell("chmod u+w home/status").ok();
    let said = ca(&home, &["ocsp", "sync"]).ok();
    assert!(said.all().contains("status published"), "{}", said.all());
    assert!(ca(&home, &["show", &serial, "--pem"]).ok().out.contains("BEGIN CERTIFICATE"));
}

#[test]
fn a_ca_whose_status_cannot_be_published_is_handed_out_by_no_command() {
    // O12
    let home = home();
    let said = ca(&home, &["create-child", "late-system", "-p", "genfic"]);
    assert!(said.status == 1 && said.all().contains(CODE), "{}", said.all());
    assert!(!home.path("home/public/late-system.pem").exists());
    for words in [
        &["show", "late-system", "--pem"][..],
        &["export", "bundle", "late-system"],
        &["export", "hashed-dir", "hashed", "late-system"],
    ] {
        let said = ca(&home, words);
        assert!(said.status != 0 && !said.out.contains("BEGIN CERTIFICATE"), "{words:?}\n{}", said.all());
    }
    assert!(!home.path("home/public/late-system.pem").exists() && !home.path("hashed").exists());
    ca(&home, &["export", "bundle", "-o", "roots.pem"]).ok();
    // what is mended first is the directory, then the status, then what was waiting for it
    ca(&home, &["doctor", "--fix"]).ok();
    assert!(ca(&home, &["show", "late-system", "--pem"]).ok().out.contains("BEGIN CERTIFICATE"));
}

#[test]
fn what_was_published_is_not_handed_out_with_a_chain_that_is_not() {
    // O12
    let home = home();
    let said = ca(&home, &["renew-ca", "genfic-system"]);
    assert!(said.status == 1 && said.all().contains(CODE), "{}", said.all());
    ca(&home, &["show", "kept.genfic.example", "--pem"]).ok();
    let words = &["export", "snippet", "nginx", "kept.genfic.example", "--dir", "."];
    refused(&ca(&home, words), 1, CODE);
    assert!(!home.path("kept.genfic.example.chain.pem").exists());
    home.shell("chmod u+w home/status").ok();
    ca(&home, &["ocsp", "sync"]).ok();
    ca(&home, words).ok();
    assert!(home.path("kept.genfic.example.chain.pem").exists());
}

#[test]
fn a_home_without_any_published_status_hands_nothing_out_until_it_is_published() {
    // O12
    let home = home();
    home.shell("chmod u+w home/status; rm -rf home/status/*; chmod a-w home/status").ok();
    refused(&ca(&home, &["show", "kept.genfic.example", "--pem"]), 1, CODE);
    refused(&ca(&home, &["export", "bundle"]), 1, CODE);
    home.shell("chmod u+w home/status").ok();
    // the next command publishes it first
    assert!(ca(&home, &["show", "kept.genfic.example", "--pem"]).ok().out.contains("BEGIN CERTIFICATE"));
}
