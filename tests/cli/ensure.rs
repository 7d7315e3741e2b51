//! `--ensure`: what is there as asked stays, what is there otherwise is named, nothing is made twice.
use crate::support::{Home, PASSPHRASE, Said};
use serde_json::Value;
use std::fs;
use std::process::Stdio;

/// Runs a command without any passphrase, with `--ensure --json`.
fn without_passphrase(home: &Home, words: &str) -> Said {
    let words: Vec<&str> = words.split(' ').chain(["--ensure", "--json", "--no-input"]).collect();
    let mut command = home.command(&words);
    command.env_remove("GENFIC_TEST_PASSPHRASE").env("GENFIC_CA_PASSPHRASE_FROM", "prompt");
    Said::of(command.output().unwrap())
}

fn ensured(home: &Home, words: &str) -> Value {
    let words: Vec<&str> = words.split(' ').chain(["--ensure", "--json"]).collect();
    home.ca(&words).ok().json()
}

/// Checks that nothing is done, recorded or asked.
#[track_caller]
fn nothing_is_done(home: &Home, words: &str) -> Value {
    let before = home.result(&["audit", "show", "--last", "1"]);
    let said = without_passphrase(home, words).ok().json();
    assert_eq!((&said["ok"], &said["changed"]), (&Value::Bool(true), &Value::Bool(false)), "{words}: {said}");
    assert_eq!(home.result(&["audit", "show", "--last", "1"]), before, "{words}");
    said["result"].clone()
}

/// Checks that what is there is reported with exactly these differences, in JSON and as text.
#[track_caller]
fn differs(home: &Home, words: &str, points: &[&str]) -> Value {
    let said = without_passphrase(home, words);
    let json = said.json();
    assert_eq!((said.status, &json["error"]["code"]), (4, &Value::from("ensure.differs")), "{words}: {json}");
    assert_eq!((&json["ok"], &json["changed"]), (&Value::Bool(false), &Value::Bool(false)), "{words}");
    let differences = json["result"]["differences"].as_array().unwrap();
    let named: Vec<&str> = differences.iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(named, points, "{words}: {json}");
    let as_text: Vec<&str> = words.split(' ').chain(["--ensure", "--no-input"]).collect();
    let text = home.ca(&as_text).all();
    for one in differences {
        for part in ["what", "asked", "found"] {
            assert!(text.contains(one[part].as_str().unwrap()), "{part}: {text}");
        }
    }
    json["result"].clone()
}

fn certificates(home: &Home) -> usize {
    home.result(&["list"])["certificates"].as_array().unwrap().len()
}

#[test]
fn a_hierarchy_that_is_there_is_not_made_again_and_nobody_is_asked() {
    // G22
    let home = Home::new();
    let steps = [
        "create-root genfic -v 7300 --key p256",
        "create-child genfic-system -p genfic --profile system-ca --permit genfic.example --exclude x.genfic.example",
        "create-child genfic-user -p genfic",
    ];
    for words in steps {
        assert_eq!(ensured(&home, words)["changed"], true, "{words}");
    }
    let made = certificates(&home);
    for words in steps {
        let found = nothing_is_done(&home, words);
        let name = words.split(' ').nth(1).unwrap();
        let shown = home.result(&["show", name]);
        assert_eq!((&found["name"], &found["serial"]), (&Value::from(name), &shown["serial"]), "{words}");
        assert!(found["certificate"].as_str().is_some_and(|file| file.ends_with(&format!("{name}.pem"))));
    }
    // defaults are not compared: neither those of the configuration nor a validity that was staggered
    let config = fs::read_to_string(home.path("home/genfic-ca.toml")).unwrap();
    fs::write(home.path("home/genfic-ca.toml"), config.replace("Gentoo Fictional", "Genfic")).unwrap();
    for words in
        ["create-root genfic", "create-child genfic-system -p genfic", "create-child genfic-user -p genfic"]
    {
        nothing_is_done(&home, words);
    }
    assert_eq!(certificates(&home), made);
}

#[test]
fn every_difference_of_a_ca_is_named_and_nothing_is_changed() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let root = "create-root genfic --subject CN=Other --key p256 -v 100 --profile sub-ca --ocsp=true";
    differs(&home, root, &["profile", "subject", "key", "ocsp", "valid"]);
    let child = "create-child genfic-user -p genfic-system --profile system-ca --permit a.example --exclude b.example";
    let found = differs(&home, child, &["parent", "profile", "permit", "exclude"]);
    let parent = &found["differences"][0];
    assert_eq!((&parent["asked"], &parent["found"]), (&"genfic-system".into(), &"genfic".into()));
    differs(&home, "create-root genfic-user", &["parent"]);
    differs(&home, "create-child genfic -p genfic-user", &["parent"]);
    differs(&home, "create-child genfic -p nobody", &["parent"]);
    let refused = home.ca(&["audit", "show"]).ok().out;
    assert!(refused.contains("ensure.differs"), "{refused}");
    // without --ensure the name is taken, as before
    assert_eq!(home.ca(&["create-root", "genfic"]).status, 4);
}

#[test]
fn a_renewed_ca_is_as_it_was_asked_for_and_a_revoked_one_is_not() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-child", "mail-ca", "-p", "genfic", "--profile", "user-ca", "-v", "1000"]).ok();
    home.ca(&["renew-ca", "mail-ca", "-v", "1500"]).ok();
    home.ca(&["renew-ca", "genfic", "--rekey"]).ok();
    home.ca(&["renew-ca", "mail-ca", "--rekey", "--key", "p384"]).ok();
    for words in ["-v 1000", "-v 1500", "--key p256", "--key p384 --profile user-ca"] {
        nothing_is_done(&home, &format!("create-child mail-ca -p genfic {words}"));
    }
    differs(&home, "create-child mail-ca -p genfic -v 1200", &["valid"]);
    home.ca(&["revoke-ca", "genfic-user", "--yes"]).ok();
    differs(&home, "create-child genfic-user -p genfic", &["status"]);
}

#[test]
fn a_home_that_is_there_has_the_settings_that_are_asked_or_is_named() {
    // G22
    let home = Home::new();
    for words in ["init", "init --country BE --url http://pki.genfic.example"] {
        let said = without_passphrase(&home, words).ok().json();
        assert_eq!((&said["changed"], said["warnings"].to_string()), (&false.into(), "[]".into()), "{words}");
    }
    differs(&home, "init --org Other --country NL --url http://other.example", &["org", "country", "url"]);
}

#[test]
fn a_key_and_its_request_stay_and_what_is_missing_is_made_again() {
    // G22
    let home = Home::new();
    let words = "create-request a.genfic.example --san a.genfic.example --san b.genfic.example --key p384";
    assert_eq!(ensured(&home, words)["changed"], true);
    let contents = |ending: &str| fs::read(home.path(&format!("a.genfic.example.{ending}"))).unwrap();
    let (key, request) = (contents("key"), contents("req"));
    let found = without_passphrase(&home, words).ok().json();
    assert_eq!((&found["changed"], &found["result"]["algorithm"]), (&false.into(), &"p384".into()));
    without_passphrase(&home, "create-request a.genfic.example").ok();
    let other = "create-request a.genfic.example --san c.genfic.example --subject CN=c --key p256 --encrypt";
    differs(&home, other, &["encrypt", "key", "subject", "names"]);
    assert_eq!((contents("key"), contents("req")), (key.clone(), request));
    fs::remove_file(home.path("a.genfic.example.req")).unwrap();
    assert_eq!(ensured(&home, words)["changed"], true);
    assert_eq!(contents("key"), key);
    without_passphrase(&home, words).ok();
    fs::rename(home.path("a.genfic.example.key"), home.path("away")).unwrap();
    differs(&home, words, &["key"]);
    // of another key
    home.ca(&["create-request", "o"]).ok();
    fs::rename(home.path("o.key"), home.path("a.genfic.example.key")).unwrap();
    differs(&home, "create-request a.genfic.example", &["key"]);
}

#[test]
fn an_encrypted_key_is_not_opened_to_see_that_it_is_there() {
    // G22
    let home = Home::new();
    assert_eq!(ensured(&home, "create-request a.genfic.example --encrypt")["changed"], true);
    let found = without_passphrase(&home, "create-request a.genfic.example --encrypt --key p256").ok().json();
    assert_eq!(found["changed"], false);
    fs::remove_file(home.path("a.genfic.example.req")).unwrap();
    assert_eq!(without_passphrase(&home, "create-request a.genfic.example --encrypt").status, 9);
    assert_eq!(ensured(&home, "create-request a.genfic.example --encrypt")["changed"], true);
}

#[test]
fn a_request_is_signed_once_and_its_file_comes_back() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.genfic.example"]).ok();
    let words = "sign a.genfic.example.req -p genfic-system -o a.crt --chain";
    let first = ensured(&home, words);
    assert_eq!(
        (&first["changed"], &first["result"]["certificates"][0]["issued"]),
        (&true.into(), &true.into())
    );
    let made = certificates(&home);
    let found = nothing_is_done(&home, words);
    assert_eq!(found["certificates"][0]["serial"], first["result"]["certificates"][0]["serial"]);
    nothing_is_done(&home, &words.replace(" --chain", " --profile system --chain"));
    let saved = fs::read(home.path("a.crt")).unwrap();
    fs::remove_file(home.path("a.crt")).unwrap();
    let again = without_passphrase(&home, words).ok().json();
    assert_eq!(
        (&again["changed"], &again["result"]["certificates"][0]["issued"]),
        (&true.into(), &false.into())
    );
    assert_eq!(fs::read(home.path("a.crt")).unwrap(), saved);
    assert_eq!(certificates(&home), made);
    // the certificate before a renewal is replaced, and what is no certificate of this key is not
    home.ca(&["renew", "a.genfic.example"]).ok();
    assert_eq!(without_passphrase(&home, words).ok().json()["changed"], true);
    nothing_is_done(&home, words);
    fs::write(home.path("a.crt"), "something").unwrap();
    differs(&home, words, &["file"]);
    assert_eq!(fs::read_to_string(home.path("a.crt")).unwrap(), "something");
}

#[test]
fn a_certificate_that_is_not_as_asked_is_named_and_a_revoked_one_is_not_replaced() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.genfic.example", "--sign", "-p", "genfic-system", "-v", "60"]).ok();
    let words = "sign a.genfic.example.req -p genfic-system";
    nothing_is_done(&home, &format!("{words} -v 60"));
    let otherwise = "-v 90 --san b.genfic.example --contact a@genfic.example --profile system-client";
    let profiles = home.path("home/policy");
    let text = fs::read_to_string(profiles.join("system.toml")).unwrap();
    fs::write(profiles.join("system-client.toml"), text).unwrap();
    differs(&home, &format!("{words} {otherwise}"), &["profile", "names", "valid", "contact"]);
    home.ca(&["hold", "a.genfic.example"]).ok();
    differs(&home, words, &["status"]);
    home.ca(&["release", "a.genfic.example"]).ok();
    nothing_is_done(&home, words);
    home.ca(&["revoke", "a.genfic.example", "--reason", "cessation-of-operation"]).ok();
    let made = certificates(&home);
    differs(&home, words, &["status"]);
    assert_eq!(certificates(&home), made);
    // a person who means it
    home.ca(&words.split(' ').collect::<Vec<_>>()).ok();
    nothing_is_done(&home, words);
}

#[test]
fn of_several_requests_those_that_lack_a_certificate_get_one() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    fs::create_dir(home.path("out")).unwrap();
    for name in ["a", "b", "c"] {
        home.ca(&["create-request", &format!("{name}.genfic.example")]).ok();
    }
    ensured(&home, "sign a.genfic.example.req -p genfic-system -v 60 -o out");
    let all = "sign a.genfic.example.req b.genfic.example.req c.genfic.example.req -p genfic-system -o out";
    let said = ensured(&home, all);
    let issued: Vec<&Value> =
        said["result"]["certificates"].as_array().unwrap().iter().map(|one| &one["issued"]).collect();
    assert_eq!(issued, [&Value::Bool(false), &Value::Bool(true), &Value::Bool(true)], "{said}");
    assert_eq!(fs::read_dir(home.path("out")).unwrap().count(), 3);
    nothing_is_done(&home, all);
    let said = without_passphrase(&home, &format!("{all} -v 60"));
    let refused = said.json()["result"]["refused"].as_array().unwrap().len();
    assert_eq!((said.status, refused), (7, 2), "{}", said.all());
}

#[test]
fn create_request_with_sign_makes_what_is_missing_of_three_files() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let words = "create-request a.genfic.example --sign -p genfic-system -v 90";
    assert_eq!(ensured(&home, words)["changed"], true);
    nothing_is_done(&home, words);
    for ending in ["crt", "req"] {
        fs::remove_file(home.path(&format!("a.genfic.example.{ending}"))).unwrap();
        assert_eq!(without_passphrase(&home, words).ok().json()["changed"], true, "{ending}");
        nothing_is_done(&home, words);
    }
    differs(&home, &words.replace("-v 90", "-v 80"), &["valid"]);
}

#[test]
fn what_is_revoked_held_or_released_stays_so() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    nothing_is_done(&home, "release a.genfic.example");
    assert_eq!(ensured(&home, "hold a.genfic.example")["changed"], true);
    nothing_is_done(&home, "hold a.genfic.example");
    assert_eq!(ensured(&home, "release a.genfic.example")["changed"], true);
    assert_eq!(ensured(&home, "revoke a.genfic.example --reason superseded")["changed"], true);
    nothing_is_done(&home, "revoke a.genfic.example");
    nothing_is_done(&home, "revoke a.genfic.example --reason superseded");
    differs(&home, "revoke a.genfic.example --reason key-compromise", &["reason"]);
    differs(&home, "release a.genfic.example", &["status"]);
    differs(&home, "hold a.genfic.example", &["status"]);
    assert_eq!(without_passphrase(&home, "revoke b.genfic.example").status, 5);
    assert_eq!(ensured(&home, "revoke-ca genfic-user --reason superseded --yes")["changed"], true);
    nothing_is_done(&home, "revoke-ca genfic-user");
    differs(&home, "revoke-ca genfic-user --reason ca-compromise", &["reason"]);
}

#[test]
fn a_ca_below_others_waits_once_and_is_adopted_once() {
    // G22
    let home = Home::new();
    let above = Home::with_hierarchy("http://pki.above.example");
    let words = "create-child far --csr-only --profile system-ca --subject CN=Far";
    assert_eq!(ensured(&home, words)["changed"], true);
    nothing_is_done(&home, words);
    differs(
        &home,
        "create-child far --csr-only --profile user-ca --subject CN=Near",
        &["profile", "subject"],
    );
    differs(&home, "create-root far", &["certificate"]);
    let request = fs::read(home.path("far.req")).unwrap();
    fs::remove_file(home.path("far.req")).unwrap();
    assert_eq!(without_passphrase(&home, words).ok().json()["changed"], true);
    assert_eq!(fs::read(home.path("far.req")).unwrap(), request);
    fs::write(above.path("far.req"), request).unwrap();
    let sign =
        ["sign", "far.req", "-p", "genfic", "--profile", "system-ca", "--chain=with-root", "-o", "far.pem"];
    above.ca(&sign).ok();
    fs::copy(above.path("far.pem"), home.path("far.pem")).unwrap();
    assert_eq!(ensured(&home, "adopt far far.pem")["changed"], true);
    nothing_is_done(&home, "adopt far far.pem");
    differs(&home, "adopt far far.pem --profile user-ca", &["profile"]);
    nothing_is_done(&home, words);
}

#[test]
fn a_ca_is_certified_by_another_once() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-root", "other"]).ok();
    let words = "cross-sign genfic-system -p other --permit genfic.example -o cross.pem";
    assert_eq!(ensured(&home, words)["changed"], true);
    nothing_is_done(&home, words);
    fs::remove_file(home.path("cross.pem")).unwrap();
    assert_eq!(without_passphrase(&home, words).ok().json()["changed"], true);
    differs(
        &home,
        "cross-sign genfic-system -p other --permit other.example -v 10 --path-length 3",
        &["valid", "permit", "path_length"],
    );
    home.ca(&["renew-ca", "genfic", "--rekey", "--no-links"]).ok();
    assert_eq!(ensured(&home, "cross-sign genfic-g2 -p genfic")["changed"], true);
    nothing_is_done(&home, "cross-sign genfic-g2 -p genfic");
}

#[test]
fn a_dry_run_says_whether_something_would_be_done() {
    // G22
    let home = Home::new();
    let would = |words: &str, expected: bool| {
        let said = without_passphrase(&home, &format!("{words} --dry-run")).ok().json();
        let result = &said["result"];
        assert_eq!((&said["changed"], &result["dry_run"]), (&false.into(), &true.into()), "{words}: {said}");
        assert_eq!(result["would_change"], expected, "{words}: {said}");
    };
    let steps = [
        "create-root genfic",
        "create-child genfic-system -p genfic",
        "create-request a.genfic.example",
        "create-request b.genfic.example --sign -p genfic-system",
        "sign a.genfic.example.req -p genfic-system -o a.crt",
    ];
    would("init", false);
    would("create-child genfic-system -p genfic", true);
    would("create-request b.genfic.example --sign -p genfic-system", true);
    for words in steps {
        would(words, true);
        ensured(&home, words);
        would(words, false);
    }
    fs::remove_file(home.path("a.crt")).unwrap();
    would(steps[4], true);
    assert!(!home.path("a.crt").exists());
    let nowhere = home.path("nowhere").display().to_string();
    for words in ["init", "create-root genfic", "create-child a -p genfic"] {
        would(&format!("--home {nowhere} {words}"), true);
        assert!(!home.path("nowhere").exists(), "{words}");
    }
    assert_eq!(home.ca(&["create-root", "x", "--dry-run"]).status, 2);
}

#[test]
fn many_at_once_make_one() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.genfic.example"]).ok();
    let before = certificates(&home);
    for (words, more) in [
        ("sign a.genfic.example.req -p genfic-system", 1),
        // with the certificate of its responder
        ("create-child genfic-mail -p genfic --profile system-ca", 2),
        ("create-request c.genfic.example --sign -p genfic-system", 1),
    ] {
        let before = certificates(&home);
        let words: Vec<&str> = words.split(' ').chain(["--ensure", "--json"]).collect();
        let children: Vec<_> = (0..6)
            .map(|_| home.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let said: Vec<Said> =
            children.into_iter().map(|child| Said::of(child.wait_with_output().unwrap())).collect();
        let changed = said.iter().filter(|said| said.json()["changed"] == true).count();
        for one in &said {
            assert_eq!(one.status, 0, "{words:?}: {}", one.all());
        }
        assert!((1..=2).contains(&changed), "{words:?}: {changed}");
        assert_eq!(certificates(&home), before + more, "{words:?}");
    }
    assert_eq!(certificates(&home), before + 4);
    assert!(!PASSPHRASE.is_empty());
}
