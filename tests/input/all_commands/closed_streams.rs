//! Standard streams that are closed or full, no home directory, a working directory that is gone.
use super::{Row, command, commands, did_not_panic, each, home, words};
use crate::support::{Home, Said};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

/// What is done to a command, as the shell line that runs it.
const AROUND: &[(&str, &str)] = &[
    ("no standard output", "exec \"$@\" >&-"),
    ("no standard streams", "exec \"$@\" <&- >&- 2>&-"),
    ("a full standard output", "exec \"$@\" >/dev/full"),
    ("full standard streams", "exec \"$@\" >/dev/full 2>/dev/full"),
    ("a pipe that nobody reads", "\"$@\" | :"),
    ("no environment but its own", "unset HOME PATH LANG USER TERM; exec \"$@\""),
    ("no working directory", "mkdir gone; cd gone; rmdir ../gone; exec \"$@\""),
];

/// The same command with paths that hold wherever it is run.
fn absolute(home: &Home, row: &Row) -> Vec<OsString> {
    words(row, home.path("beside").into_os_string().into_vec().as_slice())
}

fn around(home: &Home, row: &Row, line: &str) -> Said {
    let like = command(home, &absolute(home, row));
    let mut shell = Command::new("sh");
    shell.args(["-c", line, "sh"]).arg(like.get_program()).args(like.get_args());
    shell.current_dir(home.directory()).stdin(std::process::Stdio::null());
    for (name, value) in like.get_envs() {
        shell.env(name, value.unwrap());
    }
    Said::of(shell.output().unwrap())
}

#[test]
fn every_command_does_its_work_whatever_its_streams_and_surroundings_are() {
    let fixture = home();
    let rows = commands(&fixture);
    let cases: Vec<(&Row, &(&str, &str))> =
        rows.iter().flat_map(|row| AROUND.iter().map(|way| (*row, way))).collect();
    each(
        &cases,
        |(row, way)| format!("{} with {}", row.0, way.0),
        |(row, (way, line))| {
            let home = fixture.copied();
            let said = around(&home, row, line);
            did_not_panic(&said, &format!("{} with {way}", row.0));
            let full = way.contains("full");
            let piped = way.contains("pipe") && said.status == 0;
            let is_told = said.status == 1
                && (said.err.contains("standard output cannot be written") || said.err.is_empty());
            assert!(
                row.2.is_empty() || row.2.contains(&said.status) || piped || full && is_told,
                "{} with {way}: {}",
                row.0,
                said.all()
            );
            if !way.contains("standard streams") {
                return;
            }
            // what it was to do is done, and nothing half
            let doctor = home.ca(&["doctor", "--json"]);
            let findings = doctor.json()["result"]["findings"].to_string();
            for never in ["pending", "leftover", "crl.owed", "status."] {
                assert!(!findings.contains(never), "{} with {way}: {findings}", row.0);
            }
            assert_eq!(home.ca(&["audit", "verify"]).status, 0);
        },
    );
}
