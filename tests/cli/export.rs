//! `export`: what other programs make of it.
use crate::refused;
use crate::support::{Home, Said};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SECRET: &str = "changeit";

/// A hierarchy, a server's certificate and a person's.
fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    fs::write(home.path("secret"), SECRET).unwrap();
    fs::set_permissions(home.path("secret"), PermissionsExt::from_mode(0o600)).unwrap();
    home.ca(&["create-request", "www.genfic.example", "--sign", "-p", "genfic-system", "--key", "rsa2048"])
        .ok();
    home
}

fn p12(home: &Home, words: &[&str]) -> Said {
    let source = ["--p12-passphrase-from", "file:secret"];
    home.ca(&[&["export"], words, &source].concat())
}

fn mode(home: &Home, name: &str) -> u32 {
    fs::metadata(home.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn bundles_are_read_by_openssl_python_and_keytool() {
    // G18
    let home = home();
    home.ca(&["export", "bundle", "-o", "roots.pem"]).ok();
    home.run(&["openssl", "verify", "-CAfile", "roots.pem", "home/public/genfic-user.pem"]).ok();
    home.ca(&["export", "bundle", "genfic-user", "--format", "der", "-o", "user.cer"]).ok();
    let der = fs::read(home.path("user.cer")).unwrap();
    assert_eq!(der, fs::read(home.path("home/public/genfic-user.crt")).unwrap());
    home.ca(&["export", "bundle", "genfic", "genfic-user", "--format", "pkcs7", "-o", "all.p7b"]).ok();
    let listed =
        home.run(&["openssl", "pkcs7", "-inform", "der", "-in", "all.p7b", "-print_certs", "-noout"]).ok();
    assert_eq!(listed.out.matches("subject=").count(), 2, "{}", listed.out);
    assert!(home.run(&["keytool", "-printcert", "-file", "all.p7b"]).ok().out.contains("genfic-user"));
    home.run(&["certtool", "--p7-info", "--inder", "--infile", "all.p7b"]).ok();
    home.ca(&[
        "export",
        "bundle",
        "genfic",
        "genfic-user",
        "--format",
        "mobileconfig",
        "-o",
        "a.mobileconfig",
    ])
    .ok();
    let read = "import plistlib; p = plistlib.load(open('a.mobileconfig', 'rb')); \
                print([(c['PayloadType'], c['PayloadContent'] == open(f'home/public/{c[\"PayloadDisplayName\"]}.crt', 'rb').read()) for c in p['PayloadContent']])";
    let profile = home.run(&["python3", "-c", read]).ok().out;
    assert_eq!(profile, "[('com.apple.security.root', True), ('com.apple.security.pkcs1', True)]\n");
}

#[test]
fn java_finds_the_roots_in_a_trust_store() {
    // G18
    let home = home();
    for (name, words) in [("trust.p12", &[][..]), ("old.p12", &["--legacy"])] {
        p12(&home, &[&["truststore", "-o", name], words].concat()).ok();
        let listed = home.run(&["keytool", "-list", "-keystore", name, "-storepass", SECRET]).ok().out;
        assert!(listed.contains("genfic,") && listed.contains("trustedCertEntry"), "{listed}");
    }
}

#[test]
fn a_holders_file_opens_in_openssl_java_nss_and_gnutls() {
    // G19
    let home = home();
    let key = fs::read_to_string(home.path("www.genfic.example.key")).unwrap();
    home.run(&["mkdir", "nss"]).ok();
    home.run(&["certutil", "-N", "-d", "sql:nss", "--empty-password"]).ok();
    for (name, old) in [("new.p12", &[][..]), ("old.p12", &["-legacy"])] {
        let words = ["p12", "www.genfic.example", "--key", "www.genfic.example.key", "-o", name];
        p12(&home, &[&words[..], if old.is_empty() { &[] } else { &["--legacy"] }].concat()).ok();
        assert_eq!(mode(&home, name), 0o600);
        let words = ["openssl", "pkcs12", "-in", name, "-passin", "file:secret", "-nodes"];
        let opened = home.run(&[&words[..], old].concat()).ok().out;
        assert_eq!(
            opened.matches("BEGIN CERTIFICATE").count(),
            2,
            "with its issuer, without the root: {opened}"
        );
        assert_eq!(opened.matches("friendlyName: www.genfic.example").count(), 2, "{opened}");
        let body = |text: &str| {
            let rest = text.split_once("-----BEGIN PRIVATE KEY-----").unwrap().1;
            rest.split_once("-----END").unwrap().0.trim().to_owned()
        };
        assert_eq!(body(&opened), body(&key));
        let listed = home.run(&["keytool", "-list", "-v", "-keystore", name, "-storepass", SECRET]).ok().out;
        assert!(
            listed.contains("PrivateKeyEntry") && listed.contains("Certificate chain length: 2"),
            "{listed}"
        );
        home.run(&["pk12util", "-l", name, "-W", SECRET]).ok();
        let info =
            home.run(&["certtool", "--p12-info", "--inder", "--infile", name, "--password", SECRET]).ok();
        assert_eq!(info.all().matches("BEGIN CERTIFICATE").count(), 2, "{}", info.all());
    }
    home.run(&["pk12util", "-i", "new.p12", "-d", "sql:nss", "-W", SECRET]).ok();
    let in_nss = home.run(&["certutil", "-L", "-d", "sql:nss"]).ok().out;
    assert!(in_nss.contains("www.genfic.example") && in_nss.contains("u,u,u"), "{in_nss}");
}

#[test]
fn every_key_type_and_encrypted_key_is_handed_out() {
    // G19
    let home = home();
    for key in ["p384", "ed25519"] {
        let name = format!("{key}.genfic.example");
        home.ca(&["create-request", &name, "--sign", "-p", "genfic-system", "--key", key, "--encrypt"]).ok();
        let file = format!("{name}.key");
        p12(&home, &["p12", &name, "--key", &file, "-o", &format!("{key}.p12"), "--with-root"]).ok();
        let opened = home.run(&[
            "openssl",
            "pkcs12",
            "-in",
            &format!("{key}.p12"),
            "-passin",
            "file:secret",
            "-nodes",
        ]);
        assert_eq!(opened.ok().out.matches("BEGIN CERTIFICATE").count(), 3);
        let wrong = ["--key-passphrase-from", "file:secret"];
        let words = ["p12", &name, "--key", &file, "-o", "wrong.p12"];
        refused(&p12(&home, &[&words[..], &wrong].concat()), 8, "key.passphrase-wrong");
        assert!(!home.path("wrong.p12").exists());
    }
}

#[test]
fn a_generated_passphrase_opens_the_file_that_is_handed_out() {
    // G18
    let home = home();
    let words = [
        "export",
        "p12",
        "www.genfic.example",
        "--key",
        "www.genfic.example.key",
        "-o",
        "w.p12",
        "--generate",
    ];
    let to = |from| [&words[..], &["--p12-passphrase-from", from]].concat();
    let said = home.ca(&to("file:new")).ok();
    assert!(said.err.contains("is in new"), "{}", said.all());
    let generated = fs::read_to_string(home.path("new")).unwrap();
    assert_eq!(generated.split_whitespace().count(), 6);
    assert_eq!(mode(&home, "new"), 0o600);
    home.run(&["openssl", "pkcs12", "-in", "w.p12", "-noout", "-passin", "file:new"]).ok();
    refused(&home.ca(&to("env:OTHER")), 2, "usage.passphrase-from");
    fs::remove_file(home.path("w.p12")).unwrap();
    refused(&home.ca(&words), 9, "key.passphrase-needed");
}

#[test]
fn a_file_with_a_key_is_never_replaced_unasked_and_a_wrong_key_is_refused() {
    // G19
    let home = home();
    home.ca(&["create-request", "other.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    fs::write(home.path("there.p12"), "mine").unwrap();
    let with = |key: &str, more: &[&str]| {
        let words = ["p12", "www.genfic.example", "--key", key, "-o", "there.p12"];
        p12(&home, &[&words[..], more].concat())
    };
    refused(&with("www.genfic.example.key", &[]), 4, "file.exists");
    assert_eq!(fs::read_to_string(home.path("there.p12")).unwrap(), "mine");
    refused(&with("other.genfic.example.key", &["--force"]), 11, "key.mismatch");
    refused(&with("none.key", &["--force"]), 5, "key.not-found");
    assert_eq!(fs::read_to_string(home.path("there.p12")).unwrap(), "mine");
    with("www.genfic.example.key", &["--force"]).ok();
    assert_eq!(mode(&home, "there.p12"), 0o600);
    let words = ["export", "p12", "www.genfic.example", "--key", "www.genfic.example.key", "-o", "new.p12"];
    let asked = home.ca(&words);
    refused(&asked, 9, "key.passphrase-needed");
    assert!(asked.err.contains("--p12-passphrase-from"), "{}", asked.err);
    fs::write(home.path("secret"), "pässwort").unwrap();
    refused(&p12(&home, &["truststore", "-o", "t.p12"]), 8, "key.passphrase-unsuitable");
    refused(&p12(&home, &["p12", "none", "--key", "x", "-o", "y"]), 5, "certificate.not-found");
}

#[test]
fn openssl_finds_cas_and_crls_in_a_hashed_directory() {
    // G18
    let home = home();
    home.ca(&["revoke", "www.genfic.example"]).ok();
    home.ca(&["create-request", "a.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["export", "hashed-dir", "anchors"]).ok();
    let verify = |name: &str| {
        let file = format!("{name}.crt");
        let words =
            ["openssl", "verify", "-CApath", "anchors", "-no-CAfile", "-no-CAstore", "-crl_check_all"];
        home.run(&[&words[..], &["-untrusted", "home/public/genfic-system.pem", &file]].concat())
    };
    verify("a.genfic.example").ok();
    let revoked = verify("www.genfic.example");
    assert!(revoked.status != 0 && revoked.all().contains("certificate revoked"), "{}", revoked.all());
    let names = |directory: &str| {
        let entries = fs::read_dir(home.path(directory)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with(".pem"));
        names.sort();
        names
    };
    home.shell("mkdir theirs; cp home/public/genfic.pem theirs/; for ca in genfic genfic-user genfic-system; do cp home/public/$ca.crl.pem theirs/$ca-crl.pem; done; openssl rehash theirs").ok();
    assert_eq!(names("anchors"), names("theirs"));
    let before = names("anchors");
    home.ca(&["crl", "publish", "genfic-system"]).ok();
    home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert_eq!(names("anchors"), before, "a newer list takes the place of the old one");
    let new = fs::read(home.path("home/public/genfic-system.crl.pem")).unwrap();
    assert!(before.iter().any(|name| fs::read(home.path("anchors").join(name)).unwrap() == new));
    let own = before.iter().find(|name| name.ends_with(".0")).unwrap();
    fs::write(home.path("anchors").join(own), "somebody else's").unwrap();
    home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert_eq!(fs::read_to_string(home.path("anchors").join(own)).unwrap(), "somebody else's");
}

#[test]
fn anchors_that_cannot_be_handed_out_are_told() {
    // G18
    let home = Home::new();
    refused(&home.ca(&["export", "bundle"]), 5, "authority.not-found");
    home.ca(&["create-root", "one"]).ok();
    home.ca(&["create-root", "two"]).ok();
    refused(&home.ca(&["export", "bundle", "none"]), 5, "authority.not-found");
    refused(&home.ca(&["export", "bundle", "--format", "der"]), 2, "usage");
    refused(&home.ca(&["export", "bundle", "-o", "none/x"]), 5, "file.directory");
    refused(&home.ca(&["export", "bundle", "--format", "jks"]), 2, "usage");
    assert_eq!(home.ca(&["export", "bundle"]).ok().out.matches("BEGIN CERTIFICATE").count(), 2);
}

#[test]
fn a_retired_root_is_handed_out_only_when_it_is_asked_for() {
    // G10, G18
    let home = Home::new();
    for name in ["one", "two"] {
        home.ca(&["create-root", name]).ok();
    }
    let listed = |words: &[&str]| -> Vec<String> {
        let result = home.result(&[&["export"], words].concat());
        let all = result["authorities"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed(&["hashed-dir", "anchors"]), ["one", "two"]);
    home.ca(&["retire", "one"]).ok();
    let said = home.ca(&["export", "bundle"]).ok();
    assert!(said.err.contains("one-retired is left out: it is retired"), "{}", said.all());
    assert_eq!(said.out.matches("BEGIN CERTIFICATE").count(), 1);
    let store = ["truststore", "-o", "roots.p12", "--p12-passphrase-from", "env:GENFIC_TEST_PASSPHRASE"];
    for words in [&["bundle"][..], &["bundle", "--format", "mobileconfig"], &store] {
        assert_eq!(listed(words), ["two"], "{words:?}");
    }
    // what was written before goes
    let said = home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert!(said.err.contains("one-retired is retired"), "{}", said.all());
    let files = |ending: &str| {
        let entries = fs::read_dir(home.path("anchors")).unwrap();
        entries.filter(|one| one.as_ref().unwrap().file_name().to_str().unwrap().ends_with(ending)).count()
    };
    assert_eq!((files(".0"), files(".r0")), (1, 1));

    assert_eq!(listed(&["bundle", "--all"]), ["one-retired", "two"]);
    assert_eq!(listed(&["bundle", "one-retired"]), ["one-retired"]);
    assert_eq!(listed(&["hashed-dir", "anchors", "--all"]), ["one-retired", "two"]);
    assert_eq!((files(".0"), files(".r0")), (2, 2));
}

#[test]
fn the_key_decides_which_of_several_certificates_is_handed_out() {
    let home = home();
    fs::create_dir(home.path("new")).unwrap();
    let serial = |result: serde_json::Value| result["certificates"][0]["serial"].as_str().unwrap().to_owned();
    let renewed = serial(home.result(&["renew", "www.genfic.example"]));
    let rekeyed = serial(home.result(&["rekey", "www.genfic.example", "--dir", "new"]));
    for (key, serial) in [("www.genfic.example.key", &renewed), ("new/www.genfic.example.key", &rekeyed)] {
        let words = ["p12", "www.genfic.example", "--key", key, "-o", "a.p12", "--force"];
        let said = p12(&home, &words).ok();
        assert!(said.err.contains(&format!("genfic-system/{serial}")), "{}", said.err);
        let show =
            "openssl pkcs12 -in a.p12 -passin file:secret -nokeys -clcerts | openssl x509 -noout -serial";
        let shown = home.shell(show).ok().out.trim().to_ascii_lowercase();
        assert_eq!(shown.trim_start_matches("serial="), serial);
    }
    home.ca(&["create-request", "other.genfic.example"]).ok();
    let words = ["p12", "www.genfic.example", "--key", "other.genfic.example.key", "-o", "b.p12"];
    refused(&p12(&home, &words), 11, "key.mismatch");
    home.ca(&["revoke", &format!("genfic-system/{renewed}")]).ok();
    let words = ["p12", "www.genfic.example", "--key", "www.genfic.example.key", "-o", "a.p12", "--force"];
    let said = p12(&home, &words).ok();
    assert!(!said.err.contains(&renewed), "a revoked one gives way to a valid one: {}", said.err);
}
