//! Code that is not linked into `genfic-ocspd` and so cannot be reached in it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on fails"
)]
use std::process::Command;

/// Functions that the daemon must not contain, by prefixes of their paths.
const FORBIDDEN: &[&str] = &[
    "genfic_ca::ca::",
    "genfic_ca::audit::",
    "genfic_ca::lint::",
    "genfic_ca::doctor::",
    "genfic_ca::backup::",
    "genfic_ca::import::",
    "genfic_ca::export::",
    "genfic_ca::calendar::",
    "genfic_ca::repository::",
    "genfic_ca::subscriber_key::",
    "genfic_ca::profile::evaluate::",
    "genfic_ca::index::sqlite::",
    "genfic_ca::index::recorded::",
    "genfic_ca::status::publish::",
    "genfic_ca::status::image::",
    "genfic_ca::status::lock::",
    "genfic_ca::status::compare::",
    "genfic_ca::status::continuity::",
    "genfic_ca::status::signed::",
    "genfic_ca::home::aside::",
    "genfic_ca::home::create::",
    "genfic_ca::home::reserve::",
    "genfic_ca::home::atomic::replace",
    "genfic_ca::home::atomic::write_new",
    "genfic_ca::signing::age::",
    "genfic_ca::signing::ca_signer::",
    "genfic_ca::signing::request::",
    "genfic_ca::signing::admit::certificate",
    "genfic_ca::signing::admit::crl",
    "genfic_ca::signing::secret::sources::",
    "age::",
    "age_core::",
    "scrypt::",
];

/// Exceptions: functions below these paths are in the daemon, since the published status consists of rows in the
/// format of the index and is read by the same functions.
const PERMITTED: &[&str] = &["genfic_ca::index::sqlite::row::", "genfic_ca::index::sqlite::failure::"];

/// Returns the functions of a program as `nm` (binutils) lists them; those of traits as `<Type as Trait>::function`.
fn symbols(program: &str) -> Vec<String> {
    let output = Command::new("nm").args(["--demangle", "--defined-only", program]).output().expect("nm");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.splitn(3, ' ').nth(2)).map(str::to_owned).collect()
}

/// Returns whether a symbol is a function below this path, or a method of a type or trait below it.
fn is_below(symbol: &str, path: &str) -> bool {
    symbol.match_indices(path).any(|(at, _)| {
        symbol[..at]
            .chars()
            .next_back()
            .is_none_or(|before| !before.is_alphanumeric() && !"_:".contains(before))
    })
}

#[test]
fn the_daemon_has_no_symbol_of_the_ca_of_writers_or_of_age() {
    let daemon = symbols(env!("CARGO_BIN_EXE_genfic-ocspd"));
    assert!(daemon.iter().any(|symbol| is_below(symbol, "genfic_ca::ocsp::")), "no names: is it stripped?");
    let found: Vec<&String> = daemon
        .iter()
        .filter(|symbol| FORBIDDEN.iter().any(|path| is_below(symbol, path)))
        .filter(|symbol| !PERMITTED.iter().any(|path| is_below(symbol, path)))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_is_forbidden_and_permitted_is_there_under_this_name() {
    let ca = symbols(env!("CARGO_BIN_EXE_genfic-ca"));
    let gone = |paths: &[&'static str], symbols: &[String]| -> Vec<&'static str> {
        let is_gone = |path: &&&str| !symbols.iter().any(|symbol| is_below(symbol, path));
        paths.iter().filter(is_gone).copied().collect()
    };
    assert_eq!(gone(FORBIDDEN, &ca), Vec::<&str>::new(), "renamed: the rule above would hold nothing");
    let daemon = symbols(env!("CARGO_BIN_EXE_genfic-ocspd"));
    assert_eq!(gone(PERMITTED, &daemon), Vec::<&str>::new(), "no exception is needed any more");
}
