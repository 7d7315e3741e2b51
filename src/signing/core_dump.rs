//! Keeping keys out of core dumps and out of reach of debuggers (K2).
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::io;

/// No core dump of this process or its children from now on, and nobody but root reads its memory.
///
/// The limit alone does not do: a program that the kernel hands core dumps to (`|` in `core_pattern`) is given them
/// whatever it is, and other processes of the same user may look into `/proc/PID/mem` or attach. Another program that
/// this process becomes, or starts, decides for itself.
///
/// # Errors
/// When the system takes one of the two not; the other is set all the same.
pub fn forbid_core_dumps() -> io::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none);
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(limited?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{dumpable_behavior, getrlimit};

    #[test]
    fn the_limit_is_zero_afterwards_and_the_process_not_dumpable() {
        // K2
        forbid_core_dumps().unwrap();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
