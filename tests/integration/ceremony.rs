//! Ceremonies: a root that never touches a network, and two media that do not drift apart.
use crate::older_home::without_signer;
use crate::support::{CA, Home, PASSPHRASE, Said, killing};
use serde_json::Value;
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A home whose root is on two media.
pub(crate) fn offline() -> Home {
    on_media(Home::with_hierarchy("http://pki.genfic.example"))
}

pub(crate) fn on_media(home: Home) -> Home {
    fs::create_dir(home.path("media")).unwrap();
    home.ca(&["key", "export-bundle", "genfic", "--to", "media/a", "--to", "media/b"]).ok();
    home
}

/// The program on a machine without a home.
fn machine(directory: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(CA);
    command
        .args(words)
        .current_dir(directory)
        .env_remove("GENFIC_CA_HOME")
        .env("HOME", "/nonexistent")
        .env("GENFIC_CA_PASSPHRASE_FROM", "env:GENFIC_TEST_PASSPHRASE")
        .env("GENFIC_TEST_PASSPHRASE", PASSPHRASE)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// Makes a request; one that was not answered is replaced.
pub(crate) fn request(home: &Home, file: &str, more: &[&str]) -> Value {
    home.result(&[&["ceremony", "request", "genfic", "--yes", "-o", file], more].concat())
}

/// Signs a request with a medium at the time that the request was made, and names the answer.
pub(crate) fn sign(home: &Home, file: &str, medium: &str) -> Said {
    sign_with(home, file, medium, &[])
}

/// The same with more options.
pub(crate) fn sign_with(home: &Home, file: &str, medium: &str, more: &[&str]) -> Said {
    let text = fs::read_to_string(home.path(file)).unwrap();
    let made =
        text.lines().find_map(|line| line.strip_prefix("made = ")).unwrap().trim_matches('"').to_owned();
    let answer = format!("{file}.{medium}.answer");
    let medium = format!("media/{medium}");
    let words = [
        "ceremony",
        "sign",
        file,
        "--keys",
        &medium,
        "-o",
        &answer,
        "--date",
        &made,
        "--yes",
        "--present",
        "Bea",
    ];
    Said::of(machine(home.directory(), &[&words, more].concat()).output().unwrap())
}

#[track_caller]
pub(crate) fn refused(said: &Said, status: i32, code: &str) {
    assert_eq!((said.status, said.err.contains(code)), (status, true), "{code}: {}", said.all());
}

#[test]
fn a_root_that_never_touches_a_network_signs_certificates_and_a_crl() {
    // G6, C1, X2
    let home = offline();
    home.ca(&["create-child", "genfic-new", "--csr-only", "--profile", "user-ca", "-o", "new.req"]).ok();
    home.ca(&["revoke-ca", "genfic-user", "--yes"]);
    let asked =
        request(&home, "r.toml", &["--renew", "genfic-system", "--child", "genfic-new", "--why", "yearly"]);
    assert_eq!(asked["items"].as_array().unwrap().len(), 3);
    let text = fs::read_to_string(home.path("r.toml")).unwrap();
    assert!(
        text.contains("CN=genfic-new") && text.contains("revokes ") && text.contains("why = \"yearly\""),
        "{text}"
    );
    for line in ["basicConstraints (critical): CA", "keyUsage (critical): ", "cRLNumber: "] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let digest = home.run(&["sha256sum", "r.toml"]).ok().out;
    assert!(digest.starts_with(asked["sha256"].as_str().unwrap()));
    // what is asked for is pending, and stays so whatever other commands do
    home.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    assert!(home.ca(&["status"]).out.contains("ceremony"), "{}", home.ca(&["status"]).all());

    let signed = sign(&home, "r.toml", "a").ok();
    assert!(signed.out.contains("3 things signed"), "{}", signed.all());
    let transcript = fs::read_to_string(home.path("r.toml.a.txt")).unwrap();
    for word in ["Bea", asked["sha256"].as_str().unwrap(), "certificate of ", "CRL of ", "why: yearly"] {
        assert!(transcript.contains(word), "{word}: {transcript}");
    }
    let taken = home.result(&["ceremony", "import", "r.toml.a.answer"]);
    assert_eq!(taken["authorities"], serde_json::json!(["genfic-new", "genfic-system"]));
    for child in ["genfic-new", "genfic-system"] {
        let file = format!("home/public/{child}.pem");
        home.run(&["openssl", "verify", "-x509_strict", "-CAfile", "home/public/genfic.pem", &file]).ok();
        let text = home.run(&["openssl", "x509", "-in", &file, "-noout", "-text"]).ok().out;
        assert!(text.contains("CA Issuers - URI:") && !text.contains("OCSP - URI:"), "{text}");
    }
    let crl = [
        "openssl",
        "crl",
        "-in",
        "home/public/genfic.crl.pem",
        "-CAfile",
        "home/public/genfic.pem",
        "-noout",
        "-text",
    ];
    let crl = home.run(&crl).ok();
    assert!(crl.all().contains("verify OK"), "{}", crl.all());
    let user = home.result(&["show", "genfic-user"])["serial"].as_str().unwrap().to_uppercase();
    assert!(crl.out.contains(&user), "{}", crl.out);
    home.ca(&["crl", "publish", "genfic-new"]).ok();
    home.ca(&["create-request", "bea@genfic.example", "--sign", "-p", "genfic-new"]).ok();
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.out.contains("  error "), "{}", doctor.all());

    // once more: nothing is signed twice, nothing is taken in twice
    let again = sign(&home, "r.toml", "a").ok();
    assert!(again.out.contains("once more"), "{}", again.all());
    refused(&home.ca(&["ceremony", "import", "r.toml.a.answer"]), 4, "ceremony.answered");
    // the key's own word for its history can be read by others
    let words = "sed -n '/BEGIN CERTIFICATE REQUEST/,/END CERTIFICATE REQUEST/p' r.toml.a.answer | openssl req -verify -noout -text";
    let word = home.run(&["sh", "-ec", words]).ok();
    assert!(
        word.all().contains("verify OK") && word.out.contains("urn:genfic-ca:ceremony:3:"),
        "{}",
        word.all()
    );
}

#[test]
fn a_request_is_answered_weeks_later_on_a_machine_with_whatever_clock() {
    // G6
    for clock in ["+40d", "-4000d"] {
        let home = offline();
        request(&home, "r.toml", &["--renew", "genfic-system"]);
        let date = home.shell("date -u -d '+40 days' +%F").ok().out;
        let words = "ceremony sign r.toml --keys media/a -o answer.toml --yes --date";
        home.shell(&format!("faketime -f {clock} genfic-ca {words} {date}")).ok();
        let taken = home.shell("faketime -f +40d genfic-ca ceremony import answer.toml --json").ok().json();
        assert_eq!(taken["result"]["authorities"], serde_json::json!(["genfic-system"]), "{taken}");
    }
}

#[test]
fn two_media_in_two_safes_do_not_drift_apart() {
    // G6
    let home = offline();
    request(&home, "1.toml", &[]);
    sign(&home, "1.toml", "a").ok();
    // the other medium is not given what was answered, since the home knows it
    home.ca(&["ceremony", "import", "1.toml.a.answer"]).ok();
    request(&home, "2.toml", &["--renew", "genfic-user"]);
    sign(&home, "2.toml", "b").ok();
    home.ca(&["ceremony", "import", "2.toml.b.answer"]).ok();
    request(&home, "3.toml", &[]);
    sign(&home, "3.toml", "a").ok();
    home.ca(&["ceremony", "import", "3.toml.a.answer"]).ok();
    // a request of before is answered by neither
    refused(&sign(&home, "2.toml", "a"), 4, "ceremony.answered");
    refused(&sign(&home, "1.toml", "b"), 4, "ceremony.answered");

    // an answer to a request that was replaced is not taken in, and its medium can go on
    request(&home, "4.toml", &["--renew", "genfic-system"]);
    sign(&home, "4.toml", "a").ok();
    let asked = request(&home, "5.toml", &["--renew", "genfic-system"]);
    assert_eq!(asked["supersedes"], Value::Bool(true));
    refused(&sign(&home, "5.toml", "a"), 13, "ceremony.behind");
    let before = fs::read(home.path("home/public/genfic.crl")).unwrap();
    refused(&home.ca(&["ceremony", "import", "4.toml.a.answer"]), 7, "ceremony.superseded");
    assert_eq!(fs::read(home.path("home/public/genfic.crl")).unwrap(), before);
    request(&home, "6.toml", &["--renew", "genfic-system"]);
    sign(&home, "6.toml", "b").ok();
    home.ca(&["ceremony", "import", "6.toml.b.answer"]).ok();
    request(&home, "7.toml", &[]);
    sign(&home, "7.toml", "a").ok();
    home.ca(&["ceremony", "import", "7.toml.a.answer"]).ok();

    // a home that was put back to an older state does not lead a medium astray
    let older = home.copied();
    request(&home, "8.toml", &[]);
    sign(&home, "8.toml", "a").ok();
    home.ca(&["ceremony", "import", "8.toml.a.answer"]).ok();
    request(&older, "8.toml", &["--renew", "genfic-user"]);
    fs::copy(older.path("8.toml"), home.path("older.toml")).unwrap();
    refused(&sign(&home, "older.toml", "a"), 13, "ceremony.behind");
}

#[test]
fn a_request_that_keeps_the_last_list_from_a_stale_medium_is_refused() {
    // G6, K3
    let home = offline();
    home.ca(&["revoke-ca", "genfic-user", "--yes"]);
    request(&home, "1.toml", &[]);
    sign(&home, "1.toml", "a").ok();
    home.ca(&["ceremony", "import", "1.toml.a.answer"]).ok();
    request(&home, "2.toml", &[]);
    let text = fs::read_to_string(home.path("2.toml")).unwrap();
    let list = text.find("crl_sha256 = ").unwrap()..text.find("checkpoint = ").unwrap();
    let mut lying = text.clone();
    lying.replace_range(list, "");
    let number = text.find("crl_number = \"").unwrap()..text.find("\nhead = ").unwrap();
    lying.replace_range(number, "crl_number = \"1\"");
    fs::write(home.path("lying.toml"), &lying).unwrap();
    let said = sign(&home, "lying.toml", "b");
    refused(&said, 13, "ceremony.behind");
    assert!(said.err.contains("signed in a ceremony"), "{}", said.all());
    // the whole request is answered by the same medium
    sign(&home, "2.toml", "b").ok();
}

#[test]
fn what_was_changed_on_its_way_or_mixed_up_is_refused() {
    // G6, K3
    let home = offline();
    let other = offline();
    request(&home, "r.toml", &["--renew", "genfic-system"]);
    request(&other, "r.toml", &[]);
    let text = fs::read_to_string(home.path("r.toml")).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        fs::write(home.path("changed.toml"), text.replace(from, to)).unwrap();
        sign(&home, "changed.toml", "a")
    };
    refused(&changed("CN=genfic-system", "CN=genfic-other"), 11, "ceremony.malformed");
    refused(&changed("kind = \"crl\"", "kind = \"list\""), 11, "ceremony.malformed");
    refused(&changed("[state]", "[state]\nnote = \"x\""), 11, "ceremony.malformed");
    refused(&changed("crl_number = \"", "crl_number = \"-"), 11, "ceremony.malformed");
    // the number of a CRL below what the medium knows
    refused(&changed("crl_number = \"1\"", "crl_number = \"0\""), 13, "ceremony.behind");
    fs::copy(other.path("r.toml"), home.path("others.toml")).unwrap();
    refused(&sign(&home, "others.toml", "a"), 11, "ceremony.other");

    let at = |date: &str| {
        let words = ["ceremony", "sign", "r.toml", "--keys", "media/a", "-o", "x", "--date", date, "--yes"];
        Said::of(machine(home.directory(), &words).output().unwrap())
    };
    refused(&at("2020-01-01"), 7, "ceremony.date");
    refused(&at("2099-01-01"), 7, "ceremony.date");
    refused(&at("tomorrow"), 2, "usage");
    let words = ["ceremony", "sign", "r.toml", "--keys", "media/a", "-o", "x", "--no-input"];
    refused(&Said::of(machine(home.directory(), &words).output().unwrap()), 9, "input.confirmation");
    refused(&Said::of(machine(home.directory(), &words[..3]).output().unwrap()), 2, "usage");
    let said = home.ca(&["ceremony", "request", "genfic-system", "-o", "x.toml"]);
    refused(&said, 4, "key.exists");

    sign(&home, "r.toml", "a").ok();
    sign(&other, "r.toml", "a").ok();
    fs::copy(other.path("r.toml.a.answer"), home.path("others.answer")).unwrap();
    refused(&home.ca(&["ceremony", "import", "others.answer"]), 11, "ceremony.other");
    let answer = fs::read_to_string(home.path("r.toml.a.answer")).unwrap();
    let damaged = answer.replacen("MII", "MIJ", 2);
    fs::write(home.path("damaged.answer"), damaged).unwrap();
    refused(&home.ca(&["ceremony", "import", "damaged.answer"]), 11, "ceremony.malformed");
    home.ca(&["ceremony", "import", "r.toml.a.answer"]).ok();
}

#[cfg(debug_assertions)]
#[test]
fn killed_at_each_step_a_ceremony_is_gone_on_with_or_had_anew() {
    // G6
    let home = offline().copied();
    request(&home, "r.toml", &["--renew", "genfic-system"]);
    let text = fs::read_to_string(home.path("r.toml")).unwrap();
    let made =
        text.lines().find_map(|line| line.strip_prefix("made = ")).unwrap().trim_matches('"').to_owned();
    let words =
        ["ceremony", "sign", "r.toml", "--keys", "media/a", "-o", "r.answer", "--date", &made, "--yes"];
    let anew = Cell::new(0);
    let make = |home: &Home| machine(home.directory(), &words);
    let points = killing::killed_at_each(&home, make, |copy, killed, (_, step)| {
        assert_ne!(killed.status, 0, "{step}: {}", killed.all());
        let again = Said::of(machine(copy.directory(), &words).output().unwrap());
        if again.status == 0 {
            copy.ca(&["ceremony", "import", "r.answer"]).ok();
            return;
        }
        anew.set(anew.get() + 1);
        refused(&again, 7, "ceremony.interrupted");
        request(copy, "s.toml", &["--renew", "genfic-system"]);
        sign(copy, "s.toml", "a").ok();
        copy.ca(&["ceremony", "import", "s.toml.a.answer"]).ok();
    });
    assert!(points[0] > 8 && points[1] > 20 && anew.get() > 1, "{points:?} {}", anew.get());

    sign(&home, "r.toml", "a").ok();
    let words = ["ceremony", "import", "r.toml.a.answer"];
    let mut steps = 0;
    loop {
        let copy = home.copied();
        let output =
            copy.command(&words).env("GENFIC_CA_FAILPOINT", (steps + 1).to_string()).output().unwrap();
        if output.status.success() {
            break;
        }
        steps += 1;
        let again = copy.ca(&words);
        assert!([0, 4].contains(&again.status), "step {steps}: {}", again.all());
        let list = copy.result(&["list", "-p", "genfic", "--status", "valid"]);
        assert_eq!(list["certificates"].as_array().unwrap().len(), 4, "step {steps}");
        let doctor = copy.ca(&["doctor"]);
        assert!(!doctor.out.contains("  error "), "step {steps}: {}", doctor.all());
        request(&copy, "s.toml", &[]);
    }
    assert!(steps > 8, "{steps}");
}

#[test]
fn a_serial_number_that_the_home_has_used_is_not_signed_from_a_medium() {
    // G6, X4
    let home = offline();
    let used = fs::read_to_string(home.path("media/a/genfic.used")).unwrap();
    let serial = home.result(&["show", "genfic-system"])["serial"].as_str().unwrap().to_owned();
    let line = used.lines().find(|line| line.starts_with(&format!("{serial} "))).unwrap().to_owned();
    let end = home.result(&["show", "genfic-system"])["not_after"].as_str().unwrap().to_owned();
    assert_eq!(line, format!("{serial} {end}"));
    let asked = request(&home, "r.toml", &["--renew", "genfic-system"]);
    let items = asked["items"].as_array().unwrap();
    let again = items.iter().find(|item| item["kind"] == "certificate").unwrap()["name"].as_str().unwrap();
    // as if the home had forgotten what it used, and asked for it again
    for medium in ["a", "b"] {
        let file = home.path(&format!("media/{medium}/genfic.used"));
        fs::write(&file, format!("{used}{again} {end}\n")).unwrap();
    }
    // where the medium has a list of its files, it is the file of the list
    refused(&sign(&home, "r.toml", "a"), 11, "ceremony.malformed");
    for medium in ["a", "b"] {
        let file = home.path(&format!("media/{medium}/bundle.toml"));
        let listed = fs::read_to_string(&file).unwrap();
        let others = listed.lines().filter(|line| !line.starts_with("\"genfic.used\""));
        fs::write(&file, others.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
    refused(&sign(&home, "r.toml", "a"), 7, "was signed before");
    fs::write(home.path("media/b/genfic.used"), &used).unwrap();
    sign(&home, "r.toml", "b").ok();
}

#[test]
fn a_key_that_no_signer_has_used_before_signs_under_the_profile_of_its_ca() {
    // G6, K3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    without_signer(&home);
    let home = on_media(home);
    request(&home, "r.toml", &["--renew", "genfic-system"]);
    sign(&home, "r.toml", "a").ok();
    let envelope = fs::read_to_string(home.path("media/a/genfic.envelope.toml")).unwrap();
    assert!(envelope.contains("\"root-ca\""), "{envelope}");
    home.ca(&["ceremony", "import", "r.toml.a.answer"]).ok();
}

#[test]
fn a_root_is_renewed_in_a_ceremony_and_the_other_medium_goes_by_that() {
    // G6, X2
    let home = offline();
    let end = |home: &Home| home.result(&["show", "genfic"])["not_after"].as_str().unwrap().to_owned();
    let before = end(&home);
    let old = fs::read_to_string(home.path("home/public/genfic.pem")).unwrap();
    // a day later it ends a day later
    let asked = request(&home, "root.toml", &["--renew", "genfic"]);
    assert_eq!(asked["items"].as_array().unwrap().len(), 2, "{asked}");
    sign(&home, "root.toml", "a").ok();
    let taken = home.result(&["ceremony", "import", "root.toml.a.answer"]);
    assert_eq!(taken["authorities"], serde_json::json!(["genfic"]), "{taken}");
    let new = fs::read_to_string(home.path("home/public/genfic.pem")).unwrap();
    assert!(new != old && end(&home) >= before);
    // both verify what is below, and the other medium goes on
    fs::write(home.path("old.pem"), &old).unwrap();
    for root in ["old.pem", "home/public/genfic.pem"] {
        home.run(&["openssl", "verify", "-x509_strict", "-CAfile", root, "home/public/genfic-user.pem"]).ok();
    }
    request(&home, "next.toml", &["--renew", "genfic-user"]);
    sign(&home, "next.toml", "b").ok();
    home.ca(&["ceremony", "import", "next.toml.b.answer"]).ok();
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.out.contains("  error "), "{}", doctor.all());
    assert_eq!(home.ca(&["audit", "verify"]).status, 0);
}
