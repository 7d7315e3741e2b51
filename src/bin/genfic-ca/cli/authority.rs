//! Arguments of commands on CAs.
use super::{Ensure, NewPassphrase, key_help};
use clap::Args;
use genfic_ca::signing::RecipientText;
use std::path::PathBuf;

/// What root and child CAs have in common.
#[derive(Args, Debug, Default)]
pub(crate) struct AuthorityOptions {
    /// Number of days that the CA is valid, or `max`
    #[arg(short = 'v', long, value_name = "DAYS")]
    pub(crate) valid: Option<String>,
    /// Subject, for example `C=BE,O=Example,CN=Example Root CA`
    #[arg(long, value_name = "DN")]
    pub(crate) subject: Option<String>,
    #[arg(help = key_help(), long, value_name = "ALG")]
    pub(crate) key: Option<String>,
    /// Where the key is kept: `file` or `age`, encrypted, or a token, `pkcs11:token=LABEL` [default: file]
    #[arg(long, value_name = "STORE")]
    pub(crate) keystore: Option<String>,
    /// Issue a responder certificate for it, and name the responder in its certificates [default: unless it is offline]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) ocsp: Option<bool>,
    /// Encrypt the key to this recipient of age, instead of with a passphrase; may be repeated
    #[arg(
        long,
        value_name = "AGE1...",
        conflicts_with_all = ["new_passphrase_from", "generate", "weak_passphrase"]
    )]
    pub(crate) recipient: Vec<RecipientText>,
    #[command(flatten)]
    pub(crate) ensure: Ensure,
    #[command(flatten)]
    pub(crate) passphrase: NewPassphrase,
}

#[derive(Args, Debug, Default)]
pub(crate) struct CreateRoot {
    /// Name of the CA: lower-case letters, digits, `.`, `_` and `-`
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityOptions,
    /// Profile of the certificate [default: root-ca]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    #[command(flatten)]
    pub(crate) home: HomeSettings,
}

/// What `create-root` writes into the configuration of a home that it makes.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct HomeSettings {
    /// Where there is no home yet: as --org of `init`, which is done first then
    #[arg(long, value_name = "NAME")]
    pub(crate) org: Option<String>,
    /// As --country of `init`
    #[arg(long, value_name = "CC")]
    pub(crate) country: Option<String>,
    /// As --url of `init`
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CreateChild {
    /// Name of the CA: lower-case letters, digits, `.`, `_` and `-`
    pub(crate) name: String,
    /// The CA that issues its certificate; with --csr-only its name where it is, for the next step
    #[arg(short = 'p', long, value_name = "CA", required_unless_present = "csr_only")]
    pub(crate) parent: Option<String>,
    #[command(flatten)]
    pub(crate) authority: AuthorityOptions,
    /// Profile of the certificate [default: the one NAME ends with, else system-ca]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Names it may certify: a domain, an address range, a mailbox host, `dns:`, `ip:`, `email:`, `uri:` or `dir:`
    #[arg(long, value_name = "NAME")]
    pub(crate) permit: Vec<String>,
    /// Names it may not certify, written likewise
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude: Vec<String>,
    /// Make key and request only; the CA waits for its certificate, which `adopt` installs
    #[arg(long, conflicts_with_all = ["valid", "permit", "exclude"])]
    pub(crate) csr_only: bool,
    /// Where the request is saved; `-` is standard output [default: NAME.req]
    #[arg(short = 'o', long, value_name = "FILE", requires = "csr_only")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Authorities {
    /// Draw the hierarchy
    #[arg(long)]
    pub(crate) tree: bool,
    /// Retired CAs too
    #[arg(long)]
    pub(crate) all: bool,
}
