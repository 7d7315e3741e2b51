//! More connections to the process of a module, so that several signatures are made at once.
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

/// The connections to one process, which are idle.
pub(super) struct Lanes {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the process.
    of: u64,
    /// Those that are in use, or about to be made, included.
    count: usize,
    idle: Vec<UnixStream>,
}

/// What a signature goes through.
pub(super) enum Lane {
    /// This connection.
    Free(UnixStream),
    /// One that is to be made.
    New,
    /// The first connection, as there are no more.
    First,
}

impl Lanes {
    /// Returns no connections yet, and later at most so many; with none the signer does not have to make sockets.
    pub(super) fn up_to(most: usize) -> Self {
        Self { most, state: Mutex::default() }
    }

    /// Returns a connection to the process with this number.
    pub(super) fn take(&self, of: u64) -> Lane {
        if self.most == 0 {
            return Lane::First;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.of < of {
            *state = State { of, ..State::default() };
        }
        if state.of != of {
            // of a process that has ended, as the first connection tells
            return Lane::First;
        }
        match state.idle.pop() {
            Some(idle) => Lane::Free(idle),
            None if state.count < self.most => {
                state.count = state.count.saturating_add(1);
                Lane::New
            }
            None => Lane::First,
        }
    }

    /// Takes a connection back; none where it failed.
    pub(super) fn give(&self, of: u64, connection: Option<UnixStream>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.of != of {
            return;
        }
        match connection {
            Some(connection) => state.idle.push(connection),
            None => state.count = state.count.saturating_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_connections_and_none_of_a_process_that_ended() {
        let lanes = Lanes::up_to(2);
        let connection = || UnixStream::pair().unwrap().0;
        assert!(matches!(lanes.take(1), Lane::New));
        assert!(matches!(lanes.take(1), Lane::New));
        assert!(matches!(lanes.take(1), Lane::First), "two are in use");
        lanes.give(1, Some(connection()));
        assert!(matches!(lanes.take(1), Lane::Free(_)));
        lanes.give(1, None);
        assert!(matches!(lanes.take(1), Lane::New), "one that failed makes room");
        lanes.give(1, Some(connection()));
        assert!(matches!(lanes.take(2), Lane::New), "the idle one is of another process");
        lanes.give(1, Some(connection()));
        assert!(matches!(lanes.take(2), Lane::New));
        assert!(matches!(lanes.take(1), Lane::First), "its process has ended");
        lanes.give(2, Some(connection()));
        assert!(matches!(lanes.take(2), Lane::Free(_)), "those of the present one stay");
        assert!(matches!(Lanes::up_to(0).take(0), Lane::First));
    }
}
