//! Keys that are being opened, which takes its time: whoever locks a key meanwhile does not wait, and has it locked.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// One key that is being opened.
#[derive(Debug)]
pub(crate) struct Opening(Arc<AtomicBool>);

impl Opening {
    /// Returns whether the key was locked since. It is not taken in then.
    pub(super) fn was_locked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The keys that are being opened, by name.
#[derive(Default)]
pub(super) struct Openings(Vec<(String, Weak<AtomicBool>)>);

impl Openings {
    /// Begins to open a key.
    pub(super) fn begin(&mut self, key: &str) -> Opening {
        self.0.retain(|(_, opening)| opening.strong_count() > 0);
        let opening = Arc::new(AtomicBool::new(false));
        self.0.push((key.to_owned(), Arc::downgrade(&opening)));
        Opening(opening)
    }

    /// Has a key, or every key, count as locked, but for the one of which this is the opening.
    pub(super) fn lock(&mut self, key: Option<&str>, except: Option<&Opening>) {
        let excepted = except.map(|one| Arc::as_ptr(&one.0));
        for (name, opening) in &self.0 {
            let is_meant = key.is_none_or(|key| key == name) && excepted != Some(opening.as_ptr());
            if let Some(opening) = opening.upgrade().filter(|_| is_meant) {
                opening.store(true, Ordering::Release);
            }
        }
    }
}
