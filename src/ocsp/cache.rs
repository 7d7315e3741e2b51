//! Signed answers, kept until half their lifetime is over.
//!
//! The cache is never flushed. An answer is found by the octets of its request, and given without a look at the status
//! when it was compared with this very snapshot before. After a change of the snapshot each is compared once: it is used
//! on only when it is what would be signed now, for the same status and by the responder that is in use. So a revocation
//! is answered at once (O12).
use super::answer::{Answer, Life, Tag};
use super::delegate::SameInAll;
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

/// Answers about one certificate, to requests without a nonce. The key is the request that has the CertID and nothing else,
/// as most clients send it; for the answer of a responder that the client prefers, the responder's certificate and that request.
pub struct AnswerCache {
    answers: Cache<Box<[u8]>, Arc<Kept>, Octets>,
}

/// What cannot be had again from the request and the responder. Times and standings are small, so that a million answers
/// fit into memory.
struct Kept {
    /// The snapshot that the answer was last compared with.
    generation: AtomicU64,
    same: Arc<SameInAll>,
    this_update: UnixTime,
    produced_at: UnixTime,
    next_update: UnixTime,
    tag: Tag,
    /// Hash of what is on record about the certificate.
    standing: u64,
    /// What follows the CertID in the `SingleResponse`, and the signature.
    rest: Box<[u8]>,
    /// Where the signature begins.
    signature: usize,
}

impl Kept {
    fn of(plan: &Plan, signed: &Signed) -> Option<Self> {
        let life = signed.answer.life()?;
        let after = signed.afters.first()?;
        Some(Self {
            generation: AtomicU64::new(plan.generation().0),
            same: Arc::clone(plan.responder().octets()),
            this_update: life.this_update,
            produced_at: life.produced_at,
            next_update: life.next_update,
            tag: signed.answer.tag(),
            standing: standing(plan)?,
            rest: [after.as_slice(), &signed.signature].concat().into(),
            signature: after.len(),
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

    /// Returns the answer to this request, which has the CertID and nothing else.
    fn answer(&self, request: &[u8]) -> Option<Answer> {
        let (tbs, _) = split_element(request, SEQUENCE)?;
        let (list, _) = split_element(split_element(tbs, SEQUENCE)?.0, SEQUENCE)?;
        let (id, _) = split_element(list, SEQUENCE)?;
        let (after, signature) = self.rest.split_at_checked(self.signature)?;
        let data = DataParts {
            responder_id: &self.same.responder_id,
            produced_at: self.produced_at,
            singles: std::iter::once((id, after)),
            extensions: &[],
        };
        let around = Surroundings {
            algorithm: &self.same.algorithm,
            signature,
            certificates: self.same.certificates.len(),
        };
        let own = around.around(data.length(), |out| data.put(out));
        Some(Answer::kept(own, &self.same, self.life(), self.tag))
    }

    /// Octets of memory, without the key.
    fn octets(&self) -> usize {
        // the counters of the Arc
        2 * size_of::<usize>() + size_of::<Self>() + self.rest.len()
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
        let is_same =
            kept.same.fingerprint == plan.responder().fingerprint() && Some(kept.standing) == standing(plan);
        if !is_same || !kept.is_fresh(now) {
            return None;
        }
        kept.generation.store(plan.generation().0, Ordering::Release);
        kept.answer(key.get(request..)?)
    }

    /// Caches a signed answer. Answers with a nonce are not cached. Neither are answers about serial numbers that are
    /// not on record, nor about several: a flood of such requests would push out the answers that clients need.
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
    let (id, _) = plan.entries().first().filter(|_| plan.is_for_many())?;
    let mut key = Vec::new();
    if plan.is_preferred() {
        // no request begins so
        key.push(0);
        key.extend_from_slice(&plan.responder().fingerprint().0);
    }
    let request = key.len();
    key.extend_from_slice(&encode_plain(id.as_der()));
    Some((key.into(), request))
}

/// Returns a hash of what is on record about the certificate; `None` when it is not on record.
fn standing(plan: &Plan) -> Option<u64> {
    let octets = match plan.entries().first()? {
        (_, CertificateStanding::Recorded(CertificateState::Issued)) => vec![0],
        (_, CertificateStanding::Recorded(CertificateState::Revoked(revocation))) => {
            let reason = revocation.reason.map_or(u8::MAX, |reason| reason.number());
            [&[1, reason], &revocation.revoked_at.0.to_be_bytes()[..]].concat()
        }
        _ => return None,
    };
    sha256(&octets).first_chunk().copied().map(u64::from_be_bytes)
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
