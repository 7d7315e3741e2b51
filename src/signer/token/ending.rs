//! The end of the process of the tokens, where a module does not come back from a call.
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Time for the process to end by itself when its signer is gone, or has given it up.
const BY_ITSELF: Duration = Duration::from_secs(5);

/// Has this process end soon after the other side has closed this connection, whatever its modules do: who started it may
/// not end it, and a service is then started anew.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn end_with(connection: &UnixStream) -> io::Result<()> {
    let watched = connection.try_clone()?;
    let ending = move || {
        // without a wish, poll tells that the connection is closed and nothing else
        let is_over = || {
            let ready = poll(&mut [PollFd::new(watched.as_fd(), PollFlags::empty())], PollTimeout::NONE);
            !matches!(ready, Ok(0) | Err(Errno::EINTR | Errno::EAGAIN))
        };
        while !is_over() {}
        std::thread::sleep(BY_ITSELF);
        std::process::exit(1);
    };
    std::thread::Builder::new().name("ending".into()).spawn(ending).map(drop)
}
