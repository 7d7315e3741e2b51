//! The process of a module: it loads the module, and does with the keys of its tokens what it is asked.
use super::{TokenReply, TokenRequest};
use crate::signer::protocol::{Failure, Frame, FrameError, WireKey};
use crate::signing::{ForKey, KeyError, KeyRef, KeyVault, Secret, SecretPurpose, SecretSource, VaultKey};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use zeroize::Zeroizing;

/// Bound of the keys that are open at once.
const MOST_KEYS: usize = 4096;
/// Bound of a PIN, in octets.
const LONGEST_PIN: u64 = 4096;

/// Makes the store of the tokens that a module reaches: with PINs from this source, which it asks for each key, or once.
pub(crate) type TokenMaker = Box<dyn FnOnce(Arc<dyn SecretSource>, bool) -> Arc<dyn KeyVault>>;

/// Answers the program at the other end, until it closes the connection.
///
/// # Errors
/// When the connection fails, or what comes is no request.
pub(crate) fn serve_module(connection: UnixStream, make: TokenMaker) -> Result<(), FrameError> {
    let connection = Arc::new(connection);
    let Some(begin) = received(&connection)? else { return Ok(()) };
    let TokenRequest::Begin { program, each } = begin.message else {
        return answered(&connection, Err(strange()));
    };
    let here = env!("CARGO_PKG_VERSION");
    if program != here {
        let reason =
            format!("the process of a module is of version {here}, and who asks it of version {program}");
        return answered(&connection, Err(KeyError::Signer(reason)));
    }
    let pins = Pins { connection: Arc::clone(&connection), turn: Mutex::default() };
    let store = make(Arc::new(pins), each);
    answered(&connection, Ok(TokenReply::Done.into()))?;
    let mut tokens = Tokens { store, keys: OpenKeys::default(), next: 0 };
    while let Some(asked) = received(&connection)? {
        answered(&connection, tokens.answer(asked))?;
    }
    Ok(())
}

/// The keys that are open, by their numbers.
type OpenKeys = Arc<RwLock<HashMap<u32, Arc<dyn VaultKey>>>>;

/// Signs with the part's key.
fn signed(keys: &OpenKeys, number: u32, asked: Frame<TokenRequest>) -> Result<Frame<TokenReply>, KeyError> {
    let message = asked.only_part().map_err(|error| KeyError::Signer(error.to_string()))?;
    let key =
        keys.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned().ok_or_else(strange)?;
    // a key of a CA: the signer has it in its journal before it asks; another: it comes from who may use that one
    let signature = key.sign(ForKey::journaled(&message))?;
    Ok(Frame::with(TokenReply::Signed, vec![signature]))
}

/// Signs what comes over one more connection.
fn serve_lane(connection: &UnixStream, keys: &OpenKeys) -> Result<(), FrameError> {
    while let Some(asked) = received(connection)? {
        let answer = match asked.message {
            TokenRequest::Sign { number } => signed(keys, number, asked),
            _ => Err(strange()),
        };
        answered(connection, answer)?;
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
    KeyError::Signer("the process of a module was asked something that does not belong here".into())
}

/// The tokens, and the keys that are open.
struct Tokens {
    store: Arc<dyn KeyVault>,
    keys: OpenKeys,
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
                let closed = self.open().remove(&number);
                drop(closed);
                Ok(done())
            }
            TokenRequest::Sign { number } => signed(&self.keys, number, asked),
            TokenRequest::Find { key, anew } => {
                let count = self.store.count_tokens(&key.into(), anew)?;
                Ok(TokenReply::Tokens { count }.into())
            }
            TokenRequest::Join => {
                let [lane] = <[OwnedFd; 1]>::try_from(asked.descriptors).map_err(|_| strange())?;
                let (lane, keys) = (UnixStream::from(lane), Arc::clone(&self.keys));
                let serving = std::thread::Builder::new().name("signing".into());
                let started = serving.spawn(move || serve_lane(&lane, &keys));
                started.map(|_| done()).map_err(|error| KeyError::Signer(error.to_string()))
            }
            TokenRequest::Begin { .. }
            | TokenRequest::Pin
            | TokenRequest::NoPin { .. }
            | TokenRequest::Again { .. } => Err(strange()),
        }
    }

    fn open(&self) -> RwLockWriteGuard<'_, HashMap<u32, Arc<dyn VaultKey>>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&mut self, key: WireKey, algorithm: &str) -> Result<Frame<TokenReply>, KeyError> {
        let key = KeyRef::from(key);
        let algorithm = algorithm.parse().map_err(|_| strange())?;
        let made = self.store.make_key(&key, algorithm)?;
        self.keep(made)
    }

    fn keep(&mut self, key: Arc<dyn VaultKey>) -> Result<Frame<TokenReply>, KeyError> {
        if self.open().len() >= MOST_KEYS {
            return Err(KeyError::Signer("too many keys of tokens are open".into()));
        }
        let (number, octets) = (self.next, key.public_key().as_der().to_vec());
        self.next = self.next.wrapping_add(1);
        self.open().insert(number, key);
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
