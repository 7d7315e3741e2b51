//! Words about keys that are looked at, limited and handed out.
use crate::signing::{KeyDescription, KeyProtection, Protection, Stanza};
use crate::x509::UnixTime;
use serde::{Deserialize, Serialize};

/// What opens a key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WireProtection {
    /// A passphrase, with the binary logarithm of scrypt's N.
    Passphrase { log_n: Option<u8> },
    /// Identities: the words with which the stanzas of the recipients begin.
    Recipients { stanzas: Vec<String> },
    /// So many of so many shares.
    Shares { threshold: u8, shares: u8 },
    /// A PIN.
    Token,
}

/// What is told of a key that is not opened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct WireDescription {
    /// `null` when the key is not in its place.
    pub(crate) protection: Option<WireProtection>,
    /// When it was last used, in seconds since 1970.
    pub(crate) last_used: Option<i64>,
}

/// The word of an X25519 stanza.
const X25519: &str = "X25519";

impl From<&KeyProtection> for WireProtection {
    fn from(protection: &KeyProtection) -> Self {
        let word = |stanza: &Stanza| match stanza {
            Stanza::X25519 => X25519.to_owned(),
            Stanza::Other(word) => word.clone(),
        };
        match protection {
            KeyProtection::File(Protection::Passphrase { log_n }) => Self::Passphrase { log_n: *log_n },
            KeyProtection::File(Protection::Recipients(stanzas)) => {
                Self::Recipients { stanzas: stanzas.iter().map(word).collect() }
            }
            KeyProtection::Shares { threshold, shares } => {
                Self::Shares { threshold: *threshold, shares: *shares }
            }
            KeyProtection::Token => Self::Token,
        }
    }
}

impl From<WireProtection> for KeyProtection {
    fn from(protection: WireProtection) -> Self {
        let stanza = |word: String| if word == X25519 { Stanza::X25519 } else { Stanza::Other(word) };
        match protection {
            WireProtection::Passphrase { log_n } => Self::File(Protection::Passphrase { log_n }),
            WireProtection::Recipients { stanzas } => {
                Self::File(Protection::Recipients(stanzas.into_iter().map(stanza).collect()))
            }
            WireProtection::Shares { threshold, shares } => Self::Shares { threshold, shares },
            WireProtection::Token => Self::Token,
        }
    }
}

impl From<&KeyDescription> for WireDescription {
    fn from(described: &KeyDescription) -> Self {
        let protection = described.protection.as_ref().map(WireProtection::from);
        Self { protection, last_used: described.last_used.map(|at| at.0) }
    }
}

impl From<WireDescription> for KeyDescription {
    fn from(described: WireDescription) -> Self {
        let protection = described.protection.map(KeyProtection::from);
        Self { protection, last_used: described.last_used.map(UnixTime) }
    }
}
