//! What we issue and answer, judged by other people's programs: OpenSSL, GnuTLS, NSS, Java, rustls-webpki, Python's
//! cryptography, pkilint, rcgen, curl; and served, stapled and checked by nginx, Apache and HAProxy.
//!
//! Where one of them does otherwise than RFC 5280 for a reason of its own, that is a note in `foreign.toml`, and no test
//! fails when it changes its mind.
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

mod apache;
mod chain_files;
mod deltas;
mod differential;
mod foreign_issuer;
mod foreign_notes;
mod gnutls;
mod haproxy;
mod hierarchy;
mod index_txt;
mod java;
mod key_rollover;
mod key_types;
mod ml_dsa;
mod ml_dsa_import;
mod name_constraints;
mod nginx;
mod nss;
mod openssl;
mod openssl_requests;
mod pkilint;
mod proxies;
mod purposes;
mod python;
mod servers;
mod validity_periods;
mod webpki;
