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

mod backup;
mod certificate_policy;
mod core_dumps;
mod crash;
#[cfg(debug_assertions)]
mod groups;
mod installing;
mod lapses;
mod moving;
mod older_index;
mod older_script;
mod policy;
mod power;
mod quickstart;
mod readme;
mod renewing;
mod restore;
mod six_lines;
#[cfg(debug_assertions)]
mod threads;
mod together;
