//! The issuer path of a CA.
use super::no_authority;
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, AuthoritySummary, CertificateState};
use crate::x509::{CertificateId, Fingerprint, UnixTime};
use std::collections::HashMap;
use std::sync::Arc;

/// Number of issuers above a CA, bounds the walk to the root so that a damaged index cannot make it endless;
/// no real hierarchy is nearly as deep as 32.
const MAX_PATH: usize = 32;

/// A CA and its issuers, the root last, with the state of each certificate.
#[derive(Clone, Debug)]
pub struct IssuerPath {
    members: Vec<Arc<Authority>>,
    states: Vec<Option<CertificateState>>,
    end: End,
}

/// Where a path ends.
#[derive(Clone, Debug)]
enum End {
    /// At a root.
    Root,
    /// Below an issuer that is not on record.
    Missing(String),
    /// Nowhere: a CA is its own indirect issuer, or the path is longer than `MAX_PATH`.
    Never,
}

impl From<Arc<Authority>> for IssuerPath {
    fn from(authority: Arc<Authority>) -> Self {
        Self { members: vec![authority], states: Vec::new(), end: End::Root }
    }
}

impl IssuerPath {
    /// Returns the name of the issuer to be read next.
    pub(super) fn next(&mut self) -> Option<String> {
        if !matches!(self.end, End::Root) {
            return None;
        }
        let parent = self.members.last()?.parent.clone()?;
        if self.members.len() > MAX_PATH || self.members.iter().skip(1).any(|one| one.name == parent) {
            self.end = End::Never;
            return None;
        }
        Some(parent)
    }

    pub(super) fn push(&mut self, parent: Arc<Authority>) {
        self.members.push(parent);
    }

    pub(super) fn breaks_off(&mut self, missing: String) {
        self.end = End::Missing(missing);
    }

    pub(super) fn push_state(&mut self, state: Option<CertificateState>) {
        self.states.push(state);
    }

    /// Returns the issuer and the serial number of a member's certificate.
    pub(super) fn certificate_id(&self, at: usize) -> Option<CertificateId> {
        let own = self.members.get(at)?;
        let issuer = self.members.get(at.saturating_add(1)).unwrap_or(own).issuer;
        Some(CertificateId { issuer, serial_number: own.certificate.tbs().serial_number().clone() })
    }

    /// The CA and its issuers, as far as they are on record.
    #[must_use]
    pub(crate) fn members(&self) -> &[Arc<Authority>] {
        &self.members
    }

    /// Returns the CA and its issuers, the root last.
    ///
    /// # Errors
    /// When an issuer is not on record, or the path does not end.
    pub fn complete(&self) -> Result<&[Arc<Authority>], Problem> {
        match (&self.end, self.members.first()) {
            (End::Missing(name), _) => Err(no_authority(name)),
            (End::Never, Some(own)) => {
                let message = format!("the hierarchy above {} does not end", own.name);
                Err(Problem::new(Code::IndexDamaged, message))
            }
            _ => Ok(&self.members),
        }
    }

    /// Returns the CA's issuers, its direct issuer first, the root last.
    pub(in crate::ca) fn issuer_path(&self) -> Result<&[Arc<Authority>], Problem> {
        Ok(self.complete()?.get(1..).unwrap_or_default())
    }

    fn steps(&self) -> impl Iterator<Item = (&Authority, Option<&CertificateState>)> {
        self.members.iter().map(Arc::as_ref).zip(self.states.iter().map(Option::as_ref))
    }

    /// Whether the CA's own certificate is revoked for good.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.steps().next().is_some_and(|(_, state)| is_revoked_for_good(state))
    }

    /// Whether the CA's own certificate is on record as issued, neither revoked nor on hold.
    #[must_use]
    pub(in crate::ca) fn is_issued(&self) -> bool {
        self.steps().next().is_some_and(|(_, state)| state == Some(&CertificateState::Issued))
    }

    /// Whether the CA or one of its issuers is revoked for good.
    #[must_use]
    pub fn chain_is_revoked(&self) -> bool {
        self.steps().any(|(_, state)| is_revoked_for_good(state))
    }

    /// Whether neither the CA nor one of its issuers has expired or is revoked for good.
    #[must_use]
    pub fn still_current(&self, now: UnixTime) -> bool {
        let has_ended = |one: &Authority| now > one.certificate.tbs().validity().not_after;
        !self.steps().any(|(one, state)| is_revoked_for_good(state) || has_ended(one))
    }

    /// Returns the members whose certificate is revoked or on hold.
    pub(crate) fn revoked_or_held(&self) -> impl Iterator<Item = &Authority> {
        let revoked = |state: Option<&CertificateState>| matches!(state, Some(CertificateState::Revoked(_)));
        self.steps().filter(move |(_, state)| revoked(*state)).map(|(one, _)| one)
    }

    /// Refuses a CA that may not issue: the CA or one of its issuers is expired, revoked, or not on record as
    /// issued.
    pub(in crate::ca) fn check_usable(&self, now: UnixTime) -> Result<(), Problem> {
        let name = &self.complete()?.first().ok_or_else(|| no_authority(""))?.name;
        let unfit = |what: String| {
            Err(Problem::new(Code::IssuerUnfit, format!("{name} cannot issue: {what}"))
                .hint(remedy::Authority::Hierarchy))
        };
        for (ca, state) in self.steps() {
            let validity = ca.certificate.tbs().validity();
            if let Some(retired) = &ca.retired {
                return unfit(format!("{} was retired at {}", ca.name, retired.at));
            }
            if now > validity.not_after {
                return unfit(format!("{} expired at {}", ca.name, validity.not_after));
            }
            if now < validity.not_before {
                return unfit(format!("{} is not valid before {}", ca.name, validity.not_before));
            }
            match state {
                Some(CertificateState::Issued) => {}
                Some(CertificateState::Revoked(revocation)) if revocation.is_hold() => {
                    return unfit(format!("{} has been on hold since {}", ca.name, revocation.revoked_at));
                }
                Some(CertificateState::Revoked(revocation)) => {
                    return unfit(format!("{} was revoked at {}", ca.name, revocation.revoked_at));
                }
                Some(CertificateState::Pending) | None => {
                    return unfit(format!("the certificate of {} is not on record as issued", ca.name));
                }
            }
        }
        Ok(())
    }
}

/// Returns the SHA-256 digests of the certificates of a CA's issuers, its direct issuer's first; `None` when
/// the path is incomplete.
pub(in crate::ca) fn issuer_digests(
    own: &AuthoritySummary,
    all: &HashMap<&str, &AuthoritySummary>,
) -> Option<Vec<Fingerprint>> {
    let mut issuer_path = Vec::new();
    let mut next = own.parent.as_deref();
    while let Some(name) = next {
        let parent = all.get(name).filter(|_| issuer_path.len() < MAX_PATH)?;
        issuer_path.push(parent.certificate);
        next = parent.parent.as_deref();
    }
    Some(issuer_path)
}

fn is_revoked_for_good(state: Option<&CertificateState>) -> bool {
    matches!(state, Some(CertificateState::Revoked(revocation)) if !revocation.is_hold())
}
