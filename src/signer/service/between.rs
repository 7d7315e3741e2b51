//! What is kept for a client between two of its requests.
use super::answers::signer;
use crate::signer::protocol::Failure;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bound of what is kept for a client.
const MOST_KEPT: usize = 4096;

/// What is kept between two requests, by numbers.
pub(super) struct Between<T>(Mutex<(u32, HashMap<u32, T>)>);

impl<T> Between<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new((0, HashMap::new())))
    }

    fn held(&self) -> MutexGuard<'_, (u32, HashMap<u32, T>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, one: T) -> Result<u32, Failure> {
        let mut held = self.held();
        if held.1.len() >= MOST_KEPT {
            return Err(signer("too much is kept for this client"));
        }
        held.0 = held.0.wrapping_add(1);
        let number = held.0;
        held.1.insert(number, one);
        Ok(number)
    }

    pub(super) fn take(&self, number: u32) -> Result<T, Failure> {
        self.held().1.remove(&number).ok_or_else(|| signer("it has nothing of this number"))
    }
}
