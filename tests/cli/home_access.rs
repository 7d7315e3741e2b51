//! Homes: made twice, missing, loose, somebody else's, tampered with; and what repeats.
use crate::refused;
use crate::support::{Home, is_root};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Stdio};

#[test]
fn init_and_create_root_can_be_repeated_and_say_so() {
    // G22
    let home = Home::new();
    let config = fs::read_to_string(home.path("home/genfic-ca.toml")).unwrap();
    let again = home.ca(&["init", "--org", "Other", "--json"]).ok().json();
    assert_eq!(again["changed"], false);
    assert_eq!(fs::read_to_string(home.path("home/genfic-ca.toml")).unwrap(), config);
    home.ca(&["create-root", "genfic"]).ok();
    let key = fs::read(home.path("home/keys/genfic.age")).unwrap();
    refused(&home.ca(&["create-root", "genfic"]), 4, "authority.exists");
    refused(
        &home.ca(&["create-child", "genfic", "-p", "genfic", "--profile", "sub-ca"]),
        4,
        "authority.exists",
    );
    assert_eq!(fs::read(home.path("home/keys/genfic.age")).unwrap(), key);
    refused(&home.ca(&["create-child", "x", "-p", "none"]), 5, "authority.not-found");
    refused(&home.ca(&["create-child", "Bad Name", "-p", "genfic"]), 2, "usage.authority-name");
}

#[test]
fn a_home_that_is_missing_loose_or_somebody_elses_is_told_with_the_remedy() {
    // P2
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    refused(&home.ca(&["--home", "none", "status"]), 5, "home.missing");
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(home.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("home/keys/genfic.age", 0o644);
    mode("home/index.db", 0o666);
    let loose = home.ca(&["status"]);
    refused(&loose, 10, "home.unsafe");
    let remedies: Vec<&str> = loose.err.lines().filter_map(|line| line.strip_prefix("run: ")).collect();
    assert_eq!(remedies.len(), 2, "{}", loose.err);
    for remedy in remedies {
        home.run(&["sh", "-c", remedy]).ok();
    }
    home.ca(&["status"]).ok();
    if chown(home.path("home"), Some(12345), None).is_ok() {
        let said = home.ca(&["status"]);
        refused(&said, 10, "home.wrong-user");
        assert!(said.err.contains("sudo -u '#12345'"), "{}", said.err);
    }
}

#[test]
fn a_group_that_others_are_in_reads_no_responder_key_and_doctor_mends_what_it_could_read() {
    // K1, P2
    if !is_root() {
        return;
    }
    let home = Home::new();
    // the group `users` of Debian
    home.shell("cp $(command -v genfic-ca) $(command -v genfic-signer) .").ok();
    home.shell("chgrp -R 100 . && chown -R 12345 . && chmod 755 .").ok();
    let run = |words: &[&str]| {
        let mut all = vec!["setpriv", "--reuid=12345", "--regid=100", "--clear-groups", "./genfic-ca"];
        all.extend(words);
        home.shell(&all.join(" "))
    };
    let modes = || {
        home.shell(
            "stat -c %a home/ocsp/genfic-user/responder.key home/ocsp/genfic-user home/ocsp home/status",
        )
        .ok()
        .out
    };
    run(&["create-root", "genfic"]).ok();
    home.shell("chmod 2750 home/ocsp home/status").ok();
    run(&["create-child", "genfic-user", "-p", "genfic"]).ok();
    assert_eq!(modes(), "600\n2700\n2750\n2750\n");
    home.shell("chmod 640 home/ocsp/genfic-user/responder.key; chmod 2750 home/ocsp/genfic-user").ok();
    run(&["crl", "publish", "--all"]).ok();
    let said = run(&["doctor"]);
    assert!(said.status == 12 && said.out.matches("(home.shared)").count() == 4, "{}", said.all());
    assert!(said.out.contains("can be read by the group users"), "{}", said.out);
    let mended = run(&["doctor", "--fix"]).ok();
    assert!(!mended.out.contains("home.shut"), "{}", mended.out);
    assert_eq!(modes(), "600\n2700\n2700\n2700\n");
    assert_eq!(run(&["doctor"]).ok().out.lines().last(), Some("nothing is wrong"));
    run(&["ocsp", "responder", "genfic-user"]).ok();
    assert_eq!(modes(), "600\n2700\n2700\n2700\n", "nor when it is renewed");
}

#[test]
fn a_changed_index_is_exit_13() {
    // G15
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    home.ca(&["audit", "verify"]).ok();
    let change = "update audit set event = cast(replace(cast(event as text), 'genfic', 'gonfic') as blob) where sequence = 2";
    home.run(&["sqlite3", "home/index.db", change]).ok();
    refused(&home.ca(&["audit", "verify"]), 13, "audit.broken");
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is_one() {
    let home = Home::new();
    for words in [&["--help"][..], &["lint", "--rules"], &["audit", "show", "--json"]] {
        let mut child = home.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{words:?}");
    }
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = home.command(&["status"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be written"));
}

#[test]
fn quiet_verbose_and_colour_are_as_they_are_called() {
    let home = Home::new();
    let quiet = home.ca(&["--quiet", "create-root", "genfic"]).ok();
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    let verbose = home.ca(&["--verbose", "crl", "publish", "genfic"]).ok();
    assert!(
        verbose.out.contains("\non record\n") && verbose.out.contains("crl.published"),
        "{}",
        verbose.out
    );
    let mut words = Command::new(crate::support::CA);
    let output = words.args(["sign"]).env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(!output.stderr.contains(&0x1b), "no colour in errors");
    let help = Command::new(crate::support::CA).arg("--help").env("NO_COLOR", "1").output().unwrap();
    assert!(!help.stdout.contains(&0x1b));
    assert_eq!(Command::new(crate::support::CA).output().unwrap().status.code(), Some(2), "help and exit 2");
}

#[test]
fn an_index_that_another_process_holds_is_exit_3_and_nothing_is_lost() {
    // G22
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let mut holder = Command::new("sqlite3")
        .arg(home.path("home/index.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    holder.stdin.as_mut().unwrap().write_all(b"begin immediate;\nselect 'held';\n").unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let said = home.ca(&["crl", "publish", "genfic"]);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert_eq!((line.trim(), said.status), ("held", 3), "{}", said.all());
    assert!(said.err.contains("(exit 3, "), "{}", said.err);
    assert_eq!(home.result(&["crl", "publish", "genfic"])["crls"][0]["number"], 2);
}

#[test]
fn a_command_in_a_directory_that_is_no_home_leaves_nothing_there() {
    let home = Home::new();
    let directory = home.path("documents");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("letter"), "").unwrap();
    for command in ["status", "list", "authorities"] {
        assert_ne!(home.ca(&[command, "--home", "documents"]).status, 0);
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}
