//! Limits the log lines about requests that were not answered or refused. Otherwise any client could fill the disk.
//! There are at most 65 such lines a minute.
use crate::x509::UnixTime;
use std::sync::{Mutex, PoisonError};

/// Seconds between two log lines with the same reason.
const EVERY: i64 = 60;
/// Number of distinct reasons that are remembered; further ones share one entry. 64 bound the memory.
const REASONS: usize = 64;

/// For each reason the time when it was last logged, and its count since then.
#[derive(Debug, Default)]
pub(super) struct LogThrottle {
    said: Mutex<Vec<(String, UnixTime, u64)>>,
}

impl LogThrottle {
    /// Counts one occurrence. Returns the count since the last log line when a new line is due, else `None`.
    pub(super) fn add(&self, reason: &str, now: UnixTime) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= REASONS {
            // one that has not come for a minute makes room
            said.retain(|(_, at, _)| (at.0..at.0.saturating_add(EVERY)).contains(&now.0));
        }
        let is_full = said.len() >= REASONS;
        let key = if is_full && said.iter().all(|one| one.0 != reason) { "" } else { reason };
        match said.iter_mut().find(|one| one.0 == key) {
            Some((_, at, times)) => {
                *times = times.saturating_add(1);
                if (at.0..at.0.saturating_add(EVERY)).contains(&now.0) {
                    return None;
                }
                *at = now;
                Some(std::mem::take(times))
            }
            None => {
                said.push((key.to_owned(), now, 0));
                Some(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_at_once_and_then_once_a_minute_with_its_count() {
        // O13
        let log_throttle = LogThrottle::default();
        let now = UnixTime(1_000_000);
        assert_eq!(log_throttle.add("no status", now), Some(1));
        assert_eq!(log_throttle.add("no responder", now), Some(1), "another reason");
        assert_eq!(log_throttle.add("no status", now.plus(1)), None);
        assert_eq!(log_throttle.add("no status", now.plus(59)), None);
        assert_eq!(log_throttle.add("no status", now.plus(60)), Some(3));
        assert_eq!(log_throttle.add("no status", now.plus(61)), None);
        assert_eq!(log_throttle.add("no status", now), Some(2), "the clock was set back");
        for number in 0..1000 {
            log_throttle.add(&number.to_string(), now);
        }
        assert!(log_throttle.said.lock().unwrap().len() <= REASONS + 1);
        let said = (0..1000).filter(|number| log_throttle.add(&number.to_string(), now.plus(1)).is_some());
        assert_eq!(said.count(), 0, "no more lines in that minute");
        assert_eq!(log_throttle.add("another", now.plus(61)), Some(1), "it has a line of its own again");
    }
}
