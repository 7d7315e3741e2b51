//! The index in memory, for tests: plain values under one lock, which fails wherever a test asks for it.
mod issuing;
mod reading;
mod revoking;
mod state;
mod summaries;
mod taking;
mod tests;

use super::{Authority, Guard, IndexError};
use state::State;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Observer of an index, which may make its methods fail.
pub(crate) trait Watch: Send + Sync {
    /// Called before a method of this name writes.
    ///
    /// # Errors
    /// The method then fails with this error, and nothing is written.
    fn writes(&self, method: &'static str) -> Result<(), IndexError>;

    /// Called with the name of the CA that was read.
    fn reads(&self, _authority: &str) {}
}

/// An index that ends with the process. Several handles may share one store, as processes share one home.
#[derive(Default)]
pub(crate) struct MemoryIndex {
    store: Arc<Store>,
    watch: Option<Box<dyn Watch>>,
}

#[derive(Default)]
struct Store {
    state: Mutex<Arc<State>>,
    interlock: Arc<Interlock>,
    unrecorded: AtomicU32,
}

impl MemoryIndex {
    /// Returns another handle of the same store, with this observer.
    pub(crate) fn watched(&self, watch: impl Watch + 'static) -> Self {
        Self { store: Arc::clone(&self.store), watch: Some(Box::new(watch)) }
    }

    /// Returns another handle of the same store, without an observer.
    pub(crate) fn unwatched(&self) -> Self {
        Self { store: Arc::clone(&self.store), watch: None }
    }

    fn note_read<'a>(&self, authorities: impl IntoIterator<Item = &'a Authority>) {
        if let Some(watch) = &self.watch {
            authorities.into_iter().for_each(|authority| watch.reads(&authority.name));
        }
    }

    /// Adds this number of entries to every CRL, beyond the certificates on record.
    pub(crate) fn list_more(&self, entries: u32) {
        self.store.unrecorded.store(entries, Ordering::SeqCst);
    }

    /// Returns a snapshot of the present records.
    fn now(&self) -> Arc<State> {
        Arc::clone(&self.store.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs one transaction, which takes effect whole or not at all.
    fn write<T>(
        &self,
        method: &'static str,
        write: impl FnOnce(&mut State) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        if let Some(watch) = &self.watch {
            watch.writes(method)?;
        }
        let mut state = self.store.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = State::clone(&state);
        let result = write(&mut next)?;
        *state = Arc::new(next);
        Ok(result)
    }
}

/// Number of handles between an intent and its outcome; `None` while a handle excludes them.
struct Interlock {
    signing: Mutex<Option<usize>>,
    changed: Condvar,
}

impl Default for Interlock {
    fn default() -> Self {
        Self { signing: Mutex::new(Some(0)), changed: Condvar::new() }
    }
}

impl Interlock {
    fn set(&self, change: impl FnOnce(Option<usize>) -> Option<usize>) {
        let mut signing = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        *signing = change(*signing);
        self.changed.notify_all();
    }

    fn share(self: &Arc<Self>) -> Guard {
        let mut signing = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        while signing.is_none() {
            signing = self.changed.wait(signing).unwrap_or_else(PoisonError::into_inner);
        }
        *signing = signing.map(|count| count + 1);
        Box::new(Held(Arc::clone(self), |count| count.map(|count| count - 1)))
    }

    fn exclude(self: &Arc<Self>) -> Option<Guard> {
        let mut signing = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        if *signing != Some(0) {
            return None;
        }
        *signing = None;
        Some(Box::new(Held(Arc::clone(self), |_| Some(0))))
    }
}

struct Held(Arc<Interlock>, fn(Option<usize>) -> Option<usize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}
