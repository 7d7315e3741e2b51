//! `ocsp presign`: what it signs, and when it does not.
use crate::support::Home;
use std::fs;

fn presign(home: &Home) -> serde_json::Value {
    home.result(&["ocsp", "presign", "-o", "answers"])
}

#[test]
fn every_certificate_is_answered_for_and_only_what_has_changed_is_signed_again() {
    // O1, O12
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "w.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    let first = presign(&home);
    assert_eq!(first["signed"], first["answers"]);
    assert_eq!(first["authorities"], serde_json::json!(["genfic-system", "genfic-user"]));
    assert_eq!(presign(&home)["signed"], 0);
    home.ca(&["create-request", "x.genfic.example", "--sign", "-p", "genfic-user", "--profile", "user"]);
    home.ca(&["revoke", "w.genfic.example"]).ok();
    let third = presign(&home);
    let more = third["certificates"].as_u64().unwrap() - first["certificates"].as_u64().unwrap();
    assert_eq!(third["signed"].as_u64().unwrap(), 2 * (more + 1));
    assert!(third["number"].as_u64() > first["number"].as_u64());
    let one = home.result(&["ocsp", "presign", "genfic-user", "-o", "one"]);
    assert_eq!(one["authorities"], serde_json::json!(["genfic-user"]));
}

#[test]
fn without_a_responder_certificate_nothing_is_signed_and_what_is_there_stays() {
    // O7
    let home = Home::with_hierarchy("http://pki.genfic.example");
    presign(&home);
    let before = fs::read(home.path("answers")).unwrap();
    fs::remove_file(home.path("home/ocsp/genfic-user/responder.pem")).unwrap();
    let said = home.ca(&["ocsp", "presign", "-o", "answers"]);
    assert_eq!(said.status, 5, "{}", said.all());
    assert!(said.err.contains("genfic-ca ocsp responder genfic-user"), "{}", said.err);
    assert_eq!(fs::read(home.path("answers")).unwrap(), before);
    home.ca(&["ocsp", "presign", "genfic-system", "-o", "system"]).ok();
}

#[test]
fn a_command_that_was_killed_leaves_what_it_signed_to_the_next() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (place, signed) in [("presign: piece written", 0), ("presign: in place", 0)] {
        let mut command = home.command(&["ocsp", "presign", "-o", "answers"]);
        let killed = command.env("GENFIC_CA_FAILPOINT", place).output().unwrap();
        assert_eq!(killed.status.code(), None, "{}", String::from_utf8_lossy(&killed.stderr));
        assert_eq!(home.path("answers").exists(), place == "presign: in place");
        let made = presign(&home);
        assert_eq!(made["signed"], signed, "{place}: {made}");
        assert!(!home.path("answers.writing").exists() && !home.path("answers.begun").exists());
        fs::remove_file(home.path("answers")).unwrap();
    }
}
