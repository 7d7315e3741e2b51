//! A connection's socket, which reads in small pieces and fails when nothing moves on it for too long.
use super::connection_limit::ConnectionPermit;
use super::pace::Pace;
use crate::ocsp::metrics::Metrics;
use hyper::rt::{Read, ReadBufCursor, Write};
use std::future::Future;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep};

/// Octets of one read. Small reads keep the HTTP library from doubling its buffer for a client that fills it.
const PIECE: usize = 4096;

/// Time after which a client that takes nothing of its answer counts as idle, so that its place may be given away.
const TAKES_NOTHING: Duration = Duration::from_secs(5);

/// Bounds of the time that a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From the first octet of a request to the end of its head.
    pub(super) head: Duration,
    /// Without an octet in either direction.
    pub(super) idle: Duration,
}

/// Fails reads and writes that make no progress within the time for it. Any octet in either direction starts that time
/// anew, except while the head of a request arrives: that has a time of its own. The socket also records the client's
/// [`Pace`], and when its answer has gone out.
pub(super) struct Stall<T> {
    inner: T,
    patience: Patience,
    moved: Instant,
    head_until: Instant,
    /// Whether the connection counts as idle, since the client takes nothing of its answer.
    takes_nothing: bool,
    sleep: Pin<Box<Sleep>>,
    /// Whom the timer wakes, once it was set.
    sleeper: Option<Waker>,
    pace: Arc<Pace>,
    permit: Arc<ConnectionPermit>,
    /// When the first octet of the request came that is being answered.
    begun: Instant,
    metrics: Arc<Metrics>,
}

impl<T> Stall<T> {
    pub(super) fn new(
        inner: T,
        patience: Patience,
        pace: Arc<Pace>,
        permit: Arc<ConnectionPermit>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let moved = Instant::now();
        let sleep = Box::pin(sleep(patience.idle));
        Self {
            inner,
            patience,
            moved,
            head_until: moved,
            takes_nothing: false,
            sleep,
            sleeper: None,
            pace,
            permit,
            begun: moved,
            metrics,
        }
    }

    fn deadline(&self, writes: bool) -> Instant {
        if writes && !self.takes_nothing {
            self.moved + TAKES_NOTHING.min(self.patience.idle / 2)
        } else if !writes && self.pace.is_in_head() {
            self.head_until
        } else {
            self.moved + self.patience.idle
        }
    }

    /// Waits until the time for progress is over. The timer is set anew only when it has run out or is needed
    /// earlier, so that progress costs no change of it.
    fn overdue<V>(&mut self, cx: &mut Context<'_>, writes: bool) -> Poll<io::Result<V>> {
        loop {
            let deadline = self.deadline(writes);
            let is_elapsed = self.sleep.is_elapsed();
            let is_later = deadline >= self.sleep.deadline();
            let is_set = self.sleeper.as_ref().is_some_and(|sleeper| sleeper.will_wake(cx.waker()));
            if is_set && is_later && !is_elapsed {
                return Poll::Pending;
            }
            if is_elapsed || !is_later {
                self.sleep.as_mut().reset(deadline);
            }
            // also when the task has used up what tokio lets it do at a time: who is not registered is not woken
            let set = pin!(unconstrained(self.sleep.as_mut())).poll(cx);
            self.sleeper = set.is_pending().then(|| cx.waker().clone());
            ready!(set);
            if self.deadline(writes) > Instant::now() {
                continue;
            }
            if !writes || self.takes_nothing {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.takes_nothing = true;
            self.permit.rest();
        }
    }

    fn wrote<V>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if poll.is_pending() {
            return self.overdue(cx, true);
        }
        self.moved = Instant::now();
        if std::mem::take(&mut self.takes_nothing) {
            self.permit.resume();
        }
        poll
    }
}

impl<T: AsyncRead + Unpin> Read for Stall<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut octets = [const { MaybeUninit::uninit() }; PIECE];
        let room = buf.remaining().min(PIECE);
        let mut piece = ReadBuf::uninit(octets.get_mut(..room).unwrap_or_default());
        let poll = Pin::new(&mut self.inner).poll_read(cx, &mut piece);
        if poll.is_pending() {
            self.pace.awaited();
            return self.overdue(cx, false);
        }
        self.moved = Instant::now();
        if !piece.filled().is_empty() && self.pace.received() {
            self.begun = self.moved;
            self.head_until = self.moved + self.patience.head;
        }
        buf.put_slice(piece.filled());
        poll
    }
}

impl<T: AsyncWrite + Unpin> Write for Stall<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.wrote(cx, poll)
    }

    /// Is called when everything is written, also when that was nothing.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pace.flushed() {
            self.permit.sent();
            // the time of the last write
            self.metrics.time(self.moved.saturating_duration_since(self.begun));
            // the next may be here already
            self.begun = self.moved;
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.wrote(cx, poll)
    }
}
