//! Reports wrong command lines like every other problem.
use crate::cli;
use clap::error::ErrorKind;
use clap::{Arg, Command};
use genfic_ca::error::{Code, Problem, Shown as _};
use std::ffi::OsString;

/// Global options with a value of their own.
const WITH_VALUE: [&str; 3] = ["--home", "--config", "--passphrase-from"];

/// Returns the name of the command and the problem. The name is empty when no command was recognised.
pub(crate) fn problem(error: &clap::Error, words: &[OsString]) -> (String, Problem) {
    let mut command = cli::command();
    command.build();
    let mut command = deepest(&command, words).clone();
    let path = command.get_bin_name().unwrap_or("genfic-ca").to_owned();
    let usage = command.render_usage().to_string();
    let text = error.render().to_string();
    let mut hint: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("tip: "))
        .map(|line| line.trim_start_matches("tip: ").to_owned())
        .collect();
    let empty = command.get_arguments().filter_map(Arg::get_env).filter(|variable| {
        error.kind() == ErrorKind::InvalidValue
            && std::env::var_os(variable).is_some_and(|value| value.is_empty())
    });
    hint.extend(empty.map(|variable| format!("{} is set and empty: unset it", variable.shown())));
    hint.push(format!(
        "usage: {}; `{path} --help` says more",
        usage.lines().next().unwrap_or_default().trim_start_matches("Usage: ").trim()
    ));
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            format!("a command is missing: one of {}", names.join(", "))
        }
        _ => first_paragraph(&text),
    };
    let name = path.strip_prefix("genfic-ca").unwrap_or_default().trim().to_owned();
    (name, Problem::new(Code::Usage, message).hint(hint.join("\n")))
}

/// Returns the deepest subcommand that the words name.
fn deepest<'a>(root: &'a Command, words: &[OsString]) -> &'a Command {
    let mut command = root;
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if WITH_VALUE.contains(&word.as_ref()) {
            words.next();
        } else if !word.starts_with('-') {
            match command.find_subcommand(&*word) {
                Some(below) => command = below,
                None => break,
            }
        }
    }
    command
}

/// Returns the first paragraph of an error message in one line.
fn first_paragraph(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ");
    let rest: Vec<&str> = lines.collect();
    if rest.is_empty() { first.to_owned() } else { format!("{first} {}", rest.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hints;

    fn told(words: &[&str]) -> (String, Problem) {
        let words: Vec<OsString> =
            std::iter::once("genfic-ca").chain(words.iter().copied()).map(Into::into).collect();
        problem(&cli::command().try_get_matches_from(&words).unwrap_err(), &words)
    }

    #[test]
    fn what_is_missing_is_named_with_the_usage_of_the_command() {
        let (name, problem) = told(&["--home", "list", "sign"]);
        assert_eq!(name, "sign");
        assert!(problem.message.ends_with("not provided: --parent <CA>, <FILE>..."), "{}", problem.message);
        assert!(
            hints::text(&problem.hint).contains("usage: genfic-ca sign [OPTIONS] -p CA FILE...;"),
            "{}",
            hints::text(&problem.hint)
        );
    }

    #[test]
    fn a_word_that_is_nearly_right_is_followed_by_the_right_one() {
        let (name, problem) = told(&["list", "--status", "revokd"]);
        assert_eq!(name, "list");
        assert!(
            problem.message.contains("[possible values: valid, expired, revoked, held]"),
            "{}",
            problem.message
        );
        let hint = hints::text(&problem.hint);
        assert!(hint.starts_with("a similar value exists: 'revoked'\n"), "{hint}");
        assert_eq!(told(&["crl", "pubish"]).0, "crl");
    }
}
