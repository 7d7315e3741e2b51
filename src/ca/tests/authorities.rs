//! A CA that may not issue cannot be opened for issuing, and no CA signs what names another issuer.
use super::fixture::{DAY, Fixture, NOW, new, request};
use crate::audit::{Actor, AuditEvent, Outcome};
use crate::ca::{CrlAuthority, Hierarchy, IssuingAuthority};
use crate::error::{Exit, Problem};
use crate::index::prelude::*;
use crate::index::{Authority, CertificateState, Intent, Revocation};
use crate::lint;
use crate::profile::{IssuerView, RequestedValidity};
use crate::signing::{CaKeys, CaSigner, LocalSigner, SoftKey};
use crate::x509::{CertificateId, CrlReason, KeyAlgorithm, UnixTime};
use std::sync::Arc;

fn event(at: UnixTime) -> AuditEvent {
    let (action, object) = ("certificate.revoked".into(), "test".into());
    AuditEvent { at, actor: Actor::named("eve"), action, object, outcome: Outcome::Done, details: Vec::new() }
}

/// Revokes a CA directly in the index, without the use cases.
fn revoke(fixture: &Fixture, name: &str, reason: CrlReason) {
    let authority = fixture.records.authority(name).unwrap().unwrap();
    let parent = authority.parent.clone().map(|parent| fixture.records.authority(&parent).unwrap().unwrap());
    let id = CertificateId {
        issuer: parent.map_or(authority.issuer, |parent| parent.issuer),
        serial_number: authority.certificate.tbs().serial_number().clone(),
    };
    let revocation = Revocation { revoked_at: fixture.now(), reason: Some(reason), invalidity_date: None };
    let to = CertificateState::Revoked(revocation);
    fixture.external().transition(&id, &CertificateState::Issued, &to, event(fixture.now())).unwrap();
}

fn refused(outcome: Result<IssuingAuthority, Problem>) -> Problem {
    match outcome {
        Ok(_) => panic!("it may not issue"),
        Err(problem) => problem,
    }
}

/// A key that belongs to no CA of the home.
fn another() -> Arc<dyn CaSigner> {
    Arc::new(LocalSigner(SoftKey::generate(KeyAlgorithm::P256).unwrap()))
}

#[test]
fn a_ca_that_is_revoked_held_or_below_such_a_one_issues_nothing_and_signs_its_crls() {
    // X11
    for (name, reason) in [
        ("genfic-system", CrlReason::KeyCompromise),
        ("genfic-system", CrlReason::CertificateHold),
        ("genfic", CrlReason::CessationOfOperation),
    ] {
        let fixture = Fixture::with_system_ca();
        revoke(&fixture, name, reason);
        let problem = refused(fixture.engine().issuance().unlock_issuer("genfic-system"));
        assert_eq!((problem.exit, problem.code.code()), (Exit::Refused, "issuer.unfit"), "{problem}");
        assert!(problem.message.contains(name), "{problem}");
        assert_eq!(fixture.asked(), [], "no passphrase is asked for in vain");
        fixture.publish("genfic-system").unwrap();
    }
}

#[test]
fn a_ca_that_has_ended_or_not_begun_issues_nothing_and_signs_its_crls() {
    // X11
    let fixture = Fixture::with_system_ca();
    let end = fixture.certificate("genfic-system").tbs().validity().not_after;
    fixture.set(end);
    fixture.engine().issuance().unlock_issuer("genfic-system").unwrap();
    fixture.set(end.plus(1));
    assert!(refused(fixture.engine().issuance().unlock_issuer("genfic-system")).message.contains("expired"));
    let crl = fixture.publish("genfic-system").unwrap();
    assert!(crl.next_update > end, "a list may outlive its CA");
    let authority = fixture.records.authority("genfic-system").unwrap().unwrap();
    let early =
        IssuingAuthority::new(&Hierarchy::over(&*fixture.records), authority, another(), NOW.plus(-2 * DAY));
    assert!(refused(early).message.contains("not valid before"));
    fixture.set(fixture.certificate("genfic").tbs().validity().not_after.plus(1));
    assert_eq!(refused(fixture.engine().issuance().unlock_issuer("genfic")).code.code(), "issuer.unfit");
}

#[test]
fn a_revocation_while_the_key_is_being_unlocked_is_seen_in_the_signing_transaction() {
    // X11
    let fixture = Fixture::with_system_ca();
    let engine = fixture.engine();
    let issuer = engine.issuance().unlock_issuer("genfic-system").unwrap();
    fixture.script.steps();
    revoke(&fixture, "genfic", CrlReason::KeyCompromise);
    let problem = engine.issuance().issue(&issuer, "system", &[request("a.example")]).unwrap_err();
    assert_eq!((problem.exit, problem.code.code()), (Exit::Refused, "issuer.unfit"));
    assert_eq!(fixture.script.steps(), ["status", "intent"], "nothing was signed");
}

#[test]
fn a_key_that_is_not_the_certificates_is_found_out() {
    let fixture = Fixture::with_system_ca();
    let authority = fixture.records.authority("genfic-system").unwrap().unwrap();
    let hierarchy = Hierarchy::over(&*fixture.records);
    let problem = refused(IssuingAuthority::new(&hierarchy, authority.clone(), another(), NOW));
    assert_eq!((problem.exit, problem.code.code()), (Exit::Integrity, "key.mismatch"));
    let list = CrlAuthority::new("genfic-system", authority.certificate, another());
    assert_eq!(list.err().unwrap().code.code(), "key.mismatch");
    // the same with exchanged key files
    let keys = fixture.home.keys_directory();
    std::fs::rename(keys.join("genfic.age"), keys.join("genfic-system.age")).unwrap();
    assert_eq!(
        refused(fixture.engine().issuance().unlock_issuer("genfic-system")).code.code(),
        "key.mismatch"
    );
    assert_eq!(fixture.publish("genfic-system").unwrap_err().code.code(), "key.mismatch");
}

#[test]
fn a_certificate_that_is_no_cas_makes_neither_authority() {
    let fixture = Fixture::with_system_ca();
    let own = super::fixture::key();
    fixture.issue(&[super::fixture::request_by(&own, "a.example")]).unwrap();
    let certificate = fixture.record("a.example").certificate.unwrap();
    let authority = Authority {
        issuer: certificate.tbs().as_issuer(),
        parent: Some("genfic-system".into()),
        certificate: certificate.clone(),
        ..fixture.records.authority("genfic-system").unwrap().unwrap()
    };
    let signer = || -> Arc<dyn CaSigner> {
        Arc::new(LocalSigner(SoftKey::from_pkcs8_der(&own.to_pkcs8_der().unwrap()).unwrap()))
    };
    let problem = refused(IssuingAuthority::new(
        &Hierarchy::over(&*fixture.records),
        authority,
        signer(),
        fixture.now(),
    ));
    assert_eq!((problem.exit, problem.code.code()), (Exit::Refused, "issuer.unfit"));
    assert!(problem.message.contains("does not allow"), "{problem}");
    assert_eq!(CrlAuthority::new("a", certificate, signer()).err().unwrap().code.code(), "issuer.unfit");
}

#[test]
fn an_authority_signs_nothing_that_names_another_issuer() {
    // K3, X3
    let fixture = Fixture::with_system_ca();
    fixture.child("genfic", "other-system", "system-ca");
    let engine = fixture.engine();
    let (tbs, _) = engine.issuance().preview("genfic-system", "system", &request("a.example")).unwrap();
    let system = fixture.records.authority("genfic-system").unwrap().unwrap();
    let intent = Intent {
        issuer: system.issuer,
        tbs: lint::check_certificate(tbs, Some(&system.certificate)).unwrap(),
        profile: "system".into(),
        contact: None,
        same_holder_as: None,
        decided_beside: None,
        authority: None,
        requested: true,
        event: event(fixture.now()),
    };
    let recorded = fixture.external().record_intent(vec![intent]).unwrap().pop().unwrap();
    let other = engine.issuance().unlock_issuer("other-system").unwrap();
    fixture.script.steps();
    let problem = other.issue(recorded).unwrap_err();
    assert_eq!((problem.exit, problem.code.code()), (Exit::Integrity, "issuer.mismatch"));
    assert_eq!(fixture.script.steps(), [""; 0], "the key was not used");
}

#[test]
fn no_child_outlives_its_issuer_and_none_is_made_below_a_ca_that_allows_none() {
    // X11, X5
    let fixture = Fixture::with_system_ca();
    let far = fixture.certificate("genfic").tbs().validity().not_after.plus(1);
    let late =
        crate::ca::NewAuthority { validity: RequestedValidity::Until(far), ..new("late", "system-ca") };
    assert_eq!(
        fixture.engine().lifecycle().create_child("genfic", &late).unwrap_err().code.code(),
        "policy.outlives-issuer"
    );
    let below =
        fixture.engine().lifecycle().create_child("genfic-system", &new("below", "system-ca")).unwrap_err();
    assert_eq!(below.exit, Exit::Refused);
    for name in ["late", "below"] {
        let key = fixture.keys.new_key(name);
        assert!(fixture.keys.signer(&key).is_err(), "the key of {name} is gone");
        assert!(fixture.records.authority(name).unwrap().is_none());
    }
    let max = crate::ca::NewAuthority { validity: RequestedValidity::Max, ..new("longest", "system-ca") };
    fixture.engine().lifecycle().create_child("genfic", &max).unwrap();
    let end = fixture.certificate("longest").tbs().validity().not_after;
    assert!(end <= view(&fixture.certificate("genfic")).end());
}

fn view(certificate: &crate::x509::Certificate) -> IssuerView<'_> {
    IssuerView {
        certificate,
        ancestors: &[],
        profile: "root-ca",
        crl_urls: Vec::new(),
        ca_issuers_url: None,
        ocsp_url: None,
    }
}
