//! Python's `cryptography`: an X.509 parser and verifier written in Rust, its signatures by its own OpenSSL.
use crate::foreign_notes::noted;
use crate::hierarchy::{Hierarchy, ROOT, SYSTEM};
use crate::support::python;
use serde_json::json;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/judge.py");

pub(crate) fn judges(hierarchy: &Hierarchy) {
    let home = &hierarchy.home;
    let leaf = |host: &String, status: &str| json!({"host": host, "status": status});
    let leaves: Vec<_> = hierarchy
        .good
        .iter()
        .map(|host| leaf(host, "GOOD"))
        .chain([leaf(&hierarchy.revoked, "REVOKED")])
        .collect();
    let task = json!({
        "root": ROOT,
        "issuer": SYSTEM,
        "root_crl": "home/public/genfic.crl",
        "crl": "home/public/genfic-system.crl",
        "url": hierarchy.daemon.url,
        "key": hierarchy.key,
        "leaves": leaves,
    });
    let said = home.run(&[&python(), SCRIPT, &task.to_string()]).ok();
    let judged = format!("{} certificates judged", leaves.len());
    assert_eq!(said.out.lines().last(), Some(judged.as_str()), "{}", said.all());
    if hierarchy.key == "ed25519" {
        noted("cryptography-no-ed25519", !said.out.contains("taken all the same"));
    }
}
