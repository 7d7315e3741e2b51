//! DigiCert's pkilint over what every shipped profile, the commented examples included, makes of a request.
use crate::foreign_notes::noted;
use crate::support::{Daemon, Home, free_address, python};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// What pkilint finds and we leave as it is: file, the finding's code, the note that says why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[("client.crt", "pkix.invalid_uri_syntax", "pkilint-uri-schemes")];

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/lint.py");
const PERSON: &str = "C=BE,ST=Brabant,L=Leuven,O=Genfic,OU=People,OU=Staff,CN=Zoë Müller,GN=Zoë,SN=Müller,title=Dr,\
    UID=zoe,serialNumber=17";

/// Profile, CA that issues, request's name, options of the request.
const LEAVES: &[(&str, &str, &str, &[&str])] = &[
    ("user", "users", "person", &["--subject", PERSON, "--san", "email:zoe@genfic.example"]),
    ("user", "users", "abroad", &["--subject", "CN=Abroad", "--san", "email:zoë@genfic.example"]),
    (
        "user",
        "users",
        "rsa",
        &["--subject", "CN=Elder", "--san", "email:elder@genfic.example", "--key", "rsa2048"],
    ),
    ("client", "users", "client", &["--subject", "CN=Client", "--san", "URI:spiffe://genfic.example/client"]),
    ("client", "users", "reader", &["--subject", "CN=Reader", "--san", "URI:https://genfic.example/reader"]),
    ("code-signing", "users", "Genfic Software", &["--subject", "C=BE,O=Genfic,CN=Genfic Software"]),
    ("e-mail", "users", "mailbox", &["--subject", "CN=Desk", "--san", "email:desk@genfic.example"]),
    (
        "system",
        "systems",
        "host.genfic.example",
        &["--san", "DNS:host.genfic.example", "--san", "IP:192.0.2.7"],
    ),
    ("system", "systems", "six", &["--subject", "CN=Six", "--san", "IP:2001:db8::7", "--key", "ed25519"]),
    ("system", "systems", "bücher.genfic.example", &["--key", "rsa3072"]),
    ("short-lived", "systems", "brief.genfic.example", &["--key", "p384"]),
];

/// Runs pkilint over `[kind, path, ..]` and gives its findings.
fn findings(home: &Home, files: &[Value]) -> Vec<Value> {
    let said = home.run(&[&python(), SCRIPT, &json!(files).to_string()]).ok();
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.all()))
}

/// The profiles that are in the package, by name.
fn shipped() -> BTreeSet<String> {
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/policy");
    let names = fs::read_dir(policy).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| {
            Some(name.strip_suffix(".example").unwrap_or(&name).strip_suffix(".toml")?.to_owned())
        })
        .collect()
}

/// A home where every shipped profile is in use.
fn home_of_every_profile(url: &str) -> Home {
    let home = Home::at_url(url);
    for entry in fs::read_dir(home.path("home/policy")).unwrap() {
        let example = entry.unwrap().path();
        if example.extension().is_some_and(|extension| extension == "example") {
            fs::rename(&example, example.with_extension("")).unwrap();
        }
    }
    home.ca(&["create-root", "root", "--ocsp"]).ok();
    home.ca(&["create-child", "site", "-p", "root", "--profile", "sub-ca", "--key", "rsa3072"]).ok();
    home.ca(&["create-child", "users", "-p", "site", "--profile", "user-ca", "--key", "p384"]).ok();
    let names = ["--permit", "genfic.example", "--permit", "192.0.2.0/24", "--permit", "2001:db8::/32"];
    let systems = ["create-child", "systems", "-p", "site", "--profile", "system-ca"];
    home.ca(&[&systems[..], &names, &["--exclude", "secret.genfic.example"]].concat()).ok();
    home
}

fn issue_leaves(home: &Home) {
    for (profile, ca, name, options) in LEAVES {
        let request = ["create-request", name, "--sign", "-p", ca, "--profile", profile];
        home.ca(&[&request[..], options].concat()).ok();
    }
}

/// Revokes one certificate a reason, so that their entries are in the CRL and the answers.
fn revoke_for_every_reason(home: &Home) -> Vec<String> {
    let reasons =
        ["unspecified", "key-compromise", "affiliation-changed", "superseded", "cessation-of-operation"];
    let mut revoked = Vec::new();
    for reason in reasons.into_iter().chain(["certificate-hold", "privilege-withdrawn"]) {
        let name = format!("{reason}.genfic.example");
        home.ca(&["create-request", &name, "--sign", "-p", "systems"]).ok();
        match reason {
            "certificate-hold" => home.ca(&["hold", &name]).ok(),
            "key-compromise" => {
                let since = ["--invalidity-date", "2026-01-02T03:04:05Z"];
                home.ca(&[&["revoke", &name, "--reason", reason][..], &since].concat()).ok()
            }
            _ => home.ca(&["revoke", &name, "--reason", reason]).ok(),
        };
        revoked.push(name);
    }
    revoked
}

/// Asks for a certificate's status and saves the answer.
fn save_answer(home: &Home, daemon: &Daemon, issuer: &str, which: &[&str], file: &str) {
    let issuer = format!("home/public/{issuer}.pem");
    let mut words =
        vec!["openssl", "ocsp", "-issuer", &issuer, "-noverify", "-url", &daemon.url, "-respout", file];
    words.extend(which);
    let said = home.run(&words);
    assert!(home.path(file).exists(), "{}", said.all());
}

#[test]
fn pkilint_finds_no_error_in_what_the_shipped_profiles_make() {
    // X4, X5, X7, X8, X9, X10, C1, C2, C4, O7
    let listen = free_address();
    let home = home_of_every_profile(&format!("http://{listen}"));
    issue_leaves(&home);
    let revoked = revoke_for_every_reason(&home);
    let daemon = home.daemon(&listen);

    let mut files = vec![json!(["certificate", "home/public/root.crt"])];
    let mut used: BTreeSet<String> = ["root-ca", "sub-ca", "user-ca", "system-ca"].map(String::from).into();
    let mut pair = |issuer: &str, file: &str| {
        files.push(json!(["certificate", file]));
        files.push(json!(["pair", format!("home/public/{issuer}.crt"), file]));
    };
    for (child, parent) in [("site", "root"), ("users", "site"), ("systems", "site")] {
        pair(parent, &format!("home/public/{child}.crt"));
    }
    for (profile, ca, name, _) in LEAVES {
        used.insert((*profile).into());
        pair(ca, &format!("{name}.crt"));
    }
    used.insert("ocsp-responder".into());
    for ca in ["root", "site", "users", "systems"] {
        pair(ca, &format!("home/ocsp/{ca}/responder.pem"));
    }
    files.extend(
        ["root", "site", "users", "systems"].map(|ca| json!(["crl", format!("home/public/{ca}.crl")])),
    );
    assert_eq!(used, shipped(), "every shipped profile, and no other");

    save_answer(&home, &daemon, "root", &["-cert", "home/public/site.pem"], "good.ocsp");
    save_answer(&home, &daemon, "systems", &["-serial", "7"], "unknown.ocsp");
    save_answer(
        &home,
        &daemon,
        "root",
        &["-sha256", "-issuer", "person.crt", "-serial", "7"],
        "unauthorized.ocsp",
    );
    files.extend(["good.ocsp", "unknown.ocsp", "unauthorized.ocsp"].map(|file| json!(["answer", file])));
    for name in &revoked {
        let (file, certificate) = (format!("{name}.ocsp"), format!("{name}.crt"));
        save_answer(&home, &daemon, "systems", &["-sha256", "-cert", &certificate], &file);
        files.push(json!(["answer", file]));
    }

    let found = findings(&home, &files);
    let excepted = |finding: &Value, (file, code, _): &(&str, &str, &str)| {
        finding["file"] == *file && finding["code"] == *code
    };
    let unexpected: Vec<_> =
        found.iter().filter(|found| !EXCEPTIONS.iter().any(|one| excepted(found, one))).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    for exception in EXCEPTIONS {
        noted(exception.2, found.iter().any(|found| excepted(found, exception)));
    }
}

#[test]
fn what_pkilint_finds_reaches_this_test() {
    // without it, silence would prove nothing
    let home = Home::new();
    let bad = ["-addext", "basicConstraints=CA:TRUE", "-addext", "subjectAltName=critical,DNS:a_b"];
    let make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let to = ["-keyout", "bad.key", "-out", "bad.crt", "-subj", "/CN=bad"];
    let said = home.run(&[&make[..], &to, &bad].concat());
    assert!(home.path("bad.crt").exists(), "{}", said.all());
    let found = findings(&home, &[json!(["certificate", "bad.crt"])]);
    assert!(!found.is_empty());
}
