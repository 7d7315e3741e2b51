//! Wrong passphrases are slowed down: whoever may ask the service to unlock could otherwise guess by it.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The wrong passphrases for each key since the last right one.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failed: BTreeMap<String, (u32, Instant)>,
}

impl Attempts {
    /// The longest wait: a person who has forgotten which of two passphrases it was is not locked out.
    pub(crate) const LONGEST: Duration = Duration::from_secs(60);
    /// Number of wrong passphrases that cost nothing but the time of scrypt.
    const FREE: u32 = 2;

    /// Returns for how long nobody may try this key: a second after the third wrong passphrase, and twice as long after
    /// each further one.
    pub(crate) fn wait(&self, key: &str, now: Instant) -> Duration {
        let Some((number, last)) = self.failed.get(key) else { return Duration::ZERO };
        let Some(above) = number.checked_sub(Self::FREE + 1) else { return Duration::ZERO };
        let due = Duration::from_secs(1 << above.min(6)).min(Self::LONGEST);
        due.saturating_sub(now.saturating_duration_since(*last))
    }

    /// Takes note of a wrong passphrase, and returns how many there were in a row.
    pub(crate) fn failed(&mut self, key: &str, now: Instant) -> u32 {
        let entry = self.failed.entry(key.to_owned()).or_insert((0, now));
        *entry = (entry.0.saturating_add(1), now);
        entry.0
    }

    /// Takes note of the right one.
    pub(crate) fn succeeded(&mut self, key: &str) {
        self.failed.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_wrong_passphrase_and_each_further_one_cost_twice_the_time_up_to_a_minute() {
        // K2
        let (mut attempts, mut now) = (Attempts::default(), Instant::now());
        let mut waits = Vec::new();
        for number in 1..=12 {
            assert_eq!(attempts.failed("genfic", now), number);
            waits.push(attempts.wait("genfic", now).as_secs());
            now += Duration::from_secs(100);
            assert_eq!(attempts.wait("genfic", now), Duration::ZERO, "it passes");
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(attempts.wait("genfic-user", now), Duration::ZERO, "another key is not held up");
        attempts.succeeded("genfic");
        assert_eq!(attempts.failed("genfic", now), 1);
        assert_eq!(attempts.wait("genfic", now), Duration::ZERO);
    }
}
