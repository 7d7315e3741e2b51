//! `doctor`: each thing that can be wrong is found, and goes away by what is printed.
use crate::damaged_home::{self, Damage, Mended};
use crate::support::{Home, Said, is_root};
use serde_json::Value;
use std::sync::OnceLock;

/// A root and two CAs, two certificates of which one is revoked, and their responders.
pub(crate) fn base() -> &'static Home {
    static BASE: OnceLock<Home> = OnceLock::new();
    BASE.get_or_init(|| {
        let home = Home::with_hierarchy("http://pki.genfic.example");
        home.ca(&["create-request", "a.genfic.example", "--sign", "-p", "genfic-system"]).ok();
        home.ca(&["create-request", "b.genfic.example", "--sign", "-p", "genfic-system"]).ok();
        home.ca(&["revoke", "b.genfic.example"]).ok();
        // the index is in one file, which `cp` copies
        home.shell("sqlite3 home/index.db 'pragma wal_checkpoint(truncate)'").ok();
        home
    })
}

pub(crate) fn look(home: &Home, more: &[&str]) -> (Said, Vec<Value>) {
    let said = home.ca(&[&["doctor", "--json", "--no-input"], more].concat());
    let object = said.json();
    assert_eq!(object["ok"], true, "{}", said.all());
    let findings = object["result"]["findings"].as_array().unwrap().clone();
    let serious = findings.iter().any(|one| one["fixed"] == false && one["severity"] != "note");
    assert_eq!(said.status, if serious { 12 } else { 0 }, "{}", said.all());
    (said, findings)
}

/// A command that asks for the passphrase of a backup at a terminal, with an answer.
pub(crate) fn with_passphrase(command: &str) -> String {
    command.replace("genfic-ca backup", "genfic-ca --passphrase-from env:GENFIC_TEST_PASSPHRASE backup")
}

pub(crate) fn open<'f>(findings: &'f [Value], code: &str) -> Vec<&'f Value> {
    findings.iter().filter(|one| one["code"] == code && one["fixed"] == false).collect()
}

#[track_caller]
fn damaged(damage: &Damage) -> (Home, Value) {
    let (lines, code, _) = damage;
    let home = base().copied();
    home.shell(lines).ok();
    let (said, findings) = look(&home, &[]);
    let found = open(&findings, code);
    assert!(!found.is_empty(), "{lines}\nis not found as {code}: {}", said.all());
    let finding = found[0].clone();
    for field in ["code", "severity", "object", "message", "remedy"] {
        assert!(finding[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {finding}");
    }
    (home, finding)
}

fn check_all(all: &[Damage]) {
    for damage in all {
        let (lines, code, mended) = damage;
        let (home, finding) = damaged(damage);
        if *mended == Mended::Fix {
            assert_eq!(finding["fixable"], true, "{lines}: {finding}");
            let fixed = base().copied();
            fixed.shell(lines).ok();
            let (said, findings) = look(&fixed, &["--fix"]);
            assert!(open(&findings, code).is_empty(), "{lines}\n{code} is still there: {}", said.all());
            let told = findings.iter().any(|one| one["code"] == *code && one["fixed"] == true);
            assert!(told, "{lines}\n{code} is not told as mended: {}", said.all());
            assert_eq!(said.json()["changed"], true);
            let audit = fixed.ca(&["audit", "show", "--verbose"]).ok().out;
            assert!(audit.contains("doctor.mended") && audit.contains(code), "{lines}\n{audit}");
            let (said, findings) = look(&fixed, &[]);
            assert!(open(&findings, code).is_empty(), "{}", said.all());
        } else {
            let (said, findings) = look(&home, &["--fix"]);
            assert!(!open(&findings, code).is_empty(), "{lines}\n{code} was mended: {}", said.all());
        }
        let remedy = match mended {
            Mended::Hand(lines) => (*lines).to_owned(),
            _ => finding["remedy"].as_str().unwrap().replace(", and use it in place", " #"),
        };
        let remedy = remedy.replace("genfic-ca revoke", "genfic-ca --yes revoke");
        // a remedy may end with findings of its own
        let mending = home.shell(&format!("{remedy} || test $? = 12"));
        assert_eq!(mending.status, 0, "{lines}\n{remedy}\n{}", mending.all());
        let unmended_by_that = ["authority.ends-soon", "authority.short-leaves", "stagger.siblings"];
        if !unmended_by_that.contains(code) {
            let (said, findings) = look(&home, &[]);
            let left = findings.iter().any(|one| {
                one["code"] == *code && one["object"] == finding["object"] && one["fixed"] == false
            });
            assert!(!left, "{lines}\n{remedy}\n{code} is still there: {}", said.all());
        }
    }
}

#[test]
fn a_sound_home_has_no_findings_and_says_what_was_looked_at() {
    // G22
    let (said, findings) = look(base(), &["--deep"]);
    assert_eq!(findings, Vec::<Value>::new(), "{}", said.all());
    let object = said.json();
    let checks = object["result"]["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 13);
    for check in checks {
        assert!(check["looked_at"].as_str().is_some_and(|text| !text.is_empty()), "{check}");
        assert!(check["skipped"].is_null() && check["findings"] == 0, "{check}");
    }
    let text = base().ca(&["doctor"]).ok();
    assert_eq!(text.out.lines().last(), Some("nothing is wrong"), "{}", text.out);
    let again = base().ca(&["doctor", "--fix", "--json"]).ok().json();
    assert_eq!(again["changed"], false, "{again}");
}

#[test]
fn owners_modes_and_what_stands_in_the_place_of_files_are_found() {
    // P2, K1
    check_all(damaged_home::HOME);
    if is_root() {
        check_all(damaged_home::OWNERS);
    }
}

#[test]
fn configuration_and_profiles_are_read_whatever_is_wrong_with_them() {
    check_all(damaged_home::POLICY);
    let home = base().copied();
    let before = std::fs::read_to_string(home.path("home/genfic-ca.toml")).unwrap();
    home.shell("rm home/genfic-ca.toml").ok();
    let (_, findings) = look(&home, &[]);
    let remedy = open(&findings, "config.missing")[0]["remedy"].as_str().unwrap();
    home.shell(remedy.split_once("allow more: ").unwrap().1).ok();
    let after = std::fs::read_to_string(home.path("home/genfic-ca.toml")).unwrap();
    let set = |text: &str| -> Vec<String> {
        let settings = text.lines().filter(|line| !line.starts_with(['#', '[']) && !line.is_empty());
        settings.filter(|line| !line.starts_with("scrypt")).map(str::to_owned).collect()
    };
    assert_eq!(set(&after), set(&before), "organisation, country and URL come from the certificates");
}

#[test]
fn a_damaged_index_is_found_wherever_it_is_damaged() {
    // G15
    check_all(damaged_home::INDEX);
}

#[test]
fn files_of_certificates_keys_and_responders_are_compared_with_the_records() {
    check_all(damaged_home::FILES);
}

#[test]
fn published_lists_and_status_are_compared_with_the_index() {
    // C1, C7
    check_all(damaged_home::PUBLISHED);
}

#[test]
fn authorities_that_end_soon_stand_too_near_or_below_a_revoked_one_are_told() {
    // G4
    check_all(damaged_home::AUTHORITIES);
}

#[test]
fn notes_are_told_and_do_not_change_the_exit_status() {
    for (lines, code) in [
        ("touch home/keys/other.age; chmod 600 home/keys/other.age", "home.unknown-file"),
        ("touch home/public/index.html", "home.unknown-file"),
        ("echo > home/issued/genfic-system/readme", "home.unknown-file"),
        ("mv home/keys/genfic.age x", "key.away"),
        ("printf '\n[authority.gemfic]\noffline = true\n' >> home/genfic-ca.toml", "config.no-such-ca"),
        ("genfic-ca create-child sub -p genfic --profile sub-ca", "policy.no-leaf-profile"),
        (
            "genfic-ca --yes revoke serial:$(openssl x509 -in home/public/genfic-user.pem -noout -serial | cut -d= -f2) -p genfic",
            "authority.revoked",
        ),
    ] {
        let (home, finding) = damaged(&(lines, code, Mended::Remedy));
        assert_eq!(finding["severity"], "note", "{finding}");
        let said = home.ca(&["doctor"]);
        assert!(said.status == 0 && said.out.lines().last().unwrap().contains("1 note"), "{}", said.all());
    }
}

#[test]
fn nothing_is_published_from_an_index_that_lost_a_revocation() {
    // C1
    let home = base().copied();
    home.shell(
        "sqlite3 home/index.db '.backup older.db'
         genfic-ca revoke a.genfic.example
         rm -f home/index.db-*; cp older.db home/index.db
         rm home/public/genfic-user.crl home/status/manifest.json",
    )
    .ok();
    let (said, findings) = look(&home, &["--fix"]);
    let kept = |code: &str| !open(&findings, code).is_empty();
    assert!(kept("crl.extra-entry") && kept("crl.missing") && kept("status.missing"), "{}", said.all());
    assert!(said.out.contains("not while there is crl.extra-entry"), "{}", said.out);
    assert!(!home.path("home/status/manifest.json").exists());
}

#[test]
fn what_a_crl_has_revoked_is_taken_over_and_then_everything_is_published_again() {
    // C4, K3, G15
    let home = base().copied();
    home.shell(
        "sqlite3 home/index.db 'update status set state = 1, revoked_at = null, reason = null where state = 2'
         rm home/public/genfic-user.crl home/status/manifest.json",
    )
    .ok();
    let (said, findings) = look(&home, &[]);
    let [finding] = open(&findings, "index.contradicts-crl")[..] else { panic!("{}", said.all()) };
    assert_eq!((&finding["fixable"], &finding["remedy"]), (&true.into(), &"genfic-ca doctor --fix".into()));
    for words in [&["crl", "publish", "genfic-system"][..], &["ocsp", "sync"]] {
        let said = home.ca(words);
        assert!(said.status == 13 && said.err.contains("index.contradicts-crl"), "{words:?} {}", said.all());
    }
    look(&home, &["--fix"]);
    let (said, findings) = look(&home, &["--fix"]);
    assert_eq!(open(&findings, "index.contradicts-crl").len(), 0, "{}", said.all());
    assert!(home.path("home/status/manifest.json").exists(), "{}", said.all());
    home.ca(&["crl", "publish", "genfic-system"]).ok();
    let audit = home.ca(&["audit", "show", "--verbose"]).ok().out;
    assert!(audit.contains("of genfic-system") && audit.contains("doctor.mended"), "{audit}");
    let (said, findings) = look(&home, &[]);
    assert_eq!(findings, Vec::<Value>::new(), "{}", said.all());
}

#[test]
fn of_a_restored_home_only_that_nobody_accepted_it_is_told() {
    // a certificate that is known by its number alone, another and a responder's without their profiles
    let home = base().copied();
    home.shell(
        "genfic-ca --passphrase-from env:GENFIC_TEST_PASSPHRASE backup create backup.age
         genfic-ca create-request lost.genfic.example --sign -p genfic-system
         genfic-ca create-request found.genfic.example --sign -p genfic-system
         genfic-ca ocsp responder genfic-system
         genfic-ca revoke lost.genfic.example
         mkdir found; cp -a home/public home/status home/ocsp/genfic-system/responder.pem found.*.crt found
         mv home old
         genfic-ca --passphrase-from env:GENFIC_TEST_PASSPHRASE backup restore backup.age --published found
         cp old/keys/*.age home/keys; cp old/issued/genfic-system/* home/issued/genfic-system",
    )
    .ok();
    let (said, findings) = look(&home, &[]);
    let held_back = ["restore.not-accepted", "responder.missing", "crl.owed", "crl.number-ahead"];
    let strange = findings.iter().find(|one| !held_back.contains(&one["code"].as_str().unwrap()));
    assert_eq!(strange, None, "{}", said.all());
    look(&home, &["--fix"]);
    let (said, findings) = look(&home, &["--deep"]);
    assert!(findings.len() == 1 && findings[0]["code"] == "restore.not-accepted", "{}", said.all());
    let said =
        home.shell("genfic-ca create-request c.genfic.example --sign -p genfic-system || test $? = 13");
    assert!(said.err.contains("restore.not-accepted"), "{}", said.all());
    assert!(findings[0]["remedy"].as_str().unwrap().contains("genfic-ca backup accept"));
    home.ca(&["--yes", "backup", "accept"]).ok();
    assert_eq!(look(&home, &["--deep"]).1, Vec::<Value>::new());
}

#[test]
fn a_damaged_index_is_replaced_as_its_remedy_says() {
    // C1, G15
    let home = base().copied();
    home.shell(
        "genfic-ca --passphrase-from env:GENFIC_TEST_PASSPHRASE backup create backup.age
         genfic-ca revoke a.genfic.example
         page=$(sqlite3 home/index.db \"select rootpage from sqlite_schema where name = 'authority'\")
         size=$(sqlite3 home/index.db 'pragma page_size')
         rm -f home/index.db-*
         dd if=/dev/urandom of=home/index.db bs=$size seek=$((page - 1)) count=1 conv=notrunc 2>/dev/null",
    )
    .ok();
    let refused = home.ca(&["list"]);
    assert_eq!(refused.status, 13, "{}", refused.all());
    assert!(refused.err.contains("run `genfic-ca doctor`"), "{}", refused.all());
    let (said, findings) = look(&home, &["--fix"]);
    let storage = open(&findings, "index.storage");
    assert!(
        !storage.is_empty() && storage.len() == findings.len(),
        "only the index is blamed: {}",
        said.all()
    );
    let remedy = storage[0]["remedy"].as_str().unwrap();
    let (first, then) = remedy.split_once(", then ").unwrap();
    let (restore, keys) = then.split_once(", and put back ").unwrap();
    let restore = with_passphrase(&restore.replace("BACKUP", "backup.age"));
    home.shell(&format!("{first}\n{restore}\ncp -p {keys} home/keys")).ok();
    look(&home, &["--fix"]);
    home.ca(&["--yes", "backup", "accept"]).ok();
    let (said, findings) = look(&home, &["--deep"]);
    assert_eq!(findings, Vec::<Value>::new(), "{}", said.all());
    let revoked = home.result(&["list", "--status", "revoked"]);
    assert_eq!(revoked["certificates"].as_array().unwrap().len(), 2, "{revoked}");
}

#[test]
fn without_a_passphrase_what_needs_one_is_left_with_its_command() {
    let home = base().copied();
    home.shell("genfic-ca revoke a.genfic.example --no-crl; rm home/public/genfic.pem").ok();
    let said = home.shell("GENFIC_CA_PASSPHRASE_FROM=prompt genfic-ca doctor --fix");
    assert_eq!(said.status, 12, "{}", said.all());
    assert!(
        said.out.contains("genfic-ca crl publish genfic-system (not mended: the passphrase of"),
        "{}",
        said.out
    );
    assert!(said.out.contains("mended   genfic has not the certificate"), "{}", said.out);
    assert!(home.path("home/public/genfic.pem").is_file());
}

#[test]
fn a_home_that_was_named_is_named_in_the_remedies() {
    let home = base().copied();
    home.shell("mv home 'my home'; rm 'my home/public/genfic.crl.pem'").ok();
    let said =
        home.shell("unset GENFIC_CA_HOME; genfic-ca --home 'my home' doctor --json || test $? = 12").ok();
    let finding = said.json()["result"]["findings"][0].clone();
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("/my home' doctor --fix"), "{remedy}");
    home.shell(&format!("unset GENFIC_CA_HOME; {remedy}")).ok();
    assert!(home.path("my home/public/genfic.crl.pem").is_file());
}

#[test]
fn quiet_says_only_what_is_wrong_for_a_timer_to_mail() {
    let quiet = base().ca(&["--quiet", "doctor"]).ok();
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    let home = base().copied();
    home.shell("rm home/public/genfic.crl.pem").ok();
    let quiet = home.ca(&["--quiet", "doctor"]);
    assert_eq!((quiet.status, quiet.out.as_str()), (12, ""), "{}", quiet.all());
    assert!(
        quiet.err.contains("genfic has another CRL in PEM than in DER") && quiet.err.contains("doctor --fix")
    );
    assert_eq!(base().ca(&["--home", "nowhere", "doctor"]).status, 5);
}

#[test]
fn an_ordinary_user_is_told_the_same_and_can_mend_it() {
    // P2, K1
    if !is_root() {
        return;
    }
    let home = base().copied();
    let program = home.path("genfic-ca").display().to_string();
    home.shell("chmod 755 .").ok();
    std::fs::copy(crate::support::CA, &program).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_genfic-signer"), home.path("genfic-signer")).unwrap();
    home.shell("chown -R 65534:65534 home; chmod 644 home/keys/genfic.age; chmod 500 home/keys; chmod 0 home/index.db").ok();
    let as_nobody = |words: &str| {
        home.shell(&format!("exec setpriv --reuid=65534 --regid=65534 --clear-groups {program} {words}"))
    };
    let said = as_nobody("doctor");
    assert_eq!(said.status, 12, "{}", said.all());
    for code in ["home.mode", "home.shut", "index."] {
        assert!(said.out.contains(&format!("({code}")), "{code}: {}", said.all());
    }
    let said = as_nobody("doctor --fix");
    assert_eq!(said.status, 0, "{}", said.all());
    assert!(as_nobody("audit show --verbose").ok().out.contains("doctor.mended"));
    let root = home.ca(&["doctor"]);
    assert!(root.status == 12 && root.out.contains("(home.wrong-user)"), "{}", root.all());
    assert!(root.out.contains("sudo -u nobody genfic-ca doctor"), "{}", root.all());
    assert!(root.out.contains("not looked at: the index is not open"), "{}", root.all());
}
