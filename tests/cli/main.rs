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

mod audit;
mod ca_certified_again;
mod calendar;
mod certificate_selection;
mod clock_goes_back;
mod completions;
mod cross_sign;
mod custody_in_service;
mod custody_killed;
mod damaged_home;
mod delta_crls;
mod doctor;
mod doctor_lost_files;
mod doctor_online;
mod ensure;
mod export;
mod export_hashed_dir;
mod export_snippet;
mod home_access;
mod json;
mod json_walk;
mod key_brought;
mod key_compromise;
mod key_move;
mod key_move_killed;
mod key_passphrase;
mod keys;
mod list;
mod metrics;
mod name_rules;
mod newest_of_a_holder;
mod ocsp_enable;
mod opened_in_service;
mod output_files;
mod output_injection;
mod passphrase_sources;
mod presign;
mod profile;
mod renew_and_rekey;
mod renew_hook;
mod renew_output;
mod renew_several;
mod retire;
mod revoke;
mod revoke_ca;
mod revoke_several;
mod revoke_unrecorded;
mod root_to_media;
mod service_keys;
mod service_keys_killed;
mod sign;
mod signer_backup;
mod standing_signer;
mod standing_tokens;
mod standing_tokens_rights;
mod status;
mod tables;
mod terminal_choices;
mod terminal_confirmations;
mod terminal_questions;
mod unlocked_scopes;
mod unlocking;
mod unpublished_status;
mod wrong_passphrase;

use support::Said;

/// The help of every command and the errors that need no home, as they are printed.
#[test]
fn help_and_errors_read_as_recorded() {
    trycmd::TestCases::new().env("COLUMNS", "100").env("NO_COLOR", "1").case("tests/cli/*.trycmd");
}

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
