//! Completion in the shells that people use, at a terminal, and what it may touch.
use crate::support::terminal::Terminal;
use crate::support::{CA, Home, there_is};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// Kills the line that is being edited.
const ANEW: &str = "\x15";
/// A common name that would be a command where a shell took it for more than text.
const HOSTILE: &str = "Eve $(touch pwned) `touch pwned` 'q' \"d\" ; touch pwned";

/// A home with a certificate whose name has a blank, and one whose name is `HOSTILE`.
fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (file, name) in [("bea", "Bea Smith"), ("eve", HOSTILE)] {
        let escaped: String =
            name.chars().flat_map(|c| if ";\"".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
        let words = [
            "create-request",
            file,
            "--subject",
            &format!("CN={escaped}"),
            "--san",
            &format!("{file}@genfic.example"),
        ];
        home.ca(&[&words[..], &["--sign", "-p", "genfic-user"]].concat()).ok();
    }
    home
}

fn path() -> String {
    let directory = Path::new(CA).parent().unwrap().display();
    format!("{directory}:{}", std::env::var("PATH").unwrap())
}

/// Starts a shell without anybody's settings, in which completion is set up as the manual says.
fn at(home: &Home, shell: &str, words: &[&str], set_up: &str) -> Terminal {
    fs::write(home.path("script"), home.ca(&["completions", shell]).ok().out).unwrap();
    let mut command = Command::new(shell);
    command.args(words).current_dir(home.path("."));
    command.env("PATH", path()).env("HOME", home.path(".")).env("GENFIC_CA_HOME", home.path("home"));
    command.env("PS1", "% ").env("INPUTRC", "/dev/null").env("LC_ALL", "C.UTF-8");
    let mut terminal = Terminal::spawn(&command, 110, 50);
    terminal.type_line(&format!("{set_up}; echo is'_'ready"));
    terminal.wait_for_screen("a prompt", |screen| screen.contains("is_ready"));
    terminal
}

/// Types lines up to a tab, and looks for what they become.
fn completes(home: &Home, terminal: &mut Terminal) {
    for (typed, becomes) in [
        ("genfic-ca create-req", "genfic-ca create-request "),
        ("genfic-ca crl pub", "genfic-ca crl publish "),
        ("genfic-ca crl publish genfic-sy", "genfic-ca crl publish genfic-system"),
        ("genfic-ca list --exp", "genfic-ca list --expiring"),
        ("genfic-ca list --type resp", "genfic-ca list --type responder"),
        ("genfic-ca sign a -p genfic-user --profile system-", "--profile system-ca"),
        ("genfic-ca revoke a --reason key-c", "--reason key-compromise"),
        ("genfic-ca create-root a --key p38", "--key p384"),
        ("genfic-ca -p genfic-us", "genfic-ca -p genfic-user"),
        ("genfic-ca -p genfic-user -x bea@", "-x bea@genfic.example"),
        ("genfic-ca sign be", "genfic-ca sign bea."),
    ] {
        terminal.press(&format!("{typed}\t"));
        terminal.wait_for_screen(becomes, |screen| screen.contains(becomes));
        terminal.press(ANEW);
    }
    for (typed, subject) in
        [(r"Bea\ S", "CN=Bea Smith"), (r"Eve\ ", "CN=Eve $(touch pwned) `touch pwned` 'q'")]
    {
        terminal.press(&format!("genfic-ca show {typed}\t"));
        // what is typed before the answer comes would be part of it
        std::thread::sleep(std::time::Duration::from_secs(2));
        terminal.press(" --json | grep -o '\"subject\":\"CN=[^,]*'; echo end'_'of_it\n");
        terminal.wait_for("end_of_it");
        let found = format!("\"subject\":\"{subject}");
        assert!(terminal.text().contains(&found), "{}", terminal.text());
        assert!(!home.path("pwned").exists(), "{}", terminal.text());
    }
}

#[test]
fn bash_completes_what_the_program_says() {
    if there_is("bash") {
        let home = home();
        completes(&home, &mut at(&home, "bash", &["--norc", "--noprofile", "-i"], "source ./script"));
    }
}

#[test]
fn zsh_completes_what_the_program_says() {
    if there_is("zsh") {
        let home = home();
        let set_up = "autoload -U compinit && compinit -u -D && source ./script";
        completes(&home, &mut at(&home, "zsh", &["-f", "-i"], set_up));
    }
}

#[test]
fn fish_completes_what_the_program_says() {
    if there_is("fish") {
        let home = home();
        let set_up = "set -g fish_autosuggestion_enabled 0; source ./script";
        completes(&home, &mut at(&home, "fish", &["--no-config", "-i"], set_up));
    }
}

/// Answers a script as zsh asks.
fn asked(home: &Home, words: &[&str]) -> Vec<String> {
    let mut command = home.command(&[&["--", "genfic-ca"], words].concat());
    let output = command.env("GENFIC_CA_COMPLETE", "zsh").output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect()
}

fn files(directory: &Path, into: &mut BTreeMap<String, (u64, SystemTime)>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let data = entry.metadata().unwrap();
        if data.is_dir() {
            files(&entry.path(), into);
        }
        into.insert(entry.path().display().to_string(), (data.len(), data.modified().unwrap()));
    }
}

#[test]
fn completion_reads_only_and_asks_nobody() {
    let home = home();
    let seen = || {
        let mut seen = BTreeMap::new();
        files(&home.path("home"), &mut seen);
        seen
    };
    let before = seen();
    assert_eq!(asked(&home, &["crl", "publish", ""]), ["genfic", "genfic-system", "genfic-user"]);
    assert!(asked(&home, &["show", "Bea"]).contains(&"Bea Smith".to_owned()));
    assert_eq!(asked(&home, &["show", "eve"]), [HOSTILE, "eve@genfic.example"]);
    let serial = home.result(&["show", "Bea Smith"])["serial"].as_str().unwrap().to_owned();
    let before = if seen() == before { before } else { seen() };
    assert_eq!(
        asked(&home, &["show", &format!("genfic-user/{}", &serial[..6])]),
        [format!("genfic-user/{serial}")]
    );
    assert_eq!(asked(&home, &["revoke", &format!("serial:{}", &serial[..6])]), [format!("serial:{serial}")]);
    assert_eq!(asked(&home, &["revoke", "-p", "genfic-system", "Bea"]), Vec::<String>::new());
    for words in [&["key", "passphrase"][..], &["adopt"], &["retire"], &["key", "passphrase", "genfic"]] {
        assert_eq!(asked(&home, &[words, &["genfic-s"]].concat()), ["genfic-system"], "{words:?}");
    }
    for words in [
        &["revoke", "--all"][..],
        &["hold", "--newest"],
        &["release", "--all"],
        &["renew"],
        &["renew", "Eve"],
        &["rekey", "Eve"],
    ] {
        assert_eq!(asked(&home, &[words, &["bea@"]].concat()), ["bea@genfic.example"], "{words:?}");
    }
    assert_eq!(asked(&home, &["profile", "show", "system-"]), ["system-ca"]);
    assert_eq!(asked(&home, &["--home", "elsewhere", "crl", "publish", ""]), Vec::<String>::new());
    assert!(!home.path("elsewhere").exists());
    assert_eq!(seen(), before);
    // the variable alone is no question
    let version = home.command(&["version"]).env("GENFIC_CA_COMPLETE", "bash").output().unwrap();
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("genfic-ca "));
    // nothing is told of a home of somebody else
    home.run(&["chown", "65534", "home"]).ok();
    assert_eq!(asked(&home, &["crl", "publish", ""]), Vec::<String>::new());
    fs::write(home.path("home/index.db"), "no index").unwrap();
    home.run(&["chown", "0", "home"]).ok();
    assert_eq!(asked(&home, &["crl", "publish", ""]), Vec::<String>::new());
}
