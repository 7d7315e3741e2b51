//! What needs a CA's key asks for it before anything is recorded or written: with a wrong passphrase nothing is left.
use crate::support::terminal::Terminal;
use crate::support::{Home, PASSPHRASE, Said};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a directory, with its contents, but for the index and what is published of it.
fn files(directory: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("index.db") || name == "status" || name == "reserve" {
            continue;
        }
        match path.is_dir() {
            true => files(&path, found),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
}

/// What a home and the directory beside it have: files, certificates, CAs, audit records.
fn seen(home: &Home) -> (BTreeMap<PathBuf, Vec<u8>>, String, String, Vec<serde_json::Value>) {
    let mut found = BTreeMap::new();
    files(home.directory(), &mut found);
    let records = home.result(&["audit", "show"])["records"].as_array().unwrap().clone();
    (found, home.result(&["list"]).to_string(), home.result(&["authorities"]).to_string(), records)
}

fn wrong(home: &Home, words: &str) -> Said {
    let words: Vec<&str> = words.split(' ').collect();
    let mut command = home.command(&words);
    Said::of(command.env("GENFIC_TEST_PASSPHRASE", "another phrase altogether").output().unwrap())
}

#[test]
fn with_a_wrong_passphrase_no_command_leaves_anything_behind() {
    // G1, G15
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["one.example", "two.example"] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system"]).ok();
    }
    home.ca(&["create-request", "new.example"]).ok();
    home.ca(&["create-child", "far", "--csr-only", "--profile", "user-ca"]).ok();
    home.ca(&["sign", "far.req", "-p", "genfic", "--profile", "user-ca", "-o", "far.pem"]).ok();
    let partner = ["--home", "partner", "create-root", "partner"];
    home.ca(&partner).ok();
    fs::copy(home.path("partner/public/partner.pem"), home.path("partner.pem")).unwrap();
    fs::create_dir(home.path("into")).unwrap();
    let before = seen(&home);
    for words in [
        "create-child other -p genfic --new-passphrase-from env:PATH",
        "renew-ca genfic",
        "renew-ca genfic-user",
        "renew-ca genfic --rekey --new-passphrase-from env:PATH",
        "renew-ca genfic-user --rekey --new-passphrase-from env:PATH",
        "cross-sign partner.pem -p genfic -o cross.pem",
        "adopt far far.pem",
        "sign new.example.req -p genfic-system -o new.pem",
        "create-request third.example --sign -p genfic-system",
        "create-request third.example --sign -p genfic-system --dir into",
        "create-request third.example --sign -p genfic-system --ensure",
        "renew one.example",
        "renew one.example two.example --dir into",
        "rekey one.example --dir into",
        "rekey one.example two.example --dir into",
        "crl publish genfic",
        "crl publish --all",
        "ocsp responder genfic-system",
        "key passphrase genfic --new-passphrase-from env:PATH",
    ] {
        let said = wrong(&home, words);
        assert_eq!(said.status, 8, "{words}: {}", said.all());
        let after = seen(&home);
        let (old, new): (Vec<_>, Vec<_>) = (before.0.keys().collect(), after.0.keys().collect());
        assert_eq!(old, new, "{words}");
        assert!(before.0 == after.0, "a file was changed: {words}");
        assert_eq!((&before.1, &before.2), (&after.1, &after.2), "{words}");
        let more = &after.3[before.3.len()..];
        let refused = more.iter().all(|record| record["outcome"] != "done");
        assert!(refused, "{words}: {more:#?}");
    }
    // made for working without the key
    let said = wrong(&home, "revoke one.example");
    assert_eq!(said.status, 8, "{}", said.all());
    assert!(said.err.contains("recorded and answered by OCSP"), "{}", said.err);
}

#[test]
fn while_a_passphrase_is_asked_for_nothing_is_written_yet() {
    // G1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "one.example", "--sign", "-p", "genfic-system"]).ok();
    fs::create_dir(home.path("into")).unwrap();
    let mut before = BTreeMap::new();
    files(home.directory(), &mut before);
    for (words, made) in [
        ("create-request third.example --sign -p genfic-system", "third.example"),
        ("rekey one.example --dir into", "into/one.example"),
    ] {
        let mut at = Terminal::run(&home, words);
        at.wait_for("Passphrase for the key of genfic-system: ");
        let mut now = BTreeMap::new();
        files(home.directory(), &mut now);
        assert!(before == now, "{words}");
        let (text, status) = at.type_line(PASSPHRASE).end();
        assert_eq!(status, 0, "{words}: {text}");
        for ending in ["key", "req", "crt"] {
            let path = home.path(&format!("{made}.{ending}"));
            assert!(path.exists(), "{words}: {ending}");
            fs::remove_file(path).unwrap();
        }
        before.clear();
        files(home.directory(), &mut before);
    }
}

#[test]
fn a_first_root_without_a_passphrase_leaves_no_home() {
    // G1
    let home = Home::new();
    let made = home.path("first");
    let first = |words: &str| wrong(&home, &format!("--home first create-root {words}"));
    for (words, exit) in [
        ("genfic --passphrase-from env:NONE", 8),
        ("genfic --passphrase-from prompt", 9),
        ("genfic --passphrase-from env:USERNAME_OF_NOBODY", 8),
        ("Not.A.Name", 2),
    ] {
        let said = first(words);
        assert_eq!(said.status, exit, "{words}: {}", said.all());
        assert!(!made.exists(), "{words}");
    }
    let mut at = Terminal::run(&home, "--home first create-root genfic");
    at.wait_for("New passphrase for the key of genfic: ");
    assert!(!made.exists());
    let (text, status) = at.press(crate::support::terminal::INTERRUPT).end();
    assert!(status == 8 && text.contains("nothing was done") && !made.exists(), "{text}");
    let mut at = Terminal::run(&home, "--home first create-root genfic");
    let (text, status) = at.answer("of genfic: ", PASSPHRASE).answer("again: ", PASSPHRASE).end();
    assert!(status == 0 && text.contains("was initialised with defaults"), "{text}");
    assert_eq!(text.matches("assphrase for").count(), 1, "it is asked for once: {text}");
}
