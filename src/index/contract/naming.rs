//! Comparison of names (RFC 5280 §7.1).
use super::fixture::*;
use crate::index::{CertificateState, Import, Imported, Index, IndexError, Revocation};
use crate::x509::octets::{SEQUENCE, SET, sequence, tlv};
use crate::x509::{CrlReason, Name};

/// Returns the subject of a CA of the fixture as PrintableString in capitals.
fn written_otherwise(name: &str) -> Name {
    let value = |arc: u8, text: &str| {
        tlv(SET, &sequence(&[&[6, 3, 0x55, 4, arc], &tlv(0x13, text.to_uppercase().as_bytes())]))
    };
    let rdns = [value(6, "BE"), value(10, "Example"), value(3, &format!("{name} CA"))];
    Name::from_der(&tlv(SEQUENCE, &rdns.concat())).unwrap()
}

/// X3: decided in the transaction that records it, so that two commands at once do not both succeed.
pub(crate) fn nobody_else_bears_the_name_of_a_ca(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "child", 2);
    let bearers = |name: &str| -> Vec<String> {
        index.bearers(&written_otherwise(name)).unwrap().into_iter().map(|ca| ca.name).collect()
    };
    assert_eq!(bearers("child"), ["child"]);
    assert_eq!(bearers("other"), [""; 0]);
    let bears = |subject: Name, octet| {
        let tbs = CertificateBuilder::of(&root.leaf("x.example", 10, serial(octet))).named(&subject).tbs();
        let mut intent = root.intent(root.leaf("x.example", 10, serial(octet)));
        intent.tbs =
            crate::lint::check_certificate_named(tbs.clone(), Some(&root.certificate), tbs.subject())
                .unwrap();
        index.record_intent(vec![intent]).map(drop)
    };
    let taken = bears(written_otherwise("child"), 3);
    assert!(
        matches!(&taken, Err(IndexError::NameTaken { bearer, .. }) if bearer == "the CA child"),
        "{taken:?}"
    );
    assert_eq!(index.pending().unwrap(), []);
    bears(written_otherwise("other"), 4).unwrap();

    let make = |subject: Option<Name>, octet, succeeds: Option<&str>| {
        let key = TestKey::ed25519();
        let mut tbs = root.child_tbs("new", &key, serial(octet));
        if let Some(subject) = subject {
            tbs = CertificateBuilder::of(&tbs).named(&subject).tbs();
        }
        let mut intent = root.intent(root.child_tbs("new", &key, serial(octet)));
        intent.tbs =
            crate::lint::check_certificate_named(tbs.clone(), Some(&root.certificate), tbs.subject())
                .unwrap();
        let new = new_authority(&format!("new{octet}"));
        intent.authority =
            Some(crate::index::IntendedAuthority { succeeds: succeeds.map(Into::into), ..new });
        index.record_intent(vec![intent]).map(drop)
    };
    assert!(matches!(make(Some(child.subject()), 5, None), Err(IndexError::NameTaken { .. })));
    assert!(matches!(make(Some(written_otherwise("CHILD")), 6, None), Err(IndexError::NameTaken { .. })));
    let subscriber = make(Some(written_otherwise("other")), 7, None);
    assert!(
        matches!(&subscriber, Err(IndexError::NameTaken { bearer, .. }) if bearer.starts_with("the certificate genfic/44")),
        "{subscriber:?}"
    );
    // A hold may be lifted.
    let held = root.issue_leaf(index, "held.example", 10, 10);
    let subject = root.leaf("held.example", 10, serial(10)).subject().clone();
    let revocation =
        Revocation { revoked_at: NOW, reason: Some(CrlReason::CertificateHold), invalidity_date: None };
    let hold = CertificateState::Revoked(revocation);
    index.transition(&held, &CertificateState::Issued, &hold, event(NOW, "certificate.held")).unwrap();
    assert!(matches!(make(Some(subject), 11, None), Err(IndexError::NameTaken { .. })));
    make(Some(child.subject()), 8, Some("child")).unwrap();
    make(None, 9, None).unwrap();
}

/// X3, O3: CertIDs are hashes over these octets.
pub(crate) fn how_an_issuers_name_is_written_is_known(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "child", 2);
    child.issue_leaf(index, "a.example", 10, 7);
    assert_eq!(index.names_of_issuer(&child.issuer()).unwrap(), [child.subject()]);
    let other = written_otherwise("child");
    let tbs = CertificateBuilder::of(&root.child_tbs("child", &child.key, serial(3))).named(&other).tbs();
    assert_eq!(tbs.as_issuer(), child.issuer(), "it is the same CA");
    let mut authority = child.as_authority("child", Some("genfic"));
    authority.certificate = root.key.certify(&tbs);
    let import = Import {
        issuer_path: Vec::new(),
        renews: true,
        certificates: Vec::new(),
        crl_number: 0,
        authority,
        event: event(NOW, "authority.renewed"),
    };
    assert_eq!(index.import(&import).unwrap(), Imported::default());
    let mut names = index.names_of_issuer(&child.issuer()).unwrap();
    names.sort_by_key(|name| *name != other);
    assert_eq!(names, [other, child.subject()]);
    assert_eq!(index.authority("child").unwrap().unwrap().issuer, child.issuer());
}
