//! Turns of processes that look whether something is there, and make it when it is not.
use super::Home;
use super::aside::Writing;
use crate::error::{Code, Problem, Shown as _};
use std::io::ErrorKind;
use std::time::Duration;

/// The turn of one process. It ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held, not read")] Writing);

impl Home {
    /// Waits until no other process has its turn in this home. Only processes that take turns wait for each other.
    ///
    /// # Errors
    /// `ensure.busy` (exit 3) when another process has its turn for longer than `wait`; or when the home cannot be
    /// locked.
    pub fn turn(&self, wait: Duration) -> Result<Turn, Problem> {
        // nothing is written directly into this directory, so nobody else locks it
        let place = self.issued_root();
        Writing::alone(&place, wait).map(Turn).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => {
                Problem::new(Code::EnsureBusy, "another command is making what is to be there")
                    .hint("wait for it to end, then try again")
            }
            _ => Problem::new(Code::FileNotRead, format!("{} {error}", place.shown())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn one_process_at_a_time_has_its_turn() {
        // G22
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let turn = home.turn(Duration::ZERO).unwrap();
        let waits = home.turn(Duration::from_millis(20)).unwrap_err();
        assert_eq!((waits.code, waits.exit), (Code::EnsureBusy, Exit::Busy));
        drop(turn);
        home.turn(Duration::ZERO).unwrap();
    }
}
