//! Tells systemd how the service is, by a socket that is connected before the program confines itself.
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The way to systemd; nowhere, where it did not start the program.
#[derive(Debug)]
pub(crate) struct Notice(Option<UnixDatagram>);

impl Notice {
    /// Connects to the socket that systemd names (NOTIFY_SOCKET).
    ///
    /// # Errors
    /// When it names one, and that cannot be reached.
    pub(crate) fn connect() -> io::Result<Self> {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(Self(None)) };
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address)?;
        Ok(Self(Some(socket)))
    }

    /// Says that clients are served.
    pub(crate) fn ready(&self) {
        self.send("READY=1");
    }

    /// Says that the service ends.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    fn send(&self, words: &str) {
        if let Some(socket) = &self.0 {
            // systemd itself notices when it is not told
            let _ = socket.send(words.as_bytes());
        }
    }
}
