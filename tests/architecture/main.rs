//! Architecture rules that the compiler does not check within a single crate.
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
mod adapters;
mod documents;
mod layers;
mod named_files;
mod no_command_line;
mod source;
mod style;
mod system_calls;
