//! `genfic-key open`: a plugin of age opens a key file for a signer that executes none.
use crate::support::terminal::Terminal;
use crate::support::{CA, Home, KEY, PASSPHRASE, Said, run};
use crate::{OTHER, put, refused, root};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

/// What the fake plugin of age encrypts to.
const RECIPIENT: &str = "age1fake1w3jhxaqrc5akr";
/// What publishes the CRL of the root with what comes out of a pipe.
const PUBLISH: &str = "\"$CA\" crl publish genfic --passphrase-from fd:0";

/// Returns a home with one root, and beside it the fake plugin with its identity, another identity, and files with passphrases.
fn with_plugin() -> Home {
    let home = root();
    fs::create_dir(home.path("bin")).unwrap();
    fs::write(home.path("bin/age-plugin-fake"), include_str!("age-plugin-fake.py")).unwrap();
    fs::set_permissions(home.path("bin/age-plugin-fake"), Permissions::from_mode(0o755)).unwrap();
    put(&home, "fake.txt", "# a fake token\nAGE-PLUGIN-FAKE-1W3JHXAQ8FAZUR\n");
    put(&home, "old.txt", PASSPHRASE);
    put(&home, "other.txt", OTHER);
    run(home.directory(), &["age-keygen", "-o", "identity.txt"]).ok();
    home
}

/// Returns a shell that runs this, where `$KEY` and `$CA` are the programs, and no passphrase is in the environment.
fn shell_of(home: &Home, line: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(home.directory()).stdin(Stdio::null());
    for (name, value) in home.command::<&str>(&[]).get_envs() {
        shell.env(name, value.unwrap());
    }
    let path = format!("{}:/usr/bin:/bin", home.path("bin").display());
    shell.env("PATH", path).env("KEY", KEY).env("CA", CA);
    shell.env_remove("GENFIC_TEST_PASSPHRASE").env_remove("GENFIC_CA_PASSPHRASE_FROM");
    shell
}

fn shell(home: &Home, line: &str) -> Said {
    Said::of(shell_of(home, line).output().unwrap())
}

/// Encrypts a key that the passphrase in a file opens to the plugin's recipient.
fn to_plugin(home: &Home, key: &str, passphrase: &str) {
    let readers = format!("--recipient {RECIPIENT} --try-identity fake.txt");
    shell(home, &format!("\"$KEY\" rewrap {key} --passphrase-from file:{passphrase} {readers}")).ok();
}

/// Returns what opens a key file, as it comes out of the pipe.
fn opened(home: &Home, words: &str) -> String {
    shell(home, &format!("\"$KEY\" open {words} | cat")).ok().out
}

#[test]
fn what_a_plugin_opened_signs_with_a_key_of_the_home_and_with_one_on_a_medium() {
    // K1, K2
    let home = with_plugin();
    to_plugin(&home, "genfic", "old.txt");
    // the signer executes no plugin, and the hint says what does
    let alone = shell(&home, &PUBLISH.replace("fd:0", "file:fake.txt"));
    refused(&alone, 8, "key.plugin");
    assert!(alone.err.contains("genfic-key open KEY --identity FILE | genfic-ca"), "{}", alone.err);
    let signed = shell(&home, &format!("\"$KEY\" open genfic --identity fake.txt | {PUBLISH}")).ok();
    assert!(signed.err.contains("the fake token is touched"), "{}", signed.err);
    let text = opened(&home, "genfic --identity fake.txt");
    assert!(text.starts_with("GENFIC-FILE-KEY-1") && text.lines().count() == 1, "{text:?}");
    assert!(!signed.all().contains("GENFIC-FILE-KEY"), "{}", signed.all());
    // it opens this file until that is replaced, and no other one
    put(&home, "key.txt", &text);
    let by_file = PUBLISH.replace("fd:0", "file:key.txt");
    shell(&home, &by_file).ok();
    shell(
        &home,
        &format!(
            "\"$KEY\" rewrap genfic --identity fake.txt --recipient {RECIPIENT} --try-identity fake.txt"
        ),
    )
    .ok();
    refused(&shell(&home, &by_file), 8, "key.passphrase-wrong");
    shell(&home, "\"$KEY\" rewrap genfic --identity fake.txt --new-passphrase-from file:old.txt").ok();
    refused(&shell(&home, &by_file), 8, "key.passphrase-wrong");
    // on a medium
    fs::create_dir(home.path("media")).unwrap();
    home.ca(&["key", "export-bundle", "genfic", "--to", "media/a", "--yes"]).ok();
    to_plugin(&home, "media/a/genfic.age", "old.txt");
    let on_medium = format!("{PUBLISH} --keys media/a");
    shell(&home, &format!("\"$KEY\" open media/a/genfic.age --identity fake.txt | {on_medium}")).ok();
    refused(&shell(&home, &on_medium.replace("fd:0", "file:key.txt")), 8, "key.passphrase-wrong");
}

#[test]
fn a_plugin_asks_for_its_pin_at_the_terminal_while_the_other_end_of_the_pipe_waits() {
    // K2
    let home = with_plugin();
    to_plugin(&home, "genfic", "old.txt");
    let plugin = home.path("bin/age-plugin-fake");
    let asking = "write([\"request-secret\"], b\"PIN of the fake token\")\n            assert read()[1] == b\"1234\"\n            ";
    let changed = fs::read_to_string(&plugin)
        .unwrap()
        .replace("write([\"file-key\"", &format!("{asking}write([\"file-key\""));
    fs::write(&plugin, changed).unwrap();
    let line = format!("\"$KEY\" open genfic --identity fake.txt | {PUBLISH}");
    let mut terminal = Terminal::spawn(&shell_of(&home, &line), 100, 24);
    terminal.wait_for("PIN of the fake token: ").type_line("1234");
    let (screen, status) = terminal.end();
    assert!(status == 0 && screen.contains("CRL number"), "{screen}");
    assert!(!screen.contains("1234") && !screen.contains("FILE-KEY"), "{screen}");
    // nobody is asked where nobody may be, and nothing comes out
    let unattended = shell(&home, &line);
    refused(&unattended, 8, "key.passphrase-unavailable");
    let told = "'age-plugin-fake' unexpectedly died\n";
    assert!(unattended.err.contains(told) && unattended.err.contains("key.plugin"), "{}", unattended.err);
}

#[test]
fn what_a_recipients_identity_opened_needs_no_plugin_and_a_passphrase_is_no_matter_of_it() {
    // K1
    let home = with_plugin();
    let open = "\"$KEY\" open genfic --identity identity.txt";
    let by_passphrase = shell(&home, &format!("{open} | cat"));
    assert!(by_passphrase.err.contains("is opened by a passphrase"), "{}", by_passphrase.err);
    let recipient = run(home.directory(), &["age-keygen", "-y", "identity.txt"]).ok().out;
    let rewrap =
        format!("\"$KEY\" rewrap genfic --passphrase-from file:old.txt --recipient {}", recipient.trim());
    shell(&home, &rewrap).ok();
    shell(&home, &format!("{open} | {PUBLISH}")).ok();
    // genfic-key takes it too, for the former file
    let back = "\"$KEY\" rewrap genfic --passphrase-from fd:0 --new-passphrase-from file:other.txt --work 10";
    shell(&home, &format!("{open} | {back}")).ok();
    shell(&home, &PUBLISH.replace("fd:0", "file:other.txt")).ok();
    // the identity of another recipient opens nothing, and nothing comes out
    to_plugin(&home, "genfic", "other.txt");
    let wrong = shell(&home, &format!("{open} | wc -c"));
    assert!(wrong.out.trim() == "0" && wrong.err.contains("key.identity-wrong"), "{}", wrong.all());
}

#[test]
fn nothing_but_a_pipe_that_nobody_else_reads_is_given_what_opens_a_key() {
    // K2
    let home = with_plugin();
    to_plugin(&home, "genfic", "old.txt");
    let open = "\"$KEY\" open genfic --identity fake.txt";
    let to_file = shell(&home, &format!("{open} >out"));
    refused(&to_file, 2, "usage");
    let hint = "genfic-key open genfic --identity FILE | genfic-ca ... --passphrase-from fd:0";
    assert!(
        to_file.err.contains("standard output is a file") && to_file.err.contains(hint),
        "{}",
        to_file.err
    );
    assert_eq!(fs::read(home.path("out")).unwrap(), b"");
    assert!(!to_file.err.contains("touched"), "the plugin was not asked: {}", to_file.err);
    refused(&shell(&home, &format!("{open} >/dev/null")), 2, "usage");
    let mut terminal = Terminal::spawn(&shell_of(&home, open), 120, 24);
    let (screen, status) = terminal.end();
    assert!(status == 2 && screen.contains("standard output is a terminal"), "{screen}");
    assert!(!screen.contains("GENFIC-FILE-KEY"), "{screen}");
    let named = |mode: &str| {
        shell(&home, &format!("mkfifo -m {mode} p{mode}; cat p{mode} >c{mode} & {open} >p{mode}"))
    };
    let open_to_others = named("644");
    assert!(open_to_others.err.contains("a pipe that other users can use"), "{}", open_to_others.err);
    named("600").ok();
    // nor as JSON, and not without an identity
    let json = shell(&home, &format!("{open} --json >out"));
    assert!(json.status == 2 && !fs::read_to_string(home.path("out")).unwrap().contains("FILE-KEY"));
    let no_json = shell(&home, &format!("{open} --json | cat"));
    assert!(no_json.out.contains("\"usage\"") && !no_json.out.contains("FILE-KEY"), "{}", no_json.out);
    let nobody = shell(&home, "\"$KEY\" open genfic | cat");
    assert!(nobody.err.contains("--identity FILE") && nobody.out.is_empty(), "{}", nobody.all());
}

#[test]
fn what_opens_one_file_is_no_new_passphrase() {
    // K2
    let home = with_plugin();
    to_plugin(&home, "genfic", "old.txt");
    put(&home, "key.txt", &opened(&home, "genfic --identity fake.txt"));
    let before = fs::read(home.path("home/keys/genfic.age")).unwrap();
    for line in [
        "\"$KEY\" rewrap genfic --identity fake.txt --new-passphrase-from file:key.txt --weak-passphrase",
        "\"$CA\" key passphrase genfic --passphrase-from file:key.txt --new-passphrase-from file:key.txt --weak-passphrase",
        "\"$CA\" create-root other --passphrase-from file:key.txt",
        "\"$CA\" create-child genfic-user -p genfic --passphrase-from file:key.txt",
        "\"$CA\" key export genfic -o out.key --confirm genfic --passphrase-from file:key.txt --new-passphrase-from file:key.txt",
    ] {
        let said = shell(&home, line);
        refused(&said, 8, "key.passphrase-unavailable");
        assert!(said.err.contains("what `genfic-key open` writes"), "{line}: {}", said.err);
        assert!(!said.err.contains("GENFIC-FILE-KEY"), "{line}: {}", said.err);
    }
    assert_eq!(fs::read(home.path("home/keys/genfic.age")).unwrap(), before);
    assert!(!home.path("out.key").exists() && !home.path("home/keys/other.age").exists());
    // with a source of its own for what is new, it opens the issuer
    let child = "\"$CA\" create-child genfic-user -p genfic --new-passphrase-from file:other.txt";
    shell(&home, &format!("{child} --passphrase-from file:key.txt")).ok();
}
