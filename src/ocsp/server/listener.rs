//! Sockets to listen on: addresses, paths in the file system, and what systemd passes.
use super::{ServerError, prepare};
use crate::config::ListenAddress;
use listenfd::ListenFd;
use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use std::fmt;
use std::fs::{Permissions, set_permissions, symlink_metadata};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncWrite};

/// Mode of a Unix socket. Whoever may reach it may ask, as with an address; its directory says who may reach it.
const SOCKET_MODE: u32 = 0o666;

/// Connections that may wait before they are accepted; the server raises it ([`prepare`]).
const QUEUE: i32 = 128;

/// A socket that is listened on. Written as in the line that the daemon prints for it.
#[derive(Debug)]
pub struct Listener(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener, Option<SocketFile>),
}

/// The file of a Unix socket, removed when it is not listened on any more.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Tcp(listener) => match listener.local_addr() {
                Ok(address) => write!(f, "http://{address}"),
                Err(_) => f.write_str("an address"),
            },
            Kind::Unix(listener, _) => match listener.local_addr() {
                Ok(address) => match address.as_pathname() {
                    Some(path) => ListenAddress::Unix(path.into()).fmt(f),
                    None => f.write_str("unix:"),
                },
                Err(_) => f.write_str("unix:"),
            },
        }
    }
}

/// The sockets to listen on: for clients, and for those who read metrics.
#[derive(Debug)]
pub struct Listeners {
    /// For clients; at least one.
    pub clients: Vec<Listener>,
    /// For those who read metrics.
    pub metrics: Vec<Listener>,
}

/// Takes the sockets that systemd passed, or else binds these addresses. Of those passed, the one at the address for metrics
/// is for metrics.
///
/// # Errors
/// When there is none for clients, or an address cannot be bound.
pub(super) fn listeners(
    addresses: &[ListenAddress],
    metrics: Option<&ListenAddress>,
) -> Result<Listeners, ServerError> {
    let mut passed = ListenFd::from_env();
    let mut listeners = Vec::new();
    let mut for_metrics = Vec::new();
    for at in 0..passed.len() {
        let taken = match passed.take_tcp_listener(at) {
            Ok(listener) => listener.map(Kind::Tcp),
            Err(_) => passed
                .take_unix_listener(at)
                .map_err(ServerError::Passed)?
                .map(|listener| Kind::Unix(listener, None)),
        };
        let Some(listener) = taken.map(Listener) else { continue };
        let is_for_metrics = metrics.is_some_and(|address| listener.is_at(address));
        if is_for_metrics { &mut for_metrics } else { &mut listeners }.push(listener);
    }
    if let Some(address) = metrics.filter(|_| for_metrics.is_empty()) {
        match listeners.is_empty() {
            true => for_metrics.push(bound(address, addresses)?),
            // under systemd the daemon has no network of its own
            false => {
                tracing::warn!("no metrics: systemd passes no socket at {address}, which `metrics` names")
            }
        }
    }
    if listeners.is_empty() {
        for address in addresses {
            listeners.push(bound(address, addresses)?);
        }
    }
    match listeners.is_empty() {
        true => Err(ServerError::NoAddress),
        false => Ok(Listeners { clients: listeners, metrics: for_metrics }),
    }
}

fn bound(address: &ListenAddress, all: &[ListenAddress]) -> Result<Listener, ServerError> {
    let bound = match address {
        ListenAddress::Tcp(one) => tcp(*one, all).map(Kind::Tcp),
        ListenAddress::Unix(path) => unix(path),
    };
    bound.map(Listener).map_err(|source| ServerError::Bind { address: address.clone(), source })
}

/// Binds an address. Where `[::]` stands beside an IPv4 address of the same port, it takes IPv6 alone: otherwise it
/// would take the other's clients, and the system refuses one of the two.
fn tcp(address: SocketAddr, all: &[ListenAddress]) -> io::Result<TcpListener> {
    let is_beside = |one: &ListenAddress| match one {
        ListenAddress::Tcp(one) => one.is_ipv4() && one.port() == address.port(),
        ListenAddress::Unix(_) => false,
    };
    let is_every = matches!(address.ip(), IpAddr::V6(six) if six.is_unspecified());
    if !is_every || !all.iter().any(is_beside) {
        return TcpListener::bind(address);
    }
    let socket = socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_ipv6_v6only(&socket, true)?;
    set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, QUEUE)?;
    Ok(socket.into())
}

/// Binds a path. A socket that nobody listens on any more is replaced, and nothing else that is there.
fn unix(path: &Path) -> io::Result<Kind> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_over(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }?;
    let file = SocketFile(path.into());
    set_permissions(path, Permissions::from_mode(SOCKET_MODE))?;
    Ok(Kind::Unix(listener, Some(file)))
}

fn is_left_over(path: &Path) -> bool {
    let is_socket = symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    is_socket && UnixStream::connect(path).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// A listener that is served.
pub(super) enum Served {
    Tcp(tokio::net::TcpListener),
    Unix { listener: tokio::net::UnixListener, _file: Option<SocketFile> },
}

/// A connection of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection and the address of its client.
pub(super) enum Accepted {
    Tcp(tokio::net::TcpStream, IpAddr),
    Unix(tokio::net::UnixStream),
}

impl Listener {
    /// Whether it listens there.
    fn is_at(&self, address: &ListenAddress) -> bool {
        match (&self.0, address) {
            (Kind::Tcp(listener), ListenAddress::Tcp(address)) => {
                listener.local_addr().is_ok_and(|at| at == *address)
            }
            (Kind::Unix(listener, _), ListenAddress::Unix(path)) => {
                listener.local_addr().is_ok_and(|at| at.as_pathname() == Some(path))
            }
            _ => false,
        }
    }

    /// Makes it ready to be served.
    pub(super) fn serve(self) -> io::Result<Served> {
        Ok(match self.0 {
            Kind::Tcp(listener) => {
                prepare(&listener);
                listener.set_nonblocking(true)?;
                Served::Tcp(tokio::net::TcpListener::from_std(listener)?)
            }
            Kind::Unix(listener, file) => {
                prepare(&listener);
                listener.set_nonblocking(true)?;
                Served::Unix { listener: tokio::net::UnixListener::from_std(listener)?, _file: file }
            }
        })
    }
}

impl Served {
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, from)| {
                let _ = stream.set_nodelay(true);
                Accepted::Tcp(stream, from.ip())
            }),
            Self::Unix { listener, .. } => listener.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(path: &Path) -> Result<Vec<Listener>, ServerError> {
        listeners(&[ListenAddress::Unix(path.into())], None).map(|bound| bound.clients)
    }

    #[test]
    fn a_unix_socket_is_for_everybody_who_may_reach_it_and_goes_with_its_listener() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ocsp.sock");
        let listener = bound(&path).unwrap();
        assert_eq!(listener[0].to_string(), format!("unix:{}", path.display()));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o666);
        assert!(matches!(bound(&path), Err(ServerError::Bind { .. })), "somebody listens there");
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_was_left_is_replaced_and_a_file_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ocsp.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(bound(&path).unwrap());
        std::fs::write(&path, "kept").unwrap();
        assert!(bound(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    }

    #[test]
    fn every_address_of_both_families_can_have_the_same_port() {
        if TcpListener::bind("[::1]:0").is_err() {
            return;
        }
        let port = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        for order in [["0.0.0.0", "[::]"], ["[::]", "0.0.0.0"]] {
            let listen: Vec<ListenAddress> =
                order.iter().map(|address| format!("{address}:{port}").parse().unwrap()).collect();
            assert_eq!(listeners(&listen, None).unwrap().clients.len(), 2, "{order:?}");
        }
        let alone = listeners(&["[::]:0".parse().unwrap()], None).unwrap().clients;
        let Kind::Tcp(listener) = &alone[0].0 else { panic!("{alone:?}") };
        let port = listener.local_addr().unwrap().port();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(), "alone it takes both");
    }
}
