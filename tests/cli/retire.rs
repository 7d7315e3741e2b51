//! `retire`: a CA that was made by mistake asks for nothing more, and its name is free.
use crate::refused;
use crate::support::Home;
use serde_json::Value;
use std::fs;

const URL: &str = "http://pki.genfic.example";

fn names(home: &Home, words: &[&str]) -> Vec<String> {
    let result = home.result(words);
    let all = result["authorities"].as_array().unwrap();
    all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// What is due for CAs at a time that many days ahead, when every CRL and responder certificate has lapsed.
fn due(home: &Home, name: &str) -> Vec<Value> {
    let said = home.shell("faketime -f +40d genfic-ca status --json");
    let due = said.json()["result"]["due"].as_array().unwrap().clone();
    due.into_iter().filter(|one| one["object"].as_str().unwrap().starts_with(name)).collect()
}

#[test]
fn of_a_ca_that_was_retired_nothing_is_due_and_its_name_is_free() {
    // C8, G10
    let home = Home::with_hierarchy(URL);
    home.ca(&["create-child", "oops-system", "-p", "genfic"]).ok();
    assert_ne!(due(&home, "oops"), Vec::<Value>::new());
    let first = home.result(&["show", "oops-system"])["serial"].clone();
    let crl = fs::read(home.path("home/public/oops-system.crl")).unwrap();
    let retired = home.result(&["retire", "oops-system"]);
    assert_eq!(
        (&retired["record"], &retired["name_free"]),
        (&"oops-system-retired".into(), &true.into()),
        "{retired}"
    );

    assert_eq!(due(&home, "oops"), Vec::<Value>::new());
    assert_eq!(names(&home, &["authorities"]), ["genfic", "genfic-system", "genfic-user"]);
    assert!(names(&home, &["authorities", "--all"]).contains(&"oops-system-retired".to_owned()));
    assert_eq!(names(&home, &["status"]).len(), 3);
    assert_eq!(names(&home, &["status", "--all"]).len(), 4);
    assert_eq!(names(&home, &["calendar"]).len(), 3);
    for words in [&["doctor"][..], &["doctor", "--deep"], &["crl", "publish", "--all"], &["audit", "verify"]]
    {
        home.ca(words).ok();
    }
    assert!(
        !home.path("home/public/oops-system.crl").exists()
            && !home.path("home/keys/oops-system.age").exists()
    );
    assert!(!home.path("home/ocsp/oops-system-retired/responder.key").exists(), "it could answer on");
    for words in [
        &["create-request", "w.example", "--sign", "-p", "oops-system-retired"][..],
        &["renew-ca", "oops-system-retired"],
        &["ocsp", "enable", "oops-system-retired"],
        &["ocsp", "responder", "oops-system-retired"],
    ] {
        refused(&home.ca(words), 7, "issuer.unfit");
    }
    let gone = home.ca(&["crl", "publish", "oops-system"]);
    assert!(gone.status == 5 && gone.err.contains("on record as oops-system-retired"), "{}", gone.all());

    // another of the name, by the same subject
    home.ca(&["create-child", "oops-system", "-p", "genfic"]).ok();
    assert_ne!(home.result(&["show", "oops-system"])["serial"], first);
    assert_eq!(home.result(&["show", "oops-system-retired"])["serial"], first);
    assert_eq!(
        fs::read(home.path("home/public/oops-system-retired.crl")).unwrap(),
        crl,
        "nobody overwrote it"
    );
    home.ca(&["create-request", "w.example", "--sign", "-p", "oops-system", "-v", "30"]).ok();
    home.ca(&["doctor", "--deep"]).ok();
    let second = home.ca(&["retire", "oops-system", "--json", "--no-input"]);
    assert_eq!(second.status, 9, "w.example remains valid: {}", second.all());
    home.ca(&["revoke", "w.example"]).ok();
    home.ca(&["revoke-ca", "oops-system", "--yes"]).ok();
    let later = home.copied();
    let kept = home.result(&["retire", "oops-system"]);
    assert_eq!(kept["record"], "oops-system", "w.example names its CRL: {kept}");
    let freed = later.shell("faketime -f +31d genfic-ca retire oops-system --json").json();
    assert_eq!(freed["result"]["record"], "oops-system-retired-2", "{freed}");
    home.ca(&["doctor", "--deep"]).ok();
    let audit = home.result(&["audit", "show"]);
    let retirements = audit["records"].as_array().unwrap().iter();
    assert_eq!(retirements.filter(|one| one["action"] == "authority.retired").count(), 2, "{audit}");

    home.ca(&["backup", "create", "b.age", "--with-keys"]).ok();
    home.ca(&["backup", "restore", "b.age", "--home", "again"]).ok();
    let restored = home.shell("genfic-ca --home again authorities --all --json").json();
    let all = restored["result"]["authorities"].as_array().unwrap().clone();
    assert_eq!(all.iter().filter(|one| !one["retired"].is_null()).count(), 2, "{restored}");
}

#[test]
fn with_what_remains_valid_a_ca_is_retired_by_a_yes_and_keeps_its_urls() {
    // C7, C8, G10
    let home = Home::with_hierarchy(URL);
    let issued = home.result(&["create-request", "w.example", "--sign", "-p", "genfic-system", "-v", "90"]);
    let end = issued["certificates"][0]["not_after"].clone();
    let asked = home.ca(&["retire", "genfic-system"]);
    refused(&asked, 9, "input.confirmation");
    assert!(asked.err.contains("1 certificate of genfic-system will still be valid"), "{}", asked.err);
    let retired = home.result(&["retire", "genfic-system", "--yes"]);
    assert_eq!((&retired["name_free"], &retired["name_free_after"]), (&false.into(), &end), "{retired}");
    assert_eq!((&retired["record"], &retired["last_crl_until"]), (&"genfic-system".into(), &end));
    let crl = home.result(&["crl", "show", "genfic-system"]);
    assert_eq!(crl["next_update"], end, "a last CRL for what remains");
    assert_eq!(due(&home, "genfic-system"), Vec::<Value>::new());

    let taken = home.ca(&["create-child", "genfic-system", "-p", "genfic"]);
    refused(&taken, 4, "authority.exists");
    let why = format!("until {} certificates name genfic-system.crl", end.as_str().unwrap());
    assert!(taken.err.contains(&why) && taken.err.contains("choose another name"), "{}", taken.err);
    refused(&home.ca(&["retire", "genfic-system"]), 4, "authority.retired");
    let later = home.shell("faketime -f +91d genfic-ca retire genfic-system --json");
    assert_eq!(later.json()["result"]["record"], "genfic-system-retired", "{}", later.all());
}

#[test]
fn a_ca_above_others_and_one_of_others_are_not_retired() {
    let home = Home::with_hierarchy(URL);
    refused(&home.ca(&["retire", "genfic", "--yes"]), 7, "authority.above-others");
    refused(&home.ca(&["retire", "nobody", "--yes"]), 5, "authority.not-found");
}

#[test]
fn a_new_key_that_was_a_mistake_leaves_the_one_before_it_in_use() {
    // X11
    let home = Home::with_hierarchy(URL);
    home.ca(&["renew-ca", "genfic-user", "--rekey"]).ok();
    home.ca(&["retire", "genfic-user-g2"]).ok();
    let person =
        ["create-request", "amber", "--subject", "C=BE,CN=amber", "--san", "email:a@b.example", "--sign"];
    let issued = home.result(&[&person[..], &["-p", "genfic-user"]].concat());
    assert_eq!(issued["certificates"][0]["issuer"], "genfic-user");
    assert_eq!(home.ca(&["status"]).ok().err, "");
    home.ca(&["renew-ca", "genfic-user", "--rekey"]).ok();
    assert!(names(&home, &["authorities"]).contains(&"genfic-user-g2".to_owned()));
    home.ca(&["doctor"]).ok();
}

/// Retires `genfic-system`, of which one certificate that ends in 90 days was revoked; returns that end.
fn retired_with_a_revoked_one(home: &Home) -> Value {
    let issued = home.result(&["create-request", "a.example", "--sign", "-p", "genfic-system", "-v", "90"]);
    home.ca(&["revoke", "a.example", "--reason", "key-compromise"]).ok();
    let asked = home.ca(&["retire", "genfic-system", "--no-input"]);
    refused(&asked, 9, "input.confirmation");
    assert!(asked.err.contains("1 revoked certificate of genfic-system"), "{}", asked.err);
    let retired = home.result(&["retire", "genfic-system", "--yes"]);
    assert_eq!(
        (&retired["revoked"], &retired["revoked_end"]),
        (&1.into(), &issued["certificates"][0]["not_after"])
    );
    issued["certificates"][0]["not_after"].clone()
}

fn crl_end(home: &Home) -> Value {
    home.result(&["crl", "show", "genfic-system"])["next_update"].clone()
}

#[test]
fn the_last_crl_lasts_as_long_as_what_it_revokes_and_no_later_one_is_shorter() {
    // C3, C7, C8
    let home = Home::with_hierarchy(URL);
    home.ca(&["create-request", "b.example", "--sign", "-p", "genfic-system", "-v", "60"]).ok();
    let end = retired_with_a_revoked_one(&home);
    assert_eq!(crl_end(&home), end);
    home.ca(&["revoke", "b.example"]).ok();
    assert_eq!(crl_end(&home), end, "after a revocation");
    home.ca(&["crl", "publish", "genfic-system"]).ok();
    assert_eq!(crl_end(&home), end, "published again");
    let crl = home.result(&["crl", "show", "genfic-system"]);
    assert_eq!(crl["entries"].as_array().unwrap().len(), 2, "{crl}");
}

#[test]
fn a_revoked_root_keeps_its_files_while_unexpired_certificates_name_them() {
    // C7, C8, G10
    let home = Home::with_hierarchy(URL);
    let issued = home.result(&["create-root", "other"]);
    assert!(issued["name"] == "other", "{issued}");
    home.ca(&["create-child", "other-system", "-p", "other"]).ok();
    home.ca(&["revoke-ca", "other-system", "--yes"]).ok();
    home.ca(&["revoke-ca", "other", "--yes"]).ok();
    let end = home.result(&["show", "other-system"])["not_after"].clone();
    let retired = home.result(&["retire", "other"]);
    assert_eq!((&retired["record"], &retired["name_free"]), (&"other".into(), &false.into()), "{retired}");
    assert_eq!((&retired["name_free_after"], &retired["last_crl_until"]), (&end, &end), "{retired}");
    assert!(home.path("home/public/other.crl").exists() && home.path("home/public/other.crt").exists());
}

#[test]
fn a_retired_ca_is_not_there_as_asked_and_is_retired_once() {
    // G22
    let home = Home::with_hierarchy(URL);
    let end = retired_with_a_revoked_one(&home);
    assert_eq!(crl_end(&home), end, "nothing but what is revoked");
    let asked = home.ca(&["create-child", "genfic-system", "-p", "genfic", "--ensure"]);
    assert!(asked.status == 4 && asked.err.contains("retired since"), "{}", asked.all());
    let again = home.ca(&["retire", "genfic-system", "--ensure", "--json"]).ok().json();
    assert_eq!((&again["changed"], &again["result"]["name_free"]), (&false.into(), &false.into()), "{again}");
    let first = home.ca(&["retire", "genfic-user", "--ensure", "--json"]).ok().json();
    let again = home.ca(&["retire", "genfic-user", "--ensure", "--json"]).ok().json();
    assert_eq!((&first["changed"], &again["changed"]), (&true.into(), &false.into()), "{again}");
    assert_eq!(again["result"]["record"], "genfic-user-retired", "{again}");
}

#[test]
fn status_lists_responders_of_the_cas_it_shows_and_only_what_the_table_does_not_say() {
    // G10
    let home = Home::with_hierarchy(URL);
    home.ca(&["create-child", "oops-system", "-p", "genfic"]).ok();
    assert!(!home.ca(&["status"]).ok().out.contains("responder certificate"));
    for name in ["oops-system", "genfic-system"] {
        home.ca(&["ocsp", "responder", name]).ok();
    }
    home.ca(&["retire", "oops-system"]).ok();
    let status = home.ca(&["status"]).ok().out;
    assert!(status.contains("  genfic-system: 2 responder certificates\n"), "{status}");
    assert!(!status.contains("oops"), "{status}");
    let listed = status.split("responders\n").nth(1).unwrap();
    assert!(listed.lines().all(|line| line.chars().count() <= 80), "{listed}");
    assert!(
        home.ca(&["status", "--all"]).ok().out.contains("  oops-system-retired: 2 responder certificates\n")
    );
}

#[test]
fn a_name_is_free_again_wherever_the_signer_is_killed_while_it_renames_the_key() {
    // K3, G10
    let home = Home::with_hierarchy(URL);
    let places = [
        "signer: renaming noted",
        "signer: envelope has its new name",
        "signer: certificates have their new name",
        "signer: former envelope removed",
        "key: moved",
    ];
    for (number, place) in places.iter().enumerate() {
        home.ca(&["create-child", "oops-system", "-p", "genfic"]).ok();
        let said = home.shell(&format!("GENFIC_SIGNER_FAILPOINT='{place}' genfic-ca retire oops-system"));
        assert_ne!(said.status, 0, "not killed at {place}: {}", said.all());
        home.ca(&["crl", "publish", "--all"]).ok();
        let retired = match number {
            0 => "oops-system-retired".to_owned(),
            number => format!("oops-system-retired-{}", number + 1),
        };
        let mut files: Vec<String> = fs::read_dir(home.path("home/keys"))
            .unwrap()
            .map(|one| one.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.starts_with("oops-system.") || file.starts_with(&format!("{retired}.")))
            .collect();
        files.sort();
        let expected = ["age", "envelope.toml", "mark", "pem"].map(|ending| format!("{retired}.{ending}"));
        assert_eq!(files, expected, "{place}");
    }
    home.ca(&["doctor"]).ok();
    home.ca(&["audit", "verify"]).ok();
}
