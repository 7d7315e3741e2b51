//! Every option, argument and variable, with octets that nobody means.
use super::{Row, command, commands, did_not_panic, each, home, of, shown, words};
use crate::ends;
use crate::support::{Home, OCSPD, Said};
use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

/// Not UTF-8 and of several lines, and longer than a name may be; with `GENFIC_TEST_EVERY_PLACE` the others too.
fn values() -> Vec<Vec<u8>> {
    let all = [&b"\xff\xfe\n\x1b[2J"[..], &[b'9'; 300], b"a\nb", b"-x", b""];
    let every = std::env::var_os("GENFIC_TEST_EVERY_PLACE").is_some();
    all.iter().take(if every { all.len() } else { 2 }).map(|value| value.to_vec()).collect()
}

/// Variables that either program, a library of theirs or the system looks at.
const VARIABLES: &[&str] = &[
    "GENFIC_CA_HOME",
    "GENFIC_CA_CONFIG",
    "GENFIC_CA_PASSPHRASE_FROM",
    "GENFIC_OCSPD_LOG",
    "HOME",
    "PATH",
    "TMPDIR",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "LANG",
    "LC_ALL",
    "TZ",
    "USER",
    "LOGNAME",
    "SUDO_USER",
    "SUDO_UID",
    "SOURCE_DATE_EPOCH",
    "CREDENTIALS_DIRECTORY",
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
    "WATCHDOG_USEC",
    "RUST_LOG",
    "http_proxy",
    "HTTP_PROXY",
    "ALL_PROXY",
    "SQLITE_TMPDIR",
];

/// The options of a command that take a value.
fn options(home: &Home, row: &Row) -> Vec<String> {
    let mut above: Vec<&str> = row.0.split(' ').collect();
    above.push("--help");
    let everywhere = home.ca(&["--help"]).ok().out;
    let (_, everywhere) = everywhere.split_once("Everywhere:\n").unwrap();
    let everywhere = everywhere.split("\n\n").next().unwrap();
    let help = format!("{}\n{everywhere}", home.ca(&above).ok().out);
    let lines = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
    let takes = lines.filter(|line| line.contains(" <") || line.contains("[=<"));
    let name = |line: &str| {
        let at = line.find("--")?;
        Some(line[at..].split([' ', '[', '=', ',']).next()?.to_owned())
    };
    takes.filter_map(name).collect()
}

#[test]
fn no_command_panics_whatever_its_options_and_arguments_are() {
    let fixture = home();
    let rows = commands(&fixture);
    each(
        &rows,
        |row| row.0.to_owned(),
        |row| {
            let home = fixture.copied();
            let options = options(&home, row);
            assert!(options.contains(&"--home".to_owned()), "{}: {options:?}", row.0);
            for value in values() {
                for option in &options {
                    let mut all = words(row, b"beside");
                    all.push(OsString::from(format!("{option}=")));
                    all.last_mut().unwrap().push(of(&value));
                    let what = format!("{} {option} {}", row.0, shown(&value));
                    did_not_panic(&Said::of(command(&home, &all).output().unwrap()), &what);
                }
                let all = words(row, b"beside");
                let fixed = row.0.split(' ').count();
                for at in fixed..=all.len() {
                    let mut all = all.clone();
                    all.truncate(at);
                    all.push(of(&value).to_owned());
                    let what = format!("{} {at} {}", row.0, shown(&value));
                    did_not_panic(&Said::of(command(&home, &all).output().unwrap()), &what);
                }
            }
        },
    );
}

#[test]
fn no_command_panics_whatever_is_in_its_environment() {
    let fixture = home();
    let rows = commands(&fixture);
    let wanted = [
        "status",
        "sign",
        "backup restore",
        "ocsp query",
        "export truststore",
        "man",
        "quickstart",
        "create-request",
    ];
    let rows: Vec<&Row> = rows.into_iter().filter(|row| wanted.contains(&row.0)).collect();
    assert_eq!(rows.len(), wanted.len());
    let cases: Vec<(&Row, &str)> =
        rows.iter().flat_map(|row| VARIABLES.iter().map(|name| (*row, *name))).collect();
    each(
        &cases,
        |(row, name)| format!("{} {name}", row.0),
        |(row, name)| {
            let home = fixture.copied();
            for value in values() {
                let ran = command(&home, &words(row, b"beside")).env(name, of(&value)).output().unwrap();
                did_not_panic(&Said::of(ran), &format!("{} {name}={}", row.0, shown(&value)));
            }
            let ran = command(&home, &words(row, b"beside")).env_remove(name).output().unwrap();
            did_not_panic(&Said::of(ran), &format!("{} without {name}", row.0));
        },
    );
}

#[test]
fn the_daemon_does_not_panic_whatever_it_is_given() {
    let home = home();
    let started = |words: &[&OsStr], variable: Option<&str>, what: &str| {
        let mut command = Command::new("timeout");
        command.args(["-s", "TERM", "0.3", OCSPD, "--listen", "127.0.0.1:0"]).args(words);
        command.env("GENFIC_CA_HOME", home.path("home")).stdin(Stdio::null());
        command.envs(variable.map(|name| (name, of(b"\xff\n"))));
        let said = ends(&mut command, what);
        // 124: it served until it was told to end
        assert!((0..=13).contains(&said.status) || said.status == 124, "{what}: {}", said.all());
        assert!(!said.all().contains("panicked"), "{what}: {}", said.all());
    };
    for value in values() {
        for option in ["--home", "--config", "--listen", "--status"] {
            started(&[option.as_ref(), of(&value)], None, &format!("{option} {}", shown(&value)));
        }
    }
    for name in VARIABLES.iter().filter(|name| **name != "PATH") {
        started(&[], Some(name), name);
    }
}
