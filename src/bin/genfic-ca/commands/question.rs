//! Confirmations.
use crate::cli::Global;
use genfic_ca::problem::{Exit, Problem};
use std::io::{BufRead, IsTerminal, Write};

/// Asks before something that cannot be taken back; `--yes` answers.
pub(crate) fn confirm(global: &Global, question: &str) -> Result<(), Problem> {
    if global.yes {
        return Ok(());
    }
    if global.no_input || global.json || !std::io::stdin().is_terminal() {
        return Err(Problem::new(Exit::InputNeeded, "input.confirmation", question.to_owned())
            .hint("add --yes to answer yes"));
    }
    let mut error = std::io::stderr().lock();
    let _ = write!(error, "{question} [y/N] ");
    let _ = error.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Problem::new(Exit::InputNeeded, "input.declined", "not confirmed; nothing was done"))
    }
}
