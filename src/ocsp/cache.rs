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
use super::settings::ResponderSettings;
use super::snapshot::{Generation, Snapshot};
use crate::index::CertificateState;
use crate::x509::octets::{BIT_STRING, SEQUENCE, length_with_header, split_element};
use crate::x509::{UnixTime, sha256};
use foldhash::fast::RandomState;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Octets that the cache itself takes for each answer, besides the answer and its key.
const PLACE: usize = 48;

/// Answers about one certificate, to requests without a nonce. The key is the request that has the CertID and nothing else,
/// as most clients send it; for the answer of a responder that the client prefers, the responder's certificate and that request.
pub struct AnswerCache {
    answers: Cache<Box<[u8]>, Arc<Kept>, Octets, RandomState>,
}

/// What cannot be had again from the request and the responder. Times and places are small, so that a million answers
/// fit into memory.
struct Kept {
    /// The snapshot that the answer was last compared with.
    generation: AtomicU64,
    same: Arc<SameInAll>,
    produced_at: UnixTime,
    /// Hash of what is on record about the certificate.
    standing: u64,
    /// Seconds from thisUpdate to producedAt.
    before: u32,
    /// Seconds from producedAt to nextUpdate.
    length: u32,
    /// The encoded answer, without what the responder has in all and without the CertID.
    octets: Box<[u8]>,
    /// Where in `octets` each of these is left out.
    places: Places,
    /// The share of its refresh ([`Life::spread`]).
    share: u8,
}

/// Where in an answer that is kept something is to be filled in, in their order there.
#[derive(Clone, Copy, Debug)]
struct Places {
    responder_id: u16,
    cert_id: u16,
    algorithm: u16,
}

impl Kept {
    /// Returns what is to be kept of a signed answer to the request with this CertID; `None` when it cannot be put
    /// together again.
    fn of(
        (answer, signature): (&Answer, usize),
        (same, standing): (&Arc<SameInAll>, u64),
        generation: Generation,
        id: &[u8],
    ) -> Option<Self> {
        let life = answer.life()?;
        let (octets, places) = Places::cut(answer.own(), same, id, signature)?;
        let seconds = |from: UnixTime, to: UnixTime| u32::try_from(to.0.checked_sub(from.0)?).ok();
        Some(Self {
            generation: AtomicU64::new(generation.0),
            same: Arc::clone(same),
            produced_at: life.produced_at,
            standing,
            before: seconds(life.this_update, life.produced_at)?,
            length: seconds(life.produced_at, life.next_update)?,
            octets,
            places,
            share: answer.tag().share(),
        })
    }

    fn life(&self) -> Life {
        let (before, length) = (i64::from(self.before), i64::from(self.length));
        Life::new(self.produced_at.plus(-before), self.produced_at, self.produced_at.plus(length))
    }

    fn is_fresh(&self, now: UnixTime) -> bool {
        self.produced_at <= now && now < self.life().spread(self.share).refresh_at
    }

    fn is_of(&self, generation: Generation) -> bool {
        self.generation.load(Ordering::Acquire) == generation.0
    }

    /// Returns the answer to this request, which has the CertID and nothing else.
    fn answer(&self, request: &[u8]) -> Option<Answer> {
        let own = self.places.fill(&self.octets, &self.same, cert_id(request)?)?;
        let (bits, _) = split_element(self.octets.get(usize::from(self.places.algorithm)..)?, BIT_STRING)?;
        let tag = Tag::of(bits.get(1..)?, &self.same.fingerprint);
        Some(Answer::signed(own, &self.same, self.life(), tag))
    }

    /// Octets of memory, without the key.
    fn octets(&self) -> usize {
        // the counters of the Arc
        2 * size_of::<usize>() + size_of::<Self>() + self.octets.len()
    }
}

impl Places {
    /// Cuts an answer into what is kept. The signature of so many octets comes last.
    fn cut(own: &[u8], same: &SameInAll, id: &[u8], signature: usize) -> Option<(Box<[u8]>, Self)> {
        let find = |from: usize, what: &[u8]| {
            let found = own.get(from..)?.windows(what.len()).position(|octets| octets == what)?;
            Some((from.checked_add(found)?, from.checked_add(found)?.checked_add(what.len())?))
        };
        let (responder_id, after) = find(0, &same.responder_id)?;
        let (cert_id, rest) = find(after, id)?;
        let bits = own.len().checked_sub(length_with_header(signature.checked_add(1)?))?;
        let algorithm = bits.checked_sub(same.algorithm.len())?;
        let parts =
            [own.get(..responder_id)?, own.get(after..cert_id)?, own.get(rest..algorithm)?, own.get(bits..)?];
        let mut ends = parts.iter().scan(0, |end: &mut usize, part| {
            *end = end.checked_add(part.len())?;
            u16::try_from(*end).ok()
        });
        let places = Self { responder_id: ends.next()?, cert_id: ends.next()?, algorithm: ends.next()? };
        Some((parts.concat().into(), places))
    }

    /// Returns the answer that [`Self::cut`] had, with this CertID.
    fn fill(self, octets: &[u8], same: &SameInAll, id: &[u8]) -> Option<Vec<u8>> {
        let [responder_id, cert_id, algorithm] =
            [self.responder_id, self.cert_id, self.algorithm].map(usize::from);
        let length = octets.len() + same.responder_id.len() + id.len() + same.algorithm.len();
        let mut own = Vec::with_capacity(length);
        own.extend_from_slice(octets.get(..responder_id)?);
        own.extend_from_slice(&same.responder_id);
        own.extend_from_slice(octets.get(responder_id..cert_id)?);
        own.extend_from_slice(id);
        own.extend_from_slice(octets.get(cert_id..algorithm)?);
        own.extend_from_slice(&same.algorithm);
        own.extend_from_slice(octets.get(algorithm..)?);
        Some(own)
    }
}

/// The CertID of a request that has it and nothing else.
fn cert_id(request: &[u8]) -> Option<&[u8]> {
    let (tbs, _) = split_element(request, SEQUENCE)?;
    let (list, _) = split_element(split_element(tbs, SEQUENCE)?.0, SEQUENCE)?;
    Some(split_element(list, SEQUENCE)?.0)
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
        // nobody can choose the keys: they are of certificates on record
        let (hasher, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
        Self { answers: Cache::with(estimate, settings.cache_octets, Octets, hasher, lifecycle) }
    }

    /// Octets that the answers take, with their keys, and how many there are.
    #[must_use]
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.answers.weight(), u64::try_from(self.answers.len()).unwrap_or(u64::MAX))
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
        let is_current = kept.is_of(snapshot.generation())
            && kept.is_fresh(now)
            && snapshot.freshness(settings, now) == Some(Freshness::Current);
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
        let (Some(plain), Some(standing)) = (key.get(request..), standing(plan)) else { return };
        let Some(id) = cert_id(plain) else { return };
        let answer = (&signed.answer, signed.signature.len());
        let Some(kept) = Kept::of(answer, (plan.responder().octets(), standing), plan.generation(), id)
        else {
            return;
        };
        // what is put together again is what was signed, or it is not kept
        if kept.answer(plain).as_ref() == Some(&signed.answer) {
            self.answers.insert(key, Arc::new(kept));
        }
    }

    /// Caches an answer that was signed beforehand, to a request that has this CertID and nothing else. Its signature has so
    /// many octets.
    pub(crate) fn put_stored(
        &self,
        (request, id): (&[u8], &[u8]),
        answer: (&Answer, usize),
        (same, state): (&Arc<SameInAll>, &CertificateState),
        generation: Generation,
    ) {
        let Some(standing) = standing_of(state) else { return };
        let Some(kept) = Kept::of(answer, (same, standing), generation, id) else { return };
        if kept.answer(request).as_ref() == Some(answer.0) {
            self.answers.insert(request.into(), Arc::new(kept));
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
    match plan.entries().first()? {
        (_, CertificateStanding::Recorded(state)) => standing_of(state),
        _ => None,
    }
}

fn standing_of(state: &CertificateState) -> Option<u64> {
    let octets = match state {
        CertificateState::Issued => vec![0],
        CertificateState::Revoked(revocation) => {
            let reason = revocation.reason.map_or(u8::MAX, |reason| reason.number());
            [&[1, reason], &revocation.revoked_at.0.to_be_bytes()[..]].concat()
        }
        CertificateState::Pending => return None,
    };
    sha256(&octets).first_chunk().copied().map(u64::from_be_bytes)
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
