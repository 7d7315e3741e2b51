//! Arguments about keys that move between the home and the signer that listens.
use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
pub(crate) struct KeyMove {
    /// The CA; of several generations exactly this one [default: every CA whose key is in a file on the other side]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where to
    #[arg(long, value_name = "PLACE", value_enum)]
    pub(crate) to: KeyPlaceTo,
}

/// Who has the key then.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum KeyPlaceTo {
    /// The signer that listens, whose socket the configuration names
    Signer,
    /// This home, as a file in keys/
    Home,
}
