//! `ocsp disable`, `ocsp enable`.
use crate::refused;
use crate::support::Home;

fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example").copied();
    home.shell("genfic-ca create-request a.genfic.example --sign -p genfic-system").ok();
    home
}

#[test]
fn disabling_asks_says_what_certificates_name_the_responder_and_is_on_record() {
    // O4, G15
    let home = home();
    let said = home.ca(&["ocsp", "disable", "genfic-system"]);
    refused(&said, 9, "input.confirmation");
    assert!(said.err.contains("1 valid certificate of genfic-system names its responder"), "{}", said.all());
    assert!(said.err.contains("--yes"), "{}", said.all());
    let said = home.ca(&["--yes", "--json", "ocsp", "disable", "genfic-system"]).ok().json();
    assert_eq!((&said["changed"], &said["result"]["ocsp"]), (&true.into(), &false.into()));
    assert_eq!(said["result"]["certificates_naming_responder"], 1);
    let again = home.ca(&["--json", "ocsp", "disable", "genfic-system"]).ok().json();
    assert_eq!(again["changed"], false, "{again}");
    let audit = home.ca(&["audit", "show", "--verbose"]).ok().out;
    assert!(audit.contains("authority.ocsp") && audit.contains("genfic-system"), "{audit}");
    // its certificates name none, it needs none, and nothing is wrong with that
    home.ca(&["create-request", "b.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    let text = home.run(&["openssl", "x509", "-in", "b.genfic.example.crt", "-noout", "-text"]).ok().out;
    assert!(!text.contains("OCSP - URI"), "{text}");
    home.shell("rm home/ocsp/genfic-system/responder.*").ok();
    assert!(home.ca(&["ocsp", "responder", "--due"]).ok().out.contains("no responder certificate is due"));
    home.ca(&["doctor"]).ok();
}

#[test]
fn enabling_says_when_the_responder_certificate_is_due() {
    let home = home();
    home.ca(&["--yes", "ocsp", "disable", "genfic-system"]).ok();
    let said = home.ca(&["ocsp", "enable", "genfic-system"]).ok();
    assert!(!said.out.contains("is due"), "the one that it has is valid: {}", said.all());
    home.ca(&["create-request", "b.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    let text = home.run(&["openssl", "x509", "-in", "b.genfic.example.crt", "-noout", "-text"]).ok().out;
    assert!(text.contains("OCSP - URI"), "{text}");
    // of one whose key is kept offline there was none
    let said = home.ca(&["ocsp", "enable", "genfic"]).ok();
    assert!(said.out.contains("genfic-ca ocsp responder genfic"), "{}", said.all());
    let again = home.ca(&["--json", "ocsp", "enable", "genfic"]).ok().json();
    assert_eq!(again["changed"], false, "{again}");
}

#[test]
fn what_can_have_no_responder_is_not_enabled() {
    // X11
    let home = home();
    refused(&home.ca(&["ocsp", "enable", "nobody"]), 5, "authority.not-found");
    home.shell("genfic-ca --yes revoke-ca genfic-user --reason superseded || test $? = 8").ok();
    home.ca(&["--yes", "ocsp", "disable", "genfic-user"]).ok();
    refused(&home.ca(&["ocsp", "enable", "genfic-user"]), 7, "issuer.unfit");
}
