//! Looks for new status before a certificate is answered as unknown.
//!
//! The files are checked several times a second. A client that receives its certificate between two checks would be
//! answered `unknown`. So before such an answer the files are checked once more (O12). Clients that come during a
//! check share the next one.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Bound of the time that an answer waits for a check. After it, the answer is made from the status that is there.
const LIMIT: Duration = Duration::from_secs(2);
/// Bound of the clients in the queue for one check. Further ones wait for room in it, within the same [`LIMIT`].
const WAITING: usize = 1024;

/// Time since the reloader last waited for requests, beyond which checks count as stopped.
const LONGEST: Duration = Duration::from_secs(60);

/// The clients' end: requests checks.
#[derive(Clone, Debug)]
pub(crate) struct Refresher {
    asks: mpsc::Sender<oneshot::Sender<()>>,
    began: Arc<Mutex<Instant>>,
}

/// The reloading end: receives the requests for checks.
#[derive(Debug)]
pub(crate) struct Refreshes {
    asked: mpsc::Receiver<oneshot::Sender<()>>,
    /// Time at which the reloader last began to wait for requests.
    began: Arc<Mutex<Instant>>,
}

/// Returns both ends.
#[must_use]
pub(crate) fn refreshes() -> (Refresher, Refreshes) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let began = Arc::new(Mutex::new(Instant::now()));
    (Refresher { asks: sender, began: Arc::clone(&began) }, Refreshes { asked: receiver, began })
}

impl Refresher {
    /// Waits until a check that began after this call has ended, or [`LIMIT`] is over.
    pub(super) async fn refresh(&self) {
        let (done, looked) = oneshot::channel();
        let refresh = async {
            if self.asks.send(done).await.is_ok() {
                // an error means that the reloader has ended: there is nothing to wait for
                let _ = looked.await;
            }
        };
        if tokio::time::timeout(LIMIT, refresh).await.is_err() {
            tracing::warn!("looking for new status takes long");
        }
    }
}

impl Refresher {
    /// Whether checks have stopped: the current one does not end, or the reloader is gone.
    pub(super) fn has_stopped(&self) -> bool {
        self.asks.is_closed() || self.idle_for() > LONGEST
    }

    fn idle_for(&self) -> Duration {
        self.began.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// Clients that wait for one check. Dropping the value lets them continue.
#[derive(Debug, Default)]
pub(crate) struct RefreshWaiters {
    _clients: Vec<oneshot::Sender<()>>,
}

impl Refreshes {
    /// Waits until a check is requested and returns the clients that wait for it; `None` when none is requested
    /// within `interval`.
    pub(crate) async fn next(&mut self, interval: Duration) -> Option<RefreshWaiters> {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let asked = async {
            match self.asked.recv().await {
                Some(first) => first,
                // no client is left that could request a check
                None => std::future::pending().await,
            }
        };
        let mut clients = vec![tokio::time::timeout(interval, asked).await.ok()?];
        while let Ok(another) = self.asked.try_recv() {
            clients.push(another);
        }
        Some(RefreshWaiters { _clients: clients })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_is_waited_for_and_nobody_waits_when_there_is_none_to_look() {
        // O12
        let (refresher, mut refreshes) = refreshes();
        assert!(refreshes.next(Duration::from_millis(1)).await.is_none());
        let asking = tokio::spawn({
            let refresher = refresher.clone();
            async move { refresher.refresh().await }
        });
        let waiting = refreshes.next(Duration::from_secs(10)).await;
        assert!(waiting.is_some() && !asking.is_finished());
        drop(waiting);
        asking.await.unwrap();
        assert!(!refresher.has_stopped());
        drop(refreshes);
        assert!(refresher.has_stopped(), "nobody looks any more");
        tokio::time::timeout(Duration::from_secs(1), refresher.refresh()).await.unwrap();
    }

    #[tokio::test]
    async fn a_look_that_does_not_end_is_noticed() {
        // O13
        let (refresher, mut refreshes) = refreshes();
        *refresher.began.lock().unwrap() = Instant::now().checked_sub(LONGEST * 2).unwrap();
        assert!(refresher.has_stopped());
        assert!(refreshes.next(Duration::from_millis(1)).await.is_none());
        assert!(!refresher.has_stopped());
    }
}
