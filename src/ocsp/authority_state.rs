//! What becomes of questions about a CA, and why: it has ended, is revoked or disabled; or it is answered for.
use crate::index::CertificateState;
use crate::status::PublishedAuthority;
use crate::x509::{CertificateId, UnixTime};
use std::fmt;

/// More CAs than this are never above one another.
const DEPTH: usize = 32;

/// Where a CA stands. Of what is not answered, and of what needs no responder any more, nothing is expected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AuthorityState {
    /// Its responder's certificate is valid until then.
    Answered(UnixTime),
    /// It is to have a responder, and has none whose certificate is valid.
    NoResponder,
    /// It has none, or no more.
    Disabled,
    /// Its certificate has ended: it can delegate to nobody.
    Ended(UnixTime),
    /// Its certificate is revoked.
    Revoked,
    /// One above it has ended or is revoked; its responder answers for as long as it has one.
    BelowFallen(String),
    /// It is on hold, and gets no new responder certificate for so long.
    OnHold,
    /// A newer generation issues in its place, and the last of its own certificates has ended.
    Retired(UnixTime),
}

impl AuthorityState {
    /// Whether somebody has to see that it is answered for.
    #[must_use]
    pub(crate) fn is_lacking(&self) -> bool {
        *self == Self::NoResponder
    }
}

/// To be read behind the CA's name.
impl fmt::Display for AuthorityState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(until) => write!(f, "answered, responder certificate until {until}"),
            Self::NoResponder => f.write_str("no valid responder certificate"),
            Self::Disabled => f.write_str("disabled, no responder answers for it"),
            Self::Ended(at) => write!(f, "ended at {at}, not answered"),
            Self::Revoked => f.write_str("revoked, not answered"),
            Self::BelowFallen(above) => write!(f, "below {above}, which has ended or is revoked"),
            Self::OnHold => f.write_str("on hold"),
            Self::Retired(at) => write!(f, "retired, its last certificate ended at {at}"),
        }
    }
}

/// What is published of a CA's own certificate and of those above it.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    is_revoked: bool,
    is_held: bool,
    /// Name, end, and whether it is revoked for good.
    above: Vec<(String, UnixTime, bool)>,
}

impl Chain {
    /// That of one of these CAs.
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
                chain.above.push((one.name.clone(), end, revocation == Some(false)));
            }
            match parent {
                Some(parent) => one = parent,
                None => break,
            }
        }
        chain
    }

    /// Whether questions about the CA are answered at all.
    pub(super) fn is_answered(&self, authority: &PublishedAuthority, now: UnixTime) -> bool {
        let end = authority.certificate.tbs().validity().not_after;
        authority.serves_ocsp && !self.is_revoked && now <= end
    }

    /// Where the CA stands, given when the last of its valid responder certificates ends.
    pub(super) fn state(
        &self,
        authority: &PublishedAuthority,
        until: Option<UnixTime>,
        now: UnixTime,
    ) -> AuthorityState {
        let end = authority.certificate.tbs().validity().not_after;
        let fallen = self.above.iter().find(|(_, end, is_revoked)| *is_revoked || now > *end);
        if self.is_revoked {
            AuthorityState::Revoked
        } else if now > end {
            AuthorityState::Ended(end)
        } else if !authority.serves_ocsp {
            AuthorityState::Disabled
        } else if let Some((above, ..)) = fallen {
            AuthorityState::BelowFallen(above.clone())
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

/// The CA that issued another's certificate; `None` for a root, and where it is not published.
fn parent<'a>(
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
