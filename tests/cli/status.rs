//! What `status` says is due, and its exit status.
use crate::refused;
use crate::support::Home;
use serde_json::Value;
use std::fs;

/// The object of `status --json`, whatever its exit status.
fn status(home: &Home) -> (i32, Value) {
    let said = home.ca(&["status", "--json"]);
    assert!([0, 12].contains(&said.status), "{}", said.all());
    (said.status, said.json()["result"].clone())
}

fn codes(result: &Value) -> Vec<(String, String)> {
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let due = result["due"].as_array().unwrap();
    due.iter().map(|one| (text(one, "code"), text(one, "object"))).collect()
}

#[test]
fn of_a_fresh_home_nothing_is_due() {
    // C8, O13
    let empty = Home::new();
    assert_eq!(empty.ca(&["status"]).ok().err, "");
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let (exit, result) = status(&home);
    assert_eq!((exit, codes(&result), &result["ready"]), (0, Vec::new(), &true.into()), "{result}");
}

#[test]
fn what_the_doctor_finds_due_status_says_with_the_same_codes_and_exit_status() {
    // C8, O13
    let fresh = Home::with_hierarchy("http://pki.genfic.example");
    for (lines, code, object, is_ready) in [
        ("rm home/public/genfic-user.crl", "crl.missing", "genfic-user", true),
        ("cp home/public/genfic.crl home/public/genfic-user.crl", "crl.signature", "genfic-user", true),
        ("echo no >home/public/genfic-user.crl", "crl.unreadable", "genfic-user", true),
        ("rm home/public/genfic.crl.pem", "crl.pem-differs", "genfic", true),
        ("rm home/ocsp/genfic-user/responder.key", "responder.unusable", "genfic-user", false),
        ("rm home/ocsp/genfic-user/responder.*", "responder.missing", "genfic-user", false),
        ("echo no >home/status/manifest.json", "status.damaged", "status/", false),
    ] {
        let home = fresh.copied();
        home.shell(lines).ok();
        let (exit, result) = status(&home);
        let told = codes(&result).contains(&(code.to_owned(), object.to_owned()));
        assert!(exit == 12 && told && result["ready"] == is_ready, "{code}: {exit} {result}");
        let doctor = home.ca(&["doctor", "--json"]).json()["result"].clone();
        let found = doctor["findings"].as_array().unwrap();
        assert!(found.iter().any(|one| one["code"] == code && one["object"] == object), "{code}: {doctor}");
        let text = home.ca(&["status"]);
        assert_eq!(text.status, 12);
        assert!(text.out.contains("to do\n"), "{}", text.all());
        assert_eq!(text.out.contains("not ready"), !is_ready, "{}", text.all());
    }
}

#[test]
fn a_status_that_nobody_confirms_is_due_before_responders_stop() {
    // O13
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.shell("sed -i 's/^# crl_next_update = .*//; s/^# max_status_age = .*/max_status_age = \"1h\"/' home/genfic-ca.toml").ok();
    let later = |minutes: u32| {
        let said = home.shell(&format!("faketime -f +{minutes}m genfic-ca status --json"));
        (said.status, said.json()["result"].clone())
    };
    assert_eq!(later(20).0, 0);
    for (minutes, is_ready) in [(40, true), (80, false)] {
        let (exit, result) = later(minutes);
        assert_eq!(exit, 12, "{result}");
        assert_eq!(codes(&result), [("status.old".to_owned(), "status/".to_owned())]);
        assert_eq!(result["ready"], is_ready, "{result}");
    }
}

/// The home of an offline root, and one of a CA below it whose certificate names a URL of its own home.
fn apart() -> (Home, Home) {
    let url = "http://pki.genfic.example/pki";
    let (offline, online) = (Home::at_url(url), Home::at_url(url));
    offline.ca(&["create-root", "genfic"]).ok();
    online.ca(&["create-child", "genfic-user", "--csr-only", "--profile", "user-ca"]).ok();
    fs::copy(online.path("genfic-user.req"), offline.path("user.req")).unwrap();
    let words =
        ["sign", "user.req", "-p", "genfic", "--profile", "user-ca", "--chain=with-root", "-o", "user.pem"];
    offline.ca(&words).ok();
    fs::copy(offline.path("user.pem"), online.path("user.pem")).unwrap();
    (offline, online)
}

#[test]
fn the_crl_of_an_offline_root_is_asked_for_until_it_is_brought_here() {
    // C5, C8, G6
    let (offline, online) = apart();
    let adopted = online.ca(&["adopt", "genfic-user", "user.pem"]).ok();
    let file = online.path("home/public/genfic.crl");
    for part in
        ["http://pki.genfic.example/pki/genfic.crl", "install -m 644 genfic.crl", &file.display().to_string()]
    {
        assert!(adopted.err.contains(part), "{part}: {}", adopted.err);
    }
    let due = |home: &Home| {
        let doctor = home.ca(&["doctor", "--json"]).json()["result"].clone();
        let findings = doctor["findings"].as_array().unwrap().clone();
        let of_root = findings.iter().filter(|one| one["object"] == "genfic");
        let doctor: Vec<String> = of_root.map(|one| one["code"].as_str().unwrap().to_owned()).collect();
        let (exit, result) = status(home);
        assert_eq!(exit == 12, !doctor.is_empty(), "{result} {doctor:?}");
        let told = codes(&result).into_iter().filter(|one| one.1 == "genfic");
        assert_eq!(told.map(|one| one.0).collect::<Vec<_>>(), doctor);
        doctor
    };
    let row = |home: &Home| {
        let text = home.ca(&["status"]).out;
        text.lines().find(|line| line.starts_with("genfic ")).unwrap().to_owned()
    };
    assert_eq!(due(&online), ["crl.missing"]);
    let calendar = online.ca(&["calendar"]).ok();
    assert!(calendar.err.contains("the CRL of genfic is not here"), "{}", calendar.all());
    let check = online.ca(&["crl", "check", "genfic"]);
    refused(&check, 5, "crl.not-published");
    assert!(!check.err.contains("crl publish") && check.err.contains("install -m 644"), "{}", check.err);

    fs::copy(online.path("home/public/genfic-user.crl"), &file).unwrap();
    assert_eq!(due(&online), ["crl.signature"]);
    fs::copy(offline.path("home/public/genfic.crl.pem"), &file).unwrap();
    assert_eq!(due(&online), ["crl.unreadable"]);
    // clients would have it as application/pkix-crl
    let check = online.ca(&["crl", "check", "genfic"]);
    refused(&check, 11, "file.malformed");
    assert!(check.err.contains("openssl crl -outform DER"), "{}", check.err);
    assert_eq!(online.ca(&["crl", "check", &file.display().to_string()]).status, 0, "a file may be PEM");
    assert!(row(&online).contains("elsewhere"));
    fs::copy(offline.path("home/public/genfic.crl"), &file).unwrap();
    assert_eq!(due(&online), [""; 0]);
    assert!(online.ca(&["crl", "check", "genfic"]).ok().out.contains("is in order"));
    let (_, result) = status(&online);
    let crl =
        result["authorities"].as_array().unwrap().iter().find(|one| one["name"] == "genfic").unwrap()["crl"]
            .clone();
    assert_eq!(
        (&crl["number"], &crl["due"], &crl["owed"]),
        (&1.into(), &false.into(), &false.into()),
        "{crl}"
    );
    let until = crl["next_update"].as_str().unwrap();
    assert!(row(&online).contains(&format!("1 until {}", &until[..16])), "{}", row(&online));
    let entries = online.result(&["calendar"])["entries"].as_array().unwrap().clone();
    let crl = entries.iter().find(|one| one["what"] == "crl-due" && one["name"] == "genfic").unwrap();
    assert!(crl["message"].as_str().unwrap().contains("ceremony by "), "{crl}");
    let later = online.shell("faketime -f +370d genfic-ca crl check genfic");
    assert!(later.status == 12 && later.out.contains("bring the next one"), "{}", later.all());
    assert!(!later.out.contains("publish"), "there is no key for it: {}", later.all());
}
