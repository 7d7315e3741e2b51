//! The signer: the only program that opens CA keys. `genfic-ca` asks it for signatures.
mod cli;
#[path = "../genfic-ca/hints/mod.rs"]
mod hints;
#[path = "../genfic-ca/prompt.rs"]
mod prompt;
#[path = "../genfic-ca/terminal.rs"]
mod terminal;

use clap::Parser;
use cli::{Cli, Confinement, Module, Serving, Tokens};
use genfic_ca::assembly::{
    SignerService, confine_signer_module, confine_signer_tokens, serve_signer, serve_signer_child,
    serve_signer_module, serve_signer_tokens, serve_standing_signer_tokens,
};
use genfic_ca::error::{Code, Exit, Problem};
use genfic_ca::signing::forbid_core_dumps;
use prompt::TerminalPrompt;
use std::io::{self, Write, stdout};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// The command that started this process keeps the terminal free meanwhile.
mod progress {
    use std::io::{Stdout, stdout};

    /// Returns the connection to the command that started this process, which ends with the command.
    pub(crate) fn starter() -> Option<Stdout> {
        Some(stdout())
    }

    /// Does something that uses the terminal.
    pub(crate) fn aside<T>(act: impl FnOnce() -> T) -> T {
        act()
    }
}

fn main() -> ExitCode {
    // no core dump or debugger may contain a passphrase or a key
    let undumpable = forbid_core_dumps();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { 0 });
        }
    };
    match undumpable.map_err(|error| unsafe_memory(&error)).and_then(|()| run(&cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let hint = hints::text(&problem.hint);
            let _ = writeln!(io::stderr(), "error: {}\nhint: {hint}", problem.message);
            ExitCode::from(problem.exit.code())
        }
    }
}

fn unsafe_memory(error: &io::Error) -> Problem {
    Problem::new(Code::SignerUnavailable, format!("the memory of the signer cannot be protected: {error}"))
        .hint("look at the limits of the user and at what confines the process")
}

fn run(cli: &Cli) -> Result<(), Problem> {
    match &cli.serving {
        Some(Serving::Tokens(Tokens { socket: Some(socket), modules })) => {
            confine_signer_tokens(true)?;
            serve_standing_signer_tokens(socket, modules)
        }
        Some(Serving::Tokens(_)) => {
            confine_signer_tokens(false)?;
            serve_signer_tokens(&parent()?)
        }
        Some(Serving::Module(Module { path, confinement })) => {
            confine_signer_module(*confinement == Confinement::Required)?;
            let connection = parent()?;
            let starter = io::stdin().as_fd().try_clone_to_owned().map_err(|error| unconnected(&error))?;
            serve_signer_module(connection, starter, path.clone())
        }
        None => serve_signer(&SignerService {
            directory: cli.directory.clone(),
            policy: cli.policy.clone(),
            listen_ca: cli.listen_ca.clone(),
            listen_admin: cli.listen_admin.clone(),
            listen_tokens: cli.listen_tokens.clone(),
            may_be_swapped: cli.may_be_swapped,
            scrypt_log_n: cli.scrypt_log_n,
        }),
        Some(Serving::Child) => serve_signer_child(parent()?, |attended, policy| {
            let prompt = TerminalPrompt::new(attended);
            Box::new(match policy {
                Some(policy) => prompt.judging(policy),
                None => prompt,
            })
        }),
    }
}

/// Returns the socket to the program that started this process.
fn parent() -> Result<UnixStream, Problem> {
    let none = |error: io::Error| unconnected(&error);
    let socket = UnixStream::from(stdout().as_fd().try_clone_to_owned().map_err(none)?);
    socket.peer_addr().map_err(none)?;
    Ok(socket)
}

fn unconnected(error: &io::Error) -> Problem {
    Problem::new(Code::SignerUnavailable, format!("standard output is no socket: {error}"))
        .hint("run genfic-ca; it starts the signer itself")
}
