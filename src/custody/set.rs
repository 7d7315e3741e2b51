//! What is kept beside a key file about its shares: `NAME.shares.toml`. Nothing in it is secret.
use super::share::Share;
use super::split::Numbers;
use crate::document::{self, Section};
use crate::x509::{UnixTime, sha256};
use std::fmt;

/// Version of the file.
const VERSION: i64 = 1;

/// The set of shares that open a key file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShareSet {
    key: String,
    set: String,
    numbers: Numbers,
    split: UnixTime,
    /// SHA-256 of the key file that they open.
    file: String,
    /// SHA-256 of each share.
    digests: Vec<String>,
}

/// The text is no record of a set of shares.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSet(String);

impl ShareSet {
    /// Returns the record of these shares, which open a key file with these contents; `None` without shares.
    #[must_use]
    pub fn new(key: &str, shares: &[Share], file: &[u8], split: UnixTime) -> Option<Self> {
        let first = shares.first()?;
        Some(Self {
            key: key.to_owned(),
            set: first.set(),
            numbers: first.numbers(),
            split,
            file: hex(&sha256(file)),
            digests: shares.iter().map(|share| hex(&share.digest())).collect(),
        })
    }

    /// Reads the record.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(text: &str) -> Result<Self, InvalidSet> {
        let read = document::read(text, |section| {
            let version = section.require_as("version", |version: i64| match version {
                VERSION => Ok(()),
                _ => Err("is of a later version of this program"),
            });
            let key = section.require_as("key", plain_name);
            let set = section.require_as("set", digits::<6>);
            let threshold = number(section, "threshold");
            let count = number(section, "shares");
            let split = section.require_as("split", |text: String| {
                UnixTime::parse(&text).ok_or("must be a time such as 2026-11-30T12:00:00Z")
            });
            let file = section.require_as("file_sha256", digits::<32>);
            let digests = section.require_list_as("digests", "digest", |text| digits::<32>(text.to_owned()));
            version?;
            let numbers = Numbers::new(threshold?, count?);
            let numbers = match numbers {
                Ok(numbers) if digests.len() == usize::from(numbers.count()) => numbers,
                Ok(_) => {
                    section.mistake("digests", "must be as many as there are shares");
                    return None;
                }
                Err(error) => {
                    section.mistake("threshold", error.to_string());
                    return None;
                }
            };
            Some(Self { key: key?, set: set?, numbers, split: split?, file: file?, digests })
        });
        let mistakes = |all: Vec<document::Mistake>| {
            InvalidSet(all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        };
        read.map_err(mistakes)?.ok_or_else(|| InvalidSet("it is not complete".into()))
    }

    /// Returns the name of the key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the name of the set.
    #[must_use]
    pub fn set(&self) -> &str {
        &self.set
    }

    /// Returns the numbers.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// Returns when the key was split.
    #[must_use]
    pub fn split_at(&self) -> UnixTime {
        self.split
    }

    /// Whether these are the contents of the key file that the shares open.
    #[must_use]
    pub fn is_of(&self, file: &[u8]) -> bool {
        self.file == hex(&sha256(file))
    }

    /// Whether this is a share of the set, as it was made.
    #[must_use]
    pub fn has(&self, share: &Share) -> bool {
        let at = usize::from(share.index()).checked_sub(1);
        let digest = at.and_then(|at| self.digests.get(at));
        share.set() == self.set && digest.is_some_and(|digest| *digest == hex(&share.digest()))
    }
}

/// Writes the file.
impl fmt::Display for ShareSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# The shares of the passphrase that opens {}.age. No share can be made from this file.",
            self.key
        )?;
        writeln!(f, "version = {VERSION}\nkey = \"{}\"\nset = \"{}\"", self.key, self.set)?;
        writeln!(f, "threshold = {}\nshares = {}", self.numbers.threshold(), self.numbers.count())?;
        writeln!(f, "split = \"{}\"\nfile_sha256 = \"{}\"\ndigests = [", self.split, self.file)?;
        for digest in &self.digests {
            writeln!(f, "    \"{digest}\",")?;
        }
        f.write_str("]\n")
    }
}

fn plain_name(text: String) -> Result<String, &'static str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if text.chars().all(is_plain) { Ok(text) } else { Err("must be the name of a key") }
}

fn number(section: &mut Section, key: &str) -> Option<u8> {
    section.require_as(key, |number: i64| u8::try_from(number).map_err(|_| "must be at most 255"))
}

fn digits<const OCTETS: usize>(text: String) -> Result<String, String> {
    let is_hex =
        text.len() == 2 * OCTETS && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    if is_hex { Ok(text) } else { Err(format!("must be {} hexadecimal digits", 2 * OCTETS)) }
}

fn hex(octets: &[u8]) -> String {
    base16ct::lower::encode_string(octets)
}
