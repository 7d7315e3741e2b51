//! Names of the files in the directory of CA keys.
use super::armor::decoded;
use super::mark;
use crate::home::AuthorityName;
use crate::index::KeyLocation;
use crate::signing::KeyRef;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Extension of a key file.
pub(super) const KEY: &str = "age";
/// Extension of a file with the highest CRL number used (the mark).
pub(super) const MARK: &str = "mark";
/// Extension of an encrypted key that comes here and is not used: what it signed elsewhere is not known yet.
pub(super) const COMING: &str = "coming";
/// Extension of one of which that is known, and which is not used yet.
pub(super) const READY: &str = "ready";
/// Former extension of a mark.
pub(super) const FORMER_MARK: &str = "crlnumber";

/// A file of the store, with the name of its CA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum KeyFile {
    /// `NAME.age`: the encrypted key.
    Key(AuthorityName),
    /// `NAME.mark`: the highest CRL number used with the key.
    Mark(AuthorityName),
    /// `NAME.crlnumber`: a mark under its former name.
    FormerMark(AuthorityName),
}

impl KeyFile {
    /// Bound of a key file, in octets; the largest key, an expanded one of ML-DSA-87, takes less than 8 KiB encrypted.
    pub(crate) const LARGEST: u64 = 64 * 1024;

    /// Returns the file under its current name.
    #[must_use]
    pub(crate) fn now(&self) -> Self {
        match self {
            Self::FormerMark(name) => Self::Mark(name.clone()),
            now => now.clone(),
        }
    }

    /// Returns whether the file contains a key.
    #[must_use]
    pub(crate) fn is_key(&self) -> bool {
        matches!(self, Self::Key(_))
    }

    /// Returns whether these octets begin as an age file does, as every key file is one, or are one that is armored.
    #[must_use]
    pub(crate) fn has_key(octets: &[u8]) -> bool {
        is_age(octets) || decoded(octets).is_some_and(|octets| is_age(&octets))
    }
}

fn is_age(octets: &[u8]) -> bool {
    octets.starts_with(b"age-encryption.org/v1\n")
}

/// Returns the path of a key's file in a directory of keys; `None` for any URI but that of a key file there.
pub(super) fn path_in(directory: &Path, key: &KeyRef) -> Option<PathBuf> {
    let KeyLocation::File(name) = key.location() else { return None };
    let file: KeyFile = name.parse().ok()?;
    file.is_key().then(|| directory.join(file.to_string()))
}

/// Returns the paths of the files of a key in a directory of keys, whether or not they exist: the key file first. None
/// of them is looked at.
pub(crate) fn files_in(directory: &Path, key: &KeyRef) -> Vec<PathBuf> {
    let Some(path) = path_in(directory, key) else { return Vec::new() };
    let marks = mark::places(&path);
    // of a key that was split in place
    let shares = record_of_shares(&path);
    [path, shares].into_iter().chain(marks).collect()
}

/// Returns the path of the record of the shares beside this key file.
pub(super) fn record_of_shares(key: &Path) -> PathBuf {
    key.with_extension("shares.toml")
}

/// Writes the name of the file.
impl fmt::Display for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(name) => write!(f, "{name}.{KEY}"),
            Self::Mark(name) => write!(f, "{name}.{MARK}"),
            Self::FormerMark(name) => write!(f, "{name}.{FORMER_MARK}"),
        }
    }
}

impl FromStr for KeyFile {
    type Err = ();

    /// Returns an error for a name that is not one of the store's files.
    fn from_str(file: &str) -> Result<Self, ()> {
        let (name, ending) = file.rsplit_once('.').ok_or(())?;
        let name = name.parse().map_err(drop)?;
        match ending {
            KEY => Ok(Self::Key(name)),
            MARK => Ok(Self::Mark(name)),
            FORMER_MARK => Ok(Self::FormerMark(name)),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_store_is_known_by_its_name() {
        for (file, now, is_key) in [
            ("genfic.age", "genfic.age", true),
            ("genfic.g2.mark", "genfic.g2.mark", false),
            ("a.crlnumber", "a.mark", false),
        ] {
            let known: KeyFile = file.parse().unwrap();
            assert_eq!((known.to_string(), known.now().to_string()), (file.to_owned(), now.to_owned()));
            assert_eq!(known.is_key(), is_key, "{file}");
        }
        for other in ["", ".age", "age", "a.waiting", "a.age.aside", "A B.age", "../a.age"] {
            assert!(other.parse::<KeyFile>().is_err(), "{other}");
        }
    }
}
