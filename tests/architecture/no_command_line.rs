//! The library contains no command lines: it returns remedies as values, which the programs express.
use crate::source::{production, root};
use std::fs;

/// Returns the string literals of code with their line ends joined; octet strings are left out.
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

/// Returns whether a text names a command or an option of the programs.
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

/// Returns the names of the commands in `enum Command` of the command line.
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
    for source in production().iter().filter(|source| !source.name.starts_with("src/bin/")) {
        let texts = texts_of(&source.text);
        wrong.extend(
            texts.into_iter().filter(|text| is_told(text)).map(|text| format!("{}: {text}", source.name)),
        );
    }
    assert!(wrong.is_empty(), "what is to be done is a Remedy: {wrong:#?}");
}
