//! The time used for signing, publishing and revoking (X2).
use super::{ClockState, ClockStatus, ClockWatch, Engine};
use crate::clock::Clock;
use crate::error::{Code, Problem, remedy};
use crate::index::{Index, IndexError, NewestSigned};
use crate::status::{SignedCrls, StatusError, StatusPublisher};
use crate::x509::UnixTime;

/// Number of repeated attempts after another process recorded something between reading the clock and writing
/// to the index; a hundred of them in a row need more processes than any home has.
const OVERTAKEN: usize = 100;

/// The clock, and the times that it is compared with.
#[derive(Clone, Copy)]
pub(super) struct Timekeeper<'a> {
    index: &'a dyn Index,
    status: &'a dyn StatusPublisher,
    signed: SignedCrls<'a>,
    clock: &'a dyn Clock,
    watch: &'a ClockWatch,
    trust: i64,
}

impl Timekeeper<'_> {
    fn state(&self, now: UnixTime) -> Result<ClockState, StatusError> {
        let (signed, published) = (self.index.newest_signed()?, self.status.confirmed()?);
        Ok(ClockState { now, signed, published, trust: self.trust })
    }

    /// Returns the last confirmed time when the clock is not trusted. Nobody is asked.
    fn doubted(&self, state: &ClockState) -> Option<UnixTime> {
        match state.status() {
            ClockStatus::Trusted => None,
            ClockStatus::Behind(_) => state.confirmed(),
            ClockStatus::Unconfirmed(confirmed) => {
                let is_right = self.watch.said(state).is_some_and(|said| said.is_right);
                (!is_right).then_some(confirmed)
            }
        }
    }

    /// Publishes the status. Its time moves on only with a trusted clock: a wrong clock would confirm itself,
    /// and responders would accept their old status for as long as it is ahead.
    pub(super) fn publish_status(&self) -> Result<(), StatusError> {
        self.status.publish_status(self.index, self.signed, self.time_to_publish()?)
    }

    pub(super) fn time_to_publish(&self) -> Result<UnixTime, StatusError> {
        let state = self.state(self.clock.now())?;
        Ok(self.doubted(&state).unwrap_or(state.now))
    }

    pub(super) fn check(&self, now: UnixTime) -> Result<(), Problem> {
        let state = self.state(now)?;
        match state.status() {
            ClockStatus::Unconfirmed(confirmed) if !self.watch.confirms(&state, confirmed) => {
                Err(unconfirmed(&state, confirmed))
            }
            // whether the clock is behind is decided when the signature's intent is recorded
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
        let trust = self.settings().config.clock.trust;
        let (index, status, signed) = (self.index(), self.status(), self.signed());
        Timekeeper { index, status, signed, clock: self.clock(), watch: self.watch(), trust }
    }

    /// Returns the clock's time and the times that it is compared with.
    ///
    /// # Errors
    /// When the index or the published status cannot be read.
    pub fn clock_state(&self) -> Result<ClockState, Problem> {
        Ok(self.timekeeper().state(self.now())?)
    }

    /// Returns the time for a signature: not before the newest signature, and not long after the last
    /// confirmed time, unless a person, who is asked once, confirms the clock.
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

    /// Returns the time for a revocation: the clock's, or the last confirmed time when the clock is far ahead
    /// and nobody confirms it. A time that is too early distrusts more, not less, and what has not expired
    /// can still be revoked.
    ///
    /// # Errors
    /// As [`Engine::clock_state`].
    pub fn time_to_distrust(&self) -> Result<UnixTime, Problem> {
        let timekeeper = self.timekeeper();
        let state = timekeeper.state(self.now())?;
        if let ClockStatus::Unconfirmed(confirmed) = state.status() {
            timekeeper.watch.confirms(&state, confirmed);
        }
        Ok(timekeeper.doubted(&state).map_or(state.now, |confirmed| state.now.min(confirmed)))
    }

    /// Returns the last time confirmed before this command; when nothing has been signed yet, the time at
    /// which the home was made.
    pub(super) fn confirmed_time(&self) -> Result<UnixTime, StatusError> {
        let state = self.timekeeper().state(self.now())?;
        let before = self.watch().said(&state).map(|said| said.confirmed);
        Ok(before.or(state.confirmed()).or(state.published).unwrap_or(state.now))
    }

    /// Records something at the clock's time. When another process has recorded something later in the
    /// meantime, the clock has moved on too, and the record is repeated with the new time.
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
