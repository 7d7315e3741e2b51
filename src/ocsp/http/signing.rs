//! Signs answers: at once where that is quick, else on threads of their own, so that other requests are not delayed.
use super::signers::Signers;
use crate::failpoint;
use crate::ocsp::answer::{Answer, Refusal};
use crate::ocsp::metrics::Metrics;
use crate::ocsp::responder::Plan;
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::rules::Rules;
use crate::x509::UnixTime;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::thread::available_parallelism;
use tokio::sync::{Mutex, MutexGuard, Semaphore, oneshot};

/// Answers that wait for a thread. Further clients are told to try later.
const WAITING: usize = 1024;

/// Locks for answers that are being signed. Two answers that share one wait for each other; nobody can choose which.
const LOCKS: usize = 256;

/// Responders in tokens whose bounds are kept while nobody uses them.
const IDLE: usize = 64;

/// What bounds the simultaneous signatures.
pub(super) struct Signing {
    of_files: Bounds,
    /// Those of each responder whose key is in a token, by its fingerprint: one that hangs delays no other.
    of_tokens: std::sync::Mutex<HashMap<[u8; 32], Arc<Bounds>>>,
    hasher: RandomState,
}

struct Bounds {
    threads: Signers,
    /// One for each answer that is signed by a thread, or waits for one. Who waits for an answer that is signed for another
    /// client already takes none.
    waiting: Arc<Semaphore>,
    locks: Vec<Mutex<()>>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            threads: Signers::default(),
            waiting: Arc::new(Semaphore::new(most_waiting())),
            locks: std::iter::repeat_with(Mutex::default).take(LOCKS).collect(),
        }
    }
}

/// Answers that wait for the threads of one [`Bounds`], or are signed by these.
fn most_waiting() -> usize {
    WAITING + available_parallelism().map_or(2, usize::from)
}

impl Default for Signing {
    fn default() -> Self {
        Self {
            of_files: Bounds::default(),
            of_tokens: std::sync::Mutex::default(),
            hasher: RandomState::new(),
        }
    }
}

impl Signing {
    /// Answers that are being signed on a thread or wait for one, and the bound of them.
    pub(super) fn queue(&self) -> (u64, u64) {
        let of_tokens = self.of_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let all = of_tokens.values().map(|bounds| &**bounds).chain([&self.of_files]);
        let free: usize = all.map(|bounds| bounds.waiting.available_permits()).sum();
        let bound = most_waiting().saturating_mul(of_tokens.len().saturating_add(1));
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        (number(bound.saturating_sub(free)), number(bound))
    }

    /// Returns the bounds of a responder whose key is in a token.
    fn of_token(&self, plan: &Plan) -> Option<Arc<Bounds>> {
        let responder = plan.responder();
        if !responder.signer().is_in_token() {
            return None;
        }
        let mut all = self.of_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= IDLE {
            all.retain(|_, bounds| Arc::strong_count(bounds) > 1);
        }
        Some(Arc::clone(all.entry(responder.fingerprint().0).or_default()))
    }

    /// Signs an answer. Of the same one for several clients, one is signed and the others take it from the cache. `anew` plans
    /// the answer once more when the status has changed since; it is called after the wait for other signatures, on the
    /// thread that signs.
    pub(super) async fn answer(
        &self,
        rules: &Arc<Rules>,
        plan: Plan,
        anew: impl FnOnce(&Plan) -> Option<Result<Plan, Refusal>> + Send + 'static,
        metrics: &Arc<Metrics>,
        now: UnixTime,
    ) -> Answer {
        let of_token = self.of_token(&plan);
        let bounds = of_token.as_deref().unwrap_or(&self.of_files);
        let _alone = self.alone(&plan, bounds).await;
        if let Some(answer) = rules.cache.get(&plan, now) {
            return answer;
        }
        if plan.responder().signer().is_quick() {
            return sign(rules, plan, anew, metrics, now);
        }
        let Ok(waits) = Arc::clone(&bounds.waiting).try_acquire_owned() else {
            return Answer::refused(ResponseStatus::TryLater, "too many answers are to be signed".into());
        };
        let (done, signed) = oneshot::channel();
        let (rules, metrics) = (Arc::clone(rules), Arc::clone(metrics));
        let handed = bounds.threads.hand(Box::new(move || {
            // nobody waits any more for what a client has given up
            if !done.is_closed() {
                let _ = done.send(sign(&rules, plan, anew, &metrics, now));
            }
            drop(waits);
        }));
        let failed = |reason: String| Answer::refused(ResponseStatus::InternalError, reason);
        match handed {
            Ok(()) => signed.await.unwrap_or_else(|_| failed("shutting down".into())),
            Err(error) => failed(format!("no thread signs: {error}")),
        }
    }

    /// Waits until nobody signs the same answer; `None` for an answer that is not kept, and so is for one client.
    async fn alone<'b>(&self, plan: &Plan, bounds: &'b Bounds) -> Option<MutexGuard<'b, ()>> {
        let (id, _) = plan.entries().first().filter(|_| plan.is_for_many())?;
        let hash = self.hasher.hash_one((plan.responder().fingerprint().0, id.as_der()));
        let place = usize::try_from(hash).unwrap_or_default().checked_rem(bounds.locks.len())?;
        Some(bounds.locks.get(place)?.lock().await)
    }
}

/// Signs and caches an answer, planned once more where the status has changed since. A signature that panics is logged, and
/// answered `internalError`.
fn sign(
    rules: &Rules,
    plan: Plan,
    anew: impl FnOnce(&Plan) -> Option<Result<Plan, Refusal>>,
    metrics: &Metrics,
    now: UnixTime,
) -> Answer {
    let plan = match anew(&plan) {
        None => plan,
        Some(Ok(anew)) => anew,
        Some(Err(refusal)) => return refusal.into(),
    };
    let signed = catch_unwind(AssertUnwindSafe(|| {
        failpoint::in_thread("daemon: sign");
        plan.sign(&rules.settings, Some(&rules.cache), now)
    }));
    let signed = signed.unwrap_or_else(|_| {
        Answer::refused(ResponseStatus::InternalError, "the signature has failed without an answer".into())
    });
    metrics.signature(signed.status() == ResponseStatus::Successful);
    signed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::{Hierarchy, NOW, TestKey};
    use crate::ocsp::request::OcspRequest;
    use crate::ocsp::responder::plan;
    use crate::ocsp::settings::ResponderSettings;
    use crate::signing::ResponderTokens;

    fn rules() -> Arc<Rules> {
        Arc::new(Rules::new(ResponderSettings::default(), Vec::new(), None))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_who_ask_the_same_at_once_cause_one_signature() {
        // O12
        let hierarchy = Hierarchy::new();
        for key in [TestKey::p256(), TestKey::p384()] {
            let responder = hierarchy.delegate(&key);
            let snapshot = hierarchy.snapshot_of(hierarchy.status(), vec![responder]);
            let (rules, signing) = (rules(), Arc::new(Signing::default()));
            let plan = plan(&hierarchy.request(2), &snapshot, &rules.settings, NOW).unwrap();
            let asking = (0..40).map(|_| {
                let (rules, signing, plan) = (Arc::clone(&rules), Arc::clone(&signing), plan.clone());
                tokio::spawn(async move {
                    signing.answer(&rules, plan, |_| None, &Arc::default(), NOW).await.octets()
                })
            });
            let asking: Vec<_> = asking.collect();
            let mut answers = Vec::new();
            for one in asking {
                answers.push(one.await.unwrap());
            }
            // an ECDSA signature is never the same twice
            assert!(answers.iter().all(|answer| *answer == answers[0]));
        }
    }

    #[tokio::test]
    async fn when_too_many_wait_the_next_is_told_to_try_later_and_what_is_quick_goes_on() {
        // O2
        let hierarchy = Hierarchy::new();
        let (rules, signing) = (rules(), Signing::default());
        let all = u32::try_from(signing.of_files.waiting.available_permits()).unwrap();
        let _taken = signing.of_files.waiting.acquire_many(all).await.unwrap();
        for (key, expected) in
            [(TestKey::p384(), ResponseStatus::TryLater), (TestKey::p256(), ResponseStatus::Successful)]
        {
            let snapshot = hierarchy.snapshot_of(hierarchy.status(), vec![hierarchy.delegate(&key)]);
            let request = OcspRequest::new(vec![hierarchy.id(2)], Some(vec![1; 16])).to_der();
            let plan = plan(&request, &snapshot, &rules.settings, NOW).unwrap();
            assert_eq!(signing.answer(&rules, plan, |_| None, &Arc::default(), NOW).await.status(), expected);
        }
    }

    #[tokio::test]
    async fn a_token_that_keeps_its_clients_waiting_delays_no_other_responder() {
        // O7, O12
        let hierarchy = Hierarchy::new();
        let (rules, signing) = (rules(), Signing::default());
        let plan_of = |responder| {
            let snapshot = hierarchy.snapshot_of(hierarchy.status(), vec![responder]);
            plan(&hierarchy.request(2), &snapshot, &rules.settings, NOW).unwrap()
        };
        let tokens = ResponderTokens::default();
        let in_token = |key: &TestKey| plan_of(hierarchy.delegate_in_token(key, &tokens));
        let (hangs, other) = (in_token(&TestKey::p256()), in_token(&TestKey::p384()));
        let bounds = signing.of_token(&hangs).unwrap();
        let all = u32::try_from(bounds.waiting.available_permits()).unwrap();
        let _taken = bounds.waiting.acquire_many(all).await.unwrap();
        for (plan, expected) in [
            (hangs, ResponseStatus::TryLater),
            // there is no such token
            (other, ResponseStatus::InternalError),
            (plan_of(hierarchy.delegate(&TestKey::p384())), ResponseStatus::Successful),
        ] {
            let answer = signing.answer(&rules, plan, |_| None, &Arc::default(), NOW).await;
            assert_eq!(answer.status(), expected);
        }
    }

    #[tokio::test]
    async fn what_is_revoked_while_an_answer_waits_for_its_signature_is_answered_revoked() {
        // O12
        let hierarchy = Hierarchy::new();
        let (rules, signing) = (rules(), Signing::default());
        let of = |status| {
            let snapshot = hierarchy.snapshot_of(status, vec![hierarchy.responder.clone()]);
            plan(&hierarchy.request(2), &snapshot, &rules.settings, NOW)
        };
        let mut revoked = hierarchy.status();
        revoked.revoke(2, NOW);
        let before = of(hierarchy.status()).unwrap();
        let expected = of(revoked.clone()).unwrap();
        let after = of(revoked);
        let answer = signing.answer(&rules, before, move |_| Some(after), &Arc::default(), NOW).await;
        assert_eq!(rules.cache.get(&expected, NOW), Some(answer));
    }
}
