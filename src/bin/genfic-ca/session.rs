//! An opened home together with the options and passphrase sources of one command.
use crate::cli::Global;
use crate::commands::clock_watch;
use crate::progress;
use crate::prompt::TerminalPrompt;
use genfic_ca::assembly::{self, Assembly, SignerKeys, Unopened};
use genfic_ca::ca::{Begun, CommandPurpose, Engine, Recovered};
use genfic_ca::ceremony::Medium;
use genfic_ca::config::Config;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{AuthorityName, Home};
use genfic_ca::index::CertificateRecord;
use genfic_ca::signing::{NewPassphrases, PassphraseOrders, PassphrasePolicy, PassphraseSources, SecretSpec};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a command works with.
pub(crate) struct Session {
    pub(crate) global: Global,
    engine: Engine,
    pub(crate) assembly: Assembly,
    keys: SignerKeys,
}

/// Returns the home that the options name.
pub(crate) fn home_of(global: &Global) -> Home {
    home_at(global.home.as_deref())
}

/// Returns the home in this directory, or that of the system.
pub(crate) fn home_at(directory: Option<&Path>) -> Home {
    directory.map_or_else(Home::system, Home::at)
}

/// Returns the sources that `--passphrase-from` and `--new-passphrase-from` name.
fn specs_of(global: &Global) -> Result<(Option<SecretSpec>, Option<SecretSpec>), Problem> {
    let given = global.passphrase_from.as_deref().map(str::parse::<SecretSpec>).transpose()?;
    let new = global.new_passphrase.as_ref().and_then(|new| new.new_passphrase_from.as_deref());
    let new = new.map(str::parse::<SecretSpec>).transpose().map_err(|error| {
        let problem = Problem::from(error);
        Problem { message: format!("--new-passphrase-from: {}", problem.message), ..problem }
    })?;
    Ok((given, new))
}

/// Returns where the passphrases of CA keys come from in a command; `known` are texts that somebody who guesses would try.
pub(crate) fn orders_of(
    global: &Global,
    config: &Config,
    known: Vec<String>,
) -> Result<PassphraseOrders, Problem> {
    let (given, from) = specs_of(global)?;
    let new = global.new_passphrase.clone().unwrap_or_default();
    if new.choice.generate && !matches!(from, None | Some(SecretSpec::Prompt | SecretSpec::File(_))) {
        return Err(Problem::new(Code::UsagePassphraseFrom, "a generated passphrase has no other source")
            .hint(
                "with --generate, --new-passphrase-from takes prompt, or file:PATH for a file to be made",
            ));
    }
    let policy = Arc::new(PassphrasePolicy { allows_weak: new.choice.weak_passphrase, known });
    let new = NewPassphrases { from, generates: new.choice.generate, policy: Some(policy) };
    let mut orders = assembly::passphrase_orders(config, given, new, !global.no_input && !global.json);
    if let Some((name, recipients)) = &global.recipients {
        if config.keys.signer_socket.is_some() {
            return Err(Problem::new(Code::Usage, "--recipient is for a key in a file of the home")
                .hint("leave it out: for a key of the service an administrator says it, genfic-ca key unlock NAME --new --recipient"));
        }
        orders.recipients.insert(name.clone(), recipients.clone());
    }
    if let Some((label, source)) = &global.pin {
        orders.authorities.insert(label.clone(), source.clone());
    }
    Ok(PassphraseOrders { aside: progress::yielding, ..orders })
}

impl Session {
    /// Opens the home for one command: checks disk space, owners and modes, configuration, profiles and index.
    /// [`Engine::run`] repairs what an earlier command left unfinished.
    pub(crate) fn open_for(
        global: &Global,
        purpose: CommandPurpose,
        keys: Option<SignerKeys>,
    ) -> Result<Self, Problem> {
        // a full disk is reported first, whatever else is wrong
        let home = Unopened::with_disk_reserve(home_of(global), purpose)?;
        Self::with(global, keys, |config| home.open(config))
    }

    /// Opens the home for reading, and repairs what an interrupted command left unfinished.
    pub(crate) fn open(global: &Global) -> Result<Self, Problem> {
        let session = Self::with(global, None, |config| Assembly::open(home_of(global), config))?;
        session.engine.begin()?;
        Ok(session)
    }

    fn with(
        global: &Global,
        keys: Option<SignerKeys>,
        open: impl FnOnce(Option<&Path>) -> Result<Assembly, Problem>,
    ) -> Result<Self, Problem> {
        // a source that is none is reported before anything is opened
        specs_of(global)?;
        let assembly = open(global.config.as_deref())?.watched(clock_watch(global));
        if let Some(medium) = global.keys.as_ref().filter(|medium| !medium.is_dir()) {
            return Err(Problem::new(Code::DirectoryMissing, format!("{} is no directory", medium.shown()))
                .hint("mount the medium, and give the directory in which it has the key"));
        }
        let keys = match keys {
            Some(keys) => keys,
            None => {
                let makes_keys = global.new_passphrase.is_some();
                let known = if makes_keys { assembly.known_texts() } else { Vec::new() };
                let config = &assembly.settings().config;
                SignerKeys::of(&assembly.home, config, &orders_of(global, config, known)?)
            }
        };
        let keys = match &global.keys {
            Some(medium) => {
                Medium::at(medium).verify()?;
                keys.with_medium(medium)
            }
            None => keys,
        };
        let engine = assembly.engine(&keys).counting(progress::step);
        Ok(Self { global: global.clone(), engine, assembly, keys })
    }

    /// Returns the use cases on this home, with the keys that are in this directory of a medium.
    pub(crate) fn engine_with_medium(&self, directory: &Path) -> Engine {
        self.assembly.engine(&self.keys.with_medium(directory)).counting(progress::step)
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

    /// Returns the CA keys, which a signer has.
    pub(crate) fn keys(&self) -> &SignerKeys {
        &self.keys
    }

    /// Returns the sources of passphrases of this command, for keys that are not those of CAs.
    pub(crate) fn secrets(&self) -> Result<PassphraseSources<'static>, Problem> {
        let orders = orders_of(&self.global, &self.assembly.settings().config, Vec::new())?;
        let prompt = TerminalPrompt::new(orders.attended);
        Ok(match orders.new.policy.clone() {
            Some(policy) => orders.sources(prompt.judging(policy)),
            None => orders.sources(prompt),
        })
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
        [faults.collect(), told(&begun.recovered), self.keys.take_notes()].concat()
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
