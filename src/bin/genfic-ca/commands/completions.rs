//! `completions`.
use crate::cli::{Cli, Completions};
use crate::report::Report;
use clap::CommandFactory;
use serde_json::json;

/// Returns the completion script for a shell.
pub(crate) fn completions(args: &Completions) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "genfic-ca", &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    let result = json!({ "shell": args.shell.to_string(), "script": text });
    Report { octets: Some(script), ..Report::seen(result, "") }
}
