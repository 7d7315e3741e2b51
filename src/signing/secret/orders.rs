//! What a command says of passphrases, for whoever reads them.
use super::{NewPassphrases, PassphraseSources, SecretSource, SecretSpec};
use crate::signing::RecipientText;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Does something while another process uses the terminal.
pub type Aside = fn(&mut dyn FnMut());

/// Where the passphrases of CA keys come from. Nothing is read or opened to make it.
#[derive(Clone, Debug)]
pub struct PassphraseOrders {
    /// The source that the command names, or the configuration.
    pub default: SecretSpec,
    /// The sources that the configuration names for single CAs.
    pub authorities: BTreeMap<String, SecretSpec>,
    /// Where new ones come from, and how strong they have to be.
    pub new: NewPassphrases,
    /// Whether a person may be asked.
    pub attended: bool,
    /// The recipients to which new keys of single CAs are encrypted; other new keys have a passphrase.
    pub recipients: BTreeMap<String, Vec<RecipientText>>,
    /// The PKCS#11 modules of tokens that may ask for PINs.
    pub modules: Vec<PathBuf>,
    /// Keeps the terminal free while a person is asked.
    pub aside: Aside,
}

impl PassphraseOrders {
    /// Returns orders by which nobody is asked and no passphrase is there.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            default: SecretSpec::Prompt,
            authorities: BTreeMap::new(),
            new: NewPassphrases::default(),
            attended: false,
            recipients: BTreeMap::new(),
            modules: Vec::new(),
            aside: |act| act(),
        }
    }

    /// Returns the sources; `prompt` serves for [`SecretSpec::Prompt`]. Descriptors are duplicated here.
    #[must_use]
    pub fn sources<'a>(self, prompt: impl SecretSource + 'a) -> PassphraseSources<'a> {
        let default = self.default.source(prompt);
        let each = self.authorities.into_iter();
        each.fold(default, |sources, (name, spec)| sources.with_authority(&name, spec)).with_new(self.new)
    }
}
