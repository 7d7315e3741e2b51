//! Arguments of commands on requests and certificates.
use super::{Ensure, key_help};
use crate::commands::Pair;
use clap::{Args, ValueEnum};
use genfic_ca::error::Shown as _;
use genfic_ca::index::KeyLocation;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Args, Debug, Default)]
pub(crate) struct CreateRequest {
    /// Common name; its last path component, the rest being a directory
    pub(crate) name: PathBuf,
    /// Names for the subjectAltName: `DNS:`, `IP:`, `email:`, `URI:` or bare [default: DNS:NAME]; beside other names of
    /// hosts NAME is added when it is one, unless --subject is given
    #[arg(long, value_name = "NAME")]
    pub(crate) san: Vec<String>,
    /// Subject [default: CN=NAME]
    #[arg(long, value_name = "DN")]
    pub(crate) subject: Option<String>,
    #[arg(help = key_help() + "; or a key in a token, `pkcs11:object=LABEL`, then without NAME.key", long, value_name = "ALG")]
    pub(crate) key: Option<String>,
    /// Directory for NAME.key, NAME.req and NAME.crt
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Protect NAME.key with a passphrase
    #[arg(long)]
    pub(crate) encrypt: bool,
    /// Where the passphrase of NAME.key comes from [default: as --passphrase-from]
    #[arg(long, value_name = "SPEC", requires = "encrypt")]
    pub(crate) key_passphrase_from: Option<String>,
    /// Sign the request at once, by the CA given with -p
    #[arg(long, requires = "parent")]
    pub(crate) sign: bool,
    /// The CA that signs
    #[arg(short = 'p', long, value_name = "CA")]
    pub(crate) parent: Option<String>,
    /// Profile of the certificate [default: the CA's]
    #[arg(long, value_name = "PROFILE", requires = "sign")]
    pub(crate) profile: Option<String>,
    /// Number of days that the certificate is valid, or `max`
    #[arg(short = 'v', long, value_name = "DAYS", requires = "sign")]
    pub(crate) valid: Option<String>,
    /// Whom to write to about the certificate
    #[arg(long, value_name = "MAIL", requires = "sign")]
    pub(crate) contact: Option<String>,
    #[command(flatten)]
    pub(crate) ensure: Ensure,
}

impl CreateRequest {
    /// Whether the key is one in a token.
    pub(crate) fn is_in_token(&self) -> bool {
        self.key.as_ref().is_some_and(|key| matches!(KeyLocation::of(key), KeyLocation::Token(_)))
    }
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Sign {
    /// Requests, PEM or DER; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The CA that signs
    #[arg(
        short = 'p',
        long,
        value_name = "CA",
        required_unless_present = "responder_for",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) parent: String,
    /// Make a responder certificate of this CA for a key on another host; asks
    #[arg(long, value_name = "CA", conflicts_with_all = ["profile", "san", "contact"])]
    pub(crate) responder_for: Option<String>,
    /// Profile of the certificates [default: the CA's]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Number of days that the certificates are valid, or `max`
    #[arg(short = 'v', long, value_name = "DAYS")]
    pub(crate) valid: Option<String>,
    /// Names in place of those that the request asks for
    #[arg(long, value_name = "NAME")]
    pub(crate) san: Vec<String>,
    /// Whom to write to about the certificates
    #[arg(long, value_name = "MAIL")]
    pub(crate) contact: Option<String>,
    /// An earlier certificate for the key of the request, whose holder is the same and has a new name
    #[arg(long, value_name = "CERT")]
    pub(crate) same_holder_as: Option<String>,
    /// Where the certificate is saved; a directory when there are several; `-` is standard output
    #[arg(short = 'o', long, value_name = "FILE|DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Whether the output is a file whose name was made up here: links of that name are not followed
    #[arg(skip)]
    pub(crate) is_named_here: bool,
    /// The key and the request that were made for this and are still to be written, in place of a file
    #[arg(skip)]
    pub(crate) pair: Option<Arc<Pair>>,
    /// Save the issuers behind the certificate, in order, without the root; `--chain=with-root` has it too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "without-root", value_name = "WHICH", hide_possible_values = true)]
    pub(crate) chain: Option<Chain>,
    /// Replace the file of -o even where it holds the certificate of somebody else
    #[arg(long)]
    pub(crate) force: bool,
    /// Show the exact certificate and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Issue only when the request has no valid certificate as asked; exit status 4 when it has another
    #[arg(long, conflicts_with = "responder_for")]
    pub(crate) ensure: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Chain {
    /// Up to, and without, the root.
    WithoutRoot,
    /// Up to and with the root.
    WithRoot,
}

#[derive(Args, Debug)]
pub(crate) struct Revoke {
    /// `serial:HEX`, `sha256:PREFIX`, a subject CN or SAN, `CA/SERIAL`, a file, or `-`
    #[arg(value_name = "CERT")]
    pub(crate) certificate: Option<String>,
    #[command(flatten)]
    pub(crate) several: Several,
    /// Look only among this CA's certificates
    #[arg(short = 'p', long, value_name = "CA")]
    pub(crate) parent: Option<String>,
    /// Why: key-compromise, affiliation-changed, superseded, cessation-of-operation, privilege-withdrawn, ca-compromise
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<String>,
    /// When the key is thought to have become untrustworthy, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) invalidity_date: Option<String>,
    /// Leave the CRL to a later `crl publish`; OCSP answers at once all the same
    #[arg(long)]
    pub(crate) no_crl: bool,
    #[command(flatten)]
    pub(crate) ensure: Ensure,
}

/// Which of several certificates are meant, in place of one CERT.
#[derive(Args, Clone, Debug, Default)]
#[group(id = "several", multiple = false, conflicts_with = "certificate")]
pub(crate) struct Several {
    /// Every certificate of the one holder that has this name
    #[arg(long, value_name = "NAME")]
    pub(crate) all: Option<String>,
    /// The newest certificate of the one holder that has this name; the older ones stay
    #[arg(long, value_name = "NAME")]
    pub(crate) newest: Option<String>,
    /// Every certificate in a list: one CERT a line, or what `list --csv` printed; `-` is standard input
    #[arg(long, value_name = "LIST")]
    pub(crate) file: Option<PathBuf>,
}

impl Several {
    /// Whether any of them was given.
    pub(crate) fn is_given(&self) -> bool {
        self.all.is_some() || self.newest.is_some() || self.file.is_some()
    }

    /// Returns what was given as typed, for the audit record of a refusal.
    pub(crate) fn shown(&self) -> Option<String> {
        let file = || self.file.as_ref().map(|file| file.shown().to_string());
        self.all.clone().or_else(|| self.newest.clone()).or_else(file)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Selected {
    /// `serial:HEX`, `sha256:PREFIX`, a subject CN or SAN, `CA/SERIAL`, a file, or `-`
    #[arg(value_name = "CERT", required_unless_present = "several")]
    pub(crate) certificate: Option<String>,
    #[command(flatten)]
    pub(crate) several: Several,
    /// Look only among this CA's certificates
    #[arg(short = 'p', long, value_name = "CA")]
    pub(crate) parent: Option<String>,
    /// Leave the CRL to a later `crl publish`; OCSP answers at once all the same
    #[arg(long)]
    pub(crate) no_crl: bool,
    #[command(flatten)]
    pub(crate) ensure: Ensure,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum StatusFilter {
    Valid,
    Expired,
    Revoked,
    Held,
}

/// Whose certificates are listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum HolderType {
    /// Of neither CAs nor responders.
    Leaf,
    Ca,
    Responder,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// Issued by this CA
    #[arg(short = 'p', long, value_name = "CA")]
    pub(crate) parent: Option<String>,
    /// Of this status
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<StatusFilter>,
    /// Valid now and ending within this time (30d, 2w, 1mo), soonest first; exit status 12 when there are any. What a
    /// newer certificate of the same subject, names and profile replaces is left out, and so are CAs and responders
    /// without --type or --profile
    #[arg(long, value_name = "TIME")]
    pub(crate) expiring: Option<String>,
    /// Of these holders: leaf (neither CAs nor responders), ca or responder
    #[arg(long = "type", value_name = "TYPE", hide_possible_values = true)]
    pub(crate) of_type: Option<HolderType>,
    /// Valid but for its CA, which is revoked or below one that is, and not replaced yet by a newer certificate of
    /// the same subject, names and profile; CAs and responders aside
    #[arg(long, conflicts_with_all = ["status", "expiring"])]
    pub(crate) below_revoked: bool,
    /// Whose subject or one of whose names matches as a whole; `*` stands for any text, `?` for one character
    #[arg(long, value_name = "GLOB")]
    pub(crate) subject: Option<String>,
    /// Granted under this profile
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// As comma-separated values with headings (RFC 4180)
    #[arg(long, group = "list_form", conflicts_with = "json")]
    pub(crate) csv: bool,
    /// As JSON, one object a line
    #[arg(long, group = "list_form", conflicts_with = "json")]
    pub(crate) jsonl: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// A certificate (as for `revoke`), a CA's name, a file, or `-`
    #[arg(value_name = "CERT|CA|FILE")]
    pub(crate) what: String,
    /// As PEM
    #[arg(long, group = "form")]
    pub(crate) pem: bool,
    /// As DER
    #[arg(long, group = "form")]
    pub(crate) der: bool,
    /// As text, the default
    #[arg(long, group = "form")]
    pub(crate) text: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Lint {
    /// A certificate or CRL, PEM or DER, or `-`
    #[arg(required_unless_present = "rules")]
    pub(crate) file: Option<PathBuf>,
    /// The issuer's certificate, for the rules that need it
    #[arg(long, value_name = "FILE")]
    pub(crate) issuer: Option<PathBuf>,
    /// List the rules with their sources
    #[arg(long, conflicts_with = "file")]
    pub(crate) rules: bool,
}
