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

#[test]
fn the_first_six_digits_of_a_serial_number_name_a_certificate() {
    // G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let made = home.result(&["create-request", "a.example", "--sign", "-p", "genfic-system"]);
    let serial = made["certificates"][0]["serial"].as_str().unwrap().to_owned();
    let number = num_bigint::BigUint::parse_bytes(serial.as_bytes(), 16).unwrap();
    for word in [
        serial[..6].to_owned(),
        serial[..9].to_uppercase(),
        serial.clone(),
        format!("{}:{}:{}:{}", &serial[..2], &serial[2..4], &serial[4..6], &serial[6..8]),
        format!("serial:{}", &serial[..6]),
        format!("genfic-system/{}", &serial[..7]),
        format!("dec:{number}"),
        format!("genfic-system/dec:{number}"),
        format!("serial:0x{serial}"),
    ] {
        assert_eq!(home.result(&["show", &word])["serial"], serial.as_str(), "{word}");
    }
    for (word, exit) in [
        (serial[..5].to_owned(), 5),
        (format!("serial:{}", &serial[..5]), 5),
        (format!("serial:0x{}", &serial[..8]), 5),
        (format!("genfic/{}", &serial[..8]), 5),
        ("dec:12x".into(), 2),
        (format!("dec:{}", "9".repeat(60)), 2),
    ] {
        assert_eq!(home.ca(&["show", &word]).status, exit, "{word}");
    }
    // an exact name wins
    home.ca(&["create-request", &serial[..6], "--sign", "-p", "genfic-user"]).ok();
    assert_eq!(home.result(&["show", &serial[..6]])["subject"], format!("CN={}", &serial[..6]));
    home.ca(&["hold", &serial[..8], "--no-crl"]).ok();
    home.ca(&["release", &serial[..8], "--no-crl"]).ok();
    home.ca(&["revoke", &serial[..8]]).ok();
}

#[test]
fn first_digits_are_never_taken_for_a_whole_number_or_the_other_way_round() {
    // G11, C1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for number in ["4f1a2b00", "4f1a2b01"] {
        home.ca(&["--yes", "revoke", &format!("genfic-system/{number}")]).ok();
    }
    for words in [
        &["show", "4f1a2b"][..],
        &["show", "serial:4f1a2b"],
        &["--yes", "revoke", "genfic-system/4f1a2b"],
        &["--yes", "revoke", "serial:4f1a2b", "-p", "genfic-system"],
    ] {
        let said = home.ca(words);
        let expected =
            if words[0] == "show" { (2, "certificate.ambiguous") } else { (5, "certificate.not-found") };
        refused(&said, expected.0, expected.1);
        assert_eq!(said.err.matches("\ngenfic-system/4f1a2b0").count(), 2, "{words:?} {}", said.err);
    }
    let whole = home.result(&["--yes", "revoke", "genfic-system/0x4f1a2b"]);
    assert_eq!(whole["serial"], "4f1a2b");
    assert_eq!(home.result(&["show", "serial:4f1a2b"])["serial"], "4f1a2b", "a whole number wins");
    assert_eq!(home.result(&["show", "4f1a2b"])["serial"], "4f1a2b");

    let made = home.result(&["create-request", "a.example", "--sign", "-p", "genfic-system"]);
    let serial = made["certificates"][0]["serial"].as_str().unwrap().to_owned();
    let digits = format!("serial:{}", &serial[..8]);
    let asked = home.ca(&["revoke", &digits, "-p", "genfic-system"]);
    refused(&asked, 9, "input.confirmation");
    assert!(asked.err.contains(&format!("0x{}", &serial[..8])), "{}", asked.err);
    assert_eq!(home.ca(&["--yes", "revoke", &digits, "-p", "genfic-user"]).status, 5);
    assert_eq!(home.result(&["--yes", "revoke", &digits])["serial"], serial.as_str());
}

#[test]
fn a_name_that_is_nearly_right_is_followed_by_the_right_one() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    for (words, meant) in [
        (&["show", "www.genfic.exmaple"][..], "www.genfic.example"),
        (&["revoke", "WWW.genfic.exampl"], "www.genfic.example"),
        (&["ocsp", "query", "ww.genfic.example"], "www.genfic.example"),
        (&["show", "genfic-sytem"], "genfic-system"),
        (&["crl", "publish", "genfic_system"], "genfic-system"),
        (&["list", "-p", "genfic-uesr"], "genfic-user"),
        (&["sign", "www.genfic.example.req", "-p", "genfic-system", "--profile", "sytem"], "system"),
        (&["revoke", "www.genfic.example", "--reason", "superceded"], "superseded"),
        (&["create-root", "other", "--key", "p265"], "p256"),
    ] {
        let said = home.ca(words);
        assert!([2, 5, 7].contains(&said.status), "{words:?} {}", said.all());
        assert!(said.err.contains(&format!("did you mean `{meant}`?")), "{words:?} {}", said.err);
    }
    for word in ["nothing-like-it", "x"] {
        let said = home.ca(&["show", word]);
        refused(&said, 5, "certificate.not-found");
        assert!(!said.err.contains("did you mean"), "{}", said.err);
    }
}
