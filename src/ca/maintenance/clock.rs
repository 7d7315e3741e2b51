//! Checking the system clock, and accepting it by a person's decision.
use super::Maintenance;
use crate::ca::{ClockState, ClockStatus};
use crate::error::Problem;
use crate::index::IndexError;

impl Maintenance<'_> {
    /// Checks that the clock is trusted as far as it is not behind, before due dates are compared with it.
    ///
    /// # Errors
    /// `clock.unconfirmed` (exit 13).
    pub fn confirm_clock(&self) -> Result<(), Problem> {
        self.engine.timekeeper().check(self.engine.now())
    }

    /// Records the clock's time as the last confirmed time, whether later or earlier than the one before.
    ///
    /// # Errors
    /// `clock.behind` (exit 13) when the clock is before the newest signature; when the time cannot be
    /// recorded or the status not published.
    pub fn accept_clock(&self) -> Result<ClockState, Problem> {
        let state = self.engine.clock_state()?;
        if let ClockStatus::Behind(newest) = state.status() {
            return Err(IndexError::ClockBehind { now: state.now, newest }.into());
        }
        let mut event = self.engine.event(state.now, "clock.accepted", "home");
        if let Some(confirmed) = state.confirmed() {
            event.details.push(("confirmed".into(), confirmed.to_string()));
        }
        self.engine.index().record_event(event)?;
        self.engine.status().publish_status(self.engine.index(), self.engine.signed(), state.now)?;
        Ok(state)
    }
}
