//! What `revoke-ca` says is to be done, and the list that is worked off afterwards.
use crate::refused;
use crate::support::{Home, Said};
use std::fs;

fn run_book(home: &Home, words: &[&str]) -> String {
    let result = home.result(&[&["revoke-ca", "--yes"], words].concat());
    let steps = result["run_book"].as_array().unwrap();
    steps.iter().map(|step| format!("{}\n", step.as_str().unwrap())).collect()
}

#[test]
fn a_run_book_names_each_family_once_and_no_step_that_would_do_something_else() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let first = run_book(&home.copied(), &["genfic-user", "--reason", "ca-compromise"]);
    assert!(
        first.contains("make a new key, if the CA is to go on: genfic-ca renew-ca genfic-user --rekey"),
        "{first}"
    );
    home.ca(&["renew-ca", "genfic-user", "--rekey"]).ok();
    let user = run_book(&home, &["genfic-user", "--reason", "ca-compromise"]);
    assert!(!user.contains("--rekey"), "it would make a third: {user}");
    assert!(user.contains("new certificates come from genfic-user-g2"), "{user}");

    let asked = home.ca(&["revoke-ca", "genfic"]);
    assert_eq!(asked.status, 9, "{}", asked.all());
    assert!(asked.err.contains("with genfic fall 2 CAs below it"), "{}", asked.err);
    let rows: Vec<&str> = asked.err.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(rows.contains(&"genfic-user-g2") && rows.contains(&"genfic-system"), "{}", asked.err);
    assert!(!rows.contains(&"genfic-user"), "it has fallen before: {}", asked.err);
    let root = run_book(&home, &["genfic"]);
    assert_eq!(root.matches("genfic-user").count(), 2, "one step, a name and a command: {root}");
    assert!(root.lines().any(|step| step.ends_with("genfic-ca renew-ca genfic-user-g2")), "{root}");
    assert!(root.lines().any(|step| step.ends_with("genfic-ca renew-ca genfic-system")), "{root}");
    assert!(root.contains("genfic-ca renew-ca genfic --rekey"), "{root}");
}

#[test]
fn a_family_whose_newest_generation_stands_elsewhere_is_not_brought_anywhere() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["renew-ca", "genfic", "--rekey"]).ok();
    home.ca(&["renew-ca", "genfic-user", "--rekey"]).ok();
    let root = run_book(&home, &["genfic"]);
    assert!(!root.contains("renew-ca genfic-user"), "{root}");
    assert!(root.contains("genfic-ca renew-ca genfic-system"), "{root}");
    assert!(!root.contains("--rekey"), "{root}");
    assert!(root.contains("new certificates come from genfic-g2"), "{root}");
}

#[test]
fn a_family_whose_newest_generation_is_revoked_is_given_another_key() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["renew-ca", "genfic-user", "--rekey"]).ok();
    let newest = run_book(&home, &["genfic-user-g2"]);
    assert!(
        newest.contains("genfic-ca renew-ca genfic-user-g2 --rekey"),
        "the older one is no newer: {newest}"
    );
    let root = run_book(&home, &["genfic"]);
    assert_eq!(root.matches("renew-ca genfic-user").count(), 1, "{root}");
    let step = root.lines().find(|step| step.ends_with("genfic-ca renew-ca genfic-user-g2 --rekey"));
    home.ca(&["renew-ca", "genfic", "--rekey"]).ok();
    home.shell(step.unwrap().rsplit_once(": ").unwrap().1).ok();
    let authorities = home.result(&["authorities"])["authorities"].as_array().unwrap().clone();
    let made = authorities.iter().find(|one| one["name"] == "genfic-user-g3").unwrap();
    assert_eq!((made["parent"].as_str(), made["status"].as_str()), (Some("genfic-g2"), Some("valid")));
}

#[test]
fn after_a_rollover_the_crls_of_both_generations_are_named() {
    // C1, G10
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["renew-ca", "genfic", "--rekey"]).ok();
    home.ca(&["renew-ca", "genfic-user"]).ok();
    let other = home.copied();
    let text = home.ca(&["revoke-ca", "genfic-user", "--yes"]).ok().out;
    for name in ["genfic", "genfic-g2"] {
        assert!(text.contains(&format!("listed on the CRL of {name}, number ")), "{text}");
    }
    let step = text.lines().find(|line| line.contains("copy the new CRLs of genfic and genfic-g2")).unwrap();
    assert!(step.ends_with("wherever they are served: public/genfic.crl, public/genfic-g2.crl"), "{text}");
    let result = other.result(&["revoke-ca", "genfic-user", "--yes"]);
    let names: Vec<&str> =
        result["crls"].as_array().unwrap().iter().map(|crl| crl["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["genfic", "genfic-g2"], "{result}");
    let root = home.ca(&["revoke-ca", "genfic", "--yes"]).ok().out;
    let step = root.lines().find(|line| line.contains("copy the new CRLs of ")).unwrap();
    assert!(step.contains("public/genfic.crl, public/genfic-g2.crl"), "its own list and the link's: {root}");
}

#[test]
fn the_step_about_lists_says_what_answers_and_what_is_owed() {
    // C1, G10
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let answered = home.copied();
    answered.ca(&["ocsp", "enable", "genfic"]).ok();
    let wrong = home.copied();
    let first = |book: String| book.lines().next().unwrap().to_owned();
    assert_eq!(
        first(run_book(&home, &["genfic-user"])),
        "copy the new CRL of genfic to wherever it is served: public/genfic.crl",
        "no responder answers for a root"
    );
    let told = first(run_book(&answered, &["genfic-user"]));
    assert!(told.ends_with("public/genfic.crl; OCSP answers already"), "{told}");
    let mut command = wrong.command(&["revoke-ca", "genfic-user", "--yes"]);
    let said = Said::of(command.env("GENFIC_TEST_PASSPHRASE", "another phrase altogether").output().unwrap());
    assert_eq!(said.status, 8, "{}", said.all());
    let step = said.out.lines().find(|line| line.starts_with("  1. ")).unwrap();
    assert_eq!(
        step,
        "  1. make the CRL of genfic, which could not be signed: genfic-ca crl publish genfic; then copy it to wherever \
         it is served: public/genfic.crl"
    );
}

fn person(home: &Home, name: &str) {
    let (subject, san) = (format!("C=BE,CN={name}"), format!("email:{name}@genfic.example"));
    home.ca(&["create-request", name, "--subject", &subject, "--san", &san, "--sign", "-p", "genfic-user"])
        .ok();
}

fn below_revoked(home: &Home) -> Vec<String> {
    let list = home.result(&["list", "--below-revoked"]);
    let all = list["certificates"].as_array().unwrap();
    assert!(all.iter().all(|one| one["issuer_revoked"] == true && one["status"] == "valid"), "{list}");
    all.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_fell_with_a_ca_is_listed_until_each_is_replaced_or_revoked() {
    // G10, G22, X11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["amber", "basil", "clove"] {
        person(&home, name);
    }
    home.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    assert_eq!(below_revoked(&home), [""; 0]);
    home.ca(&["revoke", "clove"]).ok();
    home.ca(&["revoke-ca", "genfic-user", "--reason", "ca-compromise", "--yes"]).ok();
    assert_eq!(below_revoked(&home), ["C=BE, CN=amber", "C=BE, CN=basil"], "no responder, no other CA's");

    // nothing below a revoked CA is listed as if it stood
    let text = home.ca(&["list", "-p", "genfic-user", "--status", "valid"]).ok().out;
    assert_eq!(text.lines().filter(|line| line.contains("issuer-revoked")).count(), 3, "{text}");
    let csv = home.ca(&["list", "--csv"]).ok().out;
    // columns that came later stand behind it
    let issuer_revoked = |line: &str| line.rsplit(',').nth(2).unwrap().to_owned();
    assert_eq!(issuer_revoked(csv.lines().next().unwrap()), "issuer_revoked", "{csv}");
    let marked = |word: &str, told: &str| {
        let line = csv.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}: {csv}"));
        assert_eq!(issuer_revoked(line), told, "{line}");
    };
    marked("CN=amber", "true");
    marked("CN=w.example", "false");
    let lines = home.ca(&["list", "--jsonl", "--subject", "*w.example*"]).ok().out;
    assert!(lines.contains(r#""issuer_revoked":false"#), "{lines}");

    // worked off
    home.ca(&["renew-ca", "genfic-user", "--rekey"]).ok();
    assert_eq!(below_revoked(&home).len(), 2, "a new CA replaces nobody's certificate");
    fs::create_dir(home.path("again")).unwrap();
    home.ca(&["rekey", "amber@genfic.example", "--dir", "again"]).ok();
    assert_eq!(below_revoked(&home), ["C=BE, CN=basil"]);
    home.ca(&["revoke", "basil"]).ok();
    assert_eq!(below_revoked(&home), [""; 0]);
    let none = home.ca(&["list", "--below-revoked"]).ok();
    assert_eq!(none.out.trim(), "no certificate matches");
    refused(&home.ca(&["list", "--below-revoked", "--status", "revoked"]), 2, "usage");

    // what replaced it falls too
    home.ca(&["revoke-ca", "genfic-user-g2", "--reason", "ca-compromise", "--yes"]).ok();
    assert_eq!(below_revoked(&home), ["C=BE, CN=amber", "C=BE, CN=amber"]);
}

#[test]
fn what_fell_with_a_root_stands_again_below_the_next() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["revoke-ca", "genfic", "--yes"]).ok();
    assert_eq!(below_revoked(&home), ["CN=w.example"]);
    home.ca(&["renew-ca", "genfic", "--rekey"]).ok();
    home.ca(&["renew-ca", "genfic-system"]).ok();
    assert_eq!(below_revoked(&home), [""; 0]);
}

#[test]
fn the_certificate_of_a_ca_that_others_run_is_found_by_its_name() {
    // G6
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let nothing = home.ca(&["revoke-ca", "genfic-mail", "--yes"]);
    refused(&nothing, 5, "authority.not-found");
    assert!(!nothing.err.contains("genfic-ca revoke genfic/"), "{}", nothing.err);
    let away = Home::at_url("http://pki.genfic.example");
    away.ca(&["create-child", "genfic-mail", "--csr-only", "--profile", "user-ca"]).ok();
    fs::copy(away.path("genfic-mail.req"), home.path("genfic-mail.req")).unwrap();
    home.ca(&["sign", "genfic-mail.req", "-p", "genfic", "--profile", "user-ca"]).ok();
    let said = home.ca(&["revoke-ca", "genfic-mail", "--yes"]);
    refused(&said, 5, "authority.not-found");
    let command = said.err.split('`').find(|word| word.starts_with("genfic-ca revoke genfic/"));
    let command = command.unwrap_or_else(|| panic!("{}", said.err));
    home.shell(&format!("{command} --yes")).ok();
    let revoked = home.result(&["list", "--status", "revoked"]);
    assert!(revoked["certificates"][0]["subject"].as_str().unwrap().contains("CN=genfic-mail"), "{revoked}");
}
