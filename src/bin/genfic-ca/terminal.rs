//! Lines typed on the terminal. Ctrl-C ends the line and not the program, so that whoever asked can say what stands.
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// What Ctrl-C types while it sends no signal.
const INTERRUPT: u8 = 0x03;
/// As much as a terminal gives of one line.
const LINE: usize = 4096;

/// Whether somebody has pressed Ctrl-C at a question: nothing more is asked then.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether a question was answered by Ctrl-C.
pub(crate) fn was_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Whether there is a person to ask.
pub(crate) fn is_attended() -> bool {
    io::stdin().is_terminal()
}

/// What was typed.
pub(crate) enum Typed {
    /// A line, without its end.
    Line(Zeroizing<String>),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the terminal is gone.
    Nothing,
}

/// The terminal's modes as they were, put back in the end.
struct Modes<'t> {
    terminal: &'t File,
    before: Termios,
}

impl Drop for Modes<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Writes this and reads a line, shown as it is typed or not.
pub(crate) fn ask(text: &str, shown: bool) -> io::Result<Typed> {
    if was_interrupted() {
        return Ok(Typed::Interrupted);
    }
    let terminal = match OpenOptions::new().read(true).write(true).open("/dev/tty") {
        Ok(terminal) => terminal,
        // one that is not this process's own
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
    let line = std::str::from_utf8(&typed).map_err(|_| io::Error::other("what was typed is not UTF-8"))?;
    Ok(Typed::Line(Zeroizing::new(line.trim_end_matches(['\n', '\r']).to_owned())))
}
