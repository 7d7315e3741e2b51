//! Points at which a test can have the process killed, to see what it leaves behind, or a thread panic.
//!
//! They work only with debug assertions. Otherwise [`passed`] is empty, and the variables are never read.
//! `GENFIC_CA_FAILPOINT=N` kills the process at the N-th point that it passes, without destructors and
//! without flushing buffers; `GENFIC_CA_FAILPOINT=PLACE` at the first point of this name. `GENFIC_CA_FAILPOINT_TRACE=FILE` appends each point to a file, one per line.
//! `GENFIC_CA_FAILPOINT_PANIC=PLACE` makes the thread that passes this point panic.

/// The variables of a process, and those by which it sets them for the signer that it starts.
#[cfg(debug_assertions)]
pub(crate) const OF_CHILD: [(&str, &str); 3] = [
    ("GENFIC_CA_FAILPOINT", "GENFIC_SIGNER_FAILPOINT"),
    ("GENFIC_CA_FAILPOINT_TRACE", "GENFIC_SIGNER_FAILPOINT_TRACE"),
    ("GENFIC_CA_FAILPOINT_PANIC", "GENFIC_SIGNER_FAILPOINT_PANIC"),
];

/// Marks a point at which the process can be killed.
#[cfg(not(debug_assertions))]
#[inline]
pub fn passed(_place: &str) {}

/// Marks a point at which the process can be killed.
#[cfg(debug_assertions)]
pub fn passed(place: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let number = PASSED.fetch_add(1, Ordering::SeqCst).saturating_add(1);
    if let Some(file) = std::env::var_os("GENFIC_CA_FAILPOINT_TRACE") {
        trace(std::path::Path::new(&file), place);
    }
    let chosen = std::env::var("GENFIC_CA_FAILPOINT").ok();
    if chosen.is_some_and(|chosen| chosen == place || chosen.parse() == Ok(number)) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort();
    }
    in_thread(place);
}

/// Marks a point at which a thread can panic, but the process is not killed.
#[cfg(not(debug_assertions))]
#[inline]
pub fn in_thread(_place: &str) {}

/// Marks a point at which a thread can panic, but the process is not killed.
#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "a test has asked for it, in a build that is not for use")]
pub fn in_thread(place: &str) {
    if std::env::var_os("GENFIC_CA_FAILPOINT_PANIC").is_some_and(|chosen| chosen == place) {
        panic!("the failpoint `{place}`");
    }
}

#[cfg(debug_assertions)]
fn trace(file: &std::path::Path, place: &str) {
    use std::io::Write;
    let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
    let _ = file.and_then(|mut file| file.write_all(format!("{place}\n").as_bytes()));
}
