//! Revocation of CAs.
use super::fixture::{DAY, Fixture, new, request};
use crate::ca::{AuthorityRenewal, CrossCertification};
use crate::error::Exit;
use crate::home::PublicFile;
use crate::index::StatusValue;
use crate::profile::RequestedValidity;
use crate::x509::CrlReason;
use crate::x509::extension::NameConstraints;

const CA: &str = "genfic-system";

#[test]
fn every_certificate_of_a_revoked_ca_is_revoked_and_nothing_below_it_issues() {
    // X11, C1, O12
    let fixture = Fixture::with_system_ca();
    fixture.root("other");
    let leaf = fixture.issue_host("a.example");
    fixture.wait(DAY);
    let engine = fixture.engine();
    engine.lifecycle().renew_authority(CA, &AuthorityRenewal::default()).unwrap();
    let cross_certification = CrossCertification {
        label: CA.into(),
        certificate: fixture.certificate(CA),
        profile: "system-ca".into(),
        validity: RequestedValidity::Default,
        name_constraints: NameConstraints::default(),
        path_length: None,
        unconstrained: false,
    };
    engine
        .lifecycle()
        .cross_sign(&engine.issuance().unlock_issuer("other").unwrap(), &cross_certification)
        .unwrap();
    assert!(fixture.public(CA, PublicFile::CrossCertificates).exists());

    let affected = engine.revocation().revocation_impact("genfic").unwrap();
    let names: Vec<(&str, usize)> =
        affected.iter().map(|one| (one.authority.name.as_str(), one.certificates)).collect();
    assert_eq!(names, [("genfic", 0), (CA, 1)]);
    assert_eq!(affected[1].last_end, Some(leaf.validity.not_after));

    let revoked = engine.revocation().revoke_authority(CA, Some(CrlReason::CaCompromise), None).unwrap();
    assert_eq!(revoked.certificates.len(), 3);
    let lists: Vec<(&str, usize)> =
        revoked.crls.iter().map(|crl| (crl.authority.as_str(), crl.entries)).collect();
    assert_eq!(lists, [("genfic", 2), ("other", 1)]);
    assert!(revoked.owed.is_empty() && revoked.unanswered.is_none());
    assert!(revoked.certificates.iter().all(|one| one.status(fixture.now()) == StatusValue::Revoked));
    assert!(
        !fixture.public(CA, PublicFile::CrossCertificates).exists(),
        "a revoked certificate is not handed out"
    );
    let refused = fixture.issue(&[request("b.example")]).unwrap_err();
    assert_eq!((refused.exit, refused.code.code()), (Exit::Refused, "issuer.unfit"));
    assert!(fixture.actions().contains(&"authority.revoked".to_owned()));
    assert!(!engine.maintenance().responder_is_due(CA).unwrap(), "it can issue none");
    fixture.publish(CA).unwrap();
    let again = engine.revocation().revoke_authority(CA, None, None).unwrap_err();
    assert_eq!((again.exit, again.code.code()), (Exit::Exists, "authority.revoked"));
}

#[test]
fn a_root_that_is_revoked_issues_nothing_and_nor_does_what_is_below_it() {
    // X11
    let fixture = Fixture::with_system_ca();
    fixture.engine().revocation().revoke_authority("genfic", None, None).unwrap();
    let refused = fixture.engine().issuance().unlock_issuer("genfic").err().unwrap();
    assert_eq!(refused.code.code(), "issuer.unfit");
    assert_eq!(fixture.issue(&[request("a.example")]).unwrap_err().code.code(), "issuer.unfit");
    assert_eq!(fixture.list("genfic").tbs().entries().count(), 1);
}

#[test]
fn a_revocation_without_the_key_is_on_record_and_its_list_owed() {
    // G11
    let fixture = Fixture::with_system_ca();
    std::fs::remove_file(fixture.home.keys_directory().join("genfic.age")).unwrap();
    let revoked = fixture.engine().revocation().revoke_authority(CA, None, None).unwrap();
    assert!(revoked.crls.is_empty());
    assert_eq!((revoked.owed[0].0.as_str(), revoked.owed[0].1.exit), ("genfic", Exit::KeyUnavailable));
    assert_eq!(fixture.issue(&[request("a.example")]).unwrap_err().code.code(), "issuer.unfit");
}

#[test]
fn what_is_not_revoked_yet_is_revoked_by_the_same_command_again() {
    let fixture = Fixture::with_system_ca();
    fixture.wait(DAY);
    fixture.engine().lifecycle().renew_authority(CA, &AuthorityRenewal::default()).unwrap();
    fixture.script.fail_after(1, "transition");
    fixture.engine().revocation().revoke_authority(CA, None, None).unwrap_err();
    fixture.script.fail(&[]);
    let rest = fixture.engine().revocation().revoke_authority(CA, None, None).unwrap();
    assert_eq!(rest.certificates.len(), 1);
    assert_eq!(fixture.list("genfic").tbs().entries().count(), 2);
}

#[test]
fn no_certificate_goes_public_with_a_revocation_while_its_status_is_not_published() {
    // O12
    let fixture = Fixture::with_system_ca();
    fixture.script.fail(&["status"]);
    fixture.engine().lifecycle().create_child("genfic", &new("late", "system-ca")).unwrap_err();
    let certificate = fixture.public("late", PublicFile::Certificate);
    assert!(fixture.records.authority("late").unwrap().is_some() && !certificate.exists());
    fixture.script.steps();
    let revoked = fixture.engine().revocation().revoke_authority(CA, None, None).unwrap();
    assert!(revoked.unanswered.is_some() && revoked.crls.len() == 1, "{revoked:?}");
    assert!(!fixture.script.steps().contains(&"authority"), "the status of `late` is not published");
    assert!(!certificate.exists());
    fixture.script.fail(&[]);
    fixture.engine().maintenance().recover().unwrap();
    assert!(certificate.exists());
}
