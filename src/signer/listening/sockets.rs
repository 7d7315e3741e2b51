//! The sockets of the service: from systemd, or made by the program itself.
use crate::error::{Shown as _, on_one_line};
use crate::signer::peer::Door;
use listenfd::ListenFd;
use rustix::fs::Mode;
use rustix::process::umask;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The names that the units give their sockets (FileDescriptorName=).
const NAMES: [(&str, Door); 3] =
    [("ca", Door::Ca), ("admin", Door::Administration), ("tokens", Door::Tokens)];

/// Listening sockets, each with the door that it is.
pub(crate) struct Sockets(Vec<(UnixListener, Door)>);

/// Reasons why the service does not listen, or not any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListeningError {
    /// systemd passed a socket that is none of ours.
    #[error("systemd passed a socket named \"{}\"; the names are \"ca\", \"admin\" and \"tokens\"", on_one_line(.0))]
    Name(String),
    /// systemd passed something else than a listening Unix socket.
    #[error("what systemd passed as \"{0}\" is no listening Unix socket: {1}")]
    Kind(&'static str, #[source] io::Error),
    /// There is none.
    #[error("there is no socket to listen on")]
    None,
    /// Another process listens there, or another file is there.
    #[error("{} is in use, or is something else than a socket", .0.shown())]
    Taken(PathBuf),
    /// The socket cannot be made.
    #[error("{} cannot be listened on: {source}", path.shown())]
    Listen {
        /// Its path.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Signals cannot be held back.
    #[error("signals cannot be waited for: {0}")]
    Signals(#[source] io::Error),
    /// The system does not say who is waiting.
    #[error("clients cannot be waited for: {0}")]
    Wait(#[source] io::Error),
}

impl Sockets {
    /// Returns them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&UnixListener, Door)> {
        self.0.iter().map(|(socket, door)| (socket, *door))
    }

    /// Returns whether this door is among them.
    pub(crate) fn has(&self, door: Door) -> bool {
        self.iter().any(|(_, one)| one == door)
    }

    fn new(sockets: Vec<(UnixListener, Door)>) -> Result<Self, ListeningError> {
        if sockets.is_empty() {
            return Err(ListeningError::None);
        }
        for (socket, _) in &sockets {
            // a client that gave up between the two calls is not waited for
            socket.set_nonblocking(true).map_err(ListeningError::Wait)?;
        }
        Ok(Self(sockets))
    }
}

/// Takes the sockets that systemd passed to this process; `None` where it passed none.
///
/// # Errors
/// When one of them is not named as a door, or is no listening Unix socket.
pub(crate) fn passed_by_systemd() -> Result<Option<Sockets>, ListeningError> {
    let mut passed = ListenFd::from_env();
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let doors = doors(&names, passed.len())?;
    let mut sockets = Vec::new();
    for (place, (name, door)) in doors.into_iter().enumerate() {
        let socket = passed.take_unix_listener(place).map_err(|error| ListeningError::Kind(name, error))?;
        sockets.extend(socket.map(|socket| (socket, door)));
    }
    if sockets.is_empty() { Ok(None) } else { Sockets::new(sockets).map(Some) }
}

/// Returns the door of each of `number` sockets by their names.
fn doors(names: &str, number: usize) -> Result<Vec<(&'static str, Door)>, ListeningError> {
    let mut names = names.split(':');
    (0..number)
        .map(|_| {
            let name = names.next().unwrap_or_default();
            let door = NAMES.iter().find(|(known, _)| *known == name);
            door.copied().ok_or_else(|| ListeningError::Name(name.to_owned()))
        })
        .collect()
}

/// Makes sockets at these paths. One that a service left behind is replaced.
///
/// # Errors
/// When one cannot be made, or another process listens there.
pub(crate) fn listen(paths: &[(PathBuf, Door)]) -> Result<Sockets, ListeningError> {
    let sockets = paths.iter().map(|(path, door)| Ok((bind(path, *door)?, *door)));
    Sockets::new(sockets.collect::<Result<_, _>>()?)
}

fn bind(path: &Path, door: Door) -> Result<UnixListener, ListeningError> {
    let failed = |source| ListeningError::Listen { path: path.to_owned(), source };
    if let Ok(found) = path.symlink_metadata() {
        if !found.file_type().is_socket() || UnixStream::connect(path).is_ok() {
            return Err(ListeningError::Taken(path.to_owned()));
        }
        fs::remove_file(path).map_err(failed)?;
    }
    // nobody else connects before the mode is set
    let before = umask(Mode::from_raw_mode(0o177));
    let bound = UnixListener::bind(path);
    umask(before);
    let socket = bound.map_err(failed)?;
    if door == Door::Administration {
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(failed)?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_told_apart_by_the_names_in_their_units() {
        let found =
            |names, number| doors(names, number).map(|doors| doors.iter().map(|(_, door)| *door).collect());
        assert_eq!(found("admin:ca", 2).unwrap(), vec![Door::Administration, Door::Ca]);
        assert_eq!(found("tokens", 1).unwrap(), vec![Door::Tokens]);
        assert_eq!(found("", 0).unwrap(), Vec::<Door>::new());
        for (names, number) in [("ca", 2), ("genfic-signer.socket", 1), ("", 1)] {
            let refused: Result<Vec<Door>, _> = found(names, number);
            assert!(matches!(refused, Err(ListeningError::Name(_))), "{names}");
        }
    }

    #[test]
    fn a_socket_that_was_left_is_replaced_and_one_in_use_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.socket");
        let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o7777;
        let first = listen(&[(path.clone(), Door::Ca)]).unwrap();
        assert_eq!(mode(&path), 0o600);
        let second = listen(&[(path.clone(), Door::Ca)]).map(drop).unwrap_err();
        assert!(matches!(second, ListeningError::Taken(_)), "{second}");
        drop(first);
        let admin = listen(&[(path.clone(), Door::Administration)]).unwrap();
        assert_eq!(mode(&path), 0o660, "its group has the administrators");
        drop(admin);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "a key").unwrap();
        assert!(listen(&[(path.clone(), Door::Ca)]).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"a key", "a file is never removed");
        assert!(matches!(listen(&[]), Err(ListeningError::None)));
    }
}
