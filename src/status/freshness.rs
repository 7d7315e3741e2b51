//! Whether the published status is recent enough to answer from (O13). This is the one rule of responders, of
//! `doctor` and of `status`.
use crate::x509::UnixTime;

/// Seconds by which the published status may be ahead of the clock.
pub const CLOCK_SKEW: i64 = 300;

/// The age of the published status against its limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StatusAge {
    /// It is recent.
    Current,
    /// It is older than half of the limit: it was not confirmed for long.
    Aging,
    /// It is older than the limit: responders do not answer from it.
    TooOld,
    /// It is of a time to come: responders do not answer from it.
    Future,
}

impl StatusAge {
    /// Returns the age of a status of `time` when it may be `limit` seconds old.
    #[must_use]
    pub fn of(time: UnixTime, limit: i64, now: UnixTime) -> Self {
        match beyond(time, limit, now) {
            1.. if time > now => Self::Future,
            1.. => Self::TooOld,
            _ if now.0.saturating_sub(time.0) > limit / 2 => Self::Aging,
            _ => Self::Current,
        }
    }
}

/// Returns by how many seconds a status of `time` is too old, or too far ahead of the clock; at most 0 when it is
/// recent.
#[must_use]
pub fn beyond(time: UnixTime, limit: i64, now: UnixTime) -> i64 {
    let behind = now.0.saturating_sub(limit).saturating_sub(time.0);
    behind.max(time.0.saturating_sub(now.0.saturating_add(CLOCK_SKEW)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_ages_at_half_of_its_limit_and_is_too_old_after_it() {
        // O13
        let now = UnixTime(1_000_000_000);
        for (offset, age) in [
            (-1001, StatusAge::TooOld),
            (-1000, StatusAge::Aging),
            (-501, StatusAge::Aging),
            (-500, StatusAge::Current),
            (CLOCK_SKEW, StatusAge::Current),
            (CLOCK_SKEW + 1, StatusAge::Future),
        ] {
            assert_eq!(StatusAge::of(now.plus(offset), 1000, now), age, "{offset}");
        }
    }
}
