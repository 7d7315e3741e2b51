//! CAs of easy-rsa 3.
use super::foreign_ca_directories::{ca_with_old, easy_rsa, serial_of, sh};
use crate::support::{Home, free_address};

#[test]
fn a_vpns_ca_moves_in_and_its_old_revocations_stay() {
    let address = free_address();
    let home = Home::at_url(&format!("http://{address}"));
    easy_rsa(&home);
    // what an older and a newer version leave: no copy by number, and expired ones in a directory of their own
    sh(&home, "cd vpn/pki; rm -r certs_by_serial; mkdir -p expired; mv issued/d.crt expired/");
    let dry = ca_with_old(&home, "import easy-rsa vpn --as vpn --dry-run --json").ok().json();
    let dry = &dry["result"];
    assert_eq!(
        (&dry["certificates"]["all"], &dry["certificates"]["revoked"]),
        (&5.into(), &2.into()),
        "{dry}"
    );
    assert_eq!(dry["found"]["other_keys"], 5, "{dry}");
    assert_eq!(dry["certificates"]["known_by_number"], serde_json::json!([]), "{dry}");
    let moved = ca_with_old(&home, "import easy-rsa vpn/pki --as vpn --json").ok().json();
    assert!(moved["warnings"].to_string().contains("has no number"), "{moved}");
    assert_eq!(moved["result"]["found"]["key_form"], "PKCS#8, encrypted");
    sh(
        &home,
        "test $(ls home/keys/*.age | wc -l) = 1; ! grep -rl 'PRIVATE KEY' home/keys home/issued home/public",
    );

    let crl = "home/public/vpn.crl.pem";
    let text = home.run(&["openssl", "crl", "-in", crl, "-noout", "-text"]).ok().out;
    assert_eq!(
        (text.matches("Serial Number: ").count(), text.contains("Key Compromise")),
        (2, true),
        "{text}"
    );
    let _daemon = home.daemon(&address);
    for (file, is_good) in [
        ("vpn/pki/issued/c.crt", true),
        ("vpn/pki/issued/srv.crt", true),
        ("vpn/pki/expired/d.crt", true),
        ("vpn/pki/revoked/certs_by_serial/A.crt", false),
    ] {
        if !is_good {
            sh(
                &home,
                "cd vpn/pki/revoked/certs_by_serial; ls | while read f; do openssl x509 -in $f -noout -subject | grep -q 'CN = a$' && cp $f A.crt || true; done",
            );
        }
        let verified = home.run(&[
            "openssl",
            "verify",
            "-crl_check",
            "-CAfile",
            "vpn/pki/ca.crt",
            "-CRLfile",
            crl,
            file,
        ]);
        assert_eq!(verified.status == 0, is_good, "{}", verified.all());
        let answer = home.run(&[
            "openssl",
            "ocsp",
            "-issuer",
            "vpn/pki/ca.crt",
            "-cert",
            file,
            "-url",
            &format!("http://{address}/"),
            "-CAfile",
            "vpn/pki/ca.crt",
        ]);
        let told = if is_good { ": good" } else { "Reason: keyCompromise" };
        assert!(
            answer.all().contains("Response verify OK") && answer.all().contains(told),
            "{}",
            answer.all()
        );
    }
    let serial = serial_of(&home, "vpn/pki/issued/c.crt");
    home.ca(&["revoke", &format!("serial:{serial}")]).ok();
    home.ca(&["create-request", "host.example", "--sign", "-p", "vpn"]).ok();
    home.run(&["openssl", "verify", "-CAfile", "vpn/pki/ca.crt", "host.example.crt"]).ok();
}

#[test]
fn a_root_that_issues_to_holders_goes_on_with_new_certificates_and_new_keys() {
    // G4
    let home = Home::new();
    easy_rsa(&home);
    ca_with_old(&home, "import easy-rsa vpn --as vpn").ok();
    // easy-rsa's certificates name their issuer's by number
    let said = home.ca(&["renew-ca", "vpn"]).ok();
    assert!(said.err.contains("clients need the old one"), "{}", said.all());
    sh(&home, "cat vpn/pki/ca.crt home/public/vpn.pem > both.pem");
    let holder = ["create-request", "new.example", "--sign", "-p", "vpn"];
    home.ca(&holder).ok();
    let verify = |root: &str, certificate: &str| {
        home.run(&["openssl", "verify", "-CAfile", root, certificate]).ok();
    };
    for root in ["vpn/pki/ca.crt", "home/public/vpn.pem", "both.pem"] {
        verify(root, "new.example.crt");
    }
    for root in ["vpn/pki/ca.crt", "both.pem"] {
        verify(root, "vpn/pki/issued/srv.crt");
    }
    let rekeyed = home.result(&["renew-ca", "vpn", "--rekey"]);
    assert!(rekeyed["links"]["new_with_old"]["serial"].is_string(), "{rekeyed}");
    home.ca(&["create-request", "newer.example", "--sign", "-p", "vpn"]).ok();
    verify("home/public/vpn-g2.pem", "newer.example.crt");
    let authorities = home.result(&["authorities"]);
    let all = authorities["authorities"].as_array().unwrap();
    assert!(all.iter().all(|one| one["profile"] == "system-ca"), "{authorities}");

    // what was issued elsewhere has no profile, and is renewed as often as wanted
    for _ in 0..2 {
        home.ca(&["renew", "srv", "-o", "srv.crt"]).ok();
        std::fs::remove_file(home.path("srv.crt")).unwrap();
    }
    home.ca(&["doctor"]).ok();
}
