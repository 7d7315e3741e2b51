//! `sign` and `create-request` held against their contract.
use crate::refused;
use crate::support::Home;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn hierarchy() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example"]).ok();
    home
}

/// Every file below a directory with its octets; what SQLite and locks come and go with left out.
fn snapshot(directory: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            snapshot(&path, into);
        } else if !["-wal", "-shm", "-signing"].iter().any(|ending| name.ends_with(ending)) {
            into.insert(name, fs::read(&path).unwrap());
        }
    }
}

#[test]
fn one_bad_request_does_not_hold_up_the_others() {
    // G22
    let home = hierarchy();
    home.ca(&["create-request", "two.example"]).ok();
    fs::write(home.path("bad.req"), "no request").unwrap();
    fs::create_dir(home.path("out")).unwrap();
    let words = ["sign", "www.example.req", "bad.req", "two.example.req", "-p", "genfic-system", "-o", "out"];
    let said = home.ca(&words);
    assert_eq!(said.status, 7, "{}", said.all());
    assert!(
        said.err.contains("1 of 3 requests was refused\nbad.req: not a certification request"),
        "{}",
        said.all()
    );
    assert!(home.path("out/www.example.crt").is_file() && home.path("out/two.example.crt").is_file());
    let both = home.ca(&["sign", "bad.req", "bad.req", "-p", "genfic-system", "--json"]).json();
    assert_eq!(both["result"]["refused"].as_array().unwrap().len(), 2, "{both}");
    assert_eq!((&both["changed"], &both["ok"]), (&false.into(), &false.into()));
}

#[test]
fn two_requests_of_one_name_are_not_saved_over_each_other() {
    let home = hierarchy();
    fs::create_dir(home.path("out")).unwrap();
    fs::copy(home.path("www.example.req"), home.path("out/www.example.req")).unwrap();
    let words = ["sign", "www.example.req", "out/www.example.req", "-p", "genfic-system", "-o", "out"];
    refused(&home.ca(&words), 2, "usage");
    assert_eq!(home.result(&["list", "--profile", "system"])["certificates"], Value::Array(Vec::new()));
}

#[test]
fn a_dry_run_shows_the_certificate_and_changes_nothing() {
    // G9
    let home = hierarchy();
    fs::write(home.path("bad.req"), "no request").unwrap();
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    let records = home.result(&["audit", "verify"])["records"].clone();
    snapshot(&home.path("home"), &mut before);
    let shown = home.ca(&["sign", "www.example.req", "-p", "genfic-system", "--dry-run"]).ok();
    assert!(shown.out.contains("DNS:www.example") && !shown.out.contains("Fingerprint"), "{}", shown.out);
    refused(&home.ca(&["sign", "bad.req", "-p", "genfic-system", "--dry-run"]), 7, "request.malformed");
    snapshot(&home.path("home"), &mut after);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before == after, "a file changed");
    assert_eq!(home.result(&["audit", "verify"])["records"], records);
}

#[test]
fn standard_input_and_output_stand_for_files() {
    // P15
    let home = hierarchy();
    let mut command = home.command(&["sign", "-", "-p", "genfic-system", "--chain", "-o", "-"]);
    let output = command.stdin(fs::File::open(home.path("www.example.req")).unwrap()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.starts_with("-----BEGIN CERTIFICATE-----"), "{text}");
    assert_eq!(text.matches("BEGIN").count(), 2, "the root is left out");
    assert!(!home.path("-").exists());
    let with_root =
        ["sign", "--chain=with-root", "www.example.req", "-p", "genfic-system", "-o", "with-root.crt"];
    home.ca(&with_root).ok();
    assert_eq!(fs::read_to_string(home.path("with-root.crt")).unwrap().matches("BEGIN").count(), 3);
}

#[test]
fn what_cannot_be_saved_is_still_told_as_issued() {
    // the device refuses after the certificate is on record
    let home = hierarchy();
    let said = home.ca(&["sign", "www.example.req", "-p", "genfic-system", "-o", "/dev/full", "--json"]);
    let object = said.json();
    assert_eq!(said.status, 1, "{}", said.all());
    assert_eq!((&object["changed"], &object["ok"]), (&true.into(), &false.into()), "{object}");
    let kept = object["result"]["certificates"][0]["file"].as_str().unwrap();
    assert!(
        Path::new(kept).is_file() && object["error"]["hint"].as_str().unwrap().contains(kept),
        "{object}"
    );
}

#[test]
fn an_end_beyond_the_issuer_or_the_profile_is_refused_with_the_latest() {
    // X11, G4
    let home = hierarchy();
    let too_long = home.ca(&["sign", "www.example.req", "-p", "genfic-system", "-v", "99999"]);
    refused(&too_long, 7, "policy.outlives-issuer");
    let latest = home.ca(&["sign", "www.example.req", "-p", "genfic-system", "-v", "max"]).ok();
    let end = latest.out.split(" to ").nth(1).unwrap().lines().next().unwrap();
    let (day, _) = end.split_once('T').unwrap();
    assert!(too_long.err.contains(&format!("the latest end is {day}T")), "{end}\n{}", too_long.err);
    refused(&home.ca(&["create-child", "deep", "-p", "genfic", "-v", "9000"]), 7, "policy.outlives-issuer");
}

#[test]
fn ten_years_for_a_system_come_with_a_warning_and_the_contact_stays_on_record() {
    // G9
    let home = hierarchy();
    let words =
        ["sign", "www.example.req", "-p", "genfic-system", "-v", "3650", "--contact", "ops@genfic.example"];
    let said = home.ca(&words).ok();
    assert!(said.err.starts_with("warning: ") && said.err.contains("825 days"), "{}", said.all());
    let list = home.result(&["list", "--profile", "system"]);
    assert_eq!(list["certificates"][0]["contact"], "ops@genfic.example");
    assert!(!list["certificates"][0]["subject"].as_str().unwrap().contains("ops@"), "{list}");
    refused(
        &home.ca(&["sign", "www.example.req", "-p", "genfic-system", "-v", "3651"]),
        7,
        "policy.too-long",
    );
    home.ca(&["create-request", "nameless", "--subject", "CN=No Name", "--san", "email:a@genfic.example"])
        .ok();
    refused(&home.ca(&["sign", "nameless.req", "-p", "genfic-system"]), 7, "policy.name-missing");
    home.ca(&["sign", "nameless.req", "-p", "genfic-system", "--san", "IP:192.0.2.1"]).ok();
}

#[test]
fn a_certificate_of_a_purpose_comes_from_no_other_ca() {
    // G21
    let home = hierarchy();
    for (ca, profile) in [("genfic-system", "user"), ("genfic-user", "system"), ("genfic", "system")] {
        let said = home.ca(&["sign", "www.example.req", "-p", ca, "--profile", profile]);
        refused(&said, 7, "policy.wrong-ca");
    }
    refused(
        &home.ca(&["sign", "www.example.req", "-p", "genfic", "--profile", "none"]),
        5,
        "policy.no-such-profile",
    );
}

#[test]
fn a_challenge_password_is_ignored_with_a_note_and_not_stored() {
    // G20
    let home = hierarchy();
    let request = "[req]\nprompt=no\ndistinguished_name=d\nattributes=a\n[d]\nCN=ch.example\n[a]\n\
                   challengePassword=verysecret\n";
    fs::write(home.path("ch.cnf"), request).unwrap();
    let words = "openssl req -new -newkey rsa:2048 -nodes -keyout ch.key -out ch.req -config ch.cnf";
    home.run(&words.split(' ').collect::<Vec<_>>()).ok();
    assert!(home.run(&["openssl", "req", "-in", "ch.req", "-noout", "-text"]).out.contains("verysecret"));
    let said = home.ca(&["sign", "ch.req", "-p", "genfic-system"]).ok();
    assert!(
        said.err.contains("challenge password in the request is neither used nor stored"),
        "{}",
        said.all()
    );
    let mut kept = BTreeMap::new();
    snapshot(&home.path("home"), &mut kept);
    assert!(kept.values().all(|octets| !octets.windows(10).any(|part| part == b"verysecret")));
}

#[test]
fn create_request_never_overwrites_and_a_refusal_leaves_nothing_behind() {
    // G12, G22
    let home = hierarchy();
    refused(&home.ca(&["create-request", "www.example"]), 4, "file.exists");
    refused(&home.ca(&["-R", "none/such/host"]), 5, "file.directory");
    let wrong = ["create-request", "bad", "--san", "email:a@genfic.example", "--sign", "-p", "genfic-system"];
    refused(&home.ca(&wrong), 7, "policy.name-missing");
    assert!(!home.path("bad.key").exists() && !home.path("bad.req").exists());
    fs::write(home.path("kept.example.crt"), "precious").unwrap();
    refused(&home.ca(&["create-request", "kept.example", "--sign", "-p", "genfic-system"]), 4, "file.exists");
    assert_eq!(fs::read_to_string(home.path("kept.example.crt")).unwrap(), "precious");
    assert!(!home.path("kept.example.key").exists());
}

#[test]
fn an_explicit_length_that_breaks_the_stagger_is_honoured_with_a_warning() {
    // G4
    let home = hierarchy();
    let said = home.ca(&["create-child", "other-system", "-p", "genfic", "-v", "3650"]).ok();
    assert!(said.err.contains("less than 14 days apart"), "{}", said.all());
    assert!(said.err.contains("no --profile was given; system-ca was taken"), "{}", said.all());
    refused(&home.ca(&["create-child", "below", "-p", "genfic-user"]), 7, "policy.wrong-ca");
}

#[test]
fn no_applicant_is_made_a_responder_but_by_the_way_that_asks_and_is_listed() {
    // O7
    let home = hierarchy();
    home.ca(&["create-request", "other.example", "--sign", "-p", "genfic-system"]).ok();
    home.shell("sed 's/^description.*/description = \"the same\"/' home/policy/ocsp-responder.toml >home/policy/mine.toml").ok();
    for profile in ["ocsp-responder", "mine"] {
        for words in [
            &["sign", "www.example.req", "-p", "genfic-system", "--profile", profile][..],
            &["--yes", "sign", "www.example.req", "-p", "genfic-system", "--profile", profile, "-v", "max"],
            &["sign", "www.example.req", "-p", "genfic-system", "--profile", profile, "--dry-run"],
            &["create-request", "new.example", "--sign", "-p", "genfic-system", "--profile", profile],
        ] {
            let said = home.ca(words);
            refused(&said, 7, "policy.responder");
            assert!(said.err.contains("--responder-for CA"), "{}", said.err);
        }
        let said = home.ca(&["renew", "other.example", "--profile", profile]);
        assert!(said.status == 2 && said.err.contains("--responder-for CA"), "{}", said.all());
    }
    assert!(!home.path("new.example.key").exists());
    let before = home.result(&["status"])["authorities"][1]["responders"].clone();
    assert_eq!(before.as_array().unwrap().len(), 1, "its own: {before}");

    let words = ["sign", "www.example.req", "--responder-for", "genfic-system"];
    let asked = home.ca(&words);
    refused(&asked, 9, "input.confirmation");
    assert!(asked.err.contains("answers for all of genfic-system until"), "{}", asked.err);
    let years = [&["--yes"], &words[..], &["-v", "1095"]].concat();
    refused(&home.ca(&years), 7, "policy.too-long");
    refused(&home.ca(&[&words[..], &["-p", "genfic"]].concat()), 2, "usage");
    assert_eq!(home.result(&["status"])["authorities"][1]["responders"], before, "nothing was issued");
    let made = home.result(&[&["--yes"], &words[..]].concat())["certificates"][0].clone();
    assert!(made["subject"].as_str().unwrap().ends_with("CN=genfic-system OCSP responder"), "{made}");
    let end: jiff::Timestamp = made["not_after"].as_str().unwrap().parse().unwrap();
    let days = (end.as_second() - jiff::Timestamp::now().as_second()) / 86_400;
    assert!((29..=30).contains(&days), "{made}");
    let file = made["file"].as_str().unwrap();
    let shown = home.run(&["openssl", "x509", "-noout", "-text", "-in", file]).ok().out;
    assert!(shown.contains("OCSP Signing") && shown.contains("OCSP No Check"), "{shown}");
    home.run(&["openssl", "verify", "-partial_chain", "-CAfile", "home/public/genfic-system.pem", file]).ok();

    let serial = made["serial"].as_str().unwrap();
    let responders = home.result(&["status"])["authorities"][1]["responders"].clone();
    let of_request: Vec<&Value> =
        responders.as_array().unwrap().iter().filter(|one| one["requested"] == true).collect();
    assert!(responders.as_array().unwrap().len() == 2 && of_request.len() == 1, "{responders}");
    assert_eq!(of_request[0]["serial"], serial);
    home.ca(&["revoke", &format!("serial:{serial}")]).ok();
    let status = home.ca(&["status"]).ok().out;
    let line = format!(
        "{} until {}, for a request, revoked but not looked up",
        &serial[..12],
        &made["not_after"].as_str().unwrap()[..10]
    );
    assert!(
        status.contains("genfic-system: 2 responder certificates\n") && status.contains(&line),
        "{status}"
    );
    let doctor = home.ca(&["doctor"]).ok().out;
    assert!(
        doctor.contains("2 responders, 3 certificates that clients believe, 1 of them made for requests"),
        "{doctor}"
    );
    assert!(doctor.contains("(responder.requested)") && doctor.contains(serial), "{doctor}");
    home.ca(&["ocsp", "responder", "genfic-system"]).ok();
}

#[test]
fn an_output_with_the_certificate_of_somebody_else_is_replaced_by_force_only() {
    // G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for host in ["a.example", "b.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    }
    let before = fs::read(home.path("a.example.crt")).unwrap();
    let number = || home.result(&["list"])["certificates"].as_array().unwrap().len();
    let issued = number();
    for words in [
        &["sign", "b.example.req", "-p", "genfic-system", "-o", "a.example.crt"][..],
        &["renew", "b.example", "-o", "a.example.crt"],
        &["sign", "b.example.req", "-p", "genfic-system", "-o", "b.example.req"],
        &["sign", "b.example.req", "-p", "genfic-system", "-o", "a.example.req"],
    ] {
        let said = home.ca(words);
        refused(&said, 4, "file.exists");
        assert!(said.err.contains("--force"), "{}", said.err);
    }
    assert_eq!((fs::read(home.path("a.example.crt")).unwrap(), number()), (before, issued));
    // a successor for the same subject takes the place of what is there
    home.ca(&["renew", "b.example", "-o", "b.example.crt"]).ok();
    home.ca(&["sign", "b.example.req", "-p", "genfic-system", "-o", "b.example.crt"]).ok();
    home.ca(&["sign", "b.example.req", "-p", "genfic-system", "-o", "a.example.crt", "--force"]).ok();
    assert_eq!(home.result(&["show", "a.example.crt"])["subject"], "CN=b.example");
}

#[test]
fn a_private_key_is_never_replaced_by_a_certificate() {
    // G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for host in ["a.example", "b.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    }
    home.run(&[
        "sh",
        "-c",
        "cat b.example.crt b.example.key > both.pem; mkdir www; cp a.example.key www/b.example.crt",
    ])
    .ok();
    home.run(&["sh", "-c", "cp home/keys/genfic.age sealed; : > empty"]).ok();
    let keys = ["a.example.key", "b.example.key", "both.pem", "sealed", "www/b.example.crt"];
    let before = keys.map(|key| fs::read(home.path(key)).unwrap());
    let issued = home.result(&["list"])["certificates"].as_array().unwrap().len();
    for output in ["a.example.key", "b.example.key", "both.pem", "sealed", "www"] {
        for words in [&["sign", "b.example.req", "-p", "genfic-system"][..], &["renew", "b.example"]] {
            for force in [&[][..], &["--force"]] {
                let said = home.ca(&[words, &["-o", output], force].concat());
                refused(&said, 4, "file.exists");
                assert!(
                    said.err.contains("holds a private key") && !said.err.contains("--force"),
                    "{}",
                    said.err
                );
            }
        }
    }
    assert_eq!(keys.map(|key| fs::read(home.path(key)).unwrap()), before);
    assert_eq!(home.result(&["list"])["certificates"].as_array().unwrap().len(), issued);
    home.ca(&["sign", "b.example.req", "-p", "genfic-system", "-o", "empty"]).ok();
    home.ca(&["sign", "b.example.req", "-p", "genfic-system", "-o", "a.example.req", "--force"]).ok();
    assert_eq!(home.result(&["show", "a.example.req"])["subject"], "CN=b.example");
}

#[test]
fn a_request_that_was_certified_already_is_noted_with_the_newest_certificate() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example"]).ok();
    home.ca(&["sign", "a.example.req", "-p", "genfic-system"]).ok();
    fs::remove_file(home.path("a.example.key")).unwrap();
    fs::rename(home.path("a.example.req"), home.path("former.req")).unwrap();
    let twice = ["sign", "former.req", "-p", "genfic-system", "--json"];
    let newer =
        home.ca(&twice).ok().json()["result"]["certificates"][0]["serial"].as_str().unwrap().to_owned();
    let said = home.ca(&twice).ok().json()["warnings"].to_string();
    assert!(said.contains(&format!("by genfic-system/{newer}")), "{said}");
    let made = home.result(&["create-request", "a.example", "--sign", "-p", "genfic-system"]);
    let serial = made["certificates"][0]["serial"].as_str().unwrap();
    let again = ["sign", "a.example.req", "-p", "genfic-system"];
    for more in [&["--json", "--dry-run"][..], &["--json"]] {
        let said = home.ca(&[&again[..], more].concat()).ok().json();
        let warned = said["warnings"].to_string();
        assert!(warned.contains(&format!("certified already, by genfic-system/{serial}")), "{said}");
    }
    let other = home
        .ca(&[&again[..], &["--san", "DNS:a.example", "--san", "DNS:b.example", "--json"]].concat())
        .ok()
        .json();
    assert!(!other["warnings"].to_string().contains("already"), "{other}");
}

#[test]
fn the_name_of_a_host_is_among_the_names_that_its_request_asks_for() {
    let home = Home::new();
    let names = |words: &[&str]| {
        let said = home.ca(&[&["create-request"], words, &["--json"]].concat()).ok().json();
        let san: Vec<String> = serde_json::from_value(said["result"]["san"].clone()).unwrap();
        (san, said["warnings"].to_string())
    };
    let said = home.ca(&["create-request", "shown.example", "--san", "alias.example"]).ok().out;
    assert!(said.contains("\n  names    DNS:shown.example, DNS:alias.example\n"), "{said}");
    let (san, _) = names(&["www.example", "--san", "alias.example"]);
    assert_eq!(san, ["DNS:www.example", "DNS:alias.example"]);
    let (san, _) = names(&["x.example", "--san", "DNS:X.example", "--san", "IP:192.0.2.1"]);
    assert_eq!(san, ["DNS:x.example", "IP:192.0.2.1"]);
    let (san, warned) = names(&["web", "--san", "www.example"]);
    assert_eq!(san, ["DNS:www.example"]);
    assert!(warned.contains("`web` is the common name only"), "{warned}");
    let (san, warned) = names(&["amber.mcstone", "--san", "email:amber@genfic.example"]);
    assert_eq!((san, warned), (vec!["email:amber@genfic.example".to_owned()], "[]".to_owned()));
    let (san, _) = names(&["y.example", "--subject", "CN=other", "--san", "DNS:z.example"]);
    assert_eq!(san, ["DNS:z.example"]);
}
