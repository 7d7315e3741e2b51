//! Arguments of commands on CRLs, OCSP, the audit log and exports.
use super::export::{Bundle, HashedDir, SnippetFor, SubscriberFile, Truststore};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Crl {
    /// Make and publish new CRLs
    Publish(CrlPublish),
    /// Show a CA's CRL, or one from a file
    Show(CrlSubject),
    /// Check a CRL: signature, issuer, number, dates; exit status 12 with findings
    Check(CrlCheck),
    /// Take in a CRL that was signed elsewhere, of a CA whose key is not here
    Import(CrlImport),
}

#[derive(Args, Debug)]
pub(crate) struct CrlImport {
    /// The CA
    #[arg(value_name = "CA")]
    pub(crate) authority: String,
    /// Its CRL, PEM or DER
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct CrlPublish {
    /// The CA; or --due, or --all
    #[arg(value_name = "CA", required_unless_present_any = ["due", "all"])]
    pub(crate) authority: Option<String>,
    /// Every CA whose CRL is past half its life (`[crl] renew_at`), or owed
    #[arg(long, conflicts_with_all = ["authority", "all"])]
    pub(crate) due: bool,
    /// Every CA
    #[arg(long, conflicts_with = "authority")]
    pub(crate) all: bool,
    /// Copy the published files there as well
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct CrlSubject {
    /// A CA's name, a file, or `-`
    #[arg(value_name = "CA|FILE")]
    pub(crate) what: String,
}

#[derive(Args, Debug)]
pub(crate) struct CrlCheck {
    /// A CA's name, a file, or an http URL
    #[arg(value_name = "CA|FILE|URL")]
    pub(crate) what: String,
    /// The issuer's certificate, where no CA of this home issued it
    #[arg(long, value_name = "FILE")]
    pub(crate) issuer: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ocsp {
    /// Issue or renew the delegated responder certificate of a CA
    Responder(Responder),
    /// Ask a responder and verify its answer
    Query(Query),
    /// Publish the status of every certificate again, for responders to read
    Sync,
    /// Sign answers about every certificate, for a responder without a key
    Presign(Presign),
    /// Have questions about a CA's certificates answered no more
    Disable(OcspAuthority),
    /// Have questions about a CA's certificates answered again
    Enable(OcspAuthority),
}

#[derive(Args, Debug)]
pub(crate) struct OcspAuthority {
    /// The CA
    #[arg(value_name = "CA")]
    pub(crate) authority: String,
}

#[derive(Args, Debug)]
pub(crate) struct Presign {
    /// The CA whose certificates are answered for [default: every CA that has a responder]
    #[arg(value_name = "CA")]
    pub(crate) authority: Option<String>,
    /// The file; one that is there is replaced, and what of it still counts is not signed again
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Responder {
    /// The CA; or --due
    #[arg(value_name = "CA", required_unless_present = "due")]
    pub(crate) authority: Option<String>,
    /// Every CA that has a responder whose certificate is past half its life
    #[arg(long, conflicts_with = "authority")]
    pub(crate) due: bool,
    /// Where the responder's key is kept: `file`, a fresh one, or a token: `pkcs11:token=LABEL` [default: as it is]
    #[arg(long, value_name = "STORE", requires = "authority")]
    pub(crate) keystore: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Query {
    /// A certificate, as for `revoke`
    #[arg(value_name = "CERT")]
    pub(crate) certificate: String,
    /// The responder [default: the one the certificate names]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The issuer's certificate, where no CA of this home issued it
    #[arg(long, value_name = "FILE")]
    pub(crate) issuer: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Metrics {
    /// The file, for example in the directory of the node exporter's text files [default: standard output]
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Clock {
    /// What the clock says, what it is held against, and what is signed with it
    Status,
    /// Say that the clock is right, where it is far from the last confirmed time
    Accept,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Say what is wrong with the configuration, with lines; exit status 1 when something is
    Check(ConfigCheck),
}

#[derive(Args, Debug)]
pub(crate) struct ConfigCheck {
    /// Also whether genfic-ocspd would be ready with this home, and what it would lack; exit status 12 when something is
    /// amiss
    #[arg(long)]
    pub(crate) daemon: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Print the records
    Show(AuditShow),
    /// Recompute the chain; exit status 13 where it is broken
    Verify,
}

#[derive(Args, Debug)]
pub(crate) struct AuditShow {
    /// From this sequence number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) from: u64,
    /// Only the last N: commands, or with --json records
    #[arg(long, value_name = "N", conflicts_with = "from")]
    pub(crate) last: Option<u64>,
    /// Not before this time: RFC 3339, a date, or so long ago, for example 30d
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Not after this time, written likewise; a date means its whole day
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Done by this user, or on behalf of this person
    #[arg(long, value_name = "USER")]
    pub(crate) who: Option<String>,
    /// About this CA or certificate: a CA's name, CA/SERIAL, a serial number's beginning, a name of the certificate
    /// on record; `*` and `?` stand for anything
    #[arg(long, value_name = "OBJECT")]
    pub(crate) object: Option<String>,
    /// Of this command or action, for example `revoke` or `certificate.revoked`, with `*` and `?`
    #[arg(long, value_name = "ACTION")]
    pub(crate) action: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// OpenSSL's index.txt of one CA, as `openssl ocsp -index` reads it
    IndexTxt(IndexTxt),
    /// Certificates of CAs for those who are to trust them
    Bundle(Bundle),
    /// CAs as a PKCS#12 trust store, as Java reads it
    Truststore(Truststore),
    /// CAs and CRLs in a directory that OpenSSL looks them up in
    HashedDir(HashedDir),
    /// A certificate with its key and chain as PKCS#12, for browsers, mail programs and phones
    P12(SubscriberFile),
    /// The part of a server's configuration that names its certificate, and the files for it
    Snippet(SnippetFor),
}

#[derive(Args, Debug)]
pub(crate) struct IndexTxt {
    /// The CA
    #[arg(value_name = "CA")]
    pub(crate) authority: String,
    /// The file; `-`, the default, is standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
