//! Reads lines typed on the terminal. Ctrl-C ends the line and not the program, so that the caller can report what
//! has been done.
use crate::progress;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// The octet that Ctrl-C types when it does not send a signal.
const INTERRUPT: u8 = 0x03;
/// Limit of a line in octets: that of a terminal in canonical mode.
const LINE: usize = 4096;

/// Whether Ctrl-C was pressed at a question. No further questions are asked then.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C was pressed at a question.
pub(crate) fn was_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Whether standard input is a terminal, so that a person can be asked.
pub(crate) fn is_attended() -> bool {
    io::stdin().is_terminal()
}

/// The answer to a question.
pub(crate) enum Typed {
    /// A line without its end.
    Line(Zeroizing<String>),
    /// A line with octets that are not UTF-8, or with a NUL.
    NotText,
    /// Ctrl-C.
    Interrupted,
    /// End of input: Ctrl-D, or the terminal is gone.
    Nothing,
}

/// The terminal modes before a change, restored on drop.
struct Modes<'t> {
    terminal: &'t File,
    before: Termios,
}

impl Drop for Modes<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

impl Modes<'_> {
    /// Restores the modes for a command that is gone, unless somebody has set others since. The terminal may be that of
    /// its shell again: a process in the background may set modes only while it does not take the signal for that.
    fn restore_for_the_gone(self, set: &Termios) {
        let is_ours = |now: Termios| {
            now.local_modes == set.local_modes
                && now.special_codes[SpecialCodeIndex::VEOL] == set.special_codes[SpecialCodeIndex::VEOL]
        };
        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGTTOU);
        let _ = blocked.thread_block();
        if tcgetattr(self.terminal).is_ok_and(is_ours) {
            drop(self);
        } else {
            std::mem::forget(self);
        }
        let _ = blocked.thread_unblock();
    }
}

/// Waits for a line. Returns whether the command that started this process was gone before there was one.
fn is_left_alone(terminal: &File) -> io::Result<bool> {
    let Some(command) = progress::starter() else { return Ok(false) };
    let line = PollFd::new(terminal.as_fd(), PollFlags::POLLIN);
    let mut waited = [line, PollFd::new(command.as_fd(), PollFlags::empty())];
    while let Err(error) = poll(&mut waited, PollTimeout::NONE) {
        if error != Errno::EINTR {
            return Err(error.into());
        }
    }
    let [line, command] = waited;
    Ok(line.any() != Some(true) && command.any() == Some(true))
}

/// Writes a question and reads a line, echoed or not.
pub(crate) fn ask(text: &str, shown: bool) -> io::Result<Typed> {
    progress::aside(|| asked(text, shown))
}

fn asked(text: &str, shown: bool) -> io::Result<Typed> {
    if was_interrupted() {
        return Ok(Typed::Interrupted);
    }
    let terminal = match OpenOptions::new().read(true).write(true).open("/dev/tty") {
        Ok(terminal) => terminal,
        // standard input is a terminal, but not the controlling one
        Err(_) => File::from(io::stdin().as_fd().try_clone_to_owned()?),
    };
    let before = tcgetattr(&terminal)?;
    let mut asking = before.clone();
    asking.local_modes.remove(LocalModes::ISIG);
    asking.local_modes.insert(LocalModes::ICANON);
    if !shown {
        asking.local_modes.remove(LocalModes::ECHO);
        asking.local_modes.insert(LocalModes::ECHONL);
    }
    asking.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
    let modes = Modes { terminal: &terminal, before };
    tcsetattr(&terminal, OptionalActions::Now, &asking)?;
    let mut to = &terminal;
    to.write_all(text.as_bytes())?;
    if is_left_alone(&terminal)? {
        INTERRUPTED.store(true, Ordering::Relaxed);
        modes.restore_for_the_gone(&asking);
        return Ok(Typed::Interrupted);
    }
    let mut typed = Zeroizing::new(vec![0; LINE]);
    let length = to.read(&mut typed)?;
    typed.truncate(length);
    drop(modes);
    if typed.contains(&INTERRUPT) {
        INTERRUPTED.store(true, Ordering::Relaxed);
        let _ = to.write_all(b"\n");
        return Ok(Typed::Interrupted);
    }
    if typed.is_empty() {
        let _ = to.write_all(b"\n");
        return Ok(Typed::Nothing);
    }
    Ok(match std::str::from_utf8(&typed) {
        Ok(line) if !line.contains('\0') => {
            Typed::Line(Zeroizing::new(line.trim_end_matches(['\n', '\r']).to_owned()))
        }
        _ => Typed::NotText,
    })
}
