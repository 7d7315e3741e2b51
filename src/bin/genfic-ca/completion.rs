//! Completion of command lines in shells. A script (`genfic-ca completions SHELL`) asks the program itself, each time the
//! user asks for completions, what can stand at the cursor.
//!
//! The answer comes from the definitions of the commands and from a look at the home that changes nothing. Names in
//! certificates are chosen by others: those that a shell could take for anything but text are quoted for that shell,
//! or left out.
mod line;
mod script;
mod values;

use crate::cli::Cli;
use clap::CommandFactory;
use genfic_ca::error::on_one_line;
use genfic_ca::x509::is_invisible;
use line::Line;
pub(crate) use script::script;
use std::ffi::OsString;
use std::io::Write;
use std::sync::mpsc::channel;
use std::time::Duration;

/// The variable by which a script says which shell asks.
const SHELL: &str = "GENFIC_CA_COMPLETE";
/// Bound of the time that an answer takes; after it there is none.
const LONGEST: Duration = Duration::from_secs(1);
/// Number of completions that are offered.
const MOST: usize = 200;
/// Number of characters of the explanation beside a completion.
const EXPLAINED: usize = 70;

/// One completion.
struct Offer {
    value: String,
    help: String,
}

/// Answers a script and returns true. Only a command line that none can be is an answer asked for: the variable alone,
/// which may be set by accident, changes nothing.
pub(crate) fn answered(words: &[OsString]) -> bool {
    let Some(shell) = std::env::var_os(SHELL) else { return false };
    let Some((_, [separator, rest @ ..])) = words.split_first() else { return false };
    let shell = match shell.to_str() {
        Some("bash") => Shell::Bash,
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        _ => return false,
    };
    if separator != "--" {
        return false;
    }
    let typed: Vec<String> = rest.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (sender, answer) = channel();
    // whatever holds the answer up, a file system for example, does not hold the user up
    std::thread::spawn(move || sender.send(text(shell, &typed)));
    if let Ok(text) = answer.recv_timeout(LONGEST) {
        let _ = std::io::stdout().write_all(text.as_bytes());
    }
    true
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Returns the lines that the script reads: a completion each, for zsh and fish with an explanation after a tab.
fn text(shell: Shell, typed: &[String]) -> String {
    let line = match (shell, typed) {
        (Shell::Bash, [line, breaks]) => Line::of_bash(line, breaks),
        (Shell::Bash, _) => return String::new(),
        (Shell::Zsh | Shell::Fish, words) => Line::of_words(words, shell == Shell::Fish),
    };
    let Some(line) = line else { return String::new() };
    let offers = offers(&line.words).into_iter().filter(|offer| !offer.value.contains(is_invisible));
    let lines = offers.filter_map(|offer| match shell {
        Shell::Bash => line.quoted(&offer.value),
        Shell::Zsh | Shell::Fish if offer.help.is_empty() => Some(offer.value),
        Shell::Zsh | Shell::Fish => Some(format!("{}\t{}", offer.value, offer.help)),
    });
    lines.take(MOST).map(|line| format!("{line}\n")).collect()
}

/// Returns what can stand in the place of the last word.
fn offers(words: &[String]) -> Vec<Offer> {
    let Some(current) = words.last() else { return Vec::new() };
    let mut command = values::completed(Cli::command(), words);
    let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    let at = arguments.len().saturating_sub(1);
    let directory = std::env::current_dir().ok();
    let found = clap_complete::engine::complete(&mut command, arguments, at, directory.as_deref());
    let mut offers: Vec<Offer> = found
        .unwrap_or_default()
        .into_iter()
        .filter_map(|one| {
            let help = one.get_help().map(ToString::to_string).unwrap_or_default();
            let help: String = on_one_line(help.lines().next().unwrap_or_default())
                .chars()
                .filter(|character| !is_invisible(*character))
                .take(EXPLAINED)
                .collect();
            Some(Offer { value: one.get_value().to_str()?.to_owned(), help })
        })
        .collect();
    if current.is_empty() {
        // options are many, and who wants one begins with a hyphen
        offers.retain(|offer| !offer.value.starts_with('-'));
    }
    offers
}
