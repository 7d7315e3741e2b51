//! Arguments of commands that reissue certificates, or renew, rekey or revoke CAs.
use super::{Chain, Ensure, NewPassphrase, key_help};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Clone, Debug)]
pub(crate) struct Renew {
    /// `serial:HEX`, `sha256:PREFIX`, a subject CN or SAN, `CA/SERIAL`, a file, or `-`; of several for the same
    /// holder the newest. Without a CERT, with --expiring, all that end that soon
    #[arg(value_name = "CERT", required_unless_present = "expiring")]
    pub(crate) certificates: Vec<String>,
    /// Look only among this CA's certificates
    #[arg(short = 'p', long, value_name = "CA")]
    pub(crate) parent: Option<String>,
    /// Do it only when the certificate ends within this time, for example 30d
    #[arg(long, value_name = "TIME")]
    pub(crate) expiring: Option<String>,
    /// Profile of the certificate [default: the one on record]; without a CERT, only those granted under it
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Number of days that the certificate is valid, or `max`
    #[arg(short = 'v', long, value_name = "DAYS")]
    pub(crate) valid: Option<String>,
    /// Whom to write to about the certificate [default: the one on record]
    #[arg(long, value_name = "MAIL")]
    pub(crate) contact: Option<String>,
    /// An earlier certificate for the key under another subject, whose holder is the same
    #[arg(long, value_name = "CERT")]
    pub(crate) same_holder_as: Option<String>,
    /// Where the certificate is saved; in a directory as NAME.crt; `-` is standard output
    #[arg(short = 'o', long, value_name = "FILE|DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Save the issuers behind the certificate, in order, without the root; `--chain=with-root` has it too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "without-root", value_name = "WHICH", hide_possible_values = true)]
    pub(crate) chain: Option<Chain>,
    /// Directory for the new files, which exists: NAME.crt, with --chain NAME.chain.pem; for `rekey` also NAME.key and
    /// NAME.req, which must not be there yet
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Replace the file of -o even where it holds the certificate of somebody else
    #[arg(long)]
    pub(crate) force: bool,
    /// Run this by the shell afterwards, once, when something was issued and written
    #[arg(long, value_name = "COMMAND")]
    pub(crate) hook: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Rekey {
    #[command(flatten)]
    pub(crate) renew: Renew,
    /// A request with the new key, PEM or DER, in place of making one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "dir", "encrypt"])]
    pub(crate) request: Option<PathBuf>,
    #[arg(help = key_help(), long, value_name = "ALG")]
    pub(crate) key: Option<String>,
    /// Protect NAME.key with a passphrase
    #[arg(long)]
    pub(crate) encrypt: bool,
    /// Where the passphrase of NAME.key comes from [default: as --passphrase-from]
    #[arg(long, value_name = "SPEC", requires = "encrypt")]
    pub(crate) key_passphrase_from: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RenewCa {
    /// Name of the CA; its newest generation is meant
    pub(crate) name: String,
    /// Make a new key: a new generation, NAME-g2 and so on, with files, URLs, CRL and responder of its own
    #[arg(long)]
    pub(crate) rekey: bool,
    /// Number of days that the certificate is valid, or `max`
    #[arg(short = 'v', long, value_name = "DAYS")]
    pub(crate) valid: Option<String>,
    /// Profile of the certificate [default: the one on record]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    #[arg(help = key_help() + " [default: that of the old key]", long, value_name = "ALG", requires = "rekey")]
    pub(crate) key: Option<String>,
    /// Where the new key is kept: `file` or `age`, or a token: `pkcs11:token=LABEL` [default: where the old one is]
    #[arg(long, value_name = "STORE", requires = "rekey")]
    pub(crate) keystore: Option<String>,
    /// Subject of the new generation [default: a root's stays; below a root the CN gets G2, G3 and so on]
    #[arg(long, value_name = "DN", requires = "rekey")]
    pub(crate) subject: Option<String>,
    /// Make a request only, for those who run the CA above; `adopt` takes in what they sign
    #[arg(long, conflicts_with_all = ["valid", "no_links"])]
    pub(crate) csr_only: bool,
    /// Where the request is saved; `-` is standard output [default: NAME.req]
    #[arg(short = 'o', long, value_name = "FILE", requires = "csr_only")]
    pub(crate) output: Option<PathBuf>,
    /// Make no link certificates between the two roots: for a root whose old key is lost
    #[arg(long, requires = "rekey")]
    pub(crate) no_links: bool,
    #[command(flatten)]
    pub(crate) passphrase: NewPassphrase,
}

#[derive(Args, Debug)]
pub(crate) struct CrossSign {
    /// A CA of this home, or a file with another CA's certificate
    #[arg(value_name = "CA|FILE")]
    pub(crate) what: String,
    /// The CA that certifies it
    #[arg(short = 'p', long, value_name = "CA")]
    pub(crate) parent: String,
    /// Profile of the certificate [default: that of the CA, for a root sub-ca]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Number of days that the certificate is valid, or `max`
    #[arg(short = 'v', long, value_name = "DAYS")]
    pub(crate) valid: Option<String>,
    /// Names it may certify: a domain, an address range, a mailbox host, `dns:`, `ip:`, `email:`, `uri:` or `dir:`
    #[arg(long, value_name = "NAME")]
    pub(crate) permit: Vec<String>,
    /// Names it may not certify, written likewise
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude: Vec<String>,
    /// How many CAs may follow below it [default: as its own certificate says, else the profile's]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) path_length: Option<u8>,
    /// Leave out what limits it by its own certificate: name constraints, purposes, path length, policies, end
    #[arg(long)]
    pub(crate) unconstrained: bool,
    /// Where the certificate is saved besides; `-` is standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ensure: Ensure,
}

#[derive(Args, Debug)]
pub(crate) struct RevokeCa {
    /// Name of the CA: exactly this generation of it
    pub(crate) name: String,
    /// Why: ca-compromise (its key is in other hands), superseded, cessation-of-operation, privilege-withdrawn
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<String>,
    /// When the key is thought to have become untrustworthy, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) invalidity_date: Option<String>,
    #[command(flatten)]
    pub(crate) ensure: Ensure,
}

#[derive(Args, Debug)]
pub(crate) struct Retire {
    /// The CA; with certificates that have not expired it is retired only with --yes
    #[arg(value_name = "CA")]
    pub(crate) name: String,
    /// Do nothing when it is retired already
    #[arg(long)]
    pub(crate) ensure: bool,
}
