//! How an age file is protected, as its header says without being opened.
use std::fmt;

/// Bound of the header lines that are looked at; a recipient takes two or three.
const MOST_LINES: usize = 4096;

/// What opens an age file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Protection {
    /// A passphrase, with scrypt of N = 2^`log_n`.
    Passphrase {
        /// Binary logarithm of N; `None` when the header has no number there.
        log_n: Option<u8>,
    },
    /// The identity of any of these recipients.
    Recipients(Vec<Stanza>),
}

/// A recipient in the header: the file does not name it, only its kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stanza {
    /// An X25519 key pair.
    X25519,
    /// A recipient of a plugin or of another program, by the word with which its stanza begins.
    Other(String),
}

impl Protection {
    /// Reads the header of an age file; `None` for octets that are no such file.
    #[must_use]
    pub fn of(octets: &[u8]) -> Option<Self> {
        let lines = octets.split(|octet| *octet == b'\n').take(MOST_LINES);
        let mut lines = lines.map(|line| std::str::from_utf8(line).unwrap_or_default());
        if lines.next() != Some("age-encryption.org/v1") {
            return None;
        }
        let mut stanzas = Vec::new();
        for line in lines {
            if line.starts_with("--- ") {
                return (!stanzas.is_empty()).then_some(Self::Recipients(stanzas));
            }
            let Some(words) = line.strip_prefix("-> ") else { continue };
            let mut words = words.split(' ');
            match words.next() {
                Some("scrypt") => {
                    return Some(Self::Passphrase { log_n: words.nth(1).and_then(|n| n.parse().ok()) });
                }
                Some("X25519") => stanzas.push(Stanza::X25519),
                // the format has every writer add stanzas of no meaning now and then
                Some(word) if !word.ends_with("-grease") => stanzas.push(Stanza::Other(word.to_owned())),
                _ => {}
            }
        }
        None
    }

    /// Returns whether somebody who keeps a copy of the file could open it with a quantum computer one day: that is
    /// so for X25519, and unknown for others.
    #[must_use]
    pub fn may_be_harvested(&self) -> bool {
        matches!(self, Self::Recipients(_))
    }
}

/// Writes `passphrase, scrypt 2^18`, or the recipients: `2 recipients (X25519, piv-p256)`.
impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passphrase { log_n: Some(log_n) } => write!(f, "passphrase, scrypt 2^{log_n}"),
            Self::Passphrase { log_n: None } => f.write_str("passphrase"),
            Self::Recipients(stanzas) => {
                let s = if stanzas.len() == 1 { "" } else { "s" };
                let mut kinds: Vec<&str> = stanzas.iter().map(Stanza::kind).collect();
                kinds.dedup();
                write!(f, "{} recipient{s} ({})", stanzas.len(), kinds.join(", "))
            }
        }
    }
}

impl Stanza {
    /// Returns whether a plugin opens it, as its word says: not one of SSH, nor one of those that age itself has.
    #[must_use]
    pub fn is_of_plugin(&self) -> bool {
        matches!(self, Self::Other(word) if !word.starts_with("ssh-") && word != "mlkem768x25519")
    }

    fn kind(&self) -> &str {
        match self {
            Self::X25519 => "X25519",
            Self::Other(word) => word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_file_is_read_in_its_header() {
        // K1
        for (header, told) in [
            ("-> scrypt c2FsdA 18\nYm9keQ\n", "passphrase, scrypt 2^18"),
            ("-> scrypt c2FsdA x\nYm9keQ\n", "passphrase"),
            ("-> X25519 c2hhcmU\nYm9keQ\n", "1 recipient (X25519)"),
            (
                "-> X25519 a\nYg\n-> X25519 c\nZA\n-> piv-p256 e f\nZw\n-> x-grease z\n\n",
                "3 recipients (X25519, piv-p256)",
            ),
        ] {
            let file = format!("age-encryption.org/v1\n{header}--- mac\n\u{1}binary");
            assert_eq!(Protection::of(file.as_bytes()).unwrap().to_string(), told);
        }
        let plugin = |word: &str| Stanza::Other(word.to_owned()).is_of_plugin();
        assert!(plugin("piv-p256") && !Stanza::X25519.is_of_plugin());
        assert!(!plugin("ssh-ed25519") && !plugin("ssh-rsa") && !plugin("mlkem768x25519"));
        for other in
            ["", "age-encryption.org/v1\n", "age-encryption.org/v1\n--- mac\n", "-> X25519 a\n--- m\n"]
        {
            assert_eq!(Protection::of(other.as_bytes()), None, "{other}");
        }
    }
}
