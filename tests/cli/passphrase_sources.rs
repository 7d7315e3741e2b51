//! Where passphrases come from.
use crate::refused;
use crate::support::{Home, PASSPHRASE, Said};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

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

#[test]
fn a_pipe_with_one_passphrase_serves_one_of_two_signers_and_the_other_says_so() {
    // K2, G6
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["key", "export-bundle", "genfic", "--to", "medium"]).ok();
    let create = |new: &str| {
        let words = "--passphrase-from fd:0 create-child new-system -p genfic --keys medium";
        home.shell(&format!("printf '{PASSPHRASE}' | genfic-ca {words} {new}"))
    };
    let said = create("");
    refused(&said, 8, "key.passphrase-unavailable");
    assert!(said.err.contains("a pipe is read once") && said.err.contains("there are two"), "{}", said.err);
    create("--new-passphrase-from env:GENFIC_TEST_PASSPHRASE").ok();
}

#[test]
fn a_signer_that_waits_for_a_passphrase_ends_with_its_command() {
    // K2
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let (reading, writing) = std::io::pipe().unwrap();
    let mut command = home.command(&["--passphrase-from", "fd:0", "crl", "publish", "genfic"]);
    let mut started = command.stdin(reading).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let children = format!("/proc/{0}/task/{0}/children", started.id());
    let child = || fs::read_to_string(&children).ok()?.split_whitespace().next()?.parse::<u32>().ok();
    let within = |what: &str, is_so: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    within("no signer", &|| child().is_some());
    let signer = child().unwrap();
    // it waits for the pipe, which stays open
    let waits = || fs::read_to_string(format!("/proc/{signer}/syscall")).unwrap_or_default();
    within("it does not wait", &|| waits().starts_with("7 ") || waits().starts_with("271 "));
    started.kill().unwrap();
    started.wait().unwrap();
    let is_gone = || {
        let state = fs::read_to_string(format!("/proc/{signer}/stat")).unwrap_or_default();
        state.rsplit(')').next().is_none_or(|rest| rest.trim().is_empty() || rest.trim().starts_with('Z'))
    };
    within("the signer waits for a passphrase that nobody wants", &is_gone);
    drop(writing);
}
