//! The options of `genfic-ocspd`.
use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Answers OCSP and serves CRLs and CA certificates, from what `genfic-ca` has published.
///
/// It takes up new status, renewed responder certificates and new CRLs by itself, at once on SIGHUP, takes sockets that systemd
/// passes, and ends on SIGTERM once open requests are answered. GENFIC_OCSPD_LOG=debug says more on standard
/// error.
#[derive(Debug, Parser)]
#[command(name = "genfic-ocspd", version)]
pub(crate) struct Cli {
    /// Everything below this one directory, not /etc/genfic-ca and /var/lib/genfic-ca
    #[arg(long, value_name = "DIR", env = "GENFIC_CA_HOME")]
    pub(crate) home: Option<PathBuf>,
    /// Configuration; genfic-ca.toml of the home when absent
    #[arg(long, value_name = "FILE", env = "GENFIC_CA_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Listen here and not where the configuration says; may be repeated, port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Published status; status/ of the home when absent
    #[arg(long, value_name = "DIR")]
    pub(crate) status: Option<PathBuf>,
}
