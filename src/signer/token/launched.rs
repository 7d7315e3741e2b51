//! A process that was started here, or that others have started.
use crate::signer::program::program;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Time for a process that was started here to end when its connection is closed, which takes a module that does not hang
/// no longer.
const BY_ITSELF: Duration = Duration::from_secs(1);
/// Time for it to end when it is told to end at once, before it is killed, and then to be gone.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A launcher or the process of a module.
pub(crate) struct TokenProcess {
    connection: UnixStream,
    /// None where another has started it. It is waited for when this value goes.
    _child: Option<Started>,
}

/// A child, which ends at once when this end of its standard input is closed, whatever its module does.
pub(super) struct Started {
    child: Child,
    alive: Option<ChildStdin>,
}

impl Started {
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits so long for it.
    fn wait(&mut self, limit: Duration) {
        let end = Instant::now() + limit;
        while !self.has_ended() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Waits for it, and kills it where it does not end: no child goes on after what it was started for. A module may keep its
/// process from ending.
impl Drop for Started {
    fn drop(&mut self) {
        self.wait(BY_ITSELF);
        self.alive = None;
        self.wait(AT_ONCE);
        let _ = self.child.kill();
        self.wait(AT_ONCE);
    }
}

/// Starts the signer's program with these words, and returns it with a socket whose other end is its standard output. It
/// does not get these variables, which may have secrets.
pub(super) fn start(words: &[&std::ffi::OsStr], without: &[String]) -> io::Result<(UnixStream, Started)> {
    let (connection, other) = UnixStream::pair()?;
    let mut command = Command::new(program());
    for variable in without {
        command.env_remove(variable);
    }
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::from(OwnedFd::from(other)));
    let mut child = command.spawn()?;
    let alive = child.stdin.take();
    Ok((connection, Started { child, alive }))
}

impl TokenProcess {
    /// Starts the signer's program as a launcher. Call it before the process confines itself: afterwards nothing can be
    /// started.
    ///
    /// It does not get these variables, which may have secrets.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn launcher(without: &[String]) -> io::Result<Self> {
        start(&["tokens".as_ref()], without).map(Self::started)
    }

    /// Returns a process that was started here.
    pub(super) fn started((connection, child): (UnixStream, Started)) -> Self {
        Self { connection, _child: Some(child) }
    }

    /// Returns the process at the other end of this connection.
    pub(super) fn of(connection: UnixStream) -> Self {
        Self { connection, _child: None }
    }

    pub(super) fn connection(&self) -> &UnixStream {
        &self.connection
    }

    /// Waits until this moment for what it says next, and returns whether there is something, be it its end.
    pub(super) fn answers_by(&self, end: Instant) -> bool {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let limit = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut watched = [PollFd::new(self.connection.as_fd(), PollFlags::POLLIN)];
            match poll(&mut watched, limit) {
                Err(nix::errno::Errno::EINTR) => {}
                Ok(0) if !left.is_zero() => {}
                ready => return !matches!(ready, Ok(0)),
            }
        }
    }

    /// Returns whether the other end is open.
    pub(super) fn is_connected(&self) -> bool {
        let peeked = recv(&self.connection, &mut [0], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        matches!(peeked, Ok((1.., _)) | Err(Errno::AGAIN | Errno::INTR))
    }
}

/// Ends the process. One that hangs in a module ends itself ([`super::ending`]).
impl Drop for TokenProcess {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(std::net::Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_does_not_end_when_it_is_told_to_is_killed() {
        // G17
        let mut command = Command::new("sleep");
        let mut child = command.arg("600").stdin(Stdio::piped()).spawn().unwrap();
        let (number, alive) = (child.id(), child.stdin.take());
        drop(Started { child, alive });
        assert!(!std::path::Path::new(&format!("/proc/{number}")).exists(), "it goes on");
    }
}
