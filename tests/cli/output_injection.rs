//! What somebody typed, or called a file, never makes another line of what is said.
use crate::support::Home;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// A second line that looks like another row.
const FORGED: &str = "x\n999  2026-01-01T00:00:00Z  root  certificate.issued  forged\r\u{1b}[2K\u{85}";

#[track_caller]
fn says_no_forged_line(said: &str) {
    assert!(!said.lines().any(|line| line.trim_start().starts_with("999")), "{said}");
    assert!(!said.contains(['\r', '\u{1b}', '\u{85}']), "{said:?}");
}

#[test]
fn a_typed_name_with_a_newline_breaks_no_row_and_no_message() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let commands: [&[&str]; 10] = [
        &["revoke", FORGED],
        &["show", FORGED],
        &["sign", FORGED, "-p", "genfic-system"],
        &["list", "-p", FORGED],
        &["crl", "publish", FORGED],
        &["create-root", FORGED],
        &["create-request", FORGED],
        &["export", "index-txt", FORGED],
        &["renew", FORGED, "-p", FORGED],
        &["calendar", "--svg", FORGED],
    ];
    for words in commands {
        let said = home.ca(words);
        says_no_forged_line(&said.err);
        says_no_forged_line(&said.out);
    }
    let contact = ["--sign", "-p", "genfic-system", "--contact", FORGED];
    home.ca(&[&["create-request", "a.genfic.example"][..], &contact].concat());
    for words in [&["audit", "show"][..], &["list"], &["status"], &["show", "a.genfic.example"], &["doctor"]]
    {
        says_no_forged_line(&home.ca(words).out);
    }
    let records = home.result(&["audit", "show"]);
    let objects: Vec<&str> =
        records["records"].as_array().unwrap().iter().filter_map(|one| one["object"].as_str()).collect();
    assert!(objects.contains(&FORGED), "programs are told what was typed: {objects:?}");
}

#[test]
fn a_file_with_a_newline_or_without_utf8_in_its_name_is_told_on_one_line() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in [OsStr::new("a\n999 b"), OsStr::from_bytes(b"caf\xe9"), OsStr::new("-r")] {
        let directory = home.path("").join(name);
        fs::create_dir(&directory).unwrap();
        let words = [OsStr::new("create-request"), OsStr::new("h.genfic.example"), OsStr::new("--dir")];
        let made = home.ca(&[&words[..], &[directory.as_os_str()]].concat()).ok();
        says_no_forged_line(&made.out);
        assert!(!made.out.contains('\u{fffd}'), "{}", made.out);
    }
    fs::write(home.path("home/public/x\n999 y.pem"), "").unwrap();
    says_no_forged_line(&home.ca(&["doctor"]).out);
}

#[test]
fn in_json_a_path_without_utf8_has_its_octets_beside_it() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "h.genfic.example"]).ok();
    let odd = OsStr::from_bytes(b"caf\xe9.crt");
    let words = ["--json", "sign", "h.genfic.example.req", "-p", "genfic-system", "-o"].map(OsStr::new);
    let said = home.ca(&[&words[..], &[odd]].concat()).ok().json();
    let certificate = &said["result"]["certificates"][0];
    assert_eq!(certificate["file"], "caf\u{fffd}.crt");
    assert_eq!(certificate["file_hex"], "636166e92e637274");
    assert!(home.path("").join(odd).is_file());

    // two names that look the same are two files
    fs::create_dir(home.path("out")).unwrap();
    let requests = [&b"\xe9.req"[..], b"\xe8.req"].map(OsStr::from_bytes);
    for request in requests {
        fs::copy(home.path("h.genfic.example.req"), home.path("").join(request)).unwrap();
    }
    let words = ["--json", "sign", "-p", "genfic-system", "-o", "out"].map(OsStr::new);
    let said = home.ca(&[&words[..], &requests].concat()).ok().json();
    let hexes: Vec<&str> = said["result"]["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["file_hex"].as_str().unwrap())
        .collect();
    assert_eq!(hexes, ["6f75742fe92e637274", "6f75742fe82e637274"]);
    assert_eq!(fs::read_dir(home.path("out")).unwrap().count(), 2);

    let index = OsStr::from_bytes(b"\xff.txt");
    let words = ["--json", "export", "index-txt", "genfic-system", "-o"].map(OsStr::new);
    let said = home.ca(&[&words[..], &[index]].concat()).ok().json();
    assert_eq!((&said["changed"], &said["result"]["file_hex"]), (&true.into(), &"ff2e747874".into()));
    assert!(
        home.path("").join(OsStr::from_bytes(b"\xff.txt.attr")).is_file(),
        "beside it, under its own name"
    );
    // the longest name, beside which there is none
    let long = "i".repeat(255);
    let said = home.ca(&["export", "index-txt", "genfic-system", "-o", &long]);
    assert_eq!(said.status, 1, "{}", said.all());
    assert!(!home.path(&long).exists(), "nothing is written of what cannot be written whole");
}
