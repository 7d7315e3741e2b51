//! Assembles the processes in which PKCS#11 modules are.
use super::settings::read_modules;
use crate::error::{Code, Problem, Shown as _, remedy};
use crate::signer::{
    Demand, FrameError, Modules, TokenProcess, confine_launcher, confine_module, end_with, serve_launcher,
    serve_module,
};
use crate::signing::{KeyError, KeyVault, PassphraseOrders, SecretSpec, TokenStore};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Starts the launcher of the processes of modules, where modules are configured for it. It gets no variable that may have
/// a passphrase.
pub(super) fn started(passphrases: &PassphraseOrders) -> Result<Option<TokenProcess>, KeyError> {
    if passphrases.modules.is_empty() {
        return Ok(None);
    }
    let named = passphrases.authorities.values().chain([&passphrases.default]).chain(&passphrases.new.from);
    let variables = named.filter_map(|spec| match spec {
        SecretSpec::Environment(variable) => Some(variable.clone()),
        _ => None,
    });
    let started = TokenProcess::launcher(&variables.collect::<Vec<_>>());
    started.map(Some).map_err(|error| KeyError::Signer(format!("the process of the tokens: {error}")))
}

/// Starts the processes of modules for the signer at the other end of this connection, which has started this process.
///
/// # Errors
/// When the connection fails.
pub fn serve_signer_tokens(connection: &UnixStream) -> Result<(), Problem> {
    watched(connection, None)?;
    ended(serve_launcher(connection, Modules::AsTold))
}

/// Connects to the signer that listens, and starts the processes of modules for it until it closes the connection: of the
/// modules that this file of the security administrator names.
///
/// # Errors
/// When the file cannot be used, or the signer is not reached.
pub fn serve_standing_signer_tokens(socket: &Path, modules: &Path) -> Result<(), Problem> {
    let modules = read_modules(modules)?;
    let connection = UnixStream::connect(socket).map_err(|error| {
        let message = format!("{} cannot be reached: {error}", socket.shown());
        Problem::new(Code::SignerUnavailable, message).hint(remedy::Access::SignerSocket)
    })?;
    watched(&connection, None)?;
    ended(serve_launcher(&connection, Modules::Own(modules)))
}

/// Loads a module for the program at the other end of this connection, and does with the keys of its tokens what that one
/// asks. The process ends with its starter, which has the other end of the pipe `starter`.
///
/// # Errors
/// When the connection fails.
pub fn serve_signer_module(connection: UnixStream, starter: OwnedFd, module: PathBuf) -> Result<(), Problem> {
    watched(&connection, Some(starter))?;
    let make = move |pins, each| -> Arc<dyn KeyVault> {
        // marks are kept by who asks
        let store = TokenStore::new(vec![module], PathBuf::new(), pins);
        Arc::new(if each { store.asking_for_each_key() } else { store })
    };
    ended(serve_module(connection, Box::new(make)))
}

fn watched(connection: &UnixStream, starter: Option<OwnedFd>) -> Result<(), Problem> {
    end_with(connection, starter)
        .map_err(|error| Problem::new(Code::SignerUnavailable, format!("no thread is started: {error}")))
}

fn ended(served: Result<(), FrameError>) -> Result<(), Problem> {
    match served {
        Ok(()) | Err(FrameError::Io(_) | FrameError::Closed) => Ok(()),
        Err(error) => Err(Problem::new(Code::SignerUnavailable, error.to_string())),
    }
}

/// Confines the launcher of the processes of modules. Call it first of all: it closes every descriptor but the standard
/// ones. One that is a service of its own does not go on where the system calls cannot be forbidden.
///
/// # Errors
/// When that fails.
pub fn confine_signer_tokens(is_required: bool) -> Result<(), Problem> {
    confined(confine_launcher, is_required)
}

/// Confines the process of a module, likewise.
///
/// # Errors
/// When that fails.
pub fn confine_signer_module(is_required: bool) -> Result<(), Problem> {
    confined(confine_module, is_required)
}

fn confined(confine: fn(Demand) -> io::Result<()>, is_required: bool) -> Result<(), Problem> {
    let demand = if is_required { Demand::Required } else { Demand::Possible };
    confine(demand).map_err(|error| Problem::of(Code::SignerUnavailable, error))
}
