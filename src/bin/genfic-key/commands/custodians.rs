//! Passphrases of custodians, each for a share.
use crate::cli::Global;
use crate::prompt::TerminalPrompt;
use genfic_ca::error::{Code, Problem};
use genfic_ca::signing::{PassphraseSources, Secret, SecretPurpose, SecretSource as _, SecretSpec};

/// The sources of these passphrases: one for all, one for each in their order, or the terminal.
pub(super) struct Custodians {
    sources: Vec<PassphraseSources<'static>>,
    given: usize,
}

impl Custodians {
    pub(super) fn new(global: &Global, specs: &[String]) -> Result<Self, Problem> {
        let source = |spec: SecretSpec| spec.source(TerminalPrompt::new(!global.no_input && !global.json));
        let specs: Vec<SecretSpec> = specs.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        let sources = if specs.is_empty() {
            vec![source(SecretSpec::Prompt)]
        } else {
            specs.into_iter().map(source).collect()
        };
        Ok(Self { sources, given: 0 })
    }

    /// Returns the next passphrase.
    pub(super) fn next(&mut self, purpose: &SecretPurpose) -> Result<Secret, Problem> {
        let at = if self.sources.len() == 1 { 0 } else { self.given };
        self.given += 1;
        let Some(source) = self.sources.get(at) else {
            let message = format!("there is no source for the passphrase of {}", purpose.key());
            return Err(Problem::new(Code::UsagePassphraseFrom, message)
                .hint("--share-passphrase-from is given once, or once for each share"));
        };
        Ok(source.secret(purpose)?)
    }

    /// Takes note that the last passphrase for this purpose was wrong; returns whether a person is asked again.
    pub(super) fn try_again(&mut self, purpose: &SecretPurpose) -> bool {
        let at = if self.sources.len() == 1 { 0 } else { self.given.saturating_sub(1) };
        let again = self.sources.get(at).is_some_and(|source| source.try_again(purpose));
        if again {
            self.given = self.given.saturating_sub(1);
        }
        again
    }
}
