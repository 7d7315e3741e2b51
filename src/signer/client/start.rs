//! Starting of a signer as a child, and connecting to one that listens.
use crate::error::{Code, Shown as _};
use crate::signer::program::program;
use crate::signer::protocol::Failure;
use crate::signing::KeyError;
use rustix::io::Errno;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A connection to a signer, and the process where this one has started it.
pub(super) struct Started {
    connection: UnixStream,
    child: Option<Child>,
}

impl Started {
    /// Returns a signer at the other end of this connection, which another has started.
    pub(super) fn over(connection: UnixStream) -> Self {
        Self { connection, child: None }
    }

    pub(super) fn connection(&self) -> &UnixStream {
        &self.connection
    }

    /// Ends the connection, and returns how a child ended that did not end well.
    pub(super) fn end(mut self) -> Option<String> {
        let _ = self.connection.shutdown(Shutdown::Both);
        let status = self.child.take()?.wait().ok()?;
        (!status.success()).then(|| status.to_string())
    }
}

/// Waits for the child, so that nothing goes on after the command.
impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(Shutdown::Both);
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let reason = format!("{} cannot be {what}: {error}", path.shown());
    let wanting = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];
    if wanting.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) {
        let hint = "see which limit of the system or of this user is reached, then try again";
        let code = Code::KeyNotRead;
        return KeyError::Prevented { code, reason, hint: hint.into() }.into();
    }
    Failure::Signer { reason }
}

/// Starts a signer whose standard output is the other end of a socket pair. It inherits standard input, standard error
/// and the descriptors that the user has named, and nothing of this process, whose own files are closed on execution.
pub(super) fn start_child() -> Result<Started, Failure> {
    let program = program();
    let (connection, other) = UnixStream::pair().map_err(|error| failed("started", &program, &error))?;
    let mut command = Command::new(&program);
    command.arg("child").stdout(Stdio::from(OwnedFd::from(other)));
    separate_failpoints(&mut command);
    let child = command.spawn().map_err(|error| failed("started", &program, &error))?;
    Ok(Started { connection, child: Some(child) })
}

/// Connects to a signer that listens.
pub(super) fn connect(path: &Path) -> Result<Started, Failure> {
    let connection = UnixStream::connect(path).map_err(|error| match failed("reached", path, &error) {
        Failure::Signer { .. } => {
            KeyError::NotReached { socket: path.to_owned(), reason: error.to_string() }.into()
        }
        wanting => wanting,
    })?;
    Ok(Started::over(connection))
}

/// Has the points of the child counted apart from those of this process.
#[cfg(debug_assertions)]
fn separate_failpoints(command: &mut Command) {
    for (own, of_child) in crate::failpoint::OF_CHILD {
        command.env_remove(own);
        if let Some(value) = std::env::var_os(of_child) {
            command.env(own, value);
        }
    }
}

#[cfg(not(debug_assertions))]
fn separate_failpoints(_: &mut Command) {}
