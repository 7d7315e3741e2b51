//! Homes whose keys no signer has seen: what programs without a signer left has no journal, envelopes or copies of
//! certificates, and goes on with no step of its user.
use crate::support::Home;
use std::fs;

/// Takes away what the signer keeps beside keys and marks.
pub(crate) fn without_signer(home: &Home) {
    for entry in fs::read_dir(home.path("home/keys")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !(name.ends_with(".age") || name.ends_with(".mark")) {
            assert!(path.is_file(), "{name}");
            fs::remove_file(path).unwrap();
        }
    }
}

fn older() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["first", "second"] {
        let host = format!("{name}.example");
        home.ca(&["create-request", &host, "--sign", "-p", "genfic-system"]).ok();
    }
    home.ca(&["revoke", "first.example.crt"]).ok();
    without_signer(&home);
    home
}

/// Each command, as the first one and after the ones before.
const COMMANDS: &[&str] = &[
    "create-request third.example --sign -p genfic-system",
    "crl publish --all",
    "revoke second.example.crt",
    "renew-ca genfic-system",
    "renew-ca genfic",
    "ocsp responder genfic-system",
    "create-child genfic-mail -p genfic --profile user-ca",
    "renew third.example.crt",
    "renew-ca genfic-system --rekey",
    "renew-ca genfic --rekey",
    "retire genfic-user",
    "audit verify",
    "doctor",
];

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn every_command_goes_on_in_a_home_that_no_signer_has_seen() {
    // K3, G6
    let home = older();
    for line in COMMANDS {
        home.ca(&words(line)).ok();
    }
}

#[test]
fn each_command_may_be_the_first_in_a_home_that_no_signer_has_seen() {
    // K3, G6
    let home = older();
    for line in COMMANDS {
        home.ca(&words(line)).ok();
        without_signer(&home);
    }
}

#[test]
fn the_first_signature_takes_the_key_over_with_the_profile_on_record() {
    // K3
    let home = older();
    home.ca(&["crl", "publish", "genfic-system"]).ok();
    let envelope = fs::read_to_string(home.path("home/keys/genfic-system.envelope.toml")).unwrap();
    assert!(envelope.contains("\"system-ca\""), "{envelope}");
    let before = fs::read_to_string(home.path("home/keys/genfic-system.pem")).unwrap();
    assert_eq!(before, fs::read_to_string(home.path("home/public/genfic-system.pem")).unwrap());
}
