//! Indexes restored from backups: what they take over, what they refuse until they are accepted, and copies.
use super::fixture::*;
use crate::audit::Head;
use crate::index::{
    CertificateState, Filter, FoundCertificate, FoundRevocation, Index, IndexError, Restoration, Revocation,
    Selector, StatusValue, TakenOver, TransitionError, index_txt,
};
use crate::lint;
use crate::x509::{CertificateId, CrlReason, TbsCertificate};

fn restoration() -> Restoration {
    Restoration {
        backup: NOW.plus(-100),
        change: 0,
        crl_numbers: Vec::new(),
        certificates: Vec::new(),
        revocations: Vec::new(),
        superseded: Vec::new(),
        signed: None,
        event: event(NOW, "home.restored"),
    }
}

fn revoked(reason: Option<CrlReason>) -> Revocation {
    Revocation { revoked_at: NOW.plus(-5), reason, invalidity_date: None }
}

fn found(id: &CertificateId, reason: Option<CrlReason>) -> FoundRevocation {
    FoundRevocation { id: id.clone(), revocation: revoked(reason), event: event(NOW, "certificate.revoked") }
}

fn of(ca: &CertificateAuthority, octet: u8) -> CertificateId {
    CertificateId { issuer: ca.issuer(), serial_number: serial(octet) }
}

pub(crate) fn nothing_is_issued_or_released_between_a_restore_and_its_acceptance(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let held = root.issue_leaf(index, "held.example", 10, 9);
    let hold = CertificateState::Revoked(revoked(Some(CrlReason::CertificateHold)));
    index.transition(&held, &CertificateState::Issued, &hold, event(NOW, "certificate.held")).unwrap();
    let good = root.issue_leaf(index, "good.example", 10, 10);
    assert_eq!(index.restored().unwrap(), None);
    index.restore(&restoration()).unwrap();
    let restored = index.restored().unwrap().unwrap();
    assert_eq!((restored.at, restored.backup), (NOW, NOW.plus(-100)));

    let refused =
        |error: IndexError| matches!(error, IndexError::NotAccepted { backup } if backup == NOW.plus(-100));
    let leaf = || root.intent(root.leaf("new.example", 10, serial(11)));
    assert!(refused(index.record_intent(vec![leaf()]).unwrap_err()));
    let key = TestKey::ed25519();
    let tbs = CertificateAuthority::root_tbs("other", &key, serial(1));
    let mut other = intent(tbs.as_issuer(), None, tbs);
    other.authority = Some(new_authority("other"));
    assert!(refused(index.record_intent(vec![other]).unwrap_err()));
    let release =
        || index.transition(&held, &hold, &CertificateState::Issued, event(NOW, "certificate.released"));
    assert!(refused(release().unwrap_err()));

    // Revocations, CRLs and responder certificates go on.
    let to = CertificateState::Revoked(revoked(None));
    index.transition(&good, &CertificateState::Issued, &to, event(NOW, "certificate.revoked")).unwrap();
    root.publish_crl(index, NOW);
    let responder = root.intent(responder_tbs(&root, 12));
    index.record_intent(vec![responder]).unwrap();
    let both = vec![root.intent(responder_tbs(&root, 13)), leaf()];
    assert!(refused(index.record_intent(both).unwrap_err()), "one of them is no responder's");

    assert!(index.accept_restored(event(NOW, "home.accepted")).unwrap());
    assert_eq!(index.restored().unwrap(), None);
    let head = index.audit_head().unwrap();
    assert!(!index.accept_restored(event(NOW, "home.accepted")).unwrap());
    assert_eq!(index.audit_head().unwrap(), head, "nothing was accepted");
    index.record_intent(vec![leaf()]).unwrap();
    release().unwrap();
}

pub(crate) fn a_restore_revokes_what_was_published_as_revoked_and_releases_nothing(index: &dyn Index) {
    // C4
    let root = CertificateAuthority::root(index, "genfic");
    for (octet, host) in [(9, "a"), (10, "b"), (11, "c"), (12, "d")] {
        root.issue_leaf(index, &format!("{host}.example"), 10, octet);
    }
    index.record_intent(vec![root.intent(root.leaf("pending.example", 10, serial(13)))]).unwrap();
    let hold = Some(CrlReason::CertificateHold);
    let set = |octet, reason| {
        let to = CertificateState::Revoked(Revocation { revoked_at: NOW.plus(-50), ..revoked(reason) });
        index.transition(&of(&root, octet), &CertificateState::Issued, &to, event(NOW, "x")).unwrap();
    };
    set(10, hold);
    set(11, Some(CrlReason::Superseded));
    set(12, hold);
    let taken = index
        .restore(&Restoration {
            revocations: vec![
                found(&of(&root, 9), Some(CrlReason::KeyCompromise)),
                found(&of(&root, 10), None),
                found(&of(&root, 11), hold),
                found(&of(&root, 12), hold),
                found(&of(&root, 13), hold),
                found(&of(&root, 14), Some(CrlReason::Unspecified)),
                found(&of(&root, 14), Some(CrlReason::Superseded)),
            ],
            ..restoration()
        })
        .unwrap();
    assert_eq!(taken, TakenOver { certificates: 0, revoked: 3, serial_only: 1 });
    let state = |octet| match index.status(&of(&root, octet)).unwrap() {
        Some(CertificateState::Revoked(revocation)) => (revocation.revoked_at, revocation.reason),
        other => panic!("{other:?}"),
    };
    assert_eq!(state(9), (NOW.plus(-5), Some(CrlReason::KeyCompromise)));
    assert_eq!(state(10), (NOW.plus(-5), None));
    assert_eq!(state(11), (NOW.plus(-50), Some(CrlReason::Superseded)));
    assert_eq!(state(12), (NOW.plus(-50), hold));
    assert_eq!(state(13), (NOW.plus(-5), None), "what is pending cannot be released, so it is not held");
    assert_eq!(state(14), (NOW.plus(-5), None));
    assert!(index.crl_is_owed(&root.issuer()).unwrap());
    assert_eq!(root.publish_crl(index, NOW).len(), 6);
}

pub(crate) fn what_was_found_and_is_not_on_record_is_issued_again(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let pending = root.leaf("pending.example", 10, serial(9));
    index.record_intent(vec![root.intent(pending.clone())]).unwrap();
    let other = root.leaf("other.example", 10, serial(10));
    index.record_intent(vec![root.intent(other)]).unwrap();
    root.issue_leaf(index, "known.example", 10, 11);
    let shown = |tbs: &TbsCertificate| FoundCertificate {
        issuer: root.issuer(),
        certificate: root.key.certify(tbs),
        event: event(NOW, "certificate.restored"),
    };
    let lost = root.leaf("lost.example", 10, serial(12));
    let taken = index
        .restore(&Restoration {
            certificates: vec![
                shown(&pending),
                shown(&root.leaf("forked.example", 10, serial(10))),
                shown(&root.leaf("forked.example", 10, serial(11))),
                shown(&lost),
            ],
            revocations: vec![found(&of(&root, 12), None)],
            ..restoration()
        })
        .unwrap();
    assert_eq!(taken, TakenOver { certificates: 2, revoked: 1, serial_only: 0 });
    assert_eq!(index.status(&of(&root, 9)).unwrap(), Some(CertificateState::Issued));
    assert_eq!(index.status(&of(&root, 10)).unwrap(), Some(CertificateState::Pending));
    let record = index.certificate(&of(&root, 12)).unwrap().unwrap();
    assert_eq!(record.status(NOW), StatusValue::Revoked);
    assert_eq!(record.certificate, Some(root.key.certify(&lost)));
    assert!(!index.key_uses(&lost.public_key().digest()).unwrap().is_empty());
    assert_eq!(index.select(&Selector::Name("lost.example".into()), 9).unwrap().len(), 1);
    let forked = index.select(&Selector::Name("forked.example".into()), 9).unwrap();
    assert!(forked.is_empty(), "a serial number names one certificate");
}

pub(crate) fn numbers_go_on_above_all_that_were_seen(index: &dyn Index) {
    // C1, O12
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "child", 2);
    root.publish_crl(index, NOW);
    let head = Head { sequence: 77, digest: [7; 32] };
    index
        .restore(&Restoration {
            change: 5000,
            crl_numbers: vec![(root.issuer(), 900), (child.issuer(), 0)],
            superseded: vec![head],
            signed: None,
            ..restoration()
        })
        .unwrap();
    assert!(index.change_number().unwrap() > 5000);
    assert_eq!(index.highest_crl_number(&root.issuer()).unwrap(), 900);
    assert_eq!(index.next_crl_number(&root.issuer(), 0, NOW, &mut |_| {}).unwrap(), 901);
    assert_eq!(index.next_crl_number(&child.issuer(), 0, NOW, &mut |_| {}).unwrap(), 1);
    assert_eq!(index.last_crl(&root.issuer()).unwrap().map(|crl| crl.number), Some(1));
    assert!(index.supersedes(&head).unwrap());
    assert!(!index.supersedes(&Head { sequence: 77, digest: [8; 32] }).unwrap());
    assert!(!index.supersedes(&index.audit_head().unwrap()).unwrap());
}

pub(crate) fn a_certificate_known_by_its_number_is_read_everywhere(index: &dyn Index) {
    // C3: notAfter is not known, so that every CRL lists the certificate.
    let root = CertificateAuthority::root(index, "genfic");
    let (revoked, held) = (of(&root, 20), of(&root, 21));
    let before = index.change_number().unwrap();
    index
        .restore(&Restoration {
            revocations: vec![
                found(&revoked, Some(CrlReason::Superseded)),
                found(&held, Some(CrlReason::CertificateHold)),
            ],
            ..restoration()
        })
        .unwrap();
    index.accept_restored(event(NOW, "home.accepted")).unwrap();
    let record = index.certificate(&revoked).unwrap().unwrap();
    assert!(record.serial_only && !record.is_abandoned() && record.certificate.is_none());
    assert_eq!((record.authority.as_str(), record.subject.to_string().as_str()), ("genfic", ""));
    assert_eq!(record.validity.not_after.to_string(), "9999-12-31T23:59:59Z");
    assert_eq!(record.status(NOW.plus_days(9999)), StatusValue::Revoked);
    for selector in [Selector::Serial(serial(20)), Selector::AuthoritySerial("genfic".into(), serial(20))] {
        assert_eq!(index.select(&selector, 9).unwrap(), std::slice::from_ref(&record));
    }
    assert!(index.select(&Selector::Name(String::new()), 9).unwrap().is_empty());
    let list = |status| {
        let filter = Filter { status: Some((status, NOW)), ..Filter::default() };
        let mut found = Vec::new();
        index
            .list(&filter, &mut |record| {
                assert_eq!(record.status(NOW), status);
                found.push(record.id.serial_number);
                true
            })
            .unwrap();
        found
    };
    assert_eq!(list(StatusValue::Revoked), [serial(20)]);
    assert_eq!(list(StatusValue::Held), [serial(21)]);
    assert_eq!(list(StatusValue::Abandoned), []);
    let mut rows = 0;
    index.status_rows(before, &mut |_| rows += 1).unwrap();
    assert_eq!(rows, 2);
    let mut text = Vec::new();
    index_txt(index, "genfic", NOW, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let line = format!(
        "R\t99991231235959Z\t270115075955Z,superseded\t{}\tunknown\t\n",
        serial(20).to_string().to_uppercase()
    );
    assert!(text.contains(&line), "{text}");

    assert_eq!(root.publish_crl(index, NOW.plus_days(9000)).len(), 2);
    assert_eq!(root.publish_crl(index, NOW.plus_days(9001)).len(), 2);
    let hold = CertificateState::Revoked(Revocation {
        revoked_at: NOW.plus(-5),
        reason: Some(CrlReason::CertificateHold),
        invalidity_date: None,
    });
    let later = event(NOW.plus_days(9001), "x");
    let released = index.transition(&held, &hold, &CertificateState::Issued, later.clone());
    assert!(matches!(released, Err(IndexError::Transition(TransitionError::KnownByNumber))));
    let to = CertificateState::Revoked(self::revoked(None));
    index.transition(&held, &hold, &to, later).unwrap();

    // The serial number is not assigned again.
    let tbs = root.leaf("again.example", 10, serial(20));
    let again = lint::check_certificate(tbs, Some(&root.certificate)).unwrap();
    let mut intent = root.intent(again.into_inner());
    intent.event.at = NOW.plus_days(9001);
    intent.event.action = "certificate.intended".into();
    let taken = index.record_intent(vec![intent]);
    assert!(matches!(taken, Err(IndexError::SerialInUse(_) | IndexError::IssuerUnfit(_))), "{taken:?}");
}

pub(crate) fn revocations_that_were_signed_are_taken_over_and_lift_nothing(index: &dyn Index) {
    // C4, K3
    let root = CertificateAuthority::root(index, "genfic");
    let lost = root.issue_leaf(index, "lost.example", 10, 9);
    let held = root.issue_leaf(index, "held.example", 10, 10);
    let known = root.issue_leaf(index, "known.example", 10, 11);
    let unknown = of(&root, 12);
    let hold = CertificateState::Revoked(revoked(Some(CrlReason::CertificateHold)));
    index.transition(&held, &CertificateState::Issued, &hold, event(NOW, "certificate.held")).unwrap();
    let earlier = CertificateState::Revoked(Revocation { revoked_at: NOW.plus(-9), ..revoked(None) });
    index.transition(&known, &CertificateState::Issued, &earlier, event(NOW, "certificate.revoked")).unwrap();
    let before = index.change_number().unwrap();
    let all = [&lost, &held, &known, &unknown].map(|id| found(id, Some(CrlReason::KeyCompromise)));
    let taken = index.take_over(&all).unwrap();
    assert_eq!(taken, TakenOver { certificates: 0, revoked: 2, serial_only: 1 });
    let compromised = CertificateState::Revoked(revoked(Some(CrlReason::KeyCompromise)));
    for (id, state) in
        [(&lost, &compromised), (&held, &compromised), (&unknown, &compromised), (&known, &earlier)]
    {
        assert_eq!(index.status(id).unwrap().as_ref(), Some(state), "{id:?}");
        let is_changed = index.change_of(id).unwrap().unwrap() > before;
        assert_eq!(is_changed, id != &known, "{id:?}");
    }
    assert!(index.crl_is_owed(&root.issuer()).unwrap());
    let head = index.audit_head().unwrap();
    assert_eq!(index.take_over(&all).unwrap(), TakenOver::default());
    assert_eq!(index.audit_head().unwrap(), head);
    assert_eq!(index.change_of(&of(&root, 99)).unwrap(), None);
}
