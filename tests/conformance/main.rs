//! What we issue and answer, judged by other people's programs: OpenSSL, GnuTLS, Python's cryptography, pkilint, rcgen.
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

mod chain_files;
mod differential;
mod fixture;
mod foreign_issuer;
mod gnutls;
mod index_txt;
mod key_types;
mod lengths;
mod name_constraints;
mod openssl;
mod pkilint;
mod python;
mod requests;
