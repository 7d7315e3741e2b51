//! Files that the map in `src/lib.rs`, the manual's internals and `tests/README.md` name exist.
use crate::source::{files, relative, root};
use std::collections::BTreeSet;
use std::fs;

/// The walks of the map, by their first words.
const WALKS: &[&str] =
    &["Request to certificate", "Revoke to CRL", "OCSP request to answer", "Passphrase to signature"];

fn map() -> String {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("//!")).map(|line| format!("{line}\n")).collect()
}

/// Returns the file and directory names in code type: words that end in `.rs` or `/`.
fn named(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).filter(|word| word.ends_with(".rs") || word.ends_with('/')).collect()
}

#[test]
fn every_file_that_the_map_names_is_there() {
    let map = map();
    let gone: Vec<&str> = named(&map)
        .into_iter()
        .filter(|file| !root().join("src").join(file).exists() && !root().join(file).exists())
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn every_file_that_the_internals_of_the_manual_name_is_there() {
    let page = fs::read_to_string(root().join("ca-layout/doc/internals.md")).unwrap();
    let files = named(&page);
    let is_there = |file: &&&str| root().join("src").join(file).exists() || root().join(file).exists();
    let gone: Vec<&&str> = files.iter().filter(|file| !is_there(file)).collect();
    assert!(gone.is_empty() && files.len() > 20, "{gone:?} of {files:?}");
}

#[test]
fn the_map_walks_each_flow_by_the_names_of_its_files() {
    let map = map();
    for walk in WALKS {
        let (_, steps) = map.split_once(&format!("## {walk}")).unwrap_or_else(|| panic!("no walk: {walk}"));
        let steps = steps.split("\n #").next().unwrap();
        assert!(named(steps).len() >= 5, "{walk} names {:?}", named(steps));
    }
}

#[test]
fn the_list_of_tests_names_files_that_are_there_and_leaves_no_directory_out() {
    let list = fs::read_to_string(root().join("tests/README.md")).unwrap();
    let gone: Vec<&str> = named(&list)
        .into_iter()
        .filter(|file| !root().join("tests").join(file).exists() && !root().join(file).exists())
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
    let entries = fs::read_dir(root().join("tests")).unwrap().map(|entry| entry.unwrap());
    let unlisted: Vec<String> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() { format!("{name}/") } else { name }
        })
        .filter(|name| name.ends_with('/') || name.ends_with(".rs"))
        .filter(|name| !named(&list).contains(name.as_str()))
        .collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
}

#[test]
fn the_list_of_tests_names_each_file_of_tests() {
    let list = fs::read_to_string(root().join("tests/README.md")).unwrap();
    let named = named(&list);
    let files: Vec<String> = files("tests").iter().map(|path| relative(path)).collect();
    let unlisted: Vec<&str> = files
        .iter()
        .filter_map(|file| file.strip_prefix("tests/"))
        .filter(|file| !file.starts_with("support/") && !file.starts_with("fuzz/targets/"))
        .filter(|file| !file.ends_with("/main.rs") && !file.ends_with("/mod.rs"))
        .filter(|file| !named.contains(file))
        .collect();
    assert!(unlisted.is_empty() && files.len() > 100, "{unlisted:#?} of {}", files.len());
}
