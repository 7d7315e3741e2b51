//! Protection of keys in memory from core dumps and debuggers (K2).
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::io;

/// Disables core dumps of this process and its children, and keeps other processes than root's from reading its
/// memory.
///
/// The resource limit is not enough: the kernel hands a core dump to a program (`|` in `core_pattern`) whatever the
/// limit, and other processes of the same user may read `/proc/PID/mem` or attach. A program that this process
/// executes decides for itself whether its memory can be read.
///
/// # Errors
/// When the system refuses one of the two settings; the other is made all the same.
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
