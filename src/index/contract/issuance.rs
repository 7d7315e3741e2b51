//! Intents and their outcomes.
use super::fixture::*;
use crate::index::{CertificateState, Index, IndexError, Issued, Recorded, Revocation};
use crate::x509::{CertificateId, CrlReason, UnixTime, sha256};

fn revocation(reason: Option<CrlReason>) -> CertificateState {
    CertificateState::Revoked(Revocation { revoked_at: NOW, reason, invalidity_date: None })
}

pub(crate) fn a_serial_number_is_taken_once_for_each_issuer(index: &dyn Index) {
    // X1
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "genfic-user", 2);
    let first = root.issue_leaf(index, "a.example", 10, 5);
    let again = index.record_intent(vec![root.intent(root.leaf("b.example", 10, serial(5)))]);
    assert!(matches!(again, Err(IndexError::SerialInUse(id)) if id == first));
    let elsewhere = child.issue_leaf(index, "a.example", 10, 5);
    assert_ne!(first, elsewhere);
}

pub(crate) fn a_group_is_recorded_whole_or_not_at_all(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let head = index.audit_head().unwrap();
    let twice = [5, 6, 5].map(|octet| root.intent(root.leaf("a.example", 10, serial(octet))));
    assert!(matches!(index.record_intent(twice.into()), Err(IndexError::SerialInUse(_))));
    assert_eq!((index.pending().unwrap(), index.audit_head().unwrap()), (Vec::new(), head));

    let group = [5, 6, 7].map(|octet| root.intent(root.leaf("a.example", 10, serial(octet))));
    let recorded = index.record_intent(group.into()).unwrap();
    assert_eq!(index.pending().unwrap().len(), 3);
    let mut issued: Vec<Issued> = recorded
        .iter()
        .map(|tbs| Issued {
            issuer: root.issuer(),
            certificate: root.key.certify(tbs.get()),
            event: event(NOW, "certificate.issued"),
        })
        .collect();
    issued.push(issued[0].clone());
    assert!(index.record_issued(&issued).is_err());
    assert_eq!(index.pending().unwrap().len(), 3, "none was stored");
    issued.pop();
    index.record_issued(&issued).unwrap();
    assert!(index.pending().unwrap().is_empty());
}

pub(crate) fn nothing_is_issued_under_an_issuer_that_is_revoked_or_below_a_revoked_one(index: &dyn Index) {
    // X11
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "genfic-user", 2);
    let grandchild = child.child(index, "genfic-team", 3);
    let id = id(&child.certificate, &root);
    let attempt = |ca: &CertificateAuthority, octet| {
        let result = index.record_intent(vec![ca.intent(ca.leaf("a.example", 10, serial(octet)))]);
        result.map(drop).map_err(|error| error.to_string())
    };
    let hold = revocation(Some(CrlReason::CertificateHold));
    index.transition(&id, &CertificateState::Issued, &hold, event(NOW, "hold")).unwrap();
    assert!(attempt(&child, 9).unwrap_err().contains("genfic-user has been on hold since"));
    index.transition(&id, &hold, &CertificateState::Issued, event(NOW, "release")).unwrap();
    assert_eq!(attempt(&child, 9), Ok(()));
    index.transition(&id, &CertificateState::Issued, &revocation(None), event(NOW, "revoke")).unwrap();
    assert!(attempt(&child, 10).unwrap_err().contains("genfic-user was revoked at"));
    let issuer_path = attempt(&grandchild, 10).unwrap_err();
    assert!(issuer_path.contains("genfic-user, above genfic-team, was revoked at"), "{issuer_path}");
    assert_eq!(attempt(&root, 10), Ok(()));
}

pub(crate) fn nothing_is_issued_under_an_issuer_that_is_expired_or_unknown(index: &dyn Index) {
    // X11
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "genfic-user", 2);
    let attempt = |at: UnixTime| {
        let mut intent = child.intent(child.leaf("a.example", 10, serial(9)));
        intent.event.at = at;
        index.record_intent(vec![intent]).map(drop)
    };
    let end = child.certificate.tbs().validity().not_after;
    assert!(matches!(attempt(end.plus(1)), Err(IndexError::IssuerUnfit(_))));
    assert!(attempt(end).is_ok(), "the end is inclusive");

    let key = TestKey::ed25519();
    let tbs = CertificateAuthority::root_tbs("other", &key, serial(1));
    let mut unknown = intent(tbs.as_issuer(), None, tbs);
    unknown.event.at = end;
    assert!(matches!(index.record_intent(vec![unknown]), Err(IndexError::UnknownAuthority(_))));
    let mut misnamed = child.intent(child.leaf("a.example", 10, serial(10)));
    misnamed.issuer = root.issuer();
    misnamed.event.at = end;
    assert!(matches!(index.record_intent(vec![misnamed]), Err(IndexError::IssuerUnfit(_))));
}

pub(crate) fn nothing_is_signed_while_the_clock_stands_before_what_was_signed_last(index: &dyn Index) {
    // X2
    let root = CertificateAuthority::root(index, "genfic");
    let signed = |index: &dyn Index| index.newest_signed().unwrap().map(|signed| (signed.at, signed.what));
    let made = signed(index);
    assert_eq!(made.as_ref().map(|signed| signed.0), Some(NOW));
    let id = root.issue_leaf(index, "z.example", 10, 7);
    let to = CertificateState::Revoked(Revocation { revoked_at: NOW, reason: None, invalidity_date: None });
    index.transition(&id, &CertificateState::Issued, &to, event(NOW.plus(900), "ahead")).unwrap();
    index.record_event(event(NOW.plus(900), "ahead")).unwrap();
    root.take_crl_number(index, NOW.plus(900));
    assert_eq!(signed(index), Some((NOW, "certificate test".to_owned())), "nothing was signed");
    index.record_intent(vec![root.intent(root.leaf("a.example", 10, serial(8)))]).unwrap();
    let number = root.record_crl(index, NOW.plus(60)).0;
    assert_eq!(signed(index), Some((NOW.plus(60), format!("CRL {number} of test"))));
    let late = index.record_intent(vec![root.intent(root.leaf("a.example", 10, serial(9)))]);
    assert!(matches!(late, Err(IndexError::ClockBehind { newest, .. }) if newest == NOW.plus(60)));
    let list = index.next_crl_number(&root.issuer(), 0, NOW, &mut drop);
    assert!(matches!(list, Err(IndexError::ClockBehind { newest, .. }) if newest == NOW.plus(60)));
    let mut in_time = root.intent(root.leaf("a.example", 10, serial(9)));
    in_time.event.at = NOW.plus(60);
    assert!(index.record_intent(vec![in_time]).is_ok());
}

pub(crate) fn a_certificate_is_stored_only_against_its_own_intent(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let tbs = root.leaf("a.example", 10, serial(9));
    let issued = |tbs| Issued {
        issuer: root.issuer(),
        certificate: root.key.certify(tbs),
        event: event(NOW, "certificate.issued"),
    };
    assert!(matches!(index.record_issued(&[issued(&tbs)]), Err(IndexError::NotFound(_))));
    index.record_intent(vec![root.intent(tbs.clone())]).unwrap();
    let other = root.leaf("b.example", 10, serial(9));
    assert!(matches!(index.record_issued(&[issued(&other)]), Err(IndexError::Conflict(_))));
    index.record_issued(&[issued(&tbs)]).unwrap();
    assert!(matches!(index.record_issued(&[issued(&tbs)]), Err(IndexError::Conflict(_))));
    let id = CertificateId { issuer: root.issuer(), serial_number: serial(9) };
    let record = index.certificate(&id).unwrap().unwrap();
    assert_eq!((record.certificate.unwrap().tbs(), record.intended), (&tbs, None));
    assert_eq!((record.authority.as_str(), record.profile.as_str()), ("genfic", "system"));
    assert_eq!(record.contact.as_deref(), Some("owner@example.com"));
    assert_eq!(record.state, CertificateState::Issued);
}

pub(crate) fn an_abandoned_certificate_counts_as_revoked_and_is_never_issued(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let recorded = index.record_intent(vec![root.intent(root.leaf("a.example", 10, serial(9)))]).unwrap();
    let certificate = recorded.into_iter().next().map(Recorded::into_inner).map(|tbs| root.key.certify(&tbs));
    let id = CertificateId { issuer: root.issuer(), serial_number: serial(9) };
    assert_eq!(index.status(&id).unwrap(), Some(CertificateState::Pending));
    let intended = certificate.as_ref().map(|one| sha256(one.tbs().as_der()));
    assert_eq!(index.certificate(&id).unwrap().unwrap().intended, intended);
    let abandoned = [(id.clone(), event(NOW.plus(5), "certificate.abandoned"))];
    assert_eq!(index.abandon(&abandoned).unwrap(), 1);
    assert_eq!(index.abandon(&abandoned).unwrap(), 0, "once is enough");
    // X2: an event time after the newest signature may come from a wrong clock, and is not used.
    let expected = Revocation { revoked_at: NOW, reason: None, invalidity_date: None };
    assert_eq!(index.status(&id).unwrap(), Some(CertificateState::Revoked(expected)));
    let record = index.certificate(&id).unwrap().unwrap();
    assert!(record.is_abandoned());
    assert_eq!(record.intended, intended);
    assert_eq!(record.status(NOW).to_string(), "abandoned");
    let issued = Issued {
        issuer: root.issuer(),
        certificate: certificate.unwrap(),
        event: event(NOW.plus(5), "certificate.issued"),
    };
    assert!(matches!(index.record_issued(&[issued]), Err(IndexError::Conflict(_))));
    assert_eq!(root.publish_crl(index, NOW.plus(6)), [serial(9)]);
}
