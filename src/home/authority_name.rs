//! The names of CAs in a home. They are part of file names and URLs.
use std::fmt;
use std::str::FromStr;

/// The short name of a CA, for example `genfic-user`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AuthorityName(String);

/// Reason why a text is not the name of a CA.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` cannot be the name of a CA: {reason}")]
pub struct InvalidAuthorityName {
    text: String,
    reason: &'static str,
}

/// Suffixes of a CA's files. A name that ended in one could be that of another CA's file.
const ENDINGS: [&str; 8] = [".pem", ".crt", ".crl", ".chain", ".crossed", ".delta", ".age", ".key"];

impl AuthorityName {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn fault(text: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if text.is_empty() || text.len() > 64 {
        Some("it has 1 to 64 characters")
    } else if !text.chars().all(allowed) {
        Some("it has lower-case letters, digits, `.`, `_` and `-` only")
    } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some("it begins with a letter or a digit")
    } else if text.contains("..") || text.ends_with('.') {
        Some("a dot stands between other characters")
    } else if ENDINGS.iter().any(|ending| text.ends_with(ending)) {
        Some("it does not end in .pem, .crt, .crl, .chain, .crossed, .delta, .age or .key")
    } else {
        None
    }
}

impl FromStr for AuthorityName {
    type Err = InvalidAuthorityName;

    fn from_str(text: &str) -> Result<Self, InvalidAuthorityName> {
        match fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(reason) => {
                let text = text.chars().take(80).flat_map(char::escape_debug).collect();
                Err(InvalidAuthorityName { text, reason })
            }
        }
    }
}

impl From<InvalidAuthorityName> for crate::error::Problem {
    fn from(error: InvalidAuthorityName) -> Self {
        Self::of(crate::error::Code::UsageAuthorityName, error)
            .hint("choose a name like genfic-user; the subject can say anything")
    }
}

impl fmt::Display for AuthorityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for AuthorityName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_safe_as_files_and_urls_are_taken() {
        for name in ["genfic", "genfic-user", "genfic_2", "a.b", "1", "genfic-user-g2", &"a".repeat(64)] {
            assert_eq!(name.parse::<AuthorityName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_would_leave_their_place_or_be_anothers_file_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "a..b",
            "a/b",
            "../a",
            "-a",
            ".a",
            "_a",
            "A",
            "é",
            "a b",
            "a\n",
            "a.",
            "a.crl",
            "a.crt",
            "a.pem",
            "a.chain",
            &"a".repeat(65),
        ] {
            assert!(name.parse::<AuthorityName>().is_err(), "{name:?}");
        }
    }
}
