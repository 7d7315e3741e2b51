//! Reads the body of a request up to a limit, as one piece.
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};

/// Why a body is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyFault {
    /// The body is longer than allowed, or its announced length is.
    TooLarge,
    /// The body ends too early or is invalid.
    CutShort,
}

/// Copies a body out of its frames as they arrive. Each frame keeps the whole buffer alive that it was read into, and
/// the client decides how many frames there are. Trailers are ignored.
pub(super) async fn collect<B>(mut body: B, most: usize) -> Result<Vec<u8>, BodyFault>
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
        if octets.capacity() == 0 && !data.is_empty() {
            // allocate once, when data arrives: growing step by step would fragment the memory
            octets.reserve_exact(room);
        }
        octets.extend_from_slice(&data);
    }
    Ok(octets)
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

    fn pinning(left: usize, promised: Option<u64>) -> Pinning {
        Pinning { left, promised, buffers: std::sync::Arc::default(), most_alive: 0 }
    }

    #[tokio::test]
    async fn no_buffer_is_held_for_an_octet_that_was_read_into_it() {
        // O2
        let mut body = pinning(1000, None);
        let octets = collect(&mut body, 4096).await.unwrap();
        assert_eq!(octets, vec![b'x'; 1000]);
        assert_eq!(body.most_alive, 0);
        assert_eq!(octets.capacity(), 4096, "reserved once");
        assert_eq!(collect(pinning(10, Some(10)), 4096).await.unwrap().capacity(), 10);
    }

    #[tokio::test]
    async fn a_body_is_refused_as_soon_as_it_is_known_to_be_too_large() {
        // O2
        let whole = |length| Full::new(Bytes::from(vec![0; length]));
        assert_eq!(collect(whole(16), 16).await, Ok(vec![0; 16]));
        assert_eq!(collect(whole(17), 16).await, Err(BodyFault::TooLarge));
        let mut body = pinning(1000, None);
        assert_eq!(collect(&mut body, 16).await, Err(BodyFault::TooLarge));
        assert_eq!(body.left, 983);
        assert_eq!(collect(pinning(0, Some(u64::MAX)), 16).await, Err(BodyFault::TooLarge));
        assert_eq!(collect(pinning(0, None), 16).await, Ok(Vec::new()));
    }
}
