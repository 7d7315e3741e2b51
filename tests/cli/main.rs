//! The command line contract, word by word: names, exit codes, JSON fields, errors, help.
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

mod answering;
mod asking;
mod calendar;
mod clock;
mod coming_back;
mod compromise;
mod crossing;
mod damages;
mod doctor;
mod doctor_losses;
mod falling;
mod handing_out;
mod hashed_directory;
mod homes;
mod json;
mod listing;
mod naming;
mod one_line;
mod outputs;
mod passphrases;
mod recorded;
mod renewing;
mod revoking;
mod selecting;
mod signing;
mod snippets;
mod unpublished;
mod unrecorded;

use support::Said;

/// An error as people read it: the problem, what to do, then `(exit N, code)`; nothing on standard output.
#[track_caller]
fn refused(said: &Said, exit: i32, code: &str) {
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(said.status, exit, "{}", said.all());
    assert!(lines.iter().any(|line| line.starts_with("error: ")), "{}", said.all());
    assert_eq!(lines.last(), Some(&format!("(exit {exit}, {code})").as_str()), "{}", said.all());
    assert!(lines.len() > 2 && !lines[lines.len() - 2].starts_with("error: "), "no hint\n{}", said.all());
    assert_eq!(said.out, "", "{}", said.all());
}
