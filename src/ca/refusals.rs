//! What was refused, on record (G15).
use super::{Engine, Refusal};
use crate::audit::{AuditEvent, Outcome};
use crate::error::Problem;

impl Engine {
    /// Records that a command was refused or failed (G15).
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn record_refusal(&self, command: &str, object: &str, problem: &Problem) -> Result<(), Problem> {
        Ok(self.index().record_event(self.refusal(command, object, problem))?)
    }

    /// Records what of one command was refused (G15): together, since there may be many.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn record_refusals(&self, command: &str, refused: &[Refusal]) -> Result<(), Problem> {
        let events = refused.iter().map(|refusal| self.refusal(command, &refusal.label, &refusal.problem));
        Ok(self.index().record_events(events.collect())?)
    }

    fn refusal(&self, command: &str, object: &str, problem: &Problem) -> AuditEvent {
        let mut event = self.event(self.now(), command, object);
        event.outcome = Outcome::Refused(problem.code.code().into());
        event.details.push(("message".into(), problem.message.clone()));
        event
    }
}
