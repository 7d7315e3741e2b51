//! Where a connection stands with its client: who has to send something, and whether the client is ahead.
//!
//! A client may send requests without end and read none of the answers. The HTTP library answers a request only after
//! the previous answer has gone out, so at most one waits here. But until the buffers on the way are full, hundreds
//! of such clients keep every processor busy. So the requests of clients that are ahead of their answers share a few
//! permits: other clients are delayed by a few requests, however many such clients there are.
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// The client has sent nothing since the last answer.
const IDLE: u8 = 0;
/// The client has sent a part of a request's head.
const HEAD: u8 = 1;
/// The head is there, and the answer has not gone out.
const ANSWERING: u8 = 2;
/// The HTTP library has the whole answer, and may not have written all of it.
const WRITING: u8 = 3;

/// What a connection's socket and its requests show about its client. Both belong to one task, so there are no races.
#[derive(Debug)]
pub(super) struct Pace {
    /// Whether the socket had nothing to read at some time since the last answer.
    was_awaited: AtomicBool,
    stage: AtomicU8,
}

impl Pace {
    /// Returns the pace of a new client.
    pub(super) fn new() -> Self {
        Self { was_awaited: AtomicBool::new(true), stage: AtomicU8::new(IDLE) }
    }

    /// Records that the socket has nothing to read.
    pub(super) fn awaited(&self) {
        self.was_awaited.store(true, Ordering::Relaxed);
    }

    /// Records that the client has sent something. Returns whether that begins a request.
    pub(super) fn received(&self) -> bool {
        self.moves(IDLE, HEAD)
    }

    /// Records that the head of a request is there.
    pub(super) fn asked(&self) {
        self.stage.store(ANSWERING, Ordering::Relaxed);
    }

    /// Records that the answer to a request was made.
    pub(super) fn answered(&self) {
        self.was_awaited.store(false, Ordering::Relaxed);
    }

    /// Records that the HTTP library has the whole answer.
    pub(super) fn handed_over(&self) {
        self.moves(ANSWERING, WRITING);
    }

    /// Records that the HTTP library has written everything that it has. Returns whether an answer ends with that.
    pub(super) fn flushed(&self) -> bool {
        self.moves(WRITING, IDLE)
    }

    /// Whether a part of a head is there.
    pub(super) fn is_in_head(&self) -> bool {
        self.stage.load(Ordering::Relaxed) == HEAD
    }

    /// Whether the next request was sent before its client can have received the previous answer.
    pub(super) fn is_ahead(&self) -> bool {
        !self.was_awaited.load(Ordering::Relaxed)
    }

    fn moves(&self, from: u8, to: u8) -> bool {
        let is_there = self.stage.load(Ordering::Relaxed) == from;
        if is_there {
            self.stage.store(to, Ordering::Relaxed);
        }
        is_there
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

    #[test]
    fn an_answer_has_gone_out_when_all_of_it_is_made_and_written() {
        let pace = Pace::new();
        assert!(pace.received() && pace.is_in_head());
        assert!(!pace.received(), "it began before");
        assert!(!pace.flushed());
        pace.asked();
        assert!(!pace.is_in_head() && !pace.flushed(), "only a part of it is written");
        pace.handed_over();
        assert!(pace.flushed());
        assert!(!pace.flushed(), "once");
        pace.asked();
        pace.handed_over();
        assert!(pace.flushed(), "the next was there at once");
    }
}
