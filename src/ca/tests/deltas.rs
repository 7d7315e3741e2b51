//! Delta CRLs: with the complete one and the delta, relying parties know what the newest complete one says.
use super::fixture::{DAY, Fixture, NOW};
use crate::ca::PublishedDelta;
use crate::home::PublicFile;
use crate::index::CertificateRecord;
use crate::repository::Publisher;
use crate::x509::extension::{FRESHEST_CRL, distribution_point_urls};
use crate::x509::{CertificateList, CrlEntry, CrlReason, SerialNumber};
use std::collections::BTreeMap;

const CA: &str = "genfic-system";
const URL: &str = "publication = { url = 'http://engine.example' }\n";

/// The fixture with delta CRLs that last a day.
fn fixture() -> Fixture {
    let deltas = format!("authority.{CA}.delta_crl_next_update = '24h'");
    let fixture = Fixture::with(&format!("{URL}{deltas}"));
    fixture.root("genfic");
    fixture.child("genfic", CA, "system-ca");
    fixture
}

fn delta(fixture: &Fixture) -> Option<CertificateList> {
    fixture.publication.directory.published_delta_crl(CA).unwrap()
}

fn publish(fixture: &Fixture) -> Option<PublishedDelta> {
    let published = fixture.publish(CA).unwrap();
    if let Some(made) = &published.delta {
        let found = delta(fixture).unwrap();
        let tbs = found.tbs();
        assert_eq!((tbs.crl_number(), tbs.base_crl_number()), (Some(published.number), Some(made.base)));
        assert_eq!(tbs.entries().count(), made.entries);
        assert_eq!(tbs.next_update(), Some(made.next_update));
        assert_eq!(tbs.this_update(), published.crl.tbs().this_update());
        assert!(found.is_signed_by(fixture.certificate(CA).tbs().public_key()));
        let pem = std::fs::read_to_string(fixture.public(CA, PublicFile::DeltaCrlPem)).unwrap();
        assert_eq!(pem, crate::x509::pem::encode("X509 CRL", found.as_der()));
    }
    published.delta
}

fn known(list: &CertificateList) -> BTreeMap<SerialNumber, Option<CrlReason>> {
    let entries = list.tbs().entries().map(Result::unwrap);
    entries.map(|CrlEntry { serial_number, reason, .. }| (serial_number, reason)).collect()
}

/// What somebody with this complete CRL and the published delta takes for revoked (RFC 5280 §6.3.3).
fn combined(
    fixture: &Fixture,
    complete: &CertificateList,
) -> Option<BTreeMap<SerialNumber, Option<CrlReason>>> {
    let delta = delta(fixture)?;
    let (base, number) = (delta.tbs().base_crl_number()?, delta.tbs().crl_number()?);
    let own = complete.tbs().crl_number()?;
    if own < base || own > number {
        return None;
    }
    let mut all = known(complete);
    for (serial, reason) in known(&delta) {
        match reason {
            Some(CrlReason::RemoveFromCrl) => drop(all.remove(&serial)),
            reason => drop(all.insert(serial, reason)),
        }
    }
    Some(all)
}

fn hold(fixture: &Fixture, record: &CertificateRecord) {
    fixture.engine().revocation().revoke(record, Some(CrlReason::CertificateHold), None, true).unwrap();
}

fn revoke(fixture: &Fixture, record: &CertificateRecord) {
    fixture.engine().revocation().revoke(record, Some(CrlReason::Superseded), None, true).unwrap();
}

#[test]
fn whoever_has_any_complete_crl_that_has_not_lapsed_knows_by_the_delta_what_the_newest_one_says() {
    // C1, C2, C4, C5
    let fixture = fixture();
    let hosts: Vec<CertificateRecord> =
        (0..6).map(|number| fixture.issue_host(&format!("h{number}.example"))).collect();
    let mut former = vec![fixture.list(CA)];
    let mut check = |fixture: &Fixture| {
        let newest = fixture.list(CA);
        assert_eq!(delta(fixture).unwrap().tbs().crl_number(), newest.tbs().crl_number());
        former.push(newest.clone());
        former.retain(|list| list.tbs().next_update().unwrap() >= fixture.engine().now());
        for list in &former {
            assert_eq!(combined(fixture, list), Some(known(&newest)), "from {:?}", list.tbs().crl_number());
        }
        former.len()
    };
    revoke(&fixture, &hosts[0]);
    check(&fixture);
    hold(&fixture, &hosts[1]);
    check(&fixture);
    hold(&fixture, &hosts[2]);
    check(&fixture);
    // held after the base, and released
    let held = |number: usize| fixture.records.certificate(&hosts[number].id).unwrap().unwrap();
    fixture.engine().revocation().release(&held(1), true).unwrap();
    check(&fixture);
    assert!(known(&delta(&fixture).unwrap()).values().any(|one| *one == Some(CrlReason::RemoveFromCrl)));
    // held, and revoked for good
    revoke(&fixture, &held(2));
    check(&fixture);
    // held again, so that it is not taken off any more
    hold(&fixture, &held(1));
    assert_eq!(check(&fixture), 7);
    for day in 1..=20 {
        fixture.set(NOW.plus(day * DAY));
        match day {
            3 => revoke(&fixture, &hosts[3]),
            5 => drop(fixture.engine().revocation().release(&held(1), true).unwrap()),
            11 => revoke(&fixture, &hosts[4]),
            _ => drop(publish(&fixture)),
        }
        check(&fixture);
    }
    let last = publish(&fixture).unwrap();
    assert_eq!(last.entries, 0, "what changed before the base is not repeated");
}

#[test]
fn the_complete_crl_says_where_the_delta_is_and_the_delta_does_not() {
    // C5
    let fixture = fixture();
    publish(&fixture).unwrap();
    let freshest = |list: &CertificateList| {
        let found = list.tbs().extensions().iter().find(|one| one.oid == FRESHEST_CRL)?;
        assert!(!found.critical);
        Some(distribution_point_urls(&found.value).unwrap())
    };
    let url = "http://engine.example/genfic-system.delta.crl".to_owned();
    assert_eq!(freshest(&fixture.list(CA)), Some(vec![url]));
    assert_eq!(freshest(&delta(&fixture).unwrap()), None);
    fixture.publish("genfic").unwrap();
    assert_eq!(freshest(&fixture.list("genfic")), None, "no deltas are configured for the root");
}

#[test]
fn a_delta_is_due_when_there_is_none_beside_the_last_complete_crl_and_at_half_its_life() {
    // C5, C8
    let fixture = fixture();
    let is_due = || fixture.engine().maintenance().crl_is_due(CA).unwrap();
    assert!(is_due(), "the first CRL has none before it");
    assert_eq!(publish(&fixture).map(|delta| (delta.base, delta.entries)), Some((1, 0)));
    assert!(!is_due());
    fixture.set(NOW.plus(DAY / 2 - 1));
    assert!(!is_due());
    fixture.set(NOW.plus(DAY / 2));
    assert!(is_due());
    publish(&fixture).unwrap();
    assert!(!is_due());
    for file in [PublicFile::DeltaCrlPem, PublicFile::DeltaCrl] {
        std::fs::remove_file(fixture.public(CA, file)).unwrap();
        assert!(is_due(), "{file:?}");
    }
    let is_due_without = Fixture::with_system_ca();
    assert!(!is_due_without.engine().maintenance().crl_is_due(CA).unwrap());
}

#[test]
fn a_delta_that_was_lost_or_is_another_is_not_gone_on_from() {
    // C1, C5
    let fixture = fixture();
    let file = fixture.public(CA, PublicFile::DeltaCrl);
    let base = || publish(&fixture).map(|delta| delta.base);
    assert_eq!([base(), base()], [Some(1), Some(1)]);
    let older = std::fs::read(&file).unwrap();
    assert_eq!(base(), Some(1));
    std::fs::write(&file, &older).unwrap();
    assert_eq!(base(), Some(4), "after an older one, from the last complete CRL");
    assert_eq!(base(), Some(4));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(base(), Some(6));
    std::fs::write(&file, "no list").unwrap();
    let failure = || fixture.publish(CA).unwrap().delta_failure;
    assert!(failure().is_some(), "nobody knows what stands there");
    std::fs::remove_file(&file).unwrap();
    // a complete CRL was published, and its delta was not
    fixture.script.fail(&["delta"]);
    assert!(failure().is_some());
    fixture.script.fail(&[]);
    assert!(fixture.engine().maintenance().crl_is_due(CA).unwrap());
    let last = fixture.list(CA).tbs().crl_number();
    assert_eq!(base(), last);
}

#[test]
fn no_delta_is_made_of_a_key_that_is_kept_offline() {
    let deltas = "authority.genfic = { delta_crl_next_update = '24h' }";
    let fixture = Fixture::with(&format!("{URL}{deltas}"));
    fixture.root("genfic");
    assert!(fixture.publish("genfic").unwrap().delta.is_none());
    assert!(!fixture.engine().maintenance().crl_is_due("genfic").unwrap());
}
