//! Questions for confirmation.
use crate::cli::Global;
use crate::terminal::{self, Typed};
use genfic_ca::ca::{ClockState, ClockWatch};
use genfic_ca::error::{Code, Problem};
use std::io::{Write, stderr};

/// Whether a person can be asked.
fn is_attended(global: &Global) -> bool {
    !global.no_input && !global.json && terminal::is_attended()
}

/// Asks for confirmation of something irreversible. `--yes` confirms it. Where nobody can be asked, it is refused.
pub(crate) fn confirm(global: &Global, question: &str) -> Result<(), Problem> {
    if global.yes {
        return Ok(());
    }
    if !is_attended(global) {
        return Err(
            Problem::new(Code::InputConfirmation, question.to_owned()).hint("add --yes to answer yes")
        );
    }
    ask(question)
}

/// Asks for confirmation of something that scripts do without asking: a person is asked, and without one it is done.
pub(crate) fn confirm_attended(
    global: &Global,
    question: impl FnOnce() -> Result<String, Problem>,
) -> Result<(), Problem> {
    if global.yes || !is_attended(global) { Ok(()) } else { ask(&question()?) }
}

fn ask(question: &str) -> Result<(), Problem> {
    let (details, line) = question.rsplit_once('\n').unwrap_or(("", question));
    if !details.is_empty() {
        let _ = writeln!(stderr(), "{details}");
    }
    let typed = terminal::ask(&format!("{line} [y/N] "), true).map_err(|error| {
        Problem::new(Code::InputConfirmation, format!("{question}: {error}")).hint("add --yes to answer yes")
    })?;
    match typed {
        Typed::Line(answer) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        Typed::Line(_) | Typed::Nothing => {
            Err(Problem::new(Code::InputDeclined, "not confirmed; nothing was done"))
        }
        Typed::Interrupted => Err(Problem::new(Code::InputInterrupted, "interrupted; nothing was done")),
    }
}

/// Returns who is asked about a clock that is far from the last confirmed time. `--yes` does not confirm that:
/// scripts that always pass it would sign with any clock. `genfic-ca clock accept` is the deliberate way.
pub(crate) fn clock_watch(global: &Global) -> ClockWatch {
    if !is_attended(global) {
        return ClockWatch::unattended();
    }
    ClockWatch::attended(|state: &ClockState| {
        let confirmed = state.confirmed().map_or_else(|| "never".to_owned(), |at| at.to_string());
        ask(&format!("Is it really {}? The last confirmed time is {confirmed}.", state.now)).is_ok()
    })
}
