//! Keeping keys out of core dumps (K2).
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io;

/// No core dump of this process or its children from now on.
///
/// # Errors
/// When the system does not take the limit.
pub fn forbid_core_dumps() -> io::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    Ok(setrlimit(Resource::Core, none)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getrlimit;

    #[test]
    fn the_limit_is_zero_afterwards() {
        // K2
        forbid_core_dumps().unwrap();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
