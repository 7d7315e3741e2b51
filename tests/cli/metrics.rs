//! `metrics`: numbers for the node exporter.
use crate::support::{Home, there_is};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

#[track_caller]
fn value(page: &str, line: &str) -> i64 {
    let found = page.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' '));
    found.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no {line} in\n{page}"))
}

#[test]
fn the_numbers_are_what_is_on_record_and_as_prometheus_reads_them() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "w.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["create-request", "x.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["revoke", "x.genfic.example"]).ok();
    let page = home.ca(&["metrics"]).ok().out;
    let counted = |line: &str| value(&page, &format!("genfic_ca_{line}"));
    assert_eq!(counted("certificates{ca=\"genfic-system\",status=\"revoked\"}"), 1);
    // a responder and w.genfic.example
    assert_eq!(counted("certificates{ca=\"genfic-system\",status=\"valid\"}"), 2);
    assert_eq!(counted("certificates{ca=\"genfic-user\",status=\"revoked\"}"), 0);
    assert_eq!((counted("ready"), counted("crl_due{ca=\"genfic-system\"}")), (1, 0));
    assert_eq!((counted("findings{severity=\"error\"}"), counted("clock_trusted")), (0, 1));
    for ca in ["genfic-system", "genfic-user"] {
        let now = counted("metrics_timestamp_seconds");
        for name in ["authority_not_after", "crl_next_update", "responder_not_after"] {
            assert!(counted(&format!("{name}_timestamp_seconds{{ca=\"{ca}\"}}")) > now, "{name}");
        }
    }
    assert!(!page.contains("backup_timestamp"));
    let mut words = vec!["backup", "create", "one.age", "--passphrase-from"];
    words.push("env:GENFIC_TEST_PASSPHRASE");
    let mut backup = home.command(&words);
    assert!(backup.env("GENFIC_TEST_PASSPHRASE", "correct horse battery staple").status().unwrap().success());
    let page = home.ca(&["metrics"]).ok().out;
    assert!(value(&page, "genfic_ca_backup_timestamp_seconds") > 0);
    if there_is("promtool") {
        let mut check =
            Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
        check.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        assert!(check.wait().unwrap().success());
    }
}

#[test]
fn a_file_of_numbers_is_replaced_whole_and_everybody_reads_it() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["metrics", "-o", "genfic.prom"]).ok();
    let first = fs::metadata(home.path("genfic.prom")).unwrap();
    home.ca(&["metrics", "-o", "genfic.prom"]).ok();
    let second = fs::metadata(home.path("genfic.prom")).unwrap();
    assert_ne!(first.ino(), second.ino(), "another file took its place");
    assert_eq!(second.permissions().mode() & 0o777, 0o644);
    let text = fs::read_to_string(home.path("genfic.prom")).unwrap();
    assert!(text.ends_with('\n') && text.contains("\ngenfic_ca_ready 1\n"), "{text}");
}
