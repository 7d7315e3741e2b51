//! The command line: names of commands and options, with their help texts.
mod authority;
mod backup;
mod certificate;
mod ensure;
mod examples;
mod export;
mod foreign;
mod help;
mod keys;
mod moving;
mod offline;
mod passphrase;
mod profile;
mod publication;
mod renewal;
mod unlocking;

pub(crate) use authority::{Authorities, AuthorityOptions, CreateChild, CreateRoot, HomeSettings};
pub(crate) use backup::{Backup, BackupAccept, BackupCreate, BackupRestore, BackupVerify};
pub(crate) use certificate::{
    Chain, CreateRequest, HolderType, Lint, List, Revoke, Selected, Several, Show, Sign, StatusFilter,
};
pub(crate) use ensure::Ensure;
pub(crate) use export::{
    Bundle, BundleFormat, HashedDir, ServerProgram, SnippetFor, SubscriberFile, Truststore,
};
pub(crate) use foreign::{Adopt, Import, ImportFrom, Key, KeyImport};
pub(crate) use help::{command, examples, groups, option, positional};
pub(crate) use keys::{KeyEnvelope, KeyExport};
pub(crate) use offline::{
    Ceremony, CeremonyImport, CeremonyRequest, CeremonySign, KeyExportBundle, KeyImportBundle,
};
pub(crate) use passphrase::{KeyPassphrase, NewPassphrase};
pub(crate) use profile::{Profile, ProfileCheck, ProfileShow};
pub(crate) use publication::{
    Audit, AuditShow, Clock, Config, ConfigCheck, Crl, CrlCheck, CrlImport, CrlPublish, CrlSubject, Export,
    IndexTxt, Metrics, Ocsp, OcspAuthority, Presign, Query, Responder,
};

pub(crate) use moving::{KeyMove, KeyPlaceTo};
pub(crate) use renewal::{CrossSign, Rekey, Renew, RenewCa, Retire, RevokeCa};
pub(crate) use unlocking::{KeyLock, KeyStatus, KeyUnlock, UnlockScope};

use clap::{Args, Parser, Subcommand};
use genfic_ca::signing::{RecipientText, SecretSpec};
use genfic_ca::x509::KeyAlgorithm;
use std::path::PathBuf;

/// A private certificate authority: hierarchy, certificates, revocation, CRLs and OCSP.
#[derive(Debug, Parser)]
#[command(
    name = "genfic-ca",
    version,
    subcommand_negates_reqs = true,
    after_help = "`genfic-ca quickstart` shows everything at work in ./genfic-demo; `genfic-ca init` begins in earnest.\n`genfic-ca COMMAND --help` tells more of a command, `man genfic-ca` of errors and files."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) script: Script,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The directory everything lives in [default: /etc/genfic-ca, /var/lib/genfic-ca, /var/log/genfic-ca]
    #[arg(long, global = true, value_name = "DIR", env = "GENFIC_CA_HOME", hide_env_values = true)]
    pub(crate) home: Option<PathBuf>,
    /// Another configuration file than the home's genfic-ca.toml
    #[arg(long, global = true, value_name = "FILE", env = "GENFIC_CA_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// One JSON object on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print warnings and errors only
    #[arg(long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show also what was put on record
    #[arg(long, global = true)]
    pub(crate) verbose: bool,
    /// Print tables whole, however wide the terminal is
    #[arg(long, global = true)]
    pub(crate) wide: bool,
    /// Answer yes to every confirmation
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Never ask; fail with exit status 9 instead
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Where passphrases come from: prompt, file:PATH, env:VAR, fd:N or cred:NAME
    #[arg(
        long,
        global = true,
        value_name = "SPEC",
        env = "GENFIC_CA_PASSPHRASE_FROM",
        hide_env_values = true
    )]
    pub(crate) passphrase_from: Option<String>,
    /// The directory of a medium with the keys of CAs that are kept offline
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// Whether that was typed for this command, and is not what the environment has for all.
    #[arg(skip)]
    pub(crate) passphrase_is_typed: bool,
    /// How a command that makes keys of CAs is given their passphrases.
    #[arg(skip)]
    pub(crate) new_passphrase: Option<NewPassphrase>,
    /// The label of a new key in a token, and where its PIN comes from, which `--keystore` says.
    #[arg(skip)]
    pub(crate) pin: Option<(String, SecretSpec)>,
    /// The name of a new key of a CA, and the recipients to which it is encrypted, which `--recipient` says.
    #[arg(skip)]
    pub(crate) recipients: Option<(String, Vec<RecipientText>)>,
    /// Where the passphrase of a new key of a subscriber comes from, which `--key-passphrase-from` says.
    #[arg(skip)]
    pub(crate) subscriber_passphrase_from: Option<String>,
}

/// The older script's options, accepted in place of a subcommand.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "In place of a command, one of")]
pub(crate) struct Script {
    /// Create a root CA
    #[arg(short = 'r', long, value_name = "NAME")]
    pub(crate) create_root: Option<String>,
    /// Create a child CA below --parent
    #[arg(short = 'c', long, value_name = "NAME")]
    pub(crate) create_child: Option<String>,
    /// Sign a request
    #[arg(short = 's', long, value_name = "FILE")]
    pub(crate) sign_request: Option<PathBuf>,
    /// Create a key and a request, NAME.key and NAME.req
    #[arg(short = 'R', long, value_name = "NAME")]
    pub(crate) create_request: Option<PathBuf>,
    /// Revoke the certificate matching KEY; without KEY, list what could be revoked
    #[arg(short = 'x', long, value_name = "KEY", num_args = 0..=1)]
    pub(crate) revoke: Option<Option<String>>,
    /// The CA that acts
    #[arg(short = 'p', long, value_name = "PARENT")]
    pub(crate) parent: Option<String>,
    /// Where the result is saved
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Number of days that the certificate is valid
    #[arg(short = 'v', long, value_name = "DAYS")]
    pub(crate) valid: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make directories, configuration, profiles and an empty index
    Init(Init),
    /// Show the whole thing at work in a directory of its own
    Quickstart(Quickstart),
    /// Every CA on one screen: its end, CRL, responder, what waits
    Status(Status),
    /// What ends when and how much there is, as Prometheus reads it
    Metrics(Metrics),
    /// Look for what is wrong with the home, and mend what is safe
    Doctor(Doctor),
    /// What ends and what is due when: CAs, CRLs, responders
    Calendar(CalendarFiles),
    /// Create a root CA
    CreateRoot(CreateRoot),
    /// Create a CA below another
    CreateChild(CreateChild),
    /// Install the certificate of a CA that was signed elsewhere
    Adopt(Adopt),
    /// List the CAs
    Authorities(Authorities),
    /// Give a CA a new certificate, or with --rekey also a new key
    RenewCa(RenewCa),
    /// Certify another CA, or a generation of a root by the other
    CrossSign(CrossSign),
    /// Revoke a CA, and say what falls with it and what to do
    RevokeCa(RevokeCa),
    /// Retire a CA made by mistake, so that nothing is due for it
    Retire(Retire),
    /// Create a key and a certification request
    CreateRequest(CreateRequest),
    /// Issue certificates for requests
    Sign(Sign),
    /// Issue a certificate once more: new validity, all else the same
    Renew(Renew),
    /// Issue a certificate once more with a new key
    Rekey(Rekey),
    /// Revoke a certificate and publish the CRL
    Revoke(Revoke),
    /// Revoke a certificate until it is released
    Hold(Selected),
    /// Lift the hold on a certificate
    Release(Selected),
    /// List certificates
    List(List),
    /// Show a certificate, a CA, a request, a CRL or an OCSP message
    Show(Show),
    /// Check a certificate or a CRL against the project's own rules
    Lint(Lint),
    /// Publish and check certificate revocation lists
    #[command(subcommand)]
    Crl(Crl),
    /// Responder certificates, published status, questions to one
    #[command(subcommand)]
    Ocsp(Ocsp),
    /// The record of everything that was done and refused
    #[command(subcommand)]
    Audit(Audit),
    /// Whether the clock is trusted to sign by, and that it is right
    #[command(subcommand)]
    Clock(Clock),
    /// The configuration of both programs
    #[command(subcommand)]
    Config(Config),
    /// Hand out what is on record in other programs' formats
    #[command(subcommand)]
    Export(Export),
    /// Back up the home, verify and restore backups
    #[command(subcommand)]
    Backup(Backup),
    /// Take over a CA from another program
    #[command(subcommand)]
    Import(Import),
    /// The private keys of CAs
    #[command(subcommand)]
    Key(Key),
    /// Have a key that is offline sign what a request asks for
    #[command(subcommand)]
    Ceremony(Ceremony),
    /// Profiles of certificates, and the CAs that may use them
    #[command(subcommand)]
    Profile(Profile),
    /// Print a script that completes commands and options in a shell
    Completions(Completions),
    /// Write the manual pages of the programs and the configuration
    Man(Man),
    /// Print the version
    Version,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The program: genfic-ca or genfic-key
    #[arg(long, value_name = "PROGRAM", value_parser = ["genfic-ca", "genfic-key"], default_value = "genfic-ca")]
    pub(crate) program: String,
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Where they go; made when it is not there
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// Organization in the subject of new CAs
    #[arg(long, value_name = "NAME")]
    pub(crate) org: Option<String>,
    /// Country in the subject of new CAs, two capital letters
    #[arg(long, value_name = "CC")]
    pub(crate) country: Option<String>,
    /// Where CRLs, CA certificates and OCSP will be served: written into certificates
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The socket of the signer that has the keys of CAs [default for the system's home:
    /// /run/genfic-signer/ca.socket, where it is there]
    #[arg(long, value_name = "PATH")]
    pub(crate) signer_socket: Option<String>,
    #[command(flatten)]
    pub(crate) ensure: Ensure,
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    /// Retired CAs too
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Mend what is safe and needs nobody's decision, then look again
    #[arg(long)]
    pub(crate) fix: bool,
    /// Compare every signature and every file on record, not only those of the newest 10,000 certificates
    #[arg(long)]
    pub(crate) deep: bool,
    /// Also fetch every URL that certificates name, and compare what comes: CRLs, CA certificates, OCSP answers
    #[arg(long)]
    pub(crate) online: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CalendarFiles {
    /// Also as a picture; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Also as iCalendar, with reminders; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) ics: Option<PathBuf>,
    /// Also when holders' certificates end, by week and month, in text and picture
    #[arg(long)]
    pub(crate) leaves: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Quickstart {
    /// The directory to make; must be absent or empty
    #[arg(long, value_name = "DIR", default_value = "genfic-demo")]
    pub(crate) dir: PathBuf,
    /// Stop when the checks are done
    #[arg(long)]
    pub(crate) no_serve: bool,
}

/// Returns the help text of `--key`.
fn key_help() -> String {
    let mut names: Vec<String> = KeyAlgorithm::generated().iter().map(ToString::to_string).collect();
    let last = names.pop().unwrap_or_default();
    format!("Key type: {} or {last}", names.join(", "))
}
