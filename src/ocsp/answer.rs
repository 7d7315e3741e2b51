//! Answers to OCSP requests, and for how long each may be cached.
use super::response::ResponseStatus;
use crate::x509::UnixTime;
use std::sync::Arc;

/// Times that a signed answer states.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Life {
    /// `thisUpdate`: the latest of those of the entries.
    pub this_update: UnixTime,
    /// `producedAt`
    pub produced_at: UnixTime,
    /// `nextUpdate`, the same for every entry.
    pub next_update: UnixTime,
    /// Half-way to nextUpdate. From this time on the responder signs a newer answer.
    pub refresh_at: UnixTime,
    /// Whether the answer is for one request only, because it repeats the nonce of that request.
    pub is_for_one: bool,
}

/// An encoded `OCSPResponse`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    octets: Arc<[u8]>,
    status: ResponseStatus,
    life: Option<Life>,
    reason: String,
}

impl Answer {
    /// Returns a signed answer.
    #[must_use]
    pub fn signed(octets: Vec<u8>, life: Life) -> Self {
        let status = ResponseStatus::Successful;
        Self { octets: octets.into(), status, life: Some(life), reason: String::new() }
    }

    /// Returns an unsigned answer that only has a `responseStatus` saying why the request is not answered. `reason`
    /// is for the log.
    #[must_use]
    pub fn refused(status: ResponseStatus, reason: String) -> Self {
        Self { octets: status.to_response().into(), status, life: None, reason }
    }

    /// DER octets of the `OCSPResponse`.
    #[must_use]
    pub fn octets(&self) -> &Arc<[u8]> {
        &self.octets
    }

    /// `responseStatus`
    #[must_use]
    pub fn status(&self) -> ResponseStatus {
        self.status
    }

    /// Times of the answer; `None` when it is not signed.
    #[must_use]
    pub fn life(&self) -> Option<&Life> {
        self.life.as_ref()
    }

    /// Why the request was refused, for the log; empty for a signed answer.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
