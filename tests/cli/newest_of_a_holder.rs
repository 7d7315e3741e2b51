//! What a name means after renewals: the newest of one holder where something is read, renewed or handed out, and
//! never by itself where something is revoked.
use crate::refused;
use crate::support::{Home, free_address};
use serde_json::Value;
use std::fs;

/// A home in which `www.example` was renewed twice, with the serial numbers, oldest first.
fn renewed(url: &str) -> (Home, Vec<String>) {
    let home = Home::with_hierarchy(url);
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    let mut serials = vec![serial(&home.result(&["show", "www.example.crt"]))];
    for _ in 0..2 {
        serials.push(serial(&home.result(&["renew", "www.example"])["certificates"][0]));
    }
    (home, serials)
}

fn serial(value: &Value) -> String {
    value["serial"].as_str().unwrap().to_owned()
}

#[test]
fn what_reads_or_hands_out_takes_the_newest_of_one_holder_and_says_so() {
    // G11
    let address = free_address();
    let (home, serials) = renewed(&format!("http://{address}"));
    let _daemon = home.daemon(&address);
    let newest = &serials[2];
    let taken = format!("`www.example` means 3 certificates; genfic-system/{newest} was taken, the newest");
    for words in [
        &["show", "www.example"][..],
        &["ocsp", "query", "www.example"],
        &["export", "snippet", "nginx", "www.example"],
    ] {
        let said = home.ca(&[words, &["--json"]].concat()).ok().json();
        assert_eq!(serial(&said["result"]), *newest, "{words:?} {said}");
        assert!(said["warnings"].to_string().contains(&taken), "{words:?} {said}");
    }
    let pem = home.ca(&["show", "www.example", "--pem"]).ok();
    assert!(pem.err.contains(&taken), "{}", pem.all());
    fs::write(home.path("got.pem"), pem.out).unwrap();
    assert_eq!(serial(&home.result(&["show", "got.pem"])), *newest);
    // of a newest one that was revoked, the newest that is valid stands in
    home.ca(&["revoke", &format!("genfic-system/{newest}")]).ok();
    let shown = home.ca(&["show", "www.example", "--json"]).ok().json();
    assert_eq!(serial(&shown["result"]), serials[1], "{shown}");
    assert!(shown["warnings"].to_string().contains("the newest that is valid"), "{shown}");
}

#[test]
fn another_holder_or_use_of_the_name_stays_ambiguous() {
    // G11
    let (home, _) = renewed("http://pki.genfic.example");
    let other = ["create-request", "www", "--subject", "CN=other", "--san", "DNS:www.example"];
    home.ca(&[&other[..], &["--sign", "-p", "genfic-system"]].concat()).ok();
    for words in [
        &["show", "www.example"][..],
        &["ocsp", "query", "www.example", "--url", "http://127.0.0.1:9"],
        &["export", "snippet", "nginx", "www.example"],
        &["renew", "www.example"],
        &["revoke", "www.example"],
        &["revoke", "--all", "www.example"],
        &["revoke", "--newest", "www.example"],
    ] {
        let said = home.ca(words);
        refused(&said, 2, "certificate.ambiguous");
        assert_eq!(said.err.matches("\ngenfic-system/").count(), 4, "{words:?} {}", said.err);
    }
}

#[test]
fn a_generation_of_the_ca_is_the_same_ca() {
    // G11
    let (home, _) = renewed("http://pki.genfic.example");
    home.ca(&["renew-ca", "genfic-system", "--rekey", "--yes"]).ok();
    let new = home.result(&["renew", "www.example"])["certificates"][0].clone();
    assert_eq!(new["issuer"], "genfic-system-g2");
    let shown = home.ca(&["show", "www.example", "--json"]).ok().json();
    assert_eq!(serial(&shown["result"]), serial(&new));
    assert!(shown["warnings"].to_string().contains("means 4 certificates"), "{shown}");
}

#[test]
fn what_revokes_never_takes_the_newest_by_itself() {
    // G11
    let (home, serials) = renewed("http://pki.genfic.example");
    for words in [
        &["revoke", "www.example"][..],
        &["revoke", "www.example", "--yes"],
        &["hold", "www.example"],
        &["-x", "www.example"],
    ] {
        let said = home.ca(words);
        refused(&said, 2, "certificate.ambiguous");
        assert!(said.err.contains("--all www.example"), "{}", said.err);
        assert!(said.err.contains("--newest www.example"), "{}", said.err);
        assert_eq!(said.err.matches("\ngenfic-system/").count(), 3, "{words:?} {}", said.err);
    }
    let newest = home.result(&["revoke", "--newest", "www.example", "--reason", "superseded"]);
    assert_eq!(serial(&newest), serials[2]);
    let all = home.ca(&["revoke", "--all", "www.example", "--json"]).ok().json();
    assert_eq!(all["result"]["certificates"].as_array().unwrap().len(), 2, "{all}");
    refused(&home.ca(&["revoke", "--all", "www.example"]), 5, "certificate.not-found");
}
