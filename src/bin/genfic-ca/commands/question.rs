//! Confirmations.
use crate::cli::Global;
use genfic_ca::ca::{ClockState, ClockWatch};
use genfic_ca::problem::{Exit, Problem};
use std::io::{BufRead, IsTerminal, Write};

/// Asks before something that cannot be taken back; `--yes` answers.
pub(crate) fn confirm(global: &Global, question: &str) -> Result<(), Problem> {
    if global.yes {
        return Ok(());
    }
    if !is_attended(global) {
        return Err(Problem::new(Exit::InputNeeded, "input.confirmation", question.to_owned())
            .hint("add --yes to answer yes"));
    }
    if ask(question) {
        Ok(())
    } else {
        Err(Problem::new(Exit::InputNeeded, "input.declined", "not confirmed; nothing was done"))
    }
}

/// Whether there is a person who may be asked.
fn is_attended(global: &Global) -> bool {
    !global.no_input && !global.json && std::io::stdin().is_terminal()
}

fn ask(question: &str) -> bool {
    let mut error = std::io::stderr().lock();
    let _ = write!(error, "{question} [y/N] ");
    let _ = error.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Who is asked about a clock that is far from the last confirmed time. `--yes` does not answer that: what runs
/// with it everywhere would sign with any clock. `genfic-ca clock accept` is for those who mean it.
pub(crate) fn clock_watch(global: &Global) -> ClockWatch {
    if !is_attended(global) {
        return ClockWatch::unattended();
    }
    ClockWatch::attended(|state: &ClockState| {
        let confirmed = state.confirmed().map_or_else(|| "never".to_owned(), |at| at.to_string());
        ask(&format!("Is it really {}? The last confirmed time is {confirmed}.", state.now))
    })
}
