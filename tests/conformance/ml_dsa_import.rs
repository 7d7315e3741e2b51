//! CAs of ML-DSA that were made elsewhere: by another program, and in another home of this one.
use crate::ml_dsa::ask_for_ml_dsa;
use crate::support::{Home, Said, python};
use serde_json::{Value, json};
use std::fs;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance");
/// What another program's key is protected with.
const OLD: &str = "old and short";

/// A home whose profiles take ML-DSA, and CAs of another program beside it.
fn beside_others() -> Home {
    let home = Home::new();
    ask_for_ml_dsa(&home);
    let directory = home.directory().display().to_string();
    home.run(&[&python(), &format!("{SCRIPTS}/ml_dsa_ca.py"), &directory, OLD]).ok();
    home
}

fn with_old(home: &Home, words: &[&str]) -> Said {
    let words = [words, &["--key-passphrase-from", "env:OLD"]].concat();
    Said::of(home.command(&words).env("OLD", OLD).output().unwrap())
}

/// Another implementation verifies pairs of a file and its issuer's; gives the entries of lists.
fn verified(home: &Home, files: &[&str]) -> String {
    let script = format!("{SCRIPTS}/ml_dsa_verify.py");
    home.run(&[&[&*python(), &*script], files].concat()).ok().out
}

fn algorithm(home: &Home, name: &str) -> Value {
    home.result(&["show", &format!("home/public/{name}.pem")])["key"]["algorithm"].clone()
}

#[test]
fn a_ca_of_ml_dsa_moves_in_with_what_it_issued_and_goes_on() {
    // G1, G6, C1, X14
    let home = beside_others();
    let import = ["import", "openssl", "old", "--as", "old", "--profile", "system-ca"];
    let wrong = home.ca(&[&import[..], &["--key-passphrase-from", "env:GENFIC_TEST_PASSPHRASE"]].concat());
    assert!(wrong.status == 8 && wrong.err.contains("key.passphrase-wrong"), "{}", wrong.all());
    let imported = with_old(&home, &[&import[..], &["--json"]].concat()).ok().json();
    assert_eq!(imported["result"]["found"]["key_form"], "PKCS#8, encrypted", "{imported}");
    assert_eq!(algorithm(&home, "old"), "ml-dsa-65");

    // the key is this CA's, and its numbers go on
    let list = "home/public/old.crl.pem";
    assert_eq!(verified(&home, &[list, "home/public/old.pem"]).trim(), "3");
    let number = |home: &Home| home.result(&["crl", "show", "old"])["number"].clone();
    assert_eq!(number(&home), json!(5));
    home.ca(&["revoke", "kept.example"]).ok();
    assert_eq!((verified(&home, &[list, "home/public/old.pem"]).trim(), number(&home)), ("2 3", json!(6)));
    home.ca(&["create-request", "new.example", "--key", "ml-dsa-44", "--sign", "-p", "old"]).ok();
    verified(&home, &["new.example.crt", "old/cacert.pem"]);
    home.ca(&["doctor"]).ok();
}

#[test]
fn a_key_and_a_certificate_of_ml_dsa_become_a_ca() {
    // G1, G6
    let home = beside_others();
    let said = home.ca(&["key", "import", "single", "single.key"]).ok();
    assert!(said.out.contains("the key of single is here (ml-dsa-87)"), "{}", said.out);
    let other = home.ca(&["adopt", "single", "old/cacert.pem", "--profile", "system-ca"]);
    assert!(other.status == 11 && other.err.contains("certificate.other-key"), "{}", other.all());
    home.ca(&["adopt", "single", "single.pem", "--profile", "system-ca"]).ok();
    home.ca(&["create-request", "a.example", "--sign", "-p", "single"]).ok();
    verified(&home, &["a.example.crt", "single.pem", "home/public/single.crl.pem", "single.pem"]);

    // one that came without its key, which comes later
    let import = ["import", "openssl", "old", "--as", "old", "--profile", "system-ca", "--without-key"];
    home.ca(&import).ok();
    assert_eq!(home.ca(&["crl", "publish", "old"]).status, 8);
    let other = home.ca(&["key", "import", "old", "single.key"]);
    assert!(other.status == 13 && other.err.contains("key.mismatch"), "{}", other.all());
    with_old(&home, &["key", "import", "old", "old/private/cakey.pem"]).ok();
    home.ca(&["crl", "publish", "old"]).ok();
    assert_eq!(verified(&home, &["home/public/old.crl.pem", "old/cacert.pem"]).trim(), "3");
}

#[test]
fn a_ca_of_ml_dsa_below_a_parent_in_another_home_is_requested_signed_there_and_adopted() {
    // G1, G4, G6
    let (offline, online) = (Home::at_url("http://root.example"), Home::new());
    let carry = |from: &Home, to: &Home, file: &str| {
        fs::copy(from.path(file), to.path(file)).unwrap();
    };
    let sign = |name: &str| {
        let (request, output) = (format!("{name}.req"), format!("{name}.pem"));
        carry(&online, &offline, &request);
        let words = ["sign", &*request, "-p", "genfic", "--profile", "system-ca", "--chain=with-root"];
        offline.ca(&[&words[..], &["-o", &*output]].concat()).ok();
        carry(&offline, &online, &output);
    };
    ask_for_ml_dsa(&offline);
    ask_for_ml_dsa(&online);
    offline.ca(&["create-root", "genfic", "--key", "ml-dsa-87"]).ok();
    let child =
        ["create-child", "genfic-system", "--csr-only", "--profile", "system-ca", "--key", "ml-dsa-65"];
    online.ca(&child).ok();
    let waiting = fs::read_to_string(online.path("home/requests/genfic-system.waiting")).unwrap();
    assert!(waiting.starts_with("waiting for its certificate: genfic-ca adopt genfic-system CERTIFICATE\n"));
    sign("genfic-system");
    online.ca(&["adopt", "genfic-system", "genfic-system.pem"]).ok();
    online.ca(&["create-request", "a.example", "--key", "ml-dsa-44", "--sign", "-p", "genfic-system"]).ok();
    let (own, root) = ("home/public/genfic-system.pem", "home/public/genfic.pem");
    let list = "home/public/genfic-system.crl.pem";
    verified(&online, &["a.example.crt", own, list, own, own, root, root, root]);

    // the same key once more, and a new one
    online.ca(&["renew-ca", "genfic-system", "--csr-only", "-o", "again.req"]).ok();
    sign("again");
    online.ca(&["adopt", "genfic-system", "again.pem"]).ok();
    online.ca(&["renew-ca", "genfic-system", "--rekey", "--csr-only", "-o", "next.req"]).ok();
    sign("next");
    online.ca(&["adopt", "genfic-system-g2", "next.pem"]).ok();
    assert_eq!(algorithm(&online, "genfic-system-g2"), "ml-dsa-65");
    online.ca(&["create-request", "b.example", "--sign", "-p", "genfic-system"]).ok();
    verified(&online, &["b.example.crt", "home/public/genfic-system-g2.pem"]);
    assert_eq!(online.ca(&["doctor"]).ok().status, 0);
}
