//! A look at the files before a request is answered that nothing is known of it.
//!
//! Files are looked at several times a second. A client that was handed its certificate between two looks
//! would be told `unknown`; so before that is said, one look is taken for it (O12). Clients that come while
//! one is being taken share the next.
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// For how long an answer waits for the look.
const LIMIT: Duration = Duration::from_secs(2);
/// Clients that wait for one look; further ones wait to be let in.
const WAITING: usize = 1024;

/// Asks for looks.
#[derive(Clone, Debug)]
pub struct Looker(mpsc::Sender<oneshot::Sender<()>>);

/// The looks that are asked for.
#[derive(Debug)]
pub struct Looks(mpsc::Receiver<oneshot::Sender<()>>);

/// Both ends.
#[must_use]
pub fn looks() -> (Looker, Looks) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Looker(sender), Looks(receiver))
}

impl Looker {
    /// Waits until a look that began after this call has ended, or it takes too long.
    pub(super) async fn look(&self) {
        let (done, looked) = oneshot::channel();
        let look = async {
            if self.0.send(done).await.is_ok() {
                // an error means that nobody looks any more: there is nothing to wait for
                let _ = looked.await;
            }
        };
        if tokio::time::timeout(LIMIT, look).await.is_err() {
            tracing::warn!("looking for new status takes long");
        }
    }
}

/// Those who wait for one look; they go on when this is dropped.
#[derive(Debug, Default)]
pub struct Waiting {
    _clients: Vec<oneshot::Sender<()>>,
}

impl Looks {
    /// Waits until a look is asked for and returns those who wait for it; `None` after `interval` without.
    pub async fn next(&mut self, interval: Duration) -> Option<Waiting> {
        let asked = async {
            match self.0.recv().await {
                Some(first) => first,
                // nobody can ask any more
                None => std::future::pending().await,
            }
        };
        let mut clients = vec![tokio::time::timeout(interval, asked).await.ok()?];
        while let Ok(another) = self.0.try_recv() {
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
        drop(looks);
        tokio::time::timeout(Duration::from_secs(1), looker.look()).await.unwrap();
    }
}
