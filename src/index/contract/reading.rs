//! Selections, lists and values derived from the records.
use super::fixture::*;
use crate::index::{
    CertificateState, Filter, Index, IndexReader, Revocation, Selector, StatusRow, StatusValue,
};
use crate::x509::{CrlReason, SerialNumber, UnixTime};

fn serials(index: &dyn Index, filter: &Filter) -> Vec<SerialNumber> {
    let mut found = Vec::new();
    index
        .list(filter, &mut |record| {
            found.push(record.id.serial_number);
            true
        })
        .unwrap();
    found
}

pub(crate) fn a_selector_finds_what_it_means_newest_first(index: &dyn Index) {
    // G11
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "genfic-user", 2);
    root.issue_leaf(index, "w03443ad.example", 10, 9);
    child.issue_leaf(index, "W03443AD.example", 10, 9);
    root.issue_leaf(index, "w03443ad.example.org", 10, 8);
    let select = |selector: &Selector, limit| -> Vec<(String, SerialNumber)> {
        let records = index.select(selector, limit).unwrap();
        records.into_iter().map(|record| (record.authority, record.id.serial_number)).collect()
    };
    let (first, second) = (("genfic".to_owned(), serial(9)), ("genfic-user".to_owned(), serial(9)));
    let name = Selector::Name("w03443ad.EXAMPLE".into());
    assert_eq!(select(&name, 9), [second.clone(), first.clone()]);
    assert_eq!(select(&name, 1), std::slice::from_ref(&second));
    assert!(select(&Selector::Name("w03443ad".into()), 9).is_empty());
    assert_eq!(select(&Selector::Serial(serial(9)), 9), [second.clone(), first.clone()]);
    assert_eq!(
        select(&Selector::AuthoritySerial("genfic".into(), serial(9)), 9),
        std::slice::from_ref(&first)
    );
    assert!(select(&Selector::AuthoritySerial("nobody".into(), serial(9)), 9).is_empty());
    let record = index.select(&name, 1).unwrap().pop().unwrap();
    let fingerprint = record.certificate.unwrap().fingerprint();
    let hex = fingerprint.to_hex();
    for prefix in [hex.clone(), hex[..9].to_uppercase(), hex[..16].to_owned()] {
        assert_eq!(select(&Selector::Fingerprint(prefix), 9), std::slice::from_ref(&second));
    }
    assert_eq!(select(&Selector::Exact(fingerprint), 9), [second]);
    for nothing in ["", "xyz", &"0".repeat(65), "é"] {
        assert!(select(&Selector::Fingerprint(nothing.into()), 9).is_empty());
    }
}

pub(crate) fn a_filter_passes_what_matches_all_of_it(index: &dyn Index) {
    // G10
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "genfic-user", 2);
    let state =
        |reason| CertificateState::Revoked(Revocation { revoked_at: NOW, reason, invalidity_date: None });
    for (octet, days) in [(10, 10), (11, 30), (12, 31), (13, 20), (14, 20)] {
        child.issue_leaf(index, &format!("h{octet}.example"), days, octet);
    }
    let id = |octet| crate::x509::CertificateId { issuer: child.issuer(), serial_number: serial(octet) };
    let revoke = |octet, reason| {
        index
            .transition(&id(octet), &CertificateState::Issued, &state(reason), event(NOW, "revoke"))
            .unwrap();
    };
    revoke(13, Some(CrlReason::CertificateHold));
    revoke(14, None);
    for octet in [15, 16] {
        index.record_intent(vec![child.intent(child.leaf("x.example", 20, serial(octet)))]).unwrap();
    }
    index.abandon(&[(id(16), event(NOW, "certificate.abandoned"))]).unwrap();

    let of = |status| Filter {
        status: Some((status, NOW.plus_days(15))),
        authority: Some("genfic-user".into()),
        ..Filter::default()
    };
    for (status, expected) in [
        (StatusValue::Valid, vec![11, 12]),
        (StatusValue::Expired, vec![10]),
        (StatusValue::Held, vec![13]),
        (StatusValue::Revoked, vec![14]),
        (StatusValue::Pending, vec![15]),
        (StatusValue::Abandoned, vec![16]),
    ] {
        let expected: Vec<SerialNumber> = expected.into_iter().map(serial).collect();
        assert_eq!(serials(index, &of(status)), expected, "{status}");
        index
            .list(&of(status), &mut |record| {
                assert_eq!(record.status(NOW.plus_days(15)), status);
                true
            })
            .unwrap();
    }
    let ending = Filter { ending: Some((NOW.plus_days(10), NOW.plus_days(30))), ..Filter::default() };
    assert_eq!(serials(index, &ending), [serial(10), serial(11)], "revoked ones are not about to end");
    let glob = |glob: &str| Filter { subject: Some(glob.into()), ..Filter::default() };
    assert_eq!(serials(index, &glob("H1?.example")).len(), 5);
    assert_eq!(serials(index, &glob("h[1]0.example")), [], "brackets are nothing special");
    assert_eq!(serials(index, &glob("*o=example*cn=genfic ca")), [serial(1)]);
    assert_eq!(serials(index, &glob("example")), []);
    // A beginning may match a name, a subject, or both.
    for (beginning, anywhere) in [("h1*", "*=h1*"), ("c=BE,*", "*c=be,*"), ("C*", "*c=be*")] {
        let found = serials(index, &glob(beginning));
        assert!(!found.is_empty() && found == serials(index, &glob(anywhere)), "{beginning}: {found:?}");
    }
    let profile = Filter { profile: Some("nothing".into()), ..Filter::default() };
    assert_eq!(serials(index, &profile), []);
    assert_eq!(serials(index, &Filter::default()).len(), 9);
    let both = Filter { subject: Some("*1?*".into()), ..ending };
    assert_eq!(serials(index, &both), [serial(10), serial(11)]);
}

pub(crate) fn the_uses_of_a_key_are_known(index: &dyn Index) {
    // P1
    let root = CertificateAuthority::root(index, "genfic");
    let key = TestKey::ed25519();
    assert!(index.key_uses(&key.public_key().digest()).unwrap().is_empty());
    index
        .record_intent(vec![root.intent(leaf(&root, "a.example", 10, serial(9), key.public_key()))])
        .unwrap();
    issue(index, &root.key, root.intent(leaf(&root, "a.example", 10, serial(10), key.public_key())));
    let uses = index.key_uses(&key.public_key().digest()).unwrap();
    let subjects: Vec<String> = uses.iter().filter_map(|used| used.subject.common_name()).collect();
    assert_eq!(subjects, ["a.example", "a.example"]);
    assert_eq!((&uses[0].state, &uses[1].state), (&CertificateState::Pending, &CertificateState::Issued));
    assert_eq!(uses[0].authority, None);
    let of_ca = index.key_uses(&root.key.public_key().digest()).unwrap();
    assert_eq!(of_ca.len(), 1);
    assert_eq!(of_ca[0].authority.as_deref(), Some("genfic"));
}

pub(crate) fn whatever_changes_gets_a_higher_change_number(index: &dyn Index) {
    // O12
    let root = CertificateAuthority::root(index, "genfic");
    let id = root.issue_leaf(index, "a.example", 10, 9);
    let before = index.change_number().unwrap();
    let since = |since| {
        let mut rows = Vec::new();
        index.status_rows(since, &mut |row| rows.push(row)).unwrap();
        rows
    };
    assert!(since(before).is_empty());
    let to = CertificateState::Revoked(Revocation {
        revoked_at: NOW,
        reason: Some(CrlReason::Superseded),
        invalidity_date: Some(UnixTime(5)),
    });
    index.transition(&id, &CertificateState::Issued, &to, event(NOW, "revoke")).unwrap();
    let after = index.change_number().unwrap();
    assert!(after > before);
    assert_eq!(since(before), [StatusRow { id: id.clone(), state: to, change: after }]);
    assert_eq!(since(0).len(), 2);
    index.record_event(event(NOW, "nothing.changed")).unwrap();
    assert_eq!(index.change_number().unwrap(), after);
    index.set_serves_ocsp(&root.issuer(), true, event(NOW, "authority.changed")).unwrap();
    assert!(index.change_number().unwrap() > after);
}

pub(crate) fn a_visitor_may_ask_the_index_and_change_it(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let mut seen = 0;
    index
        .list(&Filter::default(), &mut |record| {
            seen += 1;
            let reader: &dyn IndexReader = index;
            assert_eq!(reader.status(&record.id).unwrap(), Some(CertificateState::Issued));
            root.issue_leaf(index, "a.example", 10, 9);
            true
        })
        .unwrap();
    assert_eq!(seen, 1, "what is added while visiting is not visited");
    assert_eq!(serials(index, &Filter::default()).len(), 2);
}
