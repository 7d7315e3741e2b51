//! What is told to a person when something cannot be done.
//!
//! Modules have error types of their own where a caller can act on the difference; at the use cases all
//! of them become a [`Problem`]: what is wrong, what to do, and a stable code and exit status.
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The process exit status of a failure; the numbers are part of the command line contract.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Exit {
    /// Something else failed.
    Failure = 1,
    /// The command line is wrong, or names more than one thing.
    Usage = 2,
    /// Another process is at it; trying again may help.
    Busy = 3,
    /// What was to be made is there already.
    Exists = 4,
    /// What was named is not there.
    NotFound = 5,
    /// No such user or mapping.
    NoSuchUser = 6,
    /// Policy forbids it.
    Refused = 7,
    /// The passphrase or the key cannot be had.
    KeyUnavailable = 8,
    /// A confirmation or a value is needed and nobody can be asked.
    InputNeeded = 9,
    /// Owners or modes of files are unsafe.
    Permissions = 10,
    /// A verification said no.
    NotVerified = 11,
    /// Done, and there is something to look at.
    Findings = 12,
    /// What is on record contradicts itself.
    Integrity = 13,
}

impl Exit {
    /// The number itself.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Busy => 3,
            Self::Exists => 4,
            Self::NotFound => 5,
            Self::NoSuchUser => 6,
            Self::Refused => 7,
            Self::KeyUnavailable => 8,
            Self::InputNeeded => 9,
            Self::Permissions => 10,
            Self::NotVerified => 11,
            Self::Findings => 12,
            Self::Integrity => 13,
        }
    }
}

/// A failure, ready to be shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Stable dotted name, for example `policy.weak-key`.
    pub code: &'static str,
    /// The exit status.
    pub exit: Exit,
    /// What is wrong, one sentence without a full stop; further lines are details.
    pub message: String,
    /// What to do; may be empty when nothing helps.
    pub hint: String,
}

impl Problem {
    /// A problem without a remedy yet; add one with [`Problem::hint`].
    #[must_use]
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, exit, message: in_words(message.into()), hint: String::new() }
    }

    /// The same problem, with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = in_words(hint.into());
        self
    }
}

/// The message without the numbers that the system's errors end in: `No such file or directory (os error 2)`.
#[must_use]
pub fn in_words(message: String) -> String {
    const NUMBER: &str = " (os error ";
    if !message.contains(NUMBER) {
        return message;
    }
    let mut parts = message.split(NUMBER);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.chars().all(|digit| digit.is_ascii_digit()) => out.push_str(rest),
            _ => out.extend([NUMBER, part]),
        }
    }
    out
}

/// Paths and file names as they are told to people.
pub trait Shown {
    /// On one line, whatever is in it.
    fn shown(&self) -> ShownPath<'_>;
}

impl Shown for Path {
    fn shown(&self) -> ShownPath<'_> {
        ShownPath(self.as_os_str())
    }
}

impl Shown for OsStr {
    fn shown(&self) -> ShownPath<'_> {
        ShownPath(self)
    }
}

/// What [`Shown::shown`] gives: control characters are written out, and `\xNN` stands for octets that are no UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct ShownPath<'a>(&'a OsStr);

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for chunk in self.0.as_bytes().utf8_chunks() {
            text.push_str(&on_one_line(chunk.valid()));
            for octet in chunk.invalid() {
                write!(text, "\\x{octet:02x}")?;
            }
        }
        f.pad(&text)
    }
}

/// Text with its control characters written out, so that it is one line and moves no cursor.
#[must_use]
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let written = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    Cow::Owned(text.chars().map(written).collect())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_on_one_line_whatever_is_in_it() {
        let told = |octets: &[u8]| Path::new(OsStr::from_bytes(octets)).shown().to_string();
        for (octets, text) in [
            (&b"/a b/it's.crt"[..], "/a b/it's.crt"),
            ("/é".as_bytes(), "/é"),
            (b"a\nb\x1b[2J", "a\\nb\\u{1b}[2J"),
            (b"\xff\xfe.req", "\\xff\\xfe.req"),
            (b"caf\xe9/x", "caf\\xe9/x"),
        ] {
            assert_eq!(told(octets), text);
        }
        assert_eq!(on_one_line("a\tb\u{85}"), "a\\tb\\u{85}");
    }

    #[test]
    fn the_systems_errors_are_told_in_words() {
        let told = |message: &str| Problem::new(Exit::Failure, "file.read", message).message;
        assert_eq!(
            told("a cannot be read: Permission denied (os error 13)"),
            "a cannot be read: Permission denied"
        );
        assert_eq!(told("a: No (os error 2); b: No (os error 2)\nc"), "a: No; b: No\nc");
        let error = std::io::Error::from_raw_os_error(2).to_string();
        assert_eq!(told(&error), "No such file or directory");
        for other in ["in words", "`x (os error y)`", "cut (os error 2"] {
            assert_eq!(told(other), other);
        }
    }
}
