//! What other programs do otherwise than they should is a note in `foreign.toml`: it explains what a test bears, and
//! fails none. Only our own octets are held to account.
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::Command;
use std::sync::Mutex;

#[derive(Deserialize)]
struct Note {
    program: String,
    /// Its versions that were seen to do it.
    seen: Vec<String>,
    does: String,
    /// The command that prints the version of the program; none for one that is built in.
    version: Vec<String>,
}

fn notes() -> BTreeMap<String, Note> {
    toml::from_str(include_str!("foreign.toml")).unwrap()
}

/// The program still does what is noted, or does not: then that is printed, past what the tests capture, once.
pub(crate) fn noted(id: &str, still: bool) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let notes = notes();
    let note = notes.get(id).unwrap_or_else(|| panic!("there is no note {id}"));
    if still || !SAID.lock().unwrap().insert(id.to_owned()) {
        return;
    }
    let said = no_longer(id, note, &version(&note.version));
    let _ = std::io::stderr().write_all(said.as_bytes());
}

fn no_longer(id: &str, note: &Note, version: &str) -> String {
    let (program, seen) = (&note.program, note.seen.join(", "));
    format!(
        "note {id}: {program} no longer {}; seen in {seen}, this is {version} (tests/conformance/foreign.toml)\n",
        note.does
    )
}

fn version(words: &[String]) -> String {
    let Some((program, options)) = words.split_first() else { return "what Cargo.lock or pip chose".into() };
    let output = Command::new(program).args(options).env("PATH", path()).output();
    let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next().unwrap_or("a version that it does not tell").trim().to_owned()
}

fn path() -> String {
    format!("{}:/usr/sbin", std::env::var("PATH").unwrap())
}

#[test]
fn every_note_about_another_program_has_a_test_that_looks_whether_it_is_still_so() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance");
    let sources: String = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for (id, note) in notes() {
        assert!(sources.contains(&format!("\"{id}\"")), "nothing looks at {id}");
        assert!(!note.seen.is_empty() && !note.does.is_empty(), "{id}");
    }
}

#[test]
fn what_a_program_no_longer_does_is_said_with_its_versions_and_fails_nothing() {
    let notes = notes();
    let note = &notes["java-excluded-family"];
    let said = no_longer("java-excluded-family", note, "java 21");
    for part in ["Java's PKIX validator no longer reads", "seen in 17.0.15", "this is java 21"] {
        assert!(said.contains(part), "{said}");
    }
    noted("java-excluded-family", true);
    assert!(std::panic::catch_unwind(|| noted("no such note", true)).is_err());
}
