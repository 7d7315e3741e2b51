//! OCSP over HTTP (RFC 6960 Appendix A, RFC 9919 §5 and §6), and the files beside it.
mod caching;
mod complaints;
mod framing;
mod get_path;
mod look;
mod service;

pub use look::{Looker, Looks, Waiting, looks};
pub use service::{OcspService, Reply};
