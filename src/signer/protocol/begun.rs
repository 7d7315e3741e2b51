//! Frames that the service reads in two steps, so that it knows who asks for what before it takes memory for it.
use super::frame::{Frame, FrameError, Head, PREFIX, exactly, first, head};
use serde::de::DeserializeOwned;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A frame whose message was read, and whose body was not.
#[derive(Debug)]
pub(crate) struct Begun<'s, M> {
    source: Timed<'s>,
    head: Head<M>,
    body: u32,
    descriptors: Vec<OwnedFd>,
    within: Duration,
}

impl<'s, M: DeserializeOwned> Begun<'s, M> {
    /// Reads the beginning of the next frame. It comes whole within this time after its first octet, which is waited for
    /// as long as the connection says.
    ///
    /// # Errors
    /// As [`Frame::receive`].
    pub(crate) fn receive(from: &'s UnixStream, within: Duration) -> Result<Self, FrameError> {
        let mut prefix = [0; PREFIX];
        let (read, descriptors) = first(from, &mut prefix)?;
        if read == 0 {
            return Err(FrameError::Closed);
        }
        let mut source = Timed::of(from, within)?;
        source.read_exact(prefix.get_mut(read..).unwrap_or_default())?;
        let (head, body) = head(&prefix, &mut source)?;
        Ok(Self { source, head, body, descriptors, within })
    }

    /// Returns the message.
    pub(crate) fn message(&self) -> &M {
        &self.head.message
    }

    /// Returns the number of octets of the body.
    pub(crate) fn body(&self) -> u32 {
        self.body
    }

    /// Reads the body, which has as much time again.
    ///
    /// # Errors
    /// When the connection failed, or the time is over.
    pub(crate) fn whole(mut self) -> Result<Frame<M>, FrameError> {
        self.source.end = Instant::now() + self.within;
        let parts: Result<_, _> =
            self.head.parts.iter().map(|part| exactly(&mut self.source, *part)).collect();
        Ok(Frame { message: self.head.message, parts: parts?, descriptors: self.descriptors })
    }
}

/// A connection that is read up to a moment, however slowly its octets come.
#[derive(Debug)]
struct Timed<'s> {
    stream: &'s UnixStream,
    end: Instant,
    /// What the connection had.
    usual: Option<Duration>,
}

impl<'s> Timed<'s> {
    fn of(stream: &'s UnixStream, within: Duration) -> io::Result<Self> {
        Ok(Self { stream, end: Instant::now() + within, usual: stream.read_timeout()? })
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut stream = self.stream;
        stream.read(buffer)
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        let _ = self.stream.set_read_timeout(self.usual);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::thread;

    #[test]
    fn a_frame_that_drips_is_given_up_and_the_next_one_is_waited_for_as_before() {
        let (one, other) = UnixStream::pair().unwrap();
        other.set_read_timeout(Some(Duration::from_secs(7))).unwrap();
        let whole = Frame::with(serde_json::json!(1), vec![vec![7; 5]]).to_octets().unwrap();
        (&one).write_all(&whole).unwrap();
        let begun = Begun::<serde_json::Value>::receive(&other, Duration::from_secs(60)).unwrap();
        assert_eq!((begun.message(), begun.body()), (&serde_json::json!(1), 5));
        assert_eq!(begun.whole().unwrap().parts, [vec![7; 5]]);
        assert_eq!(other.read_timeout().unwrap(), Some(Duration::from_secs(7)));
        // a head of a thousand octets, one at a time, each long before a read gives up
        (&one).write_all(&[0, 0, 3, 232, 0, 0, 0, 0]).unwrap();
        let dripping = thread::spawn(move || {
            let drip = |_: &usize| {
                thread::sleep(Duration::from_millis(20));
                (&one).write_all(b" ").is_ok()
            };
            (0..1000).take_while(drip).count()
        });
        let given_up = Begun::<serde_json::Value>::receive(&other, Duration::from_millis(200)).err();
        assert!(matches!(given_up, Some(FrameError::Io(_))), "{given_up:?}");
        drop(other);
        assert!(dripping.join().unwrap() < 1000);
    }
}
