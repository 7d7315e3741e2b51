//! The command line as people use it: the chapter in six lines, the older script, refusals.
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

mod another_url;
mod ansible;
mod backup;
mod canary;
mod ceremonies_later;
mod ceremony;
mod certificate_policy;
mod concurrent_commands;
mod confined_signer;
mod core_dumps;
mod crash;
#[cfg(debug_assertions)]
mod disk_flushes;
mod expiry;
#[cfg(debug_assertions)]
mod failing_threads;
mod hierarchy_in_six_lines;
mod import;
mod index_rollback;
mod installed_files;
mod launcher;
mod media_access;
mod month;
mod offline_root;
mod older_home;
mod older_script;
mod openrc;
mod policy;
mod power_loss;
mod quickstart;
mod readme;
mod renew_ca;
mod restore;
mod second_machine;
mod service_user;
mod signer_files;
mod tokens;
