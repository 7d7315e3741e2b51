//! The processes of all modules, and which of them has a token.
use super::launching::{Launch, Launchable};
use super::line::{FINDING, Line, unexpected};
use super::{TokenReply, TokenRequest};
use crate::error::Shown as _;
use crate::signing::{KeyError, KeyPlace, KeyRef, SecretSource, TokenUri};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For whom tokens are reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ModuleTerms {
    /// For one command.
    Command,
    /// For the signer as a service: what one person has unlocked unlocks nothing for another.
    Service,
    /// For the daemon, which makes several signatures at once, and at whose tokens nobody sits.
    Daemon,
}

impl ModuleTerms {
    /// Returns how long a process has for an answer. A person may have to touch the token. What a PIN takes is not counted.
    pub(super) fn limit(self) -> Duration {
        Duration::from_secs(if self == Self::Daemon { 10 } else { 120 })
    }

    /// Returns how many connections there may be to a process besides the first one: few tokens sign more at once.
    pub(super) fn lanes(self) -> usize {
        if self == Self::Daemon { 4 } else { 0 }
    }
}

/// The processes, one for each module, which are started when they are first needed.
pub(super) struct Processes {
    launch: Arc<dyn Launch>,
    secrets: Arc<dyn SecretSource>,
    terms: ModuleTerms,
    limit: Duration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    launchable: Option<Launchable>,
    lines: Vec<Arc<Line>>,
}

impl Processes {
    pub(super) fn new(launch: Arc<dyn Launch>, secrets: Arc<dyn SecretSource>, terms: ModuleTerms) -> Self {
        Self { launch, secrets, terms, limit: terms.limit(), known: Mutex::default() }
    }

    /// Returns the same with processes that have this long for an answer.
    #[cfg(test)]
    pub(super) fn limited(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up every process: those that are asked next are those of the launcher that there is then.
    pub(super) fn forget(&self) {
        let known = std::mem::take(&mut *self.known());
        known.lines.iter().for_each(|line| line.end());
    }

    /// Returns the modules, and a line to the process of each.
    fn lines(&self) -> Result<(Launchable, Vec<Arc<Line>>), KeyError> {
        let launchable = self.launch.launchable()?;
        let mut known = self.known();
        if known.launchable.as_ref().is_none_or(|known| known.launcher != launchable.launcher) {
            let line = |number| {
                let line = Line::new(
                    Arc::clone(&self.launch),
                    (launchable.clone(), number),
                    Arc::clone(&self.secrets),
                );
                Arc::new(line.with(self.terms, self.limit))
            };
            let lines = (0..launchable.modules.len()).map(line).collect();
            let former =
                std::mem::replace(&mut *known, Known { launchable: Some(launchable.clone()), lines });
            former.lines.iter().for_each(|line| line.end());
        }
        Ok((launchable, known.lines.clone()))
    }

    /// Returns the line to the process whose module has the token of a key.
    ///
    /// # Errors
    /// When no module has it, or several tokens are meant; [`KeyError::ModuleUnknown`], [`KeyError::NoModule`].
    pub(super) fn of(&self, key: &KeyRef) -> Result<Arc<Line>, KeyError> {
        let place = KeyPlace::Uri(key.uri.clone());
        let uri: TokenUri = key.uri.parse().map_err(|error: crate::signing::InvalidTokenUri| {
            KeyError::TokenFailed(place.clone(), error.to_string())
        })?;
        let (launchable, lines) = self.lines()?;
        if let Some(module) = uri.module() {
            let number = launchable.modules.iter().position(|path| path == module);
            let unknown = || KeyError::ModuleUnknown(module.shown().to_string());
            return number.and_then(|number| lines.get(number).cloned()).ok_or_else(unknown);
        }
        match lines.as_slice() {
            [] => Err(KeyError::NoModule(place)),
            [only] => Ok(Arc::clone(only)),
            several => self.among(several, key, place),
        }
    }

    /// Asks all modules at once, so that one that hangs holds the others up for a while and no longer.
    fn among(&self, lines: &[Arc<Line>], key: &KeyRef, place: KeyPlace) -> Result<Arc<Line>, KeyError> {
        for anew in [false, true] {
            let counted = std::thread::scope(|scope| {
                let asked = lines.iter().map(|line| {
                    let request = TokenRequest::Find { key: key.into(), anew };
                    let ask = move || line.within(FINDING.min(self.limit), request).and_then(counted);
                    std::thread::Builder::new().spawn_scoped(scope, ask).map_err(|error| not_asked(&error))
                });
                let asked: Vec<_> = asked.collect();
                let answers = asked.into_iter().map(|one| one?.join().unwrap_or_else(|_| Err(unexpected())));
                answers.collect::<Vec<_>>()
            });
            let mut found = Vec::new();
            let mut failed = None;
            for (line, count) in lines.iter().zip(counted) {
                match count {
                    Ok(0) => {}
                    Ok(count) => found.push((line, count)),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            match (found.as_slice(), failed) {
                ([(line, _)], _) => return Ok(Arc::clone(line)),
                ([_, _, ..], _) => {
                    let several: usize = found.iter().map(|(_, count)| *count).sum();
                    return Err(KeyError::several_tokens(place, several));
                }
                ([], Some(error)) if anew => return Err(error),
                ([], _) => {}
            }
        }
        Err(KeyError::TokenGone(place, "no such token is there".into()))
    }
}

fn counted(reply: TokenReply) -> Result<usize, KeyError> {
    match reply {
        TokenReply::Tokens { count } => Ok(count),
        _ => Err(unexpected()),
    }
}

fn not_asked(error: &std::io::Error) -> KeyError {
    KeyError::Signer(format!("no thread is started: {error}"))
}
