//! Where "now" comes from. Pure code takes `now: UnixTime` instead.
use crate::x509::UnixTime;

/// Knows the time.
pub trait Clock: Send + Sync {
    /// The current time.
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

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
#[cfg(test)]
pub(crate) struct FixedClock(pub UnixTime);

#[cfg(test)]
impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        self.0
    }
}
