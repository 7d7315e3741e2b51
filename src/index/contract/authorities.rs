//! CAs and their creation.
use super::fixture::*;
use crate::index::{
    Authority, AuthoritySummary, CertificateState, Import, Index, IndexError, Issued, Recorded, Revocation,
};
use crate::x509::CertificateId;

pub(crate) fn a_ca_exists_once_its_certificate_is_issued(index: &dyn Index) {
    let key = TestKey::ed25519();
    let tbs = CertificateAuthority::root_tbs("genfic", &key, serial(1));
    let issuer = tbs.as_issuer();
    let mut intent = intent(issuer, None, tbs);
    intent.profile = "root-ca".into();
    intent.authority = Some(new_authority("genfic"));
    let recorded = index.record_intent(vec![intent]).unwrap().pop().map(Recorded::into_inner).unwrap();
    assert!(index.authorities().unwrap().is_empty());
    assert_eq!(index.authority("genfic").unwrap(), None);
    assert!(matches!(
        index.next_crl_number(&issuer, 0, NOW, &mut drop),
        Err(IndexError::UnknownAuthority(_))
    ));
    let certificate = key.certify(&recorded);
    let issued = Issued { issuer, certificate: certificate.clone(), event: event(NOW, "authority.created") };
    index.record_issued(&[issued]).unwrap();
    let root = index.authority("genfic").unwrap().unwrap();
    assert_eq!(root.certificate, certificate);
    assert_eq!((root.issuer, root.parent.as_deref()), (issuer, None));
    assert_eq!((root.profile.as_str(), root.key.as_str()), ("root-ca", "age:genfic.age"));
    assert!(!root.serves_ocsp);
    index.set_serves_ocsp(&issuer, true, event(NOW, "authority.changed")).unwrap();
    assert!(index.authority("genfic").unwrap().unwrap().serves_ocsp);
}

pub(crate) fn the_key_of_a_ca_is_where_the_record_says(index: &dyn Index) {
    // G6
    let root = CertificateAuthority::root(index, "genfic");
    let before = index.authority("genfic").unwrap().unwrap();
    assert!(!before.has_key_on_media());
    index.set_key(&root.issuer(), "offline:genfic.age", event(NOW, "key.exported")).unwrap();
    let after = index.authority("genfic").unwrap().unwrap();
    assert!(after.has_key_on_media() && after.is_offline_unless_configured());
    assert_eq!(Authority { key: before.key.clone(), ..after }, before);
    let of_nobody = index.set_key(&crate::x509::IssuerId([7; 32]), "age:a.age", event(NOW, "key.exported"));
    assert!(matches!(of_nobody, Err(IndexError::UnknownAuthority(_))));
}

pub(crate) fn the_name_of_a_ca_is_taken_while_it_is_pending_and_free_when_it_is_abandoned(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let key = TestKey::ed25519();
    let attempt = |key: &TestKey, name: &str, octet| {
        let mut intent = root.intent(root.child_tbs(name, key, serial(octet)));
        intent.authority = Some(new_authority(name));
        index.record_intent(vec![intent]).map(drop)
    };
    attempt(&key, "genfic-user", 2).unwrap();
    let taken = attempt(&TestKey::ed25519(), "genfic-user", 3);
    assert!(matches!(taken, Err(IndexError::AuthorityExists(name)) if name == "genfic-user"));
    let id = CertificateId { issuer: root.issuer(), serial_number: serial(2) };
    index.abandon(&[(id, event(NOW, "certificate.abandoned"))]).unwrap();
    attempt(&key, "genfic-user", 3).unwrap();

    // The same holds for a root, which is its own issuer.
    let key = TestKey::ed25519();
    let mut first = None;
    for octet in [4, 5] {
        let tbs = CertificateAuthority::root_tbs("other", &key, serial(octet));
        let id = CertificateId { issuer: tbs.as_issuer(), serial_number: serial(octet) };
        let mut intent = intent(tbs.as_issuer(), None, tbs);
        intent.authority = Some(new_authority("other"));
        index.record_intent(vec![intent]).unwrap();
        if octet == 4 {
            let to = CertificateState::Pending;
            let revoked = to
                .revoke(crate::index::Revocation { revoked_at: NOW, reason: None, invalidity_date: None })
                .unwrap();
            index.transition(&id, &to, &revoked, event(NOW, "certificate.revoked")).unwrap();
            first = Some(id);
        }
    }
    let record = index.certificate(&first.unwrap()).unwrap().unwrap();
    assert!(record.is_abandoned());
}

pub(crate) fn each_of_two_cas_with_one_key_has_it_in_its_own_place(index: &dyn Index) {
    let first = CertificateAuthority::root(index, "first");
    let place = |name: &str| index.authority(name).unwrap().map(|authority| authority.key);
    let own = |name: &str| Some(format!("age:{name}.age"));
    first.twin(index, "twin");
    assert_eq!((place("first"), place("twin")), (own("first"), own("twin")));

    // Abandoning a CA leaves the key location of another CA with the same key alone.
    let key = TestKey::ed25519();
    let tbs = CertificateAuthority::root_tbs("pending", &key, serial(1));
    let id = CertificateId { issuer: tbs.as_issuer(), serial_number: serial(1) };
    let pending = CertificateAuthority { certificate: key.certify(&tbs), key };
    let mut intent = intent(id.issuer, None, tbs);
    intent.authority = Some(new_authority("pending"));
    index.record_intent(vec![intent]).unwrap();
    pending.twin(index, "other");
    index.abandon(&[(id, event(NOW, "certificate.abandoned"))]).unwrap();
    assert_eq!((place("pending"), place("other")), (None, own("other")));
}

pub(crate) fn a_ca_signed_elsewhere_can_be_added(index: &dyn Index) {
    let key = TestKey::ed25519();
    let certificate = key.certify(&CertificateAuthority::root_tbs("foreign", &key, serial(1)));
    let foreign = CertificateAuthority { key, certificate };
    let authority = foreign.as_authority("foreign", None);
    index.import(&Import::of(authority.clone(), event(NOW, "authority.added"))).unwrap();
    assert_eq!(index.authorities().unwrap(), std::slice::from_ref(&authority));
    assert!(index.import(&Import::of(authority.clone(), event(NOW, "authority.added"))).is_err());

    let key = TestKey::ed25519();
    let certificate = foreign.key.certify(&foreign.child_tbs("below", &key, serial(2)));
    let below = CertificateAuthority { key, certificate };
    let nowhere = below.as_authority("below", Some("nobody"));
    assert!(matches!(index.import(&Import::of(nowhere, event(NOW, "x"))), Err(IndexError::IssuerUnfit(_))));
    let mut misfit = below.as_authority("below", Some("foreign"));
    misfit.issuer = foreign.issuer();
    assert!(matches!(index.import(&Import::of(misfit, event(NOW, "x"))), Err(IndexError::IssuerUnfit(_))));
    index
        .import(&Import::of(below.as_authority("below", Some("foreign")), event(NOW, "authority.added")))
        .unwrap();
    assert_eq!(index.status(&id(&below.certificate, &foreign)).unwrap(), Some(CertificateState::Issued));
    below.issue_leaf(index, "a.example", 10, 3);

    // The CA's next certificate, for the same key, is signed outside of this home too.
    let next = foreign.key.certify(&foreign.child_tbs("below", &below.key, serial(4)));
    let mut renewed = below.as_authority("below", Some("foreign"));
    renewed.certificate = next.clone();
    let renewal = |renews| Import { renews, ..Import::of(renewed.clone(), event(NOW, "authority.renewed")) };
    assert!(matches!(index.import(&renewal(false)), Err(IndexError::AuthorityExists(_))));
    assert_eq!(index.authority("below").unwrap().unwrap().certificate, below.certificate);
    index.import(&renewal(true)).unwrap();
    assert_eq!(index.authority("below").unwrap().unwrap().certificate, next);
    for certificate in [&below.certificate, &next] {
        assert_eq!(index.status(&id(certificate, &foreign)).unwrap(), Some(CertificateState::Issued));
    }
    below.issue_leaf(index, "b.example", 10, 5);

    // A certificate that was revoked meanwhile cannot become the CA's again.
    let revocation = Revocation { revoked_at: NOW, reason: None, invalidity_date: None };
    let revoked = CertificateState::Revoked(revocation);
    let former = id(&below.certificate, &foreign);
    index
        .transition(&former, &CertificateState::Issued, &revoked, event(NOW, "certificate.revoked"))
        .unwrap();
    let mut back = renewal(true);
    back.authority.certificate = below.certificate.clone();
    assert!(matches!(index.import(&back), Err(IndexError::KeyRefused { .. })));
    assert_eq!(index.authority("below").unwrap().unwrap().certificate, next);
}

pub(crate) fn authorities_come_with_parents_first_and_siblings_by_name(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "m-root");
    let user = root.child(index, "user", 2);
    root.child(index, "system", 3);
    user.child(index, "a-team", 4);
    CertificateAuthority::root(index, "b-root");
    let names: Vec<String> = index.authorities().unwrap().into_iter().map(|ca| ca.name).collect();
    assert_eq!(names, ["b-root", "m-root", "system", "user", "a-team"]);
    assert_eq!(index.authority("a-team").unwrap().unwrap().parent.as_deref(), Some("user"));
}

pub(crate) fn a_summary_says_of_each_ca_what_is_on_record(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "m-root");
    let user = root.child(index, "user", 2);
    user.child(index, "a-team", 3);
    let other = CertificateAuthority::root(index, "b-root");
    user.issue_leaf(index, "a.example", 10, 7);
    let cross =
        |octet| issue(index, &other.key, other.intent(other.child_tbs("user", &user.key, serial(octet))));
    let (first, second) = (cross(4), cross(5));
    let revocation = Revocation { revoked_at: NOW, reason: None, invalidity_date: None };
    let revoked = CertificateState::Revoked(revocation);
    index.transition(&id(&first, &other), &CertificateState::Issued, &revoked, event(NOW, "x")).unwrap();
    index.set_serves_ocsp(&other.issuer(), true, event(NOW, "authority.changed")).unwrap();

    let all = index.authorities().unwrap();
    assert_eq!(all.len(), 4);
    let expected = all.into_iter().map(|authority| AuthoritySummary {
        cross_certificates: if authority.name == "user" { vec![second.fingerprint()] } else { Vec::new() },
        names: index.names_of_issuer(&authority.issuer).unwrap(),
        name: authority.name,
        issuer: authority.issuer,
        parent: authority.parent,
        certificate: authority.certificate.fingerprint(),
        not_before: authority.certificate.tbs().validity().not_before,
        serves_ocsp: authority.serves_ocsp,
        succeeds: authority.succeeds,
        last_end: authority.last_end,
        retired: authority.retired,
    });
    assert_eq!(index.summaries().unwrap(), expected.collect::<Vec<_>>());
    let found = index.authority_of(&user.issuer()).unwrap();
    assert_eq!(found, index.authority("user").unwrap());
    assert_eq!(index.authority_of(&crate::x509::IssuerId([7; 32])).unwrap(), None);
}
