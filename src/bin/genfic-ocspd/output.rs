//! Where a log is written: standard error, or a file to which lines are added.
use genfic_ca::config::LogTarget;
use genfic_ca::error::{Code, Problem, Shown as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write, stderr};
use std::os::unix::fs::OpenOptionsExt;

/// Mode of a new log file: its group may read it.
const MODE: u32 = 0o640;

/// An open log file, or standard error.
pub(crate) enum Output {
    Stderr,
    File(File),
}

impl Output {
    /// Opens a target. A file is made when it is not there.
    ///
    /// # Errors
    /// `file.write` when the file cannot be opened, or is no regular file.
    pub(crate) fn open(target: &LogTarget) -> Result<Self, Problem> {
        let LogTarget::File(path) = target else { return Ok(Self::Stderr) };
        // a FIFO would be waited for, and a terminal could become the daemon's own
        let opened = match std::fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
            }
            _ => OpenOptions::new().append(true).create(true).mode(MODE).open(path),
        };
        opened.map(Self::File).map_err(|error| {
            let message = format!("the log cannot be written to {}: {error}", path.shown());
            Problem::new(Code::FileNotWritten, message)
                .hint("make its directory, owned by the user of genfic-ocspd, or name another place in [log]")
        })
    }
}

impl Write for Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stderr => stderr().write(octets),
            Self::File(file) => file.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
