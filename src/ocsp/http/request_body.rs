//! Reads the body of a request up to a limit, as one piece.
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// Why a body is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyFault {
    /// The body is longer than allowed, or its announced length is.
    TooLarge,
    /// The body ends too early or is invalid.
    CutShort,
}

/// A body that has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Collected<T> {
    /// It came in one frame, and nothing more than this is needed of it.
    Early(T),
    /// All of it.
    Octets(Vec<u8>),
}

/// Copies a body out of its frames as they arrive. Each frame keeps the whole buffer alive that it was read into, and
/// the client decides how many frames there are. A body in one frame is shown to `early` first, which may need no copy of
/// it. Trailers are ignored.
pub(super) async fn collect<B, T>(
    mut body: B,
    most: usize,
    early: impl Fn(&[u8]) -> Option<T>,
) -> Result<Collected<T>, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let size = body.size_hint();
    let within = |size: u64| usize::try_from(size).ok().filter(|size| *size <= most);
    within(size.lower()).ok_or(BodyFault::TooLarge)?;
    let room = size.upper().and_then(within).unwrap_or(most);
    let mut octets = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyFault::CutShort)?.into_data() else { continue };
        if data.len() > most.saturating_sub(octets.len()) {
            return Err(BodyFault::TooLarge);
        }
        if octets.is_empty()
            && body.is_end_stream()
            && let Some(found) = early(&data)
        {
            return Ok(Collected::Early(found));
        }
        if octets.capacity() == 0 && !data.is_empty() {
            // allocate once, when data arrives: growing step by step would fragment the memory
            octets.reserve_exact(room);
        }
        octets.extend_from_slice(&data);
    }
    Ok(Collected::Octets(octets))
}

/// Waits until `body` has come, or this time is over.
///
/// # Errors
/// When it is over.
pub(super) async fn within<T>(time: Duration, body: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut body = pin!(body);
    // The HTTP library reads the body only after it was asked for, most often from what it has received with the head. A
    // timer would cost more than that.
    let mut is_asked_for = false;
    let come = poll_fn(|cx| match body.as_mut().poll(cx) {
        Poll::Ready(come) => Poll::Ready(Some(come)),
        Poll::Pending if is_asked_for => Poll::Ready(None),
        Poll::Pending => {
            is_asked_for = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    match come.await {
        Some(come) => Ok(come),
        None => timeout(time, body).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;
    use hyper::body::{Frame, SizeHint};
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// A body of `left` frames, each a slice of a buffer of its own. Its announced length is `promised` octets.
    struct Pinning {
        left: usize,
        promised: Option<u64>,
        buffers: std::sync::Arc<()>,
        most_alive: usize,
    }

    struct Buffer([u8; 8192], #[expect(dead_code, reason = "counts the buffers")] std::sync::Arc<()>);

    impl AsRef<[u8]> for Buffer {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Body for Pinning {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.most_alive = self.most_alive.max(std::sync::Arc::strong_count(&self.buffers) - 1);
            if self.left == 0 {
                return Poll::Ready(None);
            }
            self.left -= 1;
            let buffer = Buffer([b'x'; 8192], std::sync::Arc::clone(&self.buffers));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(buffer).slice(..1)))))
        }

        fn size_hint(&self) -> SizeHint {
            self.promised.map_or_else(SizeHint::new, SizeHint::with_exact)
        }
    }

    async fn octets(body: impl Body<Data = Bytes> + Unpin, most: usize) -> Result<Vec<u8>, BodyFault> {
        match collect(body, most, |_| None::<()>).await? {
            Collected::Octets(octets) => Ok(octets),
            Collected::Early(()) => Ok(Vec::new()),
        }
    }

    fn pinning(left: usize, promised: Option<u64>) -> Pinning {
        Pinning { left, promised, buffers: std::sync::Arc::default(), most_alive: 0 }
    }

    #[tokio::test]
    async fn no_buffer_is_held_for_an_octet_that_was_read_into_it() {
        // O2
        let mut body = pinning(1000, None);
        let found = octets(&mut body, 4096).await.unwrap();
        assert_eq!(found, vec![b'x'; 1000]);
        assert_eq!(body.most_alive, 0);
        assert_eq!(found.capacity(), 4096, "reserved once");
        assert_eq!(octets(pinning(10, Some(10)), 4096).await.unwrap().capacity(), 10);
    }

    #[tokio::test]
    async fn a_body_is_refused_as_soon_as_it_is_known_to_be_too_large() {
        // O2
        let whole = |length| Full::new(Bytes::from(vec![0; length]));
        assert_eq!(octets(whole(16), 16).await, Ok(vec![0; 16]));
        assert_eq!(octets(whole(17), 16).await, Err(BodyFault::TooLarge));
        let mut body = pinning(1000, None);
        assert_eq!(octets(&mut body, 16).await, Err(BodyFault::TooLarge));
        assert_eq!(body.left, 983);
        assert_eq!(octets(pinning(0, Some(u64::MAX)), 16).await, Err(BodyFault::TooLarge));
        assert_eq!(octets(pinning(0, None), 16).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn a_body_in_one_frame_is_shown_before_it_is_copied_and_no_other() {
        // O1
        let first = |octets: &[u8]| octets.first().copied();
        let whole = Full::new(Bytes::from_static(b"abc"));
        assert_eq!(collect(whole, 16, first).await, Ok(Collected::Early(b'a')));
        assert_eq!(collect(pinning(3, Some(3)), 16, first).await, Ok(Collected::Octets(b"xxx".to_vec())));
        assert_eq!(collect(pinning(0, None), 16, first).await, Ok(Collected::Octets(Vec::new())));
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_waited_for_no_longer_than_its_time() {
        // O2
        assert!(within(Duration::from_millis(1), std::future::pending::<()>()).await.is_err());
        assert!(
            within(Duration::ZERO, tokio::task::yield_now()).await.is_ok(),
            "no timer for the first look"
        );
        let later = tokio::time::sleep(Duration::from_millis(1));
        assert!(within(Duration::from_secs(60), later).await.is_ok());
    }
}
