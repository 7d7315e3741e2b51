//! Signed answers, kept until half their lifetime is over.
//!
//! The cache is never flushed. An answer is found by the octets of its request, and given without a look at the status
//! when it was compared with this very snapshot before. After a change of the snapshot each is compared once: it is used
//! on only when it is what would be signed now, for the same status and by the responder that is in use. So a revocation
//! is answered at once (O12).
use super::answer::{Answer, Life, Tag};
use super::delegate::DelegatedResponder;
use super::freshness::Freshness;
use super::request::encode_plain;
use super::responder::{CertificateStanding, Plan, Signed};
use super::response::Surroundings;
use super::response_data::DataParts;
use super::settings::ResponderSettings;
use super::snapshot::{Generation, Snapshot};
use crate::index::CertificateState;
use crate::x509::octets::{SEQUENCE, split_element};
use crate::x509::{UnixTime, sha256};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Octets that the cache itself takes for each answer, besides the answer and its key.
const PLACE: usize = 48;

/// Answers to requests without a nonce. The key is the request that has the CertIDs and nothing else, as most clients send
/// it; for the answer of a responder that the client prefers, the responder's certificate and that request.
pub struct AnswerCache {
    answers: Cache<Box<[u8]>, Arc<Kept>, Octets>,
}

/// What cannot be had again from the request and the responder. Times and standings are small, so that a million answers
/// fit into memory.
struct Kept {
    /// The snapshot that the answer was last compared with.
    generation: AtomicU64,
    responder: Arc<DelegatedResponder>,
    this_update: UnixTime,
    produced_at: UnixTime,
    next_update: UnixTime,
    tag: Tag,
    /// Hash of what is on record about the certificates.
    standings: u64,
    /// For each CertID what follows it in its `SingleResponse`, after an octet with its length; then the signature.
    rest: Box<[u8]>,
}

impl Kept {
    fn of(plan: &Plan, signed: &Signed) -> Option<Self> {
        let life = signed.answer.life()?;
        let mut rest = Vec::new();
        for after in &signed.afters {
            rest.push(u8::try_from(after.len()).ok()?);
            rest.extend_from_slice(after);
        }
        rest.extend_from_slice(&signed.signature);
        Some(Self {
            generation: AtomicU64::new(plan.generation().0),
            responder: Arc::clone(plan.responder()),
            this_update: life.this_update,
            produced_at: life.produced_at,
            next_update: life.next_update,
            tag: signed.answer.tag(),
            standings: standings(plan)?,
            rest: rest.into(),
        })
    }

    fn life(&self) -> Life {
        Life::new(self.this_update, self.produced_at, self.next_update)
    }

    fn is_fresh(&self, now: UnixTime) -> bool {
        self.produced_at <= now && now < self.life().refresh_at
    }

    fn is_of(&self, generation: Generation) -> bool {
        self.generation.load(Ordering::Acquire) == generation.0
    }

    /// Returns the answer to this request, which has the CertIDs and nothing else.
    fn answer(&self, request: &[u8]) -> Option<Answer> {
        let (tbs, _) = split_element(request, SEQUENCE)?;
        let (list, _) = split_element(split_element(tbs, SEQUENCE)?.0, SEQUENCE)?;
        let singles = Singles { requests: list, rest: &self.rest };
        let mut ended = singles.clone();
        while ended.next().is_some() {}
        let same = self.responder.octets();
        let data = DataParts {
            responder_id: &same.responder_id,
            produced_at: self.produced_at,
            singles,
            extensions: &[],
        };
        let around = Surroundings {
            algorithm: &same.algorithm,
            signature: ended.rest,
            certificates: same.certificates.len(),
        };
        let own = around.around(data.length(), |out| data.put(out));
        ended.requests.is_empty().then(|| Answer::kept(own, &self.responder, self.life(), self.tag))
    }

    /// Octets of memory, without the key.
    fn octets(&self) -> usize {
        // the counters of the Arc
        2 * size_of::<usize>() + size_of::<Self>() + self.rest.len()
    }
}

/// The CertIDs of a request, each with what follows it in the answer.
#[derive(Clone)]
struct Singles<'a> {
    requests: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Iterator for Singles<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, requests) = split_element(self.requests, SEQUENCE)?;
        let (length, rest) = self.rest.split_first()?;
        let (after, rest) = rest.split_at_checked(usize::from(*length))?;
        (self.requests, self.rest) = (requests, rest);
        Some((id, after))
    }
}

#[derive(Clone)]
struct Octets;

impl Weighter<Box<[u8]>, Arc<Kept>> for Octets {
    fn weight(&self, key: &Box<[u8]>, kept: &Arc<Kept>) -> u64 {
        u64::try_from(PLACE + key.len() + kept.octets()).unwrap_or(u64::MAX)
    }
}

impl AnswerCache {
    /// Returns an empty cache of at most `cache_octets` octets.
    #[must_use]
    pub fn new(settings: &ResponderSettings) -> Self {
        let estimate = usize::try_from(settings.cache_octets / 400).unwrap_or(usize::MAX).max(1);
        Self { answers: Cache::with_weighter(estimate, settings.cache_octets, Octets) }
    }

    /// Returns the answer to a request with these octets when it was compared with this snapshot before. Neither the
    /// request nor the status is read.
    #[must_use]
    pub(crate) fn at_once(
        &self,
        request: &[u8],
        snapshot: &Snapshot,
        settings: &ResponderSettings,
        now: UnixTime,
    ) -> Option<Answer> {
        let kept = self.answers.get(request).filter(|_| request.first() == Some(&SEQUENCE))?;
        let time = snapshot.status()?.time();
        let is_current = kept.is_of(snapshot.generation())
            && kept.is_fresh(now)
            && Freshness::of(time, settings, now) == Freshness::Current;
        is_current.then(|| kept.answer(request)).flatten()
    }

    /// Returns the cached answer when it is the one that would be signed now.
    #[must_use]
    pub(crate) fn get(&self, plan: &Plan, now: UnixTime) -> Option<Answer> {
        let (key, request) = key(plan)?;
        let kept = self.answers.get(&*key)?;
        let is_same = kept.responder.fingerprint() == plan.responder().fingerprint()
            && Some(kept.standings) == standings(plan);
        if !is_same || !kept.is_fresh(now) {
            return None;
        }
        kept.generation.store(plan.generation().0, Ordering::Release);
        kept.answer(key.get(request..)?)
    }

    /// Caches a signed answer. Answers with a nonce are not cached. Neither are answers about serial numbers that are
    /// not on record: a flood of made-up serial numbers would push out the answers that clients need.
    pub(crate) fn put(&self, plan: &Plan, signed: &Signed) {
        let Some((key, request)) = key(plan) else { return };
        let Some(kept) = Kept::of(plan, signed) else { return };
        // what is put together again is what was signed, or it is not kept
        let again = key.get(request..).and_then(|request| kept.answer(request));
        if again.as_ref() == Some(&signed.answer) {
            self.answers.insert(key, Arc::new(kept));
        }
    }
}

/// Returns the key of an answer, and where the request begins in it.
fn key(plan: &Plan) -> Option<(Box<[u8]>, usize)> {
    if plan.has_nonce() || !plan.is_all_recorded() {
        return None;
    }
    let mut key = Vec::new();
    if plan.is_preferred() {
        // no request begins so
        key.push(0);
        key.extend_from_slice(&plan.responder().fingerprint().0);
    }
    let request = key.len();
    key.extend_from_slice(&encode_plain(plan.entries().iter().map(|(id, _)| id.as_der())));
    Some((key.into(), request))
}

/// Returns a hash of what is on record about the certificates; `None` when one is not on record.
fn standings(plan: &Plan) -> Option<u64> {
    let mut octets = Vec::new();
    for (_, standing) in plan.entries() {
        match standing {
            CertificateStanding::Recorded(CertificateState::Issued) => octets.push(0),
            CertificateStanding::Recorded(CertificateState::Revoked(revocation)) => {
                octets.push(1);
                octets.extend_from_slice(&revocation.revoked_at.0.to_be_bytes());
                octets.push(revocation.reason.map_or(u8::MAX, |reason| reason.number()));
            }
            CertificateStanding::Recorded(CertificateState::Pending)
            | CertificateStanding::NotIssued
            | CertificateStanding::Elsewhere => return None,
        }
    }
    sha256(&octets).first_chunk().copied().map(u64::from_be_bytes)
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
