//! Remedies for homes that cannot be used.

/// The remedy for a problem of a home: its directory, configuration, index or clock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Home {
    /// Choose a directory with write permission, or run as the service user.
    OtherDirectory,
    /// Initialize a home, or name another.
    MakeOrName,
    /// Initialize a home, or name another by option or environment variable.
    MakeOrSet,
    /// Run the command as the owner, whose name is unknown.
    AsOwner,
    /// Run the command as this user, in the form that `sudo` takes.
    As(String),
    /// Run each of these system commands, or have the safe repairs done.
    Mend(Vec<String>),
    /// Run the examination, which names the remedy.
    Examine,
    /// Restore missing configuration and profiles.
    PutBackPolicy,
    /// Name a file, or create configuration and profiles.
    NamePolicyFile,
    /// Correct the values that a home is initialized with.
    InitValues,
    /// Choose another home to restore into, or move this one aside and name it as a source of published data.
    EmptyTarget,
    /// Initialize an index in a new home, or name the home.
    MakeIndex,
    /// Have the damage examined, and restore the index.
    DamagedIndex,
    /// Find out what makes the index unusable.
    UnusableIndex,
    /// Put the newest index back, or restore a backup.
    OlderIndex,
    /// Record the revocations of the CRL, and check the audit records.
    TakeOverRevocations,
    /// Revoke again the certificates that the index lists as valid, or put the right index back.
    RevokeAgain,
    /// Check what was restored, and accept it.
    AcceptRestored,
    /// Set the clock.
    SetClock,
    /// Set the clock, or confirm its time.
    ConfirmClock,
}
