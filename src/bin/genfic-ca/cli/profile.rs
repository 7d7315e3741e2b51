//! Arguments of commands on profiles.
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// List the profiles, with what they are for and the CAs that may use them
    List,
    /// Show a profile
    Show(ProfileShow),
    /// Check profiles before they are put into the home; exit status 12 with findings
    Check(ProfileCheck),
}

#[derive(Args, Debug)]
pub(crate) struct ProfileShow {
    /// Name of the profile, as after --profile
    pub(crate) name: String,
}

#[derive(Args, Debug)]
pub(crate) struct ProfileCheck {
    /// Files NAME.toml; they are checked together with the other profiles of the home
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}
