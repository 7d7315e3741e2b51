//! What values of options and arguments can be: the word for a value in the help says where they come from.
use super::MOST;
use crate::session::home_at;
use clap::builder::ValueHint;
use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use genfic_ca::assembly::{Glance, now};
use genfic_ca::index::CertificateRecord;
use genfic_ca::x509::{CrlReason, GeneralName, KeyAlgorithm};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Number of serial numbers, and of names, that are looked up.
const LOOKED_UP: usize = 100;

/// The home that a command line means, looked at when its names are asked for, and the CA given with -p.
struct Context {
    home: Option<PathBuf>,
    authority: Option<String>,
    glance: OnceLock<Glance>,
}

/// Returns the command with completers for values that the home has or that are fixed.
pub(super) fn completed(command: Command, words: &[String]) -> Command {
    let home = option(words, "--home", None).or_else(|| std::env::var("GENFIC_CA_HOME").ok());
    let authority = option(words, "--parent", Some("-p"));
    let home = home.filter(|home| !home.is_empty()).map(|home| expanded(&home));
    with_values(command, &Arc::new(Context { home, authority, glance: OnceLock::new() }), "")
}

/// Returns the value that was typed for an option; the last word is not typed yet.
fn option(words: &[String], long: &str, short: Option<&str>) -> Option<String> {
    let (_, typed) = words.split_last()?;
    let mut words = typed.iter();
    let mut value = None;
    while let Some(word) = words.next() {
        if word == long || short.is_some_and(|short| word == short) {
            value = words.next().cloned().or(value);
        } else if let Some(rest) = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('=')) {
            value = Some(rest.to_owned());
        }
    }
    value
}

/// Returns the path with the user's home for a `~` at its beginning, as the shell will expand it.
fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn with_values(command: Command, context: &Arc<Context>, above: &str) -> Command {
    let name = command.get_name().to_owned();
    let path = format!("{above} {name}");
    let command = command.mut_args(|arg| with_value(arg, context, &path));
    command.mut_subcommands(|below| with_values(below, context, &path))
}

/// `command` is the words of the command, each after a blank.
fn with_value(arg: Arg, context: &Arc<Context>, command: &str) -> Arg {
    let words: Vec<String> = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .flat_map(|name| name.split('|').map(str::to_owned))
        .collect();
    let takes_value = arg.is_positional() || arg.get_action().takes_values();
    let named = named(command, arg.get_id().as_str()).filter(|_| takes_value);
    let has = |word: &str| words.iter().any(|known| known == word);
    if has("DIR") && !has("FILE") {
        return arg.value_hint(ValueHint::DirPath);
    }
    let known: [(bool, Source); 7] = [
        (has("CA") || has("PARENT") || named == Some(Named::Authority), authorities),
        (has("CERT") || has("KEY") || named == Some(Named::Certificate), certificates),
        (has("PROFILE") || named == Some(Named::Profile), profiles),
        (has("REASON"), reasons),
        (has("ALG"), algorithms),
        (has("SPEC"), passphrases),
        (has("DAYS"), days),
    ];
    let sources: Vec<Source> =
        known.into_iter().filter_map(|(is_meant, source)| is_meant.then_some(source)).collect();
    if sources.is_empty() {
        return arg;
    }
    let context = context.clone();
    arg.add(ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_str().unwrap_or_default();
        let offered = sources.iter().flat_map(|source| source(&context, typed));
        offered.take(MOST).collect::<Vec<CompletionCandidate>>()
    }))
}

/// What a name in an argument is of.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Named {
    Authority,
    Certificate,
    Profile,
}

/// Returns what an argument names that the help calls a NAME only.
fn named(command: &str, id: &str) -> Option<Named> {
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    match (words.as_slice(), id) {
        (["renew-ca" | "revoke-ca" | "retire" | "adopt"] | ["key", "import"], "name")
        | (["key", "passphrase"], "names") => Some(Named::Authority),
        (["revoke" | "hold" | "release"], "all" | "newest") => Some(Named::Certificate),
        (["profile", "show"], "name") => Some(Named::Profile),
        _ => None,
    }
}

/// Returns the values that begin as was typed.
type Source = fn(&Context, &str) -> Vec<CompletionCandidate>;

impl Context {
    fn glance(&self) -> &Glance {
        self.glance.get_or_init(|| Glance::at(&home_at(self.home.as_deref())))
    }
}

fn beginning<S: AsRef<str>>(values: impl IntoIterator<Item = S>, typed: &str) -> Vec<CompletionCandidate> {
    let values = values.into_iter().filter(|value| value.as_ref().starts_with(typed));
    values.map(|value| CompletionCandidate::new(value.as_ref())).collect()
}

fn authorities(context: &Context, typed: &str) -> Vec<CompletionCandidate> {
    beginning(context.glance().authorities(MOST), typed)
}

fn profiles(context: &Context, typed: &str) -> Vec<CompletionCandidate> {
    beginning(context.glance().profiles(), typed)
}

fn reasons(_: &Context, typed: &str) -> Vec<CompletionCandidate> {
    let given = CrlReason::ALL.iter().filter(|row| row.0 != CrlReason::RemoveFromCrl);
    beginning(given.map(|row| row.2), typed)
}

fn algorithms(_: &Context, typed: &str) -> Vec<CompletionCandidate> {
    beginning(KeyAlgorithm::generated().iter().map(ToString::to_string), typed)
}

fn passphrases(_: &Context, typed: &str) -> Vec<CompletionCandidate> {
    beginning(["prompt", "file:", "env:", "fd:", "cred:"], typed)
}

fn days(_: &Context, typed: &str) -> Vec<CompletionCandidate> {
    beginning(["max"], typed)
}

/// Returns certificates by what was typed: `CA/` and `serial:` before the first digits of a serial number, a name, or such
/// digits alone. A name that begins like an option can be taken for one, and is found by its serial number.
fn certificates(context: &Context, typed: &str) -> Vec<CompletionCandidate> {
    let glance = context.glance();
    let is_meant = |record: &CertificateRecord| {
        let names = context.authority.as_deref();
        names.is_none_or(|name| {
            record.authority.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("-g"))
        })
    };
    let numbered = |authority: Option<&str>, digits: &str, before: &str| {
        let found = glance.numbered(authority, &digits.replace(':', ""), LOOKED_UP).into_iter();
        let offered = found.filter(is_meant).map(|record| {
            let value = format!("{before}{}", record.id.serial_number);
            CompletionCandidate::new(value).help(Some(help(&record).into()))
        });
        offered.collect::<Vec<_>>()
    };
    if let Some(digits) = typed.strip_prefix("serial:") {
        return numbered(None, digits, "serial:");
    }
    if let Some((name, digits)) = typed.split_once('/') {
        return numbered(Some(name), digits, &format!("{name}/"));
    }
    let named = glance.names(typed, LOOKED_UP).into_iter().filter(|(_, record)| is_meant(record));
    let mut offered: Vec<CompletionCandidate> = named
        .map(|(name, record)| (written(&name, &record), record))
        .filter(|(name, _)| !name.starts_with('-'))
        .map(|(name, record)| CompletionCandidate::new(name).help(Some(help(&record).into())))
        .collect();
    if typed.len() >= 4 && typed.chars().all(|digit| digit.is_ascii_hexdigit()) {
        offered.extend(numbered(None, typed, ""));
    }
    let authorities = glance.authorities(MOST).into_iter().filter(|name| name.starts_with(typed));
    offered.extend(authorities.map(|name| CompletionCandidate::new(format!("{name}/"))));
    offered
}

/// Returns a name in lower case as it stands in the certificate.
fn written(name: &str, record: &CertificateRecord) -> String {
    let all = record.subject.common_name().into_iter();
    let mut all = all.chain(record.subject_alt_names.iter().map(GeneralName::value));
    all.find(|known| known.to_lowercase() == name).unwrap_or_else(|| name.to_owned())
}

fn help(record: &CertificateRecord) -> String {
    format!("{}, {}, {}", record.status(now()), record.authority, record.subject)
}
