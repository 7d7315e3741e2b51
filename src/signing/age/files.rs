//! The files of the store: what each is, by its name in the directory of the keys.
use crate::home::AuthorityName;
use std::fmt;
use std::str::FromStr;

/// How the name of a key ends.
pub(super) const KEY: &str = "age";
/// How that of a mark ends.
pub(super) const MARK: &str = "mark";
/// How that of a mark ended before.
pub(super) const FORMER_MARK: &str = "crlnumber";

/// A file of the store, by the CA whose key it belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum KeyFile {
    /// `NAME.age`: the key.
    Key(AuthorityName),
    /// `NAME.mark`: the mark beside it.
    Mark(AuthorityName),
    /// `NAME.crlnumber`, as the mark was called before.
    FormerMark(AuthorityName),
}

impl KeyFile {
    /// What it is called now.
    #[must_use]
    pub(crate) fn now(&self) -> Self {
        match self {
            Self::FormerMark(name) => Self::Mark(name.clone()),
            now => now.clone(),
        }
    }

    /// Whether it has a key in it.
    #[must_use]
    pub(crate) fn is_key(&self) -> bool {
        matches!(self, Self::Key(_))
    }

    /// Whether these octets begin as those of a key do.
    #[must_use]
    pub(crate) fn has_key(octets: &[u8]) -> bool {
        octets.starts_with(b"age-encryption.org/v1\n")
    }
}

/// The name of the file.
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

    /// Says no to what is none of the store's.
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
