//! What all requests have in common.
use super::log_throttle::LogThrottle;
use super::signing::Signing;
use crate::clock::Clock;
use crate::ocsp::answer::{Answer, Refusal};
use crate::ocsp::metrics::{AnswerPath, Metrics};
use crate::ocsp::responder::{Plan, plan};
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::rules::{Controls, Rules};
use crate::ocsp::snapshot::Snapshot;
use crate::x509::UnixTime;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Parts {
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(super) rules: Controls,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) log_throttle: LogThrottle,
    pub(super) signing: Signing,
    pub(super) metrics: Arc<Metrics>,
    pub(super) max_body: usize,
    pub(super) max_path: usize,
    pub(super) body_timeout: Duration,
}

impl Parts {
    /// Returns what plans the answer to this request once more when the status has changed since.
    pub(super) fn anew(
        self: &Arc<Self>,
        rules: &Arc<Rules>,
        octets: &[u8],
        now: UnixTime,
    ) -> impl FnOnce(&Plan) -> Option<Result<Plan, Refusal>> + Send + 'static {
        let (parts, rules, octets) = (Arc::clone(self), Arc::clone(rules), octets.to_vec());
        move |former| {
            let snapshot = parts.snapshot.load();
            let has_changed = snapshot.generation() != former.generation();
            has_changed.then(|| plan(&octets, &snapshot, &rules.settings, now))
        }
    }

    /// Logs why a request was refused: each reason at once, and then once a minute with its count. Each request is
    /// logged at level debug.
    pub(super) fn refused(&self, status: &str, reason: &str, now: UnixTime) {
        if let Some(times) = self.log_throttle.add(reason, now) {
            tracing::info!(status, reason, times, "refused");
        } else {
            tracing::debug!(status, reason, "refused");
        }
    }

    /// Counts an answer, and logs why it is none.
    pub(super) fn noted(&self, answer: Answer, path: AnswerPath, now: UnixTime) -> Answer {
        self.metrics.answer(answer.status(), path);
        match answer.status() {
            ResponseStatus::Successful => {}
            ResponseStatus::TryLater | ResponseStatus::InternalError => {
                if let Some(times) = self.log_throttle.add(answer.reason(), now) {
                    tracing::warn!(status = %answer.status(), reason = answer.reason(), times, "no answer");
                }
            }
            status => self.refused(&status.to_string(), answer.reason(), now),
        }
        answer
    }

    /// Returns the answer that needs no look at the request or the status.
    pub(super) fn at_once(&self, rules: &Rules, octets: &[u8], now: UnixTime) -> Option<Answer> {
        rules.cache.at_once(octets, &self.snapshot.load(), &rules.settings, now)
    }
}
