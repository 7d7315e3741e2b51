//! Requests that OpenSSL made: PEM and DER, every common key, with all that people put into them.
use crate::hierarchy::{ROOT, ROOT_CRL, SYSTEM, SYSTEM_CRL};
use crate::support::{Home, Said};
use serde_json::Value;
use std::fs;

const CONFIG: &str = "
[req]
prompt = no
utf8 = yes
string_mask = utf8only
distinguished_name = dn
req_extensions = ext
attributes = attributes
[dn]
C = BE
O = Genfic
0.OU = Hosts
1.OU = Racks
CN = host.genfic.example
[attributes]
challengePassword = not a secret
[ext]
subjectAltName = DNS:host.genfic.example,DNS:www.genfic.example,IP:192.0.2.7,IP:2001:db8::7,URI:https://genfic.example/
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
extendedKeyUsage = codeSigning
";

/// File, form, `-newkey` and its options, what `openssl x509 -text` calls the key.
const REQUESTS: &[(&str, &str, &[&str], &str)] = &[
    ("rsa2048", "PEM", &["rsa:2048"], "Public-Key: (2048 bit)"),
    ("rsa4096", "DER", &["rsa:4096"], "Public-Key: (4096 bit)"),
    ("p256", "DER", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "NIST CURVE: P-256"),
    ("p384", "PEM", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "NIST CURVE: P-384"),
    ("p521", "PEM", &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "NIST CURVE: P-521"),
    ("ed25519", "DER", &["ed25519"], "Public Key Algorithm: ED25519"),
];

fn request(home: &Home, (name, form, newkey, _): &(&str, &str, &[&str], &str)) -> String {
    fs::write(home.path("req.cnf"), CONFIG).unwrap();
    let (key, file) = (format!("{name}.key"), format!("{name}.req"));
    let make = ["openssl", "req", "-new", "-config", "req.cnf", "-nodes", "-keyout", &key, "-out", &file];
    home.run(&[&make[..], &["-outform", form, "-newkey"], newkey].concat()).ok();
    file
}

fn text(home: &Home, file: &str) -> String {
    // newer versions write names without blanks around the equals sign
    home.run(&["openssl", "x509", "-in", file, "-noout", "-text"]).ok().out.replace(" = ", "=")
}

fn verify(home: &Home, file: &str) -> Said {
    home.run(&[
        "openssl",
        "verify",
        "-x509_strict",
        "-crl_check_all",
        "-CAfile",
        ROOT,
        "-untrusted",
        SYSTEM,
        "-CRLfile",
        ROOT_CRL,
        "-CRLfile",
        SYSTEM_CRL,
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "www.genfic.example",
        file,
    ])
}

#[test]
fn requests_of_openssl_are_signed_in_one_go_and_what_they_ask_too_much_is_left_out() {
    // X4, X7, X12, X13, G20
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let files: Vec<String> = REQUESTS.iter().map(|one| request(&home, one)).collect();
    fs::create_dir(home.path("out")).unwrap();
    let mut words = vec!["sign", "-p", "genfic-system", "-o", "out", "--json"];
    words.extend(files.iter().map(String::as_str));
    let said = home.ca(&words).ok().json();
    let warnings = said["warnings"].to_string();
    for left_out in ["challenge password", "keyUsage", "extKeyUsage", "CA:TRUE"] {
        assert!(warnings.contains(left_out), "{left_out}: {warnings}");
    }
    let certificates: &Vec<Value> = said["result"]["certificates"].as_array().unwrap();
    assert_eq!(certificates.len(), REQUESTS.len());
    for (certificate, (name, _, _, key)) in certificates.iter().zip(REQUESTS) {
        let file = certificate["file"].as_str().unwrap();
        verify(&home, file).ok();
        let text = text(&home, file);
        assert!(text.contains(key), "{name}: {text}");
        assert!(
            text.contains("Subject: C=BE, O=Genfic, OU=Hosts, OU=Racks, CN=host.genfic.example"),
            "{text}"
        );
        assert!(
            text.contains(
                "DNS:host.genfic.example, DNS:www.genfic.example, IP Address:192.0.2.7, \
                 IP Address:2001:DB8:0:0:0:0:0:7, URI:https://genfic.example/"
            ),
            "{name}: {text}"
        );
        for never in ["CA:TRUE", "Certificate Sign", "Code Signing", "not a secret"] {
            assert!(!text.contains(never), "{name}, {never}: {text}");
        }
        assert!(text.contains("TLS Web Server Authentication, TLS Web Client Authentication"), "{text}");
        let public = |words: &[&str]| home.run(&[&["openssl"][..], words].concat()).ok().out;
        let (mine, theirs) = (["x509", "-pubkey", "-noout", "-in", file], ["pkey", "-pubout", "-in"]);
        assert_eq!(public(&mine), public(&[&theirs[..], &[&format!("{name}.key")]].concat()));
    }
}

#[test]
fn a_request_whose_signature_is_not_by_its_key_is_refused() {
    // X13
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let file = request(&home, &REQUESTS[2]);
    let mut octets = fs::read(home.path(&file)).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    fs::write(home.path("forged.req"), octets).unwrap();
    let said = home.ca(&["sign", "-p", "genfic-system", "forged.req"]);
    assert_eq!(said.status, 7, "{}", said.all());
    assert_eq!(home.ca(&["sign", "-p", "genfic-system", &file]).status, 0);
}

#[test]
fn keys_that_are_too_weak_are_refused_whoever_made_them() {
    // X13
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let weak: [(&[&str], &str); 3] = [
        (&["rsa:1024"], "policy.weak-key"),
        (&["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "request.unsupported"),
        (&["rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3"], "policy.weak-key"),
    ];
    for (n, (newkey, code)) in weak.iter().enumerate() {
        let file = request(&home, &(&format!("weak{n}"), "PEM", newkey, ""));
        let said = home.ca(&["sign", "-p", "genfic-system", &file]);
        assert_eq!(said.status, 7, "{newkey:?}: {}", said.all());
        assert!(said.err.contains(code), "{newkey:?}: {}", said.all());
    }
}

#[test]
fn an_rdn_that_has_one_attribute_twice_is_refused() {
    // X4
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let words = "openssl req -new -newkey rsa:2048 -nodes -multivalue-rdn -keyout d.key -out d.req -subj";
    let mut words: Vec<&str> = words.split(' ').collect();
    words.push("/O=X/OU=x+OU=y/CN=h.genfic.example");
    home.run(&words).ok();
    let said = home.ca(&["sign", "-p", "genfic-system", "d.req"]);
    assert_eq!(said.status, 7, "{}", said.all());
    assert!(said.err.contains("policy.subject-rdn"), "{}", said.all());
}
