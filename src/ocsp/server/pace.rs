//! Whether a client takes its answers before it asks again.
//!
//! A client may send requests without end and read none of the answers. It gets no further one while those it has
//! are not taken, so that no more than one waits here; and while it is ahead of its answers, its requests take
//! their turn among those of all who are, so that others are held up by a few of them, however many there are.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, Semaphore};

use crate::ocsp::http::Turn;

/// What a connection's socket shows of its client. Socket and requests are in one task: nothing is raced for.
#[derive(Debug)]
pub(super) struct Pace {
    /// What was written does not go out.
    is_stuck: AtomicBool,
    went_out: Notify,
    /// The client had sent nothing more when we looked, after the last answer.
    was_awaited: AtomicBool,
    turns: Arc<Semaphore>,
}

impl Pace {
    /// That of a new client; `turns` are shared by all.
    pub(super) fn new(turns: Arc<Semaphore>) -> Arc<Self> {
        let (is_stuck, was_awaited) = (AtomicBool::new(false), AtomicBool::new(true));
        Arc::new(Self { is_stuck, went_out: Notify::new(), was_awaited, turns })
    }

    /// A write has to wait for the client to read.
    pub(super) fn stuck(&self) {
        self.is_stuck.store(true, Ordering::Relaxed);
    }

    /// Everything that was written has gone out.
    pub(super) fn gone_out(&self) {
        if self.is_stuck.swap(false, Ordering::Relaxed) {
            self.went_out.notify_one();
        }
    }

    /// There is nothing to read.
    pub(super) fn awaited(&self) {
        self.was_awaited.store(true, Ordering::Relaxed);
    }

    /// A request has its answer.
    pub(super) fn answered(&self) {
        self.was_awaited.store(false, Ordering::Relaxed);
    }

    /// Waits until the answers before have gone out, and gives what a request has to wait for besides, when it
    /// was sent before its client could have them.
    pub(super) async fn next(&self) -> Option<Turn> {
        while self.is_stuck.load(Ordering::Relaxed) {
            self.went_out.notified().await;
        }
        let is_ahead = !self.was_awaited.load(Ordering::Relaxed);
        is_ahead.then(|| Turn::new(Arc::clone(&self.turns)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn is_kept_waiting(pace: &Pace) -> bool {
        tokio::time::timeout(Duration::from_millis(1), pace.next()).await.is_err()
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_gets_no_further_answer_until_it_does() {
        // O2
        let pace = Pace::new(Arc::new(Semaphore::new(1)));
        assert!(pace.next().await.is_none());
        pace.stuck();
        assert!(is_kept_waiting(&pace).await);
        let waiting = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { pace.next().await.is_none() }
        });
        tokio::task::yield_now().await;
        pace.gone_out();
        assert!(waiting.await.unwrap());
        assert!(!is_kept_waiting(&pace).await);
    }

    #[tokio::test]
    async fn only_what_is_sent_ahead_of_the_answer_before_waits_for_its_turn() {
        // O2
        let turns = Arc::new(Semaphore::new(1));
        let pace = Pace::new(Arc::clone(&turns));
        assert!(pace.next().await.is_none(), "its first");
        pace.answered();
        pace.awaited();
        assert!(pace.next().await.is_none(), "it had the answer");
        pace.answered();
        let turn = pace.next().await.unwrap();
        let held = turn.clone().come().await;
        assert!(held.is_some() && turns.available_permits() == 0);
        let another = pace.next().await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(1), another.clone().come()).await.is_err());
        drop(held);
        assert!(another.come().await.is_some());
    }
}
