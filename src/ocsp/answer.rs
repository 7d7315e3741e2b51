//! Answers to OCSP requests, and for how long each may be cached.
use super::delegate::SameInAll;
use super::response::ResponseStatus;
use crate::x509::{Fingerprint, UnixTime};
use bytes::Bytes;

/// At so many different times answers are signed again that were signed at one time. Those of one time have most of their
/// HTTP headers in common.
const SHARES: u8 = 16;

/// Times that a signed answer states.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Life {
    /// `thisUpdate`: the latest of those of the entries.
    pub this_update: UnixTime,
    /// `producedAt`
    pub produced_at: UnixTime,
    /// `nextUpdate`, the same for every entry.
    pub next_update: UnixTime,
    /// Half-way to nextUpdate, or up to an eighth of the whole earlier. From this time on the responder signs a newer answer.
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

    /// Returns the same times with an earlier refresh, so that answers that were signed at one time are not signed again at
    /// one time. There are [`SHARES`] such times.
    pub(crate) fn spread(self, share: u8) -> Self {
        let step = self.next_update.0.saturating_sub(self.produced_at.0) / (8 * i64::from(SHARES));
        Self { refresh_at: self.refresh_at.plus(-step * i64::from(share % SHARES)), ..self }
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

/// Tells signed answers apart: octets of the signature, which no two have in common, and of the responder certificate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tag(pub(crate) [u8; 16]);

/// Where in a signature the octets of the tag begin: behind the headers of an ECDSA signature.
const TELLING: usize = 8;

impl Tag {
    /// Returns the tag of an answer with this signature.
    pub(crate) fn of(signature: &[u8], responder: &Fingerprint) -> Self {
        let mut tag = Self::default();
        let octets = signature.iter().skip(TELLING).zip(&responder.0);
        tag.0.iter_mut().zip(octets).for_each(|(to, (one, other))| *to = one ^ other);
        tag
    }

    /// Returns the share of the answer in [`Life::spread`].
    pub(crate) fn share(self) -> u8 {
        self.0.last().copied().unwrap_or_default()
    }
}

impl Answer {
    /// Returns an answer that the responder has signed. `own` is all but `certs`.
    #[must_use]
    pub(crate) fn signed(own: Vec<u8>, same: &SameInAll, life: Life, tag: Tag) -> Self {
        let life = life.spread(tag.share());
        Self {
            own: own.into(),
            certificates: same.certificates.clone(),
            status: ResponseStatus::Successful,
            life: Some(life),
            tag,
            reason: String::new(),
        }
    }

    /// All but `certs`.
    #[must_use]
    pub(crate) fn own(&self) -> &[u8] {
        &self.own
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_were_signed_together_are_signed_again_at_different_times_before_half_of_their_life() {
        let life = Life::new(UnixTime(0), UnixTime(100), UnixTime(100 + 86_400));
        let mut times: Vec<i64> = (0..SHARES).map(|share| life.spread(share).refresh_at.0).collect();
        assert!(times.iter().all(|at| (100 + 43_200 - 10_800..=100 + 43_200).contains(at)), "{times:?}");
        times.dedup();
        assert_eq!(times.len(), usize::from(SHARES));
        let short = Life::new(UnixTime(0), UnixTime(0), UnixTime(100));
        assert_eq!(short.spread(15), short);
    }

    #[test]
    fn tags_differ_where_the_signature_or_the_responder_does() {
        // O9
        let tag = |signature: u8, responder: u8| Tag::of(&[signature; 64], &Fingerprint([responder; 32]));
        assert!(tag(1, 2) != tag(1, 3) && tag(1, 2) != tag(4, 2));
        assert_ne!(Tag::of(&[1; 10], &Fingerprint([2; 32])), Tag::default(), "a short one");
    }
}
