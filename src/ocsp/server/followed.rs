//! The body of a reply, which tells when the HTTP library has all of it.
use super::pace::Pace;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Records in the [`Pace`] when the HTTP library drops the body: it has all of it, or needs none.
pub(super) struct Followed<B> {
    body: B,
    pace: Arc<Pace>,
}

impl<B> Followed<B> {
    pub(super) fn new(body: B, pace: Arc<Pace>) -> Self {
        Self { body, pace }
    }
}

impl<B> Drop for Followed<B> {
    fn drop(&mut self) {
        self.pace.handed_over();
    }
}

impl<B: Body + Unpin> Body for Followed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
