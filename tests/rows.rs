//! Every claimed row of the requirements and standards is named in a comment of a test: `// G11`. Every row that a test
//! names is claimed, in whole or in part.
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
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rows that are claimed whole.
const ROWS: &[&str] = &[
    "G1", "G2", "G3", "G4", "G5", "G7", "G8", "G9", "G11", "G12", "G15", "G17", "G18", "G20", "G21", "G1",
    "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G11", "G12", "G15", "G18", "G20", "G21", "G22", //
    "P1", "P2", "P15", //
    "X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9", "X10", "X11", "X12", "X13", "X14", //
    "C1", "C2", "C3", "C4", "C5", "C7", "C8", //
    "O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8", "O9", "O10", "O11", "O12", "O13", //
    "K1", "K4",
];

/// The rows that tests prove a part of, and what is not there.
const PARTLY: &[(&str, &str)] = &[
    ("G10", "No notices are sent by e-mail."),
    ("G19", "There is no queue with approval, no EST and no web site."),
    ("P4", "No trust store is kept for a relying side."),
    ("P12", "The tools for trust and CRL stores, whose mistakes the row is about, are not there."),
    (
        "K2",
        "Only the service keeps its memory out of the swap whatever the limits are; a signer of one command as far as they allow.",
    ),
    (
        "K3",
        "Whoever owns the home can change the envelope and the profiles of a key there; a key in the service is bound.",
    ),
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

/// Returns whether a word has the form of a row: the letter of a table, and a number of one or two digits.
fn is_row(word: &str) -> bool {
    let number = word.strip_prefix(['G', 'P', 'X', 'C', 'O', 'K']).unwrap_or_default();
    (1..=2).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
}

/// Returns the rows that the comments of a text name.
fn named_rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("///") && !line.trim_start().starts_with("//!"))
        .filter_map(|line| line.split_once("// "))
        .map(|(_, comment)| comment.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| is_row(word)))
        .filter(|rows| rows.clone().count() <= FEW)
        .flatten()
}

fn proofs() -> Vec<String> {
    let mut proofs = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    texts(&root.join("src"), &mut proofs);
    texts(&root.join("tests"), &mut proofs);
    proofs
}

#[test]
fn every_claimed_row_is_named_by_a_test() {
    let proofs = proofs();
    let named: HashSet<&str> = proofs.iter().flat_map(|text| named_rows(text)).collect();
    let claimed = ROWS.iter().chain(PARTLY.iter().map(|(row, _)| row));
    let unproved: Vec<&&str> = claimed.filter(|row| !named.contains(*row)).collect();
    assert!(unproved.is_empty(), "no test names {unproved:?}");
}

#[test]
fn every_row_that_a_test_names_is_claimed_in_whole_or_in_part() {
    let proofs = proofs();
    let named: BTreeSet<&str> = proofs.iter().flat_map(|text| named_rows(text)).collect();
    let is_partly = |row: &str| PARTLY.iter().any(|(partly, _)| *partly == row);
    let unclaimed: Vec<&&str> = named.iter().filter(|row| !ROWS.contains(row) && !is_partly(row)).collect();
    assert!(unclaimed.is_empty(), "neither in ROWS nor in PARTLY: {unclaimed:?}");
    let twice: Vec<&&str> = ROWS.iter().filter(|row| is_partly(row)).collect();
    assert!(twice.is_empty(), "in ROWS and in PARTLY: {twice:?}");
}
