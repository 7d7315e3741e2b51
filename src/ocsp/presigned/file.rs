//! The file of answers that a daemon serves, looked at again and again.
use super::mark::Mark;
use super::store::AnswerStore;
use crate::error::Shown as _;
use crate::ocsp::file_version::FileVersion;
use crate::status::{StatusError, StatusReader as _, StatusSource};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The path of a file of answers, and of what the daemon remembers of those that it has served.
#[derive(Debug)]
pub struct AnswerFile {
    path: PathBuf,
    state: Option<PathBuf>,
    is_only_looked_at: bool,
    /// The file that was not taken last, and why: it is not read again while it stays the same.
    refused: Mutex<Option<(FileVersion, String)>>,
}

impl AnswerFile {
    /// Returns the file at this path. With a directory for the daemon's state no older file than those served before is
    /// taken after a restart.
    #[must_use]
    pub fn new(path: PathBuf, state: Option<PathBuf>) -> Self {
        Self { path, state, is_only_looked_at: false, refused: Mutex::default() }
    }

    /// Returns the same file, which is not going to be served: nothing is remembered.
    #[must_use]
    pub fn only_looked_at(self) -> Self {
        Self { is_only_looked_at: true, ..self }
    }

    fn version(&self) -> Option<FileVersion> {
        FileVersion::of(&self.path).ok().flatten()
    }

    /// Returns what was served last, as far as it is known.
    fn newest(&self, previous: Option<&AnswerStore>) -> Result<Option<Mark>, String> {
        let kept = self.state.as_deref().map(Mark::read).transpose()?.flatten();
        Ok(kept.or_else(|| previous.map(mark_of)))
    }

    fn take(&self, previous: Option<&AnswerStore>) -> Result<AnswerStore, String> {
        let store = AnswerStore::open(&self.path).map_err(|error| error.to_string())?;
        let Some(newest) = self.newest(previous)? else {
            self.remember(&store);
            return Ok(store);
        };
        // a daemon that has one says itself that it keeps it
        if previous.is_none() && store.change() < newest.number {
            return Err(format!(
                "{} has number {}, lower than {}, which was served before",
                self.path.shown(),
                store.change(),
                newest.number
            ));
        }
        if store.sealed_by().is_none_or(|by| !newest.authorities.contains(&by)) {
            return Err(format!(
                "{} is signed for a CA that was not in the file served before",
                self.path.shown()
            ));
        }
        if store.change() > newest.number {
            self.remember(&store);
        }
        Ok(store)
    }

    fn remember(&self, store: &AnswerStore) {
        if let (Some(state), false) = (&self.state, self.is_only_looked_at)
            && let Err(error) = mark_of(store).write(state)
        {
            tracing::error!(error, "it is not kept which file of answers is served");
        }
    }
}

fn mark_of(store: &AnswerStore) -> Mark {
    let authorities = store.authorities().iter().map(|authority| authority.issuer).collect();
    Mark { number: store.change(), authorities }
}

impl StatusSource for AnswerFile {
    type View = AnswerStore;

    fn open(&self, previous: Option<&AnswerStore>) -> Result<AnswerStore, StatusError> {
        let Some(version) = self.version() else {
            return Err(StatusError::Answers(format!("{} is not there", self.path.shown())));
        };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, why)) = refused.as_ref().filter(|(refused, _)| *refused == version) {
            return Err(StatusError::Answers(why.clone()));
        }
        *refused = None;
        self.take(previous).map_err(|why| {
            *refused = Some((version, why.clone()));
            StatusError::Answers(why)
        })
    }

    fn changed_since(&self, view: &AnswerStore) -> bool {
        self.version() != Some(view.version())
    }

    fn directory(&self) -> Option<&Path> {
        let parent = self.path.parent()?;
        Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
    }
}
