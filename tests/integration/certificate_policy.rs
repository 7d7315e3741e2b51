//! `policy/certificate-policy.md` has every section of RFC 3647 and marks every question; `ca-layout/doc/niap.md` has a verdict
//! for every requirement; the tests that both name as proofs are there.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const POLICY: &str = "policy/certificate-policy.md";
const NIAP: &str = "ca-layout/doc/niap.md";

/// The outline of RFC 3647 §6: for each section of each chapter, how many subsections it has.
const OUTLINE: [&[usize]; 9] = [
    &[0, 0, 5, 2, 4, 0],
    &[0, 0, 0, 0],
    &[6, 6, 2, 0],
    &[2, 3, 2, 3, 2, 7, 7, 7, 16, 3, 0, 2],
    &[8, 4, 8, 8, 7, 0, 4, 0],
    &[7, 11, 2, 3, 2, 3, 0, 0],
    &[9, 2, 2],
    &[0, 0, 0, 0, 0, 0],
    &[5, 3, 3, 7, 0, 5, 0, 0, 0, 3, 0, 3, 0, 0, 0, 5, 0],
];

/// What a question to the organisation begins with, and nothing else does.
const MARK: &str = "> **To be said by the organisation:** ";

/// What the table says of a requirement.
const VERDICTS: [&str; 4] = ["met", "partly", "not met", "not ours"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Level, number and title of each heading below that of the document.
fn headings(document: &str) -> Vec<(usize, &str, &str)> {
    let below = document.lines().filter(|line| line.starts_with("##"));
    below
        .map(|line| {
            let (marks, heading) = line.split_once(' ').unwrap();
            let (number, title) = heading.split_once(' ').unwrap();
            (marks.len(), number, title)
        })
        .collect()
}

/// Level and number of each section that there has to be, in order.
fn outline() -> Vec<(usize, String)> {
    let mut sections = Vec::new();
    for (chapter, counts) in (1..).zip(OUTLINE) {
        sections.push((2, format!("{chapter}")));
        for (section, count) in (1..).zip(counts) {
            sections.push((3, format!("{chapter}.{section}")));
            sections.extend((1..=*count).map(|part| (4, format!("{chapter}.{section}.{part}"))));
        }
    }
    sections
}

/// The paragraphs outside of code.
fn paragraphs(document: &str) -> Vec<String> {
    let prose: String = document.split("```").step_by(2).collect();
    prose.split("\n\n").map(|paragraph| paragraph.trim().to_owned()).collect()
}

/// The words in code type that name something of the source tree.
fn references(document: &str) -> BTreeSet<&str> {
    let words = document.split('`').skip(1).step_by(2);
    let trees = ["tests/", "src/", "ca-layout/"];
    words.filter(|word| trees.iter().any(|tree| word.starts_with(tree))).collect()
}

/// Whether the text of a file has a test of this name. The sentences of `src/index/contract/` become tests of each adapter
/// by a macro that lists them.
fn has_test(file: &Path, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(root().join(file)) else { return false };
    let Some((before, _)) = text.split_once(&format!("fn {name}(")) else { return false };
    if file.starts_with("src/index/contract") {
        let sentences = fs::read_to_string(root().join("src/index/contract/mod.rs")).unwrap();
        return sentences.lines().any(|line| line.trim() == name);
    }
    let attributes = before.rsplit("\n\n").next().unwrap();
    attributes.contains("#[test]") || attributes.contains("#[tokio::test")
}

/// Where else there is a test of this name.
fn found_in(directory: &Path, name: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found_in(&path, name, into);
        } else if has_test(path.strip_prefix(root()).unwrap(), name) {
            into.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
}

/// What is wrong with a reference, if anything is.
fn fault(reference: &str) -> Option<String> {
    let Some((file, name)) = reference.split_once("::") else {
        return (!root().join(reference).exists()).then(|| format!("{reference} is not there"));
    };
    if has_test(Path::new(file), name) {
        return None;
    }
    let mut places = Vec::new();
    ["tests", "src"].iter().for_each(|directory| found_in(&root().join(directory), name, &mut places));
    Some(format!("{reference} is no test; tests of that name are in {places:?}"))
}

#[test]
fn every_section_of_rfc_3647_is_there_in_its_order() {
    let policy = text(POLICY);
    let found = headings(&policy);
    let numbers: Vec<(usize, String)> =
        found.iter().map(|(level, number, _)| (*level, (*number).to_owned())).collect();
    assert_eq!(numbers, outline());
    assert_eq!(numbers.len(), 9 + 68 + 193);
    assert!(found.iter().all(|(_, _, title)| title.starts_with(char::is_uppercase)), "{found:?}");
}

#[test]
fn every_lowest_section_says_or_asks_something() {
    let policy = text(POLICY);
    let lines: Vec<&str> = policy.lines().filter(|line| !line.is_empty()).collect();
    let deeper = |one: &str, other: &str| other.split(' ').next() > one.split(' ').next();
    let empty: Vec<&str> = lines
        .windows(2)
        .filter(|pair| pair[0].starts_with("##") && pair[1].starts_with("##") && !deeper(pair[0], pair[1]))
        .map(|pair| pair[0])
        .collect();
    assert!(empty.is_empty(), "{empty:?}");
    assert!(!lines.last().unwrap().starts_with('#'));
}

#[test]
fn every_question_to_the_organisation_has_the_mark_and_nothing_else_has_it() {
    let policy = text(POLICY);
    let paragraphs = paragraphs(&policy);
    let questions: Vec<&String> = paragraphs.iter().filter(|one| one.starts_with(MARK)).collect();
    assert!(questions.len() > 150, "{}", questions.len());
    let unasked: Vec<&&String> = questions.iter().filter(|one| !one.ends_with('?')).collect();
    assert!(unasked.is_empty(), "{unasked:#?}");
    let unmarked: Vec<&String> = paragraphs
        .iter()
        .filter(|one| !one.starts_with(MARK))
        .filter(|one| {
            one.contains('?') || one.starts_with('>') || one.contains("To be said by the organisation:")
        })
        .collect();
    assert!(unmarked.is_empty(), "{unmarked:#?}");
}

#[test]
fn every_test_that_is_named_as_a_proof_is_there() {
    for (file, at_least) in [(POLICY, 150), (NIAP, 40)] {
        let document = text(file);
        let named = references(&document);
        assert!(named.len() >= at_least, "{file}: {}", named.len());
        let faults: Vec<String> = named.into_iter().filter_map(fault).collect();
        assert!(faults.is_empty(), "{file}: {faults:#?}");
    }
}

#[test]
fn every_requirement_of_the_protection_profile_has_a_verdict_and_what_is_met_a_proof() {
    let table = text(NIAP);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| F") && line.contains('_'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!((rows.len(), names.len()), (94, 94), "each once");
    for row in rows {
        let [_, _, _, verdict, words] = row[..] else { panic!("{row:?}") };
        assert!(VERDICTS.contains(&verdict), "{row:?}");
        assert!(!words.is_empty(), "{row:?}");
        assert!(verdict != "met" || words.contains("::"), "no proof: {row:?}");
    }
}

/// Whether the code of what acts, tests apart, has this word as a literal.
fn is_in_the_code(directory: &Path, literal: &str) -> bool {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        match path.is_dir() {
            true => name != "tests" && is_in_the_code(&path, literal),
            false => !name.contains("test") && fs::read_to_string(&path).unwrap().contains(literal),
        }
    })
}

#[test]
fn every_action_that_is_said_to_be_on_record_is_recorded_by_the_code() {
    let policy = text(POLICY);
    let (_, section) = policy.split_once("#### 5.4.1 ").unwrap();
    let section = section.split("####").next().unwrap();
    let mut object = "";
    let mut actions = Vec::new();
    for word in section
        .lines()
        .filter(|line| line.starts_with("| "))
        .flat_map(|row| row.split('`').skip(1).step_by(2))
    {
        match word.strip_prefix('.') {
            Some(act) => actions.push(format!("{object}.{act}")),
            None => {
                object = word.split('.').next().unwrap();
                actions.push(word.to_owned());
            }
        }
    }
    assert!(actions.len() > 20, "{actions:?}");
    let places = ["src/ca", "src/assembly", "src/backup"];
    let unknown: Vec<&String> = actions
        .iter()
        .filter(|action| {
            !places.iter().any(|place| is_in_the_code(&root().join(place), &format!("\"{action}\"")))
        })
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
