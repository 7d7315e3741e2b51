//! Signed answers, cached until half their lifetime is over.
//!
//! The cache is never flushed. A caller has just read the status, and gets a cached answer only when that answer was
//! signed for the same status by the responder that is in use now. So a revocation is answered at once (O12).
use super::answer::Answer;
use super::responder::{CertificateStanding, Plan};
use super::settings::ResponderSettings;
use crate::x509::UnixTime;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Answers to requests without a nonce, keyed by responder certificate and CertIDs as received.
pub struct AnswerCache {
    answers: Cache<Box<[u8]>, Kept, Octets>,
}

#[derive(Clone)]
struct Kept {
    standings: Vec<CertificateStanding>,
    answer: Answer,
}

#[derive(Clone)]
struct Octets;

impl Weighter<Box<[u8]>, Kept> for Octets {
    fn weight(&self, key: &Box<[u8]>, kept: &Kept) -> u64 {
        let octets =
            key.len() + kept.answer.octets().len() + kept.standings.len() * size_of::<CertificateStanding>();
        u64::try_from(octets + size_of::<Kept>()).unwrap_or(u64::MAX)
    }
}

impl AnswerCache {
    /// Returns an empty cache of at most `cache_octets` octets.
    #[must_use]
    pub fn new(settings: &ResponderSettings) -> Self {
        let estimate = usize::try_from(settings.cache_octets / 2048).unwrap_or(usize::MAX).max(1);
        Self { answers: Cache::with_weighter(estimate, settings.cache_octets, Octets) }
    }

    /// Returns the cached answer when it is the one that would be signed now.
    #[must_use]
    pub fn get(&self, plan: &Plan, now: UnixTime) -> Option<Answer> {
        let kept = self.answers.get(&key(plan)?)?;
        let life = kept.answer.life()?;
        let is_fresh = life.produced_at <= now && now < life.refresh_at;
        let is_same = kept.standings.iter().eq(plan.entries().iter().map(|(_, standing)| standing));
        (is_fresh && is_same).then_some(kept.answer)
    }

    /// Caches a signed answer. Answers with a nonce are not cached. Neither are answers about serial numbers that are
    /// not on record: a flood of made-up serial numbers would push out the answers that clients need.
    pub fn put(&self, plan: &Plan, answer: &Answer) {
        if let (Some(key), Some(_)) = (key(plan), answer.life()) {
            let standings = plan.entries().iter().map(|(_, standing)| standing.clone()).collect();
            self.answers.insert(key, Kept { standings, answer: answer.clone() });
        }
    }
}

fn key(plan: &Plan) -> Option<Box<[u8]>> {
    if plan.has_nonce() || !plan.is_all_recorded() {
        return None;
    }
    let mut key = plan.responder().fingerprint().0.to_vec();
    for (id, _) in plan.entries() {
        key.extend_from_slice(id.as_der());
    }
    Some(key.into())
}
