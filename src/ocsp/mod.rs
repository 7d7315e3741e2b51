//! OCSP (RFC 6960, 9654, 9919): the responder, which answers from the published status, and the client, which asks a
//! responder and verifies its response.
//!
//! [`request`], [`response`], [`response_data`] and [`cert_id`] encode and decode the messages. [`responder`] is a
//! pure function of a request, a [`Snapshot`](snapshot::Snapshot) and the time. [`reload`] keeps the snapshot up to
//! date with the files that it is made from. [`http`] and [`server`] serve clients, and are the only parts that
//! depend on tokio. [`presigned`] is a file of signed answers, which is served without a key.
pub(crate) mod answer;
pub(crate) mod authority_state;
pub(crate) mod cache;
pub mod cert_id;
pub mod client;
pub mod delegate;
mod faults;
mod file_version;
#[cfg(test)]
mod fixture;
mod floor;
pub(crate) mod freshness;
pub(crate) mod health;
pub mod http;
mod known_responders;
pub(crate) mod metrics;
pub(crate) mod oid;
pub mod presigned;
pub(crate) mod public_files;
pub mod query;
pub mod readiness;
pub(crate) mod reload;
pub mod request;
pub mod responder;
pub mod responder_files;
pub mod response;
pub mod response_data;
pub mod rules;
pub mod served;
pub mod server;
pub mod settings;
pub mod snapshot;
pub mod text;
mod watch;
