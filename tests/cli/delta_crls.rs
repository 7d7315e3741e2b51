//! Delta CRLs: what is said of them, and where they are.
use crate::support::Home;
use serde_json::{Value, json};
use std::fs;

const CA: &str = "genfic-system";

/// A home of which this CA is to have delta CRLs, without one.
fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let file = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[authority.{CA}]\ndelta_crl_next_update = \"1d\"\n")).unwrap();
    home
}

/// The codes of what `doctor` and `status` find, which are the same here.
fn found(home: &Home) -> Vec<String> {
    let list = |words: &[&str], field: &str| -> Vec<String> {
        let said = home.ca(words);
        assert!([0, 12].contains(&said.status), "{}", said.all());
        let found = said.json()["result"][field].as_array().unwrap().clone();
        let serious = found.iter().filter(|one: &&Value| one["severity"] != "note");
        serious.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    };
    let (doctor, due) = (list(&["doctor", "--json"], "findings"), list(&["status", "--json"], "due"));
    assert_eq!(doctor, due);
    doctor
}

#[test]
fn a_delta_crl_that_is_not_there_is_due_and_made_with_the_next_crl() {
    // C5, C8
    let home = home();
    assert_eq!(found(&home), ["crl.delta-due"]);
    let made = home.ca(&["crl", "publish", "--due", "--json"]).ok().json()["result"]["crls"].clone();
    assert_eq!(made.as_array().unwrap().len(), 1, "{made}");
    let delta = &made[0]["delta"];
    assert_eq!((&delta["base"], &delta["entries"]), (&json!(1), &json!(0)), "{made}");
    let endings: Vec<bool> = [".delta.crl", ".delta.crl.pem"]
        .iter()
        .zip(delta["files"].as_array().unwrap())
        .map(|(ending, file)| file.as_str().unwrap().ends_with(&format!("public/{CA}{ending}")))
        .collect();
    assert_eq!(endings, [true, true], "{made}");
    assert_eq!(found(&home), Vec::<String>::new());
    for damage in
        ["rm home/public/genfic-system.delta.crl", "echo x > home/public/genfic-system.delta.crl.pem"]
    {
        home.shell(damage).ok();
        assert_eq!(found(&home), ["crl.delta-due"], "{damage}");
        home.ca(&["doctor", "--fix"]).ok();
        assert_eq!(found(&home), Vec::<String>::new(), "{damage}");
    }
    home.shell("mkdir web; genfic-ca crl publish genfic-system --to web").ok();
    home.shell("cmp web/genfic-system.delta.crl home/public/genfic-system.delta.crl").ok();
}

#[test]
fn a_ca_is_not_named_as_the_delta_crls_of_another() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let said = home.ca(&["create-child", "genfic.delta", "-p", "genfic", "--profile", "system-ca"]);
    assert!(said.status == 2 && said.err.contains(".delta"), "{}", said.all());
}

#[test]
fn a_delta_crl_is_not_taken_for_the_crl_of_a_ca() {
    // C5
    let home = home();
    home.ca(&["crl", "publish", CA]).ok();
    home.shell("cp home/public/genfic-system.delta.crl delta.crl").ok();
    assert_ne!(home.ca(&["crl", "import", CA, "delta.crl"]).status, 0);
    let said = home.ca(&["crl", "show", "delta.crl"]).ok();
    assert!(said.out.contains("Delta CRL"), "{}", said.all());
    assert_eq!(home.ca(&["crl", "check", "delta.crl"]).ok().err, "");
}
