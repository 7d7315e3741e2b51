//! The command line for the CA administrator.
mod cli;
mod commands;
mod prompt;
mod report;
mod script;
mod session;

use clap::Parser;
use clap::error::ErrorKind;
use cli::Cli;
use genfic_ca::key::forbid_core_dumps;
use genfic_ca::problem::{Exit, Problem};
use report::Style;
use std::process::ExitCode;

fn main() -> ExitCode {
    // a limit can always be lowered; were it otherwise, a command is worth more than the precaution
    let _ = forbid_core_dumps();
    let words: Vec<_> = std::env::args_os().collect();
    let wants_json = words.iter().skip(1).any(|word| word == "--json");
    let status = match Cli::try_parse_from(&words) {
        Ok(cli) => {
            let style = Style { json: cli.global.json, quiet: cli.global.quiet };
            let global = cli.global.clone();
            match script::command(cli) {
                Ok(command) => {
                    let name = commands::name(&command);
                    report::conclude(name, commands::run(&global, command), style)
                }
                Err(problem) => report::conclude("", Err(problem), style),
            }
        }
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let _ = error.print();
            0
        }
        Err(error) if wants_json => {
            let text = error.render().to_string();
            let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let problem = Problem::new(Exit::Usage, "usage", message)
                .hint("`genfic-ca --help` shows what can be typed");
            report::conclude("", Err(problem), Style { json: true, quiet: false })
        }
        Err(error) => {
            let _ = error.print();
            Exit::Usage.code()
        }
    };
    ExitCode::from(status)
}
