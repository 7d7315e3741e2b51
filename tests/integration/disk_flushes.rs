//! What a group of certificates costs: counted, since time depends on the machine.
use crate::support::Home;
use std::collections::BTreeMap;

/// How often a command passed each place.
fn passed(home: &Home, words: &[&str]) -> BTreeMap<String, usize> {
    traced(home, words, "GENFIC_CA_FAILPOINT_TRACE")
}

/// How often a command, or its signer, passed each place.
fn traced(home: &Home, words: &[&str], variable: &str) -> BTreeMap<String, usize> {
    let trace = home.path("trace");
    let run = home.command(words).env(variable, &trace).output().unwrap();
    assert!(run.status.success(), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
    let mut places = BTreeMap::new();
    for place in std::fs::read_to_string(&trace).unwrap().lines() {
        *places.entry(place.to_owned()).or_default() += 1;
    }
    std::fs::remove_file(trace).unwrap();
    places
}

/// Places behind which something has become durable.
fn waits(places: &BTreeMap<String, usize>) -> BTreeMap<&str, usize> {
    let durable = places.iter().filter(|(place, _)| place.contains("durable") || place.contains("committed"));
    durable.map(|(place, times)| (place.as_str(), *times)).collect()
}

#[test]
fn a_certificate_waits_for_the_disk_five_times_and_twenty_do_for_the_files_that_are_kept_of_them_as_well() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "c.example"]).ok();
    let sign = |count: usize| {
        let words = [&["sign"][..], &vec!["c.example.req"; count], &["-p", "genfic-system"]].concat();
        passed(&home, &words)
    };
    sign(1);
    let (one, twenty) = (sign(1), sign(20));
    assert_eq!((one["certificate signed"], twenty["certificate signed"]), (1, 20));
    let expected = |files| {
        BTreeMap::from([
            ("directory: durable", files),
            ("files: aside, durable", files),
            ("index: committed", 2),
            ("status: delta durable", 1),
        ])
    };
    assert_eq!(waits(&one), expected(1), "the intent, the certificate, its status");
    assert_eq!(waits(&twenty), expected(2), "and the files");
}

#[test]
fn a_revocation_without_a_list_waits_for_one_commit_and_the_status() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "c.example", "--sign", "-p", "genfic-system"]).ok();
    let revoked = passed(&home, &["revoke", "c.example", "--no-crl"]);
    let expected = [
        ("directory: durable", 1),
        ("files: aside, durable", 1),
        ("index: committed", 1),
        ("status: delta durable", 1),
    ];
    assert_eq!(waits(&revoked), BTreeMap::from(expected));
}

#[test]
fn the_signer_waits_for_its_journal_once_for_twenty_certificates_as_for_one() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "c.example"]).ok();
    let sign = |count: usize| {
        let words = [&["sign"][..], &vec!["c.example.req"; count], &["-p", "genfic-system"]].concat();
        traced(&home, &words, "GENFIC_SIGNER_FAILPOINT_TRACE")
    };
    sign(1);
    let (one, twenty) = (sign(1), sign(20));
    assert_eq!(waits(&one), waits(&twenty));
    assert_eq!(waits(&one), BTreeMap::from([("journal: durable", 1)]));
}
