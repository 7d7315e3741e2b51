//! Tables on a terminal of 24 lines and 80 columns, and elsewhere.
use crate::support::{CA, Home};
use std::num::NonZeroU16;
use std::process::{Command, Stdio};

/// What a terminal shows.
struct Shown {
    lines: Vec<String>,
    /// Whether a line was too long for it.
    wrapped: bool,
    octets: String,
}

/// Runs a command on a terminal of so many columns.
#[track_caller]
fn shown(home: &Home, columns: u16, words: &str, environment: &[(&str, &str)]) -> Shown {
    let line = format!("stty rows 24 columns {columns}; {CA} {words}");
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(home.directory()).env("TERM", "xterm");
    for (name, value) in home.command::<&str>(&[]).get_envs().filter(|(name, _)| *name != "NO_COLOR") {
        command.env(name, value.unwrap());
    }
    command.env_remove("NO_COLOR").env_remove("COLUMNS").envs(environment.iter().copied());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let mut terminal = vt100::Parser::new(NonZeroU16::new(24).unwrap(), NonZeroU16::new(columns).unwrap(), 0);
    terminal.process(&output.stdout);
    let screen = terminal.screen();
    Shown {
        lines: screen.contents().lines().map(|line| line.trim_end().to_owned()).collect(),
        wrapped: (0..24).any(|row| screen.row_wrapped(row)),
        octets: String::from_utf8_lossy(&output.stdout).into_owned(),
    }
}

fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["w03443ad.genfic.example", "a-name-that-is-rather-long-for-a-table.intranet.genfic.example"]
    {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system"]).ok();
    }
    home.ca(&["revoke", "w03443ad.genfic.example"]).ok();
    home
}

#[test]
fn no_table_is_wider_than_the_terminal() {
    let home = home();
    for words in ["list", "authorities", "authorities --tree", "audit show --last 12", "lint --rules"] {
        for columns in [80, 100] {
            let shown = shown(&home, columns, words, &[]);
            assert!(!shown.wrapped, "{words} at {columns}\n{}", shown.lines.join("\n"));
            assert!(shown.lines.len() > 3, "{words}\n{}", shown.octets);
        }
    }
    let status = shown(&home, 80, "status", &[]);
    let row = status.octets.lines().find(|line| line.starts_with("genfic-user ")).unwrap();
    assert!(status.octets.starts_with("NAME ") && row.contains(" until 20"), "{}", status.octets);
}

#[test]
fn subjects_are_told_apart_and_outcomes_are_told_in_a_narrow_terminal() {
    let home = home();
    for words in ["list --type ca", "authorities"] {
        let lines = shown(&home, 80, words, &[]).lines.join("\n");
        assert!(lines.contains("CN=genfic-user") && lines.contains("CN=genfic-system"), "{words}\n{lines}");
    }
    let long = format!("{}.genfic.example", "w".repeat(60));
    assert_ne!(home.ca(&["create-request", &long, "--sign", "-p", "genfic"]).status, 0);
    assert_ne!(home.ca(&["revoke", &long]).status, 0);
    for columns in [80, 120] {
        let audit = shown(&home, columns, "audit show", &[]);
        let lines = audit.lines.join("\n");
        assert!(!audit.wrapped && audit.lines[0].contains("OUTCOME"), "{columns}\n{lines}");
        assert!(lines.contains(" done") && lines.contains(" refused "), "{columns}\n{lines}");
        assert!(lines.contains("www"), "{columns}: a long object is in it\n{lines}");
    }
}

#[test]
fn a_list_at_eighty_columns_has_short_serial_numbers_and_says_what_it_leaves_out() {
    let home = home();
    let shown = shown(&home, 80, "list -p genfic-system --profile system", &[]);
    let heading: Vec<&str> = shown.lines[0].split_whitespace().collect();
    assert_eq!(heading, ["CERT", "STATUS", "UNTIL", "PROFILE", "SUBJECT"]);
    assert_eq!(shown.lines.last().unwrap(), "(--wide shows NAMES too)");
    let row = shown.lines.iter().find(|line| line.contains("revoked")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    let (name, serial) = cells[0].split_once('/').unwrap();
    assert_eq!((name, serial.len()), ("genfic-system", 8), "{row}");
    let whole = home.result(&["list", "--status", "revoked"])["certificates"][0]["serial"].clone();
    assert!(whole.as_str().unwrap().starts_with(serial), "{whole} {serial}");
    assert!(cells[2].len() == 10 && cells[2].starts_with("20"), "{row}");
    assert!(shown.lines.iter().any(|line| line.ends_with('…')), "{}", shown.lines.join("\n"));
}

#[test]
fn wide_and_what_is_no_terminal_show_everything() {
    let home = home();
    let list = home.ca(&["list"]).ok().out;
    let serial = home.result(&["list"])["certificates"][0]["serial"].as_str().unwrap().to_owned();
    let until = list.lines().nth(1).unwrap().split_whitespace().nth(2).unwrap();
    assert!(until.len() == 17 && until.ends_with('Z') && until.matches(':').count() == 1, "{until}");
    assert!(list.contains(&serial) && list.contains("NAMES") && !list.contains('…'), "{list}");
    let wide = shown(&home, 80, "list --wide", &[("NO_COLOR", "1")]);
    for (whole, row) in wide.octets.lines().zip(list.lines()) {
        assert!(whole.starts_with(row), "{whole}\n{row}");
    }
    assert!(wide.octets.contains("FINGERPRINT") && !wide.octets.contains("--wide"), "{}", wide.octets);
    assert!(!home.ca(&["list"]).ok().out.contains("--wide"));
}

#[test]
fn the_columns_that_are_set_count_before_those_of_the_terminal() {
    let home = home();
    let wider = shown(&home, 80, "list", &[("COLUMNS", "300")]);
    assert!(wider.octets.contains("NAMES"), "{}", wider.octets);
    let piped = home.command(&["list"]).env("COLUMNS", "40").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&piped.stdout), home.ca(&["list"]).out);
}

#[test]
fn status_words_have_colours_on_a_terminal_and_nowhere_else() {
    let home = home();
    let list = shown(&home, 80, "list", &[]).octets;
    assert!(list.contains("\x1b[32mvalid\x1b[0m") && list.contains("\x1b[31mrevoked\x1b[0m"), "{list}");
    let error = shown(&home, 80, "show none", &[]).octets;
    assert!(error.contains("\x1b[31merror:\x1b[0m "), "{error}");
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        for words in ["list", "show none"] {
            let plain = shown(&home, 80, words, &[environment]).octets;
            assert!(!plain.contains('\x1b'), "{environment:?} {plain}");
        }
    }
    let json = shown(&home, 80, "--json list", &[]).octets;
    assert!(!json.contains('\x1b'), "{json}");
    let piped = home.command(&["list"]).env_remove("NO_COLOR").env("TERM", "xterm").output().unwrap();
    assert!(!piped.stdout.contains(&0x1b));
}

#[test]
fn names_that_others_chose_bring_no_colour() {
    let home = home();
    let subject = "/CN=red \u{1b}[31mand\u{1b}[0m so on";
    home.run(&[
        "openssl", "req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "red.key", "-out", "red.req",
        "-utf8", "-subj", subject,
    ])
    .ok();
    let shown = shown(&home, 80, "show red.req", &[]).octets;
    assert!(shown.contains(r"red \u{1b}[31mand") && !shown.contains('\u{1b}'), "{shown}");
}
