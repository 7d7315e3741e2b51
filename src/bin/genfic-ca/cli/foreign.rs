//! Arguments of commands on CAs that other programs made.
use super::unlocking::SignerSocket;
use super::{
    Ensure, KeyEnvelope, KeyExport, KeyExportBundle, KeyImportBundle, KeyLock, KeyMove, KeyPassphrase,
    KeyStatus, KeyUnlock, NewPassphrase, UnlockScope,
};
use clap::{Args, Subcommand};
use genfic_ca::signing::RecipientText;
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
    #[command(flatten)]
    pub(crate) passphrase: NewPassphrase,
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
    #[command(flatten)]
    pub(crate) ensure: Ensure,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Take in the private key of a CA, PEM or DER; it is encrypted anew
    Import(KeyImport),
    /// Where the key of each CA is, how it is protected, when it was last used
    List,
    /// Write the private key of a CA into a file that OpenSSL reads, encrypted; asks for the CA's name
    Export(KeyExport),
    /// The most that a key signs, whoever asks; or set limits of it
    Envelope(KeyEnvelope),
    /// Move the key of a CA to media that are locked up, with all that is needed to sign
    ExportBundle(KeyExportBundle),
    /// Bring the key of a CA back from such a medium
    ImportBundle(KeyImportBundle),
    /// Move the key of a CA to the signer that listens, or from it into this home
    Move(KeyMove),
    /// Give the keys of CAs new passphrases
    Passphrase(KeyPassphrase),
    /// Unlock a key of the signer that listens, as yourself: for a while, for what is named
    Unlock(KeyUnlock),
    /// Lock a key of the signer that listens, or every key
    Lock(KeyLock),
    /// What is unlocked: for what, until when, by whom, how many signatures are left
    Status(KeyStatus),
}

#[derive(Args, Debug)]
pub(crate) struct KeyImport {
    /// The CA: one of this home whose key is away, or one that `adopt` will make
    pub(crate) name: String,
    /// The key: PKCS#8, PKCS#1 or SEC 1, plain or encrypted; with --service also a file of age. Without FILE, the key that an
    /// administrator has brought to the signer for a CA of this home
    #[arg(value_name = "FILE", required_if_eq("service", "true"))]
    pub(crate) file: Option<PathBuf>,
    /// Where the old passphrase comes from [default: as --passphrase-from; with --service the terminal]
    #[arg(long, value_name = "SPEC")]
    pub(crate) key_passphrase_from: Option<String>,
    #[command(flatten)]
    pub(crate) passphrase: NewPassphrase,
    /// Into the signer that listens: as yourself, an administrator, without sudo -u; no home is needed. `import`, `adopt`
    /// or `key import` without FILE takes the CA over then, in the same login
    #[arg(long, requires = "cert", conflicts_with_all = ["generate", "weak_passphrase"])]
    pub(crate) service: bool,
    /// With --service: the certificate of the CA, PEM or DER; may be repeated
    #[arg(long, value_name = "CERT", requires = "service")]
    pub(crate) cert: Vec<PathBuf>,
    /// With --service: the last CRL of the CA, PEM or DER. None of its entries is left out of the next one, whatever the
    /// account of the CA says
    #[arg(long, value_name = "CRL", requires = "service")]
    pub(crate) crl: Option<PathBuf>,
    /// With --service: the profile of the CA, and no other [default: user-ca for NAME-user, system-ca for NAME-system]
    #[arg(long, value_name = "PROFILE", requires = "service")]
    pub(crate) profile: Option<String>,
    /// With --service: a beginning of the URLs that its certificates may name; may be repeated [default: the server of the
    /// configuration, where it can be read; else any]
    #[arg(long, value_name = "URL", requires = "service")]
    pub(crate) url: Vec<String>,
    /// With --service: encrypt the key to this recipient of age in place of a passphrase; may be repeated.
    /// --passphrase-from names a file with the identity of one of them
    #[arg(long, value_name = "AGE1...", requires = "service")]
    pub(crate) recipient: Vec<RecipientText>,
    /// With --service: for how long the key is unlocked, once the CA is taken over; and how long that may take
    #[arg(long = "for", value_name = "TIME", default_value = "15m")]
    pub(crate) lasting: String,
    /// With --service: what it is unlocked for; may be repeated [default: ca and crl, four signatures of each]
    #[arg(long, value_name = "SCOPE", value_enum, requires = "service")]
    pub(crate) scope: Vec<UnlockScope>,
    /// With --service: the CA once more, in place of typing it when the envelope is shown; --yes alone does not confirm this
    #[arg(long, value_name = "NAME", requires = "service")]
    pub(crate) confirm: Option<String>,
    #[command(flatten)]
    pub(crate) signer: SignerSocket,
}
