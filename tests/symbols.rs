//! Code that is not linked into a program and so cannot be reached in it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on fails"
)]
use std::process::Command;

/// Functions that the daemon must not contain, by prefixes of their paths.
const NOT_IN_DAEMON: &[&str] = &[
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
    "genfic_ca::status::addition::",
    "genfic_ca::status::base_writer::",
    "genfic_ca::status::former::",
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
    "genfic_ca::signer::",
    "genfic_ca::signing::secret::sources::",
    "genfic_ca::signing::pkcs11::store::",
    "age::",
    "age_core::",
    "cryptoki::",
    "cryptoki_sys::",
    "scrypt::",
    "rusqlite::",
    "sqlite3_open_v2",
];

/// Those that the signer must not contain: it answers few questions, and neither the network nor files of others reach it.
/// Shares and pages of keys are the matter of genfic-key.
const NOT_IN_SIGNER: &[&str] = &[
    "genfic_ca::ca::",
    "genfic_ca::backup::",
    "genfic_ca::calendar::",
    "genfic_ca::custody::",
    "genfic_ca::doctor::",
    "genfic_ca::export::",
    "genfic_ca::import::",
    "genfic_ca::index::sqlite::",
    "genfic_ca::ocsp::",
    "genfic_ca::repository::",
    "genfic_ca::status::publish::",
    "axum::",
    "http::",
    "hyper::",
    "tar::",
    "tokio::",
    "ureq::",
];

/// Those that the program of commands must not contain: what opens a key of a CA, or signs with one. It does reach tokens,
/// but as those of holders, through a process of their own.
const NOT_IN_COMMANDS: &[&str] = &[
    "genfic_ca::signer::service::",
    "genfic_ca::signer::token::served::",
    "genfic_ca::signer::token::asked::RemoteTokens as genfic_ca::signing::",
    "genfic_ca::signing::admit::certificate",
    "genfic_ca::signing::admit::crl",
    "genfic_ca::signing::age::at_rest::",
    "genfic_ca::signing::age::sealed_key::",
    "genfic_ca::signing::age::store::",
    "genfic_ca::signing::pkcs11::store::TokenStore as genfic_ca::signing::",
    "age::plugin::IdentityPluginV1",
    "age::plugin::RecipientPluginV1",
    "cryptoki::",
];

/// Exceptions: functions below these paths are in the daemon. A responder's key in a token is asked for a signature over
/// a socket, as the signer asks: the module is in another process.
const PERMITTED: &[&str] = &[
    "genfic_ca::signer::program::",
    "genfic_ca::signer::protocol::begun::",
    "genfic_ca::signer::protocol::failure::",
    "genfic_ca::signer::protocol::frame::",
    "genfic_ca::signer::protocol::words::",
    "genfic_ca::signer::token::TokenRe",
    "genfic_ca::signer::token::WirePurpose",
    "genfic_ca::signer::token::_::",
    "genfic_ca::signer::token::ends::",
    "genfic_ca::signer::token::holder::",
    "genfic_ca::signer::token::key::",
    "genfic_ca::signer::token::lanes::",
    "genfic_ca::signer::token::launched::",
    "genfic_ca::signer::token::launching::",
    "genfic_ca::signer::token::line::",
    "genfic_ca::signer::token::processes::",
];

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

/// Returns the functions of a program that are below one of these paths.
fn linked<'a>(program: &'a [String], forbidden: &[&str]) -> Vec<&'a String> {
    assert!(program.iter().any(|symbol| is_below(symbol, "genfic_ca::")), "no names: is it stripped?");
    program.iter().filter(|symbol| forbidden.iter().any(|path| is_below(symbol, path))).collect()
}

#[test]
fn the_daemon_has_no_symbol_of_the_ca_of_writers_or_of_age() {
    let daemon = symbols(env!("CARGO_BIN_EXE_genfic-ocspd"));
    let mut found = linked(&daemon, NOT_IN_DAEMON);
    found.retain(|symbol| !PERMITTED.iter().any(|path| is_below(symbol, path)));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_signer_has_no_symbol_of_the_engine_of_the_responder_or_of_the_network() {
    let signer = symbols(env!("CARGO_BIN_EXE_genfic-signer"));
    let found = linked(&signer, NOT_IN_SIGNER);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_program_of_commands_has_no_symbol_that_opens_a_key_of_a_ca() {
    let commands = symbols(env!("CARGO_BIN_EXE_genfic-ca"));
    let found = linked(&commands, NOT_IN_COMMANDS);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_is_forbidden_is_there_under_this_name() {
    let [commands, custody, daemon, signer] = [
        env!("CARGO_BIN_EXE_genfic-ca"),
        env!("CARGO_BIN_EXE_genfic-key"),
        env!("CARGO_BIN_EXE_genfic-ocspd"),
        env!("CARGO_BIN_EXE_genfic-signer"),
    ]
    .map(symbols);
    let gone = |paths: &[&'static str], programs: &[&[String]]| -> Vec<&'static str> {
        let is_in = |path: &str, symbols: &[String]| symbols.iter().any(|symbol| is_below(symbol, path));
        paths.iter().filter(|path| !programs.iter().any(|symbols| is_in(path, symbols))).copied().collect()
    };
    let renamed = "renamed: the rule above would hold nothing";
    assert_eq!(gone(NOT_IN_DAEMON, &[&commands, &signer]), Vec::<&str>::new(), "{renamed}");
    assert_eq!(gone(NOT_IN_SIGNER, &[&commands, &custody, &daemon]), Vec::<&str>::new(), "{renamed}");
    assert_eq!(gone(NOT_IN_COMMANDS, &[&signer]), Vec::<&str>::new(), "{renamed}");
    assert_eq!(gone(PERMITTED, &[&daemon]), Vec::<&str>::new(), "no exception is needed any more");
}
