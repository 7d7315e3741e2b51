//! Arguments of commands on backups.
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
    Accept,
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
    /// With the CA keys (they stay encrypted with their own passphrases) and the responder keys
    #[arg(long)]
    pub(crate) with_keys: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BackupVerify {
    /// The backup
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// A file with the age identity of a recipient; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct BackupRestore {
    /// The backup
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// A file with the age identity of a recipient; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Vec<PathBuf>,
    /// What was published after the backup: CRLs, certificates, directories with them or with a published
    /// status; may be repeated
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) published: Vec<PathBuf>,
}
