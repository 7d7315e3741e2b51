//! The options of `genfic-ocspd`.
use clap::Parser;
use genfic_ca::config::ListenAddress;
use std::path::PathBuf;

/// Answers OCSP and serves CRLs and CA certificates, from what `genfic-ca` has published.
///
/// It takes up new status, renewed responder certificates and new CRLs by itself, at once on SIGHUP. SIGHUP also has it
/// read its configuration again, except for its section daemon and the format of the log, and open its log files anew.
/// It takes sockets that systemd passes, and ends on SIGTERM once open requests are answered, within shutdown_timeout.
/// GENFIC_OCSPD_LOG=debug says more; it counts before level in the section log.
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
    #[arg(long, value_name = "ADDR:PORT|unix:PATH")]
    pub(crate) listen: Vec<ListenAddress>,
    /// Published status; status/ of the home when absent
    #[arg(long, value_name = "DIR")]
    pub(crate) status: Option<PathBuf>,
    /// Serve these signed answers (`genfic-ca ocsp presign`): no status, and no key is read
    #[arg(long, value_name = "FILE", conflicts_with = "status")]
    pub(crate) responses: Option<PathBuf>,
    /// Where the daemon remembers which file of answers it has served, so that it takes no older one
    #[arg(long, value_name = "DIR", env = "STATE_DIRECTORY", hide_env_values = true)]
    pub(crate) state: Option<PathBuf>,
    /// Check configuration, status, responders and CRLs, and do not listen; exit 12 when something is amiss
    #[arg(long)]
    pub(crate) check: bool,
}
