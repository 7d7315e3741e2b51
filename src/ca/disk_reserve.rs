//! The disk space that is reserved for revocation, and how much of it a command may use.
use crate::error::Problem;

/// What a command is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommandPurpose {
    /// Issues certificates: leaves the reserve untouched, and is refused while the reserve is missing.
    Issue,
    /// Publishes revocations, and may use the reserve for them.
    Distrust,
    /// Only reads.
    Look,
}

/// Disk space for one command. Dropping it restores the reserve as far as space was left over.
pub(crate) type HeldReserve = Box<dyn Send + Sync>;

/// The disk space that is reserved for revocation.
pub(crate) trait DiskReserve: Send + Sync {
    /// Makes sure that a command has the disk space it needs.
    ///
    /// # Errors
    /// `disk.full` when an issuing command has no space.
    fn find(&self, purpose: CommandPurpose) -> Result<HeldReserve, Problem>;
}
