//! The responders of one CA, as the files had them at the last look.
use super::delegate::DelegatedResponder;
use super::responder_files::Stamps;
use crate::x509::UnixTime;
use std::sync::Arc;

/// The responders of one CA.
#[derive(Default)]
pub(super) struct KnownResponders {
    pub(super) stamps: Stamps,
    /// The responders in the files.
    pub(super) loaded: Vec<Arc<DelegatedResponder>>,
    /// Responders that were in the files before and stay in use until one of those in the files is valid.
    pub(super) former: Vec<Arc<DelegatedResponder>>,
    /// Which of all are valid.
    valid: Vec<bool>,
}

impl KnownResponders {
    pub(super) fn new(
        stamps: Stamps,
        loaded: Vec<Arc<DelegatedResponder>>,
        former: Vec<Arc<DelegatedResponder>>,
        now: UnixTime,
    ) -> Self {
        let mut known = Self { stamps, loaded, former, valid: Vec::new() };
        known.turns(now);
        known
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<DelegatedResponder>> {
        self.loaded.iter().chain(&self.former)
    }

    /// Returns whether another one is valid than at the last call, or one is not any more.
    pub(super) fn turns(&mut self, now: UnixTime) -> bool {
        let valid: Vec<bool> = self.all().map(|one| one.is_valid(now)).collect();
        let turns = valid != self.valid;
        self.valid = valid;
        turns
    }
}
