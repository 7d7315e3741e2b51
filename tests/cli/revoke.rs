//! `revoke`, `hold`, `release` and `crl`, with the key here and away.
use crate::refused;
use crate::support::{Home, free_address};
use std::fs;

#[test]
fn without_the_key_the_revocation_counts_and_the_crl_is_owed() {
    // G11, G6
    let address = free_address();
    let home = Home::with_hierarchy(&format!("http://{address}"));
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    let _daemon = home.daemon(&address);
    assert_eq!(home.result(&["ocsp", "query", "www.example"])["status"], "good");
    fs::rename(home.path("home/keys/genfic-system.age"), home.path("away.age")).unwrap();

    let said = home.ca(&["revoke", "www.example", "--reason", "key-compromise", "--json"]);
    let object = said.json();
    assert_eq!(said.status, 8, "{}", said.all());
    assert_eq!((&object["changed"], &object["ok"]), (&true.into(), &false.into()), "{object}");
    assert!(object["result"]["crl"].is_null() && object["result"]["revoked_at"].is_string(), "{object}");
    assert!(object["error"]["message"].as_str().unwrap().contains("the CRL is owed"), "{object}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while home.ca(&["ocsp", "query", "www.example", "--json"]).json()["result"]["status"] != "revoked" {
        assert!(std::time::Instant::now() < deadline, "OCSP does not answer revoked");
    }
    let status = home.ca(&["status"]);
    assert_eq!(status.status, 12, "{}", status.all());
    assert!(status.out.contains("genfic-system owes a CRL"), "{}", status.out);
    let owed = home.ca(&["crl", "check", "genfic-system"]);
    assert_eq!(owed.status, 12, "{}", owed.all());
    refused(&home.ca(&["crl", "publish", "--due"]), 8, "key.not-found");
    let all = home.ca(&["crl", "publish", "--all"]);
    assert!(all.status == 8 && all.out.contains("genfic-user: CRL number 2"), "{}", all.all());

    fs::rename(home.path("away.age"), home.path("home/keys/genfic-system.age")).unwrap();
    let due = home.result(&["crl", "publish", "--due"]);
    assert_eq!(due["crls"][0]["name"], "genfic-system", "{due}");
    assert_eq!(due["crls"].as_array().unwrap().len(), 1, "{due}");
    home.ca(&["crl", "check", "genfic-system"]).ok();
}

#[test]
fn what_is_wrong_with_a_revocation_is_told_before_anything_happens() {
    // G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    let try_with = |more: &[&str]| home.ca(&[&["revoke", "www.example"], more].concat());
    refused(&try_with(&["--reason", "bogus"]), 2, "usage");
    refused(&try_with(&["--reason", "remove-from-crl"]), 2, "usage");
    refused(&try_with(&["--invalidity-date", "yesterday"]), 2, "usage");
    refused(&try_with(&["--invalidity-date", "2999-01-01T00:00:00Z"]), 2, "usage");
    refused(&try_with(&["-p", "genfic-user"]), 5, "certificate.not-found");
    refused(&try_with(&["-p", "none"]), 5, "authority.not-found");
    let confirm = home.ca(&["revoke", "genfic-system", "-p", "genfic", "--no-input"]);
    refused(&confirm, 9, "input.confirmation");
    assert!(confirm.err.contains("--yes"), "{}", confirm.err);
    refused(&home.ca(&["release", "www.example"]), 5, "certificate.not-found");
    assert_eq!(home.result(&["list", "--status", "valid", "-p", "genfic-system", "--profile", "system"])["certificates"].as_array().unwrap().len(), 1);
    let kept =
        home.result(&["revoke", "www.example", "--no-crl", "--invalidity-date", "2020-01-31T00:00:00Z"]);
    assert!(kept["crl"].is_null(), "{kept}");
    refused(&home.ca(&["revoke", "www.example"]), 5, "certificate.not-found");
    let revoked = home.result(&["list", "--status", "revoked"]);
    assert_eq!(revoked["certificates"][0]["invalidity_date"], "2020-01-31T00:00:00Z");
    home.ca(&["--yes", "revoke", "genfic-system", "-p", "genfic"]).ok();
    refused(&home.ca(&["sign", "www.example.req", "-p", "genfic-system"]), 7, "issuer.unfit");
}

#[test]
fn crls_are_published_copied_shown_and_checked() {
    // G2, G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let nowhere = home.ca(&["crl", "publish", "genfic", "--to", "nowhere"]);
    refused(&nowhere, 5, "file.directory");
    assert_eq!(home.result(&["crl", "show", "genfic"])["number"], 1, "nothing was published");
    fs::create_dir(home.path("web")).unwrap();
    home.ca(&["crl", "publish", "genfic", "--to", "web"]).ok();
    home.ca(&["crl", "check", "web/genfic.crl"]).ok();
    home.ca(&["crl", "publish", "genfic"]).ok();
    let behind = home.ca(&["crl", "check", "web/genfic.crl"]);
    assert_eq!(behind.status, 12, "{}", behind.all());
    assert!(behind.out.contains("number 3 was issued since"), "{}", behind.out);
    let other = home.path("home/public/genfic-user.pem");
    let words = ["crl", "check", "web/genfic.crl", "--issuer", other.to_str().unwrap()];
    refused(&home.ca(&words), 11, "crl.signature");
    refused(&home.ca(&["crl", "check", "nowhere"]), 5, "file.read");
    refused(&home.ca(&["crl", "check", "home/public/genfic.pem"]), 11, "file.malformed");
    refused(&home.ca(&["crl", "publish", "none"]), 5, "authority.not-found");
    refused(&home.ca(&["crl", "publish"]), 2, "usage");
}
