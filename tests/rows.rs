//! Every claimed row of the requirements and standards is named in a comment of a test: `// G11`.
#![allow(
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on fails"
)]
use std::fs;
use std::path::{Path, PathBuf};

/// The rows claimed so far.
const ROWS: &[&str] = &[
    "G1", "G2", "G3", "G4", "G5", "G7", "G8", "G9", "G11", "G12", "G18", "G20", "G21", "P1", "P15", //
    "X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9", "X10", "X11", "X12", "X13", "X14", //
    "C1", "C2", "C3", "C4", "C5", "C7", "C8", //
    "O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8", "O9", "O12", "O13",
];

fn texts(directory: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("rows.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let relative = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_string_lossy();
            let is_for_tests = relative.starts_with("tests") || relative.contains("test");
            let proofs = if is_for_tests {
                text
            } else {
                text.split_once("#[cfg(test)]\nmod tests {")
                    .map(|(_, tests)| tests.to_owned())
                    .unwrap_or_default()
            };
            into.push(proofs);
        }
    }
}

/// Bound of the rows in one comment; a long list of rows proves nothing of any.
const FEW: usize = 8;

fn names_row(text: &str, row: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("///") && !line.trim_start().starts_with("//!"))
        .filter_map(|line| line.split_once("// "))
        .any(|(_, comment)| {
            let words: Vec<&str> = comment.split(|c: char| !c.is_ascii_alphanumeric()).collect();
            let rows = words.iter().filter(|word| ROWS.contains(word)).count();
            rows <= FEW && words.contains(&row)
        })
}

#[test]
fn every_claimed_row_is_named_by_a_test() {
    let mut proofs = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    texts(&root.join("src"), &mut proofs);
    texts(&root.join("tests"), &mut proofs);
    let unproved: Vec<&&str> =
        ROWS.iter().filter(|row| !proofs.iter().any(|text| names_row(text, row))).collect();
    assert!(unproved.is_empty(), "no test names {unproved:?}");
}
