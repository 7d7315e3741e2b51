//! Generations of a CA: the same CA with one key after the other.
//!
//! The first bears the CA's name, those after it `NAME-g2`, `NAME-g3` and so on; each is a CA of its own to
//! everybody else, with its files, its URLs, its CRL and its responder. Whichever of them is named as the one that
//! is to issue, the newest that can does. The older ones go on signing CRLs and responder certificates until
//! their last certificate has ended, and are quiet afterwards.
use super::Engine;
use super::authority::{above, fit, no_authority};
use crate::error::Problem;
use crate::index::{self, Authority, CertificateState};
use crate::x509::{Certificate, CertificateId, IssuerId};

/// The CAs on record: those above one, its generations, and how they stand.
#[derive(Clone, Copy)]
pub struct Hierarchy<'e> {
    pub(super) engine: &'e Engine,
}

impl Hierarchy<'_> {
    /// The CA of this name.
    ///
    /// # Errors
    /// Exit status 5 when there is none.
    pub fn authority(&self, name: &str) -> Result<Authority, Problem> {
        self.engine.index().authority(name)?.ok_or_else(|| no_authority(name))
    }

    /// The CA of this name and those above it, the root last.
    ///
    /// # Errors
    /// When there is none, or one above it is not on record.
    pub fn with_ancestors(&self, name: &str) -> Result<Vec<Authority>, Problem> {
        let authority = self.authority(name)?;
        let above = above(self.engine.index(), &authority)?;
        Ok(std::iter::once(authority).chain(above).collect())
    }

    /// The certificates above a CA, its issuer first, the root last.
    pub(super) fn ancestors(&self, authority: &Authority) -> Result<Vec<Certificate>, Problem> {
        super::authority::ancestors(self.engine.index(), authority)
    }

    /// What others certified of a CA's name and key ([`index::crossed`]).
    pub(in crate::ca) fn crossed(&self, authority: &Authority) -> Result<Vec<Certificate>, Problem> {
        Ok(index::crossed(self.engine.index(), authority)?)
    }

    /// Every generation of the CA of this name, which may be that of any of them, oldest first.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA.
    pub fn generations(&self, name: &str) -> Result<Vec<Authority>, Problem> {
        let all = self.engine.index().authorities()?;
        let find = |name: &str| all.iter().find(|one| one.name == name);
        let mut first = find(name).ok_or_else(|| no_authority(name))?;
        for _ in 0..all.len() {
            match first.succeeds.as_deref().and_then(find) {
                Some(before) => first = before,
                None => break,
            }
        }
        let mut generations = vec![first.clone()];
        while let Some(next) = generations
            .last()
            .and_then(|last| all.iter().find(|one| one.succeeds.as_deref() == Some(last.name.as_str())))
            .filter(|_| generations.len() <= all.len())
        {
            generations.push(next.clone());
        }
        Ok(generations)
    }

    /// The names of a CA's generations; none without a name.
    pub(super) fn family_names(&self, name: Option<&str>) -> Result<Vec<String>, Problem> {
        let generations = name.map(|name| self.generations(name)).transpose()?.unwrap_or_default();
        Ok(generations.into_iter().map(|one| one.name).collect())
    }

    /// The newest generation that can issue now, of the CA of this name.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; exit status 7, and why the newest cannot, when none can.
    pub fn issuing_generation(&self, name: &str) -> Result<Authority, Problem> {
        let now = self.engine.now();
        let mut refusal = None;
        for generation in self.generations(name)?.into_iter().rev() {
            match fit(self.engine.index(), &generation, now) {
                Ok(()) => return Ok(generation),
                Err(problem) => refusal = refusal.or(Some(problem)),
            }
        }
        Err(refusal.unwrap_or_else(|| no_authority(name)))
    }

    /// The generation after a CA, if it has been given a new key.
    ///
    /// # Errors
    /// When the index cannot be read; so below.
    pub fn successor(&self, name: &str) -> Result<Option<Authority>, Problem> {
        Ok(index::successor(self.engine.index(), name)?)
    }

    /// Whether a CA has nothing left to publish ([`index::is_quiet`]).
    pub fn is_quiet(&self, authority: &Authority) -> Result<bool, Problem> {
        Ok(index::is_quiet(self.engine.index(), authority, self.engine.now())?)
    }

    /// Whether neither a CA nor one above it has ended or is revoked for good ([`index::stands`]).
    pub fn stands(&self, authority: &Authority) -> Result<bool, Problem> {
        Ok(index::stands(self.engine.index(), authority, self.engine.now())?)
    }

    /// Whether the certificate of a CA is revoked for good.
    pub fn is_revoked(&self, authority: &Authority) -> Result<bool, Problem> {
        let state = self.engine.index().status(&self.certificate_id(authority)?)?;
        Ok(matches!(state, Some(CertificateState::Revoked(revocation)) if !revocation.is_hold()))
    }

    /// Who issued the certificate that a CA has, and under which number.
    pub(super) fn certificate_id(&self, authority: &Authority) -> Result<CertificateId, Problem> {
        let issuer: IssuerId = match &authority.parent {
            Some(parent) => self.authority(parent)?.issuer,
            None => authority.issuer,
        };
        Ok(CertificateId { issuer, serial_number: authority.certificate.tbs().serial_number().clone() })
    }
}
