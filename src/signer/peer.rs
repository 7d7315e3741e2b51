//! Who is at the other end of a connection, and what such a client may ask.
//!
//! The kernel says which process connected and as which user. The login user and the audit session are read of that
//! process while it lives. They say who it was, and open nothing by themselves: a process that nobody logged in for can
//! name any login user, but never gets the session of another.
use super::rights::ClientClass;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerPidfd;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Value of `/proc/PID/loginuid` and `/proc/PID/sessionid` when nobody has logged in.
const UNSET: u32 = u32::MAX;

/// Where a client came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Door {
    /// A socket pair that was handed down by the command that started the signer.
    Parent,
    /// The socket of the CA's user.
    Ca,
    /// The socket of the administrators.
    Administration,
    /// The socket of the process that reaches tokens.
    Tokens,
}

/// A client, as the kernel knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Peer {
    /// Number of the process.
    pub(crate) process: u32,
    /// Effective user when it connected.
    pub(crate) user: u32,
    /// Login user; `None` where nobody has logged in, or the system does not keep it.
    pub(crate) login: Option<u32>,
    /// Audit session; `None` likewise.
    pub(crate) session: Option<u32>,
    /// What kind of client it is.
    pub(crate) class: ClientClass,
}

/// Reasons why a client is not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    /// The kernel does not say who it is.
    #[error("the process at the other end cannot be told: {0}")]
    Unknown(#[source] io::Error),
    /// The process ended, or became another, while it was looked at.
    #[error("process {0} ended while it was looked at")]
    Gone(u32),
    /// The process acts as another user than the one who connected.
    #[error("process {process} connected as user {connected} and is user {now}")]
    Changed {
        /// The process.
        process: u32,
        /// The user who connected.
        connected: u32,
        /// The effective user of the process.
        now: u32,
    },
    /// Nobody can be named for what an administrator does.
    #[error("process {0} of user {1} has no login user: an administrator logs in")]
    NoLogin(u32, u32),
}

impl Peer {
    /// Looks at the process at the other end of a connection.
    ///
    /// # Errors
    /// When it cannot be told, or may not come in by this door.
    pub(crate) fn of(connection: &UnixStream, door: Door) -> Result<Self, PeerError> {
        Self::living(connection, door).map(|(peer, _)| peer)
    }

    /// Returns the same, with what tells later whether that process is still there: others may have its end of the
    /// connection, and its number.
    ///
    /// # Errors
    /// As [`Peer::of`].
    pub(crate) fn living(connection: &UnixStream, door: Door) -> Result<(Self, Life), PeerError> {
        let credentials = rustix::net::sockopt::socket_peercred(connection.as_fd())
            .map_err(|errno| PeerError::Unknown(errno.into()))?;
        let process = u32::try_from(credentials.pid.as_raw_nonzero().get())
            .map_err(|error| PeerError::Unknown(io::Error::other(error)))?;
        let user = credentials.uid.as_raw();
        let life = Life::of(connection, process)?;
        let read = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}"));
        let (login, session) = (number(read("loginuid")), number(read("sessionid")));
        let now = read("status").ok().and_then(|status| effective_user(&status));
        if !life.goes_on() {
            return Err(PeerError::Gone(process));
        }
        match now {
            Some(now) if now != user => Err(PeerError::Changed { process, connected: user, now }),
            _ => Ok((Self::entering(door, process, user, login, session)?, life)),
        }
    }

    /// Returns the client of these properties, or refuses it.
    fn entering(
        door: Door,
        process: u32,
        user: u32,
        login: Option<u32>,
        session: Option<u32>,
    ) -> Result<Self, PeerError> {
        let (login, session) = login.zip(session).unzip();
        let class = match (door, login) {
            (Door::Parent, _) => ClientClass::Child,
            (Door::Ca, Some(_)) => ClientClass::Command,
            (Door::Ca, None) => ClientClass::Renew,
            (Door::Administration, Some(_)) => ClientClass::Administrator,
            (Door::Tokens, _) => ClientClass::Tokens,
            (Door::Administration, None) => return Err(PeerError::NoLogin(process, user)),
        };
        Ok(Self { process, user, login, session, class })
    }
}

/// What tells a process from a later one with the same number.
#[derive(Debug)]
pub(crate) enum Life {
    /// A descriptor of the process itself (SO_PEERPIDFD).
    Descriptor(OwnedFd),
    /// When the process of this number began.
    Since(u32, Option<u64>),
}

impl Life {
    fn of(connection: &UnixStream, process: u32) -> Result<Self, PeerError> {
        match getsockopt(connection, PeerPidfd) {
            Ok(descriptor) => Ok(Self::Descriptor(descriptor)),
            // kernels before 6.5 have no such option
            Err(nix::Error::ENOPROTOOPT) => Ok(Self::since(process)),
            // it ended, and its number is free
            Err(nix::Error::ESRCH | nix::Error::EINVAL) => Err(PeerError::Gone(process)),
            Err(errno) => Err(PeerError::Unknown(errno.into())),
        }
    }

    /// Returns what tells it by the time at which the process of this number began.
    pub(in crate::signer) fn since(process: u32) -> Self {
        Self::Since(process, start_time(process))
    }

    /// Returns whether the process lives still, so that what was read meanwhile was read of it.
    pub(crate) fn goes_on(&self) -> bool {
        match self {
            Self::Descriptor(descriptor) => {
                let mut ended = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
                poll(&mut ended, PollTimeout::ZERO) == Ok(0)
            }
            Self::Since(process, start) => start.is_some() && start_time(*process) == *start,
        }
    }
}

/// Returns when a process began, in ticks since the system did.
fn start_time(process: u32) -> Option<u64> {
    parse_start_time(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// Reads field 22 of `/proc/PID/stat`. The name, field 2, may itself have blanks and parentheses.
fn parse_start_time(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn effective_user(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(1)?.parse().ok()
}

fn number(read: io::Result<String>) -> Option<u32> {
    read.ok()?.trim().parse().ok().filter(|number| *number != UNSET)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::process::{Command, Stdio};

    fn entering(door: Door, login: Option<u32>, session: Option<u32>) -> Result<ClientClass, String> {
        let entered = Peer::entering(door, 7, 900, login, session);
        entered.map(|peer| peer.class).map_err(|error| error.to_string())
    }

    #[test]
    fn a_client_without_a_login_user_renews_and_does_nothing_else() {
        assert_eq!(entering(Door::Ca, Some(1000), Some(3)), Ok(ClientClass::Command));
        assert_eq!(entering(Door::Ca, None, None), Ok(ClientClass::Renew));
        assert_eq!(entering(Door::Ca, Some(1000), None), Ok(ClientClass::Renew), "half of it is nothing");
        assert_eq!(entering(Door::Ca, None, Some(3)), Ok(ClientClass::Renew));
        assert_eq!(entering(Door::Administration, Some(1000), Some(3)), Ok(ClientClass::Administrator));
        let refused = entering(Door::Administration, None, None).unwrap_err();
        assert_eq!(refused, "process 7 of user 900 has no login user: an administrator logs in");
        assert_eq!(entering(Door::Parent, None, None), Ok(ClientClass::Child));
    }

    #[test]
    fn the_other_end_is_told_with_its_process_and_user() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let mut client = Command::new("python3")
            .args([
                "-c",
                "import socket,sys;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);s.recv(1)",
            ])
            .arg(&path)
            .spawn()
            .unwrap();
        let (connection, _) = listener.accept().unwrap();
        let peer = Peer::of(&connection, Door::Parent).unwrap();
        assert_eq!((peer.process, peer.user), (client.id(), rustix::process::geteuid().as_raw()));
        let of_this = |name: &str| number(fs::read_to_string(format!("/proc/self/{name}")));
        let (login, session) = of_this("loginuid").zip(of_this("sessionid")).unzip();
        assert_eq!((peer.login, peer.session), (login, session), "a child has what its parent has");

        client.kill().unwrap();
        client.wait().unwrap();
        let gone = Peer::of(&connection, Door::Parent);
        assert!(matches!(gone, Err(PeerError::Gone(_))), "{gone:?}");
    }

    #[test]
    fn without_a_descriptor_of_the_process_its_start_time_tells_that_it_goes_on() {
        let mut sleeping = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let life = Life::since(sleeping.id());
        assert!(life.goes_on());
        let Life::Since(process, Some(start)) = life else { panic!("it has a start") };
        assert!(!Life::Since(process, Some(start - 1)).goes_on(), "an earlier process of this number");
        sleeping.kill().unwrap();
        sleeping.wait().unwrap();
        assert!(!Life::Since(process, Some(start)).goes_on(), "it ended");
        assert!(!Life::since(process).goes_on(), "it never was");
    }

    #[test]
    fn a_process_cannot_hide_its_start_time_in_its_name() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
        assert_eq!(parse_start_time(&format!("7 (a) S 0 (b) {fields}")), Some(4242));
        assert_eq!(parse_start_time("7 (a) S 1"), None);
        assert_eq!(effective_user("Name:\tx\nUid:\t1000\t900\t900\t900\n"), Some(900));
    }
}
