//! Frames: a JSON head of bounded length, a body of octet strings of bounded length, and descriptors.
//!
//! ```text
//! u32 length of the head, u32 length of the body (big-endian), head, body
//! head = {"parts": [length of each octet string in the body], "message": ...}
//! ```
//! Descriptors come with the first octet (SCM_RIGHTS).
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Bound of a head, in octets.
const LONGEST_HEAD: u32 = 64 * 1024;
/// Bound of a body, in octets: a CRL with two million entries.
const LONGEST_BODY: u32 = 128 * 1024 * 1024;
/// Bound of the octet strings in a body.
const MOST_PARTS: usize = 4096;
/// Bound of the descriptors that come with a frame.
pub(crate) const MOST_DESCRIPTORS: usize = 16;
pub(super) const PREFIX: usize = 8;

/// A message, with octet strings and descriptors beside it.
#[derive(Debug)]
pub(crate) struct Frame<M> {
    /// The message.
    pub(crate) message: M,
    /// Octet strings; the message says what they are.
    pub(crate) parts: Vec<Vec<u8>>,
    /// Descriptors that came with it, or go with it.
    pub(crate) descriptors: Vec<OwnedFd>,
}

/// Reasons why no frame was read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The other side has closed the connection between two frames.
    #[error("the connection was closed")]
    Closed,
    /// The connection failed, or ended within a frame.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The octets are no frame, or one that is too long.
    #[error("not a frame of the signer's protocol: {0}")]
    Malformed(String),
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Head<M> {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<u32>,
    pub(super) message: M,
}

impl<M> From<M> for Frame<M> {
    fn from(message: M) -> Self {
        Self { message, parts: Vec::new(), descriptors: Vec::new() }
    }
}

impl<M> Frame<M> {
    /// Returns a frame with these octet strings.
    pub(crate) fn with(message: M, parts: Vec<Vec<u8>>) -> Self {
        Self { message, parts, descriptors: Vec::new() }
    }

    /// Returns the only octet string.
    ///
    /// # Errors
    /// When there is another number of them.
    pub(crate) fn only_part(self) -> Result<Vec<u8>, FrameError> {
        let [part] = <[Vec<u8>; 1]>::try_from(self.parts)
            .map_err(|parts| malformed(&format!("{} octet strings where there is one", parts.len())))?;
        Ok(part)
    }
}

fn malformed(reason: &str) -> FrameError {
    FrameError::Malformed(reason.to_owned())
}

fn length(count: usize, most: u32, what: &str) -> Result<u32, FrameError> {
    u32::try_from(count)
        .ok()
        .filter(|count| *count <= most)
        .ok_or_else(|| malformed(&format!("{what} of {count} octets, and at most {most} are sent")))
}

impl<M: Serialize> Frame<M> {
    /// Returns the octets of the frame.
    ///
    /// # Errors
    /// When it is too long.
    pub(crate) fn to_octets(&self) -> Result<Vec<u8>, FrameError> {
        if self.parts.len() > MOST_PARTS || self.descriptors.len() > MOST_DESCRIPTORS {
            return Err(malformed("too many parts"));
        }
        let lengths = self.parts.iter().map(|part| length(part.len(), LONGEST_BODY, "a part"));
        let head = Head { parts: lengths.collect::<Result<_, _>>()?, message: &self.message };
        let head = serde_json::to_vec(&head).map_err(|error| malformed(&error.to_string()))?;
        let body: usize = self.parts.iter().map(Vec::len).sum();
        let prefix = [length(head.len(), LONGEST_HEAD, "a head")?, length(body, LONGEST_BODY, "a body")?];
        let mut octets = Vec::with_capacity(PREFIX + head.len() + body);
        prefix.iter().for_each(|length| octets.extend(length.to_be_bytes()));
        octets.extend(head);
        self.parts.iter().for_each(|part| octets.extend(part));
        Ok(octets)
    }

    /// Writes the frame, unless its body has more octets than these.
    ///
    /// # Errors
    /// As [`Frame::send`].
    pub(crate) fn send_within(&self, most: u32, to: &UnixStream) -> Result<(), FrameError> {
        length(self.parts.iter().map(Vec::len).sum(), most, "a body")?;
        self.send(to)
    }

    /// Writes the frame, and sends its descriptors with it.
    ///
    /// # Errors
    /// When it is too long, or the connection failed.
    pub(crate) fn send(&self, to: &UnixStream) -> Result<(), FrameError> {
        let octets = self.to_octets()?;
        let sent = if self.descriptors.is_empty() { 0 } else { self.send_first(to, &octets)? };
        let mut to = to;
        Ok(to.write_all(octets.get(sent..).unwrap_or_default())?)
    }

    fn send_first(&self, to: &UnixStream, octets: &[u8]) -> Result<usize, FrameError> {
        let descriptors: Vec<_> = self.descriptors.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(malformed("too many descriptors"));
        }
        loop {
            match sendmsg(to, &[IoSlice::new(octets)], &mut control, SendFlags::NOSIGNAL) {
                Ok(sent) => return Ok(sent),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(FrameError::Io(errno.into())),
            }
        }
    }
}

impl<M: DeserializeOwned> Frame<M> {
    /// Reads a frame from octets.
    ///
    /// # Errors
    /// When the octets are no frame, or more than one.
    #[cfg(debug_assertions)]
    pub(crate) fn from_octets(octets: &[u8]) -> Result<Self, FrameError> {
        let (prefix, mut rest) =
            octets.split_first_chunk::<PREFIX>().ok_or_else(|| malformed("too short"))?;
        let frame = Self::after(prefix, &mut rest)?;
        if rest.is_empty() { Ok(frame) } else { Err(malformed("something trails it")) }
    }

    /// Reads the next frame, with the descriptors that come with it.
    ///
    /// # Errors
    /// [`FrameError::Closed`] when there is none; when the octets are no frame, or the connection failed.
    pub(crate) fn receive(from: &UnixStream) -> Result<Self, FrameError> {
        let mut prefix = [0; PREFIX];
        let (read, descriptors) = first(from, &mut prefix)?;
        if read == 0 {
            return Err(FrameError::Closed);
        }
        let mut source = from;
        source.read_exact(prefix.get_mut(read..).unwrap_or_default())?;
        Ok(Self { descriptors, ..Self::after(&prefix, source)? })
    }

    fn after(prefix: &[u8; PREFIX], mut source: impl Read) -> Result<Self, FrameError> {
        let (head, _) = head::<M>(prefix, &mut source)?;
        let parts: Result<_, _> = head.parts.iter().map(|part| exactly(&mut source, *part)).collect();
        Ok(Self { message: head.message, parts: parts?, descriptors: Vec::new() })
    }
}

/// Reads the head, and returns it with the number of octets of the body.
pub(super) fn head<M: DeserializeOwned>(
    prefix: &[u8; PREFIX],
    source: &mut impl Read,
) -> Result<(Head<M>, u32), FrameError> {
    let [a, b, c, d, e, f, g, h] = *prefix;
    let (head, body) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    if head > LONGEST_HEAD || body > LONGEST_BODY {
        return Err(malformed("it is too long"));
    }
    let head: Head<M> =
        serde_json::from_slice(&exactly(source, head)?).map_err(|error| malformed(&error.to_string()))?;
    let total = head.parts.iter().try_fold(0_u32, |sum, part| sum.checked_add(*part));
    if head.parts.len() > MOST_PARTS || total != Some(body) {
        return Err(malformed("its head does not fit its body"));
    }
    Ok((head, body))
}

/// Reads so many octets. Memory is taken as they come, not as their number is claimed.
pub(super) fn exactly(source: &mut impl Read, count: u32) -> Result<Vec<u8>, FrameError> {
    let mut octets = Vec::new();
    let read = source.take(count.into()).read_to_end(&mut octets)?;
    if u32::try_from(read) == Ok(count) {
        Ok(octets)
    } else {
        Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()))
    }
}

/// Reads the first octets of a frame, and the descriptors that come with them.
pub(super) fn first(
    from: &UnixStream,
    prefix: &mut [u8; PREFIX],
) -> Result<(usize, Vec<OwnedFd>), FrameError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let read = loop {
        let mut to = [IoSliceMut::new(prefix)];
        match recvmsg(from, &mut to, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => break received.bytes,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(FrameError::Io(errno.into())),
        }
    };
    let rights = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((read, rights.flatten().collect()))
}

#[cfg(test)]
mod tests {
    use super::super::{Reply, Request};
    use super::*;
    use proptest::prelude::*;
    use std::fs::File;
    use std::thread;

    fn refused(octets: &[u8]) -> String {
        Frame::<Request>::from_octets(octets).err().unwrap().to_string()
    }

    #[test]
    fn a_frame_is_the_same_after_it_was_sent_and_its_descriptors_are_open() {
        let (one, other) = UnixStream::pair().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "contents").unwrap();
        let parts = vec![vec![1; 300_000], Vec::new(), vec![3]];
        let descriptors = vec![OwnedFd::from(File::open(&path).unwrap())];
        let sent = Frame { message: serde_json::json!({"a": 1}), parts: parts.clone(), descriptors };
        let sending = thread::spawn(move || sent.send(&one).unwrap());
        let got = Frame::<serde_json::Value>::receive(&other).unwrap();
        sending.join().unwrap();
        assert_eq!((got.message, got.parts), (serde_json::json!({"a": 1}), parts));
        let mut text = String::new();
        let [descriptor] = <[OwnedFd; 1]>::try_from(got.descriptors).unwrap();
        File::from(descriptor).read_to_string(&mut text).unwrap();
        assert_eq!(text, "contents");
        let end = Frame::<serde_json::Value>::receive(&other);
        assert!(matches!(end, Err(FrameError::Closed)), "{end:?}");
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_read() {
        let long = |head: u32, body: u32| [head.to_be_bytes(), body.to_be_bytes()].concat();
        assert!(refused(&long(LONGEST_HEAD + 1, 0)).contains("too long"));
        assert!(refused(&long(2, LONGEST_BODY + 1)).contains("too long"));
        assert!(refused(&long(u32::MAX, u32::MAX)).contains("too long"));
        let head = br#"{"parts":[4294967295,2],"message":{}}"#;
        let octets = [&long(u32::try_from(head.len()).unwrap(), 1)[..], head, b"x"].concat();
        assert!(Frame::<serde_json::Value>::from_octets(&octets).is_err());
        let parts = vec![Vec::new(); MOST_PARTS + 1];
        assert!(Frame::with(Reply::Done, parts).to_octets().is_err());
    }

    #[test]
    fn a_frame_that_ends_early_or_that_something_trails_is_refused() {
        let octets = Frame::with(Reply::Done, vec![vec![7; 5]]).to_octets().unwrap();
        assert!(Frame::<Reply>::from_octets(&octets).is_ok());
        for end in 0..octets.len() {
            assert!(Frame::<Reply>::from_octets(&octets[..end]).is_err(), "{end}");
        }
        assert!(Frame::<Reply>::from_octets(&[&octets[..], &[0]].concat()).is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_a_frame_or_an_error(octets in any::<Vec<u8>>(), head in ".{0,80}", body in any::<Vec<u8>>()) {
            let _ = Frame::<Request>::from_octets(&octets);
            let lengths = [head.len(), body.len()].map(|length| u32::try_from(length).unwrap().to_be_bytes());
            let framed = [&lengths.concat()[..], head.as_bytes(), &body].concat();
            let _ = Frame::<Request>::from_octets(&framed);
            let message = format!(r#"{{"parts":[{}],"message":{head}}}"#, body.len());
            let lengths = [message.len(), body.len()].map(|length| u32::try_from(length).unwrap().to_be_bytes());
            let framed = [&lengths.concat()[..], message.as_bytes(), &body].concat();
            let _ = Frame::<Request>::from_octets(&framed);
            let _ = Frame::<Reply>::from_octets(&framed);
        }
    }
}
