//! The demonstration: every command that it prints says what it is said to say.
use crate::support::{CA, Daemon, run, skipped};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::time::Instant;

#[test]
fn quickstart_shows_what_it_says_and_openssl_agrees() {
    // G7: the responder answers good and revoked; P15: chains verify
    let directory = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let output = Command::new(CA)
        .args(["quickstart", "--no-serve", "--json", "--dir", "demo"])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    println!("quickstart took {} ms", begun.elapsed().as_millis());
    let result = serde_json::from_str::<serde_json::Value>(&text).unwrap()["result"].clone();
    let listen = result["url"].as_str().unwrap().trim_start_matches("http://");
    let _daemon = Daemon::start(&directory.path().join("demo"), listen);
    let checks = result["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 6);
    for check in checks {
        assert_eq!(check["passed"], true, "{check}");
        let said = run(directory.path(), &["sh", "-c", check["command"].as_str().unwrap()]);
        assert!(said.all().contains(check["expect"].as_str().unwrap()), "{check}\n{}", said.all());
    }
}

#[test]
fn the_lines_that_quickstart_prints_can_be_pasted_from_anywhere() {
    let directory = tempfile::tempdir().unwrap();
    let beneath = directory.path().join("with blanks and 'quotes'");
    std::fs::create_dir(&beneath).unwrap();
    let output = Command::new(CA)
        .args(["quickstart", "--no-serve"])
        .current_dir(&beneath)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let (_, lines) = text.split_once("look around, in any terminal:\n").unwrap();
    let lines: Vec<&str> = lines.lines().map_while(|line| line.strip_prefix("  ")).collect();
    assert!(lines.len() > 5 && lines.iter().any(|line| line.ends_with("audit show")), "{text}");
    let pasted = Command::new("sh")
        .args(["-ec", &lines.join("\n")])
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&pasted.stdout);
    assert!(pasted.status.success(), "{}", String::from_utf8_lossy(&pasted.stderr));
    for told in ["w03443ad.genfic.example", "└─ genfic-user", "quickstart", "www.genfic.example"] {
        assert!(said.contains(told), "{told}\n{said}");
    }
    assert!(beneath.join("genfic-demo/www.genfic.example.crt").is_file());
    let verify = text.lines().find_map(|line| line.trim().strip_prefix("openssl verify")).unwrap();
    let said = run(std::path::Path::new("/"), &["sh", "-c", &format!("openssl verify{verify}")]);
    assert!(said.out.contains("OK"), "{}", said.all());
}

#[test]
fn quickstart_leaves_a_directory_that_is_not_empty_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("precious"), "x").unwrap();
    let said = run(directory.path(), &[CA, "quickstart", "--no-serve", "--dir", "."]);
    assert_eq!(said.status, 4, "{}", said.all());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn the_daemon_of_the_demonstration_is_started_without_a_secret() {
    // K2: what the caller has in the environment for CA keys is none of its business
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(CA)
        .args(["quickstart", "--dir", "demo"])
        .current_dir(directory.path())
        .env("GENFIC_CA_PASSPHRASE_FROM", "env:OF_THE_ROOT")
        .env("OF_THE_ROOT", "not to be seen")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let serving = lines.any(|line| line.unwrap().starts_with("listening on "));
    let program = std::fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap();
    // for root alone: nobody else sees the variables of a process that is not dumpable
    let variables = std::fs::read(format!("/proc/{}/environ", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(serving && program.trim() == "genfic-ocspd", "{program}");
    if let Ok(variables) = variables.inspect_err(|_| skipped("nobody but root sees the daemon's variables")) {
        let variables = String::from_utf8_lossy(&variables).into_owned();
        assert!(variables.contains("PATH="), "{variables}");
        for never in ["PASSPHRASE", "OF_THE_ROOT", "not to be seen"] {
            assert!(!variables.contains(never), "{variables}");
        }
    }
}

#[test]
fn a_directory_that_cannot_be_written_in_a_command_is_refused_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    for name in [&b"caf\xe9"[..], b"a\nb"] {
        let name = OsStr::from_bytes(name);
        let command = [OsStr::new("quickstart"), OsStr::new("--no-serve"), OsStr::new("--dir"), name];
        let output = Command::new(CA).args(command).current_dir(directory.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
