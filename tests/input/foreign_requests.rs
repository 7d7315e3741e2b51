//! Requests as mail programs, web forms and other systems hand them over.
use crate::support::Home;
use crate::{ca, refused};
use genfic_ca::signing::SubscriberKey;
use genfic_ca::x509::{KeyAlgorithm, Name, pem};
use std::fs;
use std::path::Path;

fn corpus(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/request").join(name)).unwrap()
}

#[test]
fn a_request_that_came_by_mail_is_shown_signed_and_taken_for_a_renewal() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["base64_of_pem.txt", "quoted_mail.txt"] {
        fs::write(home.path(name), corpus(name)).unwrap();
        let shown = home.ca(&["show", name]).ok().out;
        assert!(shown.contains("CN=plain.genfic.example") && shown.contains("verifies"), "{shown}");
        home.ca(&["sign", name, "-p", "genfic-system"]).ok();
    }
    home.ca(&["create-request", "mail.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home.shell(
        "mkdir new && genfic-ca create-request mail.genfic.example --dir new
         python3 -c 'import quopri, sys; quopri.encode(sys.stdin.buffer, sys.stdout.buffer, True)' \\
             < new/mail.genfic.example.req > printable.txt
         sed 's/^/    /' new/mail.genfic.example.req > indented.txt",
    )
    .ok();
    assert!(!fs::read_to_string(home.path("printable.txt")).unwrap().contains("BEGIN CERTIFICATE REQUEST"));
    home.ca(&["rekey", "mail.genfic.example", "--request", "printable.txt"]).ok();
    home.ca(&["sign", "indented.txt", "-p", "genfic-system"]).ok();
}

#[test]
fn a_private_key_is_noticed_through_every_wrapping() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example"]).ok();
    home.shell(
        "cat a.example.req a.example.key > both && base64 both > both.txt && sed 's/^/> /' both > quoted.txt
         base64 a.example.key > key.txt",
    )
    .ok();
    for file in ["both", "both.txt", "quoted.txt"] {
        refused(&ca(&home, &["sign", file, "-p", "genfic-system"]), 7, "request.with-private-key", file);
    }
    refused(&ca(&home, &["sign", "key.txt", "-p", "genfic-system"]), 7, "request.not-a-request", "key.txt");
}

#[test]
fn names_of_other_systems_are_shown_as_text_wherever_they_are_shown() {
    // X7
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (name, shown) in [
        ("smartcard.pem", "UPN:amber@ad.genfic.example"),
        ("kdc.pem", "KRB5:krbtgt/GENFIC.EXAMPLE@GENFIC.EXAMPLE"),
        ("domain_controller.pem", "GUID:03020100-0504-0706-0809-0a0b0c0d0e0f"),
    ] {
        fs::write(home.path(name), corpus(name)).unwrap();
        let text = home.ca(&["show", name]).ok().out;
        assert_eq!(text.matches(shown).count(), 2, "{text}");
        assert!(home.result(&["show", name]).to_string().contains(shown));
        let said = ca(&home, &["sign", name, "-p", "genfic-system"]);
        assert_eq!(said.status, 7, "{}", said.all());
        assert!(said.err.contains(shown) || name == "kdc.pem", "{}", said.err);
    }
}

/// A name of an organization and a common name, both in UniversalStrings.
fn universal(organization: &str, common_name: &str) -> Name {
    let element = |tag: u8, contents: &[u8]| {
        let length = u8::try_from(contents.len()).unwrap();
        let header = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [&header, contents].concat()
    };
    let attribute = |oid: u8, text: &str| {
        let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        element(0x31, &element(0x30, &[vec![6, 3, 0x55, 4, oid], element(0x1c, &wide)].concat()))
    };
    let rdns = [attribute(10, organization), attribute(3, common_name)].concat();
    Name::from_der(&element(0x30, &rdns)).unwrap()
}

#[test]
fn names_in_universal_strings_are_read_and_written_again_as_they_came() {
    // X3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let key = SubscriberKey::generate(KeyAlgorithm::P256).unwrap();
    let subject = universal("Gäste", "u.genfic.example");
    let request = pem::encode("CERTIFICATE REQUEST", &key.request(&subject, &[]).unwrap());
    fs::write(home.path("u.req"), request).unwrap();
    let types = |kind: &str, file: &str| {
        let words =
            ["openssl", kind, "-in", file, "-noout", "-subject", "-nameopt", "show_type,sep_comma_plus"];
        home.run(&words).ok().out
    };
    assert_eq!(types("req", "u.req").matches("UNIVERSALSTRING").count(), 2, "{}", types("req", "u.req"));
    let shown = home.ca(&["show", "u.req"]).ok().out;
    assert!(shown.contains("O=Gäste, CN=u.genfic.example"), "{shown}");
    home.ca(&["sign", "u.req", "-p", "genfic-system", "--san", "u.genfic.example", "-o", "u.crt"]).ok();
    let written = types("x509", "u.crt");
    assert!(written.contains("u.genfic.example"), "{written}");
    home.ca(&["renew", "u.genfic.example", "-o", "again.crt"]).ok();
    assert_eq!(types("x509", "again.crt"), written);
    home.run(&[
        "openssl",
        "verify",
        "-CAfile",
        "home/public/genfic.pem",
        "-untrusted",
        "home/public/genfic-system.pem",
        "again.crt",
    ])
    .ok();
}
