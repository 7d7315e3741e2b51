//! An issuer that OpenSSL made, with a name that we would never write: what we issue under it must chain all the same.
use crate::support::{Home, PASSPHRASE, free_address};
use age::secrecy::SecretString;
use genfic_ca::audit::{Actor, AuditEvent, Outcome};
use genfic_ca::index::prelude::*;
use genfic_ca::index::sqlite::SqliteIndex;
use genfic_ca::index::{Authority, Import};
use genfic_ca::repository::{HomeDirectory, Publisher};
use genfic_ca::x509::extension::subject_key_identifier;
use genfic_ca::x509::{Certificate, CertificateList};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

/// Two DCs, three OUs in T61String, BMPString and PrintableString, three attributes in one RDN, in no usual order.
const CONFIG: &str = "
[req]
prompt = no
utf8 = yes
string_mask = default
distinguished_name = dn
x509_extensions = ext
[dn]
0.DC = example
1.DC = genfic
C = BE
0.O = Genfic
0.OU = Première
1.OU = Вторая
2.OU = Third
CN = Elder CA
+serialNumber = 17
+UID = elder
[ext]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
";

/// A home with a CA that OpenSSL made, known as `elder`, as if it had always been there.
fn home_with_elder(url: &str, newkey: &[&str], profile: &str) -> (Home, Certificate) {
    let home = Home::at_url(url);
    fs::write(home.path("elder.cnf"), CONFIG).unwrap();
    let make =
        ["openssl", "req", "-x509", "-config", "elder.cnf", "-nodes", "-days", "7000", "-multivalue-rdn"];
    home.run(&[&make[..], &["-keyout", "elder.key", "-out", "elder.pem"], newkey].concat()).ok();
    let pkcs8 = home.run(&["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "elder.key"]).ok().out;
    encrypt(&home, &pkcs8);
    let certificate = Certificate::from_pem_or_der(&fs::read(home.path("elder.pem")).unwrap()).unwrap();
    let elder = Authority {
        name: "elder".into(),
        issuer: certificate.tbs().as_issuer(),
        parent: None,
        profile: profile.into(),
        certificate: certificate.clone(),
        key: "age:elder.age".into(),
        external: false,
        serves_ocsp: true,
        succeeds: None,
        last_end: None,
        retired: None,
    };
    let event = AuditEvent {
        at: genfic_ca::assembly::now(),
        actor: Actor::named("test"),
        action: "authority.imported".into(),
        object: "elder".into(),
        outcome: Outcome::Done,
        details: Vec::new(),
    };
    SqliteIndex::open(&home.path("home/index.db")).unwrap().import(&Import::of(elder, event)).unwrap();
    let place = HomeDirectory::new(genfic_ca::home::Home::at(home.path("home")));
    place.authority("elder", &certificate, &[], &[]).unwrap();
    (home, certificate)
}

fn encrypt(home: &Home, pkcs8: &str) {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(PASSPHRASE));
    recipient.set_work_factor(10);
    let recipients: [&dyn age::Recipient; 1] = [&recipient];
    let file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(home.path("home/keys/elder.age"));
    let mut writer =
        age::Encryptor::with_recipients(recipients.into_iter()).unwrap().wrap_output(file.unwrap()).unwrap();
    writer.write_all(pkcs8.as_bytes()).unwrap();
    writer.finish().unwrap();
}

fn certificate(home: &Home, file: &str) -> Certificate {
    Certificate::from_pem_or_der(&fs::read(home.path(file)).unwrap()).unwrap()
}

/// Issuer name octet for octet, and the key identifier whatever made it.
fn assert_bears_name_of(child: &Certificate, issuer: &Certificate) {
    assert_eq!(child.tbs().issuer().as_der(), issuer.tbs().subject().as_der());
    let identifier = subject_key_identifier(issuer.tbs()).unwrap();
    let authority = child.tbs().extension(genfic_ca::x509::extension::AUTHORITY_KEY_IDENTIFIER).unwrap();
    assert_eq!(authority.value, [&[0x30, 22, 0x80, 20][..], &identifier].concat());
}

#[test]
fn the_name_of_the_test_is_as_odd_as_it_is_meant_to_be() {
    let (_home, elder) = home_with_elder("http://pki.genfic.example", &["-newkey", "ed25519"], "system-ca");
    let subject = elder.tbs().subject();
    assert_eq!(subject.rdns().iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 1, 3]);
    for (tag, text) in [(0x14, &b"Premi\xe8re"[..]), (0x1e, &b"\x04\x12\x04\x42"[..]), (0x13, b"Third")] {
        let der = subject.as_der();
        let at = der.windows(text.len()).position(|octets| octets == text).unwrap();
        assert_eq!(der[at - 2], tag);
    }
}

#[test]
fn what_is_issued_revoked_and_answered_under_an_issuer_with_an_odd_name_verifies() {
    // X3, X6, C1
    let listen = free_address();
    let (home, elder) = home_with_elder(&format!("http://{listen}"), &["-newkey", "rsa:2048"], "system-ca");
    for host in ["good.genfic.example", "bad.genfic.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "elder"]).ok();
        assert_bears_name_of(&certificate(&home, &format!("{host}.crt")), &elder);
    }
    home.ca(&["revoke", "bad.genfic.example", "--reason", "superseded"]).ok();
    let crl = CertificateList::from_der(&fs::read(home.path("home/public/elder.crl")).unwrap()).unwrap();
    assert_eq!(crl.tbs().issuer().as_der(), elder.tbs().subject().as_der());

    let crl = "home/public/elder.crl.pem";
    let verify = |file| {
        let strict = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-CAfile", "elder.pem"];
        home.run(&[&strict[..], &["-CRLfile", crl, file]].concat())
    };
    verify("good.genfic.example.crt").ok();
    let refused = verify("bad.genfic.example.crt");
    assert!(refused.err.contains("certificate revoked"), "{}", refused.all());
    let gnutls = |host: &str| {
        let file = format!("{host}.crt");
        home.run(&[
            "certtool",
            "--verify",
            "--load-ca-certificate",
            "elder.pem",
            "--load-crl",
            crl,
            "--infile",
            &file,
        ])
    };
    gnutls("good.genfic.example").ok();
    assert_ne!(gnutls("bad.genfic.example").status, 0);

    home.ca(&["ocsp", "responder", "elder"]).ok();
    assert_bears_name_of(&certificate(&home, "home/ocsp/elder/responder.pem"), &elder);
    let daemon = home.daemon(&listen);
    let said = home
        .run(&[
            "openssl",
            "ocsp",
            "-issuer",
            "elder.pem",
            "-CAfile",
            "elder.pem",
            "-url",
            &daemon.url,
            "-cert",
            "good.genfic.example.crt",
            "-cert",
            "bad.genfic.example.crt",
        ])
        .ok();
    assert!(said.err.contains("Response verify OK"), "{}", said.all());
    assert!(said.out.contains("good.genfic.example.crt: good"), "{}", said.all());
    assert!(said.out.contains("bad.genfic.example.crt: revoked"), "{}", said.all());
}

#[test]
fn a_child_ca_below_an_issuer_with_an_odd_name_issues_what_verifies() {
    // X3, G3
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
    let (home, elder) = home_with_elder("http://pki.genfic.example", &curve, "root-ca");
    home.ca(&["create-child", "genfic-system", "-p", "elder", "--profile", "system-ca"]).ok();
    home.ca(&["crl", "publish", "elder"]).ok();
    home.ca(&["create-request", "host.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    assert_bears_name_of(&certificate(&home, "home/public/genfic-system.pem"), &elder);
    home.run(&[
        "openssl",
        "verify",
        "-x509_strict",
        "-crl_check_all",
        "-CAfile",
        "elder.pem",
        "-untrusted",
        "home/public/genfic-system.pem",
        "-CRLfile",
        "home/public/elder.crl.pem",
        "-CRLfile",
        "home/public/genfic-system.crl.pem",
        "host.genfic.example.crt",
    ])
    .ok();
}

#[test]
fn a_responder_leaves_out_what_its_profile_does_not_take_of_its_cas_subject() {
    // O7
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let subject = "C=BE,O=Genfic,OU=a,OU=b,OU=c,OU=d,CN=Genfic System,emailAddress=ca@genfic.example";
    let create =
        ["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca", "--subject", subject];
    home.ca(&create).ok();
    let responder = certificate(&home, "home/ocsp/genfic-system/responder.pem");
    let expected = "C=BE, O=Genfic, OU=a, OU=b, OU=c, OU=d, CN=genfic-system OCSP responder";
    assert_eq!(responder.tbs().subject().to_string(), expected);
}
