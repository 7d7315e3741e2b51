//! The index in memory, for tests: plain values under one lock, and failures wherever a test wants them.
mod issuing;
mod reading;
mod revoking;
mod state;
mod taking;
#[cfg(test)]
mod tests;

use super::{Guard, IndexError};
use state::State;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Asked with the name of each method that writes, before it does.
type Watch = Box<dyn Fn(&'static str) -> Result<(), IndexError> + Send + Sync>;

/// An index that is gone with the process.
#[derive(Default)]
pub(crate) struct MemoryIndex {
    state: Mutex<Arc<State>>,
    interlock: Arc<Interlock>,
    watch: Option<Watch>,
}

impl MemoryIndex {
    /// An empty one, which asks before each method that writes whether it is to fail.
    pub(crate) fn watched(
        watch: impl Fn(&'static str) -> Result<(), IndexError> + Send + Sync + 'static,
    ) -> Self {
        Self { watch: Some(Box::new(watch)), ..Self::default() }
    }

    /// What is on record now; it does not change any more.
    fn now(&self) -> Arc<State> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One transaction: all of it, or nothing.
    fn write<T>(
        &self,
        method: &'static str,
        write: impl FnOnce(&mut State) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        if let Some(watch) = &self.watch {
            watch(method)?;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
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
