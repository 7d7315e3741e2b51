//! CAs of `openssl ca`: the reference chapter's, demoCA, and XCA's export.
use super::foreign_ca_directories::{OLD, ca_with_old, genfic_ca, sh};
use crate::support::{Home, PASSPHRASE, free_address};
use serde_json::json;

/// Everything below a directory and its contents, so that a change shows.
fn digest(home: &Home, directory: &str) -> String {
    sh(home, &format!("find {directory} | sort; find {directory} -type f | sort | xargs cat | sha256sum")).out
}

#[test]
fn the_chapters_hierarchy_moves_in_with_everything_it_issued_and_revoked() {
    let address = free_address();
    let home = Home::at_url(&format!("http://{address}"));
    genfic_ca(&home);
    let before = (digest(&home, "genficCA"), digest(&home, "genficUserCA"));

    let dry = ca_with_old(&home, "import openssl genficCA --as genfic --dry-run --json").ok().json();
    let dry = &dry["result"];
    assert_eq!((&dry["dry_run"], &dry["key_opened"]), (&json!(true), &json!(true)));
    assert_eq!(dry["profile"], "root-ca", "it certified a CA and nothing else: {dry}");
    assert_eq!(dry["found"]["key_form"], "PKCS#1, encrypted by PEM with DES-EDE3-CBC", "{dry}");
    assert_eq!(home.result(&["authorities"])["authorities"], json!([]), "nothing was changed");
    ca_with_old(&home, "import openssl genficCA --as genfic").ok();
    let dry = ca_with_old(&home, "import openssl genficUserCA --as genfic-user --dry-run").ok();
    assert!(
        dry.out.contains("7: 2 valid, 1 expired, 3 revoked, 1 on hold; 1 known by number only"),
        "{}",
        dry.out
    );
    assert!(
        dry.out.contains("go on above 3") && dry.err.contains("without a file that can be read: 06"),
        "{dry:?}"
    );
    ca_with_old(&home, "import openssl genficUserCA --as genfic-user --json").ok();
    assert_eq!(
        (digest(&home, "genficCA"), digest(&home, "genficUserCA")),
        before,
        "the old directories are read only"
    );
    let key = Home::run(&home, &["sh", "-c", "head -c 21 home/keys/genfic-user.age"]).ok().out;
    assert_eq!(key, "age-encryption.org/v1");
    assert!(
        !home
            .path("home/keys")
            .read_dir()
            .unwrap()
            .any(|file| { file.unwrap().file_name().to_string_lossy().starts_with("user-") }),
        "keys of holders are not taken"
    );

    // old certificates verify, the next list has the old revocations
    sh(&home, "cat home/public/genfic.crl.pem home/public/genfic-user.crl.pem >crls.pem");
    let verify = |file: &str| {
        home.run(&[
            "openssl",
            "verify",
            "-crl_check_all",
            "-CAfile",
            "home/public/genfic.pem",
            "-untrusted",
            "home/public/genfic-user.pem",
            "-CRLfile",
            "crls.pem",
            file,
        ])
    };
    for (number, told) in
        [(1, "OK"), (2, "revoked"), (3, "revoked"), (4, "revoked"), (5, "revoked"), (6, "OK"), (7, "expired")]
    {
        let said = verify(&format!("user-{number}.crt"));
        assert!(said.all().contains(told), "{number}: {}", said.all());
    }
    let text =
        home.run(&["openssl", "crl", "-in", "home/public/genfic-user.crl.pem", "-noout", "-text"]).ok().out;
    assert!(text.contains("X509v3 CRL Number: \n                4"), "carried on: {text}");
    for told in [
        "Key Compromise",
        "Invalidity Date: \n                Jan  1 12:00:00 2026 GMT",
        "Certificate Hold",
        "Superseded",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(text.matches("Serial Number: ").count(), 4);
    home.ca(&["crl", "check", "genfic-user"]).ok();

    // a responder answers for old numbers
    let _daemon = home.daemon(&address);
    let answer = |number: u8| {
        home.run(&[
            "openssl",
            "ocsp",
            "-issuer",
            "genficUserCA/user-genfic.crt",
            "-cert",
            &format!("user-{number}.crt"),
            "-url",
            &format!("http://{address}/"),
            "-CAfile",
            "home/public/genfic.pem",
        ])
        .ok()
        .all()
    };
    for (number, told) in
        [(1, ": good"), (2, ": revoked"), (3, "Reason: keyCompromise"), (6, ": good"), (7, ": good")]
    {
        let said = answer(number);
        assert!(said.contains("Response verify OK") && said.contains(told), "{number}: {said}");
    }

    // life goes on
    sh(
        &home,
        "openssl req -newkey rsa:2048 -nodes -keyout new.key -subj /C=BE/CN=Newcomer/emailAddress=n@genfic.example -out new.csr",
    );
    let issued = home.result(&["sign", "new.csr", "-p", "genfic-user", "-o", "new.crt"]);
    assert_eq!(issued["certificates"][0]["serial"].as_str().unwrap().len(), 34, "no small number: {issued}");
    assert!(verify("new.crt").ok().out.contains("OK"));
    home.ca(&["release", "serial:04"]).ok();
    home.ca(&["revoke", "user-6", "--reason", "superseded"]).ok();
    // the daemon looks by itself, soon
    let comes = |number: u8, told: &str| {
        for _ in 0..200 {
            if answer(number).contains(told) {
                return true;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        false
    };
    assert!(comes(4, ": good") && comes(6, "Reason: superseded"));
    let listed = home.result(&["list", "-p", "genfic-user", "--subject", "*user-6*"]);
    let six = &listed["certificates"][0];
    assert_eq!(
        (&six["status"], &six["subject"], &six["file"]),
        (&json!("revoked"), &json!("C=BE, CN=user-6"), &json!(null))
    );
    assert!(six["not_after"].is_string() && six["not_before"].is_null(), "{six}");
    home.ca(&["create-child", "genfic-system", "-p", "genfic"]).ok();
    home.ca(&["audit", "verify"]).ok();
    home.ca(&["backup", "create", "moved.age"]).ok();
    home.ca(&["backup", "verify", "moved.age"]).ok();
}

#[test]
fn an_import_is_said_to_be_done_already_and_changes_nothing_then() {
    // G22
    let home = Home::new();
    genfic_ca(&home);
    ca_with_old(&home, "import openssl genficCA --as genfic").ok();
    let keys = digest(&home, "home/keys");
    for name in ["genfic", "other"] {
        let again = ca_with_old(&home, &format!("import openssl genficCA --as {name}"));
        assert_eq!(again.status, 4, "{}", again.all());
        assert!(again.err.contains("is here already, as genfic") && again.err.contains("authority.exists"));
    }
    assert_eq!(digest(&home, "home/keys"), keys);
    home.ca(&["create-root", "taken"]).ok();
    let keys = digest(&home, "home/keys");
    let taken = ca_with_old(&home, "import openssl genficUserCA --as taken");
    assert!(taken.status == 4 && taken.err.contains("a CA named taken"), "{}", taken.all());
    assert_eq!(digest(&home, "home/keys"), keys);
}

#[test]
fn a_demo_ca_and_an_export_of_xca_are_read_too() {
    // CA.pl's layout: the root's own certificate in the record, an unencrypted key, no crlnumber; XCA's has indexes
    // alone, called after the CAs, with certificates and keys exported beside them
    let home = Home::new();
    sh(&home, "mkdir -p demoCA/newcerts demoCA/private x
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout demoCA/private/cakey.pem \\
          -subj '/CN=Demo CA' -days 900 -out demoCA/cacert.pem -set_serial 0x1000
        openssl x509 -in demoCA/cacert.pem -outform DER -out demoCA/newcerts/1000.der
        openssl req -newkey ed25519 -nodes -keyout leaf.key -subj '/CN=Täter' -utf8 -out leaf.csr
        openssl x509 -req -in leaf.csr -CA demoCA/cacert.pem -CAkey demoCA/private/cakey.pem -set_serial 0x77 -days 90 \\
          -out demoCA/newcerts/77.pem
        end=$(openssl x509 -in demoCA/newcerts/77.pem -noout -enddate | cut -d= -f2)
        root=$(openssl x509 -in demoCA/cacert.pem -noout -enddate | cut -d= -f2)
        t() { TZ=UTC date -d \"$1\" +%y%m%d%H%M%SZ; }
        printf 'V\\t%s\\t\\t1000\\tunknown\\t/CN=Demo CA\\n' $(t \"$root\") >demoCA/index.txt
        printf 'V\\t%s\\t\\t77\\tunknown\\t/CN=T\\\\xC3\\\\xA4ter\\n' $(t \"$end\") >>demoCA/index.txt
        cp demoCA/cacert.pem x/Demo_CA.crt; cp demoCA/newcerts/77.pem x; cp demoCA/index.txt x/Demo_CA.txt
        openssl pkcs8 -topk8 -v2 des3 -in demoCA/private/cakey.pem -passout 'pass:correct horse battery staple' -out x/Demo_CA.pem
        openssl rsa -in demoCA/private/none 2>/dev/null || true");
    let other = Home::new();
    sh(&home, &format!("cp -r x {}", other.directory().display()));
    let moved = home.result(&["import", "openssl", ".", "--as", "demo"]);
    assert_eq!(moved["certificates"]["all"], 2, "{moved}");
    assert_eq!(moved["serial"], "1000");
    assert_eq!(moved["found"]["key_form"], "PKCS#8, not encrypted");
    let exported = other.result(&["import", "openssl", "x", "--as", "demo"]);
    assert_eq!(exported["fingerprint"], moved["fingerprint"]);
    assert_eq!(exported["found"]["key_form"], "PKCS#8, encrypted", "{exported}");
    for home in [home, other] {
        let listed = home.result(&["list", "-p", "demo", "--status", "valid"]);
        let subjects: Vec<&str> = listed["certificates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["subject"].as_str().unwrap())
            .collect();
        assert!(subjects.contains(&"CN=Täter") && subjects.contains(&"CN=Demo CA"), "{subjects:?}");
        home.ca(&["create-request", "a.example"]).ok();
        home.ca(&["sign", "a.example.req", "-p", "demo", "-o", "a.crt"]).ok();
        home.run(&["openssl", "verify", "-CAfile", "home/public/demo.pem", "a.crt"]).ok();
        assert!(home.ca(&["revoke", "demo/77"]).ok().out.contains("number 2"));
    }
    assert_ne!(OLD, PASSPHRASE);
}
