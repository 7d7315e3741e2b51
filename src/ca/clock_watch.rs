//! Whether the system clock is trusted, and who confirms a clock that is far from the last confirmed time
//! (X2).
use crate::index::NewestSigned;
use crate::x509::UnixTime;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The clock's time and what confirms it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClockState {
    /// Time of the system clock.
    pub now: UnixTime,
    /// The newest certificate or CRL that was signed.
    pub signed: Option<NewestSigned>,
    /// When the published status was last confirmed by a trusted clock.
    pub published: Option<UnixTime>,
    /// Seconds that the clock may be past the last confirmed time and still be trusted without a
    /// confirmation.
    pub trust: i64,
}

/// What a clock may be used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockStatus {
    /// Everything.
    Trusted,
    /// No signing: the clock is before this time, at which something was signed.
    Behind(UnixTime),
    /// Signing only after a person confirms the clock: it is long after this last confirmed time.
    Unconfirmed(UnixTime),
}

impl ClockState {
    /// Returns the last confirmed time: that of the newest signature, or of the published status when that is
    /// later. `None` in a home in which nothing has been signed.
    #[must_use]
    pub fn confirmed(&self) -> Option<UnixTime> {
        self.signed.as_ref().and_then(|signed| Some(signed.at).max(self.published))
    }

    /// Returns what the clock may be used for.
    #[must_use]
    pub fn status(&self) -> ClockStatus {
        match (&self.signed, self.confirmed()) {
            (Some(signed), _) if self.now < signed.at => ClockStatus::Behind(signed.at),
            // a later status came from another clock, and this one may be right
            (_, Some(confirmed)) if self.now > confirmed.plus(self.trust) => {
                ClockStatus::Unconfirmed(confirmed)
            }
            _ => ClockStatus::Trusted,
        }
    }
}

fn within(seconds: i64, one: UnixTime, other: UnixTime) -> bool {
    one.0.saturating_sub(other.0).saturating_abs() <= seconds
}

/// Asks somebody whether a clock that is far from the last confirmed time is right.
type Witness = Box<dyn Fn(&ClockState) -> bool + Send + Sync>;

/// Who confirms a clock that is far from the last confirmed time: a person, asked once, or nobody.
#[derive(Default)]
pub struct ClockWatch {
    witness: Option<Witness>,
    said: Mutex<Option<Said>>,
}

#[derive(Clone, Copy)]
pub(super) struct Said {
    pub(super) is_right: bool,
    /// The clock's time when the question was answered, and the last confirmed time before that.
    at: UnixTime,
    pub(super) confirmed: UnixTime,
}

impl ClockWatch {
    /// A watch without a person to ask: a doubtful clock stays unconfirmed.
    #[must_use]
    pub fn unattended() -> Self {
        Self::default()
    }

    /// A watch that asks a person, once, whether the clock is right.
    pub fn attended(witness: impl Fn(&ClockState) -> bool + Send + Sync + 'static) -> Self {
        Self { witness: Some(Box::new(witness)), said: Mutex::default() }
    }

    /// Returns the answer given for a clock within `trust` seconds of this one, if somebody was asked.
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
        use ClockStatus::{Behind, Trusted, Unconfirmed};
        for (now, signed, published, status) in [
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
            assert_eq!(state(now, signed, published).status(), status, "{now} {signed:?} {published:?}");
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
