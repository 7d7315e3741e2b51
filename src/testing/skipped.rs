//! Tests that cannot run in this environment, and the reason.
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::Location;

/// Reports why this test, or the rest of it, cannot run here. The line is printed, and appended to the file
/// that `$GENFIC_TEST_SKIPPED` names, which `tests/run` shows at its end.
#[track_caller]
#[allow(clippy::print_stdout, reason = "the harness shows it on request")]
pub(crate) fn skipped(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main").unwrap_or(Location::caller().file());
    let line = format!("{test}: {why}\n");
    print!("{line}");
    if let Some(path) = std::env::var_os("GENFIC_TEST_SKIPPED") {
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// Whether this process runs as root; reports the rest of the test as skipped when not.
#[track_caller]
pub(crate) fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skipped("only root can become another user and give files away");
    }
    is_root
}
