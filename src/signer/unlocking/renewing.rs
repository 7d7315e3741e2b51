//! Keys that timers use. A timer has a key opened with a credential of the service, for what one run asks.
use super::openings::{Opening, Openings};
use crate::signing::VaultKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the key that a timer uses stays open.
const LASTING: Duration = Duration::from_secs(60);

#[derive(Default)]
struct State {
    open: HashMap<String, (Instant, Arc<dyn VaultKey>)>,
    openings: Openings,
}

/// The keys that timers use, by name, each until its end. Nothing is waited for while they are held.
#[derive(Default)]
pub(super) struct Renewing(Mutex<State>);

impl Renewing {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a key that is open.
    pub(super) fn find(&self, key: &str) -> Option<Arc<dyn VaultKey>> {
        let now = Instant::now();
        self.state().open.get(key).filter(|(end, _)| *end > now).map(|(_, opened)| Arc::clone(opened))
    }

    /// Returns whether a key that was opened was not locked since.
    pub(super) fn is_held(&self, key: &str) -> bool {
        self.state().open.contains_key(key)
    }

    /// Says that a key is about to be opened.
    pub(super) fn opening(&self, key: &str) -> Opening {
        self.state().openings.begin(key)
    }

    /// Takes a key in that was opened, unless it was locked meanwhile.
    pub(super) fn put(&self, key: &str, opening: &Opening, opened: &Arc<dyn VaultKey>) {
        let mut state = self.state();
        if !opening.was_locked() {
            state.open.insert(key.to_owned(), (Instant::now() + LASTING, Arc::clone(opened)));
        }
    }

    /// Locks a key, or every key.
    pub(super) fn lock(&self, key: Option<&str>) {
        let mut state = self.state();
        state.openings.lock(key, None);
        match key {
            Some(key) => drop(state.open.remove(key)),
            None => state.open.clear(),
        }
    }

    /// Locks what has had its time, and is not in use.
    pub(super) fn expire(&self) {
        let now = Instant::now();
        self.state().open.retain(|_, (end, opened)| *end > now || Arc::strong_count(opened) > 1);
    }

    /// Returns whether no key is open.
    pub(super) fn is_empty(&self) -> bool {
        self.state().open.is_empty()
    }
}
