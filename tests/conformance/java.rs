//! Java's PKIX validator, by OCSP and by CRL, both fetched from where the certificates point to.
use crate::hierarchy::{Hierarchy, ROOT, SYSTEM, certificate};
use crate::support::{Home, Said};
use std::fs::{self, File};
use std::process::Command;

/// Asks what `Pkix.java` says of each question, all in one run. A question is `WAY ROOT CERTIFICATE [ISSUER..]`.
#[track_caller]
pub(crate) fn ask(home: &Home, questions: &[String]) -> Vec<String> {
    fs::write(home.path("questions"), questions.concat()).unwrap();
    let output = Command::new("timeout")
        .args([
            "120",
            "java",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dcom.sun.security.enableCRLDP=true",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/Pkix.java"))
        .current_dir(home.directory())
        .stdin(File::open(home.path("questions")).unwrap())
        .output()
        .unwrap_or_else(|error| panic!("java: {error}"));
    let said = Said::of(output).ok();
    let answers: Vec<String> = said.out.lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), questions.len(), "{}", said.all());
    answers
}

/// A question about a certificate below [`ROOT`].
pub(crate) fn question(way: &str, file: &str, issuer: &str) -> String {
    format!("{way} {ROOT} {file} {issuer}\n")
}

pub(crate) fn judges(hierarchy: &Hierarchy) {
    let mut questions = Vec::new();
    let mut wanted = Vec::new();
    for way in ["none", "ocsp", "crl"] {
        for host in hierarchy.good.iter().chain([&hierarchy.revoked]) {
            questions.push(question(way, &certificate(host), SYSTEM));
            let is_good = *host != hierarchy.revoked || way == "none";
            wanted.push(if is_good { "good" } else { "revoked 0 KEY_COMPROMISE" });
        }
    }
    assert_eq!(ask(&hierarchy.home, &questions), wanted, "{}", questions.concat());
}
