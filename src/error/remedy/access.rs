//! Keys, backups and responders that are not reached.

/// What is to be named for a key, a backup or a responder to be reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// The source of the passphrase looked at.
    PassphraseSource,
    /// A source of the passphrase named.
    NamePassphraseSource,
    /// The identity of one of the recipients given.
    Identity,
    /// The address freed, or another chosen.
    OtherAddress,
    /// An address to listen on.
    Address,
    /// The responder's certificate renewed.
    RenewResponder,
    /// The URL of the responder.
    ResponderUrl,
}
