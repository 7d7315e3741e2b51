//! A request between its head and its answer.
use super::replies::Reply;
use super::turn::Turn;
use crate::ocsp::metrics::MethodKind;
use crate::ocsp::rules::Rules;
use crate::x509::UnixTime;
use hyper::{Method, Request};
use std::net::IpAddr;
use std::sync::Arc;

/// A request whose head was read.
pub(crate) struct Asked<B> {
    pub(super) begun: Begun<B>,
    pub(super) rules: Arc<Rules>,
    pub(super) now: UnixTime,
    pub(super) turn: Option<Turn>,
    pub(super) logged: Option<Box<Logged>>,
    pub(super) method: MethodKind,
}

pub(super) enum Begun<B> {
    /// The head was enough.
    Answered(Reply),
    /// The body is the OCSP request.
    Asking(B),
    /// What takes longer.
    Other(Box<Request<B>>),
}

/// What the access log says of a request.
pub(super) struct Logged {
    pub(super) client: Option<IpAddr>,
    pub(super) method: Method,
    pub(super) path: String,
}
