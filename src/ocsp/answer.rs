//! What goes back to the client, and for how long it may be kept.
use super::response::ResponseStatus;
use crate::x509::UnixTime;
use std::sync::Arc;

/// The times of a signed answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Life {
    /// `thisUpdate`, the latest of the entries.
    pub this_update: UnixTime,
    /// `producedAt`
    pub produced_at: UnixTime,
    /// `nextUpdate`, of every entry.
    pub next_update: UnixTime,
    /// Half-way to nextUpdate: from here on there is a newer answer.
    pub refresh_at: UnixTime,
    /// Whether it answers one request only, because of its nonce.
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
    /// A signed answer.
    #[must_use]
    pub fn signed(octets: Vec<u8>, life: Life) -> Self {
        let status = ResponseStatus::Successful;
        Self { octets: octets.into(), status, life: Some(life), reason: String::new() }
    }

    /// An answer that says only why there is none; `reason` is for the log.
    #[must_use]
    pub fn refused(status: ResponseStatus, reason: String) -> Self {
        Self { octets: status.to_response().into(), status, life: None, reason }
    }

    /// The octets.
    #[must_use]
    pub fn octets(&self) -> &Arc<[u8]> {
        &self.octets
    }

    /// `responseStatus`
    #[must_use]
    pub fn status(&self) -> ResponseStatus {
        self.status
    }

    /// Its times; `None` when it is not signed.
    #[must_use]
    pub fn life(&self) -> Option<&Life> {
        self.life.as_ref()
    }

    /// Why it was refused; for the log.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
