//! The turn of a request that its client sent ahead of the answer to the one before.
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// The turn, once it has come; it is over when this is dropped.
pub(super) type Held = Option<OwnedSemaphorePermit>;

/// Stands in the extensions of such a request, so that it is waited for when the body has come.
#[derive(Clone)]
pub(crate) struct Turn(Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Held> + Send>> + Send + Sync>);

impl Turn {
    /// One that has come when what `wait` gives has ended.
    pub(crate) fn new<F: Future<Output = Held> + Send + 'static>(
        wait: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move || Box::pin(wait())))
    }

    /// Waits for it.
    pub(crate) async fn come(self) -> Held {
        (self.0)().await
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}
