//! Remedies when a key, a backup, a responder or a file is not accessible.

/// The value that has to be given to access a key, a backup, a responder or a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// Check the source of the passphrase.
    PassphraseSource,
    /// Name a source of the passphrase.
    NamePassphraseSource,
    /// Name a source of the new passphrase.
    NameNewPassphraseSource,
    /// Name a file into which the generated passphrase is written.
    NameFileForNewPassphrase,
    /// Choose a stronger passphrase, have one generated, or accept the weak one.
    StrongerPassphrase,
    /// Install the signer of the same version beside the program.
    Signer,
    /// Start the signer that listens, or name its socket.
    SignerSocket,
    /// Start the signer that listens for the CA's user.
    SignerService,
    /// Name the socket of the signer that listens in the configuration.
    NameSigner,
    /// Have the signer that listens change the passphrase of this CA's key.
    PassphraseInService(String),
    /// Raise the limit of locked memory, or run it where the system confines it.
    SignerLimits,
    /// Unlock the key of this name, for this kind of signatures where one is named.
    Unlock(String, Option<String>),
    /// Give the identity of one of the recipients.
    Identity,
    /// Have the source of the passphrase give the identity of one of the key file's recipients.
    KeyIdentity,
    /// Have the key opened by the program that executes plugins.
    OpenByPlugin,
    /// Bring a medium with the key of this CA, and name its directory; or have a ceremony.
    BringMedium(String),
    /// Bring the key of this CA back from its medium.
    BringKeyBack(String),
    /// Move the key of this CA from the signer that listens into the home.
    MoveKeyHome(String),
    /// Have an administrator take the key of this CA from the signer that listens to media.
    TakeKeyToMedia(String),
    /// Name a medium of the key of this CA that this user may read.
    ReadableMedium(String),
    /// Complete the move of the key of this CA, which goes to the signer that listens if this is true and into the home
    /// otherwise; or give it up.
    FinishMove(String, bool),
    /// Name a directory on another medium, or a free one on this.
    OtherMedium,
    /// Free the address, or choose another.
    OtherAddress,
    /// Name an address to listen on.
    Address,
    /// Examine the home, and repair what is found.
    ExamineHome,
    /// Renew the responder's certificate.
    RenewResponder,
    /// Issue a responder certificate for this CA.
    IssueResponder(String),
    /// Name the URL of the responder.
    ResponderUrl,
    /// Work in a directory that both users may use, or hand files over by standard input and output.
    SharedDirectory,
}
