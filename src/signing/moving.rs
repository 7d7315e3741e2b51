//! Keys that change their place: between the home and the signer that listens.
use super::{KeyError, KeyLimits, KeyRef};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, SerialNumber, UnixTime};

/// Who holds a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyHolder {
    /// The home: a file in `keys/`, which the child of a command opens.
    Home,
    /// The signer that listens, in its own directory.
    Service,
}

/// What is kept beside a key, and goes with it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeyBelongings {
    /// The number in its mark.
    pub mark: Option<CrlNumber>,
    /// The text of its envelope, TOML; `None` where none was made yet.
    pub envelope: Option<String>,
    /// The certificates of its CA.
    pub certificates: Vec<Certificate>,
}

/// A key that is to come to another place, by what it is known and bound there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComingKey {
    /// The reference there.
    pub key: KeyRef,
    /// The profile of its CA.
    pub profile: String,
    /// Beginnings of the URLs that the configuration has, to which its envelope is bound where it names none.
    pub urls: Vec<String>,
    /// The certificates of its CA.
    pub certificates: Vec<Certificate>,
    /// The text of its envelope, TOML: the one that it has, then the one that was confirmed.
    pub envelope: Option<String>,
}

/// A key that is in the signer that listens under a name, or that an administrator of this login has brought there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AwaitedKey {
    /// The reference there.
    pub(crate) key: KeyRef,
    /// The profile of the CA that it is for; empty where none was said.
    pub(crate) profile: String,
    /// Whether it is used there already.
    pub(crate) is_settled: bool,
}

impl AwaitedKey {
    /// Returns the profile of the CA that an administrator has said the key is for.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        Some(self.profile.as_str()).filter(|profile| !profile.is_empty())
    }
}

/// What a key used elsewhere, as far as it is not shown itself.
#[derive(Clone, Copy, Debug)]
pub struct UsedElsewhere<'a> {
    /// Serial numbers of certificates.
    pub serials: &'a [SerialNumber],
    /// Until when these may be valid.
    pub until: UnixTime,
    /// The highest CRL number, whether or not anybody has that CRL.
    pub crl_number: CrlNumber,
}

/// The answer of a place to a key that is to come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProposedEnvelope {
    /// The text of the envelope that the key gets there, TOML.
    pub text: String,
    /// What it says.
    pub limits: KeyLimits,
    /// Whether the key is there already.
    pub is_here: bool,
}

/// A store that hands keys over to another place. No key comes into this process: it passes an open descriptor on, unread.
pub trait MoveKeys {
    /// Returns the reference by which a holder knows a key; `None` for a key that cannot be held there.
    fn reference_at(&self, key: &KeyRef, holder: KeyHolder) -> Option<KeyRef>;

    /// Returns what is kept beside a key.
    ///
    /// # Errors
    /// When its place cannot be asked.
    fn belongings(&self, key: &KeyRef) -> Result<KeyBelongings, KeyError>;

    /// Asks the place to which a key is to come for the envelope that would bind it there. Nothing is changed.
    ///
    /// # Errors
    /// When the place cannot be asked, or the certificates are not those of the key.
    fn propose(&self, coming: &ComingKey) -> Result<ProposedEnvelope, KeyError>;

    /// Hands a key over, with its envelope. It is not used in its new place before [`MoveKeys::settle`].
    ///
    /// # Errors
    /// When an administrator has not allowed it, there is another key of this name, or a file cannot be written.
    fn hand_over(&self, from: &KeyRef, coming: &ComingKey) -> Result<(), KeyError>;

    /// Tells the new place which serial numbers the key has used, and up to which CRL number. A certificate that was not
    /// shown there is taken to be valid until this time.
    ///
    /// # Errors
    /// When a place cannot be asked.
    fn hand_memory_over(
        &self,
        from: &KeyRef,
        to: &KeyRef,
        until: UnixTime,
        mark: CrlNumber,
    ) -> Result<(), KeyError>;

    /// Returns the key that is in the signer that listens under the name of this CA, or was brought there for it by an
    /// administrator of this login; `None` where there is none, or no such signer.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn awaited(&self, authority: &str) -> Result<Option<AwaitedKey>, KeyError>;

    /// Tells the signer what a key that was brought to it has used elsewhere, which is the last of it.
    ///
    /// # Errors
    /// When it cannot be asked, or the CRL number is far above that of the last CRL that it was shown.
    fn tell_used(&self, key: &KeyRef, used: &UsedElsewhere<'_>) -> Result<(), KeyError>;

    /// Returns the SHA-256, in hexadecimal digits, of the file with which a key went to media from a place, as that
    /// remembers; `None` where it did not, or came back since.
    ///
    /// # Errors
    /// When the place cannot be asked.
    fn file_on_media(&self, key: &KeyRef) -> Result<Option<String>, KeyError>;

    /// Has a key used in the place to which it came. Returns whether this was a change.
    ///
    /// # Errors
    /// When the place cannot be asked.
    fn settle(&self, key: &KeyRef) -> Result<bool, KeyError>;

    /// Removes a key from the place that it left, or from one where it has not settled: unlinked, then overwritten.
    /// Returns whether there was one.
    ///
    /// # Errors
    /// When an administrator has not allowed it, or the file cannot be removed.
    fn remove_moved(&self, key: &KeyRef) -> Result<bool, KeyError>;
}
