//! `renew -o`, as a timer gives it each night: the server's file gets the newest certificate for the server's key, and
//! the hook is run until it has succeeded.
use crate::refused;
use crate::support::{Home, Said, is_root};
use serde_json::Value;
use std::fs;

fn hierarchy() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    home
}

/// Gives the line of a timer.
fn nightly(home: &Home, within: &str, hook: &str) -> Said {
    let words = ["renew", "www.example", "--expiring", within, "--chain", "-o", "www.pem", "--hook", hook];
    home.ca(&[&words[..], &["--json"]].concat())
}

fn serial(home: &Home, file: &str) -> Value {
    home.result(&["show", file])["serial"].clone()
}

#[test]
fn a_hook_that_failed_is_run_again_until_it_has_succeeded() {
    // G22
    let home = hierarchy();
    assert_eq!(nightly(&home, "3650d", "false").status, 1);
    let owed = home.path("www.pem.genfic-ca-hook-owed");
    assert!(owed.exists());
    assert_eq!(nightly(&home, "30d", "false").status, 1);
    let done = nightly(&home, "30d", "echo \"$GENFIC_CA_FILE $GENFIC_CA_SERIAL\" >ran").ok().json();
    assert_eq!((&done["changed"], &done["result"]["hook"]["status"]), (&true.into(), &0.into()), "{done}");
    let newest = serial(&home, "www.pem");
    assert_eq!(
        fs::read_to_string(home.path("ran")).unwrap(),
        format!("www.pem {}\n", newest.as_str().unwrap())
    );
    assert!(!owed.exists());
    let done = nightly(&home, "30d", "touch again").ok().json();
    assert_eq!(done["changed"], false, "{done}");
    assert!(!home.path("again").exists());
    // what is refused owes nothing
    home.ca(&["renew", "www.example", "-o", "www.pem", "-v", "99999", "--hook", "true"]);
    assert!(!owed.exists());
}

#[test]
fn a_file_without_the_newest_certificate_gets_it_although_nothing_is_due() {
    // G22
    let home = hierarchy();
    let newest = home.result(&["renew", "www.example"])["certificates"][0]["serial"].clone();
    for there in [None, Some("www.example.crt")] {
        let _ = fs::remove_file(home.path("www.pem"));
        if let Some(there) = there {
            fs::copy(home.path(there), home.path("www.pem")).unwrap();
        }
        let done = nightly(&home, "30d", "touch ran").ok().json();
        assert_eq!(done["changed"], true, "{done}");
        assert_eq!(serial(&home, "www.pem"), newest);
        assert_eq!(fs::read_to_string(home.path("www.pem")).unwrap().matches("BEGIN").count(), 2);
        fs::remove_file(home.path("ran")).unwrap();
        assert_eq!(nightly(&home, "30d", "touch ran").ok().json()["changed"], false);
        assert!(!home.path("ran").exists());
    }
    // an older one that is named does not take the place of the newest, and a key's place is not taken
    let older = format!("genfic-system/{}", serial(&home, "www.example.crt").as_str().unwrap());
    fs::copy(home.path("www.example.key"), home.path("copy.key")).unwrap();
    let said = home.ca(&["renew", &older, "--expiring", "30d", "-o", "copy.key", "--force"]);
    refused(&said, 4, "file.exists");
}

#[test]
fn a_hook_that_failed_after_several_is_run_again_until_it_has_succeeded() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for host in ["a.example", "b.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system", "-v", "20"]).ok();
    }
    fs::create_dir(home.path("new")).unwrap();
    let with = |hook: &str| home.ca(&["renew", "--expiring", "30d", "--dir", "new", "--hook", hook]);
    assert_eq!(with("false").status, 1);
    assert!(home.path("new/.genfic-ca-unfinished").exists());
    with("echo \"$GENFIC_CA_FILES\" >ran").ok();
    let ran = fs::read_to_string(home.path("ran")).unwrap();
    let mut files: Vec<&str> = ran.lines().collect();
    files.sort_unstable();
    assert_eq!(files, ["new/a.example.crt", "new/b.example.crt"]);
    assert!(!home.path("new/.genfic-ca-unfinished").exists());
    with("touch again").ok();
    assert!(!home.path("again").exists());
}

#[test]
fn the_key_of_the_certificate_that_is_there_is_kept() {
    let home = hierarchy();
    fs::copy(home.path("www.example.crt"), home.path("www.pem")).unwrap();
    let old = serial(&home, "www.example.crt");
    fs::create_dir(home.path("other")).unwrap();
    home.ca(&["rekey", "www.example", "--dir", "other"]).ok();
    let key = |file: &str| home.run(&["openssl", "x509", "-in", file, "-noout", "-pubkey"]).ok().out;
    nightly(&home, "30d", "true").ok();
    assert_eq!(
        serial(&home, "www.pem"),
        old,
        "the certificate of the other key is not the newest of this one"
    );
    let done = nightly(&home, "3650d", "true").ok().json();
    assert_eq!(done["result"]["certificates"][0]["replaces"], old, "{done}");
    assert_eq!(key("www.pem"), key("www.example.crt"));
    // once there is none for this key, nothing is replaced
    for certificate in ["www.pem", "www.example.crt"] {
        home.ca(&["revoke", certificate, "--yes"]).ok();
    }
    let there = fs::read(home.path("www.pem")).unwrap();
    for within in ["30d", "3650d"] {
        let said = nightly(&home, within, "true");
        assert!(said.status == 4 && said.out.contains("\"file.exists\""), "{}", said.all());
    }
    assert_eq!(fs::read(home.path("www.pem")).unwrap(), there);
    home.ca(&["renew", "www.example", "-o", "www.pem", "--force"]).ok();
    assert_eq!(key("www.pem"), key("other/www.example.crt"));
}

#[test]
fn standard_output_has_the_certificate_and_nothing_else_although_nothing_is_due() {
    let home = hierarchy();
    let said = home.ca(&["renew", "www.example", "--expiring", "30d", "--chain", "-o", "-"]).ok();
    assert!(said.err.contains("not within 30d"), "{}", said.all());
    assert!(said.out.starts_with("-----BEGIN CERTIFICATE-----\n"), "{}", said.all());
    assert!(said.out.ends_with("-----END CERTIFICATE-----\n"), "{}", said.all());
    assert_eq!(said.out.matches("BEGIN").count(), 2);
    fs::write(home.path("got.pem"), said.out).unwrap();
    assert_eq!(serial(&home, "got.pem"), serial(&home, "www.example.crt"));
}

#[test]
fn nothing_is_issued_for_a_directory_that_cannot_be_written() {
    if !is_root() {
        return;
    }
    let home = hierarchy();
    home.shell("chown -R 12345:100 . && chmod 755 . && cp $(command -v genfic-ca) . && mkdir others && cp www.example.crt others")
        .ok();
    let run = |words: &[&str]| {
        let become_user = ["setpriv", "--reuid=12345", "--regid=100", "--clear-groups", "./genfic-ca"];
        home.shell(&[&become_user[..], words].concat().join(" "))
    };
    let listed = run(&["list", "--csv"]).ok().out;
    for file in ["others/new.crt", "others/www.example.crt", "others"] {
        for words in
            [&["renew", "www.example"][..], &["sign", "www.example.req", "-p", "genfic-system", "--yes"]]
        {
            let said = run(&[words, &["-o", file]].concat());
            assert_eq!(said.status, 1, "{}", said.all());
            assert!(said.err.contains("it belongs to another user: work in "), "{}", said.all());
        }
    }
    assert_eq!(run(&["list", "--csv"]).ok().out, listed);
}
