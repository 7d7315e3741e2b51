//! A connection's socket, which reads in small pieces and fails when nothing moves on it for too long.
use super::pace::Pace;
use hyper::rt::{Read, ReadBufCursor, Write};
use std::future::Future;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Octets of one read. Small reads keep the HTTP library from doubling its buffer for a client that fills it.
const PIECE: usize = 4096;

/// Fails reads and writes that make no progress within the timeout. Any octet in either direction starts the time
/// anew. The socket also records the client's [`Pace`].
pub(super) struct Stall<T> {
    inner: T,
    timeout: Duration,
    sleep: Pin<Box<Sleep>>,
    pace: Arc<Pace>,
}

impl<T> Stall<T> {
    pub(super) fn new(inner: T, timeout: Duration, pace: Arc<Pace>) -> Self {
        Self { inner, timeout, sleep: Box::pin(sleep(timeout)), pace }
    }

    fn watch<V>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if poll.is_ready() {
            self.sleep.as_mut().reset(Instant::now() + self.timeout);
            return poll;
        }
        ready!(self.sleep.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
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
        }
        buf.put_slice(piece.filled());
        self.watch(cx, poll)
    }
}

impl<T: AsyncWrite + Unpin> Write for Stall<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.watch(cx, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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
        self.watch(cx, poll)
    }
}
