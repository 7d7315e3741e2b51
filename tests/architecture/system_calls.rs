//! The system calls of each process, as the manual has them and as the filters do.
use crate::source::root;
use std::collections::BTreeSet;
use std::fs;

/// The lists, each with its file.
const LISTS: [(&str, &str); 7] = [
    ("ALLOWED", "calls.rs"),
    ("ALSO_ALLOWED", "calls.rs"),
    ("OF_TOKENS", "calls.rs"),
    ("ALSO_OF_TOKENS", "calls.rs"),
    ("OF_LAUNCHER", "calls.rs"),
    ("NOT_OF_PLUGINS", "plugin_calls.rs"),
    ("ALSO_NOT_OF_PLUGINS", "plugin_calls.rs"),
];

/// Returns the names of the calls in a list of the source; the lists of other architectures are empty.
fn in_source(list: &str, file: &str) -> BTreeSet<String> {
    let source = fs::read_to_string(root().join("src/signer/sandbox").join(file)).unwrap();
    let begin = format!("const {list}: &[c_long] =");
    let bodies = source.split(&begin).skip(1).map(|rest| rest.split("];").next().unwrap());
    let calls = bodies.flat_map(|body| body.split("libc::SYS_").skip(1));
    calls.map(|call| call.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()).collect()
}

/// Returns the names of the calls in the paragraph of a list in the manual.
fn in_manual(manual: &str, list: &str) -> BTreeSet<String> {
    let begin = format!("(`{list}`): ");
    let found: Vec<&str> = manual.split(&begin).skip(1).collect();
    assert_eq!(found.len(), 1, "{list}: one paragraph");
    let paragraph = found[0].split("\n\n").next().unwrap();
    paragraph.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_manual_has_the_system_calls_of_each_process_as_its_filter_has_them() {
    // G17
    let manual = fs::read_to_string(root().join("ca-layout/doc/internals.md")).unwrap();
    for (list, file) in LISTS {
        let (source, told) = (in_source(list, file), in_manual(&manual, list));
        assert!(source.len() > 3, "{list}: {source:?}");
        assert_eq!(told, source, "{list} in internals.md");
    }
    // what has conditions is named too
    let calls = fs::read_to_string(root().join("src/signer/sandbox/calls.rs")).unwrap();
    let rest = manual.split("With conditions on their arguments").nth(1).unwrap();
    let rest = rest.split("\n\n").next().unwrap();
    for call in calls.split("rules.insert(libc::SYS_").skip(1) {
        let call: String = call.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        assert!(rest.contains(&format!("`{call}`")), "{call}: {rest}");
    }
}
