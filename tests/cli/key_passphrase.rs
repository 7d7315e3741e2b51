//! New passphrases: how strong they have to be, generated ones, and `key passphrase`.
use crate::refused;
use crate::support::{Home, PASSPHRASE, Said};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A passphrase that is strong, and not that of the tests' keys.
const OTHER: &str = "mutt unlucky crimp slouching ferret abacus";

/// Runs the program with these values of variables besides.
fn with(home: &Home, variables: &[(&str, &str)], words: &[&str]) -> Said {
    Said::of(home.command(words).envs(variables.iter().copied()).output().unwrap())
}

fn publishes(home: &Home, authority: &str, passphrase: &str) -> Said {
    with(home, &[("GENFIC_TEST_PASSPHRASE", passphrase)], &["crl", "publish", authority])
}

fn change(home: &Home, words: &[&str]) -> Said {
    let begin = &["key", "passphrase", "--new-passphrase-from", "env:OTHER"];
    with(home, &[("OTHER", OTHER)], &[&begin[..], words].concat())
}

fn key_file(home: &Home, name: &str) -> Vec<u8> {
    fs::read(home.path(&format!("home/keys/{name}.age"))).unwrap()
}

fn actions(home: &Home) -> Vec<String> {
    let shown = home.result(&["audit", "show"]);
    shown["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn after_a_change_only_the_new_passphrase_opens_the_key_and_all_else_stays() {
    // K2, C1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["backup", "create", "before.age", "--with-keys"]).ok();
    let mark = home.path("home/keys/genfic-system.mark");
    let number = fs::read_to_string(&mark).unwrap();
    let before = key_file(&home, "genfic-system");
    let said = change(&home, &["genfic-system", "--json"]).ok().json();
    assert!(said["changed"] == true && said["result"]["keys"][0]["name"] == "genfic-system", "{said}");
    let after = home.path("home/keys/genfic-system.age");
    assert_eq!(fs::metadata(&after).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_ne!(key_file(&home, "genfic-system"), before);
    let mut names: Vec<String> = fs::read_dir(home.path("home/keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    // what the signer keeps of its signatures
    names.retain(|name| name != "journal" && !name.starts_with("record.db"));
    names.sort();
    let all = ["genfic-system", "genfic-user", "genfic"]
        .map(|name| ["age", "envelope.toml", "mark", "pem"].map(|ending| format!("{name}.{ending}")));
    assert_eq!(names, all.concat(), "no copy is left");
    assert_eq!(fs::read_to_string(&mark).unwrap(), number);
    assert!(actions(&home).contains(&"key.passphrase-changed".to_owned()));

    refused(&publishes(&home, "genfic-system", PASSPHRASE), 8, "key.passphrase-wrong");
    publishes(&home, "genfic-system", OTHER).ok();
    assert!(
        fs::read_to_string(&mark).unwrap().trim().parse::<u64>().unwrap() > number.trim().parse().unwrap()
    );
    publishes(&home, "genfic", PASSPHRASE).ok();
    assert_eq!(home.ca(&["audit", "verify"]).status, 0);

    let words = ["backup", "restore", "before.age", "--published", "home/public", "--home", "rebuilt"];
    home.ca(&words).ok();
    let old = ["--home", "rebuilt", "crl", "publish", "genfic-system"];
    home.ca(&old).ok();
}

#[test]
fn several_keys_are_changed_together_or_none_is() {
    // K2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    change(&home, &["genfic-user"]).ok();
    let before = ["genfic", "genfic-system", "genfic-user"].map(|name| key_file(&home, name));
    refused(&change(&home, &["--all"]), 8, "key.passphrase-wrong");
    refused(&change(&home, &["genfic", "nobody"]), 5, "authority.not-found");
    assert_eq!(["genfic", "genfic-system", "genfic-user"].map(|name| key_file(&home, name)), before);
    assert_eq!(actions(&home).iter().filter(|one| *one == "key.passphrase-changed").count(), 1);
    change(&home, &["genfic", "genfic-system", "genfic"]).ok();
    let all = [("A", OTHER), ("B", PASSPHRASE)];
    let words =
        ["key", "passphrase", "--all", "--passphrase-from", "env:A", "--new-passphrase-from", "env:B"];
    let said = with(&home, &all, &[&words[..], &["--json"]].concat()).ok().json();
    assert_eq!(said["result"]["keys"].as_array().unwrap().len(), 3, "{said}");
    home.ca(&["crl", "publish", "--all"]).ok();
}

#[test]
fn a_key_whose_certificate_is_still_to_come_gets_a_new_passphrase_too() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-child", "far", "--csr-only", "--profile", "user-ca"]).ok();
    change(&home, &["far"]).ok();
    home.ca(&["sign", "far.req", "-p", "genfic", "--profile", "user-ca", "-o", "far.pem"]).ok();
    refused(&home.ca(&["adopt", "far", "far.pem"]), 8, "key.passphrase-wrong");
    with(&home, &[("GENFIC_TEST_PASSPHRASE", OTHER)], &["adopt", "far", "far.pem"]).ok();
}

#[test]
fn the_new_passphrase_is_never_taken_from_where_the_old_one_is() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let said = home.ca(&["key", "passphrase", "genfic"]);
    refused(&said, 9, "key.passphrase-needed");
    assert!(said.err.contains("--new-passphrase-from file:PATH"), "{}", said.err);
    let said = home.ca(&["key", "passphrase", "genfic", "--new-passphrase-from", "pass:x"]);
    refused(&said, 2, "usage.passphrase-from");
    assert!(said.err.contains("--new-passphrase-from: "), "{}", said.err);
    refused(&home.ca(&["key", "passphrase"]), 2, "usage");
    refused(&home.ca(&["renew-ca", "genfic", "--generate"]), 2, "usage");
    publishes(&home, "genfic", PASSPHRASE).ok();
}

#[test]
fn where_the_configuration_takes_the_old_passphrase_from_is_said() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    fs::write(home.path("user.pass"), PASSPHRASE).unwrap();
    fs::set_permissions(home.path("user.pass"), fs::Permissions::from_mode(0o600)).unwrap();
    let from = format!("file:{}", home.path("user.pass").display());
    let config = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&config).unwrap();
    let own = "[authority.genfic-user]\npassphrase_from = ";
    fs::write(
        &config,
        format!("{text}\n{own}\"{from}\"\n[authority.genfic-system]\npassphrase_from = \"cred:it\"\n"),
    )
    .unwrap();
    let said = change(&home, &["genfic-user", "genfic-system"]).ok();
    assert!(said.out.contains(&format!("takes it from: {from}")), "{}", said.out);
    assert!(said.out.contains("systemd-creds encrypt --name=it"), "{}", said.out);
    refused(&home.ca(&["crl", "publish", "genfic-user"]), 8, "key.passphrase-wrong");
}

#[test]
fn a_weak_passphrase_is_refused_for_every_new_key_before_it_is_made() {
    // K2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.run(&["openssl", "genpkey", "-algorithm", "ED25519", "-out", "plain.key"]).ok();
    fs::set_permissions(home.path("plain.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(home.path("weak"), "genfic root\n").unwrap();
    fs::set_permissions(home.path("weak"), fs::Permissions::from_mode(0o600)).unwrap();
    let keys = fs::read_dir(home.path("home/keys")).unwrap().count();
    for words in [
        &["create-root", "other"][..],
        &["create-child", "other-user", "-p", "genfic"],
        &["create-child", "far", "--csr-only"],
        &["renew-ca", "genfic-user", "--rekey"],
        &["renew-ca", "genfic", "--rekey"],
        &["key", "import", "brought", "plain.key"],
        &["key", "passphrase", "genfic"],
    ] {
        let said = home.ca(&[words, &["--new-passphrase-from", "file:weak"]].concat());
        refused(&said, 7, "key.passphrase-weak");
        assert!(said.err.contains("--weak-passphrase") && !said.err.contains("genfic root"), "{}", said.err);
        assert_eq!(fs::read_dir(home.path("home/keys")).unwrap().count(), keys, "{words:?}");
    }
    let allowed =
        ["create-root", "other", "--new-passphrase-from", "file:weak", "--weak-passphrase", "--json"];
    let said = home.ca(&allowed).ok().json();
    assert!(said["warnings"].to_string().contains("the passphrase of other is weak"), "{said}");
    home.ca(&["crl", "publish", "other", "--passphrase-from", "file:weak"]).ok();
}

#[test]
fn the_file_of_a_generated_passphrase_goes_with_a_key_that_is_not_made_and_is_for_one_key() {
    // K2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let generate = ["--generate", "--new-passphrase-from", "file:made"];
    for names in [&["genfic", "genfic-user"][..], &["--all"]] {
        let said = home.ca(&[&["key", "passphrase"], names, &generate].concat());
        refused(&said, 2, "usage");
        assert!(!home.path("made").exists());
    }
    let wrong = ["create-root", "other", "--valid", "nonsense", "--home", "anew"];
    assert_ne!(home.ca(&[&wrong[..], &generate].concat()).status, 0);
    assert!(!home.path("made").exists());
    let beyond = ["create-child", "below", "-p", "genfic", "--valid", "90000"];
    assert_ne!(home.ca(&[&beyond[..], &generate].concat()).status, 0);
    assert!(!home.path("made").exists() && !home.path("home/keys/below.age").exists());
    home.ca(&[&["create-child", "below", "-p", "genfic"][..], &generate].concat()).ok();
    home.ca(&["crl", "publish", "below", "--passphrase-from", "file:made"]).ok();
}

#[test]
fn a_generated_passphrase_goes_into_a_file_of_its_own_and_never_into_output() {
    // K2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for words in [&["create-root", "other"][..], &["key", "passphrase", "genfic"]] {
        for more in [&["--generate"][..], &["--generate", "--json"], &["--generate", "--no-input"]] {
            let said = home.ca(&[words, more].concat());
            assert_eq!(said.status, 9, "{}", said.all());
            assert!(said.all().contains("--new-passphrase-from file:PATH"), "{}", said.all());
        }
        let said = home.ca(&[words, &["--generate", "--new-passphrase-from", "env:X"]].concat());
        refused(&said, 2, "usage.passphrase-from");
    }
    let child =
        ["create-child", "other-user", "-p", "genfic", "--generate", "--new-passphrase-from", "file:made"];
    let said = home.ca(&[&child[..], &["--json"]].concat()).ok();
    let made = fs::read_to_string(home.path("made")).unwrap();
    assert_eq!(made.trim_end().split(' ').count(), 6, "{made}");
    assert_eq!(fs::metadata(home.path("made")).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(!said.all().contains(made.trim_end()) && said.json()["warnings"].to_string().contains("made"));
    home.ca(&["crl", "publish", "other-user", "--passphrase-from", "file:made"]).ok();
    let again = ["key", "passphrase", "genfic", "--generate", "--new-passphrase-from", "file:made"];
    let said = home.ca(&again);
    refused(&said, 8, "key.passphrase-unavailable");
    assert!(said.err.contains("move it away, or name another file"), "{}", said.err);
    assert_eq!(fs::read_to_string(home.path("made")).unwrap(), made, "what is there is not written over");
    home.ca(&["crl", "publish", "genfic"]).ok();
}
