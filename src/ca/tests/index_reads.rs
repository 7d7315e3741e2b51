//! How much of the record a use case reads.
use super::fixture::{Fixture, request};
use crate::ca::{CommandPurpose, Conclusion, Task};
use crate::error::Problem;
use crate::home::PublicFile;
use crate::status::StatusPublisher as _;
use std::collections::BTreeSet;

const CA: &str = "genfic-system";

struct Done;

impl Conclusion for Done {
    fn refusal(&self) -> Option<&Problem> {
        None
    }
}

fn task() -> Task<'static> {
    Task { command: "sign", object: "genfic-system/a.csr", purpose: CommandPurpose::Issue, shows_record: "" }
}

fn with_siblings(count: usize) -> Fixture {
    let fixture = Fixture::with_system_ca();
    for number in 0..count {
        fixture.child("genfic", &format!("sibling-{number}"), "system-ca");
    }
    fixture
}

fn issue(fixture: &Fixture, host: &str) {
    let engine = fixture.engine();
    let issuer = engine.hierarchy().issuing_generation(CA, fixture.now()).unwrap();
    let (_, outcome) = engine.issuance().unlock_and_issue(&issuer.name, "system", &[request(host)]).unwrap();
    assert_eq!((outcome.issued.len(), outcome.refused.len()), (1, 0));
}

#[test]
fn issuing_under_one_ca_of_many_reads_only_its_path() {
    let fixture = with_siblings(5);
    fixture.script.read();
    issue(&fixture, "a.example");
    let read = fixture.script.read();
    let names: BTreeSet<&str> = read.iter().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from([CA, "genfic"]));
}

#[test]
fn a_whole_command_that_issues_reads_of_many_cas_only_its_path() {
    let fixture = with_siblings(40);
    let (engine, path) = (fixture.engine(), BTreeSet::from([CA, "genfic"]));
    fixture.script.read();
    engine
        .run(&task(), |_| {
            let (issuer, outcome) =
                engine.issuance().unlock_and_issue(CA, "system", &[request("a.example")])?;
            assert_eq!(outcome.issued.len(), 1);
            engine.maintenance().maintain(issuer.unwrap())?;
            Ok(Done)
        })
        .ok()
        .unwrap();
    let read = fixture.script.read();
    assert_eq!(read.iter().map(String::as_str).collect::<BTreeSet<_>>(), path);
    assert!(
        fixture.status.compare(&*fixture.records).unwrap().authorities.is_empty(),
        "all of them are published"
    );

    // when a CA's file is missing, its issuer path is read too
    std::fs::remove_file(fixture.public("sibling-7", PublicFile::Chain)).unwrap();
    fixture.script.read();
    let begun = engine.begin().unwrap();
    assert_eq!(begun.recovered.repeated, ["the certificate of sibling-7 was owed and is published now"]);
    let read = fixture.script.read();
    let names: BTreeSet<&str> = read.iter().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["sibling-7", "genfic"]));
}

#[test]
fn a_path_is_read_once_as_long_as_the_record_does_not_change() {
    let fixture = with_siblings(0);
    let engine = fixture.engine();
    fixture.script.read();
    for _ in 0..3 {
        assert_eq!(engine.hierarchy().path(CA).unwrap().complete().unwrap().len(), 2);
    }
    assert_eq!(fixture.script.read(), [CA, "genfic"]);
    let before = engine.hierarchy().path(CA).unwrap();
    let root = fixture.record("genfic");
    engine.revocation().revoke(&root, None, None, false).unwrap();
    assert!(
        !before.chain_is_revoked() && engine.hierarchy().path(CA).unwrap().chain_is_revoked(),
        "it changed"
    );
}
