//! Mistakes of a person who types a passphrase.

/// Number of times that a person is asked for one passphrase in one command.
pub const TRIES: usize = 3;

/// The reason why what a person typed is no passphrase.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Mistyped {
    /// The end of the input, as Ctrl-D types it.
    #[error("nothing was typed")]
    Nothing,
    /// An empty line.
    #[error("the passphrase is empty")]
    Empty,
    /// Octets that are not UTF-8, or a NUL.
    #[error("what was typed is not text")]
    NotText,
    /// A new passphrase and its repetition differ.
    #[error("the two passphrases differ")]
    Differ,
    /// The passphrase does not open the key.
    #[error("what was typed does not open it")]
    Wrong,
    /// A generated passphrase was not typed as it was shown.
    #[error("what was typed is not the passphrase that was shown")]
    NotAsShown,
    /// A new passphrase is the file key of a key file.
    #[error("it is what `genfic-key open` writes, which opens one key file and protects none")]
    FileKey,
    /// A new passphrase is weak, for this reason.
    #[error("that is soon guessed: {0}")]
    Weak(String),
}

impl Mistyped {
    /// Returns what the person does instead.
    #[must_use]
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Nothing | Self::Empty | Self::NotText | Self::Wrong => "type the passphrase of this key",
            Self::Differ => "type the same passphrase twice",
            Self::NotAsShown => "write down what is shown, and type it as it is written there",
            Self::FileKey => "give the new passphrase a source of its own",
            Self::Weak(_) => "type several uncommon words",
        }
    }
}
