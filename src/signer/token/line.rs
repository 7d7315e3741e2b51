//! The connection to the process of a module, for one question at a time, and its signatures.
use super::ends::{Ends, is_silence};
use super::lanes::{Lane, Lanes};
use super::launched::TokenProcess;
use super::launching::{Launch, Launchable};
use super::processes::ModuleTerms;
use super::{TokenReply, TokenRequest};
use crate::signer::protocol::{Begun, Failure, Frame, FrameError};
use crate::signing::{KeyError, SecretPurpose, SecretSource};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How many times as long a process has to make a key: a smart card takes minutes for a large one.
const MAKING: u32 = 5;
/// How long it has to say which tokens are there, where there are other modules.
pub(super) const FINDING: Duration = Duration::from_secs(10);
/// How long a process is not asked for its tokens that did not say in time which it has.
const SILENCE: Duration = Duration::from_secs(60);
/// How often a process that is busy is looked at again meanwhile.
const PAUSE: Duration = Duration::from_millis(10);
/// Time for an answer to come whole after its first octet.
pub(super) const WHOLE: Duration = Duration::from_secs(10);

/// The connection. Its process is started when it is first asked something, and again after it has ended.
pub(super) struct Line {
    launch: Arc<dyn Launch>,
    of: (Launchable, usize),
    state: Mutex<State>,
    lanes: Lanes,
    terms: ModuleTerms,
    /// How long the process has for an answer.
    limit: Duration,
    /// Keys that are given up, which the process is told before it is asked anything else.
    given_up: Mutex<Vec<(u64, u32)>>,
    /// Whether a thread is about to tell it.
    is_telling: AtomicBool,
    /// When it did not say which tokens it has.
    silent_since: Mutex<Option<Instant>>,
    secrets: Arc<dyn SecretSource>,
}

#[derive(Default)]
struct State {
    process: Option<TokenProcess>,
    /// Counts the processes. The numbers of keys are those of one process.
    generation: u64,
    /// Whether the process still has to answer what nobody waits for any more.
    owes: bool,
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    /// Returns a line to the process of the module with this number.
    pub(super) fn new(
        launch: Arc<dyn Launch>,
        of: (Launchable, usize),
        secrets: Arc<dyn SecretSource>,
    ) -> Self {
        let (state, given_up, is_telling) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        let terms = ModuleTerms::Command;
        let (lanes, limit) = (Lanes::up_to(terms.lanes()), terms.limit());
        let silent_since = Mutex::default();
        Self { launch, of, state, lanes, terms, limit, given_up, is_telling, silent_since, secrets }
    }

    /// Returns the same for others than a command, with this time for an answer.
    pub(super) fn with(self, terms: ModuleTerms, limit: Duration) -> Self {
        Self { terms, limit, lanes: Lanes::up_to(terms.lanes()), ..self }
    }

    fn ends(&self) -> Ends {
        Ends { of_service: self.terms == ModuleTerms::Service }
    }

    /// Gives the process up.
    pub(super) fn end(&self) {
        // whoever waits for an answer of it is not waited for
        if let Ok(mut state) = self.state.try_lock() {
            self.lose(&mut state);
        }
    }

    fn lose(&self, state: &mut State) {
        state.owes = false;
        self.put_away(state.process.take());
    }

    /// Ends a process. A daemon does not wait for the end of one that hangs, whose line others use meanwhile.
    fn put_away(&self, process: Option<TokenProcess>) {
        if let Some(process) = process.filter(|_| self.terms == ModuleTerms::Daemon) {
            // where no thread is started, it ends here
            let _ = std::thread::Builder::new().name("ending".into()).spawn(move || drop(process));
        }
    }

    /// Refuses, for a daemon, what a process is asked that has just not answered in time: its clients do not wait once more.
    fn heard(&self) -> Result<(), KeyError> {
        let since = *held(&self.silent_since);
        let is_of_daemon = self.terms == ModuleTerms::Daemon;
        if is_of_daemon && since.is_some_and(|since| since.elapsed() < SILENCE) {
            return Err(self.ends().ended("a moment ago it did not answer in time"));
        }
        Ok(())
    }

    /// Returns the error of a conversation that failed, and remembers a process of a daemon that did not answer in time.
    fn lost(&self, error: &FrameError, limit: Duration) -> KeyError {
        if self.terms == ModuleTerms::Daemon && is_silence(error) {
            *held(&self.silent_since) = Some(Instant::now());
        }
        self.ends().lost(error, limit)
    }

    /// Starts the process where there is none.
    fn begin(&self, state: &mut State, limit: Duration) -> Result<(), KeyError> {
        if state.process.is_some() {
            return Ok(());
        }
        let process = self.launch.start(&self.of.0, self.of.1)?;
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let begin = TokenRequest::Begin { program, each: self.terms == ModuleTerms::Service };
        // loading a module may take it to its token
        let greeted = self.converse(process.connection(), begin.into(), limit);
        let greeted =
            greeted.map_err(|error| self.lost(&error, limit)).and_then(|greeted| match greeted.message {
                TokenReply::Done => Ok(()),
                TokenReply::Failed { failure } => Err(failure.into()),
                _ => Err(unexpected()),
            });
        if let Err(error) = greeted {
            self.put_away(Some(process));
            return Err(error);
        }
        *state = State { process: Some(process), generation: state.generation.wrapping_add(1), owes: false };
        Ok(())
    }

    /// Takes the answer that nobody waits for any more.
    fn settle(&self, state: &mut State, limit: Duration) -> Result<(), KeyError> {
        let Some(process) = state.process.as_ref().filter(|_| state.owes) else { return Ok(()) };
        let answer = process.connection().set_read_timeout(Some(limit)).map_err(FrameError::from);
        let answer = answer.and_then(|()| Begun::<TokenReply>::receive(process.connection(), WHOLE)?.whole());
        if let Err(error) = answer {
            self.lose(state);
            return Err(self.lost(&error, limit));
        }
        state.owes = false;
        Ok(())
    }

    /// Asks, and returns the answer with the number of the process that gave it. `of` is the process that has the key.
    pub(super) fn ask(
        &self,
        of: Option<u64>,
        request: impl Into<Frame<TokenRequest>>,
    ) -> Result<(u64, Frame<TokenReply>), KeyError> {
        let request = request.into();
        let is_making = matches!(request.message, TokenRequest::Make { .. });
        let limit = if is_making { self.limit.saturating_mul(MAKING) } else { self.limit };
        self.heard()?;
        let mut state = held(&self.state);
        // whoever had the line before may have waited in vain
        self.heard()?;
        self.settle(&mut state, limit)?;
        self.answered(&mut state, limit, of, request)
    }

    fn answered(
        &self,
        state: &mut State,
        limit: Duration,
        of: Option<u64>,
        request: Frame<TokenRequest>,
    ) -> Result<(u64, Frame<TokenReply>), KeyError> {
        // before the question: a token that was left is found again only when nothing is open
        self.give_up(state, limit);
        if of.is_some_and(|of| of != state.generation || state.process.is_none()) {
            return Err(self.ends().ended("it was started anew, and the key is locked there"));
        }
        self.begin(state, limit.min(self.limit))?;
        let generation = state.generation;
        let Some(process) = &state.process else { return Err(unexpected()) };
        match self.converse(process.connection(), request, limit) {
            Ok(answer) => Ok((generation, succeeded(answer)?)),
            Err(error) => {
                self.lose(state);
                Err(self.lost(&error, limit))
            }
        }
    }

    /// Asks what is answered within this time by a message alone. A process that is busy so long is not waited for, and
    /// one that did not answer in time is not asked again for a while.
    pub(super) fn within(&self, limit: Duration, request: TokenRequest) -> Result<TokenReply, KeyError> {
        let begun = Instant::now();
        if held(&self.silent_since).is_some_and(|since| begun.duration_since(since) < SILENCE) {
            return Err(self.ends().ended("a moment ago it did not say which tokens it has"));
        }
        let end = begun + limit;
        loop {
            match self.state.try_lock() {
                Ok(mut state) => {
                    let found = self.found(&mut state, end, request);
                    let is_silent = found.is_err() && Instant::now() >= end;
                    *held(&self.silent_since) = is_silent.then(Instant::now);
                    return found;
                }
                Err(TryLockError::Poisoned(_)) => return Err(unexpected()),
                Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(PAUSE),
                // it signs meanwhile: that is no silence
                Err(TryLockError::WouldBlock) => {
                    return Err(self.ends().ended("the module has been busy with another key for long"));
                }
            }
        }
    }

    /// Asks what needs no PIN, until this moment. A process that does not answer by then is kept with the keys that are
    /// open there, and its answer is taken later.
    fn found(&self, state: &mut State, end: Instant, request: TokenRequest) -> Result<TokenReply, KeyError> {
        // no socket takes a limit of zero
        let left = || end.saturating_duration_since(Instant::now()).max(PAUSE);
        let late = || self.ends().ended("it did not say in time which tokens it has");
        if state.owes {
            if !state.process.as_ref().is_some_and(|process| process.answers_by(end)) {
                return Err(late());
            }
            self.settle(state, left())?;
        }
        self.give_up(state, left());
        self.begin(state, left())?;
        let Some(process) = &state.process else { return Err(unexpected()) };
        let sent = process.connection().set_write_timeout(Some(left())).map_err(FrameError::from);
        let sent = sent.and_then(|()| Frame::from(request).send(process.connection()));
        if sent.is_ok() && !process.answers_by(end) {
            state.owes = true;
            return Err(late());
        }
        let answer = sent.and_then(|()| Begun::<TokenReply>::receive(process.connection(), WHOLE)?.whole());
        match answer {
            Ok(answer) => Ok(succeeded(answer)?.message),
            Err(error) => {
                self.lose(state);
                Err(self.lost(&error, WHOLE))
            }
        }
    }

    /// Asks what is answered by [`TokenReply::Done`].
    pub(super) fn done(&self, request: TokenRequest) -> Result<(), KeyError> {
        match self.ask(None, request)?.1.message {
            TokenReply::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Signs with a key that this process has open: in one round, over a connection of its own where there may be several.
    pub(super) fn sign(&self, of: u64, number: u32, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let request = || Frame::with(TokenRequest::Sign { number }, vec![message.to_vec()]);
        self.heard()?;
        let lane = match self.lanes.take(of) {
            Lane::First => return self.ask(Some(of), request()).and_then(|(_, answer)| signature(answer)),
            Lane::Free(lane) => lane,
            Lane::New => self.joined(of).inspect_err(|_| self.lanes.give(of, None))?,
        };
        match self.converse(&lane, request(), self.limit) {
            Ok(answer) => {
                self.lanes.give(of, Some(lane));
                succeeded(answer).and_then(signature)
            }
            Err(error) => {
                self.lanes.give(of, None);
                let mut state = held(&self.state);
                if state.generation == of {
                    self.lose(&mut state);
                }
                drop(state);
                Err(self.lost(&error, self.limit))
            }
        }
    }

    /// Makes one more connection to the process.
    fn joined(&self, of: u64) -> Result<UnixStream, KeyError> {
        let (here, there) = UnixStream::pair().map_err(|error| KeyError::Signer(error.to_string()))?;
        let descriptors = vec![OwnedFd::from(there)];
        let join = Frame { message: TokenRequest::Join, parts: Vec::new(), descriptors };
        match self.ask(Some(of), join)?.1.message {
            TokenReply::Done => Ok(here),
            _ => Err(unexpected()),
        }
    }

    /// Gives a key up. Whoever locks keys does not wait for the process of a service: it is told by another thread, and
    /// before it is asked anything else.
    pub(super) fn close(line: &Arc<Self>, of: u64, number: u32) {
        held(&line.given_up).push((of, number));
        if line.terms == ModuleTerms::Command {
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
        // one that is busy is told later
        if !state.owes {
            self.give_up(&mut state, self.limit);
        }
    }

    fn give_up(&self, state: &mut State, limit: Duration) {
        let (given_up, generation) = (std::mem::take(&mut *held(&self.given_up)), state.generation);
        for (_, number) in given_up.into_iter().filter(|(of, _)| *of == generation) {
            let Some(process) = &state.process else { return };
            let close = TokenRequest::Close { number };
            if self.converse(process.connection(), close.into(), limit).is_err() {
                self.lose(state);
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
}

fn succeeded(answer: Frame<TokenReply>) -> Result<Frame<TokenReply>, KeyError> {
    match answer.message {
        TokenReply::Failed { failure } => Err(failure.into()),
        _ => Ok(answer),
    }
}

fn signature(answer: Frame<TokenReply>) -> Result<Vec<u8>, KeyError> {
    match answer.message {
        TokenReply::Signed => answer.only_part().map_err(|_| unexpected()),
        _ => Err(unexpected()),
    }
}

pub(super) fn unexpected() -> KeyError {
    KeyError::Signer("the process of the tokens gave an answer that does not belong to the question".into())
}
