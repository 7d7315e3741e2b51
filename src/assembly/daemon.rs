//! `genfic-ocspd` put together: the published status, responder keys and public files of a home.
use super::settings::read_config;
use crate::clock::SystemClock;
use crate::config::{self, Config};
use crate::error::Problem;
use crate::home::Home;
use crate::index::sqlite::{StatusDirectory, StatusSnapshot};
use crate::index::{IndexError, PublishedAuthority};
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::responder_files::ResponderFiles;
use crate::ocsp::server::Daemon;
use crate::ocsp::settings::{NoncePolicy, NotIssued, ResponderSettings, ServerSettings};
use crate::ocsp::status::{PublishedStatus, StatusSource};
use crate::x509::UnixTime;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
        responder(&config),
        server(&config, listen),
        Arc::new(SystemClock),
    )
    .map_err(Problem::from)
}

fn responder(config: &Config) -> ResponderSettings {
    ResponderSettings {
        next_update: config.ocsp.next_update,
        nonce: match config.ocsp.nonce {
            config::NonceHandling::Echo => NoncePolicy::Echo,
            config::NonceHandling::Ignore => NoncePolicy::Ignore,
        },
        not_issued: match config.ocsp.not_issued {
            config::NotIssued::Unknown => NotIssued::Unknown,
            config::NotIssued::Revoked => NotIssued::Revoked,
        },
        archive_cutoff: config.ocsp.archive_cutoff,
        max_cert_ids: config.ocsp.max_certificates,
        max_status_age: config.ocsp.max_status_age,
        ..ResponderSettings::default()
    }
}

fn server(config: &Config, listen: Vec<SocketAddr>) -> ServerSettings {
    let seconds = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    ServerSettings {
        listen,
        max_body: config.daemon.max_body,
        max_connections: config.daemon.max_connections,
        header_timeout: seconds(config.daemon.header_timeout),
        idle_timeout: seconds(config.daemon.idle_timeout),
        ..ServerSettings::default()
    }
}
