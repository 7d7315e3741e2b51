//! A passphrase typed at a terminal whose descriptor an administrator handed over.
//!
//! The terminal is not the signer's own, so no signal of it comes here: Ctrl-C is an octet like any other. Keys are read
//! one by one, a tenth of a second at a time, so that a client who goes away or a signer that ends gives the terminal
//! back as it was.
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use zeroize::Zeroizing;

/// Bound of what is typed, in octets.
const LONGEST: usize = 4096;
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// What was typed.
pub(crate) enum Typed {
    /// A line without its end.
    Line(Zeroizing<String>),
    /// An empty line.
    Empty,
    /// A line that is not UTF-8 or has a NUL in it, or that has no end.
    NotText,
    /// Ctrl-C or Ctrl-D, or the terminal is gone.
    Interrupted,
    /// `is_over` said so: the client is gone, the time is over, or the signer ends.
    GivenUp,
}

/// The modes of a terminal as they were, put back on drop.
pub(crate) struct Restored<'t> {
    terminal: BorrowedFd<'t>,
    before: Termios,
}

impl<'t> Restored<'t> {
    /// Takes note of the modes of a terminal. The client does so too before it hands its terminal over: where the signer
    /// is killed, the client puts them back.
    ///
    /// # Errors
    /// When this is no terminal.
    pub(crate) fn of(terminal: BorrowedFd<'t>) -> io::Result<Self> {
        Ok(Self { terminal, before: tcgetattr(terminal)? })
    }
}

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Has a terminal show nothing of what is typed, until what is returned is dropped.
///
/// # Errors
/// When the terminal cannot be used.
pub(super) fn quiet(terminal: BorrowedFd<'_>) -> io::Result<Restored<'_>> {
    let restored = Restored::of(terminal)?;
    let mut modes = restored.before.clone();
    modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
    tcsetattr(terminal, OptionalActions::Now, &modes)?;
    Ok(restored)
}

/// Writes a question on a terminal and reads a line without echo. `is_over` is asked about ten times a second.
///
/// # Errors
/// When the terminal cannot be used.
pub(crate) fn ask(terminal: BorrowedFd<'_>, question: &str, is_over: &dyn Fn() -> bool) -> io::Result<Typed> {
    let restored = Restored::of(terminal)?;
    let mut asking = restored.before.clone();
    asking.local_modes.remove(LocalModes::ISIG | LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL);
    // a read returns after a tenth of a second at the latest
    asking.special_codes[SpecialCodeIndex::VMIN] = 0;
    asking.special_codes[SpecialCodeIndex::VTIME] = 1;
    tcsetattr(terminal, OptionalActions::Now, &asking)?;
    say(terminal, question)?;
    let typed = line(&mut |octet| Ok(rustix::io::read(terminal, octet)?), is_over)?;
    say(terminal, "\r\n")?;
    Ok(typed)
}

/// Writes a text on a terminal.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn say(terminal: BorrowedFd<'_>, text: &str) -> io::Result<()> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let written = rustix::io::write(terminal.as_fd(), rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Puts a line together from single keys, with the corrections that a person makes.
fn line(
    read: &mut dyn FnMut(&mut [u8]) -> io::Result<usize>,
    is_over: &dyn Fn() -> bool,
) -> io::Result<Typed> {
    // never grows, so that no copy stays behind in freed memory
    let mut typed = Zeroizing::new(Vec::with_capacity(LONGEST));
    loop {
        let mut octet = Zeroizing::new([0]);
        if is_over() {
            return Ok(Typed::GivenUp);
        }
        match read(octet.as_mut_slice()) {
            Ok(0) => continue,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // the other side of the terminal is closed
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                return Ok(Typed::Interrupted);
            }
            Err(error) => return Err(error),
        }
        let [typed_octet] = *octet;
        match typed_octet {
            b'\n' | b'\r' if typed.is_empty() => return Ok(Typed::Empty),
            b'\n' | b'\r' => break,
            CTRL_C | CTRL_D => return Ok(Typed::Interrupted),
            CTRL_U => typed.clear(),
            BACKSPACE | DELETE => {
                // the octets of the last character
                while typed.pop().is_some_and(|octet| octet & 0xc0 == 0x80) {}
            }
            _ if typed.len() == LONGEST => return Ok(Typed::NotText),
            other => typed.push(other),
        }
    }
    Ok(match std::str::from_utf8(&typed) {
        Ok(text) if !text.contains('\0') => Typed::Line(Zeroizing::new(text.to_owned())),
        _ => Typed::NotText,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// What comes of these keys; `GivenUp` when they are no line.
    fn typed(keys: &[u8]) -> Typed {
        let at = Cell::new(0);
        let mut read = |octet: &mut [u8]| {
            let Some(key) = keys.get(at.get()) else { return Ok(0) };
            at.set(at.get() + 1);
            octet[0] = *key;
            Ok(1)
        };
        line(&mut read, &|| at.get() > keys.len() || at.get() == keys.len() && !keys.ends_with(b"\n"))
            .unwrap()
    }

    fn text(keys: &[u8]) -> String {
        match typed(keys) {
            Typed::Line(line) => line.to_string(),
            _ => panic!("no line"),
        }
    }

    #[test]
    fn a_person_can_correct_what_was_typed() {
        assert_eq!(text(b"s3cret\n"), "s3cret");
        assert_eq!(text(b"s3cres\x7ft\n"), "s3cret");
        assert_eq!(text("gr\u{f6}\u{f6}\x7f\u{df}e\n".as_bytes()), "gr\u{f6}\u{df}e");
        assert_eq!(text(b"wrong\x15right\n"), "right");
        assert_eq!(text(b"\x7f\x7fa\n"), "a");
    }

    #[test]
    fn what_is_no_passphrase_is_told_apart() {
        assert!(matches!(typed(b"\n"), Typed::Empty));
        assert!(matches!(typed(b"half\x03\n"), Typed::Interrupted));
        assert!(matches!(typed(b"\x04\n"), Typed::Interrupted));
        assert!(matches!(typed(b"\xff\xfe\n"), Typed::NotText));
        assert!(matches!(typed(b"a\0b\n"), Typed::NotText));
        assert!(matches!(typed(&[b'a'; LONGEST + 1]), Typed::NotText));
        assert!(matches!(typed(b"half"), Typed::GivenUp));
    }
}
