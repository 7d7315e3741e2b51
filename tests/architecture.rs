//! The rules that a single crate cannot get from the compiler.
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

/// Module → the modules of this crate that it may name.
const MAY_USE: &[(&str, &[&str])] = &[
    ("x509", &[]),
    ("error", &[]),
    ("clock", &["x509"]),
    ("document", &[]),
    ("failpoint", &[]),
    ("lint", &["x509"]),
    ("profile", &["x509", "document", "error"]),
    ("config", &["x509", "document", "error", "signing", "profile"]),
    ("audit", &["x509"]),
    ("repository", &["x509", "home", "error", "failpoint"]),
    ("home", &["x509", "audit", "error", "failpoint"]),
    ("signing", &["x509", "error", "index", "home", "failpoint"]),
    ("subscriber_key", &["x509", "signing", "home"]),
    ("index", &["x509", "audit", "lint", "error", "home", "failpoint"]),
    ("status", &["x509", "audit", "index", "repository", "error", "home", "failpoint"]),
    (
        "ca",
        &[
            "x509",
            "clock",
            "lint",
            "profile",
            "audit",
            "signing",
            "index",
            "status",
            "repository",
            "config",
            "error",
            "failpoint",
        ],
    ),
    ("import", &["x509", "error", "index", "signing", "subscriber_key", "home"]),
    ("calendar", &["x509", "error"]),
    ("handout", &["x509", "signing"]),
    ("backup", &["x509", "audit", "signing", "index", "status", "error", "home", "failpoint"]),
    (
        "doctor",
        &[
            "x509",
            "audit",
            "home",
            "index",
            "status",
            "signing",
            "repository",
            "config",
            "profile",
            "ca",
            "backup",
            "ocsp",
            "error",
        ],
    ),
    ("ocsp", &["x509", "clock", "config", "index", "status", "signing", "error", "failpoint"]),
];
/// Adapters: named by `assembly` alone, outside their own module.
const ADAPTERS: &[&str] = &["SqliteIndex", "StatusDirectory", "AgeFileStore", "HomeDirectory", "SystemClock"];
/// Names that say nothing.
const BANNED: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
const LONGEST: usize = 400;

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

/// What is compiled into the programs: everything before the module of tests at the end of a file.
fn code_of(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

/// Files that are compiled for tests alone.
fn is_for_tests(name: &str) -> bool {
    name.split(['/', '.']).any(|part| {
        ["tests", "testing", "fixture", "contract", "draft"].contains(&part) || part.ends_with("_tests")
    })
}

#[test]
fn modules_use_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let name = relative(&path);
        let module = name.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned();
        if ["lib", "bin", "assembly"].contains(&module.as_str()) {
            continue;
        }
        let Some((_, may)) = MAY_USE.iter().find(|(ruled, _)| *ruled == module) else {
            wrong.push(format!("{name}: the module {module} has no rule"));
            continue;
        };
        if is_for_tests(&name) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = code_of(&text);
        if code.contains("crate::{") {
            wrong.push(format!("{name}: names several modules in one group, which hides them here"));
        }
        for rest in code.split("crate::").skip(1) {
            let used: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if used != module
                && used.chars().next().is_some_and(char::is_lowercase)
                && !may.contains(&used.as_str())
            {
                wrong.push(format!("{name}: uses crate::{used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The rooms of the engine, lowest first: each may use those before it.
const ROOMS: &[&str] = &["issuance", "maintenance", "revocation", "lifecycle"];

#[test]
fn rooms_of_the_engine_use_only_those_below_them() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src/ca")) {
        let name = relative(&path);
        if is_for_tests(&name)
            || ["src/ca/mod.rs", "src/ca/engine.rs", "src/ca/run.rs"].contains(&name.as_str())
        {
            continue;
        }
        let own = ROOMS.iter().position(|room| name.starts_with(&format!("src/ca/{room}/")));
        let text = fs::read_to_string(&path).unwrap();
        // what lies below the rooms uses none of them
        for room in ROOMS.iter().skip(own.map_or(0, |own| own + 1)) {
            if [format!(".{room}()"), format!("ca::{room}::")]
                .iter()
                .any(|use_| code_of(&text).contains(use_))
            {
                wrong.push(format!("{name}: uses the room {room}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_order_of_publication_is_in_one_file() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src/ca")) {
        let name = relative(&path);
        if is_for_tests(&name) || name == "src/ca/publication.rs" {
            continue;
        }
        let code: String = fs::read_to_string(&path).unwrap().split_whitespace().collect();
        wrong.extend(
            ["publisher().issued(", "publisher().authority("]
                .iter()
                .filter(|call| code.contains(*call))
                .map(|call| format!("{name}: {call}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn use_cases_know_traits_and_no_adapters() {
    let mut wrong = Vec::new();
    for path in ["src/ca", "src/backup", "src/ocsp", "src/doctor"]
        .iter()
        .flat_map(|module| sources(&root().join(module)))
    {
        if is_for_tests(&relative(&path)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = code_of(&text).to_owned();
        wrong.extend(
            ADAPTERS
                .iter()
                .filter(|adapter| code.contains(*adapter))
                .map(|a| format!("{}: {a}", relative(&path))),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tokio_stays_in_the_server_and_the_programs() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
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
    for path in sources(&root().join("src")).into_iter().chain(sources(&root().join("tests"))) {
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
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let name = relative(&path);
        // what is handed out to servers is held to plain characters instead
        if is_for_tests(&name) || name.starts_with("src/handout") {
            continue;
        }
        if code_of(&fs::read_to_string(&path).unwrap()).contains(".display()") {
            wrong.push(format!("{name}: .display() of a path, where error::Shown is meant"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The texts in double quotes, with their line ends joined; octet strings are none.
fn texts_of(code: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for line in
        code.replace("\\\"", "'").split("\n").map(str::trim_start).filter(|line| !line.starts_with("//"))
    {
        texts.push(line.to_owned());
    }
    let joined = texts.join("\n").replace("\\\n", "").replace("'\"'", "' '");
    let mut parts = joined.split('"');
    let mut found = Vec::new();
    while let (Some(before), Some(text)) = (parts.next(), parts.next()) {
        if !before.ends_with('b') {
            found.push(text.to_owned());
        }
    }
    found
}

/// Whether a text names a command or an option of the programs.
fn is_of_the_command_line(text: &str, commands: &[String]) -> bool {
    let names_command = text.split("genfic-ca ").skip(1).any(|rest| {
        let word: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        commands.contains(&word)
    });
    let names_option = format!(" {text}").split([' ', '`', '(']).any(|word| {
        word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    });
    names_command || names_option
}

/// The commands, as `enum Command` of the command line has them.
fn commands() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/bin/genfic-ca/cli.rs")).unwrap();
    let body = text.split("enum Command {").nth(1).unwrap().split("\n}").next().unwrap();
    let variants = body.lines().map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
    let kebab = |variant: &str| {
        let name: String = variant.chars().take_while(|c| c.is_alphanumeric()).collect();
        let words = name.chars().map(|c| match c.is_uppercase() {
            true => format!("-{}", c.to_lowercase()),
            false => c.to_string(),
        });
        words.collect::<String>().trim_start_matches('-').to_owned()
    };
    variants.map(kebab).collect()
}

#[test]
fn the_library_speaks_no_command_line() {
    let commands = commands();
    assert!(["init", "renew-ca", "crl"].iter().all(|known| commands.iter().any(|one| one == known)));
    let is_told = |text: &str| is_of_the_command_line(text, &commands);
    for text in ["run `genfic-ca crl publish`", "genfic-ca renew-ca a", "see --org", "(--permit DOMAIN)"] {
        assert!(is_told(text), "{text}");
    }
    for text in ["the version of genfic-ca that wrote it", "-----BEGIN X-----", "a -- b"] {
        assert!(!is_told(text), "{text}");
    }
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let name = relative(&path);
        if is_for_tests(&name) || name.starts_with("src/bin/") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let texts = texts_of(code_of(&text));
        wrong.extend(texts.into_iter().filter(|text| is_told(text)).map(|text| format!("{name}: {text}")));
    }
    assert!(wrong.is_empty(), "what is to be done is a Remedy: {wrong:#?}");
}
