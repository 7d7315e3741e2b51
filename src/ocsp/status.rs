//! Where the responder has its knowledge from: the published status, seen through two small traits.
use super::settings::ResponderSettings;
use crate::index::{IndexError, StatusReader};
use crate::x509::UnixTime;

pub use crate::index::PublishedAuthority;

/// One state of the published status; it never changes.
pub trait PublishedStatus: StatusReader {
    /// Every CA.
    fn authorities(&self) -> &[PublishedAuthority];

    /// Number of the latest change in it.
    fn change(&self) -> u64;

    /// When it was published, or said again to be current.
    fn time(&self) -> UnixTime;
}

/// Where states of the published status come from.
pub trait StatusSource: Send + Sync + 'static {
    /// One state.
    type View: PublishedStatus + 'static;

    /// Opens what is published now; what has not changed since the previous state may be taken from it.
    ///
    /// # Errors
    /// When it cannot be read.
    fn open(&self, previous: Option<&Self::View>) -> Result<Self::View, IndexError>;

    /// Whether something else, or a later time, was published since, or nothing is there any more; called
    /// several times a second.
    fn changed_since(&self, view: &Self::View) -> bool;
}

/// Whether a status of this time may be answered from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Freshness {
    /// It may.
    Current,
    /// It lapsed a short while ago, or the clock is a little off; that may pass.
    Lapsed,
    /// It lapsed long ago, or the clock is wrong by much.
    LongLapsed,
}

impl Freshness {
    /// That of a status published at `time` (O13).
    #[must_use]
    pub fn of(time: UnixTime, settings: &ResponderSettings, now: UnixTime) -> Self {
        let beyond = (now.0 - settings.max_status_age).saturating_sub(time.0);
        let ahead = time.0.saturating_sub(now.0.saturating_add(ResponderSettings::CLOCK_SKEW));
        match beyond.max(ahead) {
            ..=0 => Self::Current,
            over if over <= settings.patience => Self::Lapsed,
            _ => Self::LongLapsed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_is_too_old_or_from_the_future_is_not_answered_from() {
        // O13
        let settings = ResponderSettings::default();
        let now = UnixTime(1_000_000_000);
        let of = |offset: i64| Freshness::of(now.plus(offset), &settings, now);
        let most = settings.max_status_age;
        assert_eq!(of(-most), Freshness::Current);
        assert_eq!(of(-most - 1), Freshness::Lapsed);
        assert_eq!(of(-most - 3601), Freshness::LongLapsed);
        assert_eq!(of(300), Freshness::Current);
        assert_eq!(of(301), Freshness::Lapsed);
        assert_eq!(of(300 + 3601), Freshness::LongLapsed);
    }
}
