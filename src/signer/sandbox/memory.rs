//! Keeps the memory of the process out of the swap.
use super::SandboxError;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Memory that may have to be locked, in octets: 256 MiB for a passphrase at scrypt 2^18, the program, the stacks of its
/// threads, and what the allocator reserves and never touches.
pub(crate) const ENOUGH: u64 = 768 << 20;

/// Whether the memory stays out of the swap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MemoryLock {
    /// All of it, now and later.
    Locked,
    /// It may be written to the swap.
    Swappable,
}

/// Locks all memory of this process, now and later. Pages that are never touched are not made for that.
///
/// Memory that is asked for beyond the limit would be refused from then on, in the middle of a derivation: so the limit
/// comes first.
///
/// # Errors
/// When the limit is too low, or the system refuses.
pub(super) fn lock() -> Result<MemoryLock, SandboxError> {
    lock_where(ENOUGH)
}

/// The same for a program that opens any key file by itself, of which the largest takes 4 GiB.
pub(super) fn lock_for_every_file() -> Result<MemoryLock, SandboxError> {
    lock_where(ENOUGH + (4 << 30))
}

fn lock_where(enough: u64) -> Result<MemoryLock, SandboxError> {
    let limit = getrlimit(Resource::Memlock);
    if limit.current != limit.maximum {
        let most = Rlimit { current: limit.maximum, maximum: limit.maximum };
        setrlimit(Resource::Memlock, most).map_err(|errno| SandboxError::Memory(errno.into()))?;
    }
    let is_unlimited = rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(rustix::thread::CapabilitySet::IPC_LOCK));
    match limit.maximum {
        Some(maximum) if maximum < enough && !is_unlimited => Err(SandboxError::MemoryLimit(maximum)),
        _ => {
            let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
            mlockall(all).map_err(|errno| SandboxError::Memory(errno.into()))?;
            Ok(MemoryLock::Locked)
        }
    }
}
