//! CAs that get new certificates, and CAs that succeed others.
use super::fixture::*;
use crate::index::{
    CertificateState, FoundCertificate, Index, IndexError, IntendedAuthority, Intent, KeyConflict,
    Restoration,
};
use crate::x509::{Certificate, CertificateId, CrlReason, TbsCertificate};

fn renewal(root: &CertificateAuthority, tbs: TbsCertificate, name: &str) -> Intent {
    let issuer = (tbs.as_issuer() != root.issuer()).then_some(&root.certificate);
    let mut intent = intent(root.issuer(), issuer, tbs);
    intent.authority = Some(IntendedAuthority { renews: true, ..new_authority(name) });
    intent
}

fn current(index: &dyn Index, name: &str) -> Certificate {
    index.authority(name).unwrap().unwrap().certificate
}

pub(crate) fn a_renewed_certificate_takes_its_place_once_it_is_issued(index: &dyn Index) {
    // X11
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "child", 2);
    let again = CertificateAuthority::root_tbs("genfic", &root.key, serial(3));
    index.record_intent(vec![renewal(&root, again.clone(), "genfic")]).unwrap();
    assert_eq!(current(index, "genfic"), root.certificate, "nothing is signed yet");
    let id = CertificateId { issuer: root.issuer(), serial_number: serial(3) };
    index.abandon(&[(id, event(NOW, "certificate.abandoned"))]).unwrap();
    assert_eq!(current(index, "genfic"), root.certificate);

    let again = CertificateAuthority::root_tbs("genfic", &root.key, serial(4));
    let before = index.change_number().unwrap();
    let renewed = issue(index, &root.key, renewal(&root, again, "genfic"));
    assert_eq!(current(index, "genfic"), renewed);
    assert!(index.change_number().unwrap() > before);
    let record = index.certificate(&CertificateId { issuer: root.issuer(), serial_number: serial(1) });
    assert_eq!(record.unwrap().unwrap().certificate, Some(root.certificate.clone()), "both are on record");
    let authority = index.authority("genfic").unwrap().unwrap();
    assert_eq!((authority.issuer, authority.parent), (root.issuer(), None));

    let again = root.child_tbs("child", &child.key, serial(5));
    let renewed = issue(index, &root.key, renewal(&root, again, "child"));
    assert_eq!(current(index, "child"), renewed);
    assert_eq!(index.authority("child").unwrap().unwrap().parent.as_deref(), Some("genfic"));
    child.issue_leaf(index, "a.example", 10, 6);
}

pub(crate) fn only_the_name_and_key_of_a_ca_that_is_not_revoked_are_renewed(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "child", 2);
    let refused = |key: &TestKey, name: &str| {
        let tbs = root.child_tbs("child", key, serial(9));
        index.record_intent(vec![renewal(&root, tbs, name)]).unwrap_err()
    };
    assert!(matches!(refused(&TestKey::ed25519(), "child"), IndexError::UnknownAuthority(_)));
    assert!(matches!(refused(&child.key, "genfic"), IndexError::UnknownAuthority(_)));
    let id = id(&child.certificate, &root);
    let hold = Some(CrlReason::CertificateHold);
    for reason in [hold, Some(CrlReason::Superseded)] {
        let from = index.status(&id).unwrap().unwrap();
        let revocation = crate::index::Revocation { revoked_at: NOW, reason, invalidity_date: None };
        index.transition(&id, &from, &from.revoke(revocation).unwrap(), event(NOW, "x")).unwrap();
        let error = refused(&child.key, "child");
        let IndexError::KeyRefused { conflict, .. } = &error else { panic!("{error}") };
        match reason {
            Some(CrlReason::CertificateHold) => assert_eq!(*conflict, KeyConflict::Held(serial(2), NOW)),
            _ => assert_eq!(*conflict, KeyConflict::Revoked(serial(2), NOW)),
        }
    }
}

pub(crate) fn a_generation_knows_the_one_before_it(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let key = TestKey::ed25519();
    let make = |succeeds: &str| {
        let tbs = CertificateAuthority::root_tbs("genfic", &key, serial(1));
        let mut intent = intent(tbs.as_issuer(), None, tbs);
        let succeeds = Some(succeeds.to_owned());
        intent.authority = Some(IntendedAuthority { succeeds, ..new_authority("genfic-g2") });
        intent
    };
    let nobody = index.record_intent(vec![make("nobody")]);
    assert!(matches!(nobody, Err(IndexError::IssuerUnfit(_))));
    issue(index, &key, make("genfic"));
    assert_eq!(index.authority("genfic-g2").unwrap().unwrap().succeeds.as_deref(), Some("genfic"));
    assert_eq!(index.authority("genfic").unwrap().unwrap().succeeds, None);
    assert_eq!(index.successor("genfic").unwrap().map(|next| next.name).as_deref(), Some("genfic-g2"));
    assert_eq!(index.successor("genfic-g2").unwrap(), None);
    root.issue_leaf(index, "old.example", 10, 7);
}

pub(crate) fn the_last_end_is_that_of_what_others_hold(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let last = || index.authority("genfic").unwrap().unwrap().last_end;
    assert_eq!(last(), None, "its own certificate counts for nothing");
    root.issue_leaf(index, "a.example", 20, 2);
    root.issue_leaf(index, "b.example", 10, 3);
    assert_eq!(last(), Some(NOW.plus_days(20)));
    issue(index, &root.key, root.intent(responder_tbs(&root, 4)));
    assert_eq!(last(), Some(NOW.plus_days(20)), "a responder's counts for nothing");
    index.record_intent(vec![root.intent(root.leaf("c.example", 40, serial(5)))]).unwrap();
    assert_eq!(last(), Some(NOW.plus_days(40)), "what may have been signed counts");
}

pub(crate) fn a_renewal_that_was_found_again_takes_its_place(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "child", 2);
    let later = |tbs: TbsCertificate, seconds: i64| {
        let validity = tbs.validity();
        let not_before = validity.not_before.plus(seconds);
        CertificateBuilder::of(&tbs).valid(not_before, validity.not_after).tbs()
    };
    let shown = |seconds, octet| FoundCertificate {
        issuer: root.issuer(),
        certificate: root.key.certify(&later(root.child_tbs("child", &child.key, serial(octet)), seconds)),
        event: event(NOW, "certificate.restored"),
    };
    let (older, newer) = (shown(-60, 3), shown(60, 4));
    let renewed = newer.certificate.clone();
    index
        .restore(&Restoration {
            backup: NOW,
            change: 0,
            crl_numbers: Vec::new(),
            certificates: vec![newer, older],
            revocations: Vec::new(),
            superseded: Vec::new(),
            signed: None,
            event: event(NOW, "home.restored"),
        })
        .unwrap();
    let authority = index.authority("child").unwrap().unwrap();
    assert_eq!((authority.certificate, authority.profile.as_str()), (renewed, "system"));
    let old = index.status(&id(&child.certificate, &root)).unwrap();
    assert_eq!(old, Some(CertificateState::Issued));
}
