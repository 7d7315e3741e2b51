//! Errors as users read them: message, remedy, code and exit status.
//!
//! Modules have error types of their own where a caller can act on the difference. The use cases turn all of them
//! into a [`Problem`]: what is wrong, what to do, and a stable code and exit status.
mod code;
mod notice;
mod reason;
pub mod remedy;
mod similar;

pub use code::Code;
pub use notice::Notice;
pub use reason::Reason;
pub use remedy::Remedy;
pub(crate) use similar::suggested;
pub use similar::{did_you_mean, similar};

use std::borrow::Cow;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

macro_rules! exits {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $meaning:literal;)+) => {
        /// The exit status of a failed command. The numbers are part of the command line contract.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Exit {
            $($(#[$doc])* $name,)+
        }

        impl Exit {
            /// Every exit status but 0, by number.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the number.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $number,)+ }
            }

            /// Returns the meaning in a few words, for manuals.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }
        }
    };
}

exits! {
    /// Any failure without an exit status of its own.
    Failure = 1, "another failure";
    /// The command line is wrong, or a name in it matches more than one object.
    Usage = 2, "wrong usage, or more than one thing matches";
    /// Another process holds a lock; a retry may succeed.
    Busy = 3, "busy; try again";
    /// The object to be created exists already.
    Exists = 4, "exists already";
    /// The named object does not exist.
    NotFound = 5, "does not exist";
    /// A user or mapping does not exist. The status is reserved for commands about users, of which there is none yet.
    NoSuchUser = 6, "no such user or mapping";
    /// Policy forbids the operation.
    Refused = 7, "refused by policy";
    /// The passphrase or the key is not available.
    KeyUnavailable = 8, "passphrase or key unavailable";
    /// A confirmation or a value is needed and nobody can be asked.
    InputNeeded = 9, "an answer is needed and nobody can be asked";
    /// Owners or modes of files are unsafe.
    Permissions = 10, "unsafe owners or modes";
    /// A verification failed.
    NotVerified = 11, "a verification said no";
    /// The command is done and reports findings.
    Findings = 12, "done, with findings";
    /// The records contradict themselves, or the clock is behind them or far from them.
    Integrity = 13, "what is on record contradicts itself, or the clock is behind it or far from it";
}

/// A failure with everything that is shown to the user.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The kind of the error.
    pub code: Code,
    /// The exit status: that of the code, unless [`Problem::exiting`] has set another.
    pub exit: Exit,
    /// The message: one sentence without a full stop; further lines are details.
    pub message: String,
    /// The remedy; may be empty.
    pub hint: Remedy,
    /// The error that caused the problem; see [`Problem::because`].
    pub cause: Option<Cause>,
}

/// The error that caused a [`Problem`].
pub type Cause = Arc<dyn Error + Send + Sync>;

impl Problem {
    /// Returns a problem without a remedy; add one with [`Problem::hint`].
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, exit: code.exit(), message: in_words(message.into()), hint: Remedy::NONE, cause: None }
    }

    /// Returns the same problem with another exit status: that of an operation of which the problem is one part.
    #[must_use]
    pub fn exiting(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Returns a problem with the error's message, and the error as its cause.
    #[must_use]
    pub fn of(code: Code, error: impl Error + Send + Sync + 'static) -> Self {
        Self::new(code, error.to_string()).because(error)
    }

    /// Returns the same problem with this cause.
    #[must_use]
    pub fn because(self, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    /// Returns the same problem with this remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Remedy>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// Removes the numbers at the end of the system's messages: `No such file or directory (os error 2)`.
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

/// Paths and file names in messages.
pub trait Shown {
    /// Returns the path in a form that takes exactly one line.
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

/// A path to be shown: control characters are escaped, and `\xNN` stands for an octet that is not UTF-8.
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

/// Returns the text with control characters escaped, so that it takes one line and cannot move the cursor.
#[must_use]
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let written = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    Cow::Owned(text.chars().map(written).collect())
}

/// Text as character data of XML, or as the value of an attribute in double quotes; control characters, which XML does
/// not have, are left out.
#[must_use]
pub(crate) fn xml_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Compares everything but the cause.
impl PartialEq for Problem {
    fn eq(&self, other: &Self) -> bool {
        let told = |one: &Self| (one.code, one.exit, one.message.clone(), one.hint.clone());
        told(self) == told(other)
    }
}

impl Eq for Problem {}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| -> &(dyn Error + 'static) { cause.as_ref() })
    }
}

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
        let told = |message: &str| Problem::new(Code::FileNotRead, message).message;
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
