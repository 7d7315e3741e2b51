//! The end of a process whose module does not come back from a call.
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, raise};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Time for the process to end by itself when the other side is gone, or has given it up.
const BY_ITSELF: Duration = Duration::from_secs(5);

/// Has this process end soon after the other side has closed this connection, whatever its module does: who started it may
/// not end it, and another is then started. It ends at once when `starter` is closed, a pipe that the process has which
/// started this one.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn end_with(connection: &UnixStream, starter: Option<OwnedFd>) -> io::Result<()> {
    let watched = connection.try_clone()?;
    let ending = move || {
        std::thread::sleep(if is_connection_first(&watched, starter.as_ref()) {
            BY_ITSELF
        } else {
            Duration::ZERO
        });
        // a module may have handlers of the end of a process that do not come back
        let _ = raise(Signal::SIGKILL);
        std::process::abort();
    };
    std::thread::Builder::new().name("ending".into()).spawn(ending).map(drop)
}

/// Waits until one of them is closed, and returns whether it is the connection and not the starter.
fn is_connection_first(connection: &UnixStream, starter: Option<&OwnedFd>) -> bool {
    loop {
        // without a wish, poll tells that something is closed and nothing else
        let watch = |fd| PollFd::new(fd, PollFlags::empty());
        let mut both: Vec<PollFd<'_>> =
            [Some(connection.as_fd()), starter.map(AsFd::as_fd)].into_iter().flatten().map(watch).collect();
        match poll(&mut both, PollTimeout::NONE) {
            Ok(0) | Err(Errno::EINTR | Errno::EAGAIN) => {}
            Ok(_) => {
                let is_closed = |one: &PollFd<'_>| one.revents().is_some_and(|told| !told.is_empty());
                return !both.get(1).is_some_and(is_closed);
            }
            Err(_) => return true,
        }
    }
}
