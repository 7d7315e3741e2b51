//! Rate limit for requests that a client sends before it has received the previous answer.
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// The permit to answer such a request, released when dropped.
pub(super) type Held = Option<OwnedSemaphorePermit>;

/// Marks such a request in its extensions. The service then waits for the permit when the body has arrived.
#[derive(Clone)]
pub(crate) struct Turn(Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Held> + Send>> + Send + Sync>);

impl Turn {
    /// Returns a value whose permit is what the future from `wait` gives.
    pub(crate) fn new<F: Future<Output = Held> + Send + 'static>(
        wait: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move || Box::pin(wait())))
    }

    /// Waits for the permit.
    pub(crate) async fn come(self) -> Held {
        (self.0)().await
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}
