//! ML-DSA as root, CA, leaf and responder (RFC 9881), verified by an implementation in Python; the other judges here know
//! none.
use crate::support::{Home, PASSPHRASE, free_address, python};
use serde_json::json;
use std::fs;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/judge_ml_dsa.py");

/// Lets every profile of the home have keys of ML-DSA, and of the usual kinds.
pub(crate) fn ask_for_ml_dsa(home: &Home) {
    let list = "algorithms = ['p256', 'p384', 'ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87']";
    for profile in ["root-ca", "system-ca", "system", "ocsp-responder"] {
        let path = home.path(&format!("home/policy/{profile}.toml"));
        let text = fs::read_to_string(&path).unwrap();
        let usual = text.lines().find(|line| line.starts_with("algorithms = "));
        let asking = match usual {
            Some(usual) => text.replace(usual, list),
            None => format!("{text}\n[key]\n{list}\n"),
        };
        fs::write(&path, asking).unwrap();
    }
}

#[test]
fn what_ml_dsa_keys_sign_is_verified_by_another_implementation_and_refused_unless_asked_for() {
    // X13, X14, G1, G3, C1, O3, P4
    let listen = free_address();
    let home = Home::at_url(&format!("http://{listen}"));
    let refused = |words: &[&str]| {
        let said = home.ca(words);
        assert!(said.status == 7 && said.err.contains("the profile allows p256, "), "{}", said.all());
    };
    refused(&["create-root", "genfic", "--key", "ml-dsa-87"]);
    home.ca(&["create-root", "p256-root", "--key", "p256"]).ok();
    refused(&[
        "create-child",
        "genfic-system",
        "-p",
        "p256-root",
        "--profile",
        "system-ca",
        "--key",
        "ml-dsa-65",
    ]);

    ask_for_ml_dsa(&home);
    let config = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("# responder = \"p256\"", "responder = \"ml-dsa-44\"")).unwrap();
    home.ca(&["create-root", "genfic", "--key", "ml-dsa-87", "--ocsp"]).ok();
    let child =
        ["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca", "--key", "ml-dsa-65"];
    home.ca(&child).ok();
    let leaves = [("a", "ml-dsa-44"), ("b", "ml-dsa-65"), ("c", "ml-dsa-87")];
    let mut handed_out = Vec::new();
    for (leaf, key) in leaves {
        let name = format!("{leaf}.genfic.example");
        home.ca(&["create-request", &name, "--key", key, "--sign", "-p", "genfic-system"]).ok();
        let said =
            home.ca(&["lint", &format!("{name}.crt"), "--issuer", "home/public/genfic-system.pem"]).ok();
        assert!(!said.all().contains("ERROR"), "{}", said.all());
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        for (file, more) in [(format!("{leaf}.p12"), &[][..]), (format!("{leaf}-legacy.p12"), &["--legacy"])]
        {
            let words = ["export", "p12", &name, "--key", &key, "-o", &file, "--p12-passphrase-from"];
            home.ca(&[&words[..], &["env:GENFIC_TEST_PASSPHRASE"], more].concat()).ok();
            let pass = format!("pass:{PASSPHRASE}");
            let words = ["openssl", "pkcs12", "-in", &file, "-nokeys", "-passin", &pass];
            let old = if more.is_empty() { &[][..] } else { &["-legacy"] };
            let said = home.run(&[&words[..], old].concat()).ok();
            assert_eq!(said.out.matches("BEGIN CERTIFICATE").count(), 2, "{}", said.all());
            handed_out.push(json!({"file": file, "key": key, "certificate": certificate}));
        }
    }
    home.ca(&["revoke", "c.genfic.example", "--reason", "key-compromise"]).ok();
    let daemon = home.daemon(&listen);

    // our own client
    let good = home.ca(&["ocsp", "query", "a.genfic.example", "--url", &daemon.url]).ok();
    assert!(good.out.contains("good"), "{}", good.all());
    let revoked = home.ca(&["ocsp", "query", "c.genfic.example", "--url", &daemon.url]);
    assert!(revoked.out.contains("revoked"), "{}", revoked.all());

    let (root, system) = ("home/public/genfic.pem", "home/public/genfic-system.pem");
    let by = |file: String, by: Option<&str>| json!({"file": file, "by": by});
    let mut signed = vec![
        by(root.into(), Some(root)),
        by("home/public/genfic.crl".into(), Some(root)),
        by(system.into(), Some(root)),
        by("home/public/genfic-system.crl".into(), Some(system)),
    ];
    for (leaf, _) in leaves {
        signed.push(by(format!("{leaf}.genfic.example.crt"), Some(system)));
        signed.push(by(format!("{leaf}.genfic.example.req"), None));
    }
    let status =
        |leaf: &str, status: &str| json!({"file": format!("{leaf}.genfic.example.crt"), "status": status});
    let keys: Vec<_> = leaves
        .iter()
        .map(|(leaf, _)| {
            let name = format!("{leaf}.genfic.example");
            json!({"key": format!("{name}.key"), "certificate": format!("{name}.crt")})
        })
        .collect();
    let task = json!({
        "signed": signed, "issuer": system, "url": daemon.url, "keys": keys,
        "pkcs12": handed_out, "passphrase": PASSPHRASE,
        "leaves": [status("a", "GOOD"), status("c", "REVOKED")],
    });
    let said = home.run(&[&python(), SCRIPT, &task.to_string()]).ok();
    let expected = "ml-dsa-87 ml-dsa-87 ml-dsa-87 ml-dsa-65 \
                    ml-dsa-65 ml-dsa-44 ml-dsa-65 ml-dsa-65 ml-dsa-65 ml-dsa-87 ml-dsa-44 ml-dsa-44";
    assert_eq!(said.out.trim(), expected, "{}", said.all());
}
