//! The OCSP responder. It reads the published status and its own short-lived keys, and never the index or a CA key.
mod cli;
mod detail;
#[path = "../genfic-ca/hints/mod.rs"]
mod hints;
mod log;

use clap::{CommandFactory, Parser};
use cli::Cli;
use detail::detail;
use genfic_ca::assembly::{DaemonOptions, daemon};
use genfic_ca::error::{Code, Exit, Problem};
use genfic_ca::home::Home;
use genfic_ca::ocsp::server::ServerError;
use genfic_ca::signing::forbid_core_dumps;
use log::Log;
use sd_notify::NotifyState;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::net::TcpListener;
use std::process::ExitCode;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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
    let log = match Log::start() {
        Ok(log) => log,
        Err(error) => {
            let problem = Problem::from(ServerError::Start(error));
            report(&problem);
            return ExitCode::from(problem.exit.code());
        }
    };
    log_to(&log);
    if let Err(error) = undumpable {
        tracing::warn!(%error, "core dumps cannot be turned off");
    }
    let ended = run(cli);
    let status = match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // written through the log, which never waits: standard error may be a full pipe
            let _ = log.clone().write_all(text_of(&problem).as_bytes());
            ExitCode::from(problem.exit.code())
        }
    };
    log.flush();
    status
}

fn run(cli: Cli) -> Result<(), Problem> {
    let home = cli.home.map_or_else(Home::system, Home::at);
    let options = DaemonOptions { listen: cli.listen, status: cli.status, config: cli.config };
    let daemon = daemon(&home, options)?;
    let listeners = daemon.listeners()?;
    let announced = announce(&listeners);
    let ready = || {
        // the parent may have stopped reading, or never have read anything
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

/// Returns one line for each listener.
fn announce(listeners: &[TcpListener]) -> String {
    let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    addresses.map(|address| format!("listening on http://{address}\n")).collect()
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(false, &[state]) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// Sends log lines to the writing thread, so that logging never fails the caller.
fn log_to(log: &Log) {
    let filter = detail(std::env::var("GENFIC_OCSPD_LOG").ok().as_deref());
    let (log, of_panics) = (log.clone(), log.clone());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || log.clone())
        .log_internal_errors(false)
        .with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .finish()
        .with(filter);
    // no other subscriber is installed yet
    let _ = subscriber.try_init();
    // a panic is logged as a line like any other: the default hook would wait for a reader of standard error
    std::panic::set_hook(Box::new(move |panic| {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        tracing::error!(thread = name, "{panic}");
        if name == "main" {
            of_panics.flush();
        }
    }));
}

/// Returns the problem of wrong options.
fn wrong_options(error: &clap::Error) -> Problem {
    let text = error.render().to_string();
    let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let tips = text.lines().map(str::trim).filter_map(|line| line.strip_prefix("tip: "));
    let usage = Cli::command().render_usage().to_string();
    let usage = format!("{}; `genfic-ocspd --help` says more", usage.replacen("Usage:", "usage:", 1).trim());
    let hint: Vec<&str> = tips.chain([usage.as_str()]).collect();
    let message = paragraph.join(" ");
    Problem::new(Code::Usage, message.trim_start_matches("error: ")).hint(hint.join("\n"))
}

/// Reports a problem before the log exists.
fn report(problem: &Problem) {
    // if even this write fails, nothing is left to be done
    let _ = stderr().write_all(text_of(problem).as_bytes());
}

/// Returns the problem's message, hint and code as text.
fn text_of(problem: &Problem) -> String {
    let Problem { code, exit, message, hint, .. } = problem;
    let mut text = format!("error: {message}\n");
    if !hint.is_empty() {
        text.push_str(&format!("{}\n", hints::text(hint)));
    }
    text.push_str(&format!("(exit {}, {code})\n", exit.code()));
    text
}
