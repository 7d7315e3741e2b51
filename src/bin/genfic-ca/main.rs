//! The `genfic-ca` program: the command line for CA administrators.
mod bundle_usage;
mod cli;
mod commands;
mod completion;
mod hints;
mod progress;
mod prompt;
mod purpose;
mod report;
mod script;
mod session;
mod terminal;
mod usage;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};
use cli::Cli;
use genfic_ca::error::Exit;
use genfic_ca::signing::forbid_core_dumps;
use progress::Progress;
use report::Style;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    // no core dump or debugger may contain a passphrase or a key; if the kernel refuses, the program goes on
    let _ = forbid_core_dumps();
    let words: Vec<OsString> = std::env::args_os().collect();
    if completion::answered(&words) {
        return ExitCode::SUCCESS;
    }
    if words.len() == 1 {
        let help = cli::command().render_help();
        let _ = write!(std::io::stderr(), "{help}");
        return ExitCode::from(Exit::Usage.code());
    }
    report::keep_on_one_line(&words);
    let status = match parsed(&words) {
        Ok(cli) => {
            report::look(cli.global.wide, cli.global.json);
            let style = Style { json: cli.global.json, quiet: cli.global.quiet };
            let global = cli.global.clone();
            match script::command(cli) {
                Ok(command) => {
                    let name = commands::name(&command);
                    let progress = commands::may_draw(&command).then(|| Progress::begin(&global, name));
                    let outcome = commands::run(&global, command).map_err(commands::untouched);
                    drop(progress);
                    report::conclude(name, outcome, style)
                }
                Err(problem) => report::conclude("", Err(problem), style),
            }
        }
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let _ = error.print();
            0
        }
        Err(error) => {
            let (name, problem) = usage::problem(&error, &words);
            let json = words.iter().skip(1).any(|word| word == "--json");
            report::look(false, json);
            report::conclude(&name, Err(problem), Style { json, quiet: false })
        }
    };
    ExitCode::from(status)
}

/// Parses the words that were typed, and notes whether the passphrase source was typed or is from the environment.
fn parsed(words: &[OsString]) -> Result<Cli, clap::Error> {
    // what explains takes a fifth of the time of a whole command, so it is made for whoever is to be told something
    let mut matches = match Cli::command().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(_) => cli::command().try_get_matches_from(words)?,
    };
    let is_typed = matches.value_source("passphrase_from") == Some(ValueSource::CommandLine);
    let mut cli =
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut cli::command()))?;
    cli.global.passphrase_is_typed = is_typed;
    Ok(cli)
}
