//! The body of an HTTP reply.
use crate::ocsp::public_files::ServedFile;
use bytes::buf::Chain;
use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// Octets of a file that are copied in one go.
const PIECE: usize = 8 << 10;

/// The body: octets in memory, or a file.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    /// The whole body in memory, in two pieces, each of which may be empty.
    Whole([Bytes; 2]),
    /// A CRL or certificate.
    File(FileBody),
}

/// A file that is copied out in pieces. A slow client does not keep its version of the file in memory: otherwise a
/// CRL of many megabytes could be in memory in one version for each such client. The reply fails once the snapshot
/// has dropped the version.
#[derive(Debug)]
pub(crate) struct FileBody {
    file: Weak<ServedFile>,
    end: usize,
    sent: usize,
}

/// The reason for which a reply ends early.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a newer file is there, and this one is gone")]
pub(crate) struct Superseded;

impl FileBody {
    pub(super) fn new(file: &Arc<ServedFile>) -> Self {
        Self::of(file, 0..file.octets.len())
    }

    /// Returns a part of a file.
    pub(super) fn of(file: &Arc<ServedFile>, part: Range<usize>) -> Self {
        Self { file: Arc::downgrade(file), end: part.end, sent: part.start }
    }

    fn next(&mut self) -> Option<Result<Bytes, Superseded>> {
        if self.sent >= self.end {
            return None;
        }
        let end = self.sent.saturating_add(PIECE).min(self.end);
        let file = self.file.upgrade();
        let piece = file.as_ref().and_then(|file| file.octets.get(self.sent..end));
        self.sent = end;
        Some(piece.map(Bytes::copy_from_slice).ok_or(Superseded))
    }
}

impl Default for ReplyBody {
    fn default() -> Self {
        Self::Whole([Bytes::new(), Bytes::new()])
    }
}

impl From<Bytes> for ReplyBody {
    fn from(octets: Bytes) -> Self {
        Self::Whole([octets, Bytes::new()])
    }
}

impl From<[Bytes; 2]> for ReplyBody {
    fn from(pieces: [Bytes; 2]) -> Self {
        Self::Whole(pieces)
    }
}

impl Body for ReplyBody {
    type Data = Chain<Bytes, Bytes>;
    type Error = Superseded;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Superseded>>> {
        let piece = match &mut *self {
            Self::Whole(pieces) => {
                let [first, second] = pieces.each_mut().map(std::mem::take);
                let whole = first.chain(second);
                whole.has_remaining().then_some(Ok(whole))
            }
            Self::File(file) => file.next().map(|piece| piece.map(|piece| piece.chain(Bytes::new()))),
        };
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(pieces) => pieces.iter().all(Bytes::is_empty),
            Self::File(file) => file.sent >= file.end,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let left = match self {
            Self::Whole(pieces) => pieces.iter().map(Bytes::len).sum(),
            Self::File(file) => file.end.saturating_sub(file.sent),
        };
        SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::UnixTime;
    use http_body_util::BodyExt;

    fn file(length: usize) -> Arc<ServedFile> {
        let octets: Vec<u8> = (0..=255).cycle().take(length).collect();
        let (tag, modified, media_type) = (String::new(), UnixTime(0), "application/pkix-crl");
        Arc::new(ServedFile {
            octets: octets.into(),
            media_type,
            tag,
            modified,
            next_update: None,
            delta_number: None,
            list: None,
        })
    }

    #[tokio::test]
    async fn a_file_is_sent_whole_in_pieces() {
        // X10
        for length in [0, 1, PIECE, PIECE + 1, 3 * PIECE] {
            let file = file(length);
            let mut body = ReplyBody::File(FileBody::new(&file));
            assert_eq!(body.size_hint().exact(), u64::try_from(length).ok());
            let mut sent = Vec::new();
            while let Some(frame) = body.frame().await {
                let piece = frame.unwrap().into_data().unwrap();
                assert!(piece.remaining() <= PIECE);
                sent.extend(piece);
            }
            assert_eq!(sent, *file.octets);
            assert!(body.is_end_stream());
        }
    }

    #[tokio::test]
    async fn a_part_of_a_file_is_sent_and_no_more() {
        let file = file(3 * PIECE);
        let part = PIECE - 1..2 * PIECE + 1;
        let body = ReplyBody::File(FileBody::of(&file, part.clone()));
        assert_eq!(body.size_hint().exact(), u64::try_from(part.len()).ok());
        assert_eq!(body.collect().await.unwrap().to_bytes(), file.octets[part]);
    }

    #[tokio::test]
    async fn a_client_that_takes_long_does_not_keep_a_file_that_is_gone() {
        // O2
        let file = file(3 * PIECE);
        let mut body = ReplyBody::File(FileBody::new(&file));
        assert!(body.frame().await.unwrap().is_ok());
        let kept = Arc::downgrade(&file);
        drop(file);
        assert!(kept.upgrade().is_none());
        assert_eq!(body.frame().await.unwrap().unwrap_err(), Superseded);
    }
}
