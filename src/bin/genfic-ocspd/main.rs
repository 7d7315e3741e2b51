//! The OCSP responder: sees the published status and its own short-lived keys, never the index or a CA key.
mod cli;

use clap::{CommandFactory, Parser};
use cli::Cli;
use genfic_ca::assembly::{DaemonOptions, daemon};
use genfic_ca::home::Home;
use genfic_ca::key::forbid_core_dumps;
use genfic_ca::problem::{Exit, Problem, in_words};
use sd_notify::NotifyState;
use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::net::TcpListener;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let undumpable = forbid_core_dumps();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            report(&wrong_options(&error));
            return ExitCode::from(Exit::Usage.code());
        }
    };
    log_to_standard_error();
    if let Err(error) = undumpable {
        tracing::warn!(%error, "core dumps cannot be turned off");
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            report(&problem);
            ExitCode::from(problem.exit.code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Problem> {
    let home = cli.home.map_or_else(Home::system, Home::at);
    let options = DaemonOptions { listen: cli.listen, status: cli.status, config: cli.config };
    let daemon = daemon(&home, options)?;
    let listeners = daemon.listeners()?;
    let announced = announce(&listeners);
    let ready = || {
        // whoever started us may read no further line, or none at all
        if let Err(error) = stdout().write_all(announced.as_bytes()).and_then(|()| stdout().flush()) {
            tracing::warn!(%error, "standard output cannot be written");
        }
        notify(NotifyState::Ready);
        tracing::info!("ready");
    };
    let stopping = || {
        notify(NotifyState::Stopping);
        tracing::info!("stopping");
    };
    Ok(daemon.run(listeners, ready, stopping)?)
}

/// One line for each listener.
fn announce(listeners: &[TcpListener]) -> String {
    let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    addresses.map(|address| format!("listening on http://{address}\n")).collect()
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(false, &[state]) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// Standard error, with the system's errors in words alone.
struct InWords;

impl Write for InWords {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let text = in_words(String::from_utf8_lossy(octets).into_owned());
        stderr().write_all(text.as_bytes())?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

fn log_to_standard_error() {
    let filter = EnvFilter::try_from_env("GENFIC_OCSPD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| InWords)
        .with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .init();
}

/// What is wrong with the options, told like every other problem.
fn wrong_options(error: &clap::Error) -> Problem {
    let text = error.render().to_string();
    let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let tips = text.lines().map(str::trim).filter_map(|line| line.strip_prefix("tip: "));
    let usage = Cli::command().render_usage().to_string();
    let usage = format!("{}; `genfic-ocspd --help` says more", usage.replacen("Usage:", "usage:", 1).trim());
    let hint: Vec<&str> = tips.chain([usage.as_str()]).collect();
    let message = paragraph.join(" ");
    Problem::new(Exit::Usage, "usage", message.trim_start_matches("error: ")).hint(hint.join("\n"))
}

/// The problem, what to do, and the code.
fn report(problem: &Problem) {
    let Problem { code, exit, message, hint } = problem;
    let mut text = format!("error: {message}\n");
    if !hint.is_empty() {
        text.push_str(&format!("{hint}\n"));
    }
    text.push_str(&format!("(exit {}, {code})\n", exit.code()));
    // nothing is left to be done when even this cannot be said
    let _ = stderr().write_all(text.as_bytes());
}
