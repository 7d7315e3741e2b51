//! The CAs on record: the issuer path of each, its generations, and whether it may issue.
//!
//! A generation is the same CA with another key. The first has the CA's name, later ones are called
//! `NAME-g2`, `NAME-g3` and so on. To everybody else each generation is a CA of its own, with its own files,
//! URLs, CRL and responder. Naming any generation as the issuer selects the newest one that can issue. The
//! older ones go on signing CRLs and responder certificates until their last certificate has expired, and are
//! retired after that.
mod cross_certificates;
mod holders;
mod issuer_path;

pub(super) use cross_certificates::UNLINKED;
pub(crate) use issuer_path::IssuerPath;
pub(super) use issuer_path::issuer_digests;

use crate::error::{Code, Problem, remedy, suggested};
use crate::index::{Authority, CertificateState, IndexError, IndexReader};
use crate::x509::{Certificate, CertificateId, UnixTime};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The CAs on record. Only the CAs asked for and their issuers are read, each once as long as the record does
/// not change: with ten thousand CAs, issuing reads only the issuer's own path.
#[derive(Clone)]
pub struct Hierarchy<'h> {
    index: &'h dyn IndexReader,
    loaded: Loaded,
}

/// What has been read at one change number of the record.
#[derive(Clone, Default)]
pub(super) struct Loaded(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    change: Option<u64>,
    authorities: HashMap<String, Arc<Authority>>,
    states: HashMap<CertificateId, Option<CertificateState>>,
}

/// The problem that no CA has this name.
pub(super) fn no_authority(name: &str) -> Problem {
    Problem::new(Code::AuthorityNotFound, format!("there is no CA named {name}"))
        .hint(remedy::Authority::List)
}

impl<'h> Hierarchy<'h> {
    /// The problem that no CA has this name, with the retired one that had it, or the name on record that is most like
    /// it.
    fn no_authority_but(&self, name: &str) -> Problem {
        let all = self.index.authorities().unwrap_or_default();
        let problem = no_authority(name);
        let had_it = |one: &&Authority| one.retired.as_ref().is_some_and(|retired| retired.name == name);
        if let Some(one) = all.iter().rfind(had_it) {
            let message =
                format!("{}; the one that was retired is on record as {}", problem.message, one.name);
            return Problem { message, ..problem };
        }
        let known: Vec<String> = all.into_iter().map(|one| one.name).collect();
        let hint = suggested(name, &known, problem.hint.clone());
        problem.hint(hint)
    }

    /// The CAs on record in this index.
    #[must_use]
    pub fn over(index: &'h dyn IndexReader) -> Self {
        Self::with(index, Loaded::default())
    }

    pub(super) fn with(index: &'h dyn IndexReader, loaded: Loaded) -> Self {
        Self { index, loaded }
    }

    /// Returns what has been read; empties it first when the record has changed since.
    fn state(&self) -> Result<MutexGuard<'_, State>, IndexError> {
        let change = Some(self.index.change_number()?);
        let mut state = self.loaded.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.change != change {
            *state = State { change, ..State::default() };
        }
        Ok(state)
    }

    fn find(&self, state: &mut State, name: &str) -> Result<Option<Arc<Authority>>, IndexError> {
        if let Some(known) = state.authorities.get(name) {
            return Ok(Some(known.clone()));
        }
        let Some(read) = self.index.authority(name)?.map(Arc::new) else { return Ok(None) };
        state.authorities.insert(name.to_owned(), read.clone());
        Ok(Some(read))
    }

    /// Returns the CA of this name.
    ///
    /// # Errors
    /// Exit status 5 when there is none.
    pub fn authority(&self, name: &str) -> Result<Authority, Problem> {
        let found = self.find(&mut *self.state()?, name)?;
        match found {
            Some(authority) => Ok(Arc::unwrap_or_clone(authority)),
            None => Err(self.no_authority_but(name)),
        }
    }

    /// Returns the CA of this name, its issuers, and the state of each certificate.
    ///
    /// # Errors
    /// Exit status 5 when there is none; when the index cannot be read.
    pub fn path(&self, name: &str) -> Result<IssuerPath, Problem> {
        Ok(self.path_of(&self.authority(name)?)?)
    }

    /// Returns the issuer path of a CA that has been read already.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn path_of(&self, authority: &Authority) -> Result<IssuerPath, IndexError> {
        let mut state = self.state()?;
        let mut path = self.walk(&mut state, authority)?;
        for at in 0..path.members().len() {
            let Some(id) = path.certificate_id(at) else { break };
            let known = match state.states.get(&id) {
                Some(known) => known.clone(),
                None => {
                    let read = self.index.status(&id)?;
                    state.states.insert(id, read.clone());
                    read
                }
            };
            path.push_state(known);
        }
        Ok(path)
    }

    fn walk(&self, state: &mut State, authority: &Authority) -> Result<IssuerPath, IndexError> {
        let mut path = IssuerPath::from(Arc::new(authority.clone()));
        while let Some(name) = path.next() {
            match self.find(state, &name)? {
                Some(parent) => path.push(parent),
                None => path.breaks_off(name),
            }
        }
        Ok(path)
    }

    /// Returns the issuers of a CA, its direct issuer first, as far as they are on record.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn issuer_path(&self, authority: &Authority) -> Result<Vec<Arc<Authority>>, IndexError> {
        let path = self.walk(&mut *self.state()?, authority)?;
        Ok(path.members().iter().skip(1).cloned().collect())
    }

    /// Returns the certificates of a CA's issuers, its direct issuer's first, the root's last.
    pub(super) fn ancestors(&self, authority: &Authority) -> Result<Vec<Certificate>, Problem> {
        let path = self.walk(&mut *self.state()?, authority)?;
        Ok(path.issuer_path()?.iter().map(|one| one.certificate.clone()).collect())
    }

    /// Returns all generations of a CA, oldest first. `name` may be that of any of them.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA.
    pub fn generations(&self, name: &str) -> Result<Vec<Authority>, Problem> {
        let mut generations = vec![self.authority(name)?];
        let is_known = |generations: &[Authority], name: &str| generations.iter().any(|one| one.name == name);
        while let Some(before) = generations.first().and_then(|first| first.succeeds.clone()) {
            let Some(before) = self.find(&mut *self.state()?, &before)? else { break };
            if is_known(&generations, &before.name) {
                break;
            }
            generations.insert(0, Arc::unwrap_or_clone(before));
        }
        while let Some(last) = generations.last() {
            match self.index.successor(&last.name)? {
                Some(next) if !is_known(&generations, &next.name) => generations.push(next),
                _ => break,
            }
        }
        Ok(generations)
    }

    /// Returns the names of a CA's generations; none without a name.
    pub(super) fn family_names(&self, name: Option<&str>) -> Result<Vec<String>, Problem> {
        let generations = name.map(|name| self.generations(name)).transpose()?.unwrap_or_default();
        Ok(generations.into_iter().map(|one| one.name).collect())
    }

    /// Returns the newest generation of a CA that can issue at `now`.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; exit status 7, with the newest generation's reason, when none
    /// can issue.
    pub fn issuing_generation(&self, name: &str, now: UnixTime) -> Result<Authority, Problem> {
        let mut refusal = None;
        for generation in self.generations(name)?.into_iter().rev() {
            match self.check_usable(&generation, now) {
                Ok(()) => return Ok(generation),
                Err(problem) => refusal = refusal.or(Some(problem)),
            }
        }
        Err(refusal.unwrap_or_else(|| no_authority(name)))
    }

    /// Refuses a CA that may not issue at `now`: the CA or one of its issuers is expired, revoked, or not on
    /// record as issued.
    pub(super) fn check_usable(&self, authority: &Authority, now: UnixTime) -> Result<(), Problem> {
        self.path_of(authority)?.check_usable(now)
    }

    /// Returns the next generation of a CA, if the CA has been given a new key.
    ///
    /// # Errors
    /// When the index cannot be read; the same holds for the methods below.
    pub fn successor(&self, name: &str) -> Result<Option<Authority>, IndexError> {
        self.index.successor(name)
    }

    /// Whether a CA is retired and has nothing left to publish: somebody retired it, or it has expired or has a
    /// newer generation, its last certificate has expired, and every revoked certificate has been on a CRL issued after its expiry
    /// (C3).
    pub fn is_retired(&self, authority: &Authority, now: UnixTime) -> Result<bool, IndexError> {
        if authority.retired.is_some() {
            return Ok(true);
        }
        let has_ended = self.has_ended(authority, now);
        if authority.last_end.is_some_and(|end| end >= now)
            || !(has_ended || self.successor(&authority.name)?.is_some())
        {
            return Ok(false);
        }
        let mut is_listed = false;
        self.index.revoked(&authority.issuer, &mut |_| is_listed = true)?;
        Ok(!is_listed)
    }

    /// Whether a CA publishes CRLs: it is none of others, and not retired.
    pub fn publishes_crls(&self, authority: &Authority, now: UnixTime) -> Result<bool, IndexError> {
        Ok(!authority.is_external() && !self.is_retired(authority, now)?)
    }

    /// Whether a CA is to have a responder with a valid certificate: OCSP is on for it, it can issue the certificate,
    /// and it is not retired.
    pub fn needs_responder(&self, authority: &Authority, now: UnixTime) -> Result<bool, IndexError> {
        Ok(authority.serves_ocsp
            && self.publishes_crls(authority, now)?
            && self.still_current(authority, now)?)
    }

    /// Whether the certificate of a CA has ended.
    #[must_use]
    pub(crate) fn has_ended(&self, authority: &Authority, now: UnixTime) -> bool {
        now > authority.certificate.tbs().validity().not_after
    }

    /// Whether a CA is still current: neither the CA nor one of its issuers has expired or is revoked for
    /// good. A CA that is not issues nothing unless it gets a new certificate.
    pub fn still_current(&self, authority: &Authority, now: UnixTime) -> Result<bool, IndexError> {
        Ok(self.path_of(authority)?.still_current(now))
    }

    /// Returns the name and the end of the CA of this name, or of the issuer above it that ends before it: nothing that
    /// the CA issues ends later. Of several that end at once it is the uppermost.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; when the index cannot be read.
    pub fn first_to_end(&self, name: &str) -> Result<(String, UnixTime), Problem> {
        let path = self.path_of(&self.authority(name)?)?;
        let ends = path.members().iter().map(|one| (&one.name, one.certificate.tbs().validity().not_after));
        let first = ends.rev().min_by_key(|(_, end)| *end);
        first.map(|(name, end)| (name.clone(), end)).ok_or_else(|| no_authority(name))
    }

    /// Whether a CA or one of its issuers is revoked for good, so that nothing it issued is to be trusted.
    pub fn chain_is_revoked(&self, authority: &Authority) -> Result<bool, IndexError> {
        Ok(self.path_of(authority)?.chain_is_revoked())
    }

    /// Whether the certificate of a CA is revoked for good.
    pub fn is_revoked(&self, authority: &Authority) -> Result<bool, IndexError> {
        Ok(self.path_of(authority)?.is_revoked())
    }

    /// Returns the issuer and the serial number of a CA's current certificate.
    pub(super) fn certificate_id(&self, authority: &Authority) -> Result<CertificateId, Problem> {
        let issuer = match &authority.parent {
            Some(parent) => self.authority(parent)?.issuer,
            None => authority.issuer,
        };
        Ok(CertificateId { issuer, serial_number: authority.certificate.tbs().serial_number().clone() })
    }
}
