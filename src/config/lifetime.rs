//! When something that is renewed regularly, a CRL or a responder certificate, is due and lapses.
//!
//! This is the one rule of `doctor`, `status`, the calendar, the timers and the daemon's readiness.
use super::Config;
use crate::x509::UnixTime;
use std::time::Duration;

/// Days before its end from which the next one of a CA kept offline is due: its key has to be fetched for it.
/// With 400 days a yearly ceremony has these five weeks of slack.
const CEREMONY_NOTICE: i64 = 35;

/// The times of a CRL or of a responder certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetime {
    /// thisUpdate, or notBefore.
    pub begins: UnixTime,
    /// The time from which the next one is made when the CA's key is open anyway.
    pub renewable: UnixTime,
    /// The time from which somebody has to see to the next one.
    pub due: UnixTime,
    /// nextUpdate, or notAfter.
    pub ends: UnixTime,
}

/// How far something is in its life.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// It is not valid yet.
    Future,
    /// It is valid, and nothing has to be done.
    Current,
    /// It is valid, and the next one is due.
    Due,
    /// It has ended.
    Lapsed,
}

impl Lifetime {
    /// Returns the times of what is renewable after this share of its life, and due then too unless the key that
    /// signs it is kept offline.
    fn new(begins: UnixTime, ends: UnixTime, share: f64, offline: bool) -> Self {
        let life = Duration::from_secs(u64::try_from(ends.0.saturating_sub(begins.0)).unwrap_or(0));
        let spent = Duration::try_from_secs_f64(life.as_secs_f64() * share).unwrap_or(life / 2);
        let renewable = begins.plus(i64::try_from(spent.as_secs()).unwrap_or(0));
        let due = if offline { renewable.max(ends.plus_days(-CEREMONY_NOTICE)) } else { renewable };
        Self { begins, renewable, due, ends }
    }

    /// Returns how far it is at this time.
    #[must_use]
    pub fn stage(&self, now: UnixTime) -> Stage {
        if now < self.begins {
            Stage::Future
        } else if now > self.ends {
            Stage::Lapsed
        } else if now >= self.due {
            Stage::Due
        } else {
            Stage::Current
        }
    }
}

impl Config {
    /// Returns the times of a CA's CRL with this thisUpdate and nextUpdate. `offline` is whether its key counts as kept
    /// offline where the configuration does not say. The CRL is renewable after the configured
    /// share of its life; that of a CA kept offline is due five weeks before it lapses, if that is later.
    #[must_use]
    pub fn crl_lifetime(
        &self,
        authority: &str,
        offline: bool,
        this_update: UnixTime,
        next_update: UnixTime,
    ) -> Lifetime {
        let offline = self.is_offline(authority, offline);
        Lifetime::new(this_update, next_update, self.crl.renew_at, offline)
    }

    /// Returns the times of a CA's responder certificate with this validity. It is renewable after half of its life;
    /// that of a CA kept offline is due five weeks before its end, if that is later.
    #[must_use]
    pub fn responder_lifetime(
        &self,
        authority: &str,
        offline: bool,
        not_before: UnixTime,
        not_after: UnixTime,
    ) -> Lifetime {
        Lifetime::new(not_before, not_after, 0.5, self.is_offline(authority, offline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: UnixTime = UnixTime(1_000_000_000);

    fn crl(toml: &str, is_root: bool, days: i64) -> Lifetime {
        Config::parse(toml).unwrap().crl_lifetime("a", is_root, BEGIN, BEGIN.plus_days(days))
    }

    #[test]
    fn the_next_crl_is_due_after_the_configured_share_of_its_life() {
        // C8
        assert_eq!(crl("", false, 7).due, BEGIN.plus(7 * UnixTime::DAY / 2));
        assert_eq!(crl("[crl]\nrenew_at = 0.25\n", false, 4).due, BEGIN.plus_days(1));
        assert_eq!(crl("[authority.a]\noffline = true\n", false, 400).due, BEGIN.plus_days(365));
    }

    #[test]
    fn a_ca_kept_offline_is_asked_for_its_next_crl_five_weeks_ahead_and_makes_it_earlier_when_its_key_is_open()
     {
        // C8
        let yearly = crl("", true, 400);
        assert_eq!((yearly.renewable, yearly.due), (BEGIN.plus_days(200), BEGIN.plus_days(365)));
        let short = crl("", true, 30);
        assert_eq!(short.due, BEGIN.plus_days(15), "one that lasts weeks is due at half its life");
        let responder = Config::default().responder_lifetime("a", true, BEGIN, BEGIN.plus_days(400));
        assert_eq!(responder.due, yearly.due);
    }

    #[test]
    fn what_is_due_is_valid_until_its_last_second() {
        let yearly = crl("", true, 400);
        for (at, stage) in [
            (BEGIN.plus(-1), Stage::Future),
            (BEGIN, Stage::Current),
            (yearly.due.plus(-1), Stage::Current),
            (yearly.due, Stage::Due),
            (yearly.ends, Stage::Due),
            (yearly.ends.plus(1), Stage::Lapsed),
        ] {
            assert_eq!(yearly.stage(at), stage, "{at}");
        }
    }
}
