//! The time at which something is signed, and whether the clock is trusted with it (X2).
use super::Engine;
use crate::clock::Clock;
use crate::error::{Code, Problem, remedy};
use crate::index::{Index, IndexError, NewestSigned};
use crate::repository::Publisher;
use crate::status::{StatusError, StatusPublisher};
use crate::x509::UnixTime;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How often another process may record something between our look at the clock and our turn at the index.
const OVERTAKEN: usize = 100;

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
struct Said {
    is_right: bool,
    /// What the clock said, and what the last confirmed time was until then.
    at: UnixTime,
    confirmed: UnixTime,
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
    fn said(&self, state: &ClockState) -> Option<Said> {
        let said = *self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.filter(|said| within(state.trust, said.at, state.now))
    }

    fn confirms(&self, state: &ClockState, confirmed: UnixTime) -> bool {
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

/// A clock, and what it is held against.
#[derive(Clone, Copy)]
pub(super) struct Timekeeper<'a> {
    index: &'a dyn Index,
    status: &'a dyn StatusPublisher,
    publisher: &'a dyn Publisher,
    clock: &'a dyn Clock,
    watch: &'a ClockWatch,
    trust: i64,
}

impl Timekeeper<'_> {
    fn state(&self, now: UnixTime) -> Result<ClockState, StatusError> {
        let (signed, published) = (self.index.newest_signed()?, self.status.confirmed()?);
        Ok(ClockState { now, signed, published, trust: self.trust })
    }

    /// The last confirmed time, when the clock is not trusted; nobody is asked.
    fn doubted(&self, state: &ClockState) -> Option<UnixTime> {
        match state.standing() {
            ClockStanding::Trusted => None,
            ClockStanding::Behind(_) => state.confirmed(),
            ClockStanding::Unconfirmed(confirmed) => {
                let is_right = self.watch.said(state).is_some_and(|said| said.is_right);
                (!is_right).then_some(confirmed)
            }
        }
    }

    /// Publishes what the index says. Its time moves on only with a clock that is trusted: a wrong one would
    /// confirm itself, and responders would go on with what they have for as long as it is ahead.
    pub(super) fn publish_status(&self) -> Result<(), StatusError> {
        self.status.publish_status(self.index, self.publisher, self.time_to_publish()?)
    }

    pub(super) fn time_to_publish(&self) -> Result<UnixTime, StatusError> {
        let state = self.state(self.clock.now())?;
        Ok(self.doubted(&state).unwrap_or(state.now))
    }

    pub(super) fn check(&self, now: UnixTime) -> Result<(), Problem> {
        let state = self.state(now)?;
        match state.standing() {
            ClockStanding::Unconfirmed(confirmed) if !self.watch.confirms(&state, confirmed) => {
                Err(unconfirmed(&state, confirmed))
            }
            // whether it is behind is decided where it is recorded what is signed
            _ => Ok(()),
        }
    }
}

fn unconfirmed(state: &ClockState, confirmed: UnixTime) -> Problem {
    let days = state.now.0.saturating_sub(confirmed.0) / UnixTime::DAY;
    let message = format!(
        "the clock says {}, {days} days after the last confirmed time, {confirmed}: nothing is signed unattended with it",
        state.now
    );
    Problem::new(Code::ClockUnconfirmed, message).hint(remedy::Home::ConfirmClock)
}

impl Engine {
    pub(super) fn timekeeper(&self) -> Timekeeper<'_> {
        let trust = self.practices().config.clock.trust;
        let (index, status, publisher) = (self.index(), self.status(), self.publisher());
        Timekeeper { index, status, publisher, clock: self.clock(), watch: self.watch(), trust }
    }

    /// What the clock says, and what it is held against.
    ///
    /// # Errors
    /// When index or published status cannot be looked at.
    pub fn clock_state(&self) -> Result<ClockState, Problem> {
        Ok(self.timekeeper().state(self.now())?)
    }

    /// The time, when it may be signed at: not before what was signed last, and not long after the last
    /// confirmed time unless a person, who is asked once, says that it is right.
    ///
    /// # Errors
    /// Exit status 13: `clock.behind`, `clock.unconfirmed`.
    pub(in crate::ca) fn signing_time(&self) -> Result<UnixTime, Problem> {
        self.in_time(|now| match self.index().newest_signed()? {
            Some(NewestSigned { at: newest, .. }) if now < newest => {
                Err(IndexError::ClockBehind { now, newest })
            }
            _ => Ok(now),
        })
    }

    /// The time to go by when something is distrusted: with a clock that is far ahead, and that nobody says is
    /// right, the last confirmed one. A time that is too early distrusts more, not less, and what has not ended
    /// can still be revoked.
    ///
    /// # Errors
    /// As [`Engine::clock_state`].
    pub fn time_to_distrust(&self) -> Result<UnixTime, Problem> {
        let timekeeper = self.timekeeper();
        let state = timekeeper.state(self.now())?;
        if let ClockStanding::Unconfirmed(confirmed) = state.standing() {
            timekeeper.watch.confirms(&state, confirmed);
        }
        Ok(timekeeper.doubted(&state).map_or(state.now, |confirmed| state.now.min(confirmed)))
    }

    /// The last time that was confirmed before this command; where nothing was signed yet, when the home was made.
    pub(super) fn confirmed_time(&self) -> Result<UnixTime, StatusError> {
        let state = self.timekeeper().state(self.now())?;
        let before = self.watch().said(&state).map(|said| said.confirmed);
        Ok(before.or(state.confirmed()).or(state.published).unwrap_or(state.now))
    }

    /// Records something at the time of the clock. Where another process recorded something later while this
    /// one waited for its turn, the clock has moved on too, and it is done again with its new time.
    pub(super) fn in_time<T>(
        &self,
        mut record: impl FnMut(UnixTime) -> Result<T, IndexError>,
    ) -> Result<T, Problem> {
        let timekeeper = self.timekeeper();
        let mut attempt = || {
            let now = self.now();
            timekeeper.check(now).map(|()| record(now))
        };
        let mut outcome = attempt()?;
        for _ in 0..OVERTAKEN {
            match &outcome {
                Err(IndexError::ClockBehind { newest, .. }) if self.now() >= *newest => {
                    outcome = attempt()?;
                }
                _ => break,
            }
        }
        Ok(outcome?)
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
