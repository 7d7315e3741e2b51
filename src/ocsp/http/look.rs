//! A look at the files before a request is answered that nothing is known of it.
//!
//! Files are looked at several times a second. A client that was handed its certificate between two looks
//! would be told `unknown`; so before that is said, one look is taken for it (O12). Clients that come while
//! one is being taken share the next.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// For how long an answer waits for the look.
const LIMIT: Duration = Duration::from_secs(2);
/// Clients that wait for one look; further ones wait to be let in.
const WAITING: usize = 1024;

/// How long a look may take before it is not believed that there will be another.
const LONGEST: Duration = Duration::from_secs(60);

/// Asks for looks.
#[derive(Clone, Debug)]
pub(crate) struct Looker {
    asks: mpsc::Sender<oneshot::Sender<()>>,
    began: Arc<Mutex<Instant>>,
}

/// The looks that are asked for.
#[derive(Debug)]
pub(crate) struct Looks {
    asked: mpsc::Receiver<oneshot::Sender<()>>,
    /// When it was last waited for somebody to ask.
    began: Arc<Mutex<Instant>>,
}

/// Both ends.
#[must_use]
pub(crate) fn looks() -> (Looker, Looks) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let began = Arc::new(Mutex::new(Instant::now()));
    (Looker { asks: sender, began: Arc::clone(&began) }, Looks { asked: receiver, began })
}

impl Looker {
    /// Waits until a look that began after this call has ended, or it takes too long.
    pub(super) async fn look(&self) {
        let (done, looked) = oneshot::channel();
        let look = async {
            if self.asks.send(done).await.is_ok() {
                // an error means that nobody looks any more: there is nothing to wait for
                let _ = looked.await;
            }
        };
        if tokio::time::timeout(LIMIT, look).await.is_err() {
            tracing::warn!("looking for new status takes long");
        }
    }
}

impl Looker {
    /// Whether looks have stopped: the one that is being taken does not end, or nobody takes one any more.
    pub(super) fn has_stopped(&self) -> bool {
        self.asks.is_closed() || self.idle_for() > LONGEST
    }

    fn idle_for(&self) -> Duration {
        self.began.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// Those who wait for one look; they go on when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    _clients: Vec<oneshot::Sender<()>>,
}

impl Looks {
    /// Waits until a look is asked for and returns those who wait for it; `None` after `interval` without.
    pub(crate) async fn next(&mut self, interval: Duration) -> Option<Waiting> {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let asked = async {
            match self.asked.recv().await {
                Some(first) => first,
                // nobody can ask any more
                None => std::future::pending().await,
            }
        };
        let mut clients = vec![tokio::time::timeout(interval, asked).await.ok()?];
        while let Ok(another) = self.asked.try_recv() {
            clients.push(another);
        }
        Some(Waiting { _clients: clients })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_is_waited_for_and_nobody_waits_when_there_is_none_to_look() {
        // O12
        let (looker, mut looks) = looks();
        assert!(looks.next(Duration::from_millis(1)).await.is_none());
        let asking = tokio::spawn({
            let looker = looker.clone();
            async move { looker.look().await }
        });
        let waiting = looks.next(Duration::from_secs(10)).await;
        assert!(waiting.is_some() && !asking.is_finished());
        drop(waiting);
        asking.await.unwrap();
        assert!(!looker.has_stopped());
        drop(looks);
        assert!(looker.has_stopped(), "nobody looks any more");
        tokio::time::timeout(Duration::from_secs(1), looker.look()).await.unwrap();
    }

    #[tokio::test]
    async fn a_look_that_does_not_end_is_noticed() {
        // O13
        let (looker, mut looks) = looks();
        *looker.began.lock().unwrap() = Instant::now().checked_sub(LONGEST * 2).unwrap();
        assert!(looker.has_stopped());
        assert!(looks.next(Duration::from_millis(1)).await.is_none());
        assert!(!looker.has_stopped());
    }
}
