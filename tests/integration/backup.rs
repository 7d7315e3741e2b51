//! Backups as files: made whole or not at all, opened by whom they are for, refused when they are anything else.
use crate::support::{Home, Said};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

#[track_caller]
fn refused(said: &Said, exit: i32, code: &str) {
    assert_eq!(said.status, exit, "{}", said.all());
    assert!(said.err.contains(&format!("(exit {exit}, {code})")), "{}", said.all());
}

#[test]
fn a_backup_is_a_new_private_file_that_is_recorded() {
    // G15, P2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let made = home.result(&["backup", "create", "one.age"]);
    let metadata = fs::metadata(home.path("one.age")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(made["bytes"], metadata.len());
    let sum = home.run(&["sha256sum", "one.age"]).ok().out;
    assert!(sum.starts_with(made["sha256"].as_str().unwrap()), "{sum}");
    assert_eq!(made["authorities"].as_array().unwrap().len(), 3);
    let before = fs::read(home.path("one.age")).unwrap();
    refused(&home.ca(&["backup", "create", "one.age"]), 4, "backup.exists");
    assert_eq!(fs::read(home.path("one.age")).unwrap(), before);
    fs::create_dir(home.path("backups")).unwrap();
    let in_directory = home.result(&["backup", "create", "backups"]);
    let name = in_directory["file"].as_str().unwrap();
    assert!(name.starts_with("backups/genfic-ca-20") && name.ends_with("Z.age"), "{name}");
    let records = home.result(&["audit", "show"]).to_string();
    assert_eq!(records.matches("backup.created").count(), 2);
    refused(&home.ca(&["backup", "create", "nowhere/one.age"]), 1, "file.write");
    let mut without = home.command::<&str>(&[]);
    without.args(["backup", "create", "two.age", "--no-input"]).env_remove("GENFIC_CA_PASSPHRASE_FROM");
    let said = without.output().unwrap();
    assert_eq!(said.status.code(), Some(9));
    assert!(String::from_utf8_lossy(&said.stderr).contains("the passphrase of the backup is needed"));
    assert!(!home.path("two.age").exists());
}

#[test]
fn a_wrong_passphrase_a_cut_or_changed_file_and_another_home_are_told_apart() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["backup", "create", "one.age"]).ok();
    let whole = fs::read(home.path("one.age")).unwrap();
    let mut wrong = home.command(&["backup", "verify", "one.age"]);
    wrong.env("GENFIC_TEST_PASSPHRASE", "wrong");
    let said = wrong.output().unwrap();
    assert_eq!(said.status.code(), Some(8));
    let text = home.ca(&["backup", "verify", "one.age"]).ok();
    assert!(text.out.contains("one.age restores"), "{}", text.all());
    refused(&home.ca(&["backup", "verify", "nowhere.age"]), 5, "file.read");
    for (at, octet) in
        [(10, None), (whole.len() / 2, None), (whole.len() - 1, None), (whole.len() / 2, Some(1))]
    {
        let mut octets = whole.clone();
        match octet {
            None => octets.truncate(at),
            Some(bit) => octets[at] ^= bit,
        }
        fs::write(home.path("bad.age"), octets).unwrap();
        refused(&home.ca(&["backup", "verify", "bad.age"]), 11, "backup.damaged");
        let said = home.ca(&["--home", "elsewhere", "backup", "restore", "bad.age"]);
        refused(&said, 11, "backup.damaged");
        assert!(!home.path("elsewhere").exists());
    }
    let other = Home::with_hierarchy("http://pki.genfic.example");
    fs::write(other.path("one.age"), whole).unwrap();
    assert_eq!(other.result(&["backup", "verify", "one.age"])["behind"]["same_home"], false);
    let alone = home.result(&["--home", "elsewhere", "backup", "verify", "one.age"]);
    assert_eq!(alone["behind"], Value::Null);
    let left: Vec<String> = fs::read_dir(home.directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn keys_come_along_only_when_they_are_asked_for() {
    // K1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["backup", "create", "without.age"]).ok();
    home.ca(&["backup", "create", "with.age", "--with-keys"]).ok();
    let key = fs::read(home.path("home/keys/genfic.age")).unwrap();
    let responder = fs::read(home.path("home/ocsp/genfic-system/responder.key")).unwrap();
    let config = fs::read(home.path("home/genfic-ca.toml")).unwrap();
    for (file, target) in [("without.age", "one"), ("with.age", "two")] {
        home.ca(&["--home", target, "backup", "restore", file]).ok();
        assert_eq!(fs::read(home.path(&format!("{target}/genfic-ca.toml"))).unwrap(), config);
        let issued = fs::read_dir(home.path(&format!("{target}/issued/genfic-system"))).unwrap().count();
        assert_eq!(issued, 1);
        assert!(home.path(&format!("{target}/status/manifest.json")).is_file());
        let status = home.ca(&["--home", target, "status"]);
        assert!(status.status == 12 && status.out.contains("genfic-ca backup accept"), "{}", status.all());
    }
    assert!(!home.path("one/keys/genfic.age").exists());
    assert!(!home.path("one/ocsp/genfic-system/responder.pem").exists(), "of no use without its key");
    assert_eq!(fs::read(home.path("two/keys/genfic.age")).unwrap(), key);
    assert_eq!(fs::read(home.path("two/ocsp/genfic-system/responder.key")).unwrap(), responder);
    home.ca(&["--home", "two", "crl", "publish", "--all"]).ok();
    home.ca(&["--home", "two", "backup", "accept", "--yes"]).ok();
    let due = home.result(&["--home", "two", "status"]).to_string();
    assert!(!due.contains("responder certificate"), "{due}");
    home.ca(&["--home", "two", "create-request", "b.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["--home", "two", "audit", "verify"]).ok();
}

#[test]
fn the_uri_of_a_key_outside_the_home_is_a_fault_of_the_backup_and_is_not_read() {
    // P2
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    home.shell("cp home/keys/genfic.age home/x.age").ok();
    for (number, uri) in ["age:../x.age", "age:/dev/zero", "age:a/b.age"].iter().enumerate() {
        home.shell(&format!("sqlite3 home/index.db \"update key_place set uri = '{uri}'\"")).ok();
        let file = format!("{number}.age");
        home.ca(&["backup", "create", &file, "--with-keys"]).ok();
        let said = home.ca(&["backup", "verify", &file]);
        assert_eq!(said.status, 11, "{}", said.all());
        let fault = format!("{uri}: no key store of that kind is known");
        assert!(said.all().contains(&fault), "{}", said.all());
        let said = home.ca(&["--home", "elsewhere", "backup", "restore", &file]);
        refused(&said, 11, "backup.damaged");
        assert!(said.all().contains(&fault) && !home.path("elsewhere").exists(), "{}", said.all());
    }
}

#[test]
fn a_recipient_opens_it_with_an_identity_and_needs_no_passphrase() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    // made with age-keygen
    let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    let identity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    fs::write(home.path("identity"), format!("# for this test\n{identity}\n")).unwrap();
    fs::set_permissions(home.path("identity"), Permissions::from_mode(0o600)).unwrap();
    fs::write(home.path("recipients"), format!("# the vault\n\n{recipient}\n")).unwrap();
    fs::set_permissions(home.path("recipients"), Permissions::from_mode(0o644)).unwrap();
    let run = |words: &[&str]| {
        let output = home.command(words).env_remove("GENFIC_TEST_PASSPHRASE").output().unwrap();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        Said { status: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    };
    run(&["backup", "create", "one.age", "--recipient", recipient]).ok();
    run(&["backup", "create", "two.age", "--recipients-file", "recipients"]).ok();
    for file in ["one.age", "two.age"] {
        refused(&run(&["backup", "verify", file]), 9, "key.identity-needed");
        run(&["backup", "verify", file, "--identity", "identity"]).ok();
    }
    run(&["--home", "elsewhere", "backup", "restore", "one.age", "--identity", "identity"]).ok();
    refused(&run(&["backup", "create", "three.age", "--recipient", "age1nobody"]), 2, "usage.recipient");
    let swapped = run(&["backup", "create", "three.age", "--recipient", identity]);
    refused(&swapped, 2, "usage.recipient");
    assert!(!swapped.all().contains("GFPYYSJZ"), "a secret is not repeated");
    fs::set_permissions(home.path("identity"), Permissions::from_mode(0o644)).unwrap();
    refused(&run(&["backup", "verify", "one.age", "--identity", "identity"]), 10, "key.unsafe");
}

#[test]
fn a_backup_never_takes_the_passphrase_that_the_environment_has_for_ca_keys() {
    // K2: whoever has the backups and knows how they open does not know how the root opens
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let mut made = home.command::<&str>(&[]);
    let made = Said::of(made.args(["backup", "create", "one.age", "--no-input"]).output().unwrap());
    refused(&made, 9, "key.passphrase-needed");
    assert!(!home.path("one.age").exists());
    let typed = ["backup", "create", "one.age", "--passphrase-from", "env:GENFIC_TEST_PASSPHRASE"];
    home.ca(&typed).ok();
    for words in [["backup", "verify", "one.age"], ["backup", "restore", "one.age"]] {
        let mut opened = home.command::<&str>(&[]);
        let opened = opened.args(["--home", "elsewhere", "--no-input"]).args(words).output().unwrap();
        refused(&Said::of(opened), 9, "key.passphrase-needed");
    }
}
