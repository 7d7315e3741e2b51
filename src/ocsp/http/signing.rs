//! Signs answers: at once where that is quick, else on threads of their own, so that other requests are not delayed.
use crate::failpoint;
use crate::ocsp::answer::Answer;
use crate::ocsp::responder::Plan;
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::rules::Rules;
use crate::x509::UnixTime;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tokio::task::spawn_blocking;

/// Answers that wait for a thread. Further clients are told to try later.
const WAITING: usize = 1024;

/// Locks for answers that are being signed. Two answers that share one wait for each other.
const LOCKS: usize = 256;

/// What bounds the simultaneous signatures.
pub(super) struct Signing {
    /// One for each thread that signs. There are as many as processors, so that those that wait hold no thread.
    threads: Semaphore,
    /// One for each answer that is signed by a thread, or waits for one.
    waiting: Semaphore,
    locks: Vec<Mutex<()>>,
}

impl Default for Signing {
    fn default() -> Self {
        let threads = available_parallelism().map_or(2, usize::from);
        Self {
            threads: Semaphore::new(threads),
            waiting: Semaphore::new(WAITING + threads),
            locks: std::iter::repeat_with(Mutex::default).take(LOCKS).collect(),
        }
    }
}

impl Signing {
    /// Signs an answer. Of the same one for several clients, one is signed and the others take it from the cache.
    pub(super) async fn answer(&self, rules: &Arc<Rules>, plan: Plan, now: UnixTime) -> Answer {
        let is_quick = plan.responder().signer().is_quick();
        let waits = if is_quick { None } else { Some(self.waiting.try_acquire()) };
        if matches!(waits, Some(Err(_))) {
            return Answer::refused(ResponseStatus::TryLater, "too many answers are to be signed".into());
        }
        let _alone = self.alone(&plan).await;
        if let Some(answer) = rules.cache.get(&plan, now) {
            return answer;
        }
        if is_quick {
            return sign(rules, &plan, now);
        }
        let failed = |reason: String| Answer::refused(ResponseStatus::InternalError, reason);
        let Ok(_thread) = self.threads.acquire().await else { return failed("shutting down".into()) };
        let rules = Arc::clone(rules);
        let signed = spawn_blocking(move || sign(&rules, &plan, now));
        signed.await.unwrap_or_else(|error| failed(error.to_string()))
    }

    /// Waits until nobody signs the same answer; `None` for an answer that is for one client.
    async fn alone(&self, plan: &Plan) -> Option<MutexGuard<'_, ()>> {
        let place = plan.place_among(self.locks.len())?;
        Some(self.locks.get(place)?.lock().await)
    }
}

/// Signs and caches an answer. A signature that panics is logged, and answered `internalError`.
fn sign(rules: &Rules, plan: &Plan, now: UnixTime) -> Answer {
    let signed = catch_unwind(AssertUnwindSafe(|| {
        failpoint::in_thread("daemon: sign");
        plan.sign(&rules.settings, Some(&rules.cache), now)
    }));
    signed.unwrap_or_else(|_| {
        Answer::refused(ResponseStatus::InternalError, "the signature has failed without an answer".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::{Hierarchy, NOW, TestKey};
    use crate::ocsp::request::OcspRequest;
    use crate::ocsp::responder::plan;
    use crate::ocsp::settings::ResponderSettings;

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
                tokio::spawn(async move { signing.answer(&rules, plan, NOW).await.octets() })
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
        let all = u32::try_from(signing.waiting.available_permits()).unwrap();
        let _taken = signing.waiting.acquire_many(all).await.unwrap();
        for (key, expected) in
            [(TestKey::p384(), ResponseStatus::TryLater), (TestKey::p256(), ResponseStatus::Successful)]
        {
            let snapshot = hierarchy.snapshot_of(hierarchy.status(), vec![hierarchy.delegate(&key)]);
            let request = OcspRequest::new(vec![hierarchy.id(2)], Some(vec![1; 16])).to_der();
            let plan = plan(&request, &snapshot, &rules.settings, NOW).unwrap();
            assert_eq!(signing.answer(&rules, plan, NOW).await.status(), expected);
        }
    }
}
