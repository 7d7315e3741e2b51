//! CAs that get a new certificate of the same key.
use super::fixture::{DAY, Fixture, ends_with};
use crate::ca::AuthorityRenewal;
use crate::error::{Exit, remedy};
use crate::home::PublicFile;
use crate::index::{Authority, CertificateState, Import};
use crate::profile::RequestedValidity;
use crate::signing::{CaKeys, SoftKey};
use crate::testing::CertificateBuilder;
use crate::x509::extension::{self, BasicConstraints, KeyUsage, NameConstraints, Subtree};
use crate::x509::{Certificate, CertificateId, KeyAlgorithm, Name};
use std::fs;

const CA: &str = "genfic-system";

fn renew(fixture: &Fixture, name: &str) -> crate::ca::RenewedAuthority {
    fixture.engine().lifecycle().renew_authority(name, &AuthorityRenewal::default()).unwrap()
}

#[test]
fn a_renewed_ca_has_its_name_and_key_and_what_it_issued_verifies_with_both() {
    // X6, X11, G4
    let fixture = Fixture::with_system_ca();
    let leaf = fixture.issue_host("a.example").certificate.unwrap();
    fixture.wait(100 * DAY);
    for name in ["genfic", CA] {
        let old = fixture.certificate(name);
        let renewed = renew(&fixture, name);
        let new = fixture.certificate(name);
        assert_eq!((&renewed.replaces, &renewed.authority.certificate), (&old, &new));
        assert_eq!(renewed.notices, []);
        let (was, is) = (old.tbs(), new.tbs());
        assert_eq!((was.subject(), was.public_key()), (is.subject(), is.public_key()));
        assert_eq!(old.key_identifier(), new.key_identifier());
        assert_eq!(was.as_issuer(), is.as_issuer(), "one CertID means both");
        assert_ne!(was.serial_number(), is.serial_number());
        assert!(is.validity().not_after > was.validity().not_after);
        assert_eq!(fs::read(fixture.public(name, PublicFile::CertificateDer)).unwrap(), new.as_der());
    }
    assert!(leaf.is_signed_by(fixture.certificate(CA).tbs().public_key()));
    assert!(fixture.certificate(CA).is_signed_by(fixture.certificate("genfic").tbs().public_key()));
    let chain = fs::read_to_string(fixture.public(CA, PublicFile::Chain)).unwrap();
    assert_eq!(chain, fixture.certificate(CA).to_pem() + &fixture.certificate("genfic").to_pem());
    fixture.issue_host("b.example");
    assert_eq!(fixture.engine().maintenance().recover().unwrap(), Default::default());
}

#[test]
fn the_chains_below_a_renewed_root_have_its_new_certificate() {
    // P15
    let fixture = Fixture::with_system_ca();
    fixture.wait(DAY);
    renew(&fixture, "genfic");
    let chain = fs::read_to_string(fixture.public(CA, PublicFile::Chain)).unwrap();
    assert!(chain.ends_with(&fixture.certificate("genfic").to_pem()));
}

#[test]
fn an_expired_ca_is_renewed_and_issues_again_and_a_revoked_one_is_not() {
    // X11
    let fixture = Fixture::with_system_ca();
    fixture.set(fixture.certificate("genfic").tbs().validity().not_after.plus(DAY));
    assert_eq!(
        fixture.issue(&[super::fixture::request("a.example")]).unwrap_err().code.code(),
        "issuer.unfit"
    );
    renew(&fixture, "genfic");
    renew(&fixture, CA);
    fixture.issue_host("a.example");

    let engine = fixture.engine();
    for name in [CA, "genfic"] {
        engine.revocation().revoke_authority(name, None, None).unwrap();
        let refused = engine.lifecycle().renew_authority(name, &AuthorityRenewal::default()).unwrap_err();
        assert_eq!((refused.exit, refused.code.code()), (Exit::Refused, "authority.revoked"));
        assert_eq!(refused.hint, remedy::Authority::NewKey(name.into()).into());
    }
}

#[test]
fn a_renewal_that_was_cut_short_changes_nothing_and_can_be_made_again() {
    let fixture = Fixture::with_system_ca();
    fixture.wait(DAY);
    for (step, name) in [("sign", "genfic"), ("recorded", "genfic"), ("sign", CA), ("recorded", CA)] {
        let old = fixture.certificate(name);
        fixture.script.fail(&[step]);
        fixture.engine().lifecycle().renew_authority(name, &AuthorityRenewal::default()).unwrap_err();
        fixture.script.fail(&[]);
        assert_eq!(fixture.engine().maintenance().recover().unwrap().abandoned, 1, "{step}");
        assert_eq!(fixture.certificate(name), old);
        renew(&fixture, name);
        assert_ne!(fixture.certificate(name), old);
    }
    // what is on record and not published is published by the next command
    for step in ["status", "authority"] {
        fixture.script.fail(&[step]);
        let problem =
            fixture.engine().lifecycle().renew_authority("genfic", &AuthorityRenewal::default()).unwrap_err();
        assert!(ends_with(&problem, remedy::Record::NotSignedAgain), "{problem:?}");
        fixture.script.fail(&[]);
        assert!(!fixture.engine().maintenance().recover().unwrap().repeated.is_empty());
        let published = fs::read(fixture.public("genfic", PublicFile::CertificateDer)).unwrap();
        assert_eq!(published, fixture.certificate("genfic").as_der());
    }
}

#[test]
fn name_constraints_stay_and_siblings_stay_apart() {
    // G4, X8
    let fixture = Fixture::new();
    fixture.root("genfic");
    fixture.child("genfic", "genfic-user", "user-ca");
    let constraints = NameConstraints {
        permitted: vec!["genfic.example".parse::<Subtree>().unwrap()],
        excluded: Vec::new(),
    };
    let new = super::fixture::new(CA, "system-ca");
    let engine = fixture.engine();
    engine
        .lifecycle()
        .create_child("genfic", &crate::ca::NewAuthority { name_constraints: constraints, ..new })
        .unwrap();
    let before = NameConstraints::of(fixture.certificate(CA).tbs()).unwrap().unwrap();
    fixture.wait(400 * DAY);
    renew(&fixture, "genfic-user");
    renew(&fixture, CA);
    assert_eq!(NameConstraints::of(fixture.certificate(CA).tbs()).unwrap(), Some(before));
    let end = |name| fixture.certificate(name).tbs().validity().not_after;
    assert!(end("genfic-user").plus(14 * DAY) <= end(CA));
    let asked =
        AuthorityRenewal { validity: RequestedValidity::Until(end("genfic-user").plus(DAY)), profile: None };
    let near = engine.lifecycle().renew_authority(CA, &asked).unwrap();
    assert!(near.notices.iter().any(|said| said.message.contains("14 days")), "{:?}", near.notices);
    assert!(near.notices.iter().any(|said| said.message.contains("no later")), "{:?}", near.notices);
}

/// Imports a root of another program, whose key identifier was made by a method that is not ours.
fn import_root(fixture: &Fixture) -> Certificate {
    let place = fixture.keys.new_key("elder");
    let signer = fixture.keys.store.write(&place, || SoftKey::generate(KeyAlgorithm::P256)).unwrap();
    let name = Name::parse("CN=Elder").unwrap();
    let now = fixture.now();
    let extensions = vec![
        BasicConstraints { ca: true, path_length: None }.to_extension(),
        KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN).to_extension(),
        extension::subject_key_identifier_of(&[7; 20]),
    ];
    let certificate = CertificateBuilder::new(&name, signer.public_key())
        .number(&"0102".parse().unwrap())
        .valid(now.plus(-DAY), now.plus_days(1000))
        .with(extensions)
        .signed(|tbs| signer.forge(tbs));
    let authority = Authority {
        name: "elder".into(),
        issuer: certificate.tbs().as_issuer(),
        parent: None,
        profile: "root-ca".into(),
        certificate: certificate.clone(),
        key: "age:elder.age".into(),
        external: false,
        serves_ocsp: false,
        succeeds: None,
        last_end: None,
        retired: None,
    };
    let event = fixture.engine().event(now, "authority.added", "elder");
    fixture.records.import(&Import::of(authority, event)).unwrap();
    fixture.engine().maintenance().recover().unwrap();
    certificate
}

#[test]
fn an_identifier_that_another_program_made_is_kept() {
    // X6
    let fixture = Fixture::new();
    let old = import_root(&fixture);
    fixture.wait(DAY);
    fixture.child("elder", CA, "system-ca");
    let renewed = renew(&fixture, "elder").authority.certificate.clone();
    assert_eq!(renewed.key_identifier(), [7; 20]);
    assert_eq!(
        extension::authority_key_identifier_of(
            &renewed.tbs().extension(extension::AUTHORITY_KEY_IDENTIFIER).unwrap().value
        ),
        Some(vec![7; 20])
    );
    assert_ne!(renewed, old);
    renew(&fixture, CA);
    let state = fixture.records.status(&CertificateId {
        issuer: old.tbs().as_issuer(),
        serial_number: renewed.tbs().serial_number().clone(),
    });
    assert_eq!(state.unwrap(), Some(CertificateState::Issued));
}
