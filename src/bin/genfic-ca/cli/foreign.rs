//! Arguments of commands on CAs that other programs made.
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Take over a CA of `openssl ca`: its certificate, key, record and CRL number; also XCA's index hierarchy
    Openssl(ImportFrom),
    /// Take over a CA of easy-rsa 3
    EasyRsa(ImportFrom),
}

#[derive(Args, Debug)]
pub(crate) struct ImportFrom {
    /// The directory that has index.txt; it is read, never changed
    pub(crate) dir: PathBuf,
    /// Name of the CA here: lower-case letters, digits, `.`, `_` and `-`
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: String,
    /// Report what would be taken over and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Profile that says what it issues [default: the one NAME ends with, else by what it issued]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// The CA's certificate, when it is not found
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The CA's private key, when it is not found
    #[arg(long, value_name = "FILE", conflicts_with = "without_key")]
    pub(crate) key: Option<PathBuf>,
    /// Leave the private key where it is
    #[arg(long)]
    pub(crate) without_key: bool,
    /// The record, when it is not called index.txt
    #[arg(long, value_name = "FILE")]
    pub(crate) index: Option<PathBuf>,
    /// Certificates of CAs above it that are not of this home; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) chain: Vec<PathBuf>,
    /// Where the old key's passphrase comes from [default: as --passphrase-from]
    #[arg(long, value_name = "SPEC")]
    pub(crate) key_passphrase_from: Option<String>,
    /// Issue a responder certificate for it [default: unless it issued CAs only]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) ocsp: Option<bool>,
}

#[derive(Args, Debug)]
pub(crate) struct Adopt {
    /// The CA that waits for its certificate
    pub(crate) name: String,
    /// Its certificate, PEM or DER; those of the CAs above it may follow
    #[arg(value_name = "CERT")]
    pub(crate) certificate: PathBuf,
    /// Certificates of the CAs above it, up to the root; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) chain: Vec<PathBuf>,
    /// Profile that says what it issues [default: the one it was asked for under]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Issue a responder certificate for it [default: unless it is offline]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) ocsp: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Take in the private key of a CA, PEM or DER; it is encrypted anew
    Import(KeyImport),
}

#[derive(Args, Debug)]
pub(crate) struct KeyImport {
    /// The CA: one of this home whose key is away, or one that `adopt` will make
    pub(crate) name: String,
    /// The key: PKCS#8, PKCS#1 or SEC 1, plain or encrypted
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where the old passphrase comes from [default: as --passphrase-from]
    #[arg(long, value_name = "SPEC")]
    pub(crate) key_passphrase_from: Option<String>,
}
