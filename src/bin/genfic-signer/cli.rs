//! The command line of `genfic-signer`.
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Opens CA keys and signs with them. genfic-ca starts it, or it is a service; nobody runs it by hand.
#[derive(Debug, Parser)]
#[command(
    name = "genfic-signer",
    version,
    about,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Cli {
    /// Whom to serve, unless it is a service
    #[command(subcommand)]
    pub(crate) serving: Option<Serving>,
    /// Its directory: keys, marks, envelopes, journal, record
    #[arg(long, value_name = "DIR", default_value = "/var/lib/genfic-signer")]
    pub(crate) directory: PathBuf,
    /// The profiles of the security administrator: a certificate that none of them grants is refused
    #[arg(long, value_name = "DIR", default_value = "/etc/genfic-signer/policy")]
    pub(crate) policy: PathBuf,
    /// The socket of the CA's user; systemd passes one
    #[arg(long, value_name = "PATH")]
    pub(crate) listen_ca: Option<PathBuf>,
    /// The socket of administrators; systemd passes one
    #[arg(long, value_name = "PATH")]
    pub(crate) listen_admin: Option<PathBuf>,
    /// The socket of `genfic-signer tokens`, which reaches smart cards and HSMs; systemd passes one
    #[arg(long, value_name = "PATH")]
    pub(crate) listen_tokens: Option<PathBuf>,
    /// Start although its memory can be written to the swap, as where nobody may raise the limit of locked memory
    #[arg(long)]
    pub(crate) may_be_swapped: bool,
    /// scrypt work factor of new keys, as the base 2 logarithm of N, for demonstrations
    #[arg(long, value_name = "LOG_N", hide = true)]
    pub(crate) scrypt_log_n: Option<u8>,
}

/// Whom the signer serves.
#[derive(Debug, Subcommand)]
pub(crate) enum Serving {
    /// Serve the command that started this process, over the socket that is standard output
    Child,
    /// Have tokens reached, by a process for each PKCS#11 module, for the signer that listens or has started this process
    Tokens(Tokens),
    /// Load one PKCS#11 module, for the program that has started this process
    Module(Module),
}

/// How tokens are reached.
#[derive(Debug, Args)]
pub(crate) struct Tokens {
    /// The socket of the signer that listens; without it, standard output is a socket to the signer
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// The file that names the modules
    #[arg(long, value_name = "FILE", default_value = "/etc/genfic-signer/tokens.toml")]
    pub(crate) modules: PathBuf,
}

/// The module of a process.
#[derive(Debug, Args)]
pub(crate) struct Module {
    /// The library, by its whole path
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Whether to go on where the system calls cannot be forbidden
    #[arg(value_enum, value_name = "CONFINEMENT", default_value_t = Confinement::Required)]
    pub(crate) confinement: Confinement,
}

/// What is to be done where a process cannot be confined.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Confinement {
    /// End
    Required,
    /// Go on: the user who started it could do all of it anyway
    Possible,
}
