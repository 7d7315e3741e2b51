//! An opened home together with the options and passphrase sources of one command.
use crate::cli::Global;
use crate::commands::clock_watch;
use crate::prompt::TerminalPrompt;
use genfic_ca::assembly::{self, Assembly, Unopened};
use genfic_ca::ca::{Begun, CommandPurpose, Engine, Recovered};
use genfic_ca::error::Problem;
use genfic_ca::home::{AuthorityName, Home};
use genfic_ca::index::CertificateRecord;
use genfic_ca::signing::{PassphraseSources, SecretSpec};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a command works with.
pub(crate) struct Session {
    pub(crate) global: Global,
    engine: Engine,
    pub(crate) assembly: Assembly,
    secrets: Arc<PassphraseSources<'static>>,
}

/// Returns the home that the options name.
pub(crate) fn home_of(global: &Global) -> Home {
    global.home.as_ref().map_or_else(Home::system, Home::at)
}

impl Session {
    /// Opens the home for one command: checks disk space, owners and modes, configuration, profiles and index.
    /// [`Engine::run`] repairs what an earlier command left unfinished.
    pub(crate) fn open_for(global: &Global, purpose: CommandPurpose) -> Result<Self, Problem> {
        // a full disk is reported first, whatever else is wrong
        let home = Unopened::with_disk_reserve(home_of(global), purpose)?;
        Self::with(global, |config| home.open(config))
    }

    /// Opens the home for reading, and repairs what an interrupted command left unfinished.
    pub(crate) fn open(global: &Global) -> Result<Self, Problem> {
        let session = Self::with(global, |config| Assembly::open(home_of(global), config))?;
        session.engine.begin()?;
        Ok(session)
    }

    fn with(
        global: &Global,
        open: impl FnOnce(Option<&Path>) -> Result<Assembly, Problem>,
    ) -> Result<Self, Problem> {
        let given = global.passphrase_from.as_deref().map(str::parse::<SecretSpec>).transpose()?;
        let assembly = open(global.config.as_deref())?.watched(clock_watch(global));
        let prompt = TerminalPrompt::new(!global.no_input && !global.json);
        let secrets = Arc::new(assembly::secret_sources(&assembly.settings().config, given, prompt));
        let engine = assembly.engine(secrets.clone());
        Ok(Self { global: global.clone(), engine, assembly, secrets })
    }

    /// Returns the use cases on this home.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the CAs among whose certificates a name is looked up: all generations when it names the first
    /// generation, else the named one only.
    pub(crate) fn meant(&self, name: &str) -> Result<Vec<String>, Problem> {
        let generations = self.engine().hierarchy().generations(name)?;
        let is_first = generations.first().is_some_and(|first| first.name == name);
        Ok(if is_first {
            generations.into_iter().map(|one| one.name).collect()
        } else {
            vec![name.to_owned()]
        })
    }

    /// Returns the sources of passphrases.
    pub(crate) fn secrets(&self) -> &PassphraseSources<'static> {
        &self.secrets
    }

    /// Returns the stored file of a certificate on record. `None` stands for a certificate that was never issued, and
    /// for roots and responders, which are stored in other directories.
    pub(crate) fn issued_file(&self, record: &CertificateRecord) -> Option<PathBuf> {
        let name = record.authority.parse::<AuthorityName>().ok()?;
        let file = self.assembly.home.issued_file(&name, &record.id.serial_number);
        file.is_file().then_some(file)
    }

    /// Returns further warnings: what was repaired at the beginning, and about the given passphrases.
    pub(crate) fn notes(&self, begun: &Begun) -> Vec<String> {
        let faults =
            self.assembly.faults().map(|problem| format!("{}; this held nothing up", problem.message));
        [faults.collect(), told(&begun.recovered), self.secrets.take_notes()].concat()
    }
}

/// Returns what was repaired after an interrupted command, and what could not be repaired.
fn told(recovered: &Recovered) -> Vec<String> {
    let mut said = Vec::new();
    if recovered.abandoned > 0 {
        said.push(format!(
            "{} certificates that a command did not live to sign were abandoned; they count as revoked",
            recovered.abandoned
        ));
    }
    said.extend(recovered.repeated.iter().cloned());
    said.extend(recovered.owed.iter().map(|problem| problem.message.clone()));
    said
}
