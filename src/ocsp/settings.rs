//! How the responder answers and the server listens: what the configuration says, and what it does not let choose. The
//! defaults are those of the configuration.
use crate::config::{DaemonConfig, OcspConfig};
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use crate::config::NonceHandling;
pub use crate::config::NotIssued;

/// How the responder answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponderSettings {
    /// From signing to nextUpdate, never beyond the end of the responder's certificate.
    pub next_update: i64,
    /// How far thisUpdate lies before the time at which the status was known, against clients' clocks that
    /// are behind; 5 minutes.
    pub backdate: i64,
    /// What becomes of nonces.
    pub nonce: NonceHandling,
    /// The answer about what was never issued.
    pub not_issued: NotIssued,
    /// For how long after their end certificates are answered, told as archiveCutoff, if any.
    /// The cutoff is never before the CA began.
    pub archive_cutoff: Option<i64>,
    /// CertIDs in one request, above which it is `malformedRequest`.
    pub max_cert_ids: usize,
    /// Age of the oldest status that is answered from.
    pub max_status_age: i64,
    /// For how long after the status, or a responder certificate, has lapsed clients are told to try later;
    /// after that it is an internal error; 1 hour.
    pub patience: i64,
    /// Octets of signed answers kept; 32 MiB.
    pub cache_octets: u64,
}

impl ResponderSettings {
    /// How far a status may lie in the future before the clock is not believed.
    pub(crate) const CLOCK_SKEW: i64 = 300;
    /// For how long an answer about an unknown certificate may be kept by anybody (O12).
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
            cache_octets: 32 << 20,
        }
    }
}

impl Default for ResponderSettings {
    fn default() -> Self {
        Self::from(&OcspConfig::default())
    }
}

/// How the server listens, and what clients may cost it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerSettings {
    /// Addresses; port 0 takes a free one. Sockets passed by systemd come instead.
    pub listen: Vec<SocketAddr>,
    /// Octets of a POST body, above which it is 413.
    pub max_body: usize,
    /// Octets of a request's path, above which it is 414; 8 KiB.
    pub max_path: usize,
    /// Connections at once. A further one gets the place of that whose client has kept us waiting longest;
    /// while all are being answered it waits in the kernel's queue.
    pub max_connections: usize,
    /// For a whole request header to arrive.
    pub header_timeout: Duration,
    /// For a whole body to arrive; 10 s.
    pub body_timeout: Duration,
    /// For a connection on which nothing moves in either direction; it is also closed when no next request
    /// has come within `header_timeout`.
    pub idle_timeout: Duration,
    /// For open connections to end when the server is told to stop; 5 s.
    pub shutdown_timeout: Duration,
    /// Between two looks for new files; 200 ms.
    pub poll_interval: Duration,
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
            shutdown_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_millis(200),
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
