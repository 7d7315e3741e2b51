//! Arguments about the passphrases of keys.
use super::unlocking::SignerSocket;
use clap::Args;

/// Which new passphrase it is, whatever it is for.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct PassphraseChoice {
    /// Generate the passphrase, six words: shown once on the terminal, or written into the new file that file:PATH names
    #[arg(long)]
    pub(crate) generate: bool,
    /// Take a passphrase although it is soon guessed
    #[arg(long)]
    pub(crate) weak_passphrase: bool,
}

impl PassphraseChoice {
    /// Returns it with its source, `--new-passphrase-from`.
    pub(crate) fn from(self, source: Option<&String>) -> NewPassphrase {
        NewPassphrase { new_passphrase_from: source.cloned(), choice: self }
    }
}

/// How the passphrase of a new key is given.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct NewPassphrase {
    /// Another source of the new key's passphrase than --passphrase-from
    #[arg(long, value_name = "SPEC")]
    pub(crate) new_passphrase_from: Option<String>,
    #[command(flatten)]
    pub(crate) choice: PassphraseChoice,
}

impl NewPassphrase {
    /// Whether any of these options was given.
    pub(crate) fn is_given(&self) -> bool {
        self.new_passphrase_from.is_some() || self.choice.generate || self.choice.weak_passphrase
    }
}

#[derive(Args, Debug)]
pub(crate) struct KeyPassphrase {
    /// The CA; of several generations exactly this one
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) names: Vec<String>,
    /// All CAs whose keys are here
    #[arg(long)]
    pub(crate) all: bool,
    /// Where the new passphrase comes from [default: the terminal]; --passphrase-from is for the old one
    #[arg(long, value_name = "SPEC")]
    pub(crate) new_passphrase_from: Option<String>,
    #[command(flatten)]
    pub(crate) choice: PassphraseChoice,
    /// The key is in the signer that listens: as yourself, without sudo -u
    #[arg(long, conflicts_with_all = ["all", "generate", "weak_passphrase"])]
    pub(crate) service: bool,
    #[command(flatten)]
    pub(crate) signer: SignerSocket,
}

impl KeyPassphrase {
    /// Returns how the new passphrase is given.
    pub(crate) fn new_passphrase(&self) -> NewPassphrase {
        self.choice.from(self.new_passphrase_from.as_ref())
    }
}
