//! Space on the disk that is kept for revoking, and what a command needs of it.
use crate::error::Problem;

/// What a command is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// It issues: it leaves what is kept for revoking alone, and is refused while it is not there.
    Issue,
    /// It tells others what is not to be trusted any more, and may use what is kept for that.
    Distrust,
    /// It looks.
    Look,
}

/// Room on the disk for one command; what was not needed is kept again when this is dropped.
pub(crate) type Room = Box<dyn Send + Sync>;

/// Space on the disk that is kept for revoking.
pub(crate) trait DiskReserve: Send + Sync {
    /// Sees that there is room for a command.
    ///
    /// # Errors
    /// `disk.full` when it issues and there is none.
    fn find(&self, purpose: Purpose) -> Result<Room, Problem>;
}
