//! `genfic-ocspd` put together: the published status, responder keys and public files of a home.
use super::settings::read_config;
use crate::clock::SystemClock;
use crate::error::Problem;
use crate::home::Home;
use crate::index::sqlite::{StatusDirectory, StatusSnapshot};
use crate::index::{IndexError, PublishedAuthority};
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::responder_files::ResponderFiles;
use crate::ocsp::server::Daemon;
use crate::ocsp::settings::{ResponderSettings, ServerSettings};
use crate::ocsp::status::{PublishedStatus, StatusSource};
use crate::x509::UnixTime;
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

impl PublishedStatus for StatusSnapshot {
    fn authorities(&self) -> &[PublishedAuthority] {
        Self::authorities(self)
    }

    fn change(&self) -> u64 {
        Self::change(self)
    }

    fn time(&self) -> UnixTime {
        Self::time(self)
    }
}

impl StatusSource for StatusDirectory {
    type View = StatusSnapshot;

    fn open(&self, previous: Option<&StatusSnapshot>) -> Result<StatusSnapshot, IndexError> {
        Self::open(self, previous)
    }

    fn changed_since(&self, view: &StatusSnapshot) -> bool {
        Self::changed_since(self, view)
    }
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
