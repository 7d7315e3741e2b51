//! Arguments about keys that are kept offline.
use super::keys::sha256_digits;
use clap::{Args, Subcommand};
use genfic_ca::x509::Fingerprint;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct KeyExportBundle {
    /// The CA; of several generations exactly this one
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// A directory on a medium; twice for two of them
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) to: Vec<PathBuf>,
    /// Ask for no passphrase: whether the key opens on the medium is not tried, and no CRL is made ahead
    #[arg(long)]
    pub(crate) sealed: bool,
}

#[derive(Args, Debug)]
pub(crate) struct KeyImportBundle {
    /// The CA whose key is on the medium
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The directory on the medium
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ceremony {
    /// Write what a key that is offline is asked to sign into a file that people can read
    Request(CeremonyRequest),
    /// Sign a request with the key on a medium; needs neither a home nor a network
    Sign(CeremonySign),
    /// Take in the answer to a request
    Import(CeremonyImport),
}

#[derive(Args, Debug)]
pub(crate) struct CeremonyRequest {
    /// The CA whose key is offline
    #[arg(value_name = "CA")]
    pub(crate) authority: String,
    /// Where the request is written
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// A CA below it that gets a new certificate for its key, or a root itself; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) renew: Vec<String>,
    /// A new CA below it, of `create-child NAME --csr-only`; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) child: Vec<String>,
    /// A CA of this home, or a file with another CA's certificate, that it cross-certifies; may be repeated
    #[arg(long, value_name = "CA|FILE")]
    pub(crate) cross: Vec<String>,
    /// Profile of the cross-certificates [default: that of the CA, for a root sub-ca]
    #[arg(long, value_name = "PROFILE", requires = "cross")]
    pub(crate) cross_profile: Option<String>,
    /// A new certificate of its OCSP responder, whose key is made here and waits for it
    #[arg(long)]
    pub(crate) responder: bool,
    /// Ask for no CRL
    #[arg(long)]
    pub(crate) no_crl: bool,
    /// Why, for those who sign and for the auditor
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CeremonySign {
    /// The request
    #[arg(value_name = "FILE")]
    pub(crate) request: PathBuf,
    /// Where the answer is written; the transcript goes beside it, with .txt
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The date and time, of a calendar and a watch: 2030-01-31 or 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) date: Option<String>,
    /// Somebody who is there, for the transcript; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) present: Vec<String>,
    /// Link the key with the generation of the root whose certificate has this fingerprint; may be repeated
    #[arg(long, value_name = "SHA256", value_parser = fingerprint)]
    pub(crate) generation: Vec<Fingerprint>,
}

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    let digits = sha256_digits(text)?;
    Fingerprint::from_hex(&digits).ok_or_else(|| "it is not hexadecimal".to_owned())
}

#[derive(Args, Debug)]
pub(crate) struct CeremonyImport {
    /// The answer
    #[arg(value_name = "FILE")]
    pub(crate) answer: PathBuf,
}
