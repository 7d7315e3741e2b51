//! A parent elsewhere (G6): the offline root's own home signs the request; and keys that come later.
use super::foreign_ca_directories::{OLD, ca_with_old, genfic_ca, sh};
use crate::support::{Home, free_address};
use std::fs;

/// An offline root and, in a home of its own, a CA that waits for its certificate.
fn apart() -> (Home, Home) {
    let (offline, online) =
        (Home::at_url("http://root.example"), Home::at_url(&format!("http://{}", free_address())));
    offline.ca(&["create-root", "genfic"]).ok();
    online.ca(&["create-child", "genfic-user", "--csr-only", "--profile", "user-ca"]).ok();
    fs::copy(online.path("genfic-user.req"), offline.path("genfic-user.req")).unwrap();
    (offline, online)
}

#[test]
fn a_ca_whose_parent_is_in_another_home_is_requested_signed_there_and_adopted_here() {
    // G6
    let (offline, online) = apart();
    online.run(&["openssl", "req", "-verify", "-noout", "-in", "genfic-user.req"]).ok();
    let status = online.ca(&["status"]).ok().out;
    assert!(status.contains("waiting") && status.contains("genfic-ca adopt genfic-user"), "{status}");
    let again = online.ca(&["create-child", "genfic-user", "--csr-only", "-o", "again.req"]);
    assert!(again.status == 4 && again.err.contains("authority.waiting"), "{}", again.all());

    // by the rules of the profile: path length, and ends that are apart
    let signed = offline.result(&[
        "sign",
        "genfic-user.req",
        "-p",
        "genfic",
        "--profile",
        "user-ca",
        "--chain=with-root",
        "-o",
        "user.pem",
    ]);
    offline.ca(&["create-child", "genfic-system", "-p", "genfic"]).ok();
    let end = |value: &serde_json::Value| value["not_after"].as_str().unwrap().to_owned();
    let ends = offline.result(&["authorities"])["authorities"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == "genfic-system")
        .map(end)
        .collect::<Vec<_>>();
    let days = |text: &str| {
        sh(&offline, &format!("echo $(( $(date -d {text} +%s) / 86400 ))")).out.trim().parse::<i64>().unwrap()
    };
    assert_eq!(days(&ends[0]) - days(&end(&signed["certificates"][0])), 14, "{signed} {ends:?}");
    let text = offline.run(&["openssl", "x509", "-in", "user.pem", "-noout", "-text"]).ok().out;
    assert!(text.contains("CA:TRUE, pathlen:0") && text.contains("Certificate Sign, CRL Sign"), "{text}");
    assert!(text.contains("URI:http://root.example/genfic.crl"), "{text}");

    fs::copy(offline.path("user.pem"), online.path("user.pem")).unwrap();
    online.ca(&["adopt", "genfic-user", "user.pem"]).ok();
    assert!(!online.path("home/requests/genfic-user.waiting").exists());
    let tree = online.ca(&["authorities", "--tree"]).ok().out;
    assert!(tree.contains("└─ genfic-user"), "{tree}");
    let issued = online.result(&[
        "create-request",
        "amber",
        "--subject",
        "C=BE,CN=Amber",
        "--san",
        "email:amber@genfic.example",
        "--sign",
        "-p",
        "genfic-user",
    ]);
    assert_eq!(issued["certificates"][0]["profile"], "user");
    fs::copy(offline.path("home/public/genfic.pem"), online.path("root.pem")).unwrap();
    online
        .run(&[
            "openssl",
            "verify",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "home/public/genfic-user.pem",
            "amber.crt",
        ])
        .ok();
    sh(
        &online,
        "openssl verify -CAfile root.pem -untrusted home/public/genfic-user.chain.pem home/public/genfic-user.pem",
    );
    let daemon = online.daemon(online.url().trim_start_matches("http://"));
    let answer = online
        .run(&[
            "openssl",
            "ocsp",
            "-issuer",
            "home/public/genfic-user.pem",
            "-cert",
            "amber.crt",
            "-url",
            &daemon.url,
            "-CAfile",
            "root.pem",
        ])
        .ok();
    assert!(answer.out.contains("amber.crt: good"), "{}", answer.all());

    // the root is known, run by others, and asks for nothing
    let status = online.result(&["status"]);
    assert_eq!(status["attention"], serde_json::json!([]), "{status}");
    online.ca(&["crl", "publish", "--all"]).ok();
    online.ca(&["crl", "publish", "--due"]).ok();
    for words in [&["crl", "publish", "genfic"][..], &["create-child", "more", "-p", "genfic"]] {
        let refused = online.ca(words);
        assert!(refused.status == 8 && refused.err.contains("key.elsewhere"), "{}", refused.all());
    }
    // until its key comes home
    fs::copy(offline.path("home/keys/genfic.age"), online.path("genfic.age")).unwrap();
    let twice = online.ca(&["adopt", "genfic-user", "user.pem"]);
    assert!(twice.status == 4 && twice.err.contains("authority.exists"), "{}", twice.all());
}

/// Takes a file from one home's directory to the other's.
fn carry(from: &Home, to: &Home, file: &str) {
    fs::copy(from.path(file), to.path(file)).unwrap();
}

#[test]
fn a_ca_whose_parent_is_elsewhere_is_given_new_certificates_and_new_keys() {
    // G4, G6
    let (offline, online) = apart();
    let sign = |file: &str| {
        let request = format!("{file}.req");
        carry(&online, &offline, &request);
        let output = format!("{file}.pem");
        let words =
            ["sign", &request, "-p", "genfic", "--profile", "user-ca", "--chain=with-root", "-o", &output];
        offline.ca(&words).ok();
        carry(&offline, &online, &output);
    };
    sign("genfic-user");
    online.ca(&["adopt", "genfic-user", "genfic-user.pem"]).ok();
    let holder = ["--subject", "C=BE,CN=Amber", "--san", "email:amber@genfic.example", "--sign"];
    online.ca(&[&["create-request", "amber"], &holder[..], &["-p", "genfic-user"]].concat()).ok();
    carry(&offline, &online, "home/public/genfic.pem");

    for words in [&["renew-ca", "genfic-user"][..], &["renew-ca", "genfic-user", "--rekey"]] {
        let refused = online.ca(words);
        let said = refused.err.contains("key.elsewhere") && refused.err.contains("--csr-only");
        assert!(refused.status == 8 && said, "{}", refused.all());
    }
    let here = offline.ca(&["renew-ca", "genfic", "--csr-only"]);
    assert!(here.status == 2 && here.err.contains("leave out --csr-only"), "{}", here.all());

    let asked = online.result(&["renew-ca", "genfic-user", "--csr-only", "-o", "again.req"]);
    let second = online.ca(&["renew-ca", "genfic-user", "--csr-only", "-o", "again.req"]);
    assert!(second.status == 4 && second.err.contains("file.exists"), "{}", second.all());
    // in another second than the first
    std::thread::sleep(std::time::Duration::from_millis(1100));
    sign("again");
    let renewed = online.result(&["adopt", "genfic-user", "again.pem"]);
    assert_eq!(renewed["replaces"], asked["replaces"]);
    assert!(renewed["serial"] != asked["replaces"] && renewed["parent"] == "genfic", "{renewed}");
    let twice = online.ca(&["adopt", "genfic-user", "again.pem"]);
    assert!(twice.status == 4 && twice.err.contains("authority.exists"), "{}", twice.all());
    // nothing is owed: the certificate is kept with the others of its issuer
    let status = online.ca(&["status"]).ok();
    assert!(!status.err.contains("owed"), "{}", status.all());
    sh(&online, "test $(ls home/issued/genfic | wc -l) -ge 2");
    let earlier = online.ca(&["adopt", "genfic-user", "genfic-user.pem"]);
    assert!(earlier.status == 4 && earlier.err.contains("has a later certificate"), "{}", earlier.all());
    let serial = online.result(&["show", "again.pem"])["serial"].clone();
    assert_eq!(online.result(&["show", "genfic-user"])["serial"], serial);
    // both certificates verify what was issued
    sh(
        &online,
        "for ca in genfic-user.pem home/public/genfic-user.pem; do
           openssl verify -CAfile home/public/genfic.pem -untrusted $ca amber.crt
         done
         openssl x509 -in home/public/genfic-user.pem -noout -serial | grep -qi $(openssl x509 -in again.pem -noout -serial)
         openssl verify -CAfile home/public/genfic.pem home/public/genfic-user.pem",
    );

    let asked = online.result(&["renew-ca", "genfic-user", "--rekey", "--csr-only"]);
    assert_eq!(asked["name"], "genfic-user-g2");
    assert!(online.ca(&["status"]).ok().out.contains("genfic-ca adopt genfic-user-g2"));
    sign("genfic-user-g2");
    let wrong = online.ca(&["adopt", "genfic-user", "genfic-user-g2.pem"]);
    assert!(wrong.status == 11 && wrong.err.contains("certificate.other-key"), "{}", wrong.all());
    online.ca(&["adopt", "genfic-user-g2", "genfic-user-g2.pem"]).ok();
    let issued = online.ca(&[&["create-request", "bram"], &holder[..], &["-p", "genfic-user"]].concat());
    assert!(issued.ok().err.contains("genfic-user-g2 issues, the newest generation"));
    sh(
        &online,
        "openssl verify -CAfile home/public/genfic.pem -untrusted home/public/genfic-user-g2.pem bram.crt",
    );
    for words in [&["revoke", "amber.crt"][..], &["doctor"], &["audit", "verify"]] {
        online.ca(words).ok();
    }

    // the root is renewed by those who run it, and its new certificate comes with the next of the CA
    offline.ca(&["renew-ca", "genfic"]).ok();
    online.ca(&["renew-ca", "genfic-user", "--csr-only", "-o", "third.req"]).ok();
    sign("third");
    let adopted = online.result(&["adopt", "genfic-user-g2", "third.pem"]);
    assert_eq!(adopted["above"], serde_json::json!(["genfic"]), "{adopted}");
    let same = |one: &str| fs::read(offline.path(one)).unwrap() == fs::read(online.path(one)).unwrap();
    assert!(same("home/public/genfic.pem"));
    online.ca(&["doctor"]).ok();
}

#[test]
fn links_between_the_roots_above_are_not_taken_for_the_roots() {
    for subject in ["C=BE,O=Example,CN=GenFic", "C=BE,O=Example,CN=GenFic Second"] {
        let (offline, online) = apart();
        let sign = |file: &str| {
            carry(&online, &offline, &format!("{file}.req"));
            let (request, output) = (format!("{file}.req"), format!("{file}.pem"));
            offline.ca(&["sign", &request, "-p", "genfic", "--profile", "user-ca", "-o", &output]).ok();
            carry(&offline, &online, &output);
        };
        sign("genfic-user");
        carry(&offline, &online, "home/public/genfic.pem");
        online.ca(&["adopt", "genfic-user", "genfic-user.pem", "--chain", "home/public/genfic.pem"]).ok();
        offline.ca(&["renew-ca", "genfic", "--rekey", "--subject", subject]).ok();
        for (file, name) in [("genfic-g2.pem", "second.pem"), ("genfic-g2.crossed.pem", "links.pem")] {
            fs::copy(offline.path(&format!("home/public/{file}")), online.path(name)).unwrap();
        }
        fs::copy(offline.path("home/public/genfic.crossed.pem"), online.path("other-link.pem")).unwrap();
        sh(&online, "cat other-link.pem >> links.pem; cat links.pem second.pem > all.pem");
        online.ca(&["create-child", "genfic-mail", "--csr-only", "--profile", "user-ca"]).ok();
        sign("genfic-mail");
        online.ca(&["adopt", "genfic-mail", "genfic-mail.pem", "--chain", "all.pem"]).ok();
        let certificates = |online: &Home| {
            let all = online.result(&["authorities"]);
            let all = all["authorities"].as_array().unwrap().iter();
            all.filter(|one| one["parent"].is_null()).map(|one| one["serial"].clone()).collect::<Vec<_>>()
        };
        let roots = certificates(&online);
        assert_eq!(roots.len(), 2, "{roots:?}");
        for (name, file) in [("genfic-user", "u2"), ("genfic-mail", "m2")] {
            online.ca(&["renew-ca", name, "--csr-only", "-o", &format!("{file}.req")]).ok();
            sign(file);
            online.ca(&["adopt", name, &format!("{file}.pem"), "--chain", "links.pem"]).ok();
        }
        assert_eq!(certificates(&online), roots, "{subject}");
    }
}

#[test]
fn only_the_right_certificate_of_a_ca_is_adopted() {
    let (offline, online) = apart();
    offline.ca(&["sign", "genfic-user.req", "-p", "genfic", "--profile", "user-ca", "-o", "user.pem"]).ok();
    sh(
        &offline,
        "openssl req -x509 -newkey ed25519 -nodes -keyout x.key -subj /CN=x -days 9 -out other.pem
        openssl req -x509 -newkey rsa:2048 -nodes -keyout y.key -subj /CN=y -days 9 -out y.pem
        printf 'basicConstraints=CA:TRUE\\nkeyUsage=keyCertSign\\n' >half.cnf
        openssl x509 -req -in genfic-user.req -CA y.pem -CAkey y.key -days 9 -out leaf.pem
        openssl x509 -req -in genfic-user.req -CA y.pem -CAkey y.key -days 9 -extfile half.cnf -out half.pem",
    );
    for file in ["user.pem", "other.pem", "y.pem", "leaf.pem", "half.pem"] {
        fs::copy(offline.path(file), online.path(file)).unwrap();
    }
    fs::copy(offline.path("home/public/genfic.pem"), online.path("root.pem")).unwrap();
    for (words, exit, code) in [
        ("adopt genfic-user other.pem", 11, "certificate.other-key"),
        ("adopt genfic-user leaf.pem --chain y.pem", 7, "issuer.unfit"),
        ("adopt genfic-user half.pem --chain y.pem", 7, "issuer.unfit"),
        ("adopt genfic-user user.pem", 5, "issuer.unknown"),
        ("adopt genfic-user user.pem --chain y.pem", 5, "issuer.unknown"),
        ("adopt nobody user.pem", 5, "authority.not-waiting"),
        ("adopt genfic-user genfic-user.req", 11, "file.malformed"),
        ("adopt genfic-user none.pem", 5, "file.read"),
        ("adopt genfic-user user.pem --chain root.pem --profile user", 2, "usage"),
    ] {
        let said = online.ca(&words.split(' ').collect::<Vec<_>>());
        assert!(said.status == exit && said.err.contains(code), "{words}: {}", said.all());
        assert!(online.path("home/requests/genfic-user.waiting").exists(), "{words}");
    }
    online.ca(&["adopt", "genfic-user", "user.pem", "--chain", "root.pem"]).ok();
}

#[test]
fn a_key_and_a_certificate_made_elsewhere_become_a_ca() {
    let home = Home::new();
    sh(
        &home,
        &format!(
            "openssl genpkey -algorithm ED25519 -out plain.key
         openssl req -x509 -key plain.key -subj /CN=Single -days 900 -out single.pem
         openssl pkcs8 -topk8 -v2 des3 -in plain.key -passout 'pass:{OLD}' -outform DER -out single.key"
        ),
    );
    let wrong = home.ca(&["key", "import", "single", "single.key"]);
    assert!(wrong.status == 8 && wrong.err.contains("key.passphrase-wrong"), "{}", wrong.all());
    let said = ca_with_old(&home, "key import single single.key").ok();
    assert!(said.out.contains("genfic-ca adopt single"), "{}", said.out);
    assert_eq!(ca_with_old(&home, "key import single single.key").status, 4);
    assert!(home.ca(&["create-root", "single"]).err.contains("authority.waiting"));
    home.ca(&["adopt", "single", "single.pem", "--profile", "system-ca"]).ok();
    home.ca(&["create-request", "a.example", "--sign", "-p", "single"]).ok();
    home.run(&["openssl", "verify", "-CAfile", "single.pem", "a.example.crt"]).ok();
    // the file of the key, in another home
    let other = Home::new();
    std::fs::copy(home.path("home/keys/single.age"), other.path("single.age")).unwrap();
    let said = other.ca(&["key", "import", "single", "single.age", "--json"]).ok().json();
    assert_eq!(said["result"]["form"], "age");
    std::fs::copy(home.path("single.pem"), other.path("single.pem")).unwrap();
    other.ca(&["adopt", "single", "single.pem", "--profile", "system-ca"]).ok();
}

#[test]
fn a_key_that_stays_away_can_come_later() {
    let home = Home::new();
    genfic_ca(&home);
    ca_with_old(&home, "import openssl genficCA --as genfic").ok();
    let without =
        home.ca(&["import", "openssl", "genficUserCA", "--as", "genfic-user", "--without-key"]).ok();
    assert!(without.err.contains("genfic-ca key import genfic-user"), "{}", without.all());
    assert_eq!(home.ca(&["crl", "publish", "genfic-user"]).status, 8);
    let other = ca_with_old(&home, "key import genfic-user genficCA/private/root-genfic.key");
    assert!(other.status == 13 && other.err.contains("key.mismatch"), "{}", other.all());
    ca_with_old(&home, "key import genfic-user genficUserCA/private/user-genfic.key").ok();
    home.ca(&["crl", "publish", "genfic-user"]).ok();
    home.ca(&["ocsp", "responder", "genfic-user"]).ok();
    let text =
        home.run(&["openssl", "crl", "-in", "home/public/genfic-user.crl.pem", "-noout", "-text"]).ok().out;
    assert_eq!(text.matches("Serial Number: ").count(), 4, "{text}");
    let again = ca_with_old(&home, "key import genfic-user genficUserCA/private/user-genfic.key");
    assert!(again.status == 4 && again.err.contains("key.exists"), "{}", again.all());
}

#[test]
fn a_ca_can_move_in_before_the_one_above_it() {
    let home = Home::new();
    genfic_ca(&home);
    let alone = ca_with_old(&home, "import openssl genficUserCA --as genfic-user");
    assert!(alone.status == 5 && alone.err.contains("issuer.unknown"), "{}", alone.all());
    ca_with_old(&home, "import openssl genficUserCA --as genfic-user --chain genficCA/root-genfic.crt").ok();
    let other = ca_with_old(&home, "import openssl genficCA --as genfic");
    assert!(other.status == 4 && other.err.contains("--as genfic-root-ca"), "{}", other.all());
    ca_with_old(&home, "import openssl genficCA --as genfic-root-ca").ok();
    home.ca(&["crl", "publish", "genfic-root-ca"]).ok();
    home.ca(&["revoke", "GenFic User CA", "-p", "genfic-root-ca", "--yes"]).ok();
    assert!(home.ca(&["authorities"]).ok().out.contains("revoked"));
}
