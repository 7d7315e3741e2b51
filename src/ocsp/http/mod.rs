//! OCSP over HTTP (RFC 6960 Appendix A, RFC 9919 §5 and §6), and the files beside it.
mod caching;
mod get_path;
mod service;

pub use service::{OcspService, Reply};
