//! CAs that were created by another program, with the certificates that they issued and revoked.
use super::fixture::*;
use crate::index::{
    Authority, CertificateState, Filter, Import, Imported, ImportedCertificate, ImportedContents, Index,
    IndexError, Revocation, Selector, StatusValue,
};
use crate::x509::{Certificate, CertificateId, CrlReason, Name, SerialNumber, UnixTime};

/// Returns a root that is in no index.
fn foreign() -> CertificateAuthority {
    let key = TestKey::ed25519();
    let certificate = key.certify(&CertificateAuthority::root_tbs("foreign", &key, serial(1)));
    CertificateAuthority { key, certificate }
}

fn leaf_of(ca: &CertificateAuthority, host: &str, octet: u8) -> Certificate {
    ca.key.certify(&ca.leaf(host, 10, serial(octet)))
}

fn revoked(reason: Option<CrlReason>) -> CertificateState {
    CertificateState::Revoked(Revocation { revoked_at: NOW.plus(-500), reason, invalidity_date: None })
}

fn whole(certificate: &Certificate, state: CertificateState) -> ImportedCertificate {
    ImportedCertificate {
        serial_number: certificate.tbs().serial_number().clone(),
        contents: ImportedContents::Certificate(certificate.clone()),
        state,
        event: event(NOW, "certificate.imported"),
    }
}

fn number(text: &str, subject: &str, not_after: UnixTime, state: CertificateState) -> ImportedCertificate {
    ImportedCertificate {
        serial_number: text.parse().unwrap(),
        contents: ImportedContents::Number { subject: Name::parse(subject).unwrap(), not_after },
        state,
        event: event(NOW, "certificate.imported"),
    }
}

fn import(authority: Authority, certificates: Vec<ImportedCertificate>) -> Import {
    Import { certificates, crl_number: 41, ..Import::of(authority, event(NOW, "authority.imported")) }
}

fn id(ca: &CertificateAuthority, serial_number: &SerialNumber) -> CertificateId {
    CertificateId { issuer: ca.issuer(), serial_number: serial_number.clone() }
}

pub(crate) fn what_an_imported_ca_issued_and_revoked_is_on_record(index: &dyn Index) {
    // C1, C3
    let ca = foreign();
    let (good, bad) = (leaf_of(&ca, "good.example", 9), leaf_of(&ca, "bad.example", 10));
    let ends = NOW.plus_days(30);
    let certificates = vec![
        whole(&good, CertificateState::Issued),
        whole(&bad, revoked(Some(CrlReason::KeyCompromise))),
        number("23", "CN=Amber McStone", ends, CertificateState::Issued),
        number("24", "CN=gone.example", ends, revoked(Some(CrlReason::CertificateHold))),
        number("25", "CN=ended.example", NOW.plus(-9), CertificateState::Issued),
    ];
    let taken = index.import(&import(ca.as_authority("foreign", None), certificates)).unwrap();
    assert_eq!(taken, Imported { certificates: 2, serial_only: 3, revoked: 2 });

    assert_eq!(index.status(&id(&ca, &serial(9))).unwrap(), Some(CertificateState::Issued));
    let record = index.select(&Selector::Name("amber mcstone".into()), 9).unwrap().pop().unwrap();
    assert_eq!((record.subject.to_string().as_str(), record.validity.not_after), ("CN=Amber McStone", ends));
    assert!(record.serial_only && record.certificate.is_none() && !record.is_abandoned());
    assert_eq!(record.status(NOW), StatusValue::Valid);
    let list = |filter: Filter| {
        let mut found = Vec::new();
        index
            .list(&filter, &mut |record| {
                found.push(record.subject.to_string());
                true
            })
            .unwrap();
        found
    };
    let by = |status| list(Filter { status: Some((status, NOW)), ..Filter::default() });
    assert_eq!(by(StatusValue::Held), ["CN=gone.example"]);
    assert_eq!(by(StatusValue::Expired), ["CN=ended.example"]);
    assert_eq!(by(StatusValue::Abandoned), Vec::<String>::new());
    assert_eq!(list(Filter { subject: Some("*MCSTONE".into()), ..Filter::default() }), ["CN=Amber McStone"]);
    let ending = Filter { ending: Some((NOW, ends)), ..Filter::default() };
    assert!(list(ending).contains(&"CN=Amber McStone".to_owned()));

    let amber = id(&ca, &"23".parse().unwrap());
    let later = event(NOW, "certificate.revoked");
    index.transition(&amber, &CertificateState::Issued, &revoked(None), later).unwrap();

    assert!(index.crl_is_owed(&ca.issuer()).unwrap());
    let mut listed = Vec::new();
    let crl = index.next_crl_number(&ca.issuer(), 0, NOW, &mut |entry| listed.push(entry.reason)).unwrap();
    assert_eq!(crl, 42);
    assert_eq!(listed, [None, Some(CrlReason::CertificateHold), Some(CrlReason::KeyCompromise)]);
    let again = index.record_intent(vec![ca.intent(ca.leaf("new.example", 10, serial(9)))]);
    assert!(matches!(again, Err(IndexError::SerialInUse(_))), "an old number is never given again");
    ca.issue_leaf(index, "new.example", 10, 11);
}

pub(crate) fn an_import_completes_what_is_on_record_and_contradicts_none_of_it(index: &dyn Index) {
    // The root is imported first. It has the CA below it as a certificate or by its serial number only.
    let root = foreign();
    for (octet, name) in [(2, "known"), (3, "numbered")] {
        let key = TestKey::ed25519();
        let certificate = root.key.certify(&root.child_tbs(name, &key, serial(octet)));
        let below = CertificateAuthority { key, certificate };
        if octet == 2 {
            let child = whole(&below.certificate, CertificateState::Issued);
            let itself = whole(&root.certificate, CertificateState::Issued);
            let numbered = number(&serial(3).to_string(), "CN=x", UnixTime::NO_END, CertificateState::Issued);
            let all = vec![itself, child, numbered];
            let taken = index.import(&import(root.as_authority("root", None), all)).unwrap();
            assert_eq!(taken, Imported { certificates: 1, serial_only: 1, revoked: 0 });
        }
        index.import(&import(below.as_authority(name, Some("root")), Vec::new())).unwrap();
        let record = index.certificate(&id(&root, &serial(octet))).unwrap().unwrap();
        assert_eq!(record.certificate.as_ref(), Some(&below.certificate));
        assert_eq!((record.profile.as_str(), record.serial_only), ("system-ca", false));
        assert_eq!(index.authority(name).unwrap().unwrap().parent.as_deref(), Some("root"));
        below.issue_leaf(index, "a.example", 10, 9);
        if octet == 3 {
            let found = index.select(&Selector::Name("x".into()), 9).unwrap();
            assert!(found.is_empty(), "what the record called it is no name of the certificate");
        }
    }
    let key = TestKey::ed25519();
    let other = root.key.certify(&root.child_tbs("other", &key, serial(2)));
    let other = CertificateAuthority { key, certificate: other };
    let clash = index.import(&import(other.as_authority("other", Some("root")), Vec::new()));
    assert!(matches!(clash, Err(IndexError::SerialInUse(_))), "{clash:?}");
}

pub(crate) fn an_import_is_whole_or_not_at_all(index: &dyn Index) {
    CertificateAuthority::root(index, "genfic");
    let ca = foreign();
    let twins = [leaf_of(&ca, "a.example", 9), leaf_of(&ca, "b.example", 9)];
    let both = twins.iter().map(|one| whole(one, CertificateState::Issued)).collect();
    let (change, head) = (index.change_number().unwrap(), index.audit_head().unwrap());
    let refused = index.import(&import(ca.as_authority("foreign", None), both));
    assert!(matches!(refused, Err(IndexError::SerialInUse(_))), "{refused:?}");
    assert_eq!(index.authorities().unwrap().len(), 1);
    assert_eq!((index.change_number().unwrap(), index.audit_head().unwrap()), (change, head));
    let mut late = import(ca.as_authority("foreign", None), Vec::new());
    late.event.at = NOW.plus(-1);
    assert!(matches!(index.import(&late), Err(IndexError::ClockBehind { .. })));
}

pub(crate) fn a_ca_that_others_kept_comes_home(index: &dyn Index) {
    // G6
    let root = foreign();
    let key = TestKey::ed25519();
    let certificate = root.key.certify(&root.child_tbs("below", &key, serial(2)));
    let below = CertificateAuthority { key, certificate };
    let mut kept_by_others = root.as_authority("root", None);
    (kept_by_others.key, kept_by_others.external) = (String::new(), true);
    kept_by_others.serves_ocsp = false;
    let mut first = import(below.as_authority("below", Some("root")), Vec::new());
    first.issuer_path = vec![(kept_by_others.clone(), event(NOW, "authority.known"))];
    index.import(&first).unwrap();
    assert!(index.authority("root").unwrap().unwrap().is_external());
    below.issue_leaf(index, "a.example", 10, 9);

    let other = import(root.as_authority("other", None), Vec::new());
    assert!(matches!(index.import(&other), Err(IndexError::AuthorityExists(name)) if name == "root"));
    let again = import(kept_by_others, Vec::new());
    assert!(matches!(index.import(&again), Err(IndexError::AuthorityExists(_))));
    let lists = whole(&below.certificate, revoked(None));
    index.import(&import(root.as_authority("root", None), vec![lists])).unwrap();
    let home = index.authority("root").unwrap().unwrap();
    assert!(!home.is_external() && home.serves_ocsp);
    assert_eq!(home.key, "age:root.age");
    assert_eq!(index.status(&id(&root, &serial(2))).unwrap(), Some(revoked(None)));
    root.issue_leaf(index, "b.example", 10, 10);
}
