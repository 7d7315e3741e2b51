//! What is asked of a store of keys beside signatures: how a key is protected, what limits it, and its way out.
use super::{KeyError, KeyRef, Protection};
use crate::x509::{UnixTime, sha256};
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;

/// What opens a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyProtection {
    /// What opens the age file that it is in.
    File(Protection),
    /// A number of the shares of a split passphrase.
    Shares {
        /// How many of them open it.
        threshold: u8,
        /// How many there are.
        shares: u8,
    },
    /// The PIN of the token that it never leaves.
    Token,
}

impl KeyProtection {
    /// Returns the numbers of the shares that open a key file with these contents, when this is the text of its record.
    #[must_use]
    pub(crate) fn by_shares(record: &[u8], octets: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(record).ok()?;
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let digest = base16ct::lower::encode_string(&sha256(octets));
        if value("file_sha256")? != digest {
            return None;
        }
        let (threshold, shares) = (value("threshold")?.parse().ok()?, value("shares")?.parse().ok()?);
        Some(Self::Shares { threshold, shares })
    }
}

/// What a store tells of a key without opening it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeyDescription {
    /// What opens the key; `None` when the key is not in its place.
    pub protection: Option<KeyProtection>,
    /// When a certificate or a CRL was last to be signed with it, as the signer remembers; `None` when it remembers none.
    pub last_used: Option<UnixTime>,
}

/// The envelope of a key: the most that it ever signs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLimits {
    /// Name of the profile of the CA.
    pub profile: String,
    /// Whether it signs certificates of CAs.
    pub certifies_cas: bool,
    /// Greatest pathLenConstraint of such a certificate; `None` for no bound.
    pub path_length: Option<u8>,
    /// The extended key usages that it grants; `None` for any.
    pub extended_key_usage: Option<Vec<String>>,
    /// Longest validity of a certificate, in days.
    pub longest_days: i64,
    /// Longest time from thisUpdate to nextUpdate of a CRL, in days.
    pub longest_crl_days: i64,
    /// The same for a CRL that a timer asks for.
    pub timer_crl_days: i64,
    /// Subtrees (RFC 5280 §4.2.1.10) that names are below; `None` for any name.
    pub permitted: Option<Vec<String>>,
    /// Beginnings of the URLs that certificates name; `None` for any.
    pub urls: Option<Vec<String>>,
    /// Number of certificates in 24 hours.
    pub certificates_a_day: u64,
}

/// The envelope of a key, and as it would be with other values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LimitsChange {
    /// As it is.
    pub before: KeyLimits,
    /// As it would be.
    pub after: KeyLimits,
    /// Whether the key would sign something that it does not sign now.
    pub is_wider: bool,
}

/// A store whose keys are described, limited, and handed out.
pub trait AdministerKeys {
    /// Tells what is known of a key without opening it.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn describe(&self, key: &KeyRef) -> Result<KeyDescription, KeyError>;

    /// Writes the private key into an empty file that is open here and that its owner alone can read: PKCS#8 in PEM,
    /// encrypted with a passphrase that the store asks for. The store's journal has it before.
    ///
    /// # Errors
    /// When the key is not here or does not open, or the file cannot be written.
    fn export(&self, key: &KeyRef, file: OwnedFd) -> Result<(), KeyError>;

    /// Notes in the store's journal that another program is about to protect a key anew, as its words say.
    ///
    /// # Errors
    /// When the journal cannot be written.
    fn note_protection(&self, key: &KeyRef, how: &str) -> Result<(), KeyError>;

    /// Returns the envelope of a key, and as it would be with these fields set to these values.
    ///
    /// # Errors
    /// When there is no envelope, or a field or value is none.
    fn limits(&self, key: &KeyRef, settings: &[(String, String)]) -> Result<LimitsChange, KeyError>;

    /// Sets fields of the envelope of a key. The store's journal has it before.
    ///
    /// # Errors
    /// As [`AdministerKeys::limits`]; when the envelope is not `before` any more.
    fn set_limits(
        &self,
        key: &KeyRef,
        settings: &[(String, String)],
        before: &KeyLimits,
    ) -> Result<(), KeyError>;
}
