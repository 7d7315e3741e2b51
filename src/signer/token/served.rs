//! The process of the tokens: it loads modules, and does with their keys what the signer asks.
use super::{TokenReply, TokenRequest};
use crate::signer::protocol::{Failure, Frame, FrameError, WireKey};
use crate::signing::{ForKey, KeyError, KeyRef, KeyVault, Secret, SecretPurpose, SecretSource, VaultKey};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Bound of the keys that are open at once.
const MOST_KEYS: usize = 4096;
/// Bound of a PIN, in octets.
const LONGEST_PIN: u64 = 4096;

/// Which modules the process may load.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Modules {
    /// Those that the signer names which has started the process.
    AsTold,
    /// These. A signer that names some is refused.
    Own(Vec<PathBuf>),
}

/// Makes the store of tokens: of these modules, with marks in this directory, and PINs from this source.
pub(crate) type TokenMaker = fn(Vec<PathBuf>, PathBuf, Arc<dyn SecretSource>) -> Arc<dyn KeyVault>;

/// Answers the signer at the other end, until it closes the connection.
///
/// # Errors
/// When the connection fails, or what comes is no request.
pub(crate) fn serve_tokens(connection: UnixStream, own: Modules, make: TokenMaker) -> Result<(), FrameError> {
    let connection = Arc::new(connection);
    let Some(begin) = received(&connection)? else { return Ok(()) };
    let TokenRequest::Begin { program, modules: told, directory } = begin.message else {
        return answered(&connection, Err(strange())).map(drop);
    };
    let here = env!("CARGO_PKG_VERSION");
    if program != here {
        let reason =
            format!("the process of the tokens is of version {here}, and the signer of version {program}");
        return answered(&connection, Err(KeyError::Signer(reason)));
    }
    let modules = match own {
        Modules::AsTold => told.into_iter().map(PathBuf::from).collect(),
        Modules::Own(modules) if told.is_empty() => modules,
        Modules::Own(_) => return answered(&connection, Err(strange())),
    };
    let pins = Pins { connection: Arc::clone(&connection), turn: Mutex::default() };
    let store = make(modules, PathBuf::from(directory), Arc::new(pins));
    answered(&connection, Ok(TokenReply::Done.into()))?;
    let mut tokens = Tokens { store, keys: HashMap::new(), next: 0 };
    while let Some(asked) = received(&connection)? {
        answered(&connection, tokens.answer(asked))?;
    }
    Ok(())
}

fn received(connection: &UnixStream) -> Result<Option<Frame<TokenRequest>>, FrameError> {
    match Frame::receive(connection) {
        Ok(frame) => Ok(Some(frame)),
        Err(FrameError::Closed) => Ok(None),
        Err(error) => Err(error),
    }
}

fn answered(connection: &UnixStream, answer: Result<Frame<TokenReply>, KeyError>) -> Result<(), FrameError> {
    let failed = |error: KeyError| TokenReply::Failed { failure: Failure::from(error) }.into();
    answer.unwrap_or_else(failed).send(connection)
}

fn strange() -> KeyError {
    KeyError::Signer("the process of the tokens was asked something that does not belong here".into())
}

/// The tokens, and the keys that are open.
struct Tokens {
    store: Arc<dyn KeyVault>,
    keys: HashMap<u32, Arc<dyn VaultKey>>,
    next: u32,
}

impl Tokens {
    fn answer(&mut self, asked: Frame<TokenRequest>) -> Result<Frame<TokenReply>, KeyError> {
        let done = || Frame::from(TokenReply::Done);
        match asked.message {
            TokenRequest::Inspect { key } => {
                let inspecting = self.store.keys().inspecting().ok_or_else(strange)?;
                inspecting.inspect(&key.into()).map(|()| done())
            }
            TokenRequest::Discard { key } => {
                let discarding = self.store.keys().discarding().ok_or_else(strange)?;
                discarding.discard(&key.into()).map(|()| done())
            }
            TokenRequest::Open { key } => {
                let opened = self.store.open_key(&key.into())?;
                self.keep(opened)
            }
            TokenRequest::Make { key, algorithm } => self.make(key, &algorithm),
            TokenRequest::LogIn { key } => self.store.check_secret(&key.into()).map(|()| done()),
            TokenRequest::Close { number } => {
                self.keys.remove(&number);
                Ok(done())
            }
            TokenRequest::Sign { number } => {
                let message = asked.only_part().map_err(|error| KeyError::Signer(error.to_string()))?;
                let key = self.keys.get(&number).ok_or_else(strange)?;
                // the signer has it in its journal before it asks
                let signature = key.sign(ForKey::journaled(&message))?;
                Ok(Frame::with(TokenReply::Signed, vec![signature]))
            }
            TokenRequest::Begin { .. }
            | TokenRequest::Pin
            | TokenRequest::NoPin { .. }
            | TokenRequest::Again { .. } => Err(strange()),
        }
    }

    fn make(&mut self, key: WireKey, algorithm: &str) -> Result<Frame<TokenReply>, KeyError> {
        let key = KeyRef::from(key);
        let algorithm = algorithm.parse().map_err(|_| strange())?;
        let made = self.store.make_key(&key, algorithm)?;
        self.keep(made)
    }

    fn keep(&mut self, key: Arc<dyn VaultKey>) -> Result<Frame<TokenReply>, KeyError> {
        if self.keys.len() >= MOST_KEYS {
            return Err(KeyError::Signer("too many keys of tokens are open".into()));
        }
        let (number, octets) = (self.next, key.public_key().as_der().to_vec());
        self.next = self.next.wrapping_add(1);
        self.keys.insert(number, key);
        Ok(Frame::with(TokenReply::Key { number }, vec![octets]))
    }
}

/// PINs from the signer.
struct Pins {
    connection: Arc<UnixStream>,
    /// Held for one question and its answer.
    turn: Mutex<()>,
}

impl Pins {
    fn ask(&self, question: TokenReply) -> Result<Frame<TokenRequest>, KeyError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = |error: FrameError| KeyError::Signer(format!("the signer is gone: {error}"));
        Frame::from(question).send(&self.connection).map_err(gone)?;
        Frame::receive(&self.connection).map_err(gone)
    }
}

impl SecretSource for Pins {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let answer = self.ask(TokenReply::AskPin { purpose: purpose.into() })?;
        match answer.message {
            TokenRequest::Pin => read_pin(answer.descriptors),
            TokenRequest::NoPin { failure } => Err(failure.into()),
            _ => Err(strange()),
        }
    }

    fn try_again(&self, purpose: &SecretPurpose) -> bool {
        let answer = self.ask(TokenReply::WrongPin { purpose: purpose.into() });
        answer.is_ok_and(|answer| answer.message == TokenRequest::Again { again: true })
    }
}

fn read_pin(descriptors: Vec<OwnedFd>) -> Result<Secret, KeyError> {
    let [pipe] = <[OwnedFd; 1]>::try_from(descriptors).map_err(|_| strange())?;
    // large enough at once, so that no copy of the PIN is left behind
    let mut octets = Zeroizing::new(Vec::with_capacity(8192));
    File::from(pipe)
        .take(LONGEST_PIN)
        .read_to_end(&mut octets)
        .map_err(|error| KeyError::Signer(error.to_string()))?;
    std::str::from_utf8(&octets).map(|pin| Secret::from(pin.to_owned())).map_err(|_| strange())
}
