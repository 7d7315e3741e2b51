//! The connection to the process of the tokens, for one question at a time.
use super::asked::RemoteTokens;
use super::holder::HolderTokens;
use super::{TokenReply, TokenRequest};
use crate::error::Code;
use crate::signer::client::program;
use crate::signer::protocol::{Failure, Frame, FrameError};
use crate::signing::{KeyError, KeyVault, SecretPurpose, SecretSource};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a service waits for the process, which connects a moment after the service was started.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// Ends the process, and waits for it.
impl Drop for TokenProcess {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(std::net::Shutdown::Both);
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

/// The connection.
pub(super) struct Line {
    state: Mutex<State>,
    arrived: Condvar,
    /// How long the process is waited for where there is none; not at all where none comes by itself.
    patience: Duration,
    /// Keys that are given up, which the process is told when it is asked the next time.
    given_up: Mutex<Vec<(u64, u32)>>,
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
        Self { state, arrived, patience, given_up, secrets }
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
        let mut state = held(&self.state);
        state.generation += 1;
        state.process = None;
        match self.converse(&process.connection, begin.into()).map_err(|error| self.lost(&error))?.message {
            TokenReply::Done => {}
            TokenReply::Failed { failure } => return Err(failure.into()),
            _ => return Err(unexpected()),
        }
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
        let generation = state.generation;
        let Some(process) = &state.process else { return Err(self.absent()) };
        if of.is_some_and(|of| of != generation) {
            return Err(self.ended("it was started anew, and the key is locked there"));
        }
        let answered = self.converse(&process.connection, request.into());
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => {
                state.process = None;
                return Err(self.lost(&error));
            }
        };
        self.give_up(&mut state);
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

    /// Gives a key up: at once where nothing else is asked, which may take long, and otherwise afterwards.
    pub(super) fn close(&self, of: u64, number: u32) {
        held(&self.given_up).push((of, number));
        if let Ok(mut state) = self.state.try_lock() {
            self.give_up(&mut state);
        }
    }

    fn give_up(&self, state: &mut State) {
        let given_up = std::mem::take(&mut *held(&self.given_up));
        for (_, number) in given_up.into_iter().filter(|(of, _)| *of == state.generation) {
            let Some(process) = &state.process else { return };
            if self.converse(&process.connection, TokenRequest::Close { number }.into()).is_err() {
                state.process = None;
            }
        }
    }

    fn converse(
        &self,
        connection: &UnixStream,
        request: Frame<TokenRequest>,
    ) -> Result<Frame<TokenReply>, FrameError> {
        let mut next = request;
        loop {
            next.send(connection)?;
            let answer = Frame::<TokenReply>::receive(connection)?;
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

    fn lost(&self, error: &FrameError) -> KeyError {
        self.ended(&format!("it does not answer: {error}"))
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
