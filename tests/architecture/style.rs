//! Rules for names, lengths and contents of files.
use crate::source::{files, production, relative};
use std::fs;

/// File names without meaning.
const BANNED: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
const LONGEST: usize = 400;

#[test]
fn status_files_and_chains_are_put_in_order_in_one_file() {
    const CALLS: [[&str; 2]; 2] =
        [["publisher().issued(", "publisher.issued("], ["publisher().authority(", "publisher.authority("]];
    let mut wrong = Vec::new();
    for source in production().iter().filter(|source| source.top() == "ca") {
        let code: String = source.text.split_whitespace().collect();
        let calls = CALLS.iter().filter(|ways| ways.iter().any(|call| code.contains(call)));
        if source.module == ["ca", "publication"] {
            assert_eq!(calls.count(), CALLS.len(), "renamed: this test would hold nothing");
        } else {
            wrong.extend(calls.map(|[call, _]| format!("{}: {call}", source.name)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_cas_list_and_its_responders_certificate_are_put_in_order_in_one_file() {
    const FIRST_AND_LAST: [&str; 2] = [".publish_crl(", ".issue_responder("];
    let mut wrong = Vec::new();
    for source in production().iter().filter(|source| source.top() == "ca") {
        let [list, responder] = FIRST_AND_LAST.map(|call| source.code().find(call));
        if source.module == ["ca", "maintenance", "own_signatures"] {
            assert!(list.is_some() && list < responder, "the list is first, or this test holds nothing");
        } else if responder.is_some() || (list.is_some() && source.module != ["ca", "maintenance", "crl"]) {
            wrong.push(source.name.clone());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tokio_stays_in_the_server_and_the_programs() {
    let mut wrong = Vec::new();
    for path in files("src") {
        let name = relative(&path);
        let allowed =
            ["src/ocsp/http", "src/ocsp/server", "src/bin/"].iter().any(|start| name.starts_with(start));
        if !allowed && fs::read_to_string(&path).unwrap().contains("tokio::") {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_short_and_named_for_what_they_hold() {
    let mut wrong = Vec::new();
    for path in files("src").into_iter().chain(files("tests")) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > LONGEST {
            wrong.push(format!("{}: {lines} lines", relative(&path)));
        }
        for part in path.iter().map(|part| part.to_string_lossy().replace(".rs", "")) {
            if BANNED.contains(&part.as_str()) {
                wrong.push(format!("{}: {part} says nothing", relative(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn paths_are_told_on_one_line() {
    // snippets for servers are restricted to plain characters instead
    let wrong: Vec<String> = production()
        .iter()
        .filter(|source| source.top() != "export" && source.text.contains(".display()"))
        .map(|source| format!("{}: .display() of a path, where error::Shown is meant", source.name))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
