//! A CA that was revoked or is on hold does not come back, and what limits one is not lost on the way.
use crate::refused;
use crate::support::Home;
use std::fs;

#[test]
fn a_revoked_ca_is_neither_cross_signed_nor_signed_again() {
    // X11
    for reason in ["superseded", "cessation-of-operation", "ca-compromise"] {
        let home = Home::with_hierarchy("http://pki.genfic.example");
        home.ca(&["create-root", "other"]).ok();
        fs::copy(home.path("home/public/genfic-user.pem"), home.path("user.pem")).unwrap();
        let code = if reason == "ca-compromise" { "policy.compromised-key" } else { "authority.revoked" };
        home.ca(&["--yes", "revoke-ca", "genfic-user", "--reason", reason]).ok();
        for what in ["genfic-user", "user.pem"] {
            refused(&home.ca(&["cross-sign", what, "-p", "other"]), 7, code);
        }
        let renewed = home.ca(&["renew-ca", "genfic-user"]);
        refused(&renewed, 7, "authority.revoked");
        home.ca(&["renew-ca", "genfic-user", "--rekey"]).ok();
        let doctor = home.ca(&["authorities"]).ok();
        assert!(doctor.out.contains("genfic-user-g2"), "{}", doctor.out);
    }
}

#[test]
fn a_ca_on_hold_waits_until_it_is_released() {
    // X11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-root", "other"]).ok();
    home.ca(&["hold", "genfic-user", "-p", "genfic"]).ok();
    refused(&home.ca(&["cross-sign", "genfic-user", "-p", "other"]), 7, "policy.key-held");
    refused(&home.ca(&["renew-ca", "genfic-user"]), 7, "policy.key-held");
    home.ca(&["release", "genfic-user", "-p", "genfic"]).ok();
    home.ca(&["cross-sign", "genfic-user", "-p", "other"]).ok();
    home.ca(&["renew-ca", "genfic-user"]).ok();
}

#[test]
fn the_old_request_of_a_revoked_ca_elsewhere_is_refused_and_so_is_its_certificate() {
    // X11, G6
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-root", "other"]).ok();
    let away = Home::new();
    away.ca(&["create-child", "branch", "--csr-only", "--profile", "user-ca"]).ok();
    fs::copy(away.path("branch.req"), home.path("branch.req")).unwrap();
    let sign = |parent: &str| {
        home.ca(&["sign", "branch.req", "-p", parent, "--profile", "user-ca", "-o", &format!("{parent}.crt")])
    };
    sign("genfic").ok();
    sign("other").ok();
    home.ca(&["--yes", "revoke", "genfic.crt", "--reason", "superseded"]).ok();
    refused(&sign("genfic"), 7, "authority.revoked");
    refused(&sign("other"), 7, "authority.revoked");
    for what in ["genfic.crt", "other.crt"] {
        refused(&home.ca(&["cross-sign", what, "-p", "other"]), 7, "authority.revoked");
    }
    // its own home takes it in, unless the revocation is on record there too
    fs::copy(home.path("genfic.crt"), away.path("branch.crt")).unwrap();
    fs::copy(home.path("home/public/genfic.pem"), away.path("genfic.pem")).unwrap();
    away.ca(&["adopt", "branch", "branch.crt", "--chain", "genfic.pem"]).ok();
}

fn openssl_ca(home: &Home, name: &str, extensions: &str) {
    fs::write(
        home.path(&format!("{name}.cnf")),
        format!(
            "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=v3\nstring_mask=utf8only\n[dn]\nO=Partner\nCN={name}\n\
             [v3]\nbasicConstraints=critical,CA:TRUE{extensions}"
        ),
    )
    .unwrap();
    let key = "ec -pkeyopt ec_paramgen_curve:P-256";
    home.shell(&format!(
        "openssl req -x509 -newkey {key} -nodes -keyout {name}.key -config {name}.cnf -days 3000 -out {name}.pem"
    ))
    .ok();
}

fn text_of(home: &Home, file: &str) -> String {
    home.run(&["openssl", "x509", "-in", file, "-noout", "-text"]).ok().out
}

const USUAL: &str = "\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash";

#[test]
fn what_limits_a_ca_is_carried_over_when_it_is_certified_once_more() {
    // X5, X8, X9
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let limits = format!(
        ",pathlen:0{USUAL}\nextendedKeyUsage=emailProtection\nnameConstraints=critical,permitted;DNS:partner.example,\
         permitted;email:partner.example,excluded;DNS:secret.partner.example"
    );
    openssl_ca(&home, "limited", &limits);
    let cross = |more: &[&str]| {
        home.ca(&[&["cross-sign", "limited.pem", "-p", "genfic", "-o", "x.pem"], more].concat())
    };
    let said = cross(&[]).ok();
    assert!(said.err.contains("its own certificate limits it"), "{}", said.err);
    let text = text_of(&home, "x.pem");
    for told in [
        "pathlen:0",
        "E-mail Protection",
        "DNS:partner.example",
        "email:partner.example",
        "DNS:secret.partner.example",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains("TLS Web"), "{text}");
    cross(&["--permit", "a.partner.example", "--exclude", "dns:b.a.partner.example"]).ok();
    let narrower = text_of(&home, "x.pem");
    for told in [
        "DNS:a.partner.example",
        "email:partner.example",
        "DNS:secret.partner.example",
        "DNS:b.a.partner.example",
    ] {
        assert!(narrower.contains(told), "{told}: {narrower}");
    }
    assert!(!narrower.contains("DNS:partner.example\n"), "{narrower}");
    cross(&["--permit", "example"]).ok();
    assert!(text_of(&home, "x.pem").contains("DNS:partner.example"), "what is asked for does not widen");
    refused(&cross(&["--permit", "other.example"]), 7, "policy.name-constraints");
    refused(&cross(&["--path-length", "1"]), 7, "policy.path-length");
    let wider = cross(&["--unconstrained"]);
    refused(&wider, 9, "input.confirmation");
    assert!(
        wider.err.contains("DNS:partner.example") || wider.err.contains("partner.example"),
        "{}",
        wider.err
    );
    cross(&["--unconstrained", "--yes"]).ok();
    let free = text_of(&home, "x.pem");
    assert!(!free.contains("partner.example") && !free.contains("E-mail Protection"), "{free}");
}

#[test]
fn a_limit_that_cannot_be_repeated_is_no_reason_to_drop_it() {
    // X12
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let odd = format!("{USUAL}\n1.2.3.4=critical,DER:05:00");
    openssl_ca(&home, "odd", &odd);
    openssl_ca(&home, "signer", "\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash");
    for name in ["odd.pem", "signer.pem"] {
        refused(&home.ca(&["cross-sign", name, "-p", "genfic"]), 7, "policy.limits");
        refused(&home.ca(&["cross-sign", name, "-p", "genfic", "--unconstrained"]), 9, "input.confirmation");
        home.ca(&["cross-sign", name, "-p", "genfic", "--unconstrained", "--yes"]).ok();
    }
    let policies =
        format!("{USUAL}\ncertificatePolicies=1.2.3.4\npolicyConstraints=critical,requireExplicitPolicy:0");
    openssl_ca(&home, "policies", &policies);
    home.ca(&["cross-sign", "policies.pem", "-p", "genfic", "-o", "x.pem"]).ok();
    let text = text_of(&home, "x.pem");
    assert!(text.contains("Policy: 1.2.3.4") && text.contains("Require Explicit Policy:0"), "{text}");
}

#[test]
fn a_ca_is_certified_no_longer_than_by_its_own_certificate_and_not_after_its_end() {
    // X11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    openssl_ca(&home, "short", USUAL);
    let again = "-nodes -key short.key -subj '/CN=short' -addext basicConstraints=critical,CA:TRUE";
    home.shell(&format!(
        "openssl req -x509 -new {again} -days 10 -out short.pem\n\
         faketime -f -400d openssl req -x509 -new {again} -days 365 -out ended.pem"
    ))
    .ok();
    let cross = |words: &[&str]| home.ca(&[&["cross-sign", "-p", "genfic", "-o", "x.pem"], words].concat());
    refused(&cross(&["ended.pem"]), 7, "authority.ended");
    refused(&cross(&["ended.pem", "--unconstrained", "--yes"]), 7, "authority.ended");
    refused(&cross(&["short.pem", "-v", "11"]), 7, "policy.limits");
    let said = cross(&["short.pem"]).ok();
    assert!(said.err.contains("ends with the CA's own"), "{}", said.err);
    let end = |file: &str| home.shell(&format!("openssl x509 -in {file} -noout -enddate")).ok().out;
    assert_eq!(end("x.pem"), end("short.pem"));
    cross(&["short.pem", "-v", "max"]).ok();
    assert_eq!(end("x.pem"), end("short.pem"));
    cross(&["short.pem", "-v", "11", "--unconstrained", "--yes"]).ok();
    assert_ne!(end("x.pem"), end("short.pem"));
}
