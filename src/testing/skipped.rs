//! Tests that cannot run where they are, and the reason.
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::Location;

/// Says why this test, or what is left of it, cannot run here; also in a line of the file that
/// `$GENFIC_TEST_SKIPPED` names, which `tests/run` shows at its end.
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

/// Whether this is root; says otherwise that what follows is skipped.
#[track_caller]
pub(crate) fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skipped("only root can become another user and give files away");
    }
    is_root
}
