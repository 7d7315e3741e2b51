//! Remedies when a key, a backup or a responder is not accessible.

/// The value that has to be given to access a key, a backup or a responder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// Check the source of the passphrase.
    PassphraseSource,
    /// Name a source of the passphrase.
    NamePassphraseSource,
    /// Give the identity of one of the recipients.
    Identity,
    /// Free the address, or choose another.
    OtherAddress,
    /// Name an address to listen on.
    Address,
    /// Renew the responder's certificate.
    RenewResponder,
    /// Name the URL of the responder.
    ResponderUrl,
}
