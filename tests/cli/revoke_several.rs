//! `revoke`, `hold` and `release` of several certificates at once.
use crate::refused;
use crate::support::Home;
use serde_json::Value;
use std::fs::{self, File};

fn with_hosts(hosts: &[&str]) -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for host in hosts {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    }
    home
}

fn number(home: &Home, ca: &str) -> u64 {
    home.result(&["crl", "show", ca])["number"].as_u64().unwrap()
}

fn statuses(home: &Home) -> Vec<(String, String)> {
    let listed = home.result(&["list", "-p", "genfic-system", "--profile", "system"]);
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let mut all: Vec<_> = listed["certificates"].as_array().unwrap().iter().collect();
    all.sort_by_key(|one| one["subject"].as_str().unwrap().to_owned());
    all.into_iter().map(|one| (text(one, "subject"), text(one, "status"))).collect()
}

fn expected(hosts: &[(&str, &str)]) -> Vec<(String, String)> {
    hosts.iter().map(|(host, status)| (format!("CN={host}"), (*status).to_owned())).collect()
}

#[test]
fn a_list_is_revoked_with_one_crl_of_each_ca_and_the_rest_is_told() {
    // G11, C1
    let home = with_hosts(&["a.example", "b.example", "c.example"]);
    let person =
        ["create-request", "amber", "--subject", "CN=Amber McStone", "--san", "email:a@genfic.example"];
    home.ca(&[&person[..], &["--sign", "-p", "genfic-user"]].concat()).ok();
    home.ca(&["renew", "c.example"]).ok();
    let list = "# they left\n\na.example\nb.example\nAmber McStone\nnobody.example\nc.example\ngenfic-user\na.example\n";
    fs::write(home.path("gone"), list).unwrap();
    let before = (number(&home, "genfic-system"), number(&home, "genfic-user"));
    let said = home.ca(&["revoke", "--file", "gone", "--reason", "cessation-of-operation", "--json"]);
    assert_eq!(said.status, 7, "{}", said.all());
    let object = said.json();
    let result = &object["result"];
    assert_eq!((&object["changed"], &object["ok"]), (&true.into(), &false.into()), "{object}");
    assert_eq!(result["certificates"].as_array().unwrap().len(), 3, "{object}");
    assert_eq!(result["certificates"][0]["reason"], "cessation-of-operation");
    let refused: Vec<_> = result["refused"].as_array().unwrap().iter().map(|one| &one["file"]).collect();
    assert_eq!(refused, ["nobody.example", "c.example", "genfic-user"], "{object}");
    assert_eq!(result["refused"][1]["code"], "certificate.ambiguous");
    assert_eq!(result["crls"].as_array().unwrap().len(), 2, "{object}");
    assert_eq!((number(&home, "genfic-system"), number(&home, "genfic-user")), (before.0 + 1, before.1 + 1));

    // what was done is not done again, and is no failure
    fs::write(home.path("gone"), "a.example\nb.example\n").unwrap();
    let again = home.ca(&["revoke", "--file", "gone", "--json"]).ok().json();
    assert_eq!(again["changed"], false, "{again}");
    assert_eq!(again["result"]["unchanged"].as_array().unwrap().len(), 2, "{again}");
    assert_eq!(number(&home, "genfic-system"), before.0 + 1);
    let audit = home.result(&["audit", "show", "--action", "certificate.revoked"]);
    assert_eq!(audit["records"].as_array().unwrap().len(), 3, "{audit}");
}

#[test]
fn a_list_is_held_and_released_and_read_as_list_prints_it() {
    // G11
    let home = with_hosts(&["a.example", "b.example", "c.example"]);
    let csv = home.ca(&["list", "--subject", "*[ab].example", "--csv"]).ok().out;
    fs::write(home.path("none.csv"), &csv).unwrap();
    let csv = home.ca(&["list", "-p", "genfic-system", "--profile", "system", "--csv"]).ok().out;
    fs::write(home.path("all.csv"), &csv).unwrap();
    let before = number(&home, "genfic-system");
    let mut command = home.command(&["hold", "--file", "-", "--json"]);
    let held = command.stdin(File::open(home.path("all.csv")).unwrap()).output().unwrap();
    assert!(held.status.success(), "{}", String::from_utf8_lossy(&held.stdout));
    assert_eq!(number(&home, "genfic-system"), before + 1);
    assert_eq!(
        statuses(&home),
        expected(&[("a.example", "held"), ("b.example", "held"), ("c.example", "held")])
    );
    let said = home.ca(&["release", "--file", "all.csv"]).ok();
    assert!(said.out.contains("3 certificates released, 1 CRL published"), "{}", said.out);
    assert_eq!(
        statuses(&home),
        expected(&[("a.example", "valid"), ("b.example", "valid"), ("c.example", "valid")])
    );
}

#[test]
fn without_the_key_a_list_is_revoked_and_one_crl_is_owed() {
    // G11, G6
    let home = with_hosts(&["a.example", "b.example"]);
    fs::write(home.path("gone"), "a.example\nb.example\n").unwrap();
    fs::rename(home.path("home/keys/genfic-system.age"), home.path("away.age")).unwrap();
    let said = home.ca(&["revoke", "--file", "gone"]);
    assert_eq!(said.status, 8, "{}", said.all());
    assert!(said.err.contains("the CRL of genfic-system is owed"), "{}", said.all());
    // giving the command again would do nothing
    let hint = said.err.lines().rev().nth(1).unwrap();
    assert!(hint.ends_with("genfic-ca crl publish genfic-system"), "{}", said.all());
    assert!(!said.err.contains("again") && !said.err.contains("then:"), "{}", said.all());
    assert_eq!(statuses(&home), expected(&[("a.example", "revoked"), ("b.example", "revoked")]));
}

#[test]
fn a_list_that_names_nothing_and_two_choices_at_once_are_mistakes() {
    let home = with_hosts(&["a.example"]);
    fs::write(home.path("empty"), "# nobody\n").unwrap();
    refused(&home.ca(&["revoke", "--file", "empty"]), 2, "usage");
    refused(&home.ca(&["revoke", "--file", "nowhere"]), 5, "file.read");
    refused(&home.ca(&["revoke", "a.example", "--all", "a.example"]), 2, "usage");
    refused(&home.ca(&["hold", "--all", "a.example", "--newest", "a.example"]), 2, "usage");
    refused(&home.ca(&["hold"]), 2, "usage");
    refused(&home.ca(&["revoke", "--all", "genfic-system"]), 2, "usage");
    fs::write(home.path("bad"), "nobody.example\n").unwrap();
    let said = home.ca(&["revoke", "--file", "bad", "--invalidity-date", "2999-01-01T00:00:00Z"]);
    refused(&said, 2, "usage");
    assert_eq!(statuses(&home), expected(&[("a.example", "valid")]));
}

#[test]
fn a_command_that_is_killed_amid_a_list_is_given_again() {
    // G11, C7
    let home = with_hosts(&["a.example", "b.example", "c.example"]);
    fs::write(home.path("gone"), "a.example\nb.example\nc.example\n").unwrap();
    let points = fs::read_to_string({
        let copy = home.copied();
        let trace = home.path("trace");
        let mut command = copy.command(&["revoke", "--file", "gone"]);
        assert!(command.env("GENFIC_CA_FAILPOINT_TRACE", &trace).output().unwrap().status.success());
        trace
    });
    let points = points.unwrap().lines().count();
    assert!(points > 3, "{points}");
    for point in 1..=points {
        let copy = home.copied();
        let mut command = copy.command(&["revoke", "--file", "gone"]);
        let killed = command.env("GENFIC_CA_FAILPOINT", point.to_string()).output().unwrap();
        assert!(!killed.status.success(), "{point}");
        let again = copy.ca(&["revoke", "--file", "gone", "--json"]).ok().json();
        let all = ["certificates", "unchanged"].map(|field| again["result"][field].as_array().unwrap().len());
        assert_eq!(all.iter().sum::<usize>(), 3, "{point} {again}");
        copy.ca(&["crl", "check", "genfic-system"]).ok();
        let entries = copy.result(&["crl", "show", "genfic-system"])["entries"].clone();
        assert!(entries.as_array().map_or(entries == 3, |all| all.len() == 3), "{point} {entries}");
    }
}

#[test]
fn a_responder_among_those_that_are_revoked_gets_a_new_certificate() {
    // O7
    let home = with_hosts(&["a.example"]);
    let file = home.path("home/ocsp/genfic-system/responder.pem");
    let before = fs::read(&file).unwrap();
    let serial = home.result(&["show", file.to_str().unwrap()])["serial"].as_str().unwrap().to_owned();
    fs::write(home.path("gone"), format!("a.example\ngenfic-system/{serial}\n")).unwrap();
    let done = home.result(&["revoke", "--file", "gone"]);
    assert_eq!(done["responders"], serde_json::json!(["genfic-system"]), "{done}");
    assert_ne!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_table_with_what_stands_below_it_is_a_list_and_what_cannot_be_done_is_told_whole() {
    // G11
    let home = with_hosts(&["a.example", "b.example"]);
    home.ca(&["revoke", "b.example", "--no-crl"]).ok();
    let table = home.ca(&["list", "-p", "genfic-system", "--profile", "system"]).ok().out;
    fs::write(home.path("table"), format!("{table}2 certificates\n")).unwrap();
    let said = home.ca(&["hold", "--file", "table"]);
    assert_eq!(said.status, 7, "{}", said.all());
    assert!(said.out.contains("1 certificate on hold, 1 refused, 1 CRL"), "{}", said.all());
    assert!(said.err.contains(": it is revoked already\n"), "{}", said.all());
}

#[test]
fn people_of_one_name_at_different_cas_are_not_one_holder() {
    // G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-child", "guests", "-p", "genfic", "--profile", "user-ca"]).ok();
    for (base, mail, ca) in [
        ("one", "email:anna.one@genfic.example", "genfic-user"),
        ("two", "email:anna.two@genfic.example", "guests"),
    ] {
        let words =
            ["create-request", base, "--subject", "CN=Anna Mueller", "--san", mail, "--sign", "-p", ca];
        home.ca(&words).ok();
    }
    for command in ["revoke", "hold"] {
        let said = home.ca(&[command, "--all", "Anna Mueller"]);
        refused(&said, 2, "certificate.ambiguous");
        assert!(said.err.contains("certificates of several holders"), "{}", said.err);
        assert!(said.err.contains("\ngenfic-user/") && said.err.contains("\nguests/"), "{}", said.err);
        assert!(said.err.contains("--file"), "{}", said.err);
        let said = home.ca(&[command, "Anna Mueller"]);
        refused(&said, 2, "certificate.ambiguous");
        assert!(!said.err.contains("--all"), "{}", said.err);
    }
    for file in ["one.crt", "two.crt"] {
        home.ca(&["hold", file]).ok();
    }
    refused(&home.ca(&["release", "--all", "Anna Mueller"]), 2, "certificate.ambiguous");
    for file in ["one.crt", "two.crt"] {
        assert_eq!(home.result(&["show", file])["status"], "held");
    }
    // a name in common shows that it is one
    let same =
        ["create-request", "same", "--subject", "CN=Anna Mueller", "--san", "email:anna.one@genfic.example"];
    home.ca(&[&same[..], &["--sign", "-p", "guests"]].concat()).ok();
    home.ca(&["revoke", "two.crt"]).ok();
    let all = home.result(&["revoke", "--all", "Anna Mueller"]);
    assert_eq!(all["certificates"].as_array().unwrap().len(), 2, "{all}");
}

#[test]
fn the_newest_is_offered_only_where_it_is_taken() {
    // G11
    let home = with_hosts(&["www.example"]);
    let other = ["create-request", "two", "--subject", "CN=www.example", "--san", "DNS:www.example"];
    home.ca(&[&other[..], &["--san", "DNS:other.example", "--sign", "-p", "genfic-system"]].concat()).ok();
    let said = home.ca(&["revoke", "www.example"]);
    refused(&said, 2, "certificate.ambiguous");
    assert!(said.err.contains("--all www.example") && !said.err.contains("--newest"), "{}", said.err);
    refused(&home.ca(&["revoke", "--newest", "www.example"]), 2, "certificate.ambiguous");
}
