//! Generations of a CA: the same CA with one key after the other.
//!
//! The first bears the CA's name, those after it `NAME-g2`, `NAME-g3` and so on; each is a CA of its own to
//! everybody else, with its files, its URLs, its CRL and its responder. Whichever of them is named as the one that
//! is to issue, the newest that can does. The older ones go on signing CRLs and responder certificates until
//! their last certificate has ended, and are quiet afterwards.
use super::Pki;
use super::authority::{fit, no_authority};
use crate::error::Problem;
use crate::index::{self, Authority, CertificateState, Filter};
use crate::x509::{Certificate, CertificateId, IssuerId};

/// So many days a generation is new.
const YOUNG: i64 = 30;

impl Pki<'_> {
    /// Every generation of the CA of this name, which may be that of any of them, oldest first.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA.
    pub fn generations(&self, name: &str) -> Result<Vec<Authority>, Problem> {
        let all = self.index.authorities()?;
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
        let now = self.clock.now();
        let mut refusal = None;
        for generation in self.generations(name)?.into_iter().rev() {
            match fit(self.index, &generation, now) {
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
        Ok(index::successor(self.index, name)?)
    }

    /// Whether a CA has nothing left to publish ([`index::is_quiet`]).
    pub fn is_quiet(&self, authority: &Authority) -> Result<bool, Problem> {
        Ok(index::is_quiet(self.index, authority, self.clock.now())?)
    }

    /// Whether neither a CA nor one above it has ended or is revoked for good ([`index::stands`]).
    pub fn stands(&self, authority: &Authority) -> Result<bool, Problem> {
        Ok(index::stands(self.index, authority, self.clock.now())?)
    }

    /// What is said when a generation is succeeded that is of no use yet.
    pub(super) fn unused(&self, newest: &Authority) -> Result<Option<String>, Problem> {
        let begin = newest.certificate.tbs().validity().not_before;
        let is_young = self.clock.now() < begin.plus_days(YOUNG);
        if newest.succeeds.is_none() || !is_young || self.is_revoked(newest)? {
            return Ok(None);
        }
        let family: Vec<IssuerId> =
            self.generations(&newest.name)?.into_iter().map(|one| one.issuer).collect();
        let filter = Filter { authority: Some(newest.name.clone()), ..Filter::default() };
        let mut is_used = false;
        self.index.list(&filter, &mut |record| {
            // neither its own certificate nor a link counts, nor what never came to be
            let is_for_others = |certificate: &Certificate| !family.contains(&certificate.tbs().as_issuer());
            is_used = self.practices.keeps(&record.profile)
                && record.certificate.as_ref().is_some_and(is_for_others);
            !is_used
        })?;
        let name = &newest.name;
        Ok((!is_used).then(|| {
            format!("{name} is new, begins on {begin}, and has issued nothing; it is succeeded all the same")
        }))
    }

    /// Whether the certificate of a CA is revoked for good.
    pub fn is_revoked(&self, authority: &Authority) -> Result<bool, Problem> {
        let state = self.index.status(&self.certificate_id(authority)?)?;
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
