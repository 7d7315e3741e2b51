//! The README is true: its `sh` blocks run, one after the other, as they stand.
use crate::support::{Daemon, Home};
use std::fs;
use std::path::Path;

/// The address in the README; the test takes a free one.
const LISTEN: &str = "127.0.0.1:2560";
const SIX_LINES: &str = r#"genfic-ca init --org "Gentoo Fictional, Inc." --country BE --url http://pki.genfic.example
genfic-ca create-root   genfic
genfic-ca create-child  genfic-user   -p genfic --profile user-ca
genfic-ca create-child  genfic-system -p genfic --profile system-ca
genfic-ca create-request w03443ad.genfic.example --sign -p genfic-system
genfic-ca revoke w03443ad.genfic.example --reason key-compromise
"#;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The contents of the fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("\n```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

/// Runs shell lines as they stand, with the programs' directory first in the PATH.
fn shell(home: &Home, lines: &str) {
    let programs = Path::new(crate::support::CA).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let like = home.command::<&str>(&[]);
    let mut command = std::process::Command::new("sh");
    command.args(["-euc", lines]).current_dir(home.directory()).env("PATH", path);
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lines}\n{}{said}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn every_shell_block_of_the_readme_runs_as_it_stands() {
    // G1, G2, G3, G11, G12
    let blocks = blocks(&readme(), "sh");
    assert_eq!(blocks[0], SIX_LINES);
    assert!(blocks.len() > 8, "{}", blocks.len());
    let home = Home::new();
    let mut daemon: Option<Daemon> = None;
    for block in &blocks {
        let mut lines = String::new();
        for line in block.lines() {
            if let Some(options) = line.strip_prefix("genfic-ocspd ") {
                assert_eq!(options, format!("--listen {LISTEN}"));
                daemon = Some(home.daemon("127.0.0.1:0"));
                continue;
            }
            let address = daemon.as_ref().map_or(LISTEN, |daemon| daemon.url.trim_start_matches("http://"));
            lines.push_str(&line.replace(LISTEN, address));
            lines.push('\n');
        }
        shell(&home, &lines);
    }
    assert!(daemon.is_some());
    let revoked = home.result(&["list", "--status", "revoked"]);
    // three in the daily tasks, and the three certificates of the user CA in a run-book
    assert_eq!(revoked["certificates"].as_array().unwrap().len(), 6, "{revoked}");
    for file in [
        "mail.crt",
        "certificates/b.genfic.example.crt",
        "myhostname.crt",
        "index.txt",
        "amber.crt",
        "new/b.genfic.example.crt",
        "again/Amber_McStone.crt",
    ] {
        assert!(home.path(file).is_file(), "{file}");
    }
}

#[test]
fn the_cron_lines_are_commands_that_are_tried() {
    let readme = readme();
    let tried = blocks(&readme, "sh").concat();
    let cron = blocks(&readme, "crontab");
    let lines: Vec<&str> = cron[0].lines().collect();
    assert_eq!(lines.len(), 4);
    for line in lines {
        let command = &line[line.find("genfic-ca").unwrap()..];
        assert!(tried.lines().any(|line| line == command), "{command}");
    }
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let commands = &blocks(&readme(), "console")[0];
    let expected = "$ cargo build --release && target/release/genfic-ca quickstart\n$ ./tests/run\n";
    assert_eq!(commands, expected);
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_program() {
    use genfic_ca::error::Exit;
    let readme = readme();
    let table = readme.split_once("| exit |").unwrap().1.split("\n\n").next().unwrap();
    let codes: Vec<u8> =
        table.lines().filter_map(|line| line.split('|').nth(1)?.trim().parse().ok()).collect();
    let expected: Vec<u8> = std::iter::once(0).chain(Exit::ALL.iter().map(|exit| exit.code())).collect();
    assert_eq!(codes, expected);
}

/// Mode and kind as `ls -l` shows them.
fn shown(path: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::symlink_metadata(path).unwrap();
    let mode = metadata.permissions().mode();
    let mut text = String::from(if metadata.is_dir() { "d" } else { "-" });
    for (at, letter) in "rwxrwxrwx".chars().enumerate() {
        text.push(if mode >> (8 - at) & 1 == 1 { letter } else { '-' });
    }
    if mode & 0o2000 != 0 {
        text.replace_range(6..7, "s");
    }
    text
}

fn below(directory: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        into.push(path.clone());
        if path.is_dir() {
            below(&path, into);
        }
    }
}

/// A path of the home as the table writes it.
fn pattern(relative: &str) -> String {
    let parts: Vec<&str> = relative.split('/').collect();
    match parts.as_slice() {
        ["keys", file] => format!("keys/NAME.{}", file.rsplit('.').next().unwrap()),
        ["requests", _] => "requests/NAME.waiting".into(),
        ["issued" | "ocsp", _] => format!("{}/NAME/", parts[0]),
        ["issued", _, _] => "issued/NAME/SERIAL.pem".into(),
        ["ocsp", _, file] => format!("ocsp/NAME/{file}"),
        ["public", file] => format!("public/NAME.{}", file.split_once('.').unwrap().1),
        ["status", file] if file.ends_with(".db") => {
            format!("status/{}-N.db", file.split('-').next().unwrap())
        }
        ["policy", file] if *file != "README.md" => {
            format!("policy/PROFILE.{}", file.split_once('.').unwrap().1)
        }
        ["policy" | "keys" | "requests" | "issued" | "ocsp" | "public" | "status"] => format!("{relative}/"),
        _ => relative.to_owned(),
    }
}

#[test]
fn every_file_of_a_home_is_in_the_layout_with_its_mode() {
    // K1, P2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["renew-ca", "genfic", "--rekey"]).ok();
    home.ca(&["create-child", "far-user", "--csr-only"]).ok();
    let layout = Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/README.md");
    let layout = fs::read_to_string(layout).unwrap();
    let (home_rows, _) = layout.split_once("\n## What is installed\n").unwrap();
    let rows: Vec<Vec<&str>> = home_rows
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let root = home.path("home");
    let mut paths = Vec::new();
    below(&root, &mut paths);
    assert!(paths.len() > 40);
    let mut seen = std::collections::BTreeSet::new();
    for path in &paths {
        let name = format!("`{}`", pattern(path.strip_prefix(&root).unwrap().to_str().unwrap()));
        let row = rows.iter().find(|row| row[1].split(", ").any(|path| path == name));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
        assert_eq!(row[2], format!("`{}`", shown(path)), "{}", path.display());
        seen.insert(row[1]);
    }
    let absent: Vec<&str> = rows.iter().map(|row| row[1]).filter(|name| !seen.contains(name)).collect();
    assert_eq!(absent, ["`/etc/genfic-ca/`", "`~/`"]);
    assert_eq!(shown(&root), "drwx--x--x");
}
