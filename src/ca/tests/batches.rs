//! Many requests in one call, and prior uses of a key.
use super::fixture::{Fixture, ends_with, key, request, request_by};
use crate::ca::IssuanceRequest;
use crate::error::{Exit, remedy};
use crate::index::Filter;
use crate::x509::CrlReason;
use std::collections::HashSet;

fn codes(fixture: &Fixture, requests: &[IssuanceRequest]) -> Vec<&'static str> {
    fixture.issue(requests).unwrap().refused.iter().map(|refusal| refusal.problem.code.code()).collect()
}

#[test]
fn of_1200_requests_the_bad_one_alone_is_refused() {
    let fixture = Fixture::with_system_ca();
    let mut requests: Vec<IssuanceRequest> = (0..1200).map(|at| request(&format!("h{at}.example"))).collect();
    requests[777] = request("not_a_host");
    let issuance = fixture.issue(&requests).unwrap();
    assert_eq!((issuance.issued.len(), issuance.refused.len()), (1199, 1));
    assert_eq!(issuance.refused[0].label, "not_a_host");
    let problem = issuance.problem().unwrap();
    assert_eq!(problem.exit, Exit::Refused);
    assert!(problem.message.starts_with("1 of 1200 requests was refused"), "{}", problem.message);
    let mut serials = HashSet::new();
    for issued in &issuance.issued {
        assert_eq!(issued.certificate.tbs().subject().to_string(), format!("CN={}", issued.label));
        assert!(serials.insert(issued.certificate.tbs().serial_number().clone()));
        assert!(issued.file.as_ref().unwrap().is_file());
    }
    fixture.audit();
}

#[test]
fn a_failure_halfway_leaves_whole_what_was_issued_before_it() {
    let fixture = Fixture::with_system_ca();
    let requests: Vec<IssuanceRequest> = (0..700).map(|at| request(&format!("h{at}.example"))).collect();
    fixture.script.fail_after(1, "intent");
    let issuance = fixture.issue(&requests).unwrap();
    assert_eq!((issuance.issued.len(), issuance.refused.len()), (500, 200));
    assert!(issuance.issued.iter().all(|issued| issued.file.as_ref().unwrap().is_file()));
    let problem = issuance.problem().unwrap();
    assert_eq!(
        (problem.exit, problem.code.code()),
        (Exit::Failure, "index.failed"),
        "not a refusal by policy"
    );
    assert!(crate::status::StatusPublisher::is_current(&*fixture.status, &*fixture.records).unwrap());
    let mut count = 0;
    fixture
        .records
        .list(&Filter { profile: Some("system".into()), ..Filter::default() }, &mut |_| {
            count += 1;
            true
        })
        .unwrap();
    assert_eq!(count, 500);
}

#[test]
fn a_group_costs_as_many_transactions_and_publications_as_one_certificate() {
    let steps_of = |count: usize| {
        let fixture = Fixture::with_system_ca();
        let requests: Vec<IssuanceRequest> =
            (0..count).map(|at| request(&format!("h{at}.example"))).collect();
        assert_eq!(fixture.issue(&requests).unwrap().issued.len(), count);
        let steps = fixture.script.steps();
        ["open", "intent", "sign", "recorded", "status", "issued"]
            .map(|step| steps.iter().filter(|one| **one == step).count())
    };
    assert_eq!(steps_of(1), [1, 1, 1, 1, 1, 1]);
    assert_eq!(steps_of(500), [1, 1, 500, 1, 1, 1]);
    assert_eq!(steps_of(1001), [1, 3, 1001, 3, 3, 3]);
}

#[test]
fn when_the_files_of_a_group_fail_the_next_command_writes_those_of_every_group_that_was_begun() {
    let fixture = Fixture::with_system_ca();
    let requests: Vec<IssuanceRequest> = (0..1600).map(|at| request(&format!("h{at}.example"))).collect();
    fixture.script.fail_after(1, "issued");
    let issuance = fixture.issue(&requests).unwrap();
    assert_eq!((issuance.issued.len(), issuance.refused.len()), (500, 1100));
    assert!(
        issuance.refused.iter().all(|refusal| ends_with(&refusal.problem, remedy::Record::NotSignedAgain))
    );
    assert_eq!(fixture.records.pending().unwrap(), [], "what was begun was brought to its end");
    fixture.script.fail(&[]);
    fixture.engine().maintenance().recover().unwrap();
    let mut issued = 0;
    let filter = Filter { profile: Some("system".into()), ..Filter::default() };
    let list = &mut |record: crate::index::CertificateRecord| {
        let file = fixture.home.issued_file(&"genfic-system".parse().unwrap(), &record.id.serial_number);
        assert!(file.is_file(), "{}", record.subject);
        issued += 1;
        true
    };
    fixture.records.list(&filter, list).unwrap();
    assert!(issued >= 1000, "{issued}");
    assert_eq!(fixture.engine().maintenance().recover().unwrap(), Default::default());
}

#[test]
fn a_key_is_certified_for_one_subject_only_within_a_batch_too() {
    // P1
    let fixture = Fixture::with_system_ca();
    let shared = key();
    let both = [request_by(&shared, "a.example"), request_by(&shared, "b.example")];
    assert_eq!(codes(&fixture, &both), ["policy.key-reused"]);
    assert_eq!(codes(&fixture, &[request_by(&shared, "c.example")]), ["policy.key-reused"]);
    assert_eq!(codes(&fixture, &[request_by(&shared, "a.example")]), [""; 0], "a renewal");
}

#[test]
fn a_key_revoked_for_compromise_is_never_certified_again() {
    // X13
    for (reason, codes_after) in
        [(CrlReason::KeyCompromise, vec!["policy.compromised-key"]), (CrlReason::Superseded, vec![])]
    {
        let fixture = Fixture::with_system_ca();
        let own = key();
        fixture.issue(&[request_by(&own, "a.example")]).unwrap();
        let record = fixture.record("a.example");
        fixture.engine().revocation().revoke(&record, Some(reason), None, false).unwrap();
        assert_eq!(codes(&fixture, &[request_by(&own, "a.example")]), codes_after, "{reason}");
    }
}

#[test]
fn the_key_of_a_ca_is_not_certified_for_anybody() {
    // X13
    let fixture = Fixture::with_system_ca();
    for ca in ["genfic", "genfic-system"] {
        let mut request = request("a.example");
        request.applicant.public_key = fixture.certificate(ca).tbs().public_key().clone();
        assert_eq!(codes(&fixture, &[request]), ["policy.key-of-a-ca"], "{ca}");
    }
}

#[test]
fn a_key_on_the_list_of_compromised_ones_is_refused() {
    // X13
    let mut fixture = Fixture::with_system_ca();
    let request = request("a.example");
    fixture.settings.compromised_keys.insert(request.applicant.public_key.digest());
    assert_eq!(codes(&fixture, &[request]), ["policy.compromised-key"]);
}
