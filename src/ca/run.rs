//! What is done around every command, whoever gives it: room on the disk, what commands that were cut short left behind,
//! and the record of what was refused (G15).
use super::{Engine, Purpose, Recovered, Refusal};
use crate::audit::{AuditEvent, Outcome};
use crate::error::{Code, Problem, Remedy};

/// A command, as the record of its refusal names it.
#[derive(Clone, Copy, Debug)]
pub struct Task<'t> {
    /// Its name.
    pub command: &'t str,
    /// What it is about.
    pub object: &'t str,
    /// What it is for.
    pub purpose: Purpose,
    /// What shows the record, in the words of who runs it.
    pub shows_record: &'t str,
}

/// What a command finds when it begins.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What was put right first.
    pub recovered: Recovered,
    /// The sequence number of the last event on record.
    pub sequence: u64,
}

/// What a command came to.
pub trait Conclusion {
    /// What of it was refused or failed, although the rest was done; what was merely found is no refusal.
    fn refusal(&self) -> Option<&Problem>;
}

impl Engine {
    /// Puts right what commands that were cut short left behind, before anything else is done.
    ///
    /// # Errors
    /// As [`super::Maintenance::recover`].
    pub fn begin(&self) -> Result<Begun, Problem> {
        let recovered = self.maintenance().recover()?;
        Ok(Begun { recovered, sequence: self.index().audit_head()?.sequence })
    }

    /// Runs a command: sees that there is room for it, puts right what others left behind, and records what it refuses
    /// before that is said (G15). Of one that was interrupted at a question it is said whether it had begun.
    ///
    /// # Errors
    /// What the command fails with; or why it could not begin, which is not recorded.
    pub fn run<T: Conclusion>(
        &self,
        task: &Task<'_>,
        act: impl FnOnce(&Begun) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let _room = self.find_room(task.purpose)?;
        let begun = self.begin()?;
        let outcome = act(&begun).map_err(|problem| self.what_stands(task, &begun, problem));
        let refusal = match &outcome {
            Err(problem) => Some(problem),
            Ok(conclusion) => conclusion.refusal(),
        };
        if let Some(problem) = refusal
            && let Err(unrecorded) = self.record_refusal(task.command, task.object, problem)
        {
            let unrecorded = format!("and this could not be recorded: {unrecorded}");
            return Err(Problem {
                hint: Remedy::Several(vec![problem.hint.clone(), unrecorded.into()]),
                ..problem.clone()
            });
        }
        outcome
    }

    /// Says of a command that was interrupted at a question whether it had begun.
    fn what_stands(&self, task: &Task<'_>, begun: &Begun, problem: Problem) -> Problem {
        if problem.code != Code::KeyInterrupted {
            return problem;
        }
        let has_begun = self.index().audit_head().is_ok_and(|head| head.sequence > begun.sequence);
        let stands = match has_begun {
            true => format!("what was on record before that stands: {}", task.shows_record),
            false => "nothing was done".to_owned(),
        };
        Problem { message: format!("{}; {stands}", problem.message), ..problem }
    }

    /// Records that a command was refused or failed (G15).
    pub(super) fn record_refusal(
        &self,
        command: &str,
        object: &str,
        problem: &Problem,
    ) -> Result<(), Problem> {
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
