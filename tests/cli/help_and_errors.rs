//! The help of every command and the errors that need no home, as they are printed.
use crate::support::{CA, OCSPD, Said};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const COMMAND: &str = "$ ";
const END: &str = "```";

/// What one line, `[NAME=VALUE]... PROGRAM [WORD]...`, says in an empty directory: `? STATUS` unless that is 0, then
/// standard output and error.
fn answer(line: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let mut words = line.split(' ').peekable();
    let given: Vec<_> = std::iter::from_fn(|| words.next_if(|word| word.contains('='))).collect();
    let program = match words.next() {
        Some("genfic-ca") => CA,
        Some("genfic-ocspd") => OCSPD,
        other => panic!("no program of ours: {other:?}"),
    };
    let mut command = Command::new(program);
    command.args(words).current_dir(&directory).stdin(Stdio::null());
    command
        .env_clear()
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .envs(given.iter().filter_map(|word| word.split_once('=')));
    let said = Said::of(command.output().unwrap());
    let status = if said.status == 0 { String::new() } else { format!("? {}\n", said.status) };
    format!("{status}{}{}", said.out, said.err)
}

/// The same commands with what they say now; what stands between the blocks stays.
fn said_now(record: &str) -> String {
    let mut now = String::new();
    let (mut is_in_block, mut has_answers) = (false, false);
    for line in record.lines() {
        if let Some(words) = line.strip_prefix(COMMAND) {
            if has_answers {
                now.push('\n');
            }
            now.push_str(&format!("{line}\n{}", answer(words)));
            (is_in_block, has_answers) = (true, true);
        } else if line == END || !is_in_block {
            now.push_str(&format!("{line}\n"));
            (is_in_block, has_answers) = (false, false);
        }
    }
    now
}

/// `GENFIC_TEST_WRITE=1` records anew.
#[test]
fn help_and_errors_read_as_recorded() {
    for file in ["errors.console", "help.console"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(file);
        let record = fs::read_to_string(&path).unwrap();
        let now = said_now(&record);
        if std::env::var_os("GENFIC_TEST_WRITE").is_some() {
            fs::write(&path, now).unwrap();
            continue;
        }
        assert!(record.contains(COMMAND), "{file} records nothing");
        for (recorded, is) in record.split("\n$ ").zip(now.split("\n$ ")) {
            assert_eq!(is, recorded, "{file}: GENFIC_TEST_WRITE=1 records anew");
        }
        assert_eq!(now, record, "{file}");
    }
}
