//! What the old program issued and revoked after the CA had moved in.
use super::foreign_ca_directories::sh;
use crate::support::Home;
use serde_json::{Value, json};
use std::fs;

const CONFIG: &str = "[ca]\ndefault_ca=d\n[d]\ndir=demoCA\ndatabase=$dir/index.txt\nnew_certs_dir=$dir/newcerts\n\
    serial=$dir/serial\ncrlnumber=$dir/crlnumber\ncertificate=$dir/cacert.pem\nprivate_key=$dir/private/cakey.pem\n\
    default_md=sha256\ndefault_days=90\ndefault_crl_days=9\npolicy=p\n[p]\ncommonName=supplied\n";

fn demo_ca(home: &Home) {
    fs::write(home.path("c.cnf"), CONFIG).unwrap();
    let key = "ec -pkeyopt ec_paramgen_curve:P-256";
    sh(
        home,
        &format!(
            "mkdir -p demoCA/newcerts demoCA/private; touch demoCA/index.txt; echo 01 >demoCA/serial; echo 01 >demoCA/crlnumber
            openssl req -x509 -newkey {key} -nodes -keyout demoCA/private/cakey.pem -subj '/CN=Demo CA' -days 900 \
              -out demoCA/cacert.pem"
        ),
    );
}

fn issue(home: &Home, name: &str) {
    let key = "ec -pkeyopt ec_paramgen_curve:P-256";
    sh(
        home,
        &format!(
            "openssl req -newkey {key} -nodes -keyout {name}.key -subj /CN={name} -out {name}.csr
            openssl ca -config c.cnf -batch -in {name}.csr -out {name}.crt"
        ),
    );
}

fn states(home: &Home) -> Vec<(String, String)> {
    let listed = home.result(&["list", "-p", "old"]);
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let mut all: Vec<_> = listed["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["subject"] != "CN=Demo CA" && one["profile"] != "ocsp-responder")
        .map(|one| (text(one, "subject").replace("CN=", ""), text(one, "status")))
        .collect();
    all.sort();
    all
}

#[test]
fn the_same_tree_imported_again_adds_what_came_since_and_changes_nothing_else() {
    // G11, C1, C3
    let home = Home::new();
    demo_ca(&home);
    for name in ["a", "b", "c"] {
        issue(&home, name);
    }
    sh(&home, "openssl ca -config c.cnf -revoke c.crt -crl_reason certificateHold");
    home.ca(&["import", "openssl", "demoCA", "--as", "old"]).ok();
    home.ca(&["release", "c"]).ok();
    home.ca(&["revoke", "b", "--reason", "superseded"]).ok();
    let nothing = home.ca(&["import", "openssl", "demoCA", "--as", "old"]);
    assert!(nothing.status == 4 && nothing.err.contains("nothing came since"), "{}", nothing.all());
    assert_eq!(
        states(&home),
        [("a", "valid"), ("b", "revoked"), ("c", "valid")].map(|(n, s)| (n.into(), s.into()))
    );

    issue(&home, "d");
    issue(&home, "e");
    // the old key is no longer needed for it, and was destroyed as the first import said
    sh(
        &home,
        "openssl ca -config c.cnf -revoke a.crt -crl_reason keyCompromise; openssl ca -config c.cnf -revoke e.crt
        for i in 1 2 3; do openssl ca -config c.cnf -gencrl -out demoCA/crl.pem; done; rm demoCA/private/cakey.pem",
    );
    let before = home.ca(&["list", "-p", "old", "--csv"]).ok().out;
    let dry = home.result(&["import", "openssl", "demoCA", "--as", "old", "--dry-run"]);
    assert_eq!(dry["added"], json!({ "certificates": 3, "known_by_number": 0, "revoked": 2 }), "{dry}");
    assert_eq!(home.ca(&["list", "-p", "old", "--csv"]).ok().out, before, "a dry run");
    let done = home.result(&["import", "openssl", "demoCA", "--as", "old"]);
    assert_eq!(done["added"], dry["added"]);
    assert_eq!(
        states(&home),
        [("a", "revoked"), ("b", "revoked"), ("c", "valid"), ("d", "valid"), ("e", "revoked")]
            .map(|(n, s)| (n.into(), s.into())),
    );
    let listed = home.result(&["crl", "show", "old"]);
    assert_eq!(listed["entries"].as_array().unwrap().len(), 3, "{listed}");
    assert!(listed["number"].as_u64().unwrap() > 3, "above those of the old program: {listed}");
    let b = home.result(&["list", "--subject", "*=b"])["certificates"][0].clone();
    assert_eq!(b["reason"], "superseded", "as it was revoked here: {b}");
    for more in [&[][..], &["--dry-run"]] {
        let again = home.ca(&[&["import", "openssl", "demoCA", "--as", "old"], more].concat());
        assert!(again.status == 4 && again.err.contains("nothing came since"), "{}", again.all());
    }
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.all().contains("issued.") && !doctor.all().contains("index."), "{}", doctor.all());
    let other = home.ca(&["import", "openssl", "demoCA", "--as", "another", "--without-key"]);
    assert!(other.status == 4 && other.err.contains("--as old"), "{}", other.all());
}

#[test]
fn a_certificate_that_comes_as_valid_for_a_key_that_others_have_is_named() {
    // P1
    let home = Home::new();
    demo_ca(&home);
    issue(&home, "a");
    home.ca(&["import", "openssl", "demoCA", "--as", "old"]).ok();
    home.ca(&["revoke", "a.crt", "--reason", "key-compromise"]).ok();
    sh(
        &home,
        "openssl req -new -key a.key -subj /CN=again -out again.csr
        openssl ca -config c.cnf -batch -in again.csr -out again.crt",
    );
    let said = home.ca(&["import", "openssl", "demoCA", "--as", "old"]).ok();
    assert!(said.err.contains("others have its key"), "{}", said.all());
    assert!(said.err.contains("genfic-ca revoke old/02 --reason key-compromise"), "{}", said.all());
    home.ca(&["revoke", "old/02", "--reason", "key-compromise"]).ok();
}
