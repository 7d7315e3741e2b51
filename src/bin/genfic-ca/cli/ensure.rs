//! `--ensure`, of commands that make something or change its state.
use clap::Args;

/// Whether the command is about what is to be there, and not about what is to be done.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Ensure {
    /// Do nothing when it is there as asked; exit status 4 with the differences when it is there otherwise
    #[arg(long)]
    pub(crate) ensure: bool,
    /// Say whether something would be done, and do nothing
    #[arg(long, requires = "ensure")]
    pub(crate) dry_run: bool,
}
