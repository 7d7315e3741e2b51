//! `export index-txt`, read by the programs that write such files themselves.
use crate::support::{Home, Said};
use std::fs;

const ISSUER: &str = "home/public/genfic-system.pem";

/// What `openssl ocsp`, answering out of the exported index, says of the certificates.
fn openssl_answers(home: &Home, which: &[&str]) -> Said {
    let make = ["openssl", "ocsp", "-issuer", ISSUER, "-no_nonce", "-reqout", "request.der"];
    home.run(&[&make[..], which].concat()).ok();
    home.run(&[
        "openssl",
        "ocsp",
        "-index",
        "index.txt",
        "-CA",
        ISSUER,
        "-rsigner",
        "home/ocsp/genfic-system/responder.pem",
        "-rkey",
        "home/ocsp/genfic-system/responder.key",
        "-ndays",
        "1",
        "-reqin",
        "request.der",
        "-respout",
        "answer.der",
    ])
    .ok();
    let read =
        ["openssl", "ocsp", "-issuer", ISSUER, "-CAfile", "home/public/genfic-system.chain.pem", "-respin"];
    let said = home.run(&[&read[..], &["answer.der"], which].concat()).ok();
    assert!(said.err.contains("Response verify OK"), "{}", said.all());
    said
}

fn home_with_index() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let hosts = ["good", "superseded", "key-compromise", "certificate-hold", "privilege-withdrawn"];
    for name in hosts {
        let host = format!("{name}.genfic.example");
        home.ca(&["create-request", &host, "--sign", "-p", "genfic-system"]).ok();
        match name {
            "good" => {}
            "certificate-hold" => drop(home.ca(&["hold", &host]).ok()),
            "key-compromise" => {
                let since = ["--invalidity-date", "2026-01-02T03:04:05Z"];
                home.ca(&[&["revoke", &host, "--reason", name][..], &since].concat()).ok();
            }
            reason => drop(home.ca(&["revoke", &host, "--reason", reason]).ok()),
        }
    }
    home.ca(&["export", "index-txt", "genfic-system", "-o", "index.txt"]).ok();
    home
}

#[test]
fn openssl_answers_from_the_exported_index_what_our_responder_answers() {
    // G11: good, revoked with reason, unknown
    let home = home_with_index();
    let said = openssl_answers(&home, &["-cert", "good.genfic.example.crt"]);
    assert!(said.out.contains("good.genfic.example.crt: good"), "{}", said.all());
    let reasons = [
        ("superseded", "superseded"),
        ("key-compromise", "keyCompromise"),
        ("certificate-hold", "certificateHold"),
    ];
    for (name, reason) in reasons {
        let file = format!("{name}.genfic.example.crt");
        let said = openssl_answers(&home, &["-cert", &file]);
        assert!(said.out.contains(&format!("{file}: revoked")), "{}", said.all());
        assert!(said.out.contains(&format!("Reason: {reason}")), "{}", said.all());
    }
    let said = openssl_answers(&home, &["-cert", "privilege-withdrawn.genfic.example.crt"]);
    assert!(said.out.contains("crt: revoked") && !said.out.contains("Reason"), "{}", said.all());
    let said = openssl_answers(&home, &["-serial", "0x0123"]);
    assert!(said.out.contains("0x0123: unknown"), "{}", said.all());
}

/// `openssl ca` over the exported index, with a key of its own that has nothing to do with ours.
fn openssl_ca(home: &Home, words: &[&str]) -> Said {
    if !home.path("ca.cnf").exists() {
        let config = "[ca]\ndefault_ca = ca\n[ca]\ndatabase = index.txt\n";
        fs::write(home.path("ca.cnf"), config).unwrap();
        let make = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=x"];
        home.run(&[&make[..], &["-keyout", "ca.key", "-out", "ca.crt"]].concat()).ok();
    }
    let begin =
        ["openssl", "ca", "-config", "ca.cnf", "-cert", "ca.crt", "-keyfile", "ca.key", "-md", "null"];
    home.run(&[&begin[..], words].concat())
}

#[test]
fn openssl_ca_reads_the_exported_index_and_keeps_it_as_it_is() {
    let home = home_with_index();
    let before = fs::read_to_string(home.path("index.txt")).unwrap();
    for (name, status) in [("good", "Valid (V)"), ("superseded", "Revoked (R)")] {
        let file = format!("{name}.genfic.example.crt");
        let serial = home.run(&["openssl", "x509", "-in", &file, "-noout", "-serial"]).ok().out;
        let said = openssl_ca(&home, &["-status", serial.trim().trim_start_matches("serial=")]);
        assert!(said.all().contains(status), "{}", said.all());
    }
    openssl_ca(&home, &["-updatedb"]).ok();
    assert_eq!(fs::read_to_string(home.path("index.txt")).unwrap(), before);
}

#[test]
fn openssl_ca_makes_the_same_list_from_the_exported_index_as_we_do() {
    // C2, C4: serial numbers, times, reasons and invalidity dates survive the way through index.txt
    let home = home_with_index();
    openssl_ca(&home, &["-gencrl", "-crldays", "1", "-out", "theirs.pem"]).ok();
    let entries = |file: &str| {
        let said = home.run(&["openssl", "crl", "-in", file, "-noout", "-text"]).ok();
        let (_, entries) = said.out.split_once("Revoked Certificates:").unwrap();
        let entries = entries.split_once("    Signature Algorithm").unwrap().0.to_owned();
        let mut entries: Vec<String> =
            entries.split("    Serial Number: ").skip(1).map(str::to_owned).collect();
        entries.sort();
        entries
    };
    let (ours, theirs) = (entries("home/public/genfic-system.crl.pem"), entries("theirs.pem"));
    assert_eq!(ours.len(), 4);
    let differing: Vec<_> = ours.iter().filter(|entry| !theirs.contains(entry)).collect();
    assert!(
        matches!(differing.as_slice(), [one] if one.contains("Privilege Withdrawn")),
        "only the reason that the format does not know is lost: {differing:?} {theirs:?}"
    );
}
