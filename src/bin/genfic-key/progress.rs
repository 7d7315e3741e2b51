//! This program draws no progress.

/// Does something that uses the terminal.
pub(crate) fn aside<T>(act: impl FnOnce() -> T) -> T {
    act()
}

/// Returns the connection to the command that started this process: no command did.
pub(crate) fn starter() -> Option<std::io::Stdout> {
    None
}
