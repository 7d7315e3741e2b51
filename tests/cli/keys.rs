//! What is known of the keys of CAs, the way of a key out, and the envelope of one.
use crate::refused;
use crate::standing_signer::Service;
use crate::support::terminal::Terminal;
use crate::support::{Home, KEY, PASSPHRASE, Said, is_root, skipped};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

/// A passphrase that is strong, and not that of the tests' keys.
const OTHER: &str = "mutt unlucky crimp slouching ferret abacus";

/// Runs the program with the second passphrase in a variable.
fn with_other(home: &Home, words: &[&str]) -> Said {
    Said::of(home.command(words).env("OTHER", OTHER).output().unwrap())
}

fn export(home: &Home, words: &[&str]) -> Said {
    let begin = &["key", "export", "--new-passphrase-from", "env:OTHER"];
    with_other(home, &[&begin[..], words].concat())
}

fn listed(home: &Home) -> Vec<Value> {
    home.result(&["key", "list"])["keys"].as_array().unwrap().clone()
}

fn journaled(home: &Home, text: &str) -> bool {
    let journal = fs::read(home.path("home/keys/journal")).unwrap();
    journal.windows(text.len()).any(|window| window == text.as_bytes())
}

fn actions(home: &Home) -> Vec<String> {
    let records = home.result(&["audit", "show"])["records"].as_array().unwrap().clone();
    records.iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn where_each_key_is_what_opens_it_and_when_it_was_used_is_listed_without_opening_any() {
    // G1, K1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-child", "far", "--csr-only", "--profile", "user-ca"]).ok();
    let rewrap =
        "rewrap genfic-user --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let split = "split genfic-system --shares 5 --threshold 3 --to s --in-place --yes";
    for words in [rewrap, split] {
        let mut command = std::process::Command::new(KEY);
        command.args(words.split(' ')).current_dir(home.directory());
        for (name, value) in home.command::<&str>(&[]).get_envs() {
            command.env(name, value.unwrap());
        }
        Said::of(command.output().unwrap()).ok();
    }
    home.ca(&["key", "export-bundle", "genfic", "--to", "medium"]).ok();
    // nobody has a passphrase for this
    let mut command = home.command(&["key", "list", "--json"]);
    let said = Said::of(command.env_remove("GENFIC_CA_PASSPHRASE_FROM").output().unwrap()).ok().json();
    let keys = said["result"]["keys"].as_array().unwrap();
    let told: Vec<_> = keys
        .iter()
        .map(|key| {
            let text = |field: &str| key[field].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", text("name"), text("where"), text("protection"))
        })
        .collect();
    assert_eq!(
        told,
        ["far home passphrase", "genfic media -", "genfic-system home shares", "genfic-user home recipients"]
    );
    assert_eq!((&keys[0]["scrypt_log_n"], &keys[0]["waiting"]), (&10.into(), &true.into()));
    refused(&home.ca(&["key", "move", "genfic", "--to", "home"]), 8, "key.offline");
    assert_eq!((&keys[2]["threshold"], &keys[2]["shares"]), (&3.into(), &5.into()));
    assert_eq!(keys[3]["recipients"], serde_json::json!(["X25519"]));
    // that of the first one was for its request
    assert!(keys.iter().all(|key| key["last_used"].is_string()), "{said}");
    let there = Said::of(home.command(&["key", "list", "--json", "--keys", "medium"]).output().unwrap());
    assert_eq!(there.ok().json()["result"]["keys"][1]["protection"], "passphrase");
    let text = home.ca(&["key", "list"]).ok().out;
    for told in ["3 of 5 shares", "1 recipient (X25519)", "passphrase, scrypt 2^10", "media, offline"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    // one that is lost is told, and the others too
    fs::remove_file(home.path("home/keys/genfic-user.age")).unwrap();
    let said = home.ca(&["key", "list"]).ok();
    assert!(
        said.out.contains("missing")
            && said.err.contains("genfic-user: the key age:genfic-user.age is not in")
    );
}

#[test]
fn an_exported_key_is_read_by_openssl_and_taken_in_elsewhere() {
    // G1, K1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let said =
        export(&home, &["genfic-system", "-o", "out.key", "--confirm", "genfic-system", "--json"]).ok();
    assert!(said.json()["changed"] == true && !said.all().contains(OTHER));
    assert_eq!(fs::metadata(home.path("out.key")).unwrap().permissions().mode() & 0o7777, 0o600);
    let pem = fs::read_to_string(home.path("out.key")).unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{pem}");
    let public = |words: &[&str]| home.run(&[&["openssl"], words].concat());
    let own = public(&["x509", "-in", "home/public/genfic-system.pem", "-noout", "-pubkey"]).ok().out;
    let pass = format!("pass:{OTHER}");
    assert_eq!(public(&["pkey", "-in", "out.key", "-passin", &pass, "-pubout"]).ok().out, own);
    let wrong = format!("pass:{PASSPHRASE}");
    assert_ne!(public(&["pkey", "-in", "out.key", "-passin", &wrong, "-pubout"]).status, 0);
    assert!(journaled(&home, "age:genfic-system.age, as PKCS#8"));
    assert!(actions(&home).contains(&"key.exported-to-file".to_owned()));
    home.ca(&["crl", "publish", "genfic-system"]).ok();
    // the key comes back from there, for the same CA
    fs::remove_file(home.path("home/keys/genfic-system.age")).unwrap();
    let import = ["key", "import", "genfic-system", "out.key", "--key-passphrase-from", "env:OTHER"];
    with_other(&home, &import).ok();
    home.ca(&["crl", "publish", "genfic-system"]).ok();
    assert_eq!(home.ca(&["audit", "verify"]).status, 0);
}

#[test]
fn a_key_is_exported_only_after_the_name_of_its_ca_was_given_and_into_a_new_file() {
    // K1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let begin = ["genfic", "-o", "out.key"];
    for (more, code) in [
        (&[][..], "input.confirmation"),
        (&["--yes"], "input.confirmation"),
        (&["--yes", "--confirm", "genfic-user"], "input.declined"),
    ] {
        refused(&export(&home, &[&begin[..], more].concat()), 9, code);
        assert!(!home.path("out.key").exists());
    }
    fs::write(home.path("there"), "mine").unwrap();
    symlink("nowhere", home.path("link")).unwrap();
    for name in ["there", "link"] {
        refused(&export(&home, &["genfic", "-o", name, "--confirm", "genfic"]), 4, "file.exists");
    }
    assert_eq!(fs::read(home.path("there")).unwrap(), b"mine");
    refused(&export(&home, &["genfic", "-o", "-", "--confirm", "genfic"]), 2, "usage");
    refused(&export(&home, &["nobody", "-o", "out.key", "--confirm", "nobody"]), 5, "authority.not-found");
    let wrong = ["genfic", "-o", "out.key", "--confirm", "genfic", "--passphrase-from", "env:OTHER"];
    refused(&export(&home, &wrong), 8, "key.passphrase-wrong");
    let said = home.ca(&["key", "export", "genfic", "-o", "out.key", "--confirm", "genfic"]);
    refused(&said, 9, "key.passphrase-needed");
    assert!(!home.path("out.key").exists() && !actions(&home).contains(&"key.exported-to-file".to_owned()));
    let words =
        ["key", "export", "genfic", "-o", "out.key", "--generate", "--new-passphrase-from", "file:made"];
    let mut command = home.command(&words);
    let mut terminal = Terminal::spawn(command.env_remove("NO_INPUT"), 100, 30);
    terminal.wait_for("signs as genfic, anywhere").wait_for("[name]").type_line("genfic");
    assert_eq!(terminal.end().1, 0);
    let pass = format!("pass:{}", fs::read_to_string(home.path("made")).unwrap().trim_end());
    home.run(&["openssl", "pkey", "-in", "out.key", "-passin", &pass, "-noout"]).ok();
}

fn envelope(home: &Home, words: &[&str]) -> Said {
    home.ca(&[&["key", "envelope", "genfic-system"], words].concat())
}

#[test]
fn an_envelope_is_shown_narrowed_and_widened_and_counts_at_once() {
    // K3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "w.example"]).ok();
    let shown = home.result(&["key", "envelope", "genfic-system"]);
    assert_eq!(shown["envelope"]["profile"], "system-ca");
    assert_eq!(
        (&shown["envelope"]["certifies_cas"], &shown["envelope"]["path_length"]),
        (&false.into(), &Value::Null)
    );
    let file = home.path("home/keys/genfic-system.envelope.toml");
    let before = fs::read(&file).unwrap();
    let narrow = ["--set", "longest_days=10", "--set", "extended_key_usage=serverAuth, clientAuth"];
    refused(&envelope(&home, &[&narrow[..], &["--yes"]].concat()), 9, "input.confirmation");
    refused(&envelope(&home, &[&narrow[..], &["--confirm", "genfic"]].concat()), 9, "input.declined");
    for wrong in ["longest_days=long", "colour=1", "longest_days=5\ncertificates_a_day=9", "longest_days"] {
        refused(&envelope(&home, &["--set", wrong, "--confirm", "genfic-system"]), 2, "usage");
    }
    assert_eq!(fs::read(&file).unwrap(), before);
    let set = [&narrow[..], &["--confirm", "genfic-system", "--json"]].concat();
    let said = envelope(&home, &set).ok().json();
    assert_eq!((&said["result"]["wider"], &said["changed"]), (&false.into(), &true.into()), "{said}");
    assert_eq!(
        said["result"]["envelope"]["extended_key_usage"],
        serde_json::json!(["serverAuth", "clientAuth"])
    );
    assert!(
        journaled(&home, "longest_days = 10") && actions(&home).contains(&"key.envelope-changed".to_owned())
    );
    let refuses = home.ca(&["sign", "w.example.req", "-p", "genfic-system"]);
    assert!(refuses.err.contains("signer.envelope-validity"), "{}", refuses.all());
    let wide = ["--set", "longest_days=900", "--set", "extended_key_usage=any", "--confirm", "genfic-system"];
    let said = envelope(&home, &wide).ok();
    assert!(said.out.contains("wider now") && said.out.contains("10 -> 900"), "{}", said.out);
    home.ca(&["sign", "w.example.req", "-p", "genfic-system"]).ok();
    // what is so already is no change
    let same = ["--set", "longest_days=900", "--json"];
    assert_eq!(envelope(&home, &same).ok().json()["changed"], false);
    home.ca(&["create-child", "far", "--csr-only", "--profile", "user-ca"]).ok();
    refused(&home.ca(&["key", "envelope", "far"]), 5, "signer.envelope-none");
}

#[test]
fn a_medium_that_lost_its_certificates_is_not_taken_for_one_that_was_never_used() {
    // K3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["key", "export-bundle", "genfic", "--to", "medium"]).ok();
    let publish = || home.ca(&["crl", "publish", "genfic", "--keys", "medium"]);
    publish().ok();
    let certificates = home.path("medium/genfic.pem");
    let kept = fs::read(&certificates).unwrap();
    fs::remove_file(&certificates).unwrap();
    let said = publish();
    refused(&said, 13, "signer.record");
    assert!(said.err.contains("genfic.pem") && said.err.contains("genfic.envelope.toml"), "{}", said.err);
    fs::write(&certificates, kept).unwrap();
    publish().ok();
}

#[test]
fn what_the_signer_refuses_leaves_nothing_that_the_next_command_abandons() {
    // K3, C7
    let home = Home::with_hierarchy("http://pki.genfic.example");
    envelope(&home, &["--set", "longest_days=10", "--confirm", "genfic-system"]).ok();
    let sign = ["create-request", "w.genfic.example", "--sign", "-p", "genfic-system"];
    refused(&home.ca(&sign), 7, "signer.envelope-validity");
    let said = home.ca(&["doctor", "--json"]).json();
    let findings = said["result"]["findings"].as_array().unwrap();
    assert!(findings.iter().all(|one| one["code"] != "index.pending"), "{said}");
    let said = home.ca(&["crl", "publish", "genfic-system", "--json"]).ok().json();
    assert_eq!(said["warnings"].as_array().unwrap().len(), 0, "{said}");
    home.ca(&["audit", "verify"]).ok();
    let told = home.ca(&["audit", "show", "--action", "certificate.abandoned", "--json"]).ok().out;
    assert!(told.contains("signer.envelope-validity"), "{told}");
}

#[test]
fn the_envelope_of_a_key_of_the_service_is_set_by_an_administrator_and_by_nobody_else() {
    // K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let all = "--new --profile root-ca --scope leaf --scope ca --scope crl --passphrase-from fd:0";
    let narrow = "key envelope example --set longest_days=9000 --confirm example";
    let steps = [
        service.own_home(),
        service.admin(&format!("key unlock example {all}")),
        service.ca("create-root example --key ed25519"),
        service.ca("key envelope example"),
        service.ca("key list --json >listed"),
        service.refused("signer.refused", &service.ca(narrow)),
        service.refused("key.in-service", &service.ca("key export example -o out.key --confirm example")),
        service.refused("key.in-service", &service.ca("key export-bundle example --to media")),
        service.refused(
            "input.confirmation",
            &service.admin("key envelope example --service --set longest_days=9000"),
        ),
        service.admin(&format!("{narrow} --service")),
    ];
    service.done(&steps);
    let file = fs::read_to_string(service.home.path("signer/example.envelope.toml")).unwrap();
    assert!(file.contains("longest_days = 9000"), "{file}");
    let journal = fs::read(service.home.path("signer/journal")).unwrap();
    let told = b"example: longest_days";
    assert!(journal.windows(told.len()).any(|window| window == told));
    let listed: Value = serde_json::from_slice(&fs::read(service.home.path("own/listed")).unwrap()).unwrap();
    let key = &listed["result"]["keys"][0];
    assert_eq!((&key["where"], &key["protection"]), (&"service".into(), &"passphrase".into()), "{listed}");
    assert!(key["last_used"].is_string(), "{listed}");
    // the service itself does not trust that its client refuses it
    let lies = service.home.shell(&service.ca(
        "key envelope example --set longest_days=1 --confirm example --service --socket ../sockets/ca.socket",
    ));
    assert!(lies.status != 0 && lies.err.contains("may not ask that"), "{}", lies.all());
}

#[test]
fn a_key_list_of_a_new_home_is_empty_and_begins_no_journal() {
    let home = Home::new();
    assert_eq!(listed(&home), Vec::<Value>::new());
    assert!(!home.path("home/keys/journal").exists());
}

#[test]
fn a_ca_is_made_for_the_recipients_that_its_command_names() {
    // K1
    let home = Home::new();
    let recipient = |name: &str| {
        home.run(&["age-keygen", "-o", name]).ok();
        home.run(&["age-keygen", "-y", name]).ok().out.trim().to_owned()
    };
    let (first, second) = (recipient("first"), recipient("second"));
    // nobody has a passphrase
    let run = |words: &[&str]| {
        let mut command = home.command(words);
        Said::of(command.env_remove("GENFIC_CA_PASSPHRASE_FROM").output().unwrap())
    };
    run(&["create-root", "example", "--recipient", &first, "--no-input"]).ok();
    let from = ["--passphrase-from", "file:first", "--no-input"];
    let child =
        ["create-child", "example-user", "-p", "example", "--recipient", &first, "--recipient", &second];
    run(&[&child[..], &from].concat()).ok();
    let kinds: Vec<_> = listed(&home).iter().map(|key| key["recipients"].as_array().unwrap().len()).collect();
    assert_eq!(kinds, [1, 2]);
    run(&["crl", "publish", "example-user", "--passphrase-from", "file:second"]).ok();
    refused(
        &run(&["crl", "publish", "example", "--passphrase-from", "file:second"]),
        8,
        "key.identity-wrong",
    );
    // the first root makes its home without a passphrase too
    run(&["--home", "anew", "create-root", "other", "--recipient", &first, "--no-input"]).ok();
    for more in [
        &["--recipient", "nonsense"][..],
        &["--recipient", &first, "--generate"],
        &["--recipient", &first, "--keystore", "pkcs11:token=a"],
    ] {
        refused(&run(&[&["create-root", "third"], more].concat()), 2, "usage");
    }
}

#[test]
fn a_subscribers_new_key_and_the_ca_have_passphrases_of_different_places() {
    // K1, G19
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let opens = |file: &str| {
        let pass = format!("pass:{OTHER}");
        home.run(&["openssl", "pkey", "-in", file, "-passin", &pass, "-noout"]).ok();
    };
    let own = ["--encrypt", "--key-passphrase-from", "env:OTHER", "--no-input"];
    let request = ["create-request", "w.example", "--sign", "-p", "genfic-system"];
    with_other(&home, &[&request[..], &own].concat()).ok();
    opens("w.example.key");
    with_other(&home, &[&["create-request", "x.example"][..], &own].concat()).ok();
    opens("x.example.key");
    fs::create_dir(home.path("new")).unwrap();
    with_other(&home, &[&["rekey", "w.example", "--dir", "new"][..], &own].concat()).ok();
    opens("new/w.example.key");
    for words in [&["create-request", "y.example"][..], &["rekey", "w.example"]] {
        refused(&with_other(&home, &[words, &["--key-passphrase-from", "env:OTHER"]].concat()), 2, "usage");
    }
    let wrong = ["create-request", "y.example", "--encrypt", "--key-passphrase-from", "pass:x"];
    refused(&home.ca(&wrong), 2, "usage.passphrase-from");
}
