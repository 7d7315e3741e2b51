//! What comes from outside and is wrong: requests, texts, files in the home, servers' answers, clocks. Each is
//! refused with its code, one message that says what to do, and nothing changed; nothing is waited for or
//! followed, and memory stays bounded.
#![allow(
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on fails"
)]
#[path = "../support/mod.rs"]
mod support;

mod all_commands;
mod configuration_mistakes;
mod corrupted_home_files;
mod foreign_requests;
mod hostile_servers;
mod malformed_requests;
mod names;
mod replaced_home_files;
mod unreadable_files;
mod untrusted_files;
mod unusable_secrets;
mod weak_keys;
mod wrong_clock;
mod wrong_file_types;

use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;
use support::{Home, Said};

/// An error as people read it: the problem, what to do, then `(exit N, code)`.
#[track_caller]
fn refused(said: &Said, exit: i32, code: &str, what: &str) {
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(said.status, exit, "{what}: {}", said.all());
    let last = format!("(exit {exit}, {code})");
    assert_eq!(lines.last(), Some(&last.as_str()), "{what}: {}", said.all());
    assert!(lines.iter().any(|line| line.starts_with("error: ")), "{what}: {}", said.all());
    assert!(
        lines.len() > 2 && !lines[lines.len() - 2].starts_with("error: "),
        "{what}: no hint\n{}",
        said.err
    );
    for never in ["os error", "panicked", "\u{1b}", "\u{202e}"] {
        assert!(!said.err.contains(never), "{what}: {}", said.err);
    }
    assert!(said.err.len() < 20_000, "{what}: {} octets of message", said.err.len());
}

/// Runs a command that must end by itself; one that waits for ever is a failure and not a test without end.
#[track_caller]
fn ends(command: &mut Command, what: &str) -> Said {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    let (sender, ended) = channel();
    std::thread::spawn(move || drop(sender.send(child.wait_with_output())));
    let output = ended.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| {
        let _ = Command::new("kill").args(["-9", &id]).status();
        panic!("{what}: it waits");
    });
    let output = output.unwrap();
    Said {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The same in a home.
#[track_caller]
fn ca(home: &Home, words: &[&str]) -> Said {
    ends(&mut home.command(words), &words.join(" "))
}

/// How many certificates are on record, and how many audit records.
fn on_record(home: &Home) -> (usize, u64) {
    let list = home.result(&["list"]);
    let records = home.result(&["audit", "verify"])["records"].as_u64().unwrap();
    (list["certificates"].as_array().unwrap().len(), records)
}
