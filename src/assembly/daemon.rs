//! `genfic-ocspd` put together: the published status, responder keys and public files of a home.
use super::settings::read_config;
use crate::clock::SystemClock;
use crate::error::Problem;
use crate::home::Home;
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::responder_files::ResponderFiles;
use crate::ocsp::server::Daemon;
use crate::ocsp::settings::{ResponderSettings, ServerSettings};
use crate::status::StatusDirectory;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What the daemon's command line says over its configuration.
#[derive(Clone, Debug, Default)]
pub struct DaemonOptions {
    /// Addresses to listen on in place of the configured ones.
    pub listen: Vec<SocketAddr>,
    /// Another directory of published status.
    pub status: Option<PathBuf>,
    /// Another configuration file.
    pub config: Option<PathBuf>,
}

/// Puts a responder together from a home.
///
/// # Errors
/// When the configuration cannot be read or is wrong, or threads or signals cannot be had.
pub fn daemon(home: &Home, options: DaemonOptions) -> Result<Daemon<StatusDirectory>, Problem> {
    let config = read_config(home, options.config.as_deref())?;
    let source = StatusDirectory::new(&options.status.unwrap_or_else(|| home.status_directory()));
    let listen = if options.listen.is_empty() { config.daemon.listen.clone() } else { options.listen };
    Daemon::new(
        source,
        ResponderFiles::new(home.responders_directory()),
        PublicFiles::new(home.public_directory()),
        ResponderSettings::from(&config.ocsp),
        ServerSettings { listen, ..ServerSettings::from(&config.daemon) },
        Arc::new(SystemClock),
    )
    .map_err(Problem::from)
}
