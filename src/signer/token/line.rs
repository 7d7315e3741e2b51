//! The connection to the process of the tokens, for one question at a time.
use super::asked::RemoteTokens;
use super::holder::HolderTokens;
use super::{TokenReply, TokenRequest};
use crate::error::Code;
use crate::signer::client::program;
use crate::signer::protocol::{Begun, Failure, Frame, FrameError};
use crate::signing::{KeyError, KeyVault, SecretPurpose, SecretSource};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a service waits for the process, which connects a moment after the service was started.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the process has to answer when it has connected to a service.
const GREETING: Duration = Duration::from_secs(10);
/// How long it has for any other answer: a person may have to touch the token. What a PIN takes is not counted.
const ANSWER: Duration = Duration::from_secs(120);
/// How many times as long it has to make a key: a smart card takes minutes for a large one.
const MAKING: u32 = 5;
/// Time for an answer to come whole after its first octet.
const WHOLE: Duration = Duration::from_secs(10);
/// Time for a process that was started here to end by itself.
const ENDING: Duration = Duration::from_secs(7);

/// The process, before it was told anything.
pub(crate) struct TokenProcess {
    connection: UnixStream,
    /// None where it is a service of its own, and in tests, where a thread serves.
    child: Option<Child>,
}

impl TokenProcess {
    /// Starts the signer's program, with the words by which it serves tokens. Its standard output is the other end of a
    /// socket pair. Call it before the process confines itself: afterwards nothing can be started.
    ///
    /// It does not get these variables, which may have secrets.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(words: &[&str], without: &[String]) -> io::Result<Self> {
        let (connection, other) = UnixStream::pair()?;
        let mut command = Command::new(program());
        for variable in without {
            command.env_remove(variable);
        }
        command.args(words).stdin(Stdio::null()).stdout(Stdio::from(OwnedFd::from(other)));
        Ok(Self { connection, child: Some(command.spawn()?) })
    }

    /// Returns the process at the other end of this connection.
    pub(super) fn of(connection: UnixStream) -> Self {
        Self { connection, child: None }
    }

    /// Returns the store of the tokens in these modules. PINs come from `secrets`; `beside` is a store without modules,
    /// which keeps marks in the same directory.
    ///
    /// # Errors
    /// When the process does not answer.
    pub(crate) fn store(
        self,
        modules: &[PathBuf],
        directory: &Path,
        secrets: Arc<dyn SecretSource>,
        beside: Arc<dyn KeyVault>,
    ) -> Result<RemoteTokens, KeyError> {
        Ok(RemoteTokens::new(beside, self.line(modules, directory, secrets)?))
    }

    /// Returns the tokens in these modules as those of a holder.
    ///
    /// # Errors
    /// When the process does not answer.
    pub(crate) fn of_holder(
        self,
        modules: &[PathBuf],
        directory: &Path,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<HolderTokens, KeyError> {
        Ok(HolderTokens::new(self.line(modules, directory, secrets)?))
    }

    fn line(
        self,
        modules: &[PathBuf],
        directory: &Path,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<Arc<Line>, KeyError> {
        let line = Arc::new(Line::new(secrets, Duration::ZERO));
        line.begin(self, modules, directory)?;
        Ok(line)
    }
}

/// Ends the process, and waits for it. One that hangs in a module ends itself ([`super::ending`]).
impl Drop for TokenProcess {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(std::net::Shutdown::Both);
        let Some(child) = &mut self.child else { return };
        let end = Instant::now() + ENDING;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The connection.
pub(super) struct Line {
    state: Mutex<State>,
    arrived: Condvar,
    /// How long the process is waited for where there is none; not at all where none comes by itself.
    patience: Duration,
    /// How long the process has for an answer.
    limit: Duration,
    /// Keys that are given up, which the process is told before it is asked anything else.
    given_up: Mutex<Vec<(u64, u32)>>,
    /// Whether a thread is about to tell it.
    is_telling: AtomicBool,
    secrets: Arc<dyn SecretSource>,
}

#[derive(Default)]
struct State {
    process: Option<TokenProcess>,
    /// Counts the processes. The numbers of keys are those of one process.
    generation: u64,
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    fn new(secrets: Arc<dyn SecretSource>, patience: Duration) -> Self {
        let (state, arrived, given_up) = (Mutex::default(), Condvar::new(), Mutex::default());
        let (limit, is_telling) = (ANSWER, AtomicBool::new(false));
        Self { state, arrived, patience, limit, given_up, is_telling, secrets }
    }

    /// Returns the same with a process that has this long for an answer.
    #[cfg(test)]
    pub(super) fn limited(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Returns one to which a process connects, if `is_expected`.
    pub(super) fn waiting(secrets: Arc<dyn SecretSource>, is_expected: bool) -> Self {
        Self::new(secrets, if is_expected { PATIENCE } else { Duration::ZERO })
    }

    /// Whether a process connects by itself.
    fn waits(&self) -> bool {
        !self.patience.is_zero()
    }

    /// Takes a process, in the place of a former one.
    pub(super) fn begin(
        &self,
        process: TokenProcess,
        modules: &[PathBuf],
        directory: &Path,
    ) -> Result<(), KeyError> {
        let modules = modules.iter().map(|path| path.as_path().into()).collect();
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let begin = TokenRequest::Begin { program, modules, directory: directory.into() };
        let limit = if self.waits() { GREETING.min(self.limit) } else { self.limit };
        // the former one serves until this one has answered
        let greeted = self.converse(&process.connection, begin.into(), limit);
        match greeted.map_err(|error| self.lost(&error, limit))?.message {
            TokenReply::Done => {}
            TokenReply::Failed { failure } => return Err(failure.into()),
            _ => return Err(unexpected()),
        }
        let mut state = held(&self.state);
        state.generation += 1;
        state.process = Some(process);
        drop(state);
        self.arrived.notify_all();
        Ok(())
    }

    /// Asks, and returns the answer with the number of the process that gave it. `of` is the process that has the key.
    pub(super) fn ask(
        &self,
        of: Option<u64>,
        request: impl Into<Frame<TokenRequest>>,
    ) -> Result<(u64, Frame<TokenReply>), KeyError> {
        let state = held(&self.state);
        let absent = |state: &mut State| state.process.is_none();
        let (mut state, _) = self
            .arrived
            .wait_timeout_while(state, self.patience, absent)
            .unwrap_or_else(PoisonError::into_inner);
        // before the question: a token that was left is found again only when nothing is open
        self.give_up(&mut state);
        let generation = state.generation;
        let Some(process) = &state.process else { return Err(self.absent()) };
        if of.is_some_and(|of| of != generation) {
            return Err(self.ended("it was started anew, and the key is locked there"));
        }
        let request = request.into();
        let is_making = matches!(request.message, TokenRequest::Make { .. });
        let limit = if is_making { self.limit.saturating_mul(MAKING) } else { self.limit };
        let answered = self.converse(&process.connection, request, limit);
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => {
                state.process = None;
                return Err(self.lost(&error, limit));
            }
        };
        match answer.message {
            TokenReply::Failed { failure } => Err(failure.into()),
            _ => Ok((generation, answer)),
        }
    }

    /// Asks what is answered by [`TokenReply::Done`].
    pub(super) fn done(&self, request: TokenRequest) -> Result<(), KeyError> {
        match self.ask(None, request)?.1.message {
            TokenReply::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Gives a key up. Whoever locks keys does not wait for the process of a service: it is told by another thread, and
    /// before it is asked anything else.
    pub(super) fn close(line: &Arc<Self>, of: u64, number: u32) {
        held(&line.given_up).push((of, number));
        if !line.waits() {
            return line.tell();
        }
        if line.is_telling.swap(true, Ordering::AcqRel) {
            return;
        }
        let telling = Arc::clone(line);
        let started = std::thread::Builder::new().name("giving up".into()).spawn(move || telling.tell());
        if started.is_err() {
            line.is_telling.store(false, Ordering::Release);
        }
    }

    /// Tells the process which keys are given up.
    fn tell(&self) {
        let mut state = held(&self.state);
        self.is_telling.store(false, Ordering::Release);
        self.give_up(&mut state);
    }

    fn give_up(&self, state: &mut State) {
        let given_up = std::mem::take(&mut *held(&self.given_up));
        for (_, number) in given_up.into_iter().filter(|(of, _)| *of == state.generation) {
            let Some(process) = &state.process else { return };
            if self.converse(&process.connection, TokenRequest::Close { number }.into(), self.limit).is_err()
            {
                state.process = None;
            }
        }
    }

    /// Asks, and waits so long for the answer. Passphrases have the time that they take.
    fn converse(
        &self,
        connection: &UnixStream,
        request: Frame<TokenRequest>,
        limit: Duration,
    ) -> Result<Frame<TokenReply>, FrameError> {
        let (mut next, mut left) = (request, limit);
        connection.set_write_timeout(Some(limit))?;
        loop {
            next.send(connection)?;
            let begun = Instant::now();
            connection.set_read_timeout(Some(left))?;
            let answer = Begun::<TokenReply>::receive(connection, WHOLE.min(left))?.whole()?;
            left = left.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(io::Error::from(io::ErrorKind::TimedOut).into());
            }
            next = match answer.message {
                TokenReply::AskPin { purpose } => self.pin(&purpose.into()),
                TokenReply::WrongPin { purpose } => {
                    let again = self.secrets.try_again(&purpose.into());
                    TokenRequest::Again { again }.into()
                }
                _ => return Ok(answer),
            };
        }
    }

    /// Returns the frame that brings a PIN, in a pipe.
    fn pin(&self, purpose: &SecretPurpose) -> Frame<TokenRequest> {
        let piped = self.secrets.secret(purpose).and_then(|pin| {
            let (reading, mut writing) = io::pipe().map_err(|error| KeyError::Signer(error.to_string()))?;
            // a PIN is shorter than what a pipe takes without a reader
            writing.write_all(pin.as_bytes()).map_err(|error| KeyError::Signer(error.to_string()))?;
            Ok(OwnedFd::from(reading))
        });
        match piped {
            Ok(pipe) => Frame { message: TokenRequest::Pin, parts: Vec::new(), descriptors: vec![pipe] },
            Err(error) => TokenRequest::NoPin { failure: Failure::from(error) }.into(),
        }
    }

    fn lost(&self, error: &FrameError, limit: Duration) -> KeyError {
        use io::ErrorKind::{TimedOut, WouldBlock};
        match error {
            FrameError::Io(source) if matches!(source.kind(), TimedOut | WouldBlock) => {
                self.ended(&format!("it did not answer within {} s, and was given up", limit.as_secs()))
            }
            error => self.ended(&format!("it does not answer: {error}")),
        }
    }

    fn absent(&self) -> KeyError {
        if self.waits() {
            return self.ended("it is not connected");
        }
        KeyError::Prevented {
            code: Code::SignerUnavailable,
            reason: "this signer has no tokens: nothing is set up that reaches them".into(),
            hint: "set up the unit genfic-signer-tokens, as the manual says; or make the key in a file"
                .into(),
        }
    }

    /// Returns the error that the process is not there, or not any more.
    fn ended(&self, how: &str) -> KeyError {
        let reason = format!("the process of the tokens: {how}");
        if !self.waits() {
            return KeyError::Signer(reason);
        }
        let hint = "nothing was signed, and nothing is lost: look at the log of genfic-signer-tokens, start it again if \
                    it does not run, unlock the key once more, and run the command again";
        KeyError::Prevented { code: Code::SignerUnavailable, reason, hint: hint.into() }
    }
}

pub(super) fn unexpected() -> KeyError {
    KeyError::Signer("the process of the tokens gave an answer that does not belong to the question".into())
}
