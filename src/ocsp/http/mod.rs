//! OCSP over HTTP (RFC 6960 Appendix A, RFC 9919 §5 and §6), and the CRLs and CA certificates served with it.
mod access;
mod asked;
mod caching;
mod framing;
mod get_path;
mod log_throttle;
mod pages;
mod parts;
mod range;
mod refresh;
mod replies;
mod reply_body;
mod request_body;
mod service;
mod signers;
mod signing;
mod target;
mod turn;

pub use access::AccessLog;
pub(crate) use refresh::{Refreshes, refreshes};
pub(crate) use service::OcspService;
pub(crate) use turn::Turn;
