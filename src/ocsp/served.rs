//! Sources of what the daemon answers from.
use super::presigned::AnswerStore;
use crate::status::{PublishedAuthority, StatusError, StatusSource};
use crate::x509::{SerialNumber, UnixTime};
use std::sync::Arc;

/// What a state is judged by when it is taken, besides its octets.
pub struct Terms<'a> {
    /// The present time.
    pub now: UnixTime,
    /// Whether the newest verified CRL at hand of a CA lists the certificate with this serial number.
    pub is_listed: &'a dyn Fn(&PublishedAuthority, &SerialNumber) -> bool,
}

/// Where the status comes from, and perhaps answers that were signed beforehand.
pub trait ServedStatus: StatusSource {
    /// Returns the answers that a state is made of, in place of which nothing is signed.
    #[must_use]
    fn answers(_: &Arc<Self::View>) -> Option<Arc<AnswerStore>> {
        None
    }

    /// Opens the newest state that counts by these terms.
    ///
    /// # Errors
    /// When it cannot be read or does not count.
    fn open_at(&self, previous: Option<&Self::View>, _: &Terms<'_>) -> Result<Self::View, StatusError> {
        self.open(previous)
    }

    /// Remembers durably that a state is served, where that is to be known after a restart. It is called at every poll.
    ///
    /// # Errors
    /// When it cannot be written down. It is tried again at the next poll.
    fn remember(&self, _: &Self::View) -> Result<(), String> {
        Ok(())
    }
}
