//! Where passphrases come from.
use crate::refused;
use crate::support::{Home, Said};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn publish(home: &Home, from: &str) -> Said {
    home.ca(&["--passphrase-from", from, "crl", "publish", "genfic"])
}

#[test]
fn each_source_gives_the_passphrase_and_none_is_taken_unsafely() {
    // K2, P2
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let file = home.path("secret");
    let set = |text: &str, mode: u32| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    };
    let right = "correct horse battery staple\n";
    set(right, 0o600);
    publish(&home, "file:secret").ok();
    publish(&home, "env:GENFIC_TEST_PASSPHRASE").ok();
    let credential = home
        .command(&["--passphrase-from", "cred:secret", "crl", "publish", "genfic"])
        .env("CREDENTIALS_DIRECTORY", home.directory())
        .output()
        .unwrap();
    assert!(credential.status.success(), "{credential:?}");
    let program = crate::support::CA;
    let script = format!("'{program}' --passphrase-from fd:7 crl publish genfic 7<secret");
    let like = home.command::<&str>(&[]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).current_dir(home.directory());
    for (name, value) in like.get_envs() {
        shell.env(name, value.unwrap());
    }
    assert!(shell.output().unwrap().status.success());

    set(right, 0o644);
    let loose = publish(&home, "file:secret");
    refused(&loose, 10, "key.unsafe");
    assert!(loose.err.contains("run: chmod go-rwx secret"), "{}", loose.err);
    set("wrong\n", 0o600);
    refused(&publish(&home, "file:secret"), 8, "key.passphrase-wrong");
    for from in ["file:none", "env:GENFIC_NOT_SET", "fd:9", "cred:none"] {
        refused(&publish(&home, from), 8, "key.passphrase-unavailable");
    }
    let spelled_out = publish(&home, "pass:hunter2");
    refused(&spelled_out, 2, "usage.passphrase-from");
    assert!(!spelled_out.err.contains("hunter2"), "{}", spelled_out.err);
}

#[test]
fn nobody_to_ask_is_exit_9_and_names_the_flag() {
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    for words in [&["crl", "publish", "genfic"][..], &["--no-input", "create-root", "other"]] {
        let said = home.ca(&[&["--passphrase-from", "prompt"], words].concat());
        refused(&said, 9, "key.passphrase-needed");
        assert!(said.err.contains("--passphrase-from"), "{}", said.err);
    }
    assert!(!home.path("home/keys/other.age").exists());
}
