//! The limit of open files: each connection takes a file descriptor, and so does reading new status.
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Number of descriptors that are kept for other uses than connections: listeners, the published status, files while
/// they are read.
const OTHERS: u64 = 128;

/// Raises the limit of open files as far as `connections` need and the system allows. Returns for how many
/// connections it suffices. With more connections new status could not be opened: a client that holds them all would
/// keep revocations from all other clients.
#[must_use]
pub(super) fn make_room(connections: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return connections;
    }
    let raised = wanted.min(limit.maximum.unwrap_or(u64::MAX)).max(current);
    let allowed = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..limit }) {
        Ok(()) => raised,
        Err(_) => current,
    };
    let fits = fitting(allowed, connections);
    if fits < connections {
        tracing::warn!(allowed, "open files are limited: {fits} connections at once, not {connections}");
    }
    fits
}

/// Returns how many of `connections` fit into this number of descriptors.
fn fitting(descriptors: u64, connections: usize) -> usize {
    let room = descriptors.saturating_sub(OTHERS).max(descriptors / 4).max(1);
    usize::try_from(room).unwrap_or(usize::MAX).min(connections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_room_for_something_else_than_connections() {
        assert_eq!(fitting(1024, 1024), 896);
        assert_eq!(fitting(1_000_000, 1024), 1024);
        assert_eq!(fitting(128, 1024), 32);
        assert_eq!(fitting(0, 1024), 1);
    }
}
