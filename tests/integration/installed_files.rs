//! What is installed: units, scheduled commands, manual pages, completions.
use crate::support::{CA, Home, OCSPD, run, there_is};
use genfic_ca::ocsp::server::{CONNECTION_OCTETS, SOCKET_OCTETS};
use genfic_ca::ocsp::settings::ResponderSettings;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn layout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout").join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(layout(path)).unwrap()
}

fn units(ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(layout("systemd")).unwrap().map(|entry| entry.unwrap().path());
    let mut units: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect();
    units.sort();
    units
}

/// The value of a setting in a unit.
fn setting<'a>(unit: &'a str, key: &str) -> Option<&'a str> {
    unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

#[test]
fn every_unit_and_every_script_of_openrc_is_in_the_package() {
    let package = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let stem = |unit: &PathBuf| unit.file_stem().unwrap().to_str().unwrap().to_owned();
    for unit in ["service", "socket", "timer"].iter().flat_map(|ending| units(ending)) {
        let row = format!("unit-name = \"{}\"", stem(&unit));
        assert!(package.contains(&row), "{row}");
    }
    for directory in ["init.d", "conf.d", "logrotate.d", "system-sleep"] {
        for file in fs::read_dir(layout("openrc").join(directory)).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let row = format!("[\"ca-layout/openrc/{directory}/{name}\", ");
            assert!(package.contains(&row), "{row}");
        }
    }
}

#[test]
fn every_service_is_confined() {
    if !there_is("systemd-analyze") {
        return;
    }
    let services = units("service");
    assert_eq!(services.len(), 6);
    for service in services {
        let said = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
            .arg(&service)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&said.stdout);
        let last =
            told.lines().rev().find(|line| line.contains("Overall exposure level")).unwrap_or_default();
        let level = last.split(": ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
        let level = level.unwrap_or_else(|| panic!("{told}{}", String::from_utf8_lossy(&said.stderr)));
        assert!(said.status.success() && level <= 2.0, "{}: {level}\n{told}", service.display());
    }
}

#[test]
fn the_limit_on_the_daemons_memory_is_the_sum_of_what_its_defaults_can_cost() {
    let unit = text("systemd/genfic-ocspd.service");
    let daemon = genfic_ca::config::Config::default().daemon;
    let answers = usize::try_from(ResponderSettings::default().cache_octets).unwrap();
    let (connections, kib) = (daemon.max_connections, |octets: usize| octets >> 10);
    let mib = |octets: usize| octets >> 20;
    let share = daemon.max_body + CONNECTION_OCTETS;
    for line in [
        format!(
            "#   connections, {connections} x ({} KiB + {} KiB): {} MiB",
            kib(daemon.max_body),
            kib(CONNECTION_OCTETS),
            mib(connections * share)
        ),
        format!(
            "#   the kernel's buffers of connections, {connections} x {} KiB: {} MiB",
            kib(SOCKET_OCTETS),
            mib(connections * SOCKET_OCTETS)
        ),
        format!("#   kept answers ([ocsp] cache): {} MiB", mib(answers)),
    ] {
        assert!(unit.lines().any(|row| row == line), "{line}");
    }
    let amounts = unit.lines().filter_map(|row| {
        row.strip_prefix("#   ")?.strip_suffix(" MiB")?.rsplit_once(": ")?.1.parse::<u64>().ok()
    });
    let amounts: Vec<u64> = amounts.collect();
    assert_eq!(amounts.len(), 5, "{amounts:?}");
    assert_eq!(setting(&unit, "MemoryMax"), Some(format!("{}M", amounts.iter().sum::<u64>()).as_str()));
}

#[test]
fn systemd_waits_longer_for_the_daemon_to_end_than_the_daemon_for_its_clients() {
    let unit = text("systemd/genfic-ocspd.service");
    let daemon = genfic_ca::config::Config::default().daemon;
    let limit = setting(&unit, "TimeoutStopSec").and_then(|text| text.strip_suffix('s')?.parse::<i64>().ok());
    assert!(limit.unwrap() >= daemon.shutdown_timeout + 5, "{limit:?}");
    assert_eq!(setting(&unit, "ExecReload"), Some("/bin/kill -HUP $MAINPID"));
    let rotated = text("logrotate.d/genfic-ocspd");
    let logs = setting(&unit, "LogsDirectory").unwrap();
    assert!(rotated.contains(&format!("/var/log/{logs}/*.log {{")), "{rotated}");
    assert!(rotated.contains("systemctl reload genfic-ocspd.service"), "{rotated}");
}

#[test]
fn no_log_is_rotated_by_two_files() {
    let names = |directory: &str| {
        let entries = fs::read_dir(layout(directory)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<BTreeSet<String>>()
    };
    let logs = |file: &str| {
        let text = text(file);
        let lines = text.lines().filter_map(|line| line.strip_suffix(" {"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    let (all, of_openrc) = (names("logrotate.d"), names("openrc/logrotate.d"));
    assert!(of_openrc.is_subset(&all), "{of_openrc:?} replaces files of {all:?}");
    let with_openrc = all.iter().map(|name| match of_openrc.contains(name) {
        true => logs(&format!("openrc/logrotate.d/{name}")),
        false => logs(&format!("logrotate.d/{name}")),
    });
    let mut with_openrc: Vec<String> = with_openrc.flatten().collect();
    let mut with_systemd: Vec<String> =
        all.iter().flat_map(|name| logs(&format!("logrotate.d/{name}"))).collect();
    for logs in [&mut with_openrc, &mut with_systemd] {
        logs.sort();
        assert_eq!(*logs, ["/var/log/genfic-ca/*.log", "/var/log/genfic-ocspd/*.log"]);
    }
}

/// The units as they are once installed: with programs and manual pages in their places.
#[test]
fn systemd_has_nothing_to_say_about_the_units() {
    if !there_is("systemd-analyze") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for unit in ["service", "socket", "timer"].iter().flat_map(|ending| units(ending)) {
        let text = fs::read_to_string(&unit).unwrap();
        let (ca, ocspd) = (format!("ExecStart={CA} "), format!("ExecStart={OCSPD}\n"));
        let text = text.replace("ExecStart=/usr/bin/genfic-ca ", &ca);
        let text = text.replace("ExecStart=/usr/bin/genfic-ocspd\n", &ocspd);
        let signer = Path::new(CA).with_file_name("genfic-signer");
        let signer = format!("ExecStart={}\n", signer.display());
        let text = text.replace("ExecStart=/usr/bin/genfic-signer\n", &signer);
        let text =
            text.replace("ExecStart=/usr/bin/genfic-signer tokens", &format!("{} tokens", signer.trim()));
        let name = directory.path().join(unit.file_name().unwrap());
        fs::write(&name, text).unwrap();
        names.push(name);
    }
    assert_eq!(names.len(), 13);
    let said = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .args(&names)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&said.stderr);
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("genfic")).collect();
    assert!(said.status.success() && ours.is_empty(), "{told}");
}

#[test]
fn every_page_that_a_unit_names_is_written_and_reads_well() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man");
    let words = ["man", pages.to_str().unwrap()];
    let said = Command::new(CA).args(words).env("SOURCE_DATE_EPOCH", "1767225600").output().unwrap();
    assert!(said.status.success());
    let page = |name: &str| fs::read_to_string(pages.join(name)).unwrap_or_else(|_| panic!("{name}"));
    assert!(page("genfic-ca.1").contains("2026-01-01"));
    for unit in ["service", "socket", "timer"].iter().flat_map(|ending| units(ending)) {
        let text = fs::read_to_string(&unit).unwrap();
        for named in setting(&text, "Documentation").unwrap().split(' ') {
            let (name, section) =
                named.trim_start_matches("man:").trim_end_matches(')').split_once('(').unwrap();
            page(&format!("{name}.{section}"));
        }
    }
    let again = Command::new(CA).args(words).output().unwrap();
    assert!(again.status.success(), "it may be run again");
    if there_is("mandoc") {
        let files: Vec<String> =
            fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
        let words: Vec<&str> = ["mandoc", "-T", "lint", "-W", "warning"]
            .into_iter()
            .chain(files.iter().map(String::as_str))
            .collect();
        let told = run(directory.path(), &words);
        // what clap_mangen writes between the help of an option and its values
        let new: Vec<&str> = told.out.lines().filter(|line| !line.contains("paragraph macro: br ")).collect();
        assert!(new.is_empty(), "{new:#?}");
    }
}

#[test]
fn the_completions_are_taken_by_their_shells() {
    let home = Home::new();
    for (shell, check) in [
        ("bash", "source ./script && complete -p genfic-ca"),
        ("zsh", "autoload -U compinit && compinit -u -D && source ./script && (( $+functions[_genfic-ca] ))"),
        (
            "fish",
            "source ./script && complete -C 'genfic-ca completions zs' >/dev/null && complete genfic-ca",
        ),
    ] {
        let script = home.ca(&["completions", shell]).ok().out;
        assert!(script.contains(&format!("GENFIC_CA_COMPLETE={shell}")), "{shell}");
        fs::write(home.path("script"), script).unwrap();
        if there_is(shell) {
            home.run(&[shell, "-c", check]).ok();
        }
    }
    for (shell, check) in [
        ("bash", "source ./script && complete -p genfic-key"),
        (
            "zsh",
            "autoload -U compinit && compinit -u -D && source ./script && (( $+functions[_genfic-key] ))",
        ),
        ("fish", "source ./script && complete genfic-key"),
    ] {
        let script = home.ca(&["completions", shell, "--program", "genfic-key"]).ok().out;
        assert!(script.contains("rewrap") && script.contains("in-place"), "{shell}: {script}");
        fs::write(home.path("script"), script).unwrap();
        if there_is(shell) {
            home.run(&[shell, "-c", check]).ok();
        }
    }
    // other shells get their commands and options in the script itself
    let script = home.ca(&["completions", "elvish"]).ok().out;
    assert!(script.contains("create-child") && script.contains("passphrase-from"));
    assert_eq!(home.ca(&["completions", "tcsh"]).status, 2);
    let json = home.result(&["completions", "bash"]);
    assert!(json["script"].as_str().unwrap().contains("complete -F"));
}

#[test]
fn timers_and_cron_run_the_commands_of_the_manual() {
    let page = text("doc/automate.md");
    let tried = |command: &str| page.lines().any(|line| line == command);
    let mut commands = Vec::new();
    for timer in units("timer") {
        let service = fs::read_to_string(timer.with_extension("service")).unwrap();
        assert_eq!(setting(&service, "Type"), Some("oneshot"));
        assert_eq!(setting(&service, "User"), Some("genfic-ca"));
        commands.push(setting(&service, "ExecStart").unwrap().trim_start_matches("/usr/bin/").to_owned());
    }
    let cron = text("cron.d/genfic-ca");
    let lines = cron.lines().filter(|line| line.starts_with(|c: char| c == '*' || c.is_ascii_digit()));
    let mut scheduled: Vec<String> = lines
        .map(|line| {
            let (_, command) = line.split_once(" genfic-ca  ").unwrap();
            command.split(" >>").next().unwrap().trim().to_owned()
        })
        .collect();
    commands.sort();
    scheduled.sort();
    assert_eq!(scheduled, commands);
    assert_eq!(commands.len(), 3);
    for command in &commands {
        assert!(tried(command), "{command}");
    }
}

#[test]
fn the_paths_and_users_of_the_layout_are_those_of_the_system_home() {
    let home = genfic_ca::home::Home::system();
    let tmpfiles = text("tmpfiles.d/genfic-ca.conf");
    let work = genfic_ca::home::Home::work_directory();
    let signer = text("systemd/genfic-signer.service");
    let of_signer = Path::new("/var/lib").join(setting(&signer, "StateDirectory").unwrap());
    let directories =
        [home.configuration_directory(), home.directory(), home.log_directory(), work, &of_signer];
    for directory in directories {
        let line = format!("d {} ", directory.display());
        assert!(tmpfiles.lines().any(|row| row.starts_with(&line)), "{line}");
    }
    let daemon = text("systemd/genfic-ocspd.service");
    assert_eq!(
        setting(&daemon, "TemporaryFileSystem"),
        Some(format!("{}:ro", home.directory().display()).as_str())
    );
    let shown = [home.status_directory(), home.responders_directory(), home.public_directory()];
    let bound = daemon.lines().filter_map(|line| line.strip_prefix("BindReadOnlyPaths=")).map(Path::new);
    assert!(bound.eq(shown.iter()), "{daemon}");
    let sysusers = text("sysusers.d/genfic-ca.conf");
    let users: Vec<&str> =
        sysusers.lines().filter_map(|row| row.strip_prefix("u ")?.split_whitespace().next()).collect();
    assert_eq!(users, ["genfic-ca", "genfic-ocsp", "genfic-signer", "genfic-tokens"]);
    let tokens = text("systemd/genfic-signer-tokens.service");
    assert_eq!(setting(&tokens, "User"), Some("genfic-tokens"));
    assert!(tokens.contains("InaccessiblePaths=-/var/lib/genfic-signer"), "{tokens}");
    assert_eq!(setting(&daemon, "User"), Some("genfic-ocsp"));
    assert_eq!(setting(&signer, "User"), Some("genfic-signer"));
    assert!(!signer.contains("Paths="), "no path of a key stands in its unit: the directory is its own");
    let socket = text("systemd/genfic-ocspd.socket");
    let listen = genfic_ca::config::Config::default().daemon.listen;
    assert_eq!(setting(&socket, "ListenStream"), Some(listen[0].to_string().as_str()));
    for unit in units("service") {
        let unit = fs::read_to_string(unit).unwrap();
        for path in unit.lines().filter_map(|line| line.strip_prefix("ReadWritePaths=")) {
            assert_eq!(Path::new(path), home.directory());
        }
    }
}

#[test]
fn the_daemon_needs_no_more_of_a_home_than_its_unit_shows_it() {
    // K2: no key of a CA, no index, nothing that was left beside them
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home.run(&["mkdir", "shown"]).ok();
    let daemon = text("systemd/genfic-ocspd.service");
    for path in daemon.lines().filter_map(|line| line.strip_prefix("BindReadOnlyPaths=/var/lib/genfic-ca/")) {
        home.run(&["cp", "-a", &format!("home/{path}"), "shown/"]).ok();
    }
    home.run(&["cp", "-a", "home/genfic-ca.toml", "shown/"]).ok();
    let daemon = crate::support::Daemon::start(&home.path("shown"), "127.0.0.1:0");
    let said = home.result(&["ocsp", "query", "a.genfic.example", "--url", &daemon.url]);
    assert_eq!(said["status"], "good", "{said}");
    home.run(&["curl", "-sS", "--fail", &format!("{}/readyz", daemon.url)]).ok();
    home.run(&["curl", "-sS", "--fail", "-o", "list", &format!("{}/genfic.crl", daemon.url)]).ok();
}
