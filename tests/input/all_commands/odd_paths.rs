//! Files and homes in places with odd names: every command does there what it does elsewhere.
use super::{Row, command, commands, did_not_panic, each, home, of, shown, words};
use crate::support::{Home, Said};
use std::fs;

/// Names of directories: not UTF-8, of several lines, as an option begins, as long as a name may be.
fn odd() -> Vec<Vec<u8>> {
    vec![b"d\xff\xfe".to_vec(), b"a\nb\x1b[2J".to_vec(), b"-rf".to_vec(), vec![b'x'; 255]]
}

/// Runs it with what is beside the home there.
fn run(fixture: &Home, row: &Row, beside: &[u8]) -> (Home, Said) {
    let home = fixture.copied();
    fs::rename(home.path("beside"), home.path("").join(of(beside))).unwrap();
    // what begins with a dash is said as everybody has to
    let typed = if beside.starts_with(b"-") { [b"./", beside].concat() } else { beside.to_vec() };
    let said = Said::of(command(&home, &words(row, &typed)).output().unwrap());
    (home, said)
}

#[test]
fn every_command_takes_files_and_directories_of_every_name() {
    let fixture = home();
    let rows = commands(&fixture);
    let cases: Vec<(&Row, Vec<u8>)> = rows
        .iter()
        .filter(|row| row.1.contains('@'))
        .flat_map(|row| odd().into_iter().map(|name| (*row, name)))
        .collect();
    each(
        &cases,
        |(row, name)| format!("{} in {}", row.0, shown(name)),
        |(row, name)| {
            let (home, said) = run(&fixture, row, name);
            did_not_panic(&said, row.0);
            // what names a certificate in other ways too is text; such a file is given on standard input
            let is_text = said.status == 2 && said.err.contains("invalid UTF-8");
            assert!(row.2.contains(&said.status) || row.2.is_empty() || is_text, "{}", said.all());
            assert_eq!(home.ca(&["audit", "verify"]).status, 0);
        },
    );
}

#[test]
fn every_command_says_one_json_object_about_paths_that_are_no_utf8() {
    let fixture = home();
    let rows = commands(&fixture);
    let rows: Vec<&Row> = rows.into_iter().filter(|row| row.1.contains('@')).collect();
    each(
        &rows,
        |row| row.0.to_owned(),
        |row| {
            let name = b"d\xff";
            let home = fixture.copied();
            fs::rename(home.path("beside"), home.path("").join(of(name))).unwrap();
            let said = Said::of(command(&home, &words(row, name)).arg("--json").output().unwrap());
            did_not_panic(&said, row.0);
            let object = said.json().to_string();
            // what is told of the path is told in both ways, where it is told in a field of its own
            let told = object.matches("d\u{fffd}/").count();
            let octets = object.matches("64ff2f").count();
            assert!(octets > 0 || told == 0, "{}: {object}", row.0);
        },
    );
}

#[test]
fn a_home_in_a_directory_of_every_name_is_a_home() {
    let fixture = home();
    let rows = commands(&fixture);
    let cases: Vec<(&Row, Vec<u8>)> =
        rows.iter().flat_map(|row| odd().into_iter().map(|name| (*row, name))).collect();
    each(
        &cases,
        |(row, name)| format!("{} with a home in {}", row.0, shown(name)),
        |(row, name)| {
            let copy = fixture.copied();
            let place = copy.path("").join(of(name));
            fs::rename(copy.path("home"), &place).unwrap();
            let ran = command(&copy, &words(row, b"beside")).env("GENFIC_CA_HOME", &place).output().unwrap();
            let said = Said::of(ran);
            did_not_panic(&said, row.0);
            assert!(row.2.contains(&said.status) || row.2.is_empty(), "{}: {}", row.0, said.all());
        },
    );
}
