//! Documents for people: links have a destination, fenced blocks have a language, error codes exist.
use crate::source::{production, root};
use genfic_ca::error::Code;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Languages of fenced blocks. A `sh` block is run by a test, a `console` block is only shown.
const LANGUAGES: &[&str] = &[
    "sh", "console", "crontab", "toml", "json", "text", "ini", "nginx", "apache", "haproxy", "caddy", "vcl",
];
/// Directories with Markdown documents for people.
const DIRECTORIES: &[&str] = &["", "ca-layout", "ca-layout/doc", "policy", "tests", "tests/surface"];

/// A document: its path relative to the root, and its text.
struct Document {
    path: PathBuf,
    text: String,
}

impl Document {
    fn at(path: PathBuf) -> Self {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        Self { path, text }
    }

    /// Returns the lines outside of fenced blocks, and the languages of the blocks.
    fn parts(&self) -> (Vec<&str>, Vec<&str>) {
        let (mut lines, mut languages, mut is_inside) = (Vec::new(), Vec::new(), false);
        for line in self.text.lines() {
            match line.trim_start().strip_prefix("```") {
                Some(language) => {
                    if !is_inside {
                        languages.push(language);
                    }
                    is_inside = !is_inside;
                }
                None if !is_inside => lines.push(line),
                None => {}
            }
        }
        assert!(!is_inside, "{}: a block has no end", self.path.display());
        (lines, languages)
    }

    /// Returns the destinations of the links in the text.
    fn links(&self) -> Vec<String> {
        let text = self.parts().0.join("\n");
        text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned()).collect()
    }

    /// Returns the anchors by which links name the headings.
    fn anchors(&self) -> BTreeSet<String> {
        let lines = self.parts().0;
        let headings = lines.iter().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn in_directory(directory: &str) -> Vec<Document> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root().join(directory))
        .unwrap()
        .map(|entry| Path::new(directory).join(entry.unwrap().file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.sort();
    paths.into_iter().map(Document::at).collect()
}

fn documents() -> Vec<Document> {
    DIRECTORIES.iter().flat_map(|directory| in_directory(directory)).collect()
}

#[test]
fn every_block_says_what_it_is() {
    for document in documents() {
        for language in document.parts().1 {
            assert!(LANGUAGES.contains(&language), "{}: ```{language}", document.path.display());
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents() {
        for link in document.links().into_iter().filter(|link| !link.contains("://")) {
            count += 1;
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let directory = document.path.parent().unwrap();
            let path = if file.is_empty() { document.path.clone() } else { directory.join(file) };
            let is_there = root().join(&path).exists();
            if !is_there || !heading.is_empty() && !Document::at(path).anchors().contains(heading) {
                wrong.push(format!("{}: {link}", document.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 50, "{count}");
}

#[test]
fn the_contents_of_the_manual_name_every_page() {
    let contents = Document::at("ca-layout/doc/README.md".into());
    let links = contents.links();
    for page in in_directory("ca-layout/doc") {
        let name = page.path.file_name().unwrap().to_str().unwrap();
        if name != "README.md" {
            assert!(links.iter().any(|link| link == name), "{name}");
            let manual = format!("`genfic-ca-{}(7)`", name.trim_end_matches(".md").to_lowercase());
            assert!(contents.text.contains(&manual), "{manual}");
        }
    }
}

#[test]
fn the_readme_links_every_page_that_is_a_task() {
    let links = Document::at("README.md".into()).links();
    for page in in_directory("ca-layout/doc") {
        let link = page.path.to_str().unwrap();
        let is_linked = links.iter().any(|one| one.split('#').next() == Some(link));
        assert!(is_linked || link.ends_with("/niap.md"), "{link}");
    }
}

/// Returns the words in code type that have the form of an error or finding code, such as `index.restored`.
fn codes(text: &str) -> BTreeSet<&str> {
    let areas: BTreeSet<&str> = genfic_ca::error::Code::ALL
        .iter()
        .filter_map(|code| code.code().split_once('.'))
        .map(|two| two.0)
        .collect();
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '.' | '-')))
        // names of files in the home
        .filter(|word| !word.starts_with("index.db"))
        .filter(|word| word.split_once('.').is_some_and(|(area, _)| areas.contains(area)))
        .collect()
}

#[test]
fn every_code_that_the_documents_name_is_one_that_is_told() {
    let sources = production();
    let is_told = |code: &str| {
        let literal = format!("\"{code}\"");
        sources.iter().any(|source| source.text.contains(&literal))
    };
    assert!(is_told("home.unsafe") && is_told("home.shared") && !is_told("home.no-such-code"));
    let mut count = 0;
    for document in documents() {
        for code in codes(&document.parts().0.join("\n")) {
            count += 1;
            assert!(is_told(code), "{}: {code}", document.path.display());
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn a_link_names_a_heading_as_the_web_does() {
    assert_eq!(anchor("A CA's key is stolen"), "a-cas-key-is-stolen");
    assert_eq!(anchor("By hand, with systemd"), "by-hand-with-systemd");
}

/// Returns the names by which the variants of an enum go over the wire: in kebab case.
fn words_of(source: &str, name: &str) -> Vec<String> {
    let body = source.split(&format!("pub(crate) enum {name} {{")).nth(1).unwrap();
    let body = body.split("\n}").next().unwrap();
    let variants = body.lines().filter_map(|line| {
        let line =
            line.strip_prefix("    ").filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))?;
        line.split(|c: char| !c.is_ascii_alphanumeric()).next()
    });
    let kebab = |variant: &str| {
        let mut word = String::new();
        for c in variant.chars() {
            if c.is_ascii_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.push(c.to_ascii_lowercase());
        }
        word
    };
    variants.map(kebab).collect()
}

#[test]
fn the_page_on_the_signers_protocol_has_every_question_and_every_answer() {
    let source = fs::read_to_string(root().join("src/signer/protocol/message.rs")).unwrap();
    let page = Document::at("ca-layout/doc/internals.md".into()).text;
    let section = page.split("\n## The signer's protocol\n").nth(1).unwrap().split("\n## ").next().unwrap();
    for (name, least) in [("Request", 25), ("Reply", 13)] {
        let words = words_of(&source, name);
        assert!(words.len() >= least, "{words:?}");
        let missing: Vec<&String> =
            words.iter().filter(|word| !section.contains(&format!("`{word}`"))).collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

#[test]
fn every_error_of_the_signer_is_in_the_manual_with_what_to_do() {
    let manual = fs::read_to_string(root().join("ca-layout/doc/troubleshoot.md")).unwrap();
    let (_, section) = manual.split_once("## What the signer says").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).collect();
    let told: BTreeSet<&str> = rows.iter().flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.code()).collect();
    let of_signer = |code: &&&str| code.starts_with("signer.") || code.starts_with("journal.");
    let missing: Vec<_> = codes.iter().filter(of_signer).filter(|code| !told.contains(*code)).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    let unknown: Vec<_> = told.iter().filter(|code| !codes.contains(*code)).collect();
    assert!(unknown.is_empty(), "no codes: {unknown:?}");
}
