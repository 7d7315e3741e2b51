//! `completions`.
use super::manual::custody;
use crate::cli::Completions;
use crate::completion::script;
use crate::report::Report;
use serde_json::json;

/// Returns the completion script for a shell.
pub(crate) fn completions(args: &Completions) -> Report {
    let script = match args.program.as_str() {
        // its commands and options; it has no names to look up that the shell does not see as files
        "genfic-key" => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut custody::command(), "genfic-key", &mut script);
            script
        }
        _ => script(args.shell),
    };
    let text = String::from_utf8_lossy(&script).into_owned();
    let result = json!({ "program": args.program, "shell": args.shell.to_string(), "script": text });
    Report { octets: Some(script), ..Report::seen(result, "") }
}
