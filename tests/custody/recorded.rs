//! What `genfic-key` takes from the home of a key, and what it leaves on record there.
use crate::support::{Home, Said};
use crate::{OTHER, command, genfic_key, refused, root, split};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

fn actions(home: &Home, action: &str) -> usize {
    let records = home.result(&["audit", "show"])["records"].as_array().unwrap().clone();
    records.iter().filter(|event| event["action"] == action).count()
}

fn journaled(home: &Home, text: &str) -> bool {
    let journal = fs::read(home.path("home/keys/journal")).unwrap();
    journal.windows(text.len()).any(|window| window == text.as_bytes())
}

fn beside(home: &Home) -> Vec<Vec<u8>> {
    ["mark", "envelope.toml", "pem"]
        .map(|ending| fs::read(home.path(&format!("home/keys/genfic.{ending}"))).unwrap())
        .to_vec()
}

#[test]
fn each_new_protection_of_a_key_of_the_home_is_in_the_journal_and_the_audit_record() {
    // K1, G6
    let home = root();
    let before = beside(&home);
    genfic_key(&home, "rewrap genfic --new-passphrase-from env:OTHER").ok();
    assert!(journaled(
        &home,
        "age:genfic.age: rewrap, from passphrase, scrypt 2^10 to passphrase, scrypt 2^10"
    ));
    let words = "split home/keys/genfic.age --shares 3 --threshold 2 --to s --in-place --yes --passphrase-from env:OTHER";
    genfic_key(&home, words).ok();
    assert!(journaled(&home, "age:genfic.age: split, 2 of 3 shares"));
    let shares = "--share s/genfic-share-1-of-3.txt --share s/genfic-share-3-of-3.txt";
    genfic_key(&home, &format!("combine genfic {shares} --in-place --new-passphrase-from env:OTHER")).ok();
    assert!(journaled(&home, "age:genfic.age: combine, to passphrase, scrypt 2^10"));
    assert_eq!(actions(&home, "key.protected-anew"), 3);
    assert_eq!(beside(&home), before, "mark, envelope and certificate stay");
    let publish = home.command(&["crl", "publish", "genfic"]).env("GENFIC_TEST_PASSPHRASE", OTHER).output();
    Said::of(publish.unwrap()).ok();
    assert_eq!(home.ca(&["audit", "verify"]).status, 0);
    // a copy elsewhere is no key of the home
    genfic_key(&home, &format!("combine s/genfic.age {shares} -o copy.age --new-passphrase-from env:OTHER"))
        .ok();
    genfic_key(
        &home,
        "rewrap copy.age --passphrase-from env:OTHER --new-passphrase-from env:OTHER --work 10",
    )
    .ok();
    assert_eq!(actions(&home, "key.protected-anew"), 3);
}

#[test]
fn a_key_whose_home_has_no_record_any_more_is_still_protected_anew_with_a_warning() {
    let home = root();
    fs::write(home.path("home/index.db"), "no index").unwrap();
    let said = genfic_key(&home, "rewrap genfic --new-passphrase-from env:OTHER").ok();
    assert!(said.err.contains("warning: neither journal nor audit record have this"), "{}", said.all());
    genfic_key(&home, "rewrap genfic --passphrase-from env:OTHER --new-passphrase-from env:OTHER").ok();
}

#[test]
fn the_home_says_what_a_guess_costs_and_where_a_passphrase_comes_from() {
    let home = root();
    let config = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&config).unwrap().replace("scrypt_log_n = 10", "scrypt_log_n = 11");
    fs::write(home.path("own.pass"), crate::support::PASSPHRASE).unwrap();
    fs::set_permissions(home.path("own.pass"), Permissions::from_mode(0o600)).unwrap();
    let own = format!("[authority.genfic]\npassphrase_from = \"file:{}\"\n", home.path("own.pass").display());
    fs::write(&config, format!("{text}\n{own}")).unwrap();
    let mut rewrap = command(&home, "rewrap genfic --new-passphrase-from env:OTHER --json");
    let said = Said::of(rewrap.env_remove("GENFIC_CA_PASSPHRASE_FROM").output().unwrap()).ok().json();
    assert_eq!(said["result"]["after"], "passphrase, scrypt 2^11", "{said}");
    fs::write(home.path("wrong.toml"), "nonsense = 1\n").unwrap();
    let words = "rewrap genfic --new-passphrase-from env:OTHER --config wrong.toml";
    refused(&genfic_key(&home, words), 1, "config.invalid");
}

#[test]
fn what_others_could_read_or_change_is_refused_with_the_command_that_mends_it() {
    // P2
    let home = split();
    let mode = |path: &str, mode: u32| {
        fs::set_permissions(home.path(path), Permissions::from_mode(mode)).unwrap();
    };
    let told = |words: &str, code: &str, command: &str| {
        let said = genfic_key(&home, words);
        refused(&said, 10, code);
        assert!(said.err.contains(command), "{}", said.err);
    };
    let rewrap = "rewrap genfic --new-passphrase-from env:OTHER";
    for (path, wrong, right, mends) in [
        ("home/keys", 0o750, 0o700, "chmod go-rwx "),
        ("home/keys/genfic.age", 0o640, 0o600, "chmod go-rwx "),
        ("home/genfic-ca.toml", 0o666, 0o600, "chmod go-w "),
        ("home", 0o777, 0o750, "chmod "),
    ] {
        mode(path, wrong);
        told(rewrap, "home.unsafe", mends);
        mode(path, right);
    }
    let shares = [1, 2, 3].map(|at| format!("--share s/genfic-share-{at}-of-5.txt")).join(" ");
    let check = format!("combine s/genfic.age {shares} --check");
    mode("s/genfic-share-2-of-5.txt", 0o644);
    told(&check, "key.unsafe", "chmod go-rwx");
    told("page genfic --share s/genfic-share-2-of-5.txt -o x.pdf", "key.unsafe", "chmod go-rwx");
    mode("s/genfic-share-2-of-5.txt", 0o600);
    mode("s/genfic.age", 0o666);
    told(&check, "key.unsafe", "chmod go-w");
    mode("s/genfic.age", 0o644);
    genfic_key(&home, &check).ok();
    genfic_key(&home, rewrap).ok();
}
