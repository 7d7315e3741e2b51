//! Homes that cannot be used.

/// What is to be done about a home: its place, configuration, index or clock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Home {
    /// A directory that may be written to, or the service's user.
    OtherDirectory,
    /// A home made, or another named.
    MakeOrName,
    /// The same, where the environment may name it.
    MakeOrSet,
    /// The command run as the owner, who is not known.
    AsOwner,
    /// The command run as this user, as `sudo` takes it.
    As(String),
    /// Each of these commands of the system run, or what is safe done.
    Mend(Vec<String>),
    /// What mends it asked for.
    Examine,
    /// Configuration and profiles put back.
    PutBackPolicy,
    /// A file named, or configuration and profiles made.
    NamePolicyFile,
    /// The values corrected that a home is made with.
    FoundingValues,
    /// Another home to restore into, or this one moved aside and shown.
    EmptyTarget,
    /// An index made in a new home, or the home named.
    MakeIndex,
    /// The damage looked at, and the index restored.
    DamagedIndex,
    /// What keeps the index from being used looked for.
    UnusableIndex,
    /// The newest index brought back, or a backup restored.
    OlderIndex,
    /// What the CRL revokes taken over, and the audit looked at.
    TakeOverRevocations,
    /// What the index takes back revoked again, or the right index brought back.
    RevokeAgain,
    /// What was restored looked at and accepted.
    AcceptRestored,
    /// The clock set.
    SetClock,
    /// The clock set, or its time confirmed.
    ConfirmClock,
}
