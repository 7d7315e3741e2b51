//! Answers to OCSP requests, and for how long each may be cached.
use super::delegate::DelegatedResponder;
use super::response::ResponseStatus;
use crate::x509::{Fingerprint, UnixTime, sha256};
use bytes::Bytes;

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

impl Life {
    /// Returns the times of an answer for every client.
    pub(crate) fn new(this_update: UnixTime, produced_at: UnixTime, next_update: UnixTime) -> Self {
        let refresh_at = produced_at.plus(next_update.0.saturating_sub(produced_at.0) / 2);
        Self { this_update, produced_at, next_update, refresh_at, is_for_one: false }
    }
}

/// Why a request is not answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    status: ResponseStatus,
    reason: String,
}

impl Refusal {
    /// Returns a refusal with this status. `reason` is for the log.
    #[must_use]
    pub(crate) fn new(status: ResponseStatus, reason: String) -> Self {
        Self { status, reason }
    }

    /// `responseStatus`
    #[must_use]
    pub fn status(&self) -> ResponseStatus {
        self.status
    }
}

/// The unsigned answer that says so.
impl From<Refusal> for Answer {
    fn from(Refusal { status, reason }: Refusal) -> Self {
        Self::refused(status, reason)
    }
}

/// An encoded `OCSPResponse`, in two pieces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// All but `certs`.
    own: Bytes,
    /// `certs`, which all answers of a responder have in common.
    certificates: Bytes,
    status: ResponseStatus,
    life: Option<Life>,
    tag: Tag,
    reason: String,
}

/// Tells signed answers apart: the first octets of a SHA-256 hash.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tag(pub(crate) [u8; 16]);

impl Tag {
    /// Returns the tag of an answer with these pieces.
    fn of(own: &[u8], responder: &Fingerprint) -> Self {
        let digest = sha256(&[own, &responder.0].concat());
        let mut tag = Self::default();
        tag.0.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        tag
    }
}

impl Answer {
    /// Returns an answer that this responder has signed. `own` is all but `certs`.
    #[must_use]
    pub(crate) fn signed(own: Vec<u8>, responder: &DelegatedResponder, life: Life) -> Self {
        let tag = Tag::of(&own, &responder.fingerprint());
        Self::kept(own, responder, life, tag)
    }

    /// Returns the same answer as [`Self::signed`] did, with the tag that it had.
    pub(crate) fn kept(own: Vec<u8>, responder: &DelegatedResponder, life: Life, tag: Tag) -> Self {
        Self {
            own: own.into(),
            certificates: responder.octets().certificates.clone(),
            status: ResponseStatus::Successful,
            life: Some(life),
            tag,
            reason: String::new(),
        }
    }

    /// Returns an unsigned answer that only has a `responseStatus` saying why the request is not answered. `reason`
    /// is for the log.
    #[must_use]
    pub fn refused(status: ResponseStatus, reason: String) -> Self {
        let own = status.to_response().into();
        Self { own, certificates: Bytes::new(), status, life: None, tag: Tag::default(), reason }
    }

    /// DER octets of the `OCSPResponse`.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        [&*self.own, &*self.certificates].concat()
    }

    /// DER octets of the `OCSPResponse`, in two pieces.
    #[must_use]
    pub(crate) fn pieces(self) -> [Bytes; 2] {
        [self.own, self.certificates]
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

    /// What tells this answer from all others; for one that is not signed, nothing.
    #[must_use]
    pub(crate) fn tag(&self) -> Tag {
        self.tag
    }

    /// Why the request was refused, for the log; empty for a signed answer.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
