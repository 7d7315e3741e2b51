//! Settings of the responder and the server: those of the configuration, and fixed ones. The defaults are those of
//! the configuration.
use crate::config::{DaemonConfig, ListenAddress, OcspConfig};
use std::time::Duration;

pub(crate) use crate::config::NonceHandling;
pub use crate::config::NotIssued;

/// Settings of the responder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponderSettings {
    /// Seconds from signing to nextUpdate, which never lies beyond the end of the responder certificate, nor of a
    /// certificate that the answer is about.
    pub next_update: i64,
    /// Seconds by which thisUpdate precedes the time at which the status was known, for clients whose clocks are
    /// slow; 5 minutes.
    pub backdate: i64,
    /// How nonces are treated.
    pub nonce: NonceHandling,
    /// The answer about a serial number that was never assigned.
    pub not_issued: NotIssued,
    /// Seconds after their end for which certificates are answered, stated as archiveCutoff; `None` for no cutoff.
    /// The cutoff never lies before the beginning of the CA certificate.
    pub archive_cutoff: Option<i64>,
    /// Number of CertIDs in one request; a request with more is answered `malformedRequest`.
    pub max_cert_ids: usize,
    /// Age in seconds of the oldest status that is answered from.
    pub max_status_age: i64,
    /// Seconds after the status or a responder certificate has lapsed during which clients are answered `tryLater`;
    /// later ones are answered `internalError`. 1 hour.
    pub patience: i64,
    /// Octets of cached answers.
    pub cache_octets: u64,
}

impl ResponderSettings {
    /// Seconds for which an answer about an unknown certificate may be cached (O12).
    pub(crate) const UNKNOWN_LIFE: i64 = 60;
}

impl From<&OcspConfig> for ResponderSettings {
    fn from(config: &OcspConfig) -> Self {
        Self {
            next_update: config.next_update,
            backdate: 300,
            nonce: config.nonce,
            not_issued: config.not_issued,
            archive_cutoff: config.archive_cutoff,
            max_cert_ids: config.max_certificates,
            max_status_age: config.max_status_age,
            patience: 3600,
            cache_octets: config.cache,
        }
    }
}

impl Default for ResponderSettings {
    fn default() -> Self {
        Self::from(&OcspConfig::default())
    }
}

/// Settings of the server: where it listens, and limits of what clients may use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerSettings {
    /// Addresses to listen on. Port 0 takes a free one. Sockets passed by systemd replace all of them.
    pub listen: Vec<ListenAddress>,
    /// Octets of a POST body; a longer one is refused with 413.
    pub max_body: usize,
    /// Octets of a request's path; a longer one is refused with 414. 8 KiB.
    pub max_path: usize,
    /// Number of simultaneous connections. A further client takes the place of the one that has been idle longest.
    /// While all are being answered, it waits in the kernel's queue.
    pub max_connections: usize,
    /// Time within which a whole request header must arrive, from its first octet.
    pub header_timeout: Duration,
    /// Time within which a whole request body must arrive; 10 s.
    pub body_timeout: Duration,
    /// Time after which a connection without any octet in either direction is closed.
    pub idle_timeout: Duration,
    /// Time that open requests get to end when the server stops.
    pub shutdown_timeout: Duration,
    /// Time between two looks for new files; 200 ms.
    pub poll_interval: Duration,
    /// Where metrics are answered; `None` for nowhere. Under systemd it has to be one of the sockets that are passed.
    pub metrics: Option<ListenAddress>,
}

impl From<&DaemonConfig> for ServerSettings {
    fn from(config: &DaemonConfig) -> Self {
        let seconds = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        Self {
            listen: config.listen.clone(),
            max_body: config.max_body,
            max_path: 8 << 10,
            max_connections: config.max_connections,
            header_timeout: seconds(config.header_timeout),
            body_timeout: Duration::from_secs(10),
            idle_timeout: seconds(config.idle_timeout),
            shutdown_timeout: seconds(config.shutdown_timeout),
            poll_interval: Duration::from_millis(200),
            metrics: None,
        }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self::from(&DaemonConfig::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, uncommented};

    #[test]
    fn the_defaults_are_what_the_shipped_configuration_says() {
        let config = Config::parse(&uncommented()).unwrap();
        let ocsp = OcspConfig { archive_cutoff: None, ..config.ocsp };
        assert_eq!(ResponderSettings::from(&ocsp), ResponderSettings::default());
        assert_eq!(ServerSettings::from(&config.daemon), ServerSettings::default());
    }
}
