//! No key is left behind in a core dump.
use crate::support::{CA, Home};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Soft and hard limit of core dumps, as /proc shows them.
fn core_limit(id: u32) -> Vec<String> {
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    line.split_whitespace().take(2).map(str::to_owned).collect()
}

#[test]
fn the_program_that_opens_ca_keys_leaves_no_core_dump() {
    // K2: it is looked at while it waits for a passphrase
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh", CA])
        .args(["--passphrase-from", "fd:0", "crl", "publish", "genfic"])
        .env("GENFIC_CA_HOME", home.path("home"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut limit = core_limit(child.id());
    while limit != ["0", "0"] && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
        limit = core_limit(child.id());
    }
    let is_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_running, "it waits for its passphrase");
    assert_eq!(limit, ["0", "0"]);
}
