//! An opened home and who is at work in it.
use crate::cli::Global;
use crate::prompt::TerminalPrompt;
use genfic_ca::assembly::{self, Assembly};
use genfic_ca::ca::Pki;
use genfic_ca::home::{AuthorityName, Home};
use genfic_ca::index::CertificateRecord;
use genfic_ca::key::{PassphraseSources, SecretSpec};
use genfic_ca::problem::Problem;
use std::path::PathBuf;

/// What a command works with.
pub(crate) struct Session {
    pub(crate) global: Global,
    pub(crate) assembly: Assembly,
    secrets: PassphraseSources<'static>,
}

/// The home that the options name.
pub(crate) fn home_of(global: &Global) -> Home {
    global.home.as_ref().map_or_else(Home::system, Home::at)
}

impl Session {
    /// Opens the home: owners and modes, configuration, profiles, index; then puts right what a command that
    /// was cut short left behind.
    pub(crate) fn open(global: &Global) -> Result<Self, Problem> {
        let given = global.passphrase_from.as_deref().map(str::parse::<SecretSpec>).transpose()?;
        let home = home_of(global);
        let config = assembly::read_config(&home, global.config.as_deref())?;
        let prompt = TerminalPrompt::new(!global.no_input && !global.json);
        let secrets = assembly::secret_sources(&config, given, prompt);
        let assembly = Assembly::open(home, config)?;
        let session = Self { global: global.clone(), assembly, secrets };
        session.pki().recover()?;
        Ok(session)
    }

    /// The use cases over this home.
    pub(crate) fn pki(&self) -> Pki<'_> {
        self.assembly.pki(&self.secrets)
    }

    /// Where a certificate on record is kept; `None` for one that never came to be, and for those that are
    /// kept elsewhere: roots and responders.
    pub(crate) fn issued_file(&self, record: &CertificateRecord) -> Option<PathBuf> {
        let name = record.authority.parse::<AuthorityName>().ok()?;
        let file = self.assembly.home.issued_file(&name, &record.id.serial_number);
        file.is_file().then_some(file)
    }

    /// What is worth saying about the passphrases that were given.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.secrets.take_notes()
    }
}
