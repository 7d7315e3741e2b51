//! CAs that get a new key: each generation is a CA of its own, and the older ones are retired in the end.
use super::fixture::{DAY, Fixture, ends_with, request};
use crate::ca::{AuthorityRekeying, AuthorityRenewal, CrossCertification, RekeyedAuthority};
use crate::error::{Exit, remedy};
use crate::home::PublicFile;
use crate::index::{Restoration, Selector};
use crate::profile::RequestedValidity;
use crate::x509::extension::{BasicConstraints, NameConstraints};
use crate::x509::{Certificate, KeyAlgorithm, Name};
use std::fs;

const CA: &str = "genfic-system";
const NEXT: &str = "genfic-system-g2";

fn rekey(fixture: &Fixture, name: &str) -> RekeyedAuthority {
    fixture.engine().lifecycle().rekey_authority(name, &AuthorityRekeying::default()).unwrap()
}

fn numbers(fixture: &Fixture, name: &str) -> Vec<String> {
    let list = fixture.list(name);
    list.tbs().entries().map(|entry| entry.unwrap().serial_number.to_string()).collect()
}

#[test]
fn a_new_generation_has_everything_of_its_own_and_is_meant_by_every_name() {
    let fixture = Fixture::with_system_ca();
    let rekeyed = rekey(&fixture, CA);
    let (old, new) = (fixture.certificate(CA), fixture.certificate(NEXT));
    assert_eq!((rekeyed.replaces.name.as_str(), rekeyed.created.authority.name.as_str()), (CA, NEXT));
    assert_eq!(rekeyed.created.authority.parent.as_deref(), Some("genfic"));
    assert!(rekeyed.rollover.is_none(), "links are for roots");
    assert_ne!(old.tbs().public_key(), new.tbs().public_key());
    assert_eq!(new.tbs().subject().to_string(), "O=Genfic, CN=genfic-system G2");
    assert_eq!(fixture.list(NEXT).tbs().crl_number(), Some(1));
    assert!(rekeyed.created.responder.is_some_and(|one| one.is_signed_by(new.tbs().public_key())));
    let engine = fixture.engine();
    for name in [CA, NEXT] {
        assert_eq!(engine.hierarchy().issuing_generation(name, fixture.now()).unwrap().name, NEXT);
        let names: Vec<String> =
            engine.hierarchy().generations(name).unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(names, [CA, NEXT]);
    }
    let issuance = engine
        .issuance()
        .issue(&engine.issuance().unlock_issuer(NEXT).unwrap(), "system", &[request("new.example")])
        .unwrap();
    let leaf = crate::x509::text::certificate_text(&issuance.issued[0].certificate);
    for place in ["http://engine.example/genfic-system-g2.crl", "http://engine.example/genfic-system-g2.crt"]
    {
        assert!(leaf.contains(place), "{leaf}");
    }
    assert_eq!(rekey(&fixture, CA).created.authority.name, "genfic-system-g3");
    let third = fixture.certificate("genfic-system-g3");
    assert_eq!(third.tbs().subject().to_string(), "O=Genfic, CN=genfic-system G3");
}

#[test]
fn a_generation_that_cannot_issue_leaves_it_to_the_one_before() {
    let fixture = Fixture::with_system_ca();
    rekey(&fixture, CA);
    let engine = fixture.engine();
    engine.revocation().revoke_authority(NEXT, None, None).unwrap();
    assert_eq!(engine.hierarchy().issuing_generation(CA, fixture.now()).unwrap().name, CA);
    engine.revocation().revoke_authority(CA, None, None).unwrap();
    let refused = engine.hierarchy().issuing_generation(CA, fixture.now()).unwrap_err();
    assert_eq!(refused.code.code(), "issuer.unfit");
    assert!(refused.message.contains(NEXT), "the newest is told of: {refused}");
    assert_eq!(rekey(&fixture, CA).created.authority.name, "genfic-system-g3");
}

#[test]
fn the_old_key_signs_lists_until_its_last_certificate_has_ended_and_is_quiet_then() {
    // C3, C8, X11
    let fixture = Fixture::with_system_ca();
    let first = fixture.issue_host("first.example");
    let last = fixture.issue_host("last.example");
    fixture.wait(10 * DAY);
    rekey(&fixture, CA);
    let engine = fixture.engine();
    engine.revocation().revoke(&first, None, None, true).unwrap();
    assert_eq!(numbers(&fixture, CA), [first.id.serial_number.to_string()]);
    assert_eq!(numbers(&fixture, NEXT), [""; 0]);

    fixture.wait(300 * DAY);
    assert!(
        engine.maintenance().crl_is_due(CA).unwrap() && engine.maintenance().responder_is_due(CA).unwrap()
    );
    fixture.publish(CA).unwrap();
    assert_eq!(numbers(&fixture, CA), [first.id.serial_number.to_string()]);
    let authority = fixture.records.authority(CA).unwrap().unwrap();
    assert_eq!(authority.last_end, Some(last.validity.not_after));
    assert!(!engine.hierarchy().is_retired(&authority, fixture.now()).unwrap());

    fixture.set(last.validity.not_after.plus(1));
    assert!(
        !engine.hierarchy().is_retired(&authority, fixture.now()).unwrap(),
        "what was revoked has not been on a list after its end"
    );
    assert!(engine.maintenance().crl_is_due(CA).unwrap());
    fixture.publish(CA).unwrap();
    assert_eq!(numbers(&fixture, CA), [first.id.serial_number.to_string()]);
    assert!(
        !engine.hierarchy().is_retired(&authority, fixture.now()).unwrap(),
        "nor had it ended at the last time that was confirmed before"
    );
    fixture.another_process().publish(CA).unwrap();
    assert_eq!(numbers(&fixture, CA), [first.id.serial_number.to_string()]);
    assert!(engine.hierarchy().is_retired(&authority, fixture.now()).unwrap());
    fixture.wait(100 * DAY);
    assert!(
        !engine.maintenance().crl_is_due(CA).unwrap() && !engine.maintenance().responder_is_due(CA).unwrap()
    );
    assert!(
        engine.maintenance().crl_is_due(NEXT).unwrap()
            && engine.maintenance().responder_is_due(NEXT).unwrap()
    );
}

#[test]
fn generations_of_one_ca_need_not_end_apart() {
    // G4
    let fixture = Fixture::with_system_ca();
    let rekeyed = rekey(&fixture, CA);
    let ends = [CA, NEXT].map(|name| fixture.certificate(name).tbs().validity().not_after);
    assert!(ends[1].0 - ends[0].0 < DAY, "{ends:?}");
    assert!(!rekeyed.created.notices.iter().any(|said| said.message.contains("days apart")));
}

fn cross_certificates(fixture: &Fixture, name: &str) -> Certificate {
    let octets = fs::read(fixture.public(name, PublicFile::CrossCertificates)).unwrap();
    Certificate::from_pem_or_der(&octets).unwrap()
}

#[test]
fn two_generations_of_a_root_are_linked_both_ways() {
    let fixture = Fixture::with_system_ca();
    fixture.wait(DAY);
    let rekeyed = rekey(&fixture, "genfic");
    let (old, new) = (fixture.certificate("genfic"), fixture.certificate("genfic-g2"));
    assert_eq!(old.tbs().subject().as_der(), new.tbs().subject().as_der());
    let rollover = rekeyed.rollover.unwrap();
    for (link, file, subject, issuer) in
        [(&rollover.new_with_old, "genfic-g2", &new, &old), (&rollover.old_with_new, "genfic", &old, &new)]
    {
        let tbs = link.tbs();
        assert_eq!(cross_certificates(&fixture, file), **link);
        assert_eq!((tbs.subject(), tbs.public_key()), (subject.tbs().subject(), subject.tbs().public_key()));
        assert_eq!(link.key_identifier(), subject.key_identifier());
        assert_eq!(tbs.issuer(), issuer.tbs().subject());
        assert!(link.is_signed_by(issuer.tbs().public_key()));
        let (own, of) = (tbs.validity(), [old.tbs().validity(), new.tbs().validity()]);
        assert_eq!(own.not_after, of[0].not_after.min(of[1].not_after));
        assert!(own.not_before >= issuer.tbs().validity().not_before);
        assert_eq!(BasicConstraints::of(tbs), BasicConstraints::of(subject.tbs()));
    }
    // lost files are published again
    fs::remove_file(fixture.public("genfic", PublicFile::CrossCertificates)).unwrap();
    fixture.engine().maintenance().recover().unwrap();
    assert_eq!(cross_certificates(&fixture, "genfic"), *rollover.old_with_new);
    assert_eq!(fixture.engine().maintenance().recover().unwrap(), Default::default());

    // a CA below the root is renewed by the new generation, and has certificates by both
    let old_child = fixture.certificate(CA);
    let renewed = fixture.engine().lifecycle().renew_authority(CA, &AuthorityRenewal::default()).unwrap();
    assert_eq!(renewed.authority.parent.as_deref(), Some("genfic-g2"));
    assert!(renewed.authority.certificate.is_signed_by(new.tbs().public_key()));
    assert_eq!(cross_certificates(&fixture, CA), old_child);
    fixture.issue_host("a.example");
}

#[test]
fn links_that_were_not_made_are_made_by_a_cross_signature() {
    let fixture = Fixture::with_system_ca();
    fixture.script.fail_after(1, "intent");
    let problem =
        fixture.engine().lifecycle().rekey_authority("genfic", &AuthorityRekeying::default()).unwrap_err();
    let rollover = remedy::Authority::MakeRollover("genfic-g2".into(), "genfic".into());
    assert!(ends_with(&problem, rollover), "{problem:?}");
    fixture.script.fail(&[]);
    let engine = fixture.engine();
    assert_eq!(engine.hierarchy().issuing_generation("genfic", fixture.now()).unwrap().name, "genfic-g2");
    assert!(!fixture.public("genfic", PublicFile::CrossCertificates).exists());
    let unlock = |name| engine.issuance().unlock_issuer(name).unwrap();
    engine.lifecycle().rollover(&unlock("genfic"), &unlock("genfic-g2")).unwrap();
    assert!(
        cross_certificates(&fixture, "genfic")
            .is_signed_by(fixture.certificate("genfic-g2").tbs().public_key())
    );
}

#[test]
fn a_root_whose_key_is_lost_gets_a_new_one_when_that_is_said() {
    let fixture = Fixture::with_system_ca();
    fs::remove_file(fixture.home.keys_directory().join("genfic.age")).unwrap();
    let refused =
        fixture.engine().lifecycle().rekey_authority("genfic", &AuthorityRekeying::default()).unwrap_err();
    assert_eq!(refused.exit, Exit::KeyUnavailable);
    assert!(ends_with(&refused, remedy::Authority::WithoutRollover), "{refused:?}");
    assert!(fixture.records.authority("genfic-g2").unwrap().is_none());
    let asked = AuthorityRekeying { without_rollover: true, ..AuthorityRekeying::default() };
    assert!(fixture.engine().lifecycle().rekey_authority("genfic", &asked).unwrap().rollover.is_none());
    assert_eq!(
        fixture.engine().hierarchy().issuing_generation("genfic", fixture.now()).unwrap().name,
        "genfic-g2"
    );
}

#[test]
fn nothing_is_renewed_or_rekeyed_between_a_restore_and_its_acceptance() {
    let fixture = Fixture::with_system_ca();
    let engine = fixture.engine();
    let restoration = Restoration {
        backup: fixture.now(),
        change: 0,
        crl_numbers: Vec::new(),
        certificates: Vec::new(),
        revocations: Vec::new(),
        superseded: Vec::new(),
        signed: None,
        event: engine.event(fixture.now(), "home.restored", "home"),
    };
    fixture.records.restore(&restoration).unwrap();
    for name in ["genfic", CA] {
        let renewed = engine.lifecycle().renew_authority(name, &AuthorityRenewal::default()).unwrap_err();
        let rekeyed = engine.lifecycle().rekey_authority(name, &AuthorityRekeying::default()).unwrap_err();
        assert_eq!([renewed.code.code(), rekeyed.code.code()], ["restore.not-accepted"; 2]);
    }
    assert!(!fixture.home.keys_directory().join("genfic-g2.age").exists(), "no key is left behind");
    assert!(!fixture.home.keys_directory().join("genfic-system-g2.age").exists());
    engine.revocation().revoke_authority(CA, None, None).unwrap();
    engine.maintenance().accept_restored().unwrap();
    rekey(&fixture, CA);
}

#[test]
fn a_generation_that_was_cut_short_is_completed_and_no_other_is_made() {
    let fixture = Fixture::with_system_ca();
    for (name, next) in [(CA, NEXT), ("genfic", "genfic-g2")] {
        fixture.script.fail(&["number"]);
        let problem =
            fixture.engine().lifecycle().rekey_authority(name, &AuthorityRekeying::default()).unwrap_err();
        assert!(ends_with(&problem, remedy::Authority::Finish(next.into())), "{problem:?}");
        fixture.script.fail(&[]);
        assert!(fixture.records.authority(next).unwrap().is_some());
        let rekeyed = rekey(&fixture, name);
        assert_eq!(rekeyed.created.authority.name, next);
        assert_eq!(rekeyed.rollover.is_some(), name == "genfic");
        assert!(fixture.list(next).tbs().crl_number() >= Some(1));
        assert_eq!(fixture.engine().hierarchy().generations(name).unwrap().len(), 2);
    }
}

#[test]
fn no_link_is_handed_out_before_its_status_is_published() {
    // O12
    let fixture = Fixture::with_system_ca();
    fixture.script.steps();
    rekey(&fixture, "genfic");
    let steps = fixture.script.steps();
    let last = |step: &str| steps.iter().rposition(|one| *one == step).unwrap();
    let first_after = |step: &str, at: usize| steps.iter().skip(at).position(|one| *one == step);
    assert!(last("recorded") < last("status") && first_after("status", last("status") + 1).is_none());
    assert!(steps.iter().position(|one| *one == "issued").unwrap() > last("status"), "{steps:?}");
}

#[test]
fn a_revoked_root_is_not_linked_to_the_next() {
    let fixture = Fixture::with_system_ca();
    fixture.engine().revocation().revoke_authority("genfic", None, None).unwrap();
    let rekeyed = rekey(&fixture, "genfic");
    assert!(rekeyed.rollover.is_none());
    assert!(rekeyed.created.notices.iter().any(|said| said.message.contains("no link")));
    let brought = fixture.engine().lifecycle().renew_authority(CA, &AuthorityRenewal::default()).unwrap();
    assert_eq!(brought.authority.parent.as_deref(), Some("genfic-g2"));
    fixture.issue_host("a.example");
}

#[test]
fn a_generation_can_have_another_subject_and_another_kind_of_key() {
    let fixture = Fixture::with_system_ca();
    let subject = Name::parse("CN=Something else").unwrap();
    let asked = AuthorityRekeying {
        keystore: None,
        subject: Some(subject.clone()),
        key: Some(KeyAlgorithm::P384),
        validity: RequestedValidity::Days(100),
        profile: None,
        without_rollover: false,
    };
    let created = fixture.engine().lifecycle().rekey_authority(CA, &asked).unwrap().created;
    let tbs = created.authority.certificate.tbs();
    assert_eq!((tbs.subject(), tbs.public_key().algorithm()), (&subject, KeyAlgorithm::P384));
    assert_eq!(tbs.validity().not_after.0 - tbs.validity().not_before.0, 100 * DAY - 1);
}

#[test]
fn another_ca_is_certified_as_far_as_the_profile_says() {
    // X8, G21
    let (fixture, other) = (Fixture::with_system_ca(), Fixture::new());
    other.engine().lifecycle().create_root(&super::fixture::new("partner", "root-ca")).unwrap();
    let engine = fixture.engine();
    let cross_certification = |certificate: Certificate| CrossCertification {
        label: "partner.pem".into(),
        certificate,
        profile: "sub-ca".into(),
        validity: RequestedValidity::Default,
        name_constraints: NameConstraints {
            permitted: vec!["partner.example".parse().unwrap()],
            excluded: Vec::new(),
        },
        path_length: None,
        unconstrained: false,
    };
    let partner = other.certificate("partner");
    let issuer = engine.issuance().unlock_issuer("genfic").unwrap();
    let issued = engine.lifecycle().cross_sign(&issuer, &cross_certification(partner.clone())).unwrap();
    let tbs = issued.certificate.tbs();
    assert_eq!(tbs.as_issuer(), partner.tbs().as_issuer());
    assert!(NameConstraints::of(tbs).unwrap().is_some());
    let found = fixture.records.select(&Selector::Exact(issued.certificate.fingerprint()), 2).unwrap();
    assert_eq!((found.len(), found[0].authority.as_str()), (1, "genfic"));
    let leaf = fixture.issue_host("a.example").certificate.unwrap();
    assert_eq!(
        engine.lifecycle().cross_sign(&issuer, &cross_certification(leaf)).unwrap_err().code.code(),
        "authority.not-a-ca"
    );
    let own = fixture.certificate("genfic");
    assert_eq!(
        engine.lifecycle().cross_sign(&issuer, &cross_certification(own)).unwrap_err().code.code(),
        "authority.itself"
    );
}
