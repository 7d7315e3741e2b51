//! Name constraints as others apply them: to what we issue, and to what a thief of the key would.
use crate::fixture::{ROOT, SYSTEM, ca_key_pem};
use crate::support::{Home, Said, python};
use std::fs;

const PERMITTED: &[&str] = &["--permit", "genfic.example", "--exclude", "secret.genfic.example"];

fn constrained_home(constraints: &[&str]) -> Home {
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let create = ["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca"];
    home.ca(&[&create[..], constraints].concat()).ok();
    home
}

fn steal_key(home: &Home) {
    fs::write(home.path("stolen.key"), ca_key_pem(home, "genfic-system")).unwrap();
}

/// A certificate by the CA's own key for these names, which `sign` would refuse.
fn forge(home: &Home, names: &str) -> &'static str {
    let extensions = format!(
        "basicConstraints=CA:FALSE\nsubjectAltName={names}\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    );
    fs::write(home.path("forged.ext"), extensions).unwrap();
    let newkey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let request =
        ["openssl", "req", "-new", "-keyout", "forged.key", "-out", "forged.req", "-subj", "/O=Forged"];
    home.run(&[&request[..], &newkey].concat()).ok();
    home.run(&[
        "openssl",
        "x509",
        "-req",
        "-in",
        "forged.req",
        "-CA",
        SYSTEM,
        "-CAkey",
        "stolen.key",
        "-days",
        "30",
        "-extfile",
        "forged.ext",
        "-out",
        "forged.crt",
    ])
    .ok();
    "forged.crt"
}

fn by_openssl(home: &Home, file: &str) -> Said {
    home.run(&["openssl", "verify", "-x509_strict", "-CAfile", ROOT, "-untrusted", SYSTEM, file])
}

fn by_gnutls(home: &Home, file: &str) -> Said {
    let both = [file, SYSTEM].map(|one| fs::read_to_string(home.path(one)).unwrap()).concat();
    fs::write(home.path("chain.pem"), both).unwrap();
    home.run(&["certtool", "--verify", "--load-ca-certificate", ROOT, "--infile", "chain.pem"])
}

fn by_python(home: &Home, file: &str, host: &str) -> Said {
    const SCRIPT: &str = "
import sys
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
leaf, issuer, root = (x509.load_pem_x509_certificate(open(path, 'rb').read()) for path in sys.argv[2:])
verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName(sys.argv[1]))
verifier.verify(leaf, [issuer])
";
    home.run(&[&python(), "-c", SCRIPT, host, file, SYSTEM, ROOT])
}

#[test]
fn what_a_constrained_ca_issues_is_accepted_and_what_it_must_not_issue_refused_by_all() {
    // X8
    let home = constrained_home(PERMITTED);
    for (host, exit) in [("host.genfic.example", 0), ("evil.example", 7), ("a.secret.genfic.example", 7)] {
        let said = home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]);
        assert_eq!(said.status, exit, "{}", said.all());
    }
    by_openssl(&home, "host.genfic.example.crt").ok();
    by_gnutls(&home, "host.genfic.example.crt").ok();
    by_python(&home, "host.genfic.example.crt", "host.genfic.example").ok();

    steal_key(&home);
    by_openssl(&home, forge(&home, "DNS:other.genfic.example")).ok();
    by_gnutls(&home, "forged.crt").ok();
    by_python(&home, "forged.crt", "other.genfic.example").ok();
    for host in ["evil.example", "a.secret.genfic.example", "secret.genfic.example", "evilgenfic.example"] {
        let file = forge(&home, &format!("DNS:{host}"));
        for said in [by_openssl(&home, file), by_gnutls(&home, file), by_python(&home, file, host)] {
            assert_ne!(said.status, 0, "{host}: {}", said.all());
        }
        assert!(by_openssl(&home, file).err.contains("subtree violation"), "{host}");
    }
}

#[test]
fn a_ca_for_dns_names_only_is_a_ca_for_no_address() {
    // X8: permitting only DNS names also excludes 0.0.0.0/0 and ::/0
    let home = constrained_home(PERMITTED);
    let text = home.run(&["openssl", "x509", "-in", SYSTEM, "-noout", "-text"]).ok().out;
    assert!(text.contains("X509v3 Name Constraints: critical"), "{text}");
    steal_key(&home);
    for address in ["IP:192.0.2.7", "IP:2001:db8::7"] {
        let file = forge(&home, address);
        let said = by_openssl(&home, file);
        assert!(said.err.contains("excluded subtree violation"), "{address}: {}", said.all());
        assert_ne!(by_gnutls(&home, file).status, 0, "{address}");
    }
}

#[test]
fn constraints_of_every_kind_bind_a_thief_too() {
    // X8
    let home = constrained_home(&[
        "--permit",
        "genfic.example",
        "--permit",
        "192.0.2.0/24",
        "--permit",
        "email:genfic.example",
        "--permit",
        "uri:.genfic.example",
        "--exclude",
        "192.0.2.128/25",
    ]);
    steal_key(&home);
    by_openssl(&home, forge(&home, "DNS:genfic.example,IP:192.0.2.7,email:a@genfic.example")).ok();
    by_gnutls(&home, "forged.crt").ok();
    by_openssl(&home, forge(&home, "URI:https://www.genfic.example/x")).ok();
    for names in [
        "IP:198.51.100.1",
        "IP:192.0.2.200",
        "IP:2001:db8::1",
        "email:a@evil.example",
        "URI:https://evil.example/",
    ] {
        let said = by_openssl(&home, forge(&home, names));
        assert!(said.err.contains("subtree violation"), "{names}: {}", said.all());
    }
}
