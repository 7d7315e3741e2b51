//! The source of the current time. Pure code takes `now: UnixTime` instead.
use crate::x509::UnixTime;

/// A clock.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> UnixTime;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's time")]
    fn now(&self) -> UnixTime {
        let seconds = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

/// A clock that does not move.
#[derive(Clone, Copy, Debug)]
#[cfg(test)]
pub(crate) struct FixedClock(pub UnixTime);

#[cfg(test)]
impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        self.0
    }
}
