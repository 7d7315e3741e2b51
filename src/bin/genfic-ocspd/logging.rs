//! The logs of the daemon, set up from its configuration and set up again on SIGHUP.
use crate::detail::{filter, levels};
use crate::log::{Kind, Log};
use crate::output::Output;
use genfic_ca::config::{LogConfig, LogFormat, LogTarget};
use genfic_ca::error::Problem;
use genfic_ca::ocsp::http::AccessLog;
use genfic_ca::ocsp::server::ServerError;
use std::io::{IsTerminal, stderr};
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

/// The log of events, and what changes its levels.
pub(crate) struct Logging {
    log: Log,
    refilter: Box<dyn Fn(Targets) + Send + Sync>,
}

impl Logging {
    /// Sends events to this log, in the configured form.
    ///
    /// # Errors
    /// When the environment names no level, or a log file cannot be opened.
    pub(crate) fn start(log: &Log, config: &LogConfig) -> Result<Self, Problem> {
        let levels = filter(&levels(&config.level)?);
        log.switch(Output::open(&config.target)?);
        let writer = {
            let log = log.clone();
            move || log.clone()
        };
        let colours = config.target == LogTarget::Stderr
            && stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(writer)
            .log_internal_errors(false)
            .with_ansi(colours)
            .with_target(false);
        let refilter = match config.format {
            LogFormat::Text => install(subscriber.finish(), levels),
            LogFormat::Json => install(subscriber.json().flatten_event(true).finish(), levels),
        };
        Ok(Self { log: log.clone(), refilter })
    }

    /// Takes other levels and another file, or opens the file anew that was renamed.
    ///
    /// # Errors
    /// When the environment names no level, or the file cannot be opened; the log then stays where it is.
    pub(crate) fn restart(&self, config: &LogConfig) -> Result<(), Problem> {
        let levels = filter(&levels(&config.level)?);
        self.log.switch(Output::open(&config.target)?);
        (self.refilter)(levels);
        Ok(())
    }
}

/// Installs a subscriber; returns what changes its filter.
fn install<S>(subscriber: S, levels: Targets) -> Box<dyn Fn(Targets) + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static,
{
    let (layer, handle) = reload::Layer::new(levels);
    // no other subscriber is installed yet
    let _ = subscriber.with(layer).try_init();
    Box::new(move |levels| drop(handle.reload(levels)))
}

/// Opens the access log; `None` when there is to be none.
///
/// # Errors
/// When its file cannot be opened, or no thread can be started for it.
pub(crate) fn access_log(config: &LogConfig) -> Result<Option<AccessLog>, Problem> {
    let Some(target) = &config.access else { return Ok(None) };
    let log = Log::start(Output::open(target)?, Kind::Requests).map_err(ServerError::Start)?;
    Ok(Some(AccessLog::new(config.format, config.access_addresses, move |line| log.add(line))))
}
