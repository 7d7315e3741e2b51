//! A person's terminal: the program on a real pseudo-terminal, and the screen that it fills.
use super::Home;
use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{Expect, Session};
use std::io::ErrorKind;
use std::num::NonZeroU16;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use vt100::Parser;

/// What Ctrl-C types.
pub const INTERRUPT: &str = "\x03";
/// What Ctrl-D types.
pub const END_OF_INPUT: &str = "\x04";

/// Bound of every wait.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);
/// Rows that left the screen at its top and can still be read.
const SCROLLBACK: usize = 2000;

/// A program at a terminal. It is ended when the terminal is dropped.
pub struct Terminal {
    session: OsSession,
    emulator: Parser,
    written: Vec<u8>,
    /// Up to where `written` was waited for.
    seen: usize,
    /// Whether the program has closed its side.
    is_closed: bool,
}

fn size(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

impl Terminal {
    /// Runs `genfic-ca` with these words, which spaces divide, in a home, at a terminal of 80 columns and 24 rows.
    /// Passphrases are asked for.
    #[track_caller]
    pub fn run(home: &Home, words: &str) -> Self {
        Self::run_sized(home, words, 80, 24)
    }

    /// Runs `genfic-ca` likewise, at a terminal of this size.
    #[track_caller]
    pub fn run_sized(home: &Home, words: &str, columns: u16, rows: u16) -> Self {
        let mut command = home.command::<&str>(&[]);
        command.args(words.split_whitespace()).env("GENFIC_CA_PASSPHRASE_FROM", "prompt");
        Self::spawn(&command, columns, rows)
    }

    /// Runs a program with its arguments, directory and environment at a terminal of this size.
    #[track_caller]
    pub fn spawn(like: &Command, columns: u16, rows: u16) -> Self {
        // a terminal echoes and has its size before the program begins
        let begin = format!("stty sane rows {rows} columns {columns} && exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &begin]).arg(like.get_program()).args(like.get_args());
        command.env("TERM", "xterm-256color").env_remove("COLUMNS").env_remove("LINES");
        for (name, value) in like.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = like.get_current_dir() {
            command.current_dir(directory);
        }
        let mut session = Session::spawn(command).unwrap();
        session.get_process_mut().set_window_size(columns, rows).unwrap();
        let emulator = Parser::new(size(rows), size(columns), SCROLLBACK);
        Self { session, emulator, written: Vec::new(), seen: 0, is_closed: false }
    }

    /// Reads what was written up to now; returns whether there was anything.
    fn read(&mut self) -> bool {
        let mut octets = [0; 4096];
        match self.session.try_read(&mut octets) {
            Ok(0) => self.is_closed = true,
            Ok(length) => {
                self.written.extend_from_slice(&octets[..length]);
                self.emulator.process(&octets[..length]);
                return true;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // EIO: nobody has the other side open
            Err(_) => self.is_closed = true,
        }
        false
    }

    /// Reads until `done`, and panics when that takes too long.
    #[track_caller]
    fn read_until(&mut self, wanted: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while self.read() {}
            if done(self) {
                return;
            }
            assert!(!self.is_closed, "ended without {wanted}:\n{}", self.text());
            assert!(Instant::now() < deadline, "no {wanted} in\n{}", self.text());
            thread::sleep(PAUSE);
        }
    }

    /// Waits until this is written, after what was waited for before.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        self.read_until(&format!("`{text}`"), |at| {
            let found = at.written[at.seen..].windows(text.len()).position(|part| part == text.as_bytes());
            at.seen += found.map_or(0, |place| place + text.len());
            found.is_some()
        });
        self
    }

    /// Waits until the screen is as wanted; `wanted` says how in messages.
    #[track_caller]
    pub fn wait_for_screen(&mut self, wanted: &str, is_so: impl Fn(&str) -> bool) -> &mut Self {
        self.read_until(wanted, |at| is_so(&at.emulator.screen().contents()));
        self
    }

    /// Types these keys: text, `\n`, [`INTERRUPT`], [`END_OF_INPUT`].
    #[track_caller]
    pub fn press(&mut self, keys: &str) -> &mut Self {
        self.session.send(keys).unwrap();
        self
    }

    /// Types a line.
    #[track_caller]
    pub fn type_line(&mut self, line: &str) -> &mut Self {
        self.press(&format!("{line}\n"))
    }

    /// Waits for a prompt, then types a line.
    #[track_caller]
    pub fn answer(&mut self, prompt: &str, line: &str) -> &mut Self {
        self.wait_for(prompt).type_line(line)
    }

    /// Waits for a prompt, then presses Ctrl-C.
    #[track_caller]
    pub fn interrupt(&mut self, prompt: &str) -> &mut Self {
        self.wait_for(prompt).press(INTERRUPT)
    }

    /// Changes the size of the terminal, as a person does who drags its window; the program gets SIGWINCH.
    #[track_caller]
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.session.get_process_mut().set_window_size(columns, rows).unwrap();
        self.emulator.set_size(size(rows), size(columns));
        self
    }

    /// Returns what the screen shows: its rows without blanks at their ends, and without empty ones at the bottom.
    pub fn screen(&mut self) -> String {
        while self.read() {}
        let (_, columns) = self.emulator.screen().size();
        let rows: Vec<String> = self.emulator.screen().rows(0, columns.get()).collect();
        let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// Returns all that was written, with line ends as in files; escape sequences are in it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.written).replace("\r\n", "\n")
    }

    /// Returns whether what is typed is shown.
    pub fn echoes(&self) -> bool {
        self.session.get_process().get_echo().unwrap()
    }

    /// Returns the process id.
    pub fn id(&self) -> i32 {
        self.session.get_process().pid().as_raw()
    }

    /// Waits for the end of the program; returns all that was written, and the exit status: -1 after a signal.
    #[track_caller]
    pub fn end(&mut self) -> (String, i32) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            while self.read() {}
            match self.session.get_process().status().unwrap() {
                WaitStatus::Exited(_, code) => break code,
                WaitStatus::Signaled(..) => break -1,
                _ => {}
            }
            assert!(Instant::now() < deadline, "does not end:\n{}", self.text());
            thread::sleep(PAUSE);
        };
        // what it wrote last; a child of it may keep the terminal open
        while self.read() {}
        (self.text(), status)
    }
}
