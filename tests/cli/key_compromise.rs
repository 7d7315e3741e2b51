//! A key that others have: every certificate for it goes, and none comes.
use crate::refused;
use crate::support::Home;
use serde_json::Value;
use std::fs;

fn serials(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one["serial"].as_str().unwrap()).collect()
}

/// A home where www.example has two certificates for one key from one CA, and a third from another.
fn shared() -> (Home, [String; 3]) {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-child", "second", "-p", "genfic", "--profile", "system-ca"]).ok();
    let serial = |value: &Value| value["certificates"][0]["serial"].as_str().unwrap().to_owned();
    home.ca(&["create-request", "www.example"]).ok();
    let first = serial(&home.result(&["sign", "www.example.req", "-p", "genfic-system"]));
    let renewed = serial(&home.result(&["renew", "www.example"]));
    let other = serial(&home.result(&["sign", "www.example.req", "-p", "second"]));
    (home, [first, renewed, other])
}

#[test]
fn a_compromised_key_is_revoked_in_every_certificate_of_every_ca() {
    // X13, G11
    let (home, [first, renewed, other]) = shared();
    let words = ["revoke", &format!("genfic-system/{renewed}"), "--reason", "key-compromise"];
    let result = home.result(&words);
    assert_eq!(result["serial"], renewed.as_str());
    let mut also = serials(&result["also_revoked"]);
    also.sort_unstable();
    let mut expected = [first.as_str(), other.as_str()];
    expected.sort_unstable();
    assert_eq!(also, expected);
    assert_eq!(result["also_crls"].as_array().unwrap().len(), 1, "one list a CA: {result}");
    for (ca, numbers) in [("genfic-system", vec![&first, &renewed]), ("second", vec![&other])] {
        let listed = home.result(&["crl", "show", ca]);
        let mut listed = serials(&listed["entries"]);
        listed.sort_unstable();
        let mut numbers: Vec<&str> = numbers.into_iter().map(String::as_str).collect();
        numbers.sort_unstable();
        assert_eq!(listed, numbers, "{ca}");
    }
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.all().contains("key.compromised"), "{}", doctor.all());
    refused(&home.ca(&["sign", "www.example.req", "-p", "second"]), 7, "policy.compromised-key");
}

#[test]
fn other_reasons_name_the_other_certificates_of_the_key() {
    let (home, [first, renewed, other]) = shared();
    let words = ["revoke", &format!("genfic-system/{first}"), "--reason", "superseded", "--json"];
    let said = home.ca(&words).ok().json();
    let mut same = serials(&said["result"]["same_key"]);
    same.sort_unstable();
    let mut expected = [renewed.as_str(), other.as_str()];
    expected.sort_unstable();
    assert_eq!(same, expected);
    assert_eq!(said["result"]["also_revoked"].to_string(), "[]");
    let warned = said["warnings"].to_string();
    assert!(warned.contains(&renewed) && warned.contains("--reason key-compromise"), "{warned}");
    let held = home.ca(&["hold", &format!("second/{other}"), "--json"]).ok().json();
    assert_eq!(serials(&held["result"]["same_key"]), [renewed.as_str()]);
    // a hold is not gone round by another certificate
    refused(&home.ca(&["sign", "www.example.req", "-p", "genfic-system"]), 7, "policy.key-held");
    refused(&home.ca(&["renew", &format!("genfic-system/{renewed}")]), 7, "policy.key-held");
    home.ca(&["release", &format!("second/{other}")]).ok();
    home.ca(&["renew", &format!("genfic-system/{renewed}")]).ok();
}

#[test]
fn doctor_finds_what_is_valid_on_a_key_that_others_have_and_its_command_mends_it() {
    let (home, [first, _, _]) = shared();
    // as an older version left it: only the one that was named is revoked
    let words = ["revoke", &format!("genfic-system/{first}"), "--no-crl"];
    home.ca(&words).ok();
    let index = rusqlite::Connection::open(home.path("home/index.db")).unwrap();
    index.execute("UPDATE status SET reason = 1 WHERE state = 2", []).unwrap();
    drop(index);
    let found = |home: &Home| -> Vec<String> {
        let said = home.ca(&["doctor", "--json"]).json();
        let of_keys = |one: &&Value| one["code"] == "key.compromised";
        let findings = said["result"]["findings"].as_array().unwrap().iter().filter(of_keys);
        findings.map(|one| one["remedy"].as_str().unwrap().to_owned()).collect()
    };
    let commands = found(&home);
    assert_eq!(commands.len(), 2, "{commands:?}");
    home.shell(&commands[0]).ok();
    assert_eq!(found(&home), Vec::<String>::new(), "one command revokes all of the key");

    home.ca(&["create-request", "leaked.example", "--sign", "-p", "genfic-system"]).ok();
    let spki =
        "openssl x509 -in leaked.example.crt -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum";
    let digest = home.shell(spki).ok().out;
    fs::write(home.path("home/leaked"), digest.split(' ').next().unwrap()).unwrap();
    let config = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[keys]", "[keys]\ncompromised_spki_sha256_file = 'leaked'")).unwrap();
    home.ca(&["hold", "leaked.example"]).ok();
    refused(&home.ca(&["release", "leaked.example"]), 7, "policy.compromised-key");
    let commands = found(&home);
    assert_eq!(commands.len(), 1, "{commands:?}");
    home.shell(&commands[0]).ok();
    assert_eq!(found(&home), Vec::<String>::new());
}

#[test]
fn a_holder_with_a_new_name_keeps_the_key_by_somebodys_word() {
    // P1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "old.example", "--sign", "-p", "genfic-system"]).ok();
    home.shell("openssl req -new -key old.example.key -subj /CN=new.example -addext subjectAltName=DNS:new.example -out new.req").ok();
    let sign = |more: &[&str]| home.ca(&[&["sign", "new.req", "-p", "genfic-system"], more].concat());
    let plain = sign(&[]);
    refused(&plain, 7, "policy.key-reused");
    assert!(plain.err.contains("--same-holder-as"), "{}", plain.err);
    refused(&sign(&["--same-holder-as", "old.example"]), 9, "input.confirmation");
    home.ca(&["create-request", "stranger.example", "--sign", "-p", "genfic-system"]).ok();
    refused(&sign(&["--same-holder-as", "stranger.example", "--yes"]), 7, "policy.other-key");
    sign(&["--same-holder-as", "old.example", "--yes"]).ok();
    let audit = home.ca(&["audit", "show"]).ok().out;
    assert!(audit.contains("same_holder_as") && audit.contains("CN=old.example"), "{audit}");
    home.ca(&["renew", "new.example"]).ok();
    home.ca(&["revoke", "old.example", "--reason", "key-compromise"]).ok();
    home.shell("openssl req -new -key old.example.key -subj /CN=third.example -addext subjectAltName=DNS:third.example -out new.req").ok();
    refused(&sign(&["--same-holder-as", "old.example", "--yes"]), 7, "policy.compromised-key");
}
