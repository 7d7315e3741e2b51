//! The same for `genfic-key`.
use super::{did_not_panic, of, shown};
use crate::support::{Home, KEY, Said, listed_commands};
use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

/// A command, and words with which it works in the home of [`home`].
const ROWS: &[(&str, &str)] = &[
    ("rewrap", "genfic --new-passphrase-from env:GENFIC_TEST_PASSPHRASE"),
    ("open", "genfic --identity identity.txt"),
    ("split", "genfic --shares 3 --threshold 2 --to shares"),
    ("combine", "s/genfic.age --check --share s/genfic-share-1-of-3.txt --share s/genfic-share-3-of-3.txt"),
    ("page", "genfic -o page.pdf"),
    ("export-bundle", "genfic --service --to medium --yes --policy home/policy --socket none.socket"),
];

/// Those that are for a key of the signer that listens alone, of which there is none, or for one that has recipients.
const NOT_HERE: &[&str] = &["open", "export-bundle"];

/// What is done to a command, as the shell line that runs it.
const AROUND: &[&str] = &[
    "exec \"$@\" >&-",
    "exec \"$@\" <&- >&- 2>&-",
    "exec \"$@\" >/dev/full 2>/dev/full",
    "\"$@\" | :",
    "unset HOME PATH LANG USER TERM; exec \"$@\"",
    "mkdir gone; cd gone; rmdir ../gone; exec \"$@\"",
];

fn custody<S: AsRef<OsStr>>(home: &Home, words: &[S]) -> Command {
    let mut command = Command::new(KEY);
    command.args(words).current_dir(home.directory()).stdin(Stdio::null());
    for (name, value) in home.command::<&str>(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    command
}

fn words(row: &(&str, &str)) -> Vec<OsString> {
    std::iter::once(row.0).chain(row.1.split(' ')).map(OsString::from).collect()
}

fn home() -> Home {
    let home = Home::new();
    home.ca(&["create-root", "genfic", "--key", "p256"]).ok();
    let split = ["split", "genfic", "--shares", "3", "--threshold", "2", "--to", "s"];
    Said::of(custody(&home, &split).output().unwrap()).ok();
    let help = Said::of(custody(&home, &["--help"]).output().unwrap()).ok().out;
    let all: Vec<&str> = ROWS.iter().map(|row| row.0).collect();
    assert_eq!(listed_commands(&help), all, "each command has a row");
    home
}

#[test]
fn no_command_of_custody_panics_whatever_its_options_and_arguments_are() {
    let fixture = home();
    for row in ROWS {
        let said = Said::of(custody(&fixture.copied(), &words(row)).output().unwrap());
        assert_eq!(said.status == 0, !NOT_HERE.contains(&row.0), "{}", said.all());
        let home = fixture.copied();
        let help = Said::of(custody(&home, &[row.0, "--help"]).output().unwrap()).ok().out;
        let lines = help.lines().map(str::trim).filter(|line| line.starts_with('-') && line.contains(" <"));
        let options = lines.filter_map(|line| line[line.find("--")?..].split(' ').next().map(str::to_owned));
        for option in options {
            for value in [&b"\xff\xfe\n\x1b[2J"[..], &[b'9'; 300]] {
                let mut all = words(row);
                all.push(OsString::from(format!("{option}=")));
                all.last_mut().unwrap().push(of(value));
                let what = format!("{} {option} {}", row.0, shown(value));
                did_not_panic(&Said::of(custody(&home, &all).output().unwrap()), &what);
                let argument = [OsString::from(row.0), of(value).to_owned()];
                did_not_panic(&Said::of(custody(&home, &argument).output().unwrap()), &what);
            }
        }
    }
}

#[test]
fn no_command_of_custody_panics_whatever_its_streams_and_surroundings_are() {
    let fixture = home();
    for row in ROWS {
        for line in AROUND {
            let home = fixture.copied();
            let like = custody(&home, &words(row));
            let mut shell = Command::new("sh");
            shell.args(["-c", line, "sh"]).arg(like.get_program()).args(like.get_args());
            shell.current_dir(home.directory()).stdin(Stdio::null());
            for (name, value) in like.get_envs() {
                shell.env(name, value.unwrap());
            }
            did_not_panic(&Said::of(shell.output().unwrap()), &format!("{} with {line}", row.0));
        }
    }
}
