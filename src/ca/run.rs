//! The steps around every command, whatever program runs it: disk space, recovery from commands that were cut
//! short, and the audit record of refusals (G15).
use super::{CommandPurpose, Engine, Recovered, Refusal};
use crate::audit::{AuditEvent, Outcome};
use crate::error::{Code, Problem, Remedy};

/// A command, as the audit record of its refusal names it.
#[derive(Clone, Copy, Debug)]
pub struct Task<'t> {
    /// Name of the command.
    pub command: &'t str,
    /// Object of the command.
    pub object: &'t str,
    /// Purpose of the command.
    pub purpose: CommandPurpose,
    /// The caller's words for the command that shows the record.
    pub shows_record: &'t str,
}

/// The state in which a command begins.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Results of the recovery.
    pub recovered: Recovered,
    /// Sequence number of the last audit event.
    pub sequence: u64,
}

/// The result of a command.
pub trait Conclusion {
    /// Returns the part that was refused or failed although the rest was done. Findings of a check are not
    /// refusals.
    fn refusal(&self) -> Option<&Problem>;
}

impl Engine {
    /// Recovers from commands that were cut short, before anything else is done.
    ///
    /// # Errors
    /// As [`super::Maintenance::recover`].
    pub fn begin(&self) -> Result<Begun, Problem> {
        let mut recovered = self.maintenance().recover()?;
        self.lifecycle().complete_key_moves(&self.index().summaries()?, &mut recovered);
        Ok(Begun { recovered, sequence: self.index().audit_head()?.sequence })
    }

    /// Runs a command: makes sure of disk space, recovers from commands that were cut short, and records a
    /// refusal before it is reported (G15). When the command was interrupted at a prompt, the problem says
    /// whether anything had been recorded.
    ///
    /// # Errors
    /// The command's own; or why it could not begin, which is not recorded.
    pub fn run<T: Conclusion>(
        &self,
        task: &Task<'_>,
        act: impl FnOnce(&Begun) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let _room = self.find_reserve(task.purpose)?;
        self.begin_act(task.command);
        let begun = self.begin()?;
        let outcome = act(&begun).map_err(|problem| self.state_so_far(task, &begun, problem));
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

    /// Adds, to the problem of a command interrupted at a prompt, whether anything had been recorded.
    fn state_so_far(&self, task: &Task<'_>, begun: &Begun, problem: Problem) -> Problem {
        if problem.code != Code::KeyInterrupted {
            return problem;
        }
        let has_begun = self.index().audit_head().is_ok_and(|head| head.sequence > begun.sequence);
        let still_current = match has_begun {
            true => format!("what was on record before that stands: {}", task.shows_record),
            false => "nothing was done".to_owned(),
        };
        Problem { message: format!("{}; {still_current}", problem.message), ..problem }
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

    /// Records the refused parts of one command (G15), in one transaction since there may be many.
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
