//! Delta CRLs in the eyes of others: OpenSSL combines them with an older complete CRL, GnuTLS and NSS go by the
//! complete one, and pkilint finds nothing wrong with either.
use crate::hierarchy::{ROOT, ROOT_CRL, SYSTEM, SYSTEM_CRL, certificate};
use crate::nss;
use crate::support::{Home, Said, free_address, python};
use serde_json::json;

const CA: &str = "genfic-system";
const HELD: &str = "held.genfic.example";
const FOUND: &str = "found.genfic.example";
const GOOD: &str = "good.genfic.example";
const DELTA: &str = "home/public/genfic-system.delta.crl.pem";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/lint.py");

/// A CA whose first CRL has the certificate of `HELD` on hold; with its delta CRLs.
fn home(listen: &str) -> Home {
    let home = Home::at_url(&format!("http://{listen}"));
    let settings = format!("[authority.{CA}]\\ndelta_crl_next_update = \"1d\"\\n");
    home.shell(&format!("printf '{settings}' >> home/genfic-ca.toml")).ok();
    home.ca(&["create-root", "genfic"]).ok();
    home.ca(&["create-child", CA, "-p", "genfic", "--profile", "system-ca"]).ok();
    for host in [HELD, FOUND, GOOD] {
        home.ca(&["create-request", host, "--sign", "-p", CA]).ok();
    }
    home.ca(&["hold", HELD]).ok();
    home
}

/// With this complete CRL of the CA, and perhaps a delta.
fn verify(home: &Home, complete: &str, delta: &[&str], host: &str) -> Said {
    let file = certificate(host);
    let begin = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-extended_crl", "-use_deltas"];
    let trusted = ["-CAfile", ROOT, "-untrusted", SYSTEM, "-CRLfile", ROOT_CRL, "-CRLfile", complete];
    home.run(&[&begin[..], &trusted, delta, &[&file]].concat())
}

#[test]
fn an_older_complete_crl_and_the_delta_say_what_the_newest_one_says() {
    // C5
    let listen = free_address();
    let home = home(&listen);
    home.shell(&format!("cp {SYSTEM_CRL} older.crl.pem")).ok();
    let released = home.ca(&["release", HELD, "--json"]).ok().json()["result"]["crl"].clone();
    assert_eq!(released["delta"]["entries"], 1, "{released}");
    home.ca(&["revoke", FOUND, "--reason", "key-compromise"]).ok();
    let with = ["-CRLfile", DELTA];
    let verdict = |complete, delta: &[&str], host| {
        let said = verify(&home, complete, delta, host);
        assert_eq!(said.status == 0, !said.err.contains("revoked"), "{}", said.all());
        said.status == 0
    };
    // without the delta nobody with the older CRL knows of either
    assert_eq!([HELD, FOUND, GOOD].map(|host| verdict("older.crl.pem", &[], host)), [false, true, true]);
    assert_eq!([HELD, FOUND, GOOD].map(|host| verdict("older.crl.pem", &with, host)), [true, false, true]);
    assert_eq!([HELD, FOUND, GOOD].map(|host| verdict(SYSTEM_CRL, &[], host)), [true, false, true]);
    let text = home.run(&["openssl", "crl", "-in", DELTA, "-noout", "-text", "-CAfile", SYSTEM]).ok();
    assert!(text.err.contains("verify OK"), "{}", text.all());
    for told in ["X509v3 Delta CRL Indicator: critical", "Remove From CRL", "Key Compromise"] {
        assert!(text.out.contains(told), "{told}: {}", text.all());
    }
    let complete = home.run(&["openssl", "crl", "-in", SYSTEM_CRL, "-noout", "-text"]).ok();
    assert!(complete.out.contains("X509v3 Freshest CRL"), "{}", complete.all());
    for crl in [SYSTEM_CRL, DELTA] {
        let read = ["certtool", "--verify-crl", "--load-ca-certificate", SYSTEM, "--infile", crl];
        let said = home.run(&read).ok();
        assert!(said.out.contains("Verification output: Verified."), "{}", said.all());
    }
    let files = json!([["crl", SYSTEM_CRL], ["crl", DELTA]]).to_string();
    assert_eq!(home.run(&[&python(), SCRIPT, &files]).ok().json(), json!([]));
    // the daemon serves the delta where the complete CRL says that it is
    let daemon = home.daemon(&listen);
    let url = format!("{}/{CA}.delta.crl", daemon.url);
    assert!(complete.out.contains(&format!("URI:{url}")), "{url}: {}", complete.all());
    let said = home.run(&["curl", "-sS", "-f", "-w", "%{content_type}", "-o", "delta.crl", &url]).ok();
    assert_eq!(said.out, "application/pkix-crl");
    let read = |file: &str| std::fs::read(home.path(file)).unwrap();
    assert_eq!(read("delta.crl"), read("home/public/genfic-system.delta.crl"));
    nss::make_database(&home).ok();
    nss::add_issuer(&home, SYSTEM);
    nss::assert_good(&home, nss::FOR_SERVER, &certificate(GOOD), SYSTEM);
    nss::assert_revoked(&home, nss::FOR_SERVER, &certificate(FOUND), SYSTEM);
}
