//! For which subject a key is certified, which is decided in the transaction of the intent; and certificates
//! that are put on record afterwards.
use super::fixture::*;
use crate::index::{
    CertificateState, Import, Imported, ImportedCertificate, ImportedContents, Index, IndexError, Intent,
    KeyConflict, Revocation, Supplement,
};
use crate::x509::{Certificate, CertificateId, CrlReason, Name, UnixTime};

fn revoked(reason: CrlReason) -> CertificateState {
    CertificateState::Revoked(Revocation { revoked_at: NOW, reason: Some(reason), invalidity_date: None })
}

fn conflict<T>(outcome: Result<T, IndexError>) -> Option<KeyConflict> {
    match outcome {
        Ok(_) => None,
        Err(IndexError::KeyRefused { conflict, .. }) => Some(conflict),
        Err(other) => panic!("{other}"),
    }
}

/// Returns an intent for a host with this key.
fn by(key: &TestKey, root: &CertificateAuthority, host: &str, octet: u8) -> Intent {
    root.intent(leaf(root, host, 10, serial(octet), key.public_key()))
}

fn subject(host: &str) -> Name {
    Name::parse(&format!("C=BE,O=Example,CN={host}")).unwrap()
}

pub(crate) fn a_key_is_intended_for_one_subject_only_whoever_is_first(index: &dyn Index) {
    // P1
    let root = CertificateAuthority::root(index, "genfic");
    let key = TestKey::ed25519();
    let both = vec![by(&key, &root, "a.example", 9), by(&key, &root, "b.example", 10)];
    let reused = Some(KeyConflict::Reused(format!("`{}`", subject("a.example"))));
    assert_eq!(conflict(index.record_intent(both)), reused);
    assert!(index.pending().unwrap().is_empty(), "all of a group or none");

    index.record_intent(vec![by(&key, &root, "a.example", 9)]).unwrap();
    assert_eq!(conflict(index.record_intent(vec![by(&key, &root, "b.example", 10)])), reused);
    assert!(index.record_intent(vec![by(&key, &root, "a.example", 11)]).is_ok(), "a renewal");
    let head = index.audit_head().unwrap();
    assert_eq!(head.sequence, 4, "what is refused leaves nothing behind");
}

pub(crate) fn one_holder_with_a_new_name_keeps_the_key(index: &dyn Index) {
    // P1
    let root = CertificateAuthority::root(index, "genfic");
    let key = TestKey::ed25519();
    issue(index, &root.key, by(&key, &root, "old.example", 9));
    let renamed = |host: &str, octet, former: &str| {
        let intent = Intent { same_holder_as: Some(subject(former)), ..by(&key, &root, host, octet) };
        conflict(index.record_intent(vec![intent]))
    };
    assert!(renamed("new.example", 10, "nobody.example").is_some(), "a name that never had the key");
    assert_eq!(index.one_subscriber(&key.public_key().digest()).unwrap(), []);
    assert_eq!(renamed("new.example", 10, "old.example"), None);
    assert_eq!(conflict(index.record_intent(vec![by(&key, &root, "new.example", 11)])), None, "renewed");
    assert!(conflict(index.record_intent(vec![by(&key, &root, "third.example", 12)])).is_some());
    assert_eq!(renamed("third.example", 12, "new.example"), None, "a name may change again");
    assert_eq!(index.one_subscriber(&key.public_key().digest()).unwrap().len(), 3);

    let id = CertificateId { issuer: root.issuer(), serial_number: serial(9) };
    let compromised = revoked(CrlReason::KeyCompromise);
    index.transition(&id, &CertificateState::Issued, &compromised, event(NOW, "revoke")).unwrap();
    assert_eq!(renamed("fourth.example", 13, "new.example"), Some(KeyConflict::Compromised(serial(9))));
}

pub(crate) fn a_renewal_is_recorded_only_beside_what_it_was_decided_beside(index: &dyn Index) {
    // G11, C7
    let root = CertificateAuthority::root(index, "genfic");
    let key = TestKey::ed25519();
    let first = id(&issue(index, &root.key, by(&key, &root, "a.example", 9)), &root);
    let renewal =
        |octet| Intent { decided_beside: Some(vec![first.clone()]), ..by(&key, &root, "a.example", octet) };
    // one of the same group is no other command's
    let both = index.record_intent(vec![renewal(10), renewal(11)]).unwrap();
    assert_eq!(both.len(), 2);
    let head = index.audit_head().unwrap();
    let (second, third) = (serial(10), serial(12));
    let late = index.record_intent(vec![renewal(12)]);
    let is_told = |outcome: &Result<_, IndexError>| match outcome {
        Err(IndexError::RenewedMeanwhile { id, by }) => {
            (id.serial_number.clone(), by.serial_number.clone()) == (third.clone(), second.clone())
        }
        _ => false,
    };
    assert!(is_told(&late), "one that is pending counts: {late:?}");
    assert_eq!(index.audit_head().unwrap(), head, "what is refused leaves nothing behind");
    for octet in [10, 11] {
        let pending = CertificateId { issuer: root.issuer(), serial_number: serial(octet) };
        index.abandon(&[(pending, event(NOW, "certificate.abandoned"))]).unwrap();
    }
    index.record_intent(vec![renewal(12)]).unwrap();
}

pub(crate) fn a_key_that_others_have_is_certified_for_nobody_and_not_released(index: &dyn Index) {
    // X13
    let root = CertificateAuthority::root(index, "genfic");
    let other = CertificateAuthority::root(index, "other");
    for (round, reason) in [CrlReason::KeyCompromise, CrlReason::CaCompromise].into_iter().enumerate() {
        let key = TestKey::ed25519();
        let first = 10 + 10 * u8::try_from(round).unwrap();
        let one = id(&issue(index, &root.key, by(&key, &root, "a.example", first)), &root);
        let two = id(&issue(index, &other.key, by(&key, &other, "a.example", first)), &other);
        let held = revoked(CrlReason::CertificateHold);
        index.transition(&two, &CertificateState::Issued, &held, event(NOW, "hold")).unwrap();
        let third = |octet| conflict(index.record_intent(vec![by(&key, &root, "a.example", octet)]));
        assert_eq!(third(first + 1), Some(KeyConflict::Held(serial(first), NOW)), "on hold elsewhere");
        let lists = |visit: &mut Vec<CertificateId>| {
            index.on_compromised_keys(NOW, &mut |record| visit.push(record.id)).unwrap();
        };
        let mut before = Vec::new();
        lists(&mut before);
        assert_eq!(before, []);
        index.transition(&one, &CertificateState::Issued, &revoked(reason), event(NOW, "revoke")).unwrap();
        let compromised = Some(KeyConflict::Compromised(serial(first)));
        assert_eq!(third(first + 2), compromised);
        let release = index.transition(&two, &held, &CertificateState::Issued, event(NOW, "release"));
        assert_eq!(conflict(release), compromised);
        let mut relied_on = Vec::new();
        lists(&mut relied_on);
        assert_eq!(relied_on, std::slice::from_ref(&two));
        let mut later = 0;
        index.on_compromised_keys(NOW.plus_days(11), &mut |_| later += 1).unwrap();
        assert_eq!(later, 0, "what has ended is relied on by nobody");
        index.transition(&two, &held, &revoked(reason), event(NOW, "revoke")).unwrap();
    }
}

pub(crate) fn a_ca_that_is_revoked_or_held_does_not_come_back(index: &dyn Index) {
    // X11
    let root = CertificateAuthority::root(index, "genfic");
    let other = CertificateAuthority::root(index, "other");
    let child = root.child(index, "child", 2);
    let own = id(&child.certificate, &root);
    let cross = |octet| {
        let tbs = other.child_tbs("child", &child.key, serial(octet));
        conflict(index.record_intent(vec![other.intent(tbs)]))
    };
    let held = revoked(CrlReason::CertificateHold);
    index.transition(&own, &CertificateState::Issued, &held, event(NOW, "hold")).unwrap();
    assert_eq!(cross(20), Some(KeyConflict::Held(serial(2), NOW)));
    index.transition(&own, &held, &CertificateState::Issued, event(NOW, "release")).unwrap();
    assert_eq!(cross(21), None, "a hold that was lifted");
    index
        .abandon(&[(
            id(&other.key.certify(&other.child_tbs("child", &child.key, serial(21))), &other),
            event(NOW, "x"),
        )])
        .unwrap();
    assert_eq!(cross(22), None, "what never came to be says nothing of the CA");
    index
        .transition(&own, &CertificateState::Issued, &revoked(CrlReason::Superseded), event(NOW, "revoke"))
        .unwrap();
    let gone = Some(KeyConflict::Revoked(serial(2), NOW));
    assert_eq!(cross(23), gone);

    let itself = child.key.certify(&CertificateAuthority::root_tbs("child", &child.key, serial(7)));
    let back = CertificateAuthority { key: TestKey::ed25519(), certificate: itself };
    let import = Import::of(back.as_authority("child-again", None), event(NOW, "authority.imported"));
    assert_eq!(conflict(index.import(&import)), gone);
    let namesake = other.child_tbs("child", &TestKey::ed25519(), serial(24));
    assert_eq!(conflict(index.record_intent(vec![other.intent(namesake)])), None, "its name with a new key");
}

fn found(certificate: &Certificate, state: CertificateState) -> ImportedCertificate {
    ImportedCertificate {
        serial_number: certificate.tbs().serial_number().clone(),
        contents: ImportedContents::Certificate(certificate.clone()),
        state,
        event: event(NOW, "certificate.revoked"),
    }
}

pub(crate) fn what_a_ca_signed_and_nobody_recorded_is_put_on_record(index: &dyn Index) {
    // C1, C3
    let root = CertificateAuthority::root(index, "genfic");
    let known = root.issue_leaf(index, "known.example", 10, 9);
    let supplement = |certificates: Vec<ImportedCertificate>, crl_number| Supplement {
        issuer: root.issuer(),
        certificates,
        crl_number,
        event: None,
    };
    root.publish_crl(index, NOW);
    assert!(!index.crl_is_owed(&root.issuer()).unwrap());
    let lost = root.key.certify(&root.leaf("lost.example", 10, serial(20)));
    let number = ImportedCertificate {
        serial_number: serial(21),
        contents: ImportedContents::Number { subject: Name::empty(), not_after: UnixTime::NO_END },
        ..found(&lost, revoked(CrlReason::Superseded))
    };
    let both = vec![found(&lost, revoked(CrlReason::KeyCompromise)), number];
    let taken = index.supplement(&supplement(both.clone(), 0)).unwrap();
    assert_eq!(taken, Imported { certificates: 1, serial_only: 1, revoked: 2 });
    let id = |octet| CertificateId { issuer: root.issuer(), serial_number: serial(octet) };
    assert_eq!(index.status(&id(20)).unwrap(), Some(revoked(CrlReason::KeyCompromise)));
    assert_eq!(index.certificate(&id(20)).unwrap().unwrap().certificate, Some(lost.clone()));
    assert_eq!(index.status(&id(21)).unwrap(), Some(revoked(CrlReason::Superseded)));
    assert!(index.crl_is_owed(&root.issuer()).unwrap());
    assert_eq!(root.publish_crl(index, NOW.plus(1)), [serial(20), serial(21)]);

    let again = index.supplement(&supplement(both, 0)).unwrap();
    assert_eq!(again, Imported::default());
    let valid = vec![found(&lost, CertificateState::Issued)];
    assert_eq!(index.supplement(&supplement(valid, 50)).unwrap(), Imported::default());
    assert_eq!(index.status(&id(20)).unwrap(), Some(revoked(CrlReason::KeyCompromise)), "stays revoked");
    assert_eq!(index.highest_crl_number(&root.issuer()).unwrap(), 50);
    let twin = root.key.certify(&root.leaf("twin.example", 10, serial(9)));
    let clash = index.supplement(&supplement(vec![found(&twin, revoked(CrlReason::Superseded))], 0));
    assert!(matches!(clash, Err(IndexError::SerialInUse(id)) if id == known));
}
