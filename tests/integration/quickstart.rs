//! The demonstration: every command that it prints says what it is said to say.
use crate::support::{CA, Daemon, run};
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
fn quickstart_leaves_a_directory_that_is_not_empty_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("precious"), "x").unwrap();
    let said = run(directory.path(), &[CA, "quickstart", "--no-serve", "--dir", "."]);
    assert_eq!(said.status, 4, "{}", said.all());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
