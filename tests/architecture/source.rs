//! The source files of library and programs, found as the compiler finds them: by `mod`, from the crate roots.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of the library or of a program.
pub(crate) struct Source {
    /// Path relative to the package's root.
    pub(crate) name: String,
    /// Path of the module: `ca::run`; in a program `bin/genfic-ca::script`.
    pub(crate) module: Vec<String>,
    /// The text without items that are compiled for tests only.
    pub(crate) text: String,
}

impl Source {
    /// Returns the top-level module, or the program, that contains the file; empty for the library's root.
    pub(crate) fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// Returns the text without comments.
    pub(crate) fn code(&self) -> String {
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        self.text.lines().filter(is_code).flat_map(|line| [line, "\n"]).collect()
    }

    /// Returns every path from the crate's root that `text`, code or comments of this file, names.
    pub(crate) fn paths(&self, text: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('\n') {
            if let Some(tree) = without_visibility(rest.trim_start()).strip_prefix("use ") {
                flatten(tree.split(';').next().unwrap(), &[], &mut found);
            }
            rest = after;
        }
        for start in ["crate::", "super::", "genfic_ca::"] {
            for (at, _) in text.match_indices(start) {
                let is_first = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
                if is_first {
                    let end = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
                    let path = text[at..].split(end).next().unwrap().trim_end_matches(':');
                    found.push(path.split("::").map(str::to_owned).collect());
                }
            }
        }
        found.iter().filter_map(|path| self.resolved(path)).collect()
    }

    fn resolved(&self, path: &[String]) -> Option<Vec<String>> {
        let (mut base, mut rest) = (self.module.clone(), path);
        match path.first()?.as_str() {
            "genfic_ca" => return Some(path[1..].to_vec()),
            "crate" => {
                base.truncate(usize::from(self.name.starts_with("src/bin/")));
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            // a module of this file, or another crate
            _ => {}
        }
        base.extend_from_slice(rest);
        Some(base)
    }
}

fn without_visibility(item: &str) -> &str {
    let Some(rest) = item.strip_prefix("pub") else { return item };
    let rest = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')).map_or(rest, |(_, rest)| rest);
    rest.trim_start()
}

/// Collects the paths of a `use` tree.
fn flatten(tree: &str, before: &[String], into: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some((start, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap().split("::").map(|part| part.trim().to_owned());
        into.push(before.iter().cloned().chain(path).collect());
        return;
    };
    let mut start: Vec<String> = start.split("::").map(|part| part.trim().to_owned()).collect();
    start.pop();
    let before: Vec<String> = before.iter().cloned().chain(start).collect();
    let (mut depth, mut from) = (0, 0);
    let group = group.trim_end().strip_suffix('}').unwrap();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                flatten(&group[from..at], &before, into);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !group[from..].trim().is_empty() {
        flatten(&group[from..], &before, into);
    }
}

/// Returns a text without the items compiled for tests only: from `#[cfg(test)]` to the end of the item, which in
/// formatted code is the next closing line with the same indentation.
pub(crate) fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        for line in lines.by_ref() {
            let is_attribute = line.trim_start().starts_with("#[");
            let is_at_depth = line.len() - line.trim_start().len() == depth;
            if is_at_depth && !is_attribute && line.ends_with([';', ',', '}']) {
                break;
            }
        }
    }
    kept
}

/// Returns the modules that a text declares with `mod NAME;`, with the value of the attribute `path` if there is one.
fn declared(code: &str) -> Vec<(String, Option<String>)> {
    let mut file = None;
    let mut found = Vec::new();
    for line in code.lines().map(str::trim) {
        if let Some(path) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            file = Some(path.to_owned());
        } else if let Some(name) =
            without_visibility(line).strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
        {
            found.push((name.to_owned(), file.take()));
        }
    }
    found
}

fn read(
    path: &Path,
    module: Vec<String>,
    with_tests: bool,
    seen: &mut BTreeSet<PathBuf>,
    into: &mut Vec<Source>,
) {
    if !seen.insert(path.to_owned()) {
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    let text = if with_tests { text } else { without_tests(&text) };
    let directory = path.parent().unwrap();
    let is_root = ["mod.rs", "lib.rs", "main.rs"].iter().any(|root| path.ends_with(root));
    let below = if is_root { directory.to_owned() } else { path.with_extension("") };
    for (name, file) in declared(&text) {
        let child = [
            file.map(|file| directory.join(file)),
            Some(below.join(format!("{name}.rs"))),
            Some(below.join(&name).join("mod.rs")),
        ];
        let child = child.into_iter().flatten().find(|path| path.is_file()).unwrap_or_else(|| {
            panic!("{}: no file of mod {name}", path.display());
        });
        let module = module.iter().cloned().chain([name]).collect();
        read(&fs::canonicalize(child).unwrap(), module, with_tests, seen, into);
    }
    into.push(Source { name: relative(path), module, text });
}

/// Returns every file that the library or a program is compiled from.
pub(crate) fn production() -> Vec<Source> {
    compiled(false)
}

fn compiled(with_tests: bool) -> Vec<Source> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for program in fs::read_dir(root().join("src/bin")).unwrap().map(|entry| entry.unwrap()) {
        let module = vec![format!("bin/{}", program.file_name().to_str().unwrap())];
        read(&program.path().join("main.rs"), module, with_tests, &mut seen, &mut found);
    }
    read(&root().join("src/lib.rs"), Vec::new(), with_tests, &mut seen, &mut found);
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Returns every Rust file in a directory and its subdirectories.
pub(crate) fn files(directory: &str) -> Vec<PathBuf> {
    let (mut found, mut left) = (Vec::new(), vec![root().join(directory)]);
    while let Some(directory) = left.pop() {
        for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_file_is_compiled_into_something() {
    let compiled: BTreeSet<String> = compiled(true).into_iter().map(|source| source.name).collect();
    let forgotten: Vec<String> =
        files("src").iter().map(|path| relative(path)).filter(|name| !compiled.contains(name)).collect();
    assert!(forgotten.is_empty(), "declared by no `mod`: {forgotten:#?}");
}

pub(crate) fn root() -> PathBuf {
    fs::canonicalize(env!("CARGO_MANIFEST_DIR")).unwrap()
}

pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

#[test]
fn what_is_compiled_for_tests_alone_is_left_out_and_nothing_else() {
    let text = "use a::B;\n#[cfg(test)]\nuse c::{\n    D,\n};\n#[cfg(test)]\nmod tests;\nfn one() {\n    #[cfg(test)]\n    two();\n}\n\
                #[cfg(test)]\n#[path = \"x.rs\"]\nmod more {\n    fn three() {}\n}\nfn four() {}\n";
    assert_eq!(without_tests(text), "use a::B;\nfn one() {\n}\nfn four() {}\n");
}

#[test]
fn every_path_that_is_named_is_found() {
    let source = Source {
        name: "src/a/b.rs".into(),
        module: vec!["a".into(), "b".into()],
        text: "// super::z\npub(super) use crate::c::{self, d::{E, F as G}};\nuse super::h;\n\nfn f() { super::super::i::j(crate::k::L) }\n"
            .into(),
    };
    let mut found: Vec<String> = source.paths(&source.code()).iter().map(|path| path.join("::")).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, ["a::h", "c", "c::d::E", "c::d::F", "c::self", "i::j", "k::L"]);
}
