//! The state of each CA for the responder: answered for, or not because it has expired, is revoked or disabled.
use crate::index::CertificateState;
use crate::status::PublishedAuthority;
use crate::x509::{CertificateId, UnixTime};
use std::fmt;

/// Number of issuers that are followed above a CA. No hierarchy is that deep; the bound ends a cycle in the published
/// data.
const DEPTH: usize = 32;

/// Until when a CA is answered for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Until {
    /// The end of the last of its valid responder certificates.
    Responder(UnixTime),
    /// The earliest end of the answers that were signed beforehand.
    Stored(UnixTime),
}

/// The state of a CA. No responder is expected for a CA that is not answered for or needs none any more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AuthorityState {
    /// The CA has a valid responder certificate, or answers that were signed beforehand.
    Answered(Until),
    /// The CA should have a responder, and none of its responder certificates is valid.
    NoResponder,
    /// OCSP is disabled for the CA: it has no responder, or has none any more.
    Disabled,
    /// The CA certificate expired at this time, so the CA can delegate to no responder.
    Ended(UnixTime),
    /// The CA certificate is revoked.
    Revoked,
    /// The named issuer of the CA, at any height, has expired or is revoked. The CA's responder answers as long as it
    /// has a valid certificate.
    BelowRevoked(String),
    /// The CA certificate is on hold. The CA gets no new responder certificate until it is released.
    OnHold,
    /// A newer generation issues in place of the CA, and the last certificate that the CA issued ended at this time.
    Retired(UnixTime),
}

impl AuthorityState {
    /// Whether the CA needs no CRL any more.
    #[must_use]
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self, Self::Ended(_) | Self::Revoked | Self::BelowRevoked(_) | Self::Retired(_))
    }

    /// Whether an administrator has to act so that the CA is answered for.
    #[must_use]
    pub(crate) fn is_lacking(&self) -> bool {
        *self == Self::NoResponder
    }
}

/// Writes a phrase that completes a sentence beginning with the CA's name.
impl fmt::Display for AuthorityState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(Until::Responder(end)) => write!(f, "answered, responder certificate until {end}"),
            Self::Answered(Until::Stored(end)) => write!(f, "answered from a file, all until {end}"),
            Self::NoResponder => f.write_str("no valid responder certificate"),
            Self::Disabled => f.write_str("disabled, no responder answers for it"),
            Self::Ended(at) => write!(f, "ended at {at}, not answered"),
            Self::Revoked => f.write_str("revoked, not answered"),
            Self::BelowRevoked(issuers) => write!(f, "below {issuers}, which has ended or is revoked"),
            Self::OnHold => f.write_str("on hold"),
            Self::Retired(at) => write!(f, "retired, its last certificate ended at {at}"),
        }
    }
}

/// What is published about a CA's own certificate and those of its issuers.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    is_revoked: bool,
    is_held: bool,
    /// Name and end of each issuer, and whether it is permanently revoked.
    issuers: Vec<(String, UnixTime, bool)>,
}

impl Chain {
    /// Returns the chain of one of these CAs.
    pub(super) fn of(
        authority: &PublishedAuthority,
        all: &[&PublishedAuthority],
        state: &dyn Fn(&CertificateId) -> Option<CertificateState>,
    ) -> Self {
        let mut chain = Self::default();
        let mut one = authority;
        for _ in 0..DEPTH {
            let parent = parent(one, all);
            let issuer = parent.map_or(one.issuer, |parent| parent.issuer);
            let serial_number = one.certificate.tbs().serial_number().clone();
            let revocation = match state(&CertificateId { issuer, serial_number }) {
                Some(CertificateState::Revoked(revocation)) => Some(revocation.is_hold()),
                _ => None,
            };
            chain.is_held |= revocation == Some(true);
            if one.issuer == authority.issuer {
                chain.is_revoked = revocation == Some(false);
            } else {
                let end = one.certificate.tbs().validity().not_after;
                chain.issuers.push((one.name.clone(), end, revocation == Some(false)));
            }
            match parent {
                Some(parent) => one = parent,
                None => break,
            }
        }
        chain
    }

    /// Whether requests about certificates of the CA are answered at all.
    pub(super) fn is_answered(&self, authority: &PublishedAuthority, now: UnixTime) -> bool {
        let end = authority.certificate.tbs().validity().not_after;
        authority.serves_ocsp && !self.is_revoked && now <= end
    }

    /// Returns the state of the CA. `until` says until when it is answered for; `None` when it is not.
    pub(super) fn state(
        &self,
        authority: &PublishedAuthority,
        until: Option<Until>,
        now: UnixTime,
    ) -> AuthorityState {
        let end = authority.certificate.tbs().validity().not_after;
        let affected = self.issuers.iter().find(|(_, end, is_revoked)| *is_revoked || now > *end);
        if self.is_revoked {
            AuthorityState::Revoked
        } else if now > end {
            AuthorityState::Ended(end)
        } else if !authority.serves_ocsp {
            AuthorityState::Disabled
        } else if let Some((issuers, ..)) = affected {
            AuthorityState::BelowRevoked(issuers.clone())
        } else if let Some(at) = authority.retires.filter(|at| now > *at) {
            AuthorityState::Retired(at)
        } else if let Some(until) = until {
            AuthorityState::Answered(until)
        } else if self.is_held {
            AuthorityState::OnHold
        } else {
            AuthorityState::NoResponder
        }
    }
}

/// Returns the CA that issued another's certificate; `None` for a root, and when the issuer is not published.
pub(super) fn parent<'a>(
    authority: &PublishedAuthority,
    all: &[&'a PublishedAuthority],
) -> Option<&'a PublishedAuthority> {
    let certificate = &authority.certificate;
    let issued = |one: &&&PublishedAuthority| {
        let tbs = one.certificate.tbs();
        one.issuer != authority.issuer
            && tbs.subject().is_same_as(certificate.tbs().issuer())
            && certificate.was_signed_by(tbs.public_key())
    };
    all.iter().find(issued).copied()
}
