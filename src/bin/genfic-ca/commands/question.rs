//! Questions for confirmation.
use crate::cli::Global;
use crate::progress;
use crate::terminal::{self, Typed};
use genfic_ca::ca::{ClockState, ClockWatch};
use genfic_ca::error::{Code, Problem};
use genfic_ca::x509::UnixTime;
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
    match typed(question, "[y/N]")? {
        Typed::Line(answer) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        Typed::Line(_) | Typed::NotText | Typed::Nothing => Err(declined()),
        Typed::Interrupted => Err(interrupted()),
    }
}

/// Asks for the name of a CA before something that nobody does by mistake. `--confirm NAME` confirms it, `--yes` does not.
pub(crate) fn confirm_by_name(
    global: &Global,
    question: &str,
    name: &str,
    given: Option<&str>,
) -> Result<(), Problem> {
    if let Some(given) = given {
        return match given == name {
            true => Ok(()),
            false => Err(Problem::new(
                Code::InputDeclined,
                format!("--confirm {given} is not the name {name}; nothing was done"),
            )
            .hint(format!("if {name} is meant, give --confirm {name}"))),
        };
    }
    if !is_attended(global) {
        return Err(Problem::new(Code::InputConfirmation, question.to_owned())
            .hint(format!("add --confirm {name}; --yes does not confirm this")));
    }
    match typed(question, "[name]")? {
        Typed::Line(answer) if answer.trim() == name => Ok(()),
        Typed::Line(_) | Typed::NotText | Typed::Nothing => Err(declined()),
        Typed::Interrupted => Err(interrupted()),
    }
}

fn declined() -> Problem {
    Problem::new(Code::InputDeclined, "not confirmed; nothing was done")
}

fn interrupted() -> Problem {
    Problem::new(Code::InputInterrupted, "interrupted; nothing was done")
}

/// Shows what a question is about, and reads the answer to its last line.
fn typed(question: &str, choices: &str) -> Result<Typed, Problem> {
    let (details, line) = question.rsplit_once('\n').unwrap_or(("", question));
    let typed = progress::aside(|| {
        if !details.is_empty() {
            let _ = writeln!(stderr(), "{details}");
        }
        terminal::ask(&format!("{line} {choices} "), true)
    });
    typed.map_err(|error| {
        Problem::new(Code::InputConfirmation, format!("{question}: {error}")).hint("add --yes to answer yes")
    })
}

/// What a person chose of several certificates.
pub(crate) enum Choice {
    All,
    Newest,
}

/// Asks which of several are meant. Returns `None` where nobody can be asked, or `--yes` answers without being able to
/// choose.
pub(crate) fn choose(global: &Global, question: &str, has_newest: bool) -> Result<Option<Choice>, Problem> {
    if global.yes || !is_attended(global) {
        return Ok(None);
    }
    let choices = if has_newest { "[all/newest/NONE]" } else { "[all/NONE]" };
    let typed = typed(question, choices)?;
    match typed {
        Typed::Line(answer) if matches!(answer.trim(), "a" | "all") => Ok(Some(Choice::All)),
        Typed::Line(answer) if has_newest && answer.trim() == "newest" => Ok(Some(Choice::Newest)),
        Typed::Line(_) | Typed::NotText | Typed::Nothing => Err(declined()),
        Typed::Interrupted => Err(interrupted()),
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

/// Asks people for the date of a ceremony. What is proposed is what the clock says, when that can be.
pub(crate) fn date_typed(
    global: &Global,
    (first, last): &(UnixTime, UnixTime),
    proposal: Option<UnixTime>,
) -> Result<String, Problem> {
    let question = format!("The date is between {first} and {last}. What date is it, by a calendar?");
    if !is_attended(global) {
        return Err(Problem::new(Code::InputConfirmation, "the date of the ceremony is needed").hint(
            "add --date with the date that a calendar says; a clock that lay in a safe is not believed",
        ));
    }
    let choices =
        proposal.map_or_else(|| "[2030-01-31]".to_owned(), |clock| format!("[the clock says {clock}]"));
    match typed(&question, &choices)? {
        Typed::Line(answer) if answer.trim().is_empty() => Err(declined()),
        Typed::Line(answer) => Ok(answer.trim().to_owned()),
        Typed::NotText | Typed::Nothing => Err(declined()),
        Typed::Interrupted => Err(interrupted()),
    }
}
