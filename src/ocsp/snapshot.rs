//! Everything that the responder answers from at one moment. It is replaced as a whole when a file has changed.
use super::authority_state::{AuthorityState, Chain, Until};
use super::cert_id::{CertId, HashAlgorithm, issuer_hashes};
use super::delegate::DelegatedResponder;
use super::freshness::Freshness;
use super::presigned::AnswerStore;
use super::public_files::ServedFile;
use super::settings::ResponderSettings;
use crate::index::{CertificateState, Revocation};
use crate::status::{PublishedAuthority, StatusEntry, StatusError, StatusReader};
use crate::x509::{CertificateId, CrlEntry, CrlListing, IssuerId, UnixTime};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A CA with its delegated responders, the preferred one first.
#[derive(Clone, Debug)]
pub struct ServedIssuer {
    /// The CA as published.
    pub authority: PublishedAuthority,
    /// Responders of the CA. The list may be empty, and their certificates may have expired.
    pub responders: Vec<Arc<DelegatedResponder>>,
    /// Whether a responder is left out because its certificate is revoked or on hold.
    pub is_withdrawn: bool,
    /// The earliest nextUpdate of the answers that were signed beforehand, which are then all that there are.
    pub stored_until: Option<UnixTime>,
}

impl ServedIssuer {
    /// Returns the responders whose certificates are valid at `now`.
    pub(crate) fn valid_responders(&self, now: UnixTime) -> impl Iterator<Item = &Arc<DelegatedResponder>> {
        self.responders.iter().filter(move |responder| responder.is_valid(now))
    }
}

/// Tells snapshots apart: no two of a process have the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Generation(pub(crate) u64);

impl Default for Generation {
    /// The next one.
    fn default() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1))
    }
}

/// Status, responders and public files of one moment.
#[derive(Default)]
pub struct Snapshot {
    generation: Generation,
    status: Option<Arc<dyn StatusReader>>,
    unreadable_since: Option<UnixTime>,
    issuers: Vec<ServedIssuer>,
    /// The chain of each element of `issuers`, in the same order.
    chains: Vec<Chain>,
    lists: HashMap<IssuerId, Arc<CrlListing>>,
    refusals: Vec<String>,
    by_hashes: HashMap<(HashAlgorithm, Vec<u8>, Vec<u8>), usize>,
    answers: Option<Arc<AnswerStore>>,
    files: HashMap<String, Arc<ServedFile>>,
    faults: Vec<String>,
    unusable: Vec<String>,
}

impl Snapshot {
    /// Returns a snapshot without a status, unreadable since this time.
    #[must_use]
    pub fn unreadable(since: UnixTime) -> Self {
        Self { unreadable_since: Some(since), ..Self::default() }
    }

    /// Returns a snapshot of this status and these responders.
    #[must_use]
    pub fn new(status: Arc<dyn StatusReader>, issuers: Vec<ServedIssuer>) -> Self {
        let mut by_hashes = HashMap::new();
        for (at, issuer) in issuers.iter().enumerate() {
            for hash in HashAlgorithm::ALL {
                let tbs = issuer.authority.certificate.tbs();
                for name in issuer.authority.names.iter().chain([tbs.subject()]) {
                    let (name, key) = issuer_hashes(hash, name, tbs.public_key());
                    by_hashes.insert((hash, name, key), at);
                }
            }
        }
        let snapshot = Self { status: Some(status), issuers, by_hashes, ..Self::default() };
        snapshot.with_chains()
    }

    fn with_chains(mut self) -> Self {
        let authorities: Vec<&PublishedAuthority> = self.issuers.iter().map(|one| &one.authority).collect();
        let state = |id: &CertificateId| Some(self.entry(id).ok().flatten()?.state);
        let chains = authorities.iter().map(|one| Chain::of(one, &authorities, &state)).collect();
        // clients do not ask about a responder's certificate (id-pkix-ocsp-nocheck), so it is not used
        let is_revoked = |one: &Arc<DelegatedResponder>, issuer: IssuerId| {
            let serial_number = one.certificate().tbs().serial_number().clone();
            matches!(state(&CertificateId { issuer, serial_number }), Some(CertificateState::Revoked(_)))
        };
        let usable = |issuer: &ServedIssuer| -> Vec<bool> {
            issuer.responders.iter().map(|one| !is_revoked(one, issuer.authority.issuer)).collect()
        };
        let usable: Vec<Vec<bool>> = self.issuers.iter().map(usable).collect();
        self.chains = chains;
        for (issuer, usable) in self.issuers.iter_mut().zip(usable) {
            issuer.is_withdrawn |= usable.contains(&false);
            let mut usable = usable.into_iter();
            issuer.responders.retain(|_| usable.next().unwrap_or_default());
        }
        self
    }

    /// Returns the same snapshot with the newest verified CRL of each CA.
    #[must_use]
    pub fn with_lists(mut self, lists: HashMap<IssuerId, Arc<CrlListing>>) -> Self {
        self.lists = lists;
        self.with_chains()
    }

    /// Returns the same snapshot, which is answered from this file of answers.
    #[must_use]
    pub(crate) fn with_answers(mut self, answers: Option<Arc<AnswerStore>>) -> Self {
        self.answers = answers.filter(|_| self.status.is_some());
        self
    }

    /// The file of answers from which all requests are answered; `None` when answers are signed here.
    #[must_use]
    pub(crate) fn answers(&self) -> Option<&Arc<AnswerStore>> {
        self.answers.as_ref()
    }

    /// Returns whether the status is recent enough to answer from; `None` without one. Answers that were signed beforehand
    /// say themselves until when they count.
    #[must_use]
    pub(crate) fn freshness(&self, settings: &ResponderSettings, now: UnixTime) -> Option<Freshness> {
        let time = self.status.as_ref()?.time();
        Some(match self.answers {
            Some(_) => Freshness::ahead(time, settings, now),
            None => Freshness::of(time, settings, now),
        })
    }

    /// Returns the same snapshot with what was not taken up because it is older than what was loaded or contradicts a
    /// CRL, one sentence each.
    #[must_use]
    pub(crate) fn with_refusals(mut self, refusals: Vec<String>) -> Self {
        self.refusals = refusals;
        self
    }

    /// Returns the same snapshot with these public files, keyed by file name.
    #[must_use]
    pub(crate) fn with_files(mut self, files: HashMap<String, Arc<ServedFile>>) -> Self {
        self.files = files;
        self
    }

    /// Returns the same snapshot with the faults of files that are not used, one sentence each.
    #[must_use]
    pub(crate) fn with_faults(mut self, faults: Vec<String>) -> Self {
        self.faults = faults;
        self
    }

    /// Returns the same snapshot with the files that cannot be used, named without their paths.
    #[must_use]
    pub(crate) fn with_unusable(mut self, unusable: Vec<String>) -> Self {
        self.unusable = unusable;
        self
    }

    /// Files that cannot be used, named without their paths.
    #[must_use]
    pub(crate) fn unusable(&self) -> &[String] {
        &self.unusable
    }

    /// The newest verified CRL of a CA; `None` without one.
    #[must_use]
    pub(crate) fn list(&self, issuer: &IssuerId) -> Option<&Arc<CrlListing>> {
        self.lists.get(issuer)
    }

    /// Whether a CRL of this CA has been loaded.
    #[must_use]
    pub(crate) fn has_list(&self, issuer: &IssuerId) -> bool {
        self.lists.contains_key(issuer)
    }

    /// What tells this snapshot from all others.
    #[must_use]
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// The status; `None` while it cannot be read.
    #[must_use]
    pub fn status(&self) -> Option<&Arc<dyn StatusReader>> {
        self.status.as_ref()
    }

    /// Time since which there is no status; `None` when there is one.
    #[must_use]
    pub(crate) fn unreadable_since(&self) -> Option<UnixTime> {
        self.unreadable_since
    }

    /// All CAs.
    #[must_use]
    pub fn issuers(&self) -> &[ServedIssuer] {
        &self.issuers
    }

    /// Returns the CA that a CertID names when it is answered for at `now`. A CA that has expired, is revoked or
    /// disabled is not (RFC 6960 §2.3).
    #[must_use]
    pub fn issuer(&self, id: &CertId, now: UnixTime) -> Option<&ServedIssuer> {
        let (name, key) = (id.issuer_name_hash().to_vec(), id.issuer_key_hash().to_vec());
        let at = *self.by_hashes.get(&(id.hash_algorithm()?, name, key))?;
        let (issuer, chain) = (self.issuers.get(at)?, self.chains.get(at)?);
        chain.is_answered(&issuer.authority, now).then_some(issuer)
    }

    /// Whether requests about certificates of a CA are answered at all.
    #[must_use]
    pub(crate) fn is_answered(&self, authority: &PublishedAuthority, now: UnixTime) -> bool {
        let mut all = self.issuers.iter().zip(&self.chains);
        let found = all.find(|(issuer, _)| issuer.authority.issuer == authority.issuer);
        found.is_some_and(|(_, chain)| chain.is_answered(authority, now))
    }

    /// Returns every CA with its state at `now`.
    pub(crate) fn authority_states(
        &self,
        now: UnixTime,
    ) -> impl Iterator<Item = (&ServedIssuer, AuthorityState)> {
        self.issuers.iter().zip(&self.chains).map(move |(issuer, chain)| {
            let ends = issuer.valid_responders(now).map(|one| one.certificate().tbs().validity().not_after);
            let until = match &self.answers {
                Some(_) => issuer.stored_until.filter(|end| *end >= now).map(Until::Stored),
                None => ends.max().map(Until::Responder),
            };
            (issuer, chain.state(&issuer.authority, until, now))
        })
    }

    /// Returns what is on record about a certificate. A certificate that the newest verified CRL of its CA revokes
    /// permanently is revoked, whatever the published status says.
    ///
    /// # Errors
    /// When the status cannot be read.
    pub fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        let published = self.status.as_ref().map(|status| status.entry(id)).transpose()?.flatten();
        Ok(self.with_list(id, published))
    }

    /// Returns what is on record about a certificate, of which this is published: revoked, when the newest verified CRL of its
    /// CA revokes it permanently.
    #[must_use]
    pub(crate) fn with_list(
        &self,
        id: &CertificateId,
        published: Option<StatusEntry>,
    ) -> Option<StatusEntry> {
        let state = published.as_ref().map(|published| &published.state);
        if matches!(state, Some(CertificateState::Revoked(revocation)) if !revocation.is_hold()) {
            return published;
        }
        let listed = self.lists.get(&id.issuer).and_then(|list| list.find(&id.serial_number));
        let Some(entry) = listed.filter(CrlEntry::is_final) else { return published };
        let state = CertificateState::Revoked(Revocation {
            revoked_at: entry.revocation_date,
            reason: entry.reason,
            invalidity_date: entry.invalidity_date,
        });
        Some(StatusEntry { state, not_after: published.and_then(|published| published.not_after) })
    }

    /// What was not taken up because it is older than what was loaded or contradicts a CRL, one sentence each.
    #[must_use]
    pub fn refusals(&self) -> &[String] {
        &self.refusals
    }

    /// Returns the public file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Arc<ServedFile>> {
        self.files.get(name)
    }

    /// Faults of files that are not used, one sentence each.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}
