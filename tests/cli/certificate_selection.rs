//! What `CERT` means, and what `show` shows.
use crate::refused;
use crate::support::Home;
use std::fs;

#[test]
fn a_certificate_is_named_in_each_of_the_ways_of_the_contract() {
    // G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let made = ["create-request", "www.example", "--san", "DNS:www.example", "--san", "DNS:alias.example"];
    let made =
        home.result(&[&made[..], &["--subject", "CN=A server", "--sign", "-p", "genfic-system"]].concat());
    let serial = made["certificates"][0]["serial"].as_str().unwrap().to_owned();
    let digest = made["certificates"][0]["fingerprint"].as_str().unwrap().to_owned();
    let colons: String = digest["sha256:".len()..][..8]
        .to_uppercase()
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap().to_owned())
        .collect::<Vec<_>>()
        .join(":");
    for word in [
        format!("serial:{serial}"),
        format!("serial:{}", serial.to_uppercase()),
        digest[..13].to_owned(),
        format!("sha256:{colons}"),
        "A server".into(),
        "www.example".into(),
        "alias.example".into(),
        format!("genfic-system/{serial}"),
        "www.example.crt".into(),
        format!("home/issued/genfic-system/{serial}.pem"),
    ] {
        assert_eq!(home.result(&["show", &word])["serial"], serial.as_str(), "{word}");
        let held = home.ca(&["hold", &word, "--no-crl"]);
        assert_eq!(held.status, 0, "{word} {}", held.all());
        home.ca(&["release", &word, "--no-crl"]).ok();
    }
    let mut command = home.command(&["hold", "-", "--no-crl"]);
    let output = command.stdin(fs::File::open(home.path("www.example.crt")).unwrap()).output().unwrap();
    assert!(output.status.success());
    for (word, exit) in [
        ("serial:zz", 2),
        ("sha256:ab", 2),
        ("sha256:xyzw", 2),
        ("serial:1234", 5),
        ("A serve", 5),
        ("WWW", 5),
        ("genfic-user/1234", 9),
    ] {
        let said = home.ca(&["revoke", word]);
        assert_eq!(said.status, exit, "{word} {}", said.all());
    }
}

#[test]
fn more_than_one_match_is_a_table_and_nothing_else_happens() {
    // G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["sign", "www.example.req", "-p", "genfic-system"]).ok();
    let said = home.ca(&["revoke", "www.example"]);
    refused(&said, 2, "certificate.ambiguous");
    assert_eq!(said.err.matches("\ngenfic-system/").count(), 2, "{}", said.err);
    let listed = home.ca(&["-x"]);
    refused(&listed, 2, "certificate.unnamed");
    let word = said.err.lines().find(|line| line.starts_with("genfic-system/")).unwrap();
    home.ca(&["-x", word.split(' ').next().unwrap()]).ok();
    home.ca(&["-x", "www.example"]).ok();
    refused(&home.ca(&["-x", "www.example"]), 5, "certificate.not-found");
}

#[test]
fn show_shows_whatever_it_is_in_every_form() {
    // G5
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    let issuer = "home/public/genfic-system.pem";
    let words = ["openssl", "ocsp", "-issuer", issuer, "-cert", "www.example.crt", "-reqout", "question.der"];
    home.run(&words).ok();
    for (what, first, label) in [
        ("genfic", "CA certificate, version 3", "CERTIFICATE"),
        ("www.example", "Certificate, version 3", "CERTIFICATE"),
        ("www.example.crt", "Certificate, version 3", "CERTIFICATE"),
        ("www.example.req", "Certification request", "CERTIFICATE REQUEST"),
        ("home/public/genfic.crl", "CRL", "X509 CRL"),
        ("home/public/genfic.crl.pem", "CRL", "X509 CRL"),
        ("question.der", "OCSP request", "OCSP REQUEST"),
    ] {
        let text = home.ca(&["show", what]).ok().out;
        assert_eq!(text.lines().next(), Some(first), "{what}: {text}");
        assert_eq!(home.ca(&["show", what, "--text"]).ok().out, text);
        let pem = home.ca(&["show", what, "--pem", "--quiet"]).ok().out;
        assert!(pem.starts_with(&format!("-----BEGIN {label}-----\n")), "{what}: {pem}");
        fs::write(home.path("again.pem"), pem).unwrap();
        let der = home.command(&["show", what, "--der"]).output().unwrap().stdout;
        assert_eq!(home.command(&["show", "again.pem", "--der"]).output().unwrap().stdout, der, "{what}");
        assert_eq!(der[0], 0x30);
    }
    fs::write(home.path("nothing"), "nothing").unwrap();
    refused(&home.ca(&["show", "nothing"]), 11, "file.malformed");
    refused(&home.ca(&["show", "none.example"]), 5, "certificate.not-found");
    refused(&home.ca(&["show", "genfic", "--pem", "--der"]), 2, "usage");
}
