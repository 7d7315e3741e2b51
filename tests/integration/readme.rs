//! The README and the manual are true: their `sh` blocks run, one after the other, as they stand.
use crate::service_user::Sudo;
use crate::support::{Daemon, Home, Said};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The address in the documents; the test takes a free one.
const LISTEN: &str = "127.0.0.1:2560";
/// What a reader types who has no package, and the six lines of the first hierarchy.
const FIRST_CA: &str = r#"export PATH="$PWD/target/release:$PATH"
export GENFIC_CA_HOME="$PWD/genfic-home"
genfic-ca init --org "Gentoo Fictional, Inc." --country BE --url http://pki.genfic.example
genfic-ca create-root   genfic
genfic-ca create-child  genfic-user   -p genfic --profile user-ca
genfic-ca create-child  genfic-system -p genfic --profile system-ca
genfic-ca create-request w03443ad.genfic.example --sign -p genfic-system
genfic-ca revoke w03443ad.genfic.example --reason key-compromise
"#;
/// Files that the blocks of a page of the manual leave beside the home, and how many certificates they revoke.
const LEFT: &[(&str, &[&str], usize)] = &[
    (
        "operate.md",
        &["shop.crt", "certificates/b.genfic.example.crt", "bert.crt", "index.txt", "myhostname.crt"],
        4,
    ),
    ("renew.md", &["mail.crt", "new/Amber_McStone.crt"], 0),
    (
        "hand-out.md",
        &["roots.pem", "trust.p12", "amber.p12", "www.conf", "www.genfic.example.haproxy.pem"],
        0,
    ),
    ("install.md", &["web.crt", "roots.pem"], 0),
    ("servers.md", &["all.crl.pem"], 0),
    ("move-in.md", &["genfic-mail.pem", "home/public/old-system.crl"], 0),
    ("backup.md", &["genfic.age", "rebuilt/index.db"], 0),
    // the certificates of the user CA by both generations of the root
    ("troubleshoot.md", &["again/Amber_McStone.crt", "home/public/genfic.crossed.pem"], 2),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// A page of the manual.
fn page(name: &str) -> String {
    fs::read_to_string(root().join("ca-layout/doc").join(name)).unwrap()
}

/// The names of all pages of the manual but its contents.
fn pages() -> Vec<String> {
    let entries = fs::read_dir(root().join("ca-layout/doc")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".md") && name != "README.md");
    names.sort();
    names
}

/// The contents of the fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("\n```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

/// A home and what a reader of one document does beside it.
struct Reader<'a> {
    home: Home,
    /// The home that the document's commands work in.
    at: PathBuf,
    exports: String,
    daemon: Option<Daemon>,
    /// Where each `genfic-ca` is run as the service user.
    sudo: Option<&'a Sudo>,
}

impl<'a> Reader<'a> {
    fn of(home: Home, at: &str) -> Self {
        let at = home.path(at);
        Self { home, at, exports: String::new(), daemon: None, sudo: None }
    }

    /// An administrator in the work directory, or else whoever owns the home.
    fn by(home: Home, sudo: Option<&'a Sudo>) -> Self {
        if let Some(sudo) = sudo {
            sudo.takes(&home);
        }
        Self { sudo, ..Self::of(home, "home") }
    }

    /// Runs a block as it stands, with the programs' directory first in the PATH. What a block exports counts in the
    /// blocks after it, and a daemon that it starts runs until the end.
    fn does(&mut self, block: &str) -> Said {
        let mut lines = self.exports.clone();
        for line in block.lines() {
            if line == format!("genfic-ocspd --listen {LISTEN}") {
                self.daemon = Some(Daemon::start(&self.at, "127.0.0.1:0"));
                continue;
            }
            if line.starts_with("export ") {
                self.exports.push_str(&format!("{line}\n"));
            }
            let address = self.daemon.as_ref().map_or(LISTEN, |one| one.url.trim_start_matches("http://"));
            lines.push_str(&format!("{}\n", line.replace(LISTEN, address)));
        }
        match self.sudo {
            Some(sudo) => sudo.shell(&self.at, self.home.directory(), &lines),
            None => self.home.shell(&lines),
        }
    }

    /// Runs all blocks of a document up to the first that fails, which it tells.
    fn does_all(&mut self, name: &str, text: &str) -> Result<(), String> {
        for block in blocks(text, "sh") {
            let said = self.does(&block);
            if said.status != 0 {
                return Err(format!("{name}:\n{block}{}", said.all()));
            }
        }
        Ok(())
    }
}

#[test]
fn every_shell_block_of_the_readme_runs_as_it_stands() {
    // G1, G2, G3, G11, G12
    let readme = readme();
    let blocks = blocks(&readme, "sh");
    assert_eq!(blocks[0], FIRST_CA);
    assert!(blocks.len() > 4, "{}", blocks.len());
    let home = Home::new();
    fs::rename(home.path("home"), home.path("genfic-home")).unwrap();
    let mut reader = Reader::of(home, "genfic-home");
    reader.does_all("README.md", &readme).unwrap();
    assert!(reader.daemon.is_some());
    let home = reader.at.display().to_string();
    let revoked = reader.home.result(&["--home", &home, "list", "--status", "revoked"]);
    assert_eq!(revoked["certificates"].as_array().unwrap().len(), 2, "{revoked}");
    for file in ["mail.crt", "amber.crt", "amber-2.crt", "roots.pem"] {
        assert!(reader.home.path(file).is_file(), "{file}");
    }
}

#[test]
fn the_readme_has_at_most_200_lines() {
    let lines = readme().lines().count();
    assert!(lines <= 200, "{lines}");
}

#[test]
fn every_shell_block_of_the_manual_runs_in_a_home_of_its_page() {
    // G1, G2, G3, G11, G12
    each_page_runs(None);
}

#[test]
fn every_shell_block_of_the_manual_runs_through_the_service_user_in_the_work_directory() {
    // G1, G2, G3, G11, G12, P2
    if let Some(sudo) = Sudo::new() {
        each_page_runs(Some(&sudo));
    }
}

/// Runs all pages, each in a copy of the home that the contents of the manual make.
fn each_page_runs(sudo: Option<&Sudo>) {
    let mut first = Reader::by(Home::new(), sudo);
    first.does_all("README.md", &page("README.md")).unwrap();
    let mut wrong = Vec::new();
    let mut daemons = 0;
    for name in pages() {
        let mut reader = Reader::by(first.home.copied(), sudo);
        if sudo.is_some() {
            // where media are mounted is root's
            let media = reader.home.path("media");
            fs::create_dir(&media).unwrap();
            fs::set_permissions(media, fs::Permissions::from_mode(0o1777)).unwrap();
        }
        if let Err(problem) = reader.does_all(&name, &page(&name)) {
            wrong.push(problem);
            continue;
        }
        daemons += usize::from(reader.daemon.is_some());
        let Some((_, files, count)) = LEFT.iter().find(|row| row.0 == name) else { continue };
        let gone = files.iter().filter(|file| !reader.home.path(file).is_file());
        wrong.extend(gone.map(|file| format!("{name}: {file} is not there")));
        let revoked = reader.does("genfic-ca list --status revoked --json").ok().json();
        if revoked["result"]["certificates"].as_array().unwrap().len() != *count {
            wrong.push(format!("{name}: {revoked}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(daemons, 1);
    let gone: Vec<&str> =
        LEFT.iter().map(|row| row.0).filter(|name| !pages().contains(&(*name).to_owned())).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn settings_and_objects_in_the_manual_are_taken_as_they_stand() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let config = home.path("home/genfic-ca.toml");
    let shipped = fs::read_to_string(&config).unwrap();
    let (mut settings, mut objects) = (0, 0);
    for name in pages() {
        for block in blocks(&page(&name), "toml") {
            // a section may be there once: the shipped one has nothing but comments
            let begins = |line: &str| line.starts_with('[') && block.lines().any(|one| one == line);
            // but for the cheap work factor of the tests' homes, whose section the block may begin
            let is_cost = |line: &str| line.starts_with("scrypt_log_n");
            let rest: String = shipped
                .lines()
                .filter(|line| !begins(line) && !is_cost(line))
                .map(|line| format!("{line}\n"))
                .collect();
            fs::write(&config, format!("{rest}\n{block}")).unwrap();
            // what a setting asks for is due from then on
            home.ca(&["crl", "publish", "--due"]).ok();
            home.ca(&["status"]).ok();
            settings += 1;
        }
        for block in blocks(&page(&name), "json") {
            let object: serde_json::Value = serde_json::from_str(&block).unwrap();
            fs::write(&config, &shipped).unwrap();
            let said = home.ca(&["--json", object["command"].as_str().unwrap()]).ok().json();
            let names = |value: &serde_json::Value| {
                value.as_object().unwrap().keys().cloned().collect::<Vec<String>>()
            };
            assert_eq!(names(&object), names(&said));
            assert_eq!(object["schema"], said["schema"]);
            objects += 1;
        }
    }
    assert!(settings > 0 && objects > 0, "{settings} {objects}");
}

#[test]
fn the_cron_lines_are_commands_that_are_tried() {
    let page = page("automate.md");
    let tried = blocks(&page, "sh").concat();
    let cron = blocks(&page, "crontab");
    let lines: Vec<&str> = cron[0].lines().collect();
    assert_eq!(lines.len(), 5);
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
fn the_exit_codes_of_the_manual_are_those_of_the_program() {
    use genfic_ca::error::Exit;
    let page = page("automate.md");
    let table = page.split_once("| exit |").unwrap().1.split("\n\n").next().unwrap();
    let codes: Vec<u8> =
        table.lines().filter_map(|line| line.split('|').nth(1)?.trim().parse().ok()).collect();
    let expected: Vec<u8> = std::iter::once(0).chain(Exit::ALL.iter().map(|exit| exit.code())).collect();
    assert_eq!(codes, expected);
}

/// Mode and kind as `ls -l` shows them.
fn shown(path: &Path) -> String {
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
        ["keys", "journal" | "record.db" | "record.db-wal" | "record.db-shm"] => relative.to_owned(),
        ["keys", file] if file.ends_with(".envelope.toml") => "keys/NAME.envelope.toml".into(),
        ["keys", file] => format!("keys/NAME.{}", file.rsplit('.').next().unwrap()),
        ["requests", _] => "requests/NAME.waiting".into(),
        ["issued" | "ocsp", _] => format!("{}/NAME/", parts[0]),
        ["issued", _, _] => "issued/NAME/SERIAL.pem".into(),
        ["ocsp", _, file] => format!("ocsp/NAME/{file}"),
        ["public", file] => format!("public/NAME.{}", file.split_once('.').unwrap().1),
        ["status", file] if file.contains('-') => {
            let (kind, rest) = file.split_once('-').unwrap();
            format!("status/{kind}-N.{}", rest.split_once('.').unwrap().1)
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
    let layout = fs::read_to_string(root().join("ca-layout/README.md")).unwrap();
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
    let split_in_place = "`keys/NAME.shares.toml`";
    let in_a_token = "`keys/pkcs11-DIGEST.mark`";
    let of_ceremonies = ["`requests/NAME.ceremony`", "`requests/NAME.history`"];
    let mut expected = vec!["`/etc/genfic-ca/`", "`~/`", split_in_place, in_a_token];
    expected.extend(of_ceremonies);
    expected.push("`public/NAME.delta.crl`, `public/NAME.delta.crl.pem`");
    assert_eq!(absent, expected);
    assert_eq!(shown(&root), "drwx--x--x");
}

#[test]
fn the_lines_that_the_signer_is_made_of_are_as_many_as_the_manual_says() {
    let counted = Command::new(root().join("tests/core_lines")).output().unwrap();
    let counted = String::from_utf8(counted.stdout).unwrap();
    // the rows of the table, in its order; those with spaces before their names are parts of the first
    let rooms = [
        "signer/ without",
        "signer/listening",
        "signer/token",
        "assembly/",
        "signing/",
        "x509/",
        "profile/",
        "lint/",
        "home/",
    ];
    let number_of = |room: &str| -> f64 {
        let line = counted
            .lines()
            .find(|line| line.trim_start().split_once("  ").is_some_and(|(_, name)| name.starts_with(room)));
        line.unwrap_or_else(|| panic!("{room}")).split_whitespace().next().unwrap().parse().unwrap()
    };
    let manual = page("internals.md");
    let section = manual.split("## How much code opens keys").nth(1).unwrap().split("\n## ").next().unwrap();
    let told = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next()?.replace(',', "").parse::<f64>().ok());
    let told: Vec<f64> = told.collect();
    assert_eq!(told.len(), rooms.len(), "{told:?}");
    for (room, told) in rooms.iter().zip(&told) {
        let now = number_of(room);
        assert!((now - told).abs() <= 0.04 * now, "{room}: the manual says {told}, and there are {now}");
    }
    let sum = section.split("Together that is ").nth(1).unwrap().split(' ').next().unwrap().replace(',', "");
    let sum: f64 = sum.parse().unwrap();
    assert!((sum - told.iter().sum::<f64>()).abs() <= 100.0, "{sum}");
}
