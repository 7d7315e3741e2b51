//! What can be configured; lengths of time are in seconds.
use std::net::SocketAddr;
use std::time::Duration;

/// What becomes of a nonce in a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NoncePolicy {
    /// It is echoed, in a fresh signature.
    #[default]
    Echo,
    /// It is left out of the answer, which may then come from the cache (RFC 9919 §3.1.1).
    Ignore,
}

/// The answer about a serial number that a known issuer never assigned.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NotIssued {
    /// `unknown`
    #[default]
    Unknown,
    /// `revoked` since 1970-01-01 with certificateHold, and the extended-revoke extension (RFC 6960 §2.2).
    Revoked,
}

/// How the responder answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponderSettings {
    /// From signing to nextUpdate, never beyond the end of the responder's certificate; 24 hours.
    pub next_update: i64,
    /// How far thisUpdate lies before the time at which the status was known, against clients' clocks that
    /// are behind; 5 minutes.
    pub backdate: i64,
    /// What becomes of nonces; echoed.
    pub nonce: NoncePolicy,
    /// The answer about what was never issued; `unknown`.
    pub not_issued: NotIssued,
    /// For how long after their end certificates are answered, told as archiveCutoff; none by default.
    /// The cutoff is never before the CA began.
    pub archive_cutoff: Option<i64>,
    /// CertIDs in one request, above which it is `malformedRequest`; 32.
    pub max_cert_ids: usize,
    /// Oldest status that is answered from; 24 hours.
    pub max_status_age: i64,
    /// For how long after the status, or a responder certificate, has lapsed clients are told to try later;
    /// after that it is an internal error; 1 hour.
    pub patience: i64,
    /// Octets of signed answers kept; 32 MiB.
    pub cache_octets: u64,
}

impl ResponderSettings {
    /// How far a status may lie in the future before the clock is not believed.
    pub const CLOCK_SKEW: i64 = 300;
    /// For how long an answer about an unknown certificate may be kept by anybody (O12).
    pub const UNKNOWN_LIFE: i64 = 60;
}

impl Default for ResponderSettings {
    fn default() -> Self {
        Self {
            next_update: 24 * 3600,
            backdate: 300,
            nonce: NoncePolicy::default(),
            not_issued: NotIssued::default(),
            archive_cutoff: None,
            max_cert_ids: 32,
            max_status_age: 24 * 3600,
            patience: 3600,
            cache_octets: 32 << 20,
        }
    }
}

/// How the server listens, and what clients may cost it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerSettings {
    /// Addresses; port 0 takes a free one. Sockets passed by systemd come instead. 127.0.0.1:2560.
    pub listen: Vec<SocketAddr>,
    /// Octets of a POST body, above which it is 413; 16 KiB.
    pub max_body: usize,
    /// Octets of a request's path, above which it is 414; 8 KiB.
    pub max_path: usize,
    /// Connections at once. A further one gets the place of that whose client has kept us waiting longest;
    /// while all are being answered it waits in the kernel's queue. 512.
    pub max_connections: usize,
    /// For a whole request header to arrive; 10 s.
    pub header_timeout: Duration,
    /// For a whole body to arrive; 10 s.
    pub body_timeout: Duration,
    /// For a connection on which nothing moves in either direction; it is also closed when no next request
    /// has come within `header_timeout`. 30 s.
    pub idle_timeout: Duration,
    /// For open connections to end when the server is told to stop; 5 s.
    pub shutdown_timeout: Duration,
    /// Between two looks for new files; 200 ms.
    pub poll_interval: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 2560))],
            max_body: 16 << 10,
            max_path: 8 << 10,
            max_connections: 512,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_millis(200),
        }
    }
}
