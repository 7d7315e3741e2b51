//! The index in memory, for tests: plain values under one lock, and failures wherever a test wants them.
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

/// Who sees what is done with an index, and may have it fail.
pub(crate) trait Watch: Send + Sync {
    /// Asked before a method of this name writes.
    ///
    /// # Errors
    /// Then the method fails with it, and nothing is written.
    fn writes(&self, method: &'static str) -> Result<(), IndexError>;

    /// Told which CA was read.
    fn reads(&self, _authority: &str) {}
}

/// An index that is gone with the process. Several may be handles of one store, as processes at work in one home.
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
    /// Another handle of the same store, which this one watches.
    pub(crate) fn watched(&self, watch: impl Watch + 'static) -> Self {
        Self { store: Arc::clone(&self.store), watch: Some(Box::new(watch)) }
    }

    /// Another handle of the same store, which nobody watches.
    pub(crate) fn unwatched(&self) -> Self {
        Self { store: Arc::clone(&self.store), watch: None }
    }

    fn note_read<'a>(&self, authorities: impl IntoIterator<Item = &'a Authority>) {
        if let Some(watch) = &self.watch {
            authorities.into_iter().for_each(|authority| watch.reads(&authority.name));
        }
    }

    /// Has lists so many more entries than there are certificates on record.
    pub(crate) fn list_more(&self, entries: u32) {
        self.store.unrecorded.store(entries, Ordering::SeqCst);
    }

    /// What is on record now; it does not change any more.
    fn now(&self) -> Arc<State> {
        Arc::clone(&self.store.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One transaction: all of it, or nothing.
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

/// How many are between an intent and its outcome; `None` while somebody keeps them from it.
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
