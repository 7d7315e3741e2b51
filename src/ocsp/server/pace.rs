//! Whether a client waits for its answers before it asks again.
//!
//! A client may send requests without end and read none of the answers. The HTTP library answers none before the
//! answer to the one before has gone out, so no more than one waits here; but until the buffers on the way are full,
//! hundreds of such clients keep every processor at work. The requests of a client that is ahead of its answers take
//! their turn among those of all who are: others are held up by a few of them, however many there are.
use std::sync::atomic::{AtomicBool, Ordering};

/// What a connection's socket shows of its client. Socket and requests are in one task: nothing is raced for.
#[derive(Debug)]
pub(super) struct Pace {
    /// The client had sent nothing more when we looked, after the last answer.
    was_awaited: AtomicBool,
}

impl Pace {
    /// That of a new client.
    pub(super) fn new() -> Self {
        Self { was_awaited: AtomicBool::new(true) }
    }

    /// There is nothing to read.
    pub(super) fn awaited(&self) {
        self.was_awaited.store(true, Ordering::Relaxed);
    }

    /// A request has its answer.
    pub(super) fn answered(&self) {
        self.was_awaited.store(false, Ordering::Relaxed);
    }

    /// Whether the next request was sent before its client could have the answer before.
    pub(super) fn is_ahead(&self) -> bool {
        !self.was_awaited.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_ahead_when_its_next_request_is_there_as_soon_as_the_answer_before() {
        // O2
        let pace = Pace::new();
        assert!(!pace.is_ahead(), "its first");
        pace.answered();
        assert!(pace.is_ahead());
        pace.answered();
        pace.awaited();
        assert!(!pace.is_ahead(), "it had the answer");
    }
}
