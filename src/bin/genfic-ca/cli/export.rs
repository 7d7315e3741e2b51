//! Arguments of commands that export to other programs' formats.
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The form of a bundle of certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum BundleFormat {
    /// PEM, one block a certificate: most programs on Linux.
    Pem,
    /// DER, one certificate: `.cer` or `.crt` for Windows and Android.
    Der,
    /// PKCS#7 in DER: `.p7b` for Windows.
    Pkcs7,
    /// A configuration profile for macOS and iOS.
    Mobileconfig,
}

#[derive(Args, Debug)]
pub(crate) struct Bundle {
    /// The CAs [default: every root that is valid and not retired]
    #[arg(value_name = "CA")]
    pub(crate) authorities: Vec<String>,
    /// Roots that are retired too
    #[arg(long, conflicts_with = "authorities")]
    pub(crate) all: bool,
    /// pem, der (one certificate), pkcs7 (DER, Windows' .p7b) or mobileconfig (macOS and iOS)
    #[arg(long, value_name = "FORMAT", default_value = "pem", hide_possible_values = true)]
    pub(crate) format: BundleFormat,
    /// The file; `-`, the default, is standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Truststore {
    /// The CAs [default: every root that is valid and not retired]
    #[arg(value_name = "CA")]
    pub(crate) authorities: Vec<String>,
    /// Roots that are retired too
    #[arg(long, conflicts_with = "authorities")]
    pub(crate) all: bool,
    /// The file; `-` is standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Where the passphrase of the file comes from: prompt, file:PATH, env:VAR, fd:N or cred:NAME [default: prompt]
    #[arg(long, value_name = "SPEC")]
    pub(crate) p12_passphrase_from: Option<String>,
    /// 3DES and SHA-1 in place of AES-256 and SHA-256, for Java before 8u301
    #[arg(long)]
    pub(crate) legacy: bool,
}

#[derive(Args, Debug)]
pub(crate) struct HashedDir {
    /// The directory; made when it is not there. What others put into it stays, CAs that are revoked, ended or
    /// retired go
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// The CAs [default: every root that is valid and not retired]
    #[arg(value_name = "CA")]
    pub(crate) authorities: Vec<String>,
    /// Roots that are retired too
    #[arg(long, conflicts_with = "authorities")]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SubscriberFile {
    /// `serial:HEX`, `sha256:PREFIX`, a subject CN or SAN, `CA/SERIAL`, a file, or `-`; of several that one which
    /// has the key, of those the newest
    #[arg(value_name = "CERT")]
    pub(crate) certificate: String,
    /// Its private key, plain or encrypted, also in an age file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Where the passphrase of the key comes from [default: as --passphrase-from]
    #[arg(long, value_name = "SPEC")]
    pub(crate) key_passphrase_from: Option<String>,
    /// Where the passphrase of the new file comes from: prompt, file:PATH, env:VAR, fd:N or cred:NAME [default: prompt]
    #[arg(long, value_name = "SPEC")]
    pub(crate) p12_passphrase_from: Option<String>,
    /// Generate the passphrase, six words: shown once on the terminal, or written into the new file that file:PATH names
    #[arg(long)]
    pub(crate) generate: bool,
    /// The new file; `-` is standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The name under which it is shown [default: the subject's CN]
    #[arg(long, value_name = "NAME")]
    pub(crate) friendly_name: Option<String>,
    /// With the root, which whoever verifies has to have already
    #[arg(long)]
    pub(crate) with_root: bool,
    /// 3DES and SHA-1 in place of AES-256 and SHA-256, for old Windows, macOS and Java
    #[arg(long)]
    pub(crate) legacy: bool,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// A server program.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ServerProgram {
    Nginx,
    Apache,
    Haproxy,
    Postfix,
    Dovecot,
    Postgresql,
    Openvpn,
    Strongswan,
}

#[derive(Args, Debug)]
pub(crate) struct SnippetFor {
    /// nginx, apache, haproxy, postfix, dovecot, postgresql, openvpn or strongswan
    #[arg(value_name = "SERVER", hide_possible_values = true)]
    pub(crate) server: ServerProgram,
    /// `serial:HEX`, `sha256:PREFIX`, a subject CN or SAN, `CA/SERIAL`, a file, or `-`; of several for the same
    /// holder the newest
    #[arg(value_name = "CERT")]
    pub(crate) certificate: String,
    /// Where NAME.chain.pem and NAME.issuers.pem go [default: here]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Its private key, not encrypted [default: NAME.key in DIR]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The file for the snippet; `-`, the default, is standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace a file with a key that is there (NAME.haproxy.pem)
    #[arg(long)]
    pub(crate) force: bool,
}
