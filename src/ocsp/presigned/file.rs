//! The file of answers that a daemon serves, looked at again and again.
use super::mark::Mark;
use super::store::{AnswerStore, NotTaken};
use crate::error::Shown as _;
use crate::ocsp::file_version::FileVersion;
use crate::ocsp::served::{ServedStatus, Terms};
use crate::status::{CLOCK_SKEW, StatusError, StatusReader as _, StatusSource};
use crate::x509::UnixTime;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Seconds after which a file is looked at again that was not taken for something else than its octets: the time, a CRL, or
/// what was served before.
const AGAIN: i64 = 5;

/// By how much the number of a file may be higher than that of the one before when it is ahead of the clock: the clock of the
/// machine that made them was ahead once, and each file since has the next number.
const AHEAD: u64 = 10_000;

/// The path of a file of answers, and of what the daemon remembers of those that it has served.
#[derive(Debug)]
pub struct AnswerFile {
    path: PathBuf,
    state: Option<PathBuf>,
    is_only_looked_at: bool,
    /// The file that was not taken last: it is not read again while it stays the same.
    refused: Mutex<Option<Refused>>,
    /// The number that is remembered in the directory of the state.
    remembered: Mutex<Option<u64>>,
}

#[derive(Debug)]
struct Refused {
    version: FileVersion,
    at: UnixTime,
    why: Why,
}

/// Why a file is not taken.
#[derive(Clone, Debug)]
struct Why {
    text: String,
    /// Seconds for which it stays so while the file is the same.
    lasts: i64,
}

impl Why {
    /// It is the octets.
    fn octets(text: String) -> Self {
        Self { text, lasts: i64::MAX }
    }

    /// It is something else, which may change.
    fn present(text: String) -> Self {
        Self { text, lasts: AGAIN }
    }

    /// Something could not be read, and is tried again at once.
    fn passing(text: String) -> Self {
        Self { text, lasts: 0 }
    }
}

impl From<Why> for StatusError {
    fn from(why: Why) -> Self {
        Self::Answers(why.text)
    }
}

impl AnswerFile {
    /// Returns the file at this path. With a directory for the daemon's state no older file than those served before is
    /// taken after a restart.
    #[must_use]
    pub fn new(path: PathBuf, state: Option<PathBuf>) -> Self {
        let (refused, remembered) = (Mutex::default(), Mutex::default());
        Self { path, state, is_only_looked_at: false, refused, remembered }
    }

    /// Returns the same file, which is not going to be served: nothing is remembered.
    #[must_use]
    pub fn only_looked_at(self) -> Self {
        Self { is_only_looked_at: true, ..self }
    }

    fn version(&self) -> Result<FileVersion, Why> {
        match FileVersion::of(&self.path) {
            Ok(Some(version)) => Ok(version),
            Ok(None) => Err(Why::passing(format!("{} is not there", self.path.shown()))),
            Err(error) => Err(Why::passing(format!("{} cannot be read: {error}", self.path.shown()))),
        }
    }

    /// Returns what was served last, as far as it is known.
    fn newest(&self, previous: Option<&AnswerStore>) -> Result<Option<Mark>, Why> {
        let kept = self.state.as_deref().map(Mark::read).transpose().map_err(Why::passing)?.flatten();
        let known = kept.into_iter().chain(previous.map(mark_of));
        Ok(known.max_by_key(|mark| mark.number))
    }

    fn take(&self, previous: Option<&AnswerStore>) -> Result<(AnswerStore, Option<Mark>), Why> {
        let newest = self.newest(previous)?;
        let store = AnswerStore::read(&self.path).map_err(|error| match error {
            NotTaken::Unreadable(error) => {
                Why::passing(format!("{} cannot be read: {error}", self.path.shown()))
            }
            NotTaken::Another(why) => Why::octets(format!("{}: {why}", self.path.shown())),
        })?;
        let Some(newest) = newest else { return Ok((store, None)) };
        // a daemon that has one says itself that it keeps it
        if previous.is_none() && store.change() < newest.number {
            return Err(Why::present(format!(
                "{} has number {}, lower than {}, which was served before",
                self.path.shown(),
                store.change(),
                newest.number
            )));
        }
        if store.sealed_by().is_none_or(|by| !newest.authorities.contains(&by)) {
            return Err(Why::present(format!(
                "{} is signed for a CA that was not in the file served before",
                self.path.shown()
            )));
        }
        Ok((store, Some(newest)))
    }

    /// Takes a file that counts now: its number is not far ahead of the clock, and who signed the seal may sign.
    fn take_now(&self, previous: Option<&AnswerStore>, terms: &Terms<'_>) -> Result<AnswerStore, Why> {
        let (store, newest) = self.take(previous)?;
        let failed = |why: String| Err(Why::present(format!("{}: {why}", self.path.shown())));
        let latest = u64::try_from(terms.now.0.saturating_add(CLOCK_SKEW)).unwrap_or_default();
        let latest = newest.map_or(latest, |newest| latest.max(newest.number.saturating_add(AHEAD)));
        if store.change() > latest {
            return failed(format!("its number {} is ahead of the clock", store.change()));
        }
        let Some((authority, certificate)) = store.sealer() else {
            return failed("nobody has signed it".to_owned());
        };
        let validity = certificate.tbs().validity();
        if !validity.contains(terms.now) {
            return failed(format!(
                "the certificate of the responder of {} that signed it counts from {} to {}",
                authority.name, validity.not_before, validity.not_after
            ));
        }
        if (terms.is_listed)(authority, certificate.tbs().serial_number()) {
            return failed(format!(
                "the certificate of the responder of {} that signed it is revoked",
                authority.name
            ));
        }
        Ok(store)
    }
}

fn mark_of(store: &AnswerStore) -> Mark {
    let authorities = store.authorities().iter().map(|authority| authority.issuer).collect();
    Mark { number: store.change(), authorities }
}

impl StatusSource for AnswerFile {
    type View = AnswerStore;

    /// Opens the file whatever the time is.
    fn open(&self, previous: Option<&AnswerStore>) -> Result<AnswerStore, StatusError> {
        Ok(self.take(previous)?.0)
    }

    fn changed_since(&self, view: &AnswerStore) -> bool {
        self.version().ok() != Some(view.version())
    }

    fn directory(&self) -> Option<&Path> {
        let parent = self.path.parent()?;
        Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
    }
}

impl ServedStatus for AnswerFile {
    fn answers(view: &Arc<AnswerStore>) -> Option<Arc<AnswerStore>> {
        Some(Arc::clone(view))
    }

    fn open_at(&self, previous: Option<&AnswerStore>, terms: &Terms<'_>) -> Result<AnswerStore, StatusError> {
        let version = self.version()?;
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let lasts = |one: &&Refused| {
            let since = terms.now.0.saturating_sub(one.at.0);
            one.version == version && (one.why.lasts == i64::MAX || (0..one.why.lasts).contains(&since))
        };
        if let Some(one) = refused.as_ref().filter(lasts) {
            return Err(one.why.clone().into());
        }
        *refused = None;
        self.take_now(previous, terms).map_err(|why| {
            *refused = Some(Refused { version, at: terms.now, why: why.clone() });
            why.into()
        })
    }

    fn remember(&self, view: &AnswerStore) -> Result<(), String> {
        let Some(state) = self.state.as_deref().filter(|_| !self.is_only_looked_at) else { return Ok(()) };
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if *remembered == Some(view.change()) {
            return Ok(());
        }
        if Mark::read(state)?.is_none_or(|mark| mark.number < view.change()) {
            mark_of(view).write(state)?;
        }
        *remembered = Some(view.change());
        Ok(())
    }
}
