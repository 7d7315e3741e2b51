//! Assembles `genfic-ocspd` from the published status, responder keys and public files of a home.
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

/// Command line options of the daemon, which override its configuration.
#[derive(Clone, Debug, Default)]
pub struct DaemonOptions {
    /// Addresses to listen on instead of the configured ones; none for the configured ones.
    pub listen: Vec<SocketAddr>,
    /// Directory of the published status, instead of the home's.
    pub status: Option<PathBuf>,
    /// Configuration file, instead of the home's.
    pub config: Option<PathBuf>,
}

/// Makes the daemon for a home.
///
/// # Errors
/// When the configuration cannot be read or is wrong, or threads or signal handlers cannot be set up.
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
