//! The OCSP responder. It reads the published status and its own short-lived keys, and never the index or a CA key.
mod cli;
mod detail;
#[path = "../genfic-ca/hints/mod.rs"]
mod hints;
mod log;
mod logging;
mod output;

use clap::{CommandFactory, Parser};
use cli::Cli;
use detail::levels;
use genfic_ca::assembly::{
    DaemonOptions, DaemonSettings, check_daemon, daemon, daemon_settings, verify_daemon_places,
};
use genfic_ca::error::{Code, Exit, Problem};
use genfic_ca::home::Home;
use genfic_ca::ocsp::readiness::Readiness;
use genfic_ca::ocsp::server::{Listeners, ServerError};
use genfic_ca::signing::forbid_core_dumps;
use log::{Kind, Log};
use logging::{Logging, access_log};
use output::Output;
use sd_notify::NotifyState;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

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
    let log = match Log::start(Output::Stderr, Kind::Events) {
        Ok(log) => log,
        Err(error) => {
            let problem = Problem::from(ServerError::Start(error));
            report(&problem);
            return ExitCode::from(problem.exit.code());
        }
    };
    log_panics(&log);
    let status = match run(cli, &log, undumpable.map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // written through the log, which never waits: standard error may be a full pipe
            log.switch(Output::Stderr);
            log.add(text_of(&problem).into_bytes());
            ExitCode::from(problem.exit.code())
        }
    };
    log.flush();
    status
}

fn run(cli: Cli, log: &Log, undumpable: Result<(), String>) -> Result<(), Problem> {
    let home = cli.home.map_or_else(Home::system, Home::at);
    let options = DaemonOptions {
        listen: cli.listen,
        status: cli.status,
        config: cli.config,
        responses: cli.responses,
        state: cli.state,
        is_of_another: false,
    };
    let settings = daemon_settings(&home, &options)?;
    verify_daemon_places(&home, &options)?;
    if cli.check {
        levels(&settings.log.level)?;
        return checked(&settings, &check_daemon(&home, &options, &settings));
    }
    let logging = Logging::start(log, &settings.log)?;
    if let Err(error) = undumpable {
        tracing::warn!(error, "core dumps cannot be turned off");
    }
    let daemon = daemon(&home, &options, &settings, access_log(&settings.log)?)?;
    let listeners = daemon.listeners()?;
    let announced = announce(&listeners);
    let ready = || {
        // the parent may have stopped reading, or never have read anything
        if let Err(error) = stdout().write_all(announced.as_bytes()).and_then(|()| stdout().flush()) {
            tracing::warn!(%error, "standard output cannot be written");
        }
        notify(NotifyState::Ready);
    };
    let stopping = || {
        notify(NotifyState::Stopping);
        tracing::info!("stopping");
    };
    let reload = move |controls: &_| {
        let read = daemon_settings(&home, &options).and_then(|new| {
            let access = access_log(&new.log)?;
            logging.restart(&new.log)?;
            Ok((new, access))
        });
        match read {
            Ok((new, access)) => {
                if new.take_up(controls, &settings, access) {
                    tracing::warn!(
                        "[daemon], metrics in [ocsp] or the format of the log has changed: that counts from the next start"
                    );
                }
            }
            Err(problem) => tracing::error!("the configuration stays as it was: {}", problem.message),
        }
    };
    Ok(daemon.run(listeners, ready, stopping, reload)?)
}

/// Says what a check has found.
///
/// # Errors
/// `daemon.not-ready` (exit 12) when the daemon would not be ready, or would lack something.
fn checked(settings: &DaemonSettings, found: &Readiness) -> Result<(), Problem> {
    let listen: Vec<String> = settings.listen().iter().map(ToString::to_string).collect();
    let text = format!("the configuration is right; to listen on {}\n", listen.join(", "));
    let _ = stdout().write_all(text.as_bytes());
    found.problem().map_or(Ok(()), Err)
}

/// Returns one line for each listener.
fn announce(listeners: &Listeners) -> String {
    let clients = listeners.clients.iter().map(|listener| format!("listening on {listener}\n"));
    clients.chain(listeners.metrics.iter().map(|listener| format!("metrics on {listener}\n"))).collect()
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(false, &[state]) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// Logs a panic as a line like any other: the default hook would wait for a reader of standard error.
fn log_panics(log: &Log) {
    let log = log.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        tracing::error!(thread = name, "{panic}");
        if name == "main" {
            log.flush();
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
