//! Custody of keys: `genfic-key`, what it prints, and `age` beside it.
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

mod access;
mod age;
mod killed;
mod killed_genfic_ca;
mod media;
mod opened;
mod pages;
mod recorded;
mod shares;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use support::{Home, KEY, Said};

/// A passphrase that is strong, and not that of the tests' keys.
const OTHER: &str = "mutt unlucky crimp slouching ferret abacus";

/// Returns a home with one root.
fn root() -> Home {
    let home = Home::new();
    home.ca(&["create-root", "genfic", "--key", "p256"]).ok();
    home
}

/// Returns `genfic-key` with these words, which spaces divide, set up to run beside a home.
fn command(home: &Home, words: &str) -> Command {
    let mut command = Command::new(KEY);
    command.args(words.split_whitespace()).current_dir(home.directory());
    for (name, value) in home.command::<&str>(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    command.env("OTHER", OTHER).stdin(std::process::Stdio::null());
    command
}

fn genfic_key(home: &Home, words: &str) -> Said {
    Said::of(command(home, words).output().unwrap())
}

/// Returns the home with its key split in three of five below `s/`.
fn split() -> Home {
    let home = root();
    genfic_key(&home, "split genfic --shares 5 --threshold 3 --to s").ok();
    home
}

/// Puts a key file in the place of the root's, and has the root sign with it, opened by this passphrase.
#[track_caller]
fn restores(home: &Home, file: &str, passphrase: &str) {
    let place = home.path("home/keys/genfic.age");
    let (kept, file) = (fs::read(&place).unwrap(), fs::read(home.path(file)).unwrap());
    fs::write(&place, file).unwrap();
    let publish =
        home.command(&["crl", "publish", "genfic"]).env("GENFIC_TEST_PASSPHRASE", passphrase).output();
    Said::of(publish.unwrap()).ok();
    fs::write(&place, kept).unwrap();
}

#[track_caller]
fn refused(said: &Said, exit: i32, code: &str) {
    let told = format!("(exit {exit}, {code})");
    assert!(said.status == exit && said.err.contains(&told), "{told}: {}", said.all());
}

/// Writes a file that nobody else can read, as shares are kept.
fn put(home: &Home, name: &str, text: &str) {
    fs::write(home.path(name), text).unwrap();
    fs::set_permissions(home.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn names(home: &Home, directory: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(home.path(directory)) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn share(home: &Home, index: usize) -> PathBuf {
    home.path(&format!("s/genfic-share-{index}-of-5.txt"))
}
