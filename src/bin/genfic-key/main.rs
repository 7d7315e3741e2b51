//! The `genfic-key` program: custody of CA keys. It works on key files alone and needs no index.
#[path = "../genfic-ca/bundle_usage.rs"]
mod bundle_usage;
mod cli;
mod commands;
#[path = "../genfic-ca/hints/mod.rs"]
mod hints;
mod output;
mod plugins;
mod progress;
#[path = "../genfic-ca/prompt.rs"]
mod prompt;
mod sources;
#[path = "../genfic-ca/terminal.rs"]
mod terminal;

use clap::FromArgMatches as _;
use clap::error::ErrorKind;
use cli::{Action, Cli};
use genfic_ca::assembly::lock_memory;
use genfic_ca::error::{Code, Exit, Problem};
use genfic_ca::signing::forbid_core_dumps;
use output::{Style, conclude};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    // no core dump or debugger may contain a passphrase or a key; if the kernel refuses, the program goes on
    let _ = forbid_core_dumps();
    lock_memory();
    if std::env::args_os().len() == 1 {
        let _ = write!(std::io::stderr(), "{}", cli::command().render_help());
        return ExitCode::from(Exit::Usage.code());
    }
    let parsed = cli::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let status = match parsed {
        Ok(Cli { global, command }) => {
            let style = Style { json: global.json, quiet: global.quiet };
            conclude(name(&command), commands::run(&global, command), style)
        }
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let _ = error.print();
            0
        }
        Err(error) => {
            let json = std::env::args_os().any(|word| word == "--json");
            conclude("", Err(wrong_options(&error)), Style { json, quiet: false })
        }
    };
    ExitCode::from(status)
}

/// Returns the name of a command, as `--json` says it.
fn name(command: &Action) -> &'static str {
    match command {
        Action::Rewrap(_) => "rewrap",
        Action::Open(_) => "open",
        Action::Split(_) => "split",
        Action::Combine(_) => "combine",
        Action::Page(_) => "page",
        Action::ExportBundle(_) => "export-bundle",
    }
}

/// Returns the problem of wrong options.
fn wrong_options(error: &clap::Error) -> Problem {
    let text = error.render().to_string();
    let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let usage = text.lines().map(str::trim).find_map(|line| line.strip_prefix("Usage: "));
    let usage = usage.unwrap_or("genfic-key [OPTIONS] COMMAND");
    let tips = text.lines().map(str::trim).filter_map(|line| line.strip_prefix("tip: ").map(str::to_owned));
    let mut hint: Vec<String> = tips.collect();
    hint.push(format!("usage: {usage}; `genfic-key --help` says more"));
    let message = paragraph.join(" ");
    Problem::new(Code::Usage, message.trim_start_matches("error: ")).hint(hint.join("\n"))
}
