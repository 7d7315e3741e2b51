//! The turn of a request that its client sent ahead of the answer to the one before.
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Stands in the extensions of such a request.
#[derive(Clone, Debug)]
pub struct Turn(Arc<Semaphore>);

impl Turn {
    /// One of so many at a time.
    #[must_use]
    pub fn new(turns: Arc<Semaphore>) -> Self {
        Self(turns)
    }

    /// Waits for it; it lasts until what is returned is dropped. Others are let through first even when it is free.
    pub(crate) async fn come(self) -> Option<OwnedSemaphorePermit> {
        tokio::task::yield_now().await;
        self.0.acquire_owned().await.ok()
    }
}
