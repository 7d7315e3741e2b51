//! Media whose key is encrypted anew: what their lists and their texts say, and how the others catch up.
use crate::support::{Home, Said};
use crate::{OTHER, genfic_key, refused, root};
use std::fs;

/// Runs `genfic-ca` with this passphrase in the place of that of the tests' keys.
fn ca_with(home: &Home, passphrase: &str, words: &str) -> Said {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut command = home.command(&words);
    command.env("GENFIC_TEST_PASSPHRASE", passphrase).env("OTHER", OTHER).env("THIRD", THIRD);
    Said::of(command.output().unwrap())
}

const THIRD: &str = "overtly gargle puppet eskimo bunkhouse stash";

/// Compares each file of a medium with the digest that its list has.
#[track_caller]
fn is_listed(home: &Home, medium: &str) {
    let line = "sed -n '/^.files/,$s/\"\\(.*\\)\" = \"\\(.*\\)\"/\\2  \\1/p' bundle.toml | sha256sum --check --strict";
    home.shell(&format!("cd {medium}; {line}")).ok();
}

fn readme(home: &Home, medium: &str) -> String {
    fs::read_to_string(home.path(&format!("{medium}/README.txt"))).unwrap()
}

#[test]
fn a_medium_whose_key_is_encrypted_anew_says_so_and_the_others_catch_up() {
    // G6, K2
    let home = root();
    fs::create_dir(home.path("m")).unwrap();
    let said = home.ca(&["key", "export-bundle", "genfic", "--to", "m/a"]).ok();
    assert!(said.err.contains("only place of the key"), "{}", said.err);
    assert!(readme(&home, "m/a").contains("No other medium had this key"), "{}", readme(&home, "m/a"));
    assert!(readme(&home, "m/a").contains("with a passphrase, which is not on this medium"));
    let said = home.ca(&["key", "export-bundle", "genfic", "--to", "m/b", "--keys", "m/a"]).ok();
    assert!(!said.err.contains("only place"), "{}", said.err);
    assert!(readme(&home, "m/b").contains("another medium like this one"), "{}", readme(&home, "m/b"));
    // the home has used it, and this medium never
    let listed = home.result(&["key", "list", "--keys", "m/b"]);
    assert!(listed["keys"][0]["last_used"].is_string(), "{listed}");

    genfic_key(&home, "rewrap m/a/genfic.age --new-passphrase-from env:OTHER --work 10").ok();
    is_listed(&home, "m/a");
    let words = "key export-bundle genfic --to m/b --keys m/a --yes";
    // not before somebody says yes, nor from a file that does not open
    let good = fs::read(home.path("m/b/genfic.age")).unwrap();
    refused(&ca_with(&home, OTHER, words.trim_end_matches(" --yes")), 9, "input.confirmation");
    refused(&ca_with(&home, OTHER, &format!("{words} --sealed")), 4, "medium.other-key");
    refused(&ca_with(&home, THIRD, words), 8, "key.passphrase-wrong");
    let whole = fs::read(home.path("m/a/genfic.age")).unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(home.path("m/a/genfic.age"), damaged).unwrap();
    let said = ca_with(&home, OTHER, words);
    assert_ne!(said.status, 0, "{}", said.all());
    fs::write(home.path("m/a/genfic.age"), whole).unwrap();
    assert_eq!(fs::read(home.path("m/b/genfic.age")).unwrap(), good);
    fs::remove_file(home.path("home/policy/user.toml")).unwrap();
    let said = ca_with(&home, OTHER, words).ok();
    assert!(said.err.contains("m/b had the same key encrypted otherwise"), "{}", said.err);
    is_listed(&home, "m/b");
    assert!(!home.path("m/b/policy/user.toml").exists(), "the home has it no more");
    ca_with(&home, OTHER, "crl publish genfic --keys m/b").ok();
    ca_with(&home, OTHER, "key passphrase genfic --keys m/a --new-passphrase-from env:THIRD").ok();
    is_listed(&home, "m/a");
    ca_with(&home, THIRD, words).ok();
    // a file that no list says to be the same key is not replaced
    let list = fs::read_to_string(home.path("m/b/bundle.toml")).unwrap();
    fs::write(home.path("m/b/bundle.toml"), list.replace("spki_sha256 = \"", "spki_sha256 = \"0")).unwrap();
    ca_with(&home, THIRD, "key passphrase genfic --keys m/a --new-passphrase-from env:OTHER").ok();
    refused(&ca_with(&home, OTHER, words), 4, "medium.other-key");

    // what opens it is said as it is
    home.run(&["age-keygen", "-o", "id.txt"]).ok();
    let recipient = home.run(&["age-keygen", "-y", "id.txt"]).ok().out;
    let by_other = "--passphrase-from env:OTHER";
    genfic_key(&home, &format!("{by_other} rewrap m/a/genfic.age --recipient {}", recipient.trim())).ok();
    ca_with(&home, OTHER, "key export-bundle genfic --to m/c --keys m/a --sealed").ok();
    let text = readme(&home, "m/c");
    assert!(
        text.contains("1 recipient (X25519)") && text.contains("age -d -i IDENTITY genfic.age"),
        "{text}"
    );
    let split = "split m/a/genfic.age --shares 3 --threshold 2 --to s --in-place --yes";
    genfic_key(&home, &format!("--identity id.txt {split}")).ok();
    is_listed(&home, "m/a");
    ca_with(&home, OTHER, "key export-bundle genfic --to m/d --keys m/a --sealed").ok();
    let text = readme(&home, "m/d");
    assert!(text.contains("2 of the 3 shares of its passphrase"), "{text}");
    is_listed(&home, "m/d");
    let shares = "--share s/genfic-share-1-of-3.txt --share s/genfic-share-3-of-3.txt";
    let said = genfic_key(&home, &format!("combine m/d/genfic.age --check {shares}")).ok();
    assert!(!said.err.contains("is not there"), "{}", said.err);
}
