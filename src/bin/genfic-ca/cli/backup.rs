//! Arguments of commands on backups.
use super::unlocking::SignerSocket;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Backup {
    /// Make a backup of the home while others work in it
    Create(BackupCreate),
    /// Prove that a backup restores; exit status 11 when it does not
    Verify(BackupVerify),
    /// Make a home of a backup and of what was published since; issuing is locked until `backup accept`
    Restore(BackupRestore),
    /// Let certificates be issued again after a restore
    Accept(BackupAccept),
}

#[derive(Args, Debug)]
pub(crate) struct BackupAccept {
    /// Of the signer that listens, as an administrator: it signs certificates again
    #[arg(long)]
    pub(crate) signer: bool,
    #[command(flatten)]
    pub(crate) socket: SignerSocket,
}

#[derive(Args, Debug)]
pub(crate) struct BackupCreate {
    /// A new file, or a directory for a name with the time
    #[arg(value_name = "FILE|DIR")]
    pub(crate) to: PathBuf,
    /// Encrypt to this age recipient (age1...) in place of a passphrase; may be repeated
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) recipient: Vec<String>,
    /// Encrypt to the recipients in this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) recipients_file: Option<PathBuf>,
    /// Of the signer that listens, as an administrator: its keys (they stay encrypted with their own passphrases),
    /// journal, marks and envelopes
    #[arg(long, conflicts_with = "with_keys")]
    pub(crate) signer: bool,
    #[command(flatten)]
    pub(crate) socket: SignerSocket,
    /// With the CA keys (they stay encrypted with their own passphrases) and the responder keys
    #[arg(long)]
    pub(crate) with_keys: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BackupVerify {
    /// The backup
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// It is one of the signer that listens
    #[arg(long)]
    pub(crate) signer: bool,
    /// A file with the age identity of a recipient; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct BackupRestore {
    /// The backup
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// It is one of the signer that listens: make the signer's directory, while its service is stopped, as root or as the
    /// user of the service
    #[arg(long)]
    pub(crate) signer: bool,
    /// The signer's directory, which is absent or empty
    #[arg(long, value_name = "DIR", default_value = "/var/lib/genfic-signer", requires = "signer")]
    pub(crate) directory: PathBuf,
    /// A file with the age identity of a recipient; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Vec<PathBuf>,
    /// What was published after the backup: CRLs, certificates, directories with them or with a published
    /// status; may be repeated
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) published: Vec<PathBuf>,
}
