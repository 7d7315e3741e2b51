//! A passphrase behind a descriptor that a client opened and did not read.
use super::terminal::{self, Typed};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::termios::isatty;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Bound of a passphrase, in octets.
const LONGEST: usize = 4096;
/// Time for the other end of a pipe to write.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a descriptor was handed over as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Handed {
    /// The administrator's terminal: a person is asked.
    Terminal,
    /// A file or the reading end of a pipe: read to its end.
    File,
}

/// The reasons why a descriptor gives no passphrase.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPassphrase {
    /// It is not what it was handed over as.
    #[error("the descriptor is {0}")]
    OtherKind(&'static str),
    /// Others than the one who handed it over can read there.
    #[error("others can read {0} too")]
    Open(&'static str),
    /// It has no text, or too much.
    #[error("what is in it is no passphrase: {0}")]
    NotText(&'static str),
    /// Nothing was typed, or it was interrupted.
    #[error("nothing was typed")]
    Interrupted,
    /// The client went away, or the time is over.
    #[error("nobody waits for it any more")]
    GivenUp,
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads a passphrase from a descriptor that the user `owner` handed over. A terminal or file that belongs to anybody
/// else but root is refused, and one that others can read: they would read along.
///
/// # Errors
/// When it gives no passphrase.
pub(crate) fn read_handed(
    from: &OwnedFd,
    handed: Handed,
    owner: u32,
    question: &str,
    is_over: &dyn Fn() -> bool,
) -> Result<Zeroizing<String>, NoPassphrase> {
    let status = fstat(from).map_err(io::Error::from)?;
    let is_own = status.st_uid == owner || status.st_uid == 0;
    match handed {
        Handed::Terminal => {
            if !isatty(from) {
                return Err(NoPassphrase::OtherKind("no terminal"));
            }
            // group tty may write to it (mesg(1)); nobody else may read
            if !is_own || status.st_mode & 0o044 != 0 {
                return Err(NoPassphrase::Open("the terminal"));
            }
            match terminal::ask(from.as_fd(), question, is_over)? {
                Typed::Line(line) => Ok(line),
                Typed::Empty => Err(NoPassphrase::NotText("it is empty")),
                Typed::NotText => Err(NoPassphrase::NotText("it is not UTF-8 text of at most 4096 octets")),
                Typed::Interrupted => Err(NoPassphrase::Interrupted),
                Typed::GivenUp => Err(NoPassphrase::GivenUp),
            }
        }
        Handed::File => {
            match FileType::from_raw_mode(status.st_mode) {
                // memory that was handed over (memfd_create) is a regular file too
                FileType::RegularFile if !is_own || status.st_mode & 0o077 != 0 => {
                    return Err(NoPassphrase::Open("the file"));
                }
                FileType::RegularFile | FileType::Fifo | FileType::Socket => {}
                _ => return Err(NoPassphrase::OtherKind("neither a file nor a pipe")),
            }
            whole(from, is_over)
        }
    }
}

/// A descriptor that is not waited for. Its client, which has it too, gets it back as it was.
struct NotWaiting<'f>(&'f OwnedFd, OFlags);

impl<'f> NotWaiting<'f> {
    fn of(from: &'f OwnedFd) -> io::Result<Self> {
        let flags = fcntl_getfl(from)?;
        fcntl_setfl(from, flags | OFlags::NONBLOCK)?;
        Ok(Self(from, flags))
    }
}

impl Drop for NotWaiting<'_> {
    fn drop(&mut self) {
        let _ = fcntl_setfl(self.0, self.1);
    }
}

/// Reads a passphrase up to the end of a file or pipe, without one line feed at its end.
fn whole(from: &OwnedFd, is_over: &dyn Fn() -> bool) -> Result<Zeroizing<String>, NoPassphrase> {
    // whoever has the writing end could otherwise hold the signer up for ever
    let _not_waiting = NotWaiting::of(from)?;
    let mut octets = Zeroizing::new([0; LONGEST + 3]);
    let (mut length, deadline) = (0, Instant::now() + PATIENCE);
    while let Some(room) = octets.get_mut(length..).filter(|room| !room.is_empty()) {
        match rustix::io::read(from, room) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) if is_over() || Instant::now() > deadline => {
                return Err(NoPassphrase::GivenUp);
            }
            Err(rustix::io::Errno::AGAIN) => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
    let read = octets.get(..length).unwrap_or_default();
    let text = std::str::from_utf8(read).map_err(|_| NoPassphrase::NotText("it is not UTF-8 text"))?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    match text.len() {
        0 => Err(NoPassphrase::NotText("it is empty")),
        _ if text.contains('\0') => Err(NoPassphrase::NotText("it has a NUL in it")),
        1..=LONGEST => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(NoPassphrase::NotText("it has more than 4096 octets")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::PermissionsExt;

    fn read(file: OwnedFd, handed: Handed) -> Result<String, NoPassphrase> {
        let own = rustix::process::geteuid().as_raw();
        read_handed(&file, handed, own, "Passphrase: ", &|| false).map(|text| text.to_string())
    }

    #[test]
    fn a_file_is_read_to_its_end_if_nobody_else_can_read_it() {
        // K2
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pass");
        fs::write(&path, "s3cret\n").unwrap();
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = read(File::open(&path).unwrap().into(), Handed::File);
            assert!(matches!(refused, Err(NoPassphrase::Open(_))), "{mode:o}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(File::open(&path).unwrap().into(), Handed::File).unwrap(), "s3cret");
        for no_text in [&b""[..], b"\n", b"\xff", b"a\0", &[b'a'; LONGEST + 1]] {
            fs::write(&path, no_text).unwrap();
            let refused = read(File::open(&path).unwrap().into(), Handed::File);
            assert!(matches!(refused, Err(NoPassphrase::NotText(_))));
        }
    }

    #[test]
    fn a_pipe_is_read_as_it_is_written_and_not_waited_for_when_nobody_waits() {
        let (reading, writing) = std::io::pipe().unwrap();
        let writer = std::thread::spawn(move || {
            for part in ["s3", "cret"] {
                rustix::io::write(&writing, part.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        assert_eq!(read(reading.into(), Handed::File).unwrap(), "s3cret");
        writer.join().unwrap();
        let (reading, _writing) = std::io::pipe().unwrap();
        let reading = OwnedFd::from(reading);
        let given_up = read_handed(&reading, Handed::File, 0, "", &|| true);
        assert!(matches!(given_up, Err(NoPassphrase::GivenUp)));
        assert!(!fcntl_getfl(&reading).unwrap().contains(OFlags::NONBLOCK), "the client waits as before");
    }

    #[test]
    fn a_descriptor_that_is_no_terminal_asks_nobody() {
        let null = || File::open("/dev/null").unwrap().into();
        assert!(matches!(read(null(), Handed::Terminal), Err(NoPassphrase::OtherKind(_))));
        assert!(matches!(read(null(), Handed::File), Err(NoPassphrase::OtherKind(_))));
    }
}
