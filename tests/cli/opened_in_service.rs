//! `genfic-key open --service`: a plugin of age opens a key of the signer that listens, which executes none.
use crate::custody_in_service::{OTHER, line, signs, with_root};
use crate::standing_signer::{ADMINS, AMBER, OWNER, Service, WORDS};
use crate::support::{Said, is_root, skipped};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

/// What encrypts a key to the fake plugin.
const TO_PLUGIN: &str = "rewrap example --service --recipient age1fake1w3jhxaqrc5akr --try-identity fake.txt";
const OPEN: &str = "open example --service --identity fake.txt";

fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    chown(path, Some(AMBER), Some(AMBER)).unwrap();
}

/// Returns a service whose root's key only the fake plugin of the administrator opens.
fn with_plugin() -> Service {
    let service = with_root();
    let plugin = service.home.path("bin/age-plugin-fake");
    fs::write(&plugin, include_str!("../custody/age-plugin-fake.py")).unwrap();
    fs::set_permissions(&plugin, Permissions::from_mode(0o755)).unwrap();
    put(&service.home.path("amber/fake.txt"), "AGE-PLUGIN-FAKE-1W3JHXAQ8FAZUR\n");
    put(&service.home.path("amber/words"), WORDS);
    run(&service, &[line(&service, &format!("{TO_PLUGIN} --passphrase-from file:words"))]).ok();
    service
}

/// Runs these lines in one login of the administrator, who has the plugin in PATH.
fn run(service: &Service, steps: &[String]) -> Said {
    let path = format!("export PATH={}:/usr/bin:/bin", service.home.path("bin").display());
    service.in_one_login(&[&[path], steps].concat())
}

/// Returns the line by which the administrator runs a `key` command that reads a pipe.
fn reading(service: &Service, words: &str) -> String {
    format!(
        "setpriv --reuid={AMBER} --regid={AMBER} --groups={ADMINS} {}",
        service.words(&format!("{words} --no-input --passphrase-from fd:0"))
    )
}

#[test]
fn what_a_plugin_of_the_administrator_opened_unlocks_a_key_of_the_service() {
    // K1, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_plugin();
    let header = fs::read(service.home.path("signer/example.age")).unwrap();
    assert!(header.starts_with(b"age-encryption.org/v1\n-> fake\n"));
    let unlock = reading(&service, "key unlock example --scope crl");
    let signed = run(
        &service,
        &[
            format!("{} | {unlock}", line(&service, OPEN)),
            service.ca("crl publish example"),
            service.admin("key lock"),
        ],
    );
    assert!(signed.status == 0 && signed.err.contains("the fake token is touched"), "{}", signed.all());
    assert!(!signed.all().contains("GENFIC-FILE-KEY"), "{}", signed.all());
    let journal = fs::read(service.home.path("signer/journal")).unwrap();
    for never in ["GENFIC-FILE-KEY", "every key, for a backup"] {
        assert!(!journal.windows(never.len()).any(|octets| octets == never.as_bytes()), "{never}");
    }
    // with the identity itself the signer does nothing, and says who does
    let identity = "key unlock example --scope crl --no-input --passphrase-from file:amber/fake.txt";
    let alone = run(&service, &[service.admin(identity)]);
    assert!(alone.err.contains("key.plugin"), "{}", alone.all());
    assert!(alone.err.contains("genfic-key open KEY --service --identity FILE"), "{}", alone.err);
    // nobody but an administrator gets a file to open
    let of_ca = line(&service, OPEN).replace(&format!("--groups={ADMINS}"), &format!("--groups={OWNER}"));
    let refused = run(&service, &[format!("{of_ca} | wc -c")]);
    assert!(refused.err.contains("signer.") && refused.out.trim() == "0", "{}", refused.all());
    let nobody = run(&service, &[format!("{} | wc -c", line(&service, &OPEN.replace("example", "nobody")))]);
    assert!(nobody.err.contains("key.not-found"), "{}", nobody.all());
}

#[test]
fn what_opened_a_file_of_the_service_opens_no_later_one_and_is_no_new_passphrase() {
    // K1, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_plugin();
    let text = run(&service, &[format!("{} | cat", line(&service, OPEN))]).ok().out;
    put(&service.home.path("amber/key.txt"), &text);
    // a pipe does for the other commands of custody too
    let to_plugin = line(&service, &format!("{TO_PLUGIN} --passphrase-from fd:0"));
    run(&service, &[format!("{} | {to_plugin}", line(&service, OPEN))]).ok();
    let former = service.admin_with(text.trim(), "key unlock example --scope crl --passphrase-from fd:0");
    let said = run(&service, &[former]);
    assert!(said.err.contains("key.passphrase-wrong"), "{}", said.all());
    let text = run(&service, &[format!("{} | cat", line(&service, OPEN))]).ok().out;
    put(&service.home.path("amber/key.txt"), &text);
    for line in [
        service.admin_with(text.trim(), "key unlock second --new --profile root-ca --passphrase-from fd:0"),
        service.admin_with(
            text.trim(),
            "key passphrase example --service --passphrase-from fd:0 --new-passphrase-from file:amber/key.txt",
        ),
        service.admin_with(
            text.trim(),
            "key export example --service --confirm example -o amber/x.key --passphrase-from fd:0 \
             --new-passphrase-from file:amber/key.txt",
        ),
        line(&service, "rewrap example --service --passphrase-from file:key.txt --new-passphrase-from file:key.txt"),
    ] {
        let said = run(&service, &[line]);
        assert!(said.err.contains("what `genfic-key open` writes"), "{}", said.all());
        assert!(said.err.contains("key.passphrase-unavailable"), "{}", said.all());
    }
    put(&service.home.path("amber/other"), OTHER);
    let back =
        "rewrap example --service --passphrase-from file:key.txt --new-passphrase-from file:other --work 10";
    run(&service, &[line(&service, back)]).ok();
    signs(&service, OTHER);
}
