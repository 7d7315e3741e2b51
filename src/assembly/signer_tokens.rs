//! Assembles the process in which the signer has PKCS#11 modules.
use super::settings::read_modules;
use crate::error::{Code, Problem, Shown as _, remedy};
use crate::signer::{Demand, FrameError, Modules, TokenProcess, confine_tokens, end_with, serve_tokens};
use crate::signing::{KeyError, KeyVault, PassphraseOrders, SecretSpec, TokenStore};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Starts the process of the tokens, where modules are configured for it. It gets no variable that may have a passphrase.
pub(super) fn started(passphrases: &PassphraseOrders) -> Result<Option<TokenProcess>, KeyError> {
    if passphrases.modules.is_empty() {
        return Ok(None);
    }
    let named = passphrases.authorities.values().chain([&passphrases.default]).chain(&passphrases.new.from);
    let variables = named.filter_map(|spec| match spec {
        SecretSpec::Environment(variable) => Some(variable.clone()),
        _ => None,
    });
    let started = TokenProcess::start(&["tokens"], &variables.collect::<Vec<_>>());
    started.map(Some).map_err(|error| KeyError::Signer(format!("the process of the tokens: {error}")))
}

/// Serves the signer at the other end of this connection, which has started this process for its tokens.
///
/// # Errors
/// When the connection fails.
pub fn serve_signer_tokens(connection: UnixStream) -> Result<(), Problem> {
    let make = |modules, directory: PathBuf, pins| -> Arc<dyn KeyVault> {
        Arc::new(TokenStore::new(modules, directory, pins))
    };
    watched(&connection)?;
    ended(serve_tokens(connection, Modules::AsTold, make))
}

/// Connects to the signer that listens, and reaches tokens for it until it closes the connection: those of the modules
/// that this file of the security administrator names.
///
/// # Errors
/// When the file cannot be used, or the signer is not reached.
pub fn serve_standing_signer_tokens(socket: &Path, modules: &Path) -> Result<(), Problem> {
    let modules = read_modules(modules)?;
    let connection = UnixStream::connect(socket).map_err(|error| {
        let message = format!("{} cannot be reached: {error}", socket.shown());
        Problem::new(Code::SignerUnavailable, message).hint(remedy::Access::SignerSocket)
    })?;
    let make = |modules, directory: PathBuf, pins| -> Arc<dyn KeyVault> {
        Arc::new(TokenStore::new(modules, directory, pins).asking_for_each_key())
    };
    watched(&connection)?;
    ended(serve_tokens(connection, Modules::Own(modules), make))
}

fn watched(connection: &UnixStream) -> Result<(), Problem> {
    end_with(connection)
        .map_err(|error| Problem::new(Code::SignerUnavailable, format!("no thread is started: {error}")))
}

fn ended(served: Result<(), FrameError>) -> Result<(), Problem> {
    match served {
        Ok(()) | Err(FrameError::Io(_) | FrameError::Closed) => Ok(()),
        Err(error) => Err(Problem::new(Code::SignerUnavailable, error.to_string())),
    }
}

/// Confines the process of the tokens. Call it first of all: it closes every descriptor but the standard ones. One that is
/// a service of its own does not go on where the system calls cannot be forbidden.
///
/// # Errors
/// When that fails.
pub fn confine_signer_tokens(is_service: bool) -> Result<(), Problem> {
    let demand = if is_service { Demand::Required } else { Demand::Possible };
    confine_tokens(demand).map_err(|error| Problem::of(Code::SignerUnavailable, error))
}
