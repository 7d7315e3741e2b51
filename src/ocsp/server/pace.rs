//! Detects clients that send a request before they have received the previous answer.
//!
//! A client may send requests without end and read none of the answers. The HTTP library answers a request only after
//! the previous answer has gone out, so at most one waits here. But until the buffers on the way are full, hundreds
//! of such clients keep every processor busy. So the requests of clients that are ahead of their answers share a few
//! permits: other clients are delayed by a few requests, however many such clients there are.
use std::sync::atomic::{AtomicBool, Ordering};

/// What a connection's socket shows about its client. Socket and requests belong to one task, so there are no races.
#[derive(Debug)]
pub(super) struct Pace {
    /// Whether the socket had nothing to read at some time since the last answer.
    was_awaited: AtomicBool,
}

impl Pace {
    /// Returns the pace of a new client.
    pub(super) fn new() -> Self {
        Self { was_awaited: AtomicBool::new(true) }
    }

    /// Records that the socket has nothing to read.
    pub(super) fn awaited(&self) {
        self.was_awaited.store(true, Ordering::Relaxed);
    }

    /// Records that a request was answered.
    pub(super) fn answered(&self) {
        self.was_awaited.store(false, Ordering::Relaxed);
    }

    /// Whether the next request was sent before its client can have received the previous answer.
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
