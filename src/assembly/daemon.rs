//! Assembles `genfic-ocspd` from the published status, responder keys and public files of a home.
use super::daemon_places::{may_write, unusable_places};
use super::settings::{read_config, read_config_file};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, DaemonConfig, ListenAddress, LogConfig};
use crate::error::{Code, Problem};
use crate::home::{Home, verify_given};
use crate::ocsp::http::AccessLog;
use crate::ocsp::presigned::AnswerFile;
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::readiness::{Readiness, readiness};
use crate::ocsp::responder_files::ResponderFiles;
use crate::ocsp::rules::{Controls, Rules};
use crate::ocsp::served::ServedStatus;
use crate::ocsp::server::{Daemon, Listeners, ServerError};
use crate::ocsp::settings::{ResponderSettings, ServerSettings};
use crate::signer::{HolderTokens, Launching, ModuleTerms};
use crate::signing::{ResponderTokens, SecretSpec, Unattended};
use crate::status::StatusDirectory;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Command line options of the daemon, which override its configuration.
#[derive(Clone, Debug, Default)]
pub struct DaemonOptions {
    /// Where to listen instead of the configured addresses; none for the configured ones.
    pub listen: Vec<ListenAddress>,
    /// Directory of the published status, instead of the home's.
    pub status: Option<PathBuf>,
    /// Configuration file, instead of the home's.
    pub config: Option<PathBuf>,
    /// File of signed answers, which are served instead of the status. No key is read, and no configuration is needed.
    pub responses: Option<PathBuf>,
    /// Where the daemon remembers which file of answers it has served.
    pub state: Option<PathBuf>,
    /// Another user than the daemon's asks: what that user may write says nothing of the daemon.
    pub is_of_another: bool,
}

/// The configuration of the daemon, read and checked.
#[derive(Clone, Debug)]
pub struct DaemonSettings {
    /// `[log]`
    pub log: LogConfig,
    responder: ResponderSettings,
    metrics: Option<ListenAddress>,
    daemon: DaemonConfig,
    paths: Vec<String>,
    modules: Vec<PathBuf>,
}

impl DaemonSettings {
    /// Returns the settings in a configuration.
    pub(super) fn of(config: Config) -> Self {
        Self {
            log: config.log,
            responder: ResponderSettings::from(&config.ocsp),
            metrics: config.ocsp.metrics,
            daemon: config.daemon,
            paths: config.publication.paths(),
            modules: config.pkcs11.modules,
        }
    }

    /// What answers say.
    pub(super) fn responder(&self) -> &ResponderSettings {
        &self.responder
    }

    /// Returns the responders' certificates and keys in a home.
    pub(super) fn responders(&self, home: &Home) -> ResponderFiles {
        let files = ResponderFiles::new(home.responders_directory());
        if self.modules.is_empty() {
            return files;
        }
        let pin = self.daemon.pin_from.clone().unwrap_or_default();
        // a module may read the environment, and has no use for the PIN there: it gets that where it logs in
        let without: Vec<String> = match &pin {
            SecretSpec::Environment(variable) => vec![variable.clone()],
            _ => Vec::new(),
        };
        let launching = Launching::here(self.modules.clone(), &without).confined();
        let tokens = HolderTokens::new(launching, Arc::new(Unattended(pin)), ModuleTerms::Daemon);
        files.with_tokens(ResponderTokens::of(Arc::new(tokens)))
    }

    /// Where the daemon listens when systemd passes it no socket.
    #[must_use]
    pub fn listen(&self) -> &[ListenAddress] {
        &self.daemon.listen
    }

    /// Has a running daemon take what it can of these settings. Returns whether they have others, which count from the
    /// next start.
    pub fn take_up(&self, controls: &Controls, started_with: &Self, access: Option<AccessLog>) -> bool {
        controls.replace(self.responder.clone(), self.paths.clone(), access);
        self.daemon != started_with.daemon
            || self.metrics != started_with.metrics
            || self.log.format != started_with.log.format
    }
}

/// Reads the configuration of the daemon.
///
/// # Errors
/// When it cannot be read or is wrong.
pub fn daemon_settings(home: &Home, options: &DaemonOptions) -> Result<DaemonSettings, Problem> {
    let config = match (&options.responses, options.config.as_deref()) {
        (Some(_), None) if !home.configuration_file().exists() => Config::default(),
        (Some(_), file) => read_config_file(home, file)?,
        (None, file) => read_config(home, file)?,
    };
    let mut settings = DaemonSettings::of(config);
    if !options.listen.is_empty() {
        settings.daemon.listen.clone_from(&options.listen);
    }
    Ok(settings)
}

/// The status of a home has no answers that were signed beforehand.
impl ServedStatus for StatusDirectory {}

fn answer_file(path: &Path, options: &DaemonOptions) -> AnswerFile {
    AnswerFile::new(path.to_owned(), options.state.clone())
}

fn status_directory(home: &Home, options: &DaemonOptions) -> StatusDirectory {
    let given = options.status.clone();
    StatusDirectory::new(&given.unwrap_or_else(|| home.status_directory()))
}

/// Checks owners and modes of what the daemon reads: a daemon does not start on what others can change.
///
/// # Errors
/// `home.unsafe` (exit 10) with the commands that mend it.
pub fn verify_daemon_places(home: &Home, options: &DaemonOptions) -> Result<(), Problem> {
    home.verify_for_daemon(&options.status.clone().unwrap_or_else(|| home.status_directory()))?;
    let Some(file) = &options.responses else { return Ok(()) };
    verify_given(file, false).map_err(|finding| {
        Problem::new(Code::HomeUnsafe, format!("the file of answers {finding}")).hint(finding.remedy)
    })
}

/// The daemon, whatever it answers from.
pub enum AssembledDaemon {
    /// The published status, by which it signs.
    Status(Box<Daemon<StatusDirectory>>),
    /// A file of answers that were signed beforehand.
    Answers(Box<Daemon<AnswerFile>>),
}

impl AssembledDaemon {
    /// Returns the listeners, as [`Daemon::listeners`].
    ///
    /// # Errors
    /// As there.
    pub fn listeners(&self) -> Result<Listeners, ServerError> {
        match self {
            Self::Status(daemon) => daemon.listeners(),
            Self::Answers(daemon) => daemon.listeners(),
        }
    }

    /// Serves until it is told to stop, as [`Daemon::run`].
    ///
    /// # Errors
    /// As there.
    pub fn run(
        self,
        listeners: Listeners,
        ready: impl FnOnce(),
        stopping: impl FnOnce(),
        reload: impl Fn(&Controls) + Send + Sync + 'static,
    ) -> Result<(), ServerError> {
        match self {
            Self::Status(daemon) => daemon.run(listeners, ready, stopping, reload),
            Self::Answers(daemon) => daemon.run(listeners, ready, stopping, reload),
        }
    }
}

/// Makes the daemon for a home.
///
/// # Errors
/// When threads or signal handlers cannot be set up.
pub fn daemon(
    home: &Home,
    options: &DaemonOptions,
    settings: &DaemonSettings,
    access: Option<AccessLog>,
) -> Result<AssembledDaemon, Problem> {
    let files = PublicFiles::new(home.public_directory());
    let rules = Rules::new(settings.responder.clone(), settings.paths.clone(), access);
    let server =
        ServerSettings { metrics: settings.metrics.clone(), ..ServerSettings::from(&settings.daemon) };
    let clock = Arc::new(SystemClock);
    Ok(match &options.responses {
        Some(path) => {
            let source = answer_file(path, options);
            let daemon = Daemon::new(source, ResponderFiles::none(), files, rules, server, clock)?;
            AssembledDaemon::Answers(Box::new(daemon))
        }
        None => {
            let source = status_directory(home, options);
            let daemon = Daemon::new(source, settings.responders(home), files, rules, server, clock)?;
            AssembledDaemon::Status(Box::new(daemon))
        }
    })
}

/// Returns whether a daemon that started now would be ready, and what it would lack. It does not listen for that. A log
/// file or a Unix socket that could not be made is a reason why it would not be ready.
#[must_use]
pub fn check_daemon(home: &Home, options: &DaemonOptions, settings: &DaemonSettings) -> Readiness {
    let (files, now) = (PublicFiles::new(home.public_directory()), SystemClock.now());
    let mut found = match &options.responses {
        Some(path) => {
            let source = answer_file(path, options).only_looked_at();
            readiness(source, ResponderFiles::none(), files, &settings.responder, now)
        }
        None => {
            let source = status_directory(home, options);
            readiness(source, settings.responders(home), files, &settings.responder, now)
        }
    };
    let may_write = |path: &Path| options.is_of_another || may_write(path);
    found.reasons.extend(unusable_places(&settings.log, settings.listen(), &may_write));
    found
}
