//! Whether the clock is trusted, and who says that it is right when it is far from what it was (X2).
use crate::index::NewestSigned;
use crate::x509::UnixTime;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// What is known of the time besides what the clock says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClockState {
    /// What the clock says.
    pub now: UnixTime,
    /// What was signed last.
    pub signed: Option<NewestSigned>,
    /// When the published status was last confirmed by a clock that was trusted.
    pub published: Option<UnixTime>,
    /// Seconds that the clock may be after the last confirmed time and still be trusted without being asked.
    pub trust: i64,
}

/// What a clock may be used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockStanding {
    /// Everything.
    Trusted,
    /// Nothing is signed: it stands before what was signed at this time.
    Behind(UnixTime),
    /// Signing, once a person says that it is right: it is long after this, the last confirmed time.
    Unconfirmed(UnixTime),
}

impl ClockState {
    /// The last confirmed time: when the newest thing was signed, or a later one that the status was published at.
    /// `None` in a home in which nothing was signed yet.
    #[must_use]
    pub fn confirmed(&self) -> Option<UnixTime> {
        self.signed.as_ref().and_then(|signed| Some(signed.at).max(self.published))
    }

    /// What the clock may be used for.
    #[must_use]
    pub fn standing(&self) -> ClockStanding {
        match (&self.signed, self.confirmed()) {
            (Some(signed), _) if self.now < signed.at => ClockStanding::Behind(signed.at),
            // one that was published later was published by another clock, and this one may be right
            (_, Some(confirmed)) if self.now > confirmed.plus(self.trust) => {
                ClockStanding::Unconfirmed(confirmed)
            }
            _ => ClockStanding::Trusted,
        }
    }
}

fn within(seconds: i64, one: UnixTime, other: UnixTime) -> bool {
    one.0.saturating_sub(other.0).saturating_abs() <= seconds
}

/// Who is asked whether a clock is right that is far from the last confirmed time.
type Witness = Box<dyn Fn(&ClockState) -> bool + Send + Sync>;

/// What a command may do with a clock that is far from the last confirmed time: a person is asked once, or nobody.
#[derive(Default)]
pub struct ClockWatch {
    witness: Option<Witness>,
    said: Mutex<Option<Said>>,
}

#[derive(Clone, Copy)]
pub(super) struct Said {
    pub(super) is_right: bool,
    /// What the clock said, and what the last confirmed time was until then.
    at: UnixTime,
    pub(super) confirmed: UnixTime,
}

impl ClockWatch {
    /// Nobody is there to be asked.
    #[must_use]
    pub fn unattended() -> Self {
        Self::default()
    }

    /// A person is asked, once, whether the clock is right.
    pub fn attended(witness: impl Fn(&ClockState) -> bool + Send + Sync + 'static) -> Self {
        Self { witness: Some(Box::new(witness)), said: Mutex::default() }
    }

    /// What was said of a clock like this one, if anybody was asked.
    pub(super) fn said(&self, state: &ClockState) -> Option<Said> {
        let said = *self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.filter(|said| within(state.trust, said.at, state.now))
    }

    pub(super) fn confirms(&self, state: &ClockState, confirmed: UnixTime) -> bool {
        if let Some(said) = self.said(state) {
            return said.is_right;
        }
        let Some(witness) = &self.witness else { return false };
        let is_right = witness(state);
        let said = Said { is_right, at: state.now, confirmed };
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        is_right
    }
}

impl fmt::Debug for ClockWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockWatch").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = UnixTime::DAY;
    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn state(now: i64, signed: Option<i64>, published: Option<i64>) -> ClockState {
        let signed = signed.map(|at| NewestSigned { at: NOW.plus(at), what: "CRL 1 of a".into() });
        ClockState {
            now: NOW.plus(now),
            signed,
            published: published.map(|at| NOW.plus(at)),
            trust: 30 * DAY,
        }
    }

    #[test]
    fn a_clock_is_trusted_for_a_while_after_the_newest_thing_that_confirms_it() {
        // X2
        use ClockStanding::{Behind, Trusted, Unconfirmed};
        for (now, signed, published, standing) in [
            (0, None, None, Trusted),
            (0, Some(0), None, Trusted),
            (-1, Some(0), None, Behind(NOW)),
            (-1, Some(0), Some(90 * DAY), Behind(NOW)),
            (30 * DAY, Some(0), None, Trusted),
            (30 * DAY + 1, Some(0), None, Unconfirmed(NOW)),
            (30 * DAY + 1, Some(0), Some(1), Trusted),
            (0, None, Some(-31 * DAY), Trusted),
            (0, Some(-90 * DAY), Some(30 * DAY), Trusted),
            (0, Some(-90 * DAY), Some(9000 * DAY), Trusted),
            (i64::MAX - NOW.0, Some(0), None, Unconfirmed(NOW)),
        ] {
            assert_eq!(state(now, signed, published).standing(), standing, "{now} {signed:?} {published:?}");
        }
    }

    #[test]
    fn a_person_is_asked_once_and_for_a_clock_like_the_one_that_was_shown() {
        // X2
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};
        for answer in [true, false] {
            let asked = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&asked);
            let watch = ClockWatch::attended(move |_| {
                counter.fetch_add(1, Ordering::SeqCst);
                answer
            });
            for days in [400, 401, 402] {
                assert_eq!(watch.confirms(&state(days * DAY, Some(0), None), NOW), answer);
            }
            assert_eq!(asked.load(Ordering::SeqCst), 1);
            watch.confirms(&state(9000 * DAY, Some(0), None), NOW);
            assert_eq!(asked.load(Ordering::SeqCst), 2, "it jumped meanwhile");
        }
        assert!(!ClockWatch::unattended().confirms(&state(400 * DAY, Some(0), None), NOW));
    }
}
