//! The signer as a service: its sockets, and a bounded number of clients at once.
//!
//! Each client has a thread of its own, so that one that is slow or silent holds nobody up. The doors are counted apart:
//! whoever is the CA's user cannot keep the administrators out.
mod notice;
mod open;
mod sockets;

pub(crate) use notice::Notice;
pub(crate) use sockets::{ListeningError, Sockets, listen, passed_by_systemd};

use super::peer::{Door, Life, Peer, PeerError};
use crate::error::on_one_line;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use open::Connections;
use std::io::{self, Write, stderr};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the service does for its clients.
pub(crate) trait Clients: Send + Sync + 'static {
    /// Serves one client until it goes away. The connection gives up by itself where the client is silent for long.
    fn serve(&self, connection: UnixStream, peer: Peer, life: Life);

    /// Returns whether nothing would be lost if the service ended: nothing is unlocked.
    fn is_idle(&self) -> bool;

    /// Locks everything.
    fn lock(&self);
}

/// How the service treats its clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Patience {
    /// Number of clients that are served at once, for each door.
    pub(crate) clients: usize,
    /// Longest silence of a client, and longest wait for one that does not read.
    pub(crate) silence: Duration,
    /// How long the service stays when there is nothing to do; `None` for ever.
    pub(crate) idle: Option<Duration>,
    /// How long it waits for its clients when it ends.
    pub(crate) farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { clients: 32, silence: Duration::from_secs(600), idle: None, farewell: Duration::from_secs(10) }
    }
}

/// The signals that end the service. While it exists, they are held back from every thread that starts later.
pub(crate) struct Signals(SignalFd);

impl Signals {
    /// Holds SIGTERM, SIGINT and SIGHUP back. Call it before another thread starts, and before system calls are
    /// forbidden.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn hold() -> Result<Self, ListeningError> {
        let mut ending = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            ending.add(signal);
        }
        let held = ending
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&ending, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK));
        held.map(Self).map_err(|errno| ListeningError::Signals(errno.into()))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Why the service ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ended {
    /// It was told to, by a signal.
    Told,
    /// There was nothing to do.
    Idle,
}

/// Serves clients until there is something to read at `end`, as from [`Signals`], or nothing to do for long. At the end
/// everything is locked.
///
/// # Errors
/// When the system does not say any more who is waiting.
pub(crate) fn serve(
    sockets: &Sockets,
    end: &impl AsFd,
    clients: &Arc<impl Clients>,
    patience: Patience,
) -> Result<Ended, ListeningError> {
    let connections = Arc::new(Connections::new(patience.clients));
    let served = until_the_end(sockets, end.as_fd(), clients, patience, &connections);
    clients.lock();
    connections.end(patience.farewell);
    served
}

fn until_the_end(
    sockets: &Sockets,
    end: BorrowedFd<'_>,
    clients: &Arc<impl Clients>,
    patience: Patience,
    connections: &Arc<Connections>,
) -> Result<Ended, ListeningError> {
    let mut last = Instant::now();
    loop {
        let mut waited = vec![PollFd::new(end, PollFlags::POLLIN)];
        waited.extend(sockets.iter().map(|(socket, _)| PollFd::new(socket.as_fd(), PollFlags::POLLIN)));
        let limit = patience.idle.and_then(|idle| PollTimeout::try_from(idle).ok());
        match poll(&mut waited, limit.unwrap_or(PollTimeout::NONE)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(ListeningError::Wait(errno.into())),
        }
        let mut ready = waited.iter().map(|one| one.any().unwrap_or_default());
        if ready.next() == Some(true) {
            return Ok(Ended::Told);
        }
        let ready: Vec<bool> = ready.collect();
        for ((socket, door), _) in sockets.iter().zip(ready).filter(|(_, ready)| *ready) {
            last = Instant::now();
            match socket.accept() {
                Ok((connection, _)) => take_in(connection, door, clients, patience, connections),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    say(&format!("a client is not taken in: {error}"));
                    // without descriptors or memory the next attempt would fail at once, and again
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        }
        if !connections.is_empty() || !clients.is_idle() {
            last = Instant::now();
        } else if patience.idle.is_some_and(|idle| last.elapsed() >= idle) {
            return Ok(Ended::Idle);
        }
    }
}

fn take_in(
    connection: UnixStream,
    door: Door,
    clients: &Arc<impl Clients>,
    patience: Patience,
    connections: &Arc<Connections>,
) {
    let entered = admit(&connection, door, patience);
    let (peer, life) = match entered {
        Ok(entered) => entered,
        Err(error) => return say(&format!("a client is refused: {error}")),
    };
    let process = peer.process;
    let Some(place) = Connections::place(connections, door, &connection) else {
        return say(&format!(
            "process {process} is refused: {} clients are served already",
            patience.clients
        ));
    };
    let clients = Arc::clone(clients);
    let started = std::thread::Builder::new().name(format!("client {process}")).spawn(move || {
        clients.serve(connection, peer, life);
        drop(place);
    });
    if let Err(error) = started {
        say(&format!("process {process} is refused: no thread can be started for it: {error}"));
    }
}

fn admit(connection: &UnixStream, door: Door, patience: Patience) -> Result<(Peer, Life), PeerError> {
    let set = connection
        .set_nonblocking(false)
        .and_then(|()| connection.set_read_timeout(Some(patience.silence)))
        .and_then(|()| connection.set_write_timeout(Some(patience.silence)));
    set.map_err(PeerError::Unknown)?;
    Peer::living(connection, door)
}

/// Writes a line for the system's journal.
pub(crate) fn say(line: &str) {
    // nobody is left to be told if this fails
    let _ = writeln!(stderr(), "{}", on_one_line(line));
}

#[cfg(test)]
mod tests;
