//! `genfic-ocspd` as a process, over a home that `genfic-ca` made, asked by sockets and by others' programs.
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

mod asking;
mod backwards;
mod changes;
mod client;
mod collapses;
mod crowds;
mod faults;
mod files;
mod lapse;
mod load;
mod memory;
mod octets;
mod others;
mod process;
mod refusals;
mod rights;
mod site;
