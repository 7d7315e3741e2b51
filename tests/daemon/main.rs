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

mod file_permissions;
mod foreign_clients;
mod http_client;
mod http_syntax;
mod live_updates;
mod load;
mod logging;
mod memory;
mod metrics;
mod ocsp_requests;
mod places;
mod post_and_get;
mod presigned;
mod published_files;
mod resource_failures;
mod running_daemon;
mod short_lived_responder;
mod slow_clients;
mod startup_and_shutdown;
mod status_rollback;
mod tokens;
mod unusable_status;
