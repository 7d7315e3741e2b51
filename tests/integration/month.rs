//! The table of a month's tasks in the manual is what the script that does them counts.
use crate::support::{CA, run, skipped};
use std::fs;
use std::path::Path;

#[test]
fn the_months_tasks_take_the_commands_and_prompts_that_the_manual_says() {
    // G1, G2, G7, G11
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let version = run(root, &["/usr/share/easy-rsa/easyrsa", "--version"]).all()
        + &run(root, &["openssl", "version"]).all();
    if !version.contains(" 3.1.") || !version.contains("OpenSSL 3.0.") {
        return skipped("the manual's table is that of OpenSSL 3.0 and easy-rsa 3.1, and others are here");
    }
    let programs = Path::new(CA).parent().unwrap().display().to_string();
    let said = run(root, &["tests/bench/month/run", "--programs", &programs]).ok();
    let page = fs::read_to_string(root.join("ca-layout/doc/compare.md")).unwrap();
    let (_, section) = page.split_once("\n## The tasks of a month\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    // rows, and what takes more: the words between them are the page's own
    let is_counted = |line: &&str| line.starts_with("| ") || line.starts_with("- *");
    let told: Vec<&str> = section.lines().filter(is_counted).collect();
    let counted: Vec<&str> = said.out.lines().filter(is_counted).collect();
    assert_eq!(told, counted, "tests/bench/month/run --list tells each command");
    assert!(counted.len() > 11, "{counted:?}");
}
