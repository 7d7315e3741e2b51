//! Reads the body of a request up to a limit, as one piece.
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// Why a body is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyFault {
    /// The body is longer than allowed, or its announced length is.
    TooLarge,
    /// The body ends too early or is invalid.
    CutShort,
}

/// Returns the data of the first frame that has some; none when the body is empty.
pub(super) async fn first<B>(body: &mut B, most: usize) -> Result<Bytes, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    fits(body.size_hint().lower(), most).ok_or(BodyFault::TooLarge)?;
    while let Some(frame) = body.frame().await {
        match frame.map_err(|_| BodyFault::CutShort)?.into_data() {
            Ok(data) if data.len() > most => return Err(BodyFault::TooLarge),
            Ok(data) if !data.is_empty() => return Ok(data),
            _ => {}
        }
    }
    Ok(Bytes::new())
}

/// Copies the first octets of a body out of their frame, with room for the rest.
pub(super) fn copied<B: Body>(octets: &[u8], rest: &B, most: usize) -> Vec<u8> {
    if octets.is_empty() {
        return Vec::new();
    }
    let whole = rest.size_hint().upper().and_then(|rest| fits(rest, most));
    let room = whole.and_then(|rest| rest.checked_add(octets.len())).map_or(most, |room| room.min(most));
    // allocate once, when data arrives: growing step by step would fragment the memory
    let mut out = Vec::new();
    out.reserve_exact(room.max(octets.len()));
    out.extend_from_slice(octets);
    out
}

/// Copies the rest of a body out of its frames as they arrive, behind what has come of it. Each frame keeps the whole buffer
/// alive that it was read into, and the client decides how many frames there are. Trailers are ignored.
pub(super) async fn rest<B>(mut octets: Vec<u8>, mut body: B, most: usize) -> Result<Vec<u8>, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyFault::CutShort)?.into_data() else { continue };
        if data.len() > most.saturating_sub(octets.len()) {
            return Err(BodyFault::TooLarge);
        }
        octets.extend_from_slice(&data);
    }
    Ok(octets)
}

fn fits(size: u64, most: usize) -> Option<usize> {
    usize::try_from(size).ok().filter(|size| *size <= most)
}

/// The time within which a body must have come.
pub(super) struct Limit {
    time: Duration,
    /// When it is over; `None` before there was something to wait for.
    until: Option<Instant>,
}

impl Limit {
    /// Returns a limit that begins when there is something to wait for.
    pub(super) fn new(time: Duration) -> Self {
        Self { time, until: None }
    }

    /// Waits until `body` has come, or the time is over.
    ///
    /// # Errors
    /// When it is over.
    pub(super) async fn within<T>(&mut self, body: impl Future<Output = T>) -> Result<T, Elapsed> {
        let mut body = pin!(body);
        // The HTTP library reads the body only after it was asked for, most often from what it has received with the
        // head. A timer would cost more than that.
        let mut is_asked_for = self.until.is_some();
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
            None => {
                let until = *self.until.get_or_insert_with(|| Instant::now() + self.time);
                timeout_at(until, body).await
            }
        }
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
            self.promised = self.promised.map(|octets| octets.saturating_sub(1));
            let buffer = Buffer([b'x'; 8192], std::sync::Arc::clone(&self.buffers));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(buffer).slice(..1)))))
        }

        fn size_hint(&self) -> SizeHint {
            self.promised.map_or_else(SizeHint::new, SizeHint::with_exact)
        }
    }

    async fn octets(mut body: impl Body<Data = Bytes> + Unpin, most: usize) -> Result<Vec<u8>, BodyFault> {
        let octets = copied(&first(&mut body, most).await?, &body, most);
        rest(octets, body, most).await
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
    async fn the_first_frame_with_data_is_had_without_a_copy() {
        // O1
        let mut whole = Full::new(Bytes::from_static(b"abc"));
        assert_eq!(first(&mut whole, 16).await, Ok(Bytes::from_static(b"abc")));
        assert!(whole.is_end_stream());
        let mut pieces = pinning(3, Some(3));
        assert_eq!(first(&mut pieces, 16).await, Ok(Bytes::from_static(b"x")));
        assert_eq!(pieces.left, 2);
        assert_eq!(first(&mut pinning(0, None), 16).await, Ok(Bytes::new()));
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_waited_for_no_longer_than_its_time() {
        // O2
        let mut limit = Limit::new(Duration::from_millis(1));
        assert!(limit.within(std::future::pending::<()>()).await.is_err());
        assert!(limit.within(std::future::pending::<()>()).await.is_err(), "nor for the rest of it");
        let mut limit = Limit::new(Duration::ZERO);
        assert!(limit.within(tokio::task::yield_now()).await.is_ok(), "no timer for the first look");
        let later = tokio::time::sleep(Duration::from_millis(1));
        assert!(Limit::new(Duration::from_secs(60)).within(later).await.is_ok());
    }
}
