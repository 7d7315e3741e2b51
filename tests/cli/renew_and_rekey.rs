//! `renew`, `rekey` and `renew-ca` held against their contract.
use crate::refused;
use crate::support::Home;
use serde_json::Value;
use std::fs;

fn hierarchy() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let words =
        ["create-request", "www.example", "--sign", "-p", "genfic-system", "--contact", "ops@www.example"];
    home.ca(&words).ok();
    home
}

fn only(result: &Value) -> &Value {
    assert_eq!(result["certificates"].as_array().unwrap().len(), 1, "{result}");
    &result["certificates"][0]
}

fn key_of(home: &Home, file: &str) -> String {
    home.run(&["openssl", "x509", "-in", file, "-noout", "-pubkey"]).ok().out
}

#[test]
fn a_renewed_certificate_differs_in_number_and_time_only() {
    let home = hierarchy();
    let old = home.result(&["show", "www.example"]);
    let result = home.result(&["renew", "www.example", "-o", "new.crt", "--chain"]);
    let new = only(&result);
    for field in ["subject", "san", "profile", "issuer"] {
        let was = if field == "profile" { &Value::from("system") } else { &old[field] };
        assert_eq!(&new[field], was, "{field}");
    }
    assert_ne!(new["serial"], old["serial"]);
    assert_eq!(new["replaces"], old["serial"]);
    assert_eq!(key_of(&home, "new.crt"), key_of(&home, "www.example.crt"));
    assert_eq!(fs::read_to_string(home.path("new.crt")).unwrap().matches("BEGIN").count(), 2);
    assert_eq!(
        home.result(&["list", "--status", "valid", "--profile", "system"])["certificates"][1]["contact"],
        "ops@www.example"
    );
    // both are there, and the next renewal means the newer
    let again = home.result(&["renew", "www.example", "-v", "30"]);
    assert_eq!(only(&again)["replaces"], new["serial"]);
    let listed = home.result(&["list", "--subject", "*www.example", "--status", "valid"]);
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 3);
}

#[test]
fn nothing_is_renewed_before_its_time_when_that_is_asked() {
    // G22
    let home = hierarchy();
    let early = home.ca(&["renew", "www.example", "--expiring", "30d", "--json"]).ok().json();
    assert_eq!(early["changed"], false, "{early}");
    let due = home.ca(&["renew", "www.example", "--expiring", "3000d", "--json"]).ok().json();
    assert_eq!(due["changed"], true, "{due}");
}

#[test]
fn a_certificate_gets_the_key_of_a_request_only_for_the_same_names() {
    let home = hierarchy();
    fs::create_dir(home.path("new")).unwrap();
    home.ca(&["create-request", "www.example", "--dir", "new"]).ok();
    let result = home.result(&["rekey", "www.example", "--request", "new/www.example.req", "-o", "new"]);
    assert_eq!(only(&result)["file"], "new/www.example.crt");
    assert_ne!(key_of(&home, "new/www.example.crt"), key_of(&home, "www.example.crt"));

    home.ca(&["create-request", "other.example"]).ok();
    refused(&home.ca(&["rekey", "www.example", "--request", "other.example.req"]), 7, "renewal.differs");
    let named = ["create-request", "named", "--subject", "CN=www.example", "--san", "DNS:more.example"];
    home.ca(&named).ok();
    let said = home.ca(&["rekey", "www.example", "--request", "named.req"]);
    refused(&said, 7, "renewal.differs");
    assert!(said.err.contains("for DNS:more.example besides, and not for DNS:www.example"), "{}", said.err);
    let same = home.ca(&["rekey", "www.example", "--request", "new/www.example.req"]);
    refused(&same, 7, "renewal.same-key");
}

#[test]
fn what_looks_alike_and_is_not_the_same_is_told_by_what_differs() {
    let home = hierarchy();
    let named = ["create-request", "twin", "--subject", "CN=www.example", "--san", "DNS:www.example"];
    let names = ["--san", "DNS:more.example", "--sign", "-p", "genfic-system"];
    home.ca(&[&named[..], &names].concat()).ok();
    let said = home.ca(&["renew", "www.example"]);
    refused(&said, 2, "certificate.ambiguous");
    let differing =
        "they have one subject and differ in names: DNS:more.example, DNS:www.example | DNS:www.example";
    assert!(said.err.contains(differing), "{}", said.err);
}

#[test]
fn a_new_key_never_takes_the_place_of_a_file() {
    let home = hierarchy();
    let key = fs::read(home.path("www.example.key")).unwrap();
    refused(&home.ca(&["rekey", "www.example"]), 4, "file.exists");
    fs::create_dir(home.path("new")).unwrap();
    home.ca(&["rekey", "www.example", "--dir", "new", "--key", "p384"]).ok();
    assert_eq!(fs::read(home.path("www.example.key")).unwrap(), key);
    let text = home.run(&["openssl", "pkey", "-in", "new/www.example.key", "-noout", "-text"]).ok().out;
    assert!(text.contains("384 bit"), "{text}");
    // a refusal takes key and request along
    fs::create_dir(home.path("more")).unwrap();
    refused(&home.ca(&["rekey", "www.example", "--dir", "more", "-v", "9999"]), 7, "policy.outlives-issuer");
    assert_eq!(fs::read_dir(home.path("more")).unwrap().count(), 0);
}

#[test]
fn what_is_revoked_or_means_several_holders_or_is_a_cas_is_not_renewed() {
    let home = hierarchy();
    refused(&home.ca(&["renew", "nobody.example"]), 5, "certificate.not-found");
    let san = [
        "create-request",
        "two",
        "--subject",
        "CN=two",
        "--san",
        "DNS:www.example",
        "--sign",
        "-p",
        "genfic-system",
    ];
    home.ca(&san).ok();
    refused(&home.ca(&["renew", "www.example"]), 2, "certificate.ambiguous");
    home.ca(&["revoke", "two"]).ok();
    home.ca(&["renew", "www.example"]).ok();
    refused(&home.ca(&["renew", "two"]), 7, "certificate.revoked");
    let ca = home.result(&["show", "genfic-system"])["serial"].as_str().unwrap().to_owned();
    refused(&home.ca(&["renew", &format!("genfic/{ca}")]), 2, "usage");
}

#[test]
fn the_profile_of_today_decides() {
    let home = hierarchy();
    let file = home.path("home/policy/system.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[key]\nalgorithms = [\"rsa\"]\n")).unwrap();
    let said = home.ca(&["renew", "www.example"]);
    assert_eq!(said.status, 7, "{}", said.all());
    assert!(said.err.contains("(exit 7, policy."), "{}", said.all());
}

#[test]
fn a_ca_without_its_key_or_of_no_such_name_is_not_renewed() {
    let home = hierarchy();
    refused(&home.ca(&["renew-ca", "nobody"]), 5, "authority.not-found");
    refused(&home.ca(&["renew-ca", "genfic", "--key", "p384"]), 2, "usage");
    fs::rename(home.path("home/keys/genfic.age"), home.path("genfic.age")).unwrap();
    for words in
        [&["renew-ca", "genfic"][..], &["renew-ca", "genfic", "--rekey"], &["renew-ca", "genfic-system"]]
    {
        let said = home.ca(words);
        assert_eq!(said.status, 8, "{words:?} {}", said.all());
    }
    let names = home.result(&["authorities"])["authorities"].as_array().unwrap().len();
    assert_eq!(names, 3);
}
