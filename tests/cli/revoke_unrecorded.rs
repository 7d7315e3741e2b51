//! What a CA signed and nobody recorded: by file, and by number.
use crate::refused;
use crate::support::{Home, free_address};
use std::fs;

/// A home, and the certificate that another copy of it signed for lost.example.
fn with_lost(address: &str) -> (Home, String) {
    let home = Home::with_hierarchy(&format!("http://{address}"));
    let copy = home.copied();
    copy.ca(&["create-request", "lost.example", "--sign", "-p", "genfic-system"]).ok();
    fs::copy(copy.path("lost.example.crt"), home.path("lost.crt")).unwrap();
    let listed = copy.result(&["list", "--subject", "*lost.example"]);
    (home, listed["certificates"][0]["serial"].as_str().unwrap().to_owned())
}

#[test]
fn a_certificate_that_is_not_on_record_is_revoked_by_its_file() {
    // G11, C1
    let address = free_address();
    let (home, serial) = with_lost(&address);
    refused(&home.ca(&["revoke", "lost.crt", "-p", "genfic-user"]), 5, "certificate.not-found");
    let result = home.result(&["revoke", "lost.crt", "--reason", "superseded"]);
    assert_eq!((&result["serial"], &result["issuer"]), (&serial.as_str().into(), &"genfic-system".into()));
    assert_eq!(result["subject"], "CN=lost.example");
    assert_eq!(home.result(&["crl", "show", "genfic-system"])["entries"][0]["serial"], serial.as_str());
    let _daemon = home.daemon(&address);
    assert_eq!(home.ca(&["ocsp", "query", "lost.crt", "--json"]).json()["result"]["status"], "revoked");
    let shown = home.result(&["list", "--status", "revoked"]);
    assert!(
        shown["certificates"][0]["file"].is_string() && shown["certificates"][0]["reason"] == "superseded",
        "{shown}"
    );
    refused(&home.ca(&["revoke", "lost.crt"]), 5, "certificate.not-found");
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.all().contains("issued.") && !doctor.all().contains("index."), "{}", doctor.all());
}

#[test]
fn a_file_that_no_ca_of_the_home_signed_is_not_put_on_record() {
    let (home, _) = with_lost("pki.genfic.example");
    let stranger = Home::with_hierarchy("http://pki.genfic.example");
    stranger.ca(&["create-request", "s.example", "--sign", "-p", "genfic-system"]).ok();
    fs::copy(stranger.path("s.example.crt"), home.path("forged.crt")).unwrap();
    refused(&home.ca(&["revoke", "forged.crt"]), 11, "certificate.signature");
    let other = Home::new();
    other.ca(&["create-root", "elsewhere"]).ok();
    fs::copy(other.path("home/public/elsewhere.pem"), home.path("elsewhere.pem")).unwrap();
    refused(&home.ca(&["revoke", "elsewhere.pem", "--yes"]), 5, "issuer.unknown");
    assert_eq!(home.result(&["list", "--status", "revoked"])["certificates"].to_string(), "[]");
}

#[test]
fn a_number_that_is_not_on_record_is_revoked_after_a_question() {
    // G11, C1
    let address = free_address();
    let (home, serial) = with_lost(&address);
    let unknown = home.ca(&["revoke", &format!("serial:{serial}")]);
    refused(&unknown, 5, "certificate.not-found");
    assert!(unknown.err.contains(&format!("genfic-ca revoke genfic-system/{serial}")), "{}", unknown.err);
    for words in [
        vec![format!("serial:{serial}"), "-p".into(), "genfic-system".into()],
        vec![format!("genfic-system/{serial}")],
    ] {
        let words: Vec<&str> = std::iter::once("revoke").chain(words.iter().map(String::as_str)).collect();
        refused(&home.ca(&words), 9, "input.confirmation");
        refused(&home.ca(&[&["--no-input"], &*words].concat()), 9, "input.confirmation");
    }
    refused(&home.ca(&["hold", &format!("genfic-system/{serial}")]), 2, "usage");
    let result = home.result(&["--yes", "revoke", &format!("serial:{serial}"), "-p", "genfic-system"]);
    assert_eq!((&result["serial"], &result["reason"]), (&serial.as_str().into(), &"unspecified".into()));
    assert_eq!(home.result(&["crl", "show", "genfic-system"])["entries"][0]["serial"], serial.as_str());
    let _daemon = home.daemon(&address);
    assert_eq!(home.ca(&["ocsp", "query", "lost.crt", "--json"]).json()["result"]["status"], "revoked");
    // the file completes what is known of the number, and changes nothing else
    refused(&home.ca(&["revoke", "lost.crt"]), 4, "certificate.revoked");
    home.ca(&["--yes", "revoke", "genfic-system/0abc", "--reason", "key-compromise"]).ok();
    assert_eq!(home.result(&["crl", "show", "genfic-system"])["entries"].as_array().unwrap().len(), 2);
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.all().contains("index."), "{}", doctor.all());
}

#[test]
fn a_ca_certificate_and_a_compromised_key_that_are_not_on_record_go_with_their_key() {
    let (home, _) = with_lost("pki.genfic.example");
    let copy = home.copied();
    copy.ca(&["create-child", "lost-ca", "-p", "genfic", "--profile", "system-ca"]).ok();
    fs::copy(copy.path("home/public/lost-ca.pem"), home.path("lost-ca.pem")).unwrap();
    refused(&home.ca(&["revoke", "lost-ca.pem"]), 9, "input.confirmation");
    home.ca(&["revoke", "lost-ca.pem", "--yes"]).ok();
    home.ca(&["create-root", "other"]).ok();
    refused(&home.ca(&["cross-sign", "lost-ca.pem", "-p", "other"]), 7, "authority.revoked");

    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    let copy = home.copied();
    let renewed = copy.result(&["renew", "www.example", "-o", "renewed.crt"]);
    fs::copy(copy.path("renewed.crt"), home.path("renewed.crt")).unwrap();
    let result = home.result(&["revoke", "renewed.crt", "--reason", "key-compromise"]);
    assert_eq!(result["serial"], renewed["certificates"][0]["serial"]);
    assert_eq!(result["also_revoked"].as_array().unwrap().len(), 1, "{result}");
    assert_eq!(
        home.result(&["list", "--subject", "*www.example", "--status", "valid"])["certificates"].to_string(),
        "[]"
    );
}
