//! CAs whose keys the signer that listens has: what of them the commands on a home see, and say when nobody listens.
use crate::standing_signer::{AMBER, OWNER, Service, WORDS};
use crate::support::terminal::Terminal;
use crate::support::{Said, is_root, skipped};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

/// A service with the root `example` and the CA `example-system`, and a home that uses them. Everything is locked.
pub(crate) fn with_hierarchy() -> Service {
    let service = Service::new();
    let new = |name: &str| prepare(&service, name);
    let steps = [
        service.own_home(),
        new("example"),
        service.ca("create-root example --key ed25519"),
        new("example-system"),
        service.ca("create-child example-system -p example --key ed25519 --ocsp=false"),
        service.ca("create-request a.example --sign -p example-system"),
        service.admin("key lock"),
    ];
    let said = service.done(&steps);
    assert!(said.out.contains("locked: example, example-system"), "every key without a name: {}", said.out);
    service
}

pub(crate) fn run(service: &Service, words: &str) -> Said {
    service.home.shell(&service.ca(words))
}

fn findings(service: &Service, words: &str) -> Vec<Value> {
    let said = run(service, &format!("doctor {words} --json"));
    let said: Value = serde_json::from_str(&said.out).unwrap();
    said["result"]["findings"].as_array().unwrap().clone()
}

fn with_code<'f>(findings: &'f [Value], code: &str) -> Vec<&'f Value> {
    findings.iter().filter(|one| one["code"] == code).collect()
}

#[test]
fn the_journal_of_the_service_is_compared_with_the_index_and_never_passed_over() {
    // K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_hierarchy();
    let verified = run(&service, "audit verify --json").ok().json()["result"].clone();
    let journal = &verified["service_journal"];
    // two CAs, a holder's certificate, and at least a CRL of each CA
    assert!(journal["both"].as_u64().unwrap() >= 5, "{verified}");
    assert_eq!((&journal["unsigned"], &journal["older"]), (&0.into(), &0.into()), "{verified}");
    assert!(verified["journal"].is_null(), "no key is in the home");
    let told = run(&service, "audit verify").ok().out;
    assert!(told.contains("the journal of the signer that listens has"), "{told}");

    // an entry that somebody changed, deep in it
    let path = service.home.path("signer/journal");
    let before = fs::read(&path).unwrap();
    let mut changed = before.clone();
    changed[100] ^= 1;
    fs::write(&path, &changed).unwrap();
    let said = run(&service, "audit verify");
    assert_eq!(said.status, 13, "{}", said.all());
    assert!(said.err.contains("journal.damaged") && said.err.contains("ca.socket"), "{}", said.err);
    fs::write(&path, &before).unwrap();
    run(&service, "audit verify").ok();

    // a certificate that the index loses
    let file = service.home.path("own/home/index.db");
    let index = rusqlite::Connection::open(&file).unwrap();
    index.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let kept = fs::read(&file).unwrap();
    let lost = "PRAGMA foreign_keys = OFF; DELETE FROM status WHERE certificate = (SELECT max(number) FROM certificate)";
    index.execute_batch(lost).unwrap();
    drop(index);
    for beside in ["index.db", "index.db-wal", "index.db-shm"] {
        let _ = chown(service.home.path("own/home").join(beside), Some(OWNER), Some(OWNER));
    }
    let said = run(&service, "audit verify");
    assert_eq!(said.status, 13, "{}", said.all());
    assert!(said.err.contains("the index does not know a certificate that was signed"), "{}", said.err);
    assert!(said.err.contains(&format!("loginuid {AMBER}")), "it says who had logged in: {}", said.err);
    for beside in ["index.db-wal", "index.db-shm"] {
        let _ = fs::remove_file(service.home.path("own/home").join(beside));
    }
    fs::write(&file, kept).unwrap();
    run(&service, "audit verify").ok();

    // nobody listens: that is no good news
    service.end();
    let said = run(&service, "audit verify --json");
    assert_eq!(said.status, 8, "{}", said.all());
    let said = run(&service, "audit verify");
    assert!(said.err.contains("was not compared with the index"), "{}", said.err);
    assert!(said.err.contains("systemctl start genfic-signer.socket"), "{}", said.err);
    // nor is a configuration that does not name the socket any more
    service.home.shell("sed -i '/^signer_socket/d' own/home/genfic-ca.toml").ok();
    let said = run(&service, "audit verify");
    assert_eq!(said.status, 8, "{}", said.all());
    assert!(said.err.contains("was not compared") && said.err.contains("signer_socket = "), "{}", said.err);
}

#[test]
fn keys_of_the_service_are_seen_there_and_missed_when_nobody_listens() {
    // G1, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_hierarchy();
    let about_keys = |found: &[Value]| {
        let codes = found.iter().map(|one| one["code"].as_str().unwrap().to_owned());
        codes.filter(|code| code.starts_with("key.") || code.starts_with("home.")).collect::<Vec<_>>()
    };
    assert_eq!(about_keys(&findings(&service, "")), [""; 0]);
    let listed = run(&service, "authorities").ok().out;
    assert_eq!(listed.matches("in the signer").count(), 2, "{listed}");
    let listed = run(&service, "authorities --json").ok().json();
    assert_eq!(listed["result"]["authorities"][0]["key_uri"], "signer:example.age", "{listed}");
    let shown = run(&service, "show example").ok().out;
    assert!(shown.contains("in the signer, signer:example.age"), "{shown}");
    run(&service, "status").ok();
    run(&service, "init").ok();

    // a key file that is gone there
    let file = service.home.path("signer/example-system.age");
    let aside = service.home.path("signer/aside");
    fs::rename(&file, &aside).unwrap();
    let found = findings(&service, "");
    let missing = with_code(&found, "key.missing");
    assert_eq!(missing.len(), 1, "{found:?}");
    let remedy = missing[0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("signer/example-system.age back from a backup of the signer"), "{remedy}");
    fs::rename(&aside, &file).unwrap();

    service.end();
    let found = findings(&service, "");
    assert_eq!(about_keys(&found), ["key.signer-away"; 2], "{found:?}");
    for one in with_code(&found, "key.signer-away") {
        let (message, remedy) = (one["message"].as_str().unwrap(), one["remedy"].as_str().unwrap());
        assert!(message.contains("is not reached"), "{message}");
        assert!(remedy.contains("systemctl start genfic-signer.socket"), "{remedy}");
    }
    assert!(!found.iter().any(|one| one["remedy"].as_str().unwrap().starts_with("mv ")), "{found:?}");
    let said = run(&service, "status --json");
    assert_eq!(said.status, 12, "{}", said.all());
    assert!(said.out.contains("key.signer-away"), "{}", said.out);
    run(&service, "authorities").ok();
    run(&service, "show example").ok();
}

#[test]
fn no_key_file_of_a_home_is_moved_away_because_its_signer_is_missing() {
    // K1
    let home = crate::support::Home::with_hierarchy("http://pki.genfic.example");
    home.shell("mkdir alone").ok();
    let program = home.path("alone/genfic-ca");
    fs::copy(crate::support::CA, &program).unwrap();
    let said = home.shell(&format!("{} --home home doctor --json", program.display()));
    let said: Value = serde_json::from_str(&said.out).unwrap();
    let found = said["result"]["findings"].as_array().unwrap().clone();
    assert_eq!(with_code(&found, "home.unknown-file"), [] as [&Value; 0], "{found:?}");
    let away = with_code(&found, "key.signer-away");
    assert_eq!(away.len(), 3, "{found:?}");
    let remedy = away[0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("install genfic-signer"), "{remedy}");
}

#[test]
fn a_home_whose_keys_the_service_has_is_backed_up_and_restored_without_them() {
    // G12, C1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_hierarchy();
    let own = service.home.path("own");
    let at = |home: &str, words: &str| {
        let own = own.display();
        service.ca(words).replace(&format!("--home {own}/home"), &format!("--home {own}/{home}"))
    };
    let number = |home: &str| -> u64 {
        let said = service.home.shell(&at(home, "crl show example-system --json")).ok().json();
        said["result"]["number"].as_u64().unwrap()
    };
    let before = number("home");
    fs::write(service.home.path("own/pass"), "a passphrase of a backup\n").unwrap();
    let pass = service.home.path("own/pass");
    fs::set_permissions(&pass, fs::Permissions::from_mode(0o600)).unwrap();
    chown(&pass, Some(OWNER), Some(OWNER)).unwrap();
    run(&service, "backup create all.age --with-keys --passphrase-from file:pass").ok();
    run(&service, "backup verify all.age --passphrase-from file:pass").ok();
    let words = "backup restore all.age --published home/public --passphrase-from file:pass --json";
    let said = service.home.shell(&at("again", words)).ok().json();
    let first = &said["result"]["authorities"][0];
    assert_eq!((&first["key"], &first["key_in_service"]), (&false.into(), &true.into()), "{said}");
    let steps = [
        service.admin("key unlock example-system --scope crl --passphrase-from fd:0"),
        at("again", "crl publish example-system"),
    ];
    service.done(&steps);
    assert!(number("again") > before);
}

#[test]
fn an_administrator_changes_a_passphrase_of_the_service_and_a_killed_signer_leaves_one_that_opens() {
    // K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_hierarchy();
    let new = "another six uncommon words of that sentence";
    let secret = |name: &str, text: &str| {
        let file = service.home.path(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&file, Some(AMBER), Some(AMBER)).unwrap();
        format!("file:{}", file.display())
    };
    let (old_file, new_file) = (secret("old", WORDS), secret("new", new));
    let (weak_file, wrong_file) = (secret("weak", "example"), secret("wrong", "not this one"));
    let change = |service: &Service, from: &str, to: &str| {
        let words = "key passphrase example --service";
        service.administrator(&format!("{words} --passphrase-from {from} --new-passphrase-from {to}"), "")
    };
    let opens = |service: &Service, file: &str| {
        let said = service.administrator(&format!("key unlock example --passphrase-from {file}"), "");
        service.administrator("key lock", "").ok();
        said.status == 0
    };
    let key = service.home.path("signer/example.age");
    let work = || {
        fs::read_to_string(&key).map_or_else(
            |_| String::from_utf8_lossy(&fs::read(&key).unwrap()).lines().nth(1).unwrap().to_owned(),
            |text| text.lines().nth(1).unwrap().to_owned(),
        )
    };
    let cost = |line: String| line.rsplit(' ').next().unwrap().to_owned();
    let before = cost(work());

    // who is the CA's user is told who does it, and nothing is changed
    let said = run(&service, "key passphrase example --new-passphrase-from env:PATH");
    assert_eq!(said.status, 8, "{}", said.all());
    assert!(said.err.contains("key passphrase example --service"), "{}", said.err);
    assert_eq!(change(&service, &wrong_file, &new_file).status, 8);
    let weak = change(&service, &old_file, &weak_file);
    assert!(weak.status == 7 && weak.err.contains("key.passphrase-weak"), "{}", weak.all());
    let same = change(&service, &old_file, &old_file);
    assert_eq!(same.status, 2, "{}", same.all());
    assert!(opens(&service, &old_file));

    // killed at each point that a change passes
    let trace = service.home.path("signer/trace");
    service.restart_with(&[("GENFIC_CA_FAILPOINT_TRACE", trace.to_str().unwrap())]);
    change(&service, &old_file, &new_file).ok();
    let points = fs::read_to_string(&trace).unwrap().lines().count();
    assert!(points >= 3, "{points}");
    assert!(opens(&service, &new_file) && !opens(&service, &old_file));
    fs::remove_file(&trace).unwrap();
    let (mut now, mut next) = (new_file.clone(), old_file.clone());
    let mut changed = 0;
    for point in 1..=points {
        service.restart(Some(&point.to_string()));
        let said = change(&service, &now, &next);
        assert_eq!(said.status, 8, "killed at {point}: {}", said.all());
        service.restart(None);
        let is_new = opens(&service, &next);
        assert!(is_new != opens(&service, &now), "killed at {point}");
        if is_new {
            changed += 1;
            std::mem::swap(&mut now, &mut next);
        }
    }
    assert!(changed > 0 && changed < points, "{changed} of {points}");
    assert_eq!(cost(work()), before, "what a guess costs stays");
    // the journal has who did it
    let journal = fs::read(service.home.path("signer/journal")).unwrap();
    let said = b"example, with a new passphrase";
    assert!(journal.windows(said.len()).any(|window| window == said));
    for secret in [WORDS, new] {
        assert_eq!(service.in_memory(secret.as_bytes()), 0);
    }
    run(&service, "audit verify").ok();
}

/// The line by which the administrator gives the passphrase of a new key.
pub(crate) fn prepare(service: &Service, name: &str) -> String {
    let scopes = "--scope leaf --scope ca --scope crl --passphrase-from fd:0";
    // the name of the other one says its profile
    let profile = if name == "example" { "--profile root-ca" } else { "" };
    service.admin(&format!("key unlock {name} --new {profile} {scopes}"))
}

#[test]
fn the_envelope_of_a_new_ca_is_shown_line_by_line() {
    // K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let steps = [
        service.own_home(),
        prepare(&service, "example"),
        service.ca("create-root example --key ed25519"),
        prepare(&service, "example-system"),
        service.ca("create-child example-system -p example --key ed25519 --ocsp=false --json"),
    ];
    let said = service.done(&steps);
    assert!(said.out.contains("keys of CAs    in the signer on"), "init says so: {}", said.out);
    for line in ["the most that its key ever signs", "  profile ", "root-ca", "certifies_cas", "longest_days"]
    {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let child = said.out.lines().find(|line| line.starts_with('{')).unwrap();
    let child: Value = serde_json::from_str(child).unwrap();
    let envelope = &child["result"]["envelope"];
    assert_eq!((&envelope["profile"], &envelope["certifies_cas"]), (&"system-ca".into(), &false.into()));
    // as the signer has it
    for (name, field) in [("example", "root-ca"), ("example-system", "system-ca")] {
        let file = service.home.path(&format!("signer/{name}.envelope.toml"));
        assert!(fs::read_to_string(&file).unwrap().contains(&format!("profile = \"{field}\"")), "{name}");
    }
    let shown = fs::read_to_string(service.home.path("signer/example.envelope.toml")).unwrap();
    for line in shown.lines().filter(|line| !line.starts_with('#')) {
        let (field, value) = line.split_once(" = ").unwrap();
        let value = value.trim_matches(['[', ']']).replace('"', "");
        let is_shown = |told: &str| told.trim_start().starts_with(field) && told.contains(&value);
        assert!(said.out.lines().any(is_shown), "{line}: {}", said.out);
    }
}

#[test]
fn a_person_confirms_the_envelope_of_a_root_before_it_signs_anything() {
    // K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    service.done(&[service.own_home()]);
    let create = service.ca("create-root example --key ed25519").replace("--no-input ", "");
    let at_terminal = |answer: &str| {
        let lines = format!("echo {AMBER} >/proc/self/loginuid\n{}\n{create}", prepare(&service, "example"));
        let mut command = Command::new("sh");
        command.args(["-c", &lines]).current_dir(service.home.directory());
        let mut at = Terminal::spawn(&command, 120, 40);
        at.wait_for("certifies_cas")
            .wait_for("Is that what the root example is for? [y/N]")
            .type_line(answer);
        at.end()
    };
    let (text, status) = at_terminal("n");
    assert_eq!(status, 9, "{text}");
    assert!(!service.home.path("signer/example.age").exists(), "its key is gone again");
    assert!(!service.home.path("signer/example.envelope.toml").exists());
    let (text, status) = at_terminal("y");
    assert_eq!(status, 0, "{text}");
    assert!(service.home.path("signer/example.envelope.toml").exists());
}

#[test]
fn recipients_in_the_configuration_are_refused_for_a_key_that_the_service_is_to_make() {
    // K1, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let config = service.home.path("own/home/genfic-ca.toml");
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let line =
        format!("printf '\\n[authority.example]\\nrecipients = [\"{recipient}\"]\\n' >>{}", config.display());
    let create = service.ca("create-root example --key ed25519 --ocsp=false");
    let said = service.done(&[
        service.own_home(),
        line,
        prepare(&service, "example"),
        service.refused("config.invalid", &create),
        format!("cat {}", service.home.path("refused").display()),
    ]);
    assert!(said.out.contains("an administrator names them when asking the signer"), "{}", said.out);
    assert!(!service.home.path("signer/example.age").exists());
}
