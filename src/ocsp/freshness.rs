//! Whether the published status is recent enough to answer from.
use super::settings::ResponderSettings;
use crate::status::{CLOCK_SKEW, beyond};
use crate::x509::UnixTime;

/// The age of a published status against the limits of the settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Freshness {
    /// The status is recent: requests are answered from it.
    Current,
    /// The status is a little too old, or the clock is a little off. This may pass.
    Lapsed,
    /// The status is much too old, or the clock is far off.
    LongLapsed,
}

impl Freshness {
    /// Returns the freshness of a status published at `time` (O13).
    #[must_use]
    pub(crate) fn of(time: UnixTime, settings: &ResponderSettings, now: UnixTime) -> Self {
        Self::over(beyond(time, settings.max_status_age, now), settings)
    }

    /// Returns the freshness of something that counted until `end`.
    #[must_use]
    pub(crate) fn since(end: UnixTime, settings: &ResponderSettings, now: UnixTime) -> Self {
        Self::over(now.0.saturating_sub(end.0), settings)
    }

    /// Returns the freshness of something that was made at `time`, and counts whatever its age is.
    #[must_use]
    pub(crate) fn ahead(time: UnixTime, settings: &ResponderSettings, now: UnixTime) -> Self {
        Self::over(time.0.saturating_sub(now.0.saturating_add(CLOCK_SKEW)), settings)
    }

    /// Returns the freshness of something that is by so many seconds too old, or too far ahead of the clock.
    fn over(seconds: i64, settings: &ResponderSettings) -> Self {
        match seconds {
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
