//! Who starts the processes of modules.
use super::ends::Ends;
use super::launched::{TokenProcess, start};
use super::line::{WHOLE, unexpected};
use super::{LaunchReply, LaunchRequest};
use crate::signer::protocol::{Begun, Frame, FrameError};
use crate::signing::KeyError;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a service waits for its launcher, which connects a moment after the service was started.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a launcher has to answer: it does nothing that takes long.
const ANSWER: Duration = Duration::from_secs(10);

/// The modules that processes are started for.
#[derive(Clone, Debug)]
pub(in crate::signer) struct Launchable {
    /// Counts the launchers. Processes that another one has started are those of others.
    pub(super) launcher: u64,
    pub(super) modules: Arc<Vec<PathBuf>>,
}

/// Starts processes for modules.
pub(in crate::signer) trait Launch: Send + Sync {
    /// Returns the modules.
    ///
    /// # Errors
    /// When the launcher is not there.
    fn launchable(&self) -> Result<Launchable, KeyError>;

    /// Starts a process for the module with this number, of the list that this launcher has told.
    ///
    /// # Errors
    /// When it cannot be started, or there is another launcher now.
    fn start(&self, of: &Launchable, number: usize) -> Result<TokenProcess, KeyError>;
}

/// Starts them as children of this process, which is not confined.
pub(crate) struct Launching {
    modules: Arc<Vec<PathBuf>>,
    without: Vec<String>,
    must_be_confined: bool,
}

impl Launching {
    /// Returns one for these modules. Their processes do not get these variables, which may have secrets.
    pub(crate) fn here(modules: Vec<PathBuf>, without: &[String]) -> Self {
        Self { modules: Arc::new(modules), without: without.to_vec(), must_be_confined: false }
    }

    /// Returns the same, whose processes do not go on where they cannot be confined.
    pub(crate) fn confined(self) -> Self {
        Self { must_be_confined: true, ..self }
    }
}

impl Launch for Launching {
    fn launchable(&self) -> Result<Launchable, KeyError> {
        Ok(Launchable { launcher: 0, modules: Arc::clone(&self.modules) })
    }

    fn start(&self, of: &Launchable, number: usize) -> Result<TokenProcess, KeyError> {
        let module = of.modules.get(number).ok_or_else(unexpected)?;
        let started = start(&words(module, self.must_be_confined), &self.without);
        started.map(TokenProcess::started).map_err(|error| not_started(&error))
    }
}

/// Returns the words by which the program serves a module.
pub(super) fn words(module: &Path, must_be_confined: bool) -> Vec<&std::ffi::OsStr> {
    let demand = if must_be_confined { "required" } else { "possible" };
    vec!["module".as_ref(), module.as_os_str(), demand.as_ref()]
}

pub(super) fn not_started(error: &io::Error) -> KeyError {
    KeyError::Signer(format!("the process of the tokens: {error}"))
}

/// Has another process start them, over a connection.
pub(super) struct Launcher {
    state: Mutex<State>,
    arrived: Condvar,
    /// How long one is waited for where there is none; not at all where none comes by itself.
    patience: Duration,
    ends: Ends,
}

#[derive(Default)]
struct State {
    process: Option<TokenProcess>,
    modules: Arc<Vec<PathBuf>>,
    launcher: u64,
}

impl Launcher {
    /// Returns the one to which a launcher connects, if `is_expected`.
    pub(super) fn of_service(is_expected: bool) -> Self {
        let patience = if is_expected { PATIENCE } else { Duration::ZERO };
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            patience,
            ends: Ends { of_service: is_expected },
        }
    }

    /// Returns the one that was started here, for these modules.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) fn of_command(process: TokenProcess, modules: &[PathBuf]) -> Result<Self, KeyError> {
        let launcher = Self::of_service(false);
        launcher.begin(process, modules)?;
        Ok(launcher)
    }

    /// Takes a launcher, in the place of a former one that is gone. While that one is connected no other process is taken
    /// for it: a module has the launcher's user, and would be asked with the PINs of every token.
    ///
    /// # Errors
    /// When it does not answer, or another one is connected.
    pub(super) fn begin(&self, process: TokenProcess, modules: &[PathBuf]) -> Result<(), KeyError> {
        let modules = modules.iter().map(|path| path.as_path().into()).collect();
        let begin = LaunchRequest::Begin { program: env!("CARGO_PKG_VERSION").to_owned(), modules };
        let greeted =
            converse(process.connection(), begin).map_err(|error| self.ends.lost(&error, ANSWER))?;
        let modules = match greeted.message {
            LaunchReply::Modules { modules } => modules.into_iter().map(PathBuf::from).collect(),
            LaunchReply::Failed { failure } => return Err(failure.into()),
            LaunchReply::Started => return Err(unexpected()),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.process.as_ref().is_some_and(TokenProcess::is_connected) {
            return Err(KeyError::Signer("another process starts those of modules already".into()));
        }
        let launcher = state.launcher.wrapping_add(1);
        *state = State { process: Some(process), modules: Arc::new(modules), launcher };
        drop(state);
        self.arrived.notify_all();
        Ok(())
    }
}

impl Launch for Launcher {
    fn launchable(&self) -> Result<Launchable, KeyError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let absent = |state: &mut State| state.process.is_none();
        let (state, _) = self
            .arrived
            .wait_timeout_while(state, self.patience, absent)
            .unwrap_or_else(PoisonError::into_inner);
        if state.process.is_none() {
            return Err(self.ends.absent());
        }
        Ok(Launchable { launcher: state.launcher, modules: Arc::clone(&state.modules) })
    }

    fn start(&self, of: &Launchable, number: usize) -> Result<TokenProcess, KeyError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let process = state.process.as_ref().filter(|_| state.launcher == of.launcher);
        let Some(process) = process else { return Err(self.ends.absent()) };
        let answer = match converse(process.connection(), LaunchRequest::Start { module: number }) {
            Ok(answer) => answer,
            Err(error) => {
                state.process = None;
                return Err(self.ends.lost(&error, ANSWER));
            }
        };
        match answer.message {
            LaunchReply::Started => {
                let [socket] = <[_; 1]>::try_from(answer.descriptors).map_err(|_| unexpected())?;
                Ok(TokenProcess::of(UnixStream::from(socket)))
            }
            LaunchReply::Failed { failure } => Err(failure.into()),
            LaunchReply::Modules { .. } => Err(unexpected()),
        }
    }
}

fn converse(connection: &UnixStream, request: LaunchRequest) -> Result<Frame<LaunchReply>, FrameError> {
    connection.set_write_timeout(Some(ANSWER))?;
    Frame::from(request).send(connection)?;
    connection.set_read_timeout(Some(ANSWER))?;
    Begun::<LaunchReply>::receive(connection, WHOLE)?.whole()
}
