//! Delegated responder certificates: their validity, and when new ones are due.
use super::fixture::{DAY, Fixture, NOW, new};
use crate::ca::NewAuthority;
use crate::error::{Remedy, remedy};
use crate::index::Selector;
use crate::profile::RequestedValidity;
use crate::repository::Publisher;
use crate::x509::Certificate;

const CA: &str = "genfic-system";

fn installed(fixture: &Fixture, name: &str) -> Certificate {
    fixture.publication.directory.responder_certificate(name).unwrap()
}

fn days(certificate: &Certificate) -> i64 {
    let validity = certificate.tbs().validity();
    (validity.not_after.0 - validity.not_before.0 + 1) / DAY
}

#[test]
fn a_responder_lasts_30_days_and_that_of_an_offline_ca_400() {
    // O7
    let fixture = Fixture::with_system_ca();
    assert_eq!(days(&installed(&fixture, CA)), 30);
    let asked = Fixture::new();
    asked
        .engine()
        .lifecycle()
        .create_root(&NewAuthority { ocsp: Some(true), ..new("genfic", "root-ca") })
        .unwrap();
    assert_eq!(days(&installed(&asked, "genfic")), 400);
}

#[test]
fn a_responder_does_not_outlive_its_ca() {
    // O7, X11
    let fixture = Fixture::new();
    fixture.root("genfic");
    let short = NewAuthority { validity: RequestedValidity::Days(10), ..new(CA, "system-ca") };
    fixture.engine().lifecycle().create_child("genfic", &short).unwrap();
    assert_eq!(
        installed(&fixture, CA).tbs().validity().not_after,
        fixture.certificate(CA).tbs().validity().not_after
    );
}

#[test]
fn the_key_that_is_handed_over_is_the_certificates_and_plain() {
    // O7
    let fixture = Fixture::with_system_ca();
    let path = fixture.home.responder_key_file(&CA.parse().unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("BEGIN PRIVATE KEY").count(), 1);
    let key = crate::subscriber_key::read_subscriber_key_file(&path, &*fixture.custodian).unwrap();
    assert_eq!(key.public_key(), installed(&fixture, CA).tbs().public_key());
}

#[test]
fn a_responder_is_renewed_past_half_its_life_when_gone_or_when_revoked() {
    // O7
    let fixture = Fixture::with_system_ca();
    let engine = fixture.engine();
    let due = || fixture.engine().maintenance().responder_is_due(CA).unwrap();
    assert!(!due());
    let validity = installed(&fixture, CA).tbs().validity();
    let half = validity.not_before.plus((validity.not_after.0 - validity.not_before.0) / 2);
    fixture.set(half.plus(-1));
    assert!(!due());
    fixture.set(half);
    assert!(due());
    let first = installed(&fixture, CA);
    let said = engine.maintenance().maintain(engine.issuance().unlock_issuer(CA).unwrap()).unwrap();
    assert!(
        said.iter()
            .any(|one| one.message.contains("responder certificate") && one.message.contains("renewed")),
        "{said:?}"
    );
    assert!(!due());
    assert_ne!(installed(&fixture, CA), first);
    let serial = installed(&fixture, CA).tbs().serial_number().clone();
    let record = fixture.records.select(&Selector::Serial(serial), 2).unwrap().pop().unwrap();
    engine.revocation().revoke(&record, None, None, false).unwrap();
    assert!(due(), "one that was revoked goes on being trusted until it is replaced");
    engine.issuance().issue_responder(&engine.issuance().unlock_issuer(CA).unwrap()).unwrap();
    std::fs::remove_file(fixture.home.responder_certificate_file(&CA.parse().unwrap())).unwrap();
    assert!(due());
    assert!(!engine.maintenance().responder_is_due("genfic").unwrap(), "a root has none");
}

#[test]
fn what_a_key_was_opened_for_does_not_fail_over_what_is_done_on_the_side() {
    let fixture = Fixture::with_system_ca();
    fixture.set(NOW.plus_days(20));
    let engine = fixture.engine();
    fixture.script.fail(&["responder", "crl"]);
    let said = engine.maintenance().maintain(engine.issuance().unlock_issuer(CA).unwrap()).unwrap();
    let remedies: Vec<Remedy> = said.into_iter().map(|one| one.remedy).collect();
    let [responder, crl] = [remedy::Record::IssueResponderAgain, remedy::Record::PublishCrlAgain];
    assert_eq!(remedies, [responder(CA.into()).into(), crl(CA.into()).into()]);
    fixture.script.fail(&[]);
    let said = engine.maintenance().maintain(engine.issuance().unlock_issuer(CA).unwrap()).unwrap();
    assert!(said.iter().all(|one| one.message.contains("was due")) && said.len() == 2, "{said:?}");
    assert_eq!(engine.maintenance().maintain(engine.issuance().unlock_issuer(CA).unwrap()).unwrap(), []);
}

#[test]
fn nothing_is_due_for_a_responder_whose_ca_can_issue_none_any_more() {
    // O7, C8
    let fixture = Fixture::with_system_ca();
    let engine = fixture.engine();
    let due = |name: &str| {
        let engine = fixture.engine();
        (engine.maintenance().responder_is_due(name).unwrap(), engine.maintenance().crl_is_due(name).unwrap())
    };
    fixture.set(fixture.certificate(CA).tbs().validity().not_after);
    assert_eq!(due(CA), (true, true), "in its last second");
    fixture.wait(1);
    assert_eq!(due(CA), (false, false), "it issued nothing that has to be on a list");
    fixture.set(NOW);
    engine.revocation().revoke_authority("genfic", None, None).unwrap();
    fixture.set(NOW.plus_days(20));
    assert_eq!(due(CA), (false, true), "below a revoked root");
}

#[test]
fn the_list_of_an_ended_ca_goes_on_until_all_that_was_revoked_has_been_on_one_after_its_end() {
    // C3, C8
    let fixture = Fixture::with_system_ca();
    let leaf = fixture.issue_host("a.example");
    let end = fixture.certificate(CA).tbs().validity().not_after;
    fixture.set(leaf.validity.not_after.plus(-1));
    fixture.engine().revocation().revoke(&leaf, None, None, true).unwrap();
    fixture.set(end.plus(1));
    assert!(
        fixture.engine().maintenance().crl_is_due(CA).unwrap(),
        "the revoked one was on no list since it ended"
    );
    fixture.publish(CA).unwrap();
    fixture.another_process().publish(CA).unwrap();
    fixture.wait(100 * DAY);
    assert!(!fixture.engine().maintenance().crl_is_due(CA).unwrap());
    // after a renewal the CA is current again
    fixture.engine().lifecycle().renew_authority(CA, &crate::ca::AuthorityRenewal::default()).unwrap();
    assert!(
        !fixture
            .engine()
            .hierarchy()
            .is_retired(&fixture.records.authority(CA).unwrap().unwrap(), fixture.now())
            .unwrap()
    );
    assert!(fixture.engine().maintenance().responder_is_due(CA).is_ok());
}
