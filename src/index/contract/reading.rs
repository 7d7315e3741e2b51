//! Selections, lists and values derived from the records.
use super::fixture::*;
use crate::index::{
    CertificateRecord, CertificateState, Filter, Index, IndexReader, Revocation, Selector, StatusRow,
    StatusValue,
};
use crate::x509::{CertificateId, CrlReason, SerialNumber, UnixTime, compare_serials};

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

pub(crate) fn a_serial_number_is_found_by_its_first_digits(index: &dyn Index) {
    // G11
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "genfic-user", 2);
    let numbers = ["0abc1201", "6bc12345", "6bc1234567", "0abc12", "4f1a2b", "4f1a2b3c", "4f1a2b4c00"];
    for (at, digits) in numbers.iter().enumerate() {
        let length = [18, 19, 20, 17, 17, 18, 20][at];
        let number = digits.chars().chain(std::iter::repeat('e')).take(2 * length).collect::<String>();
        let leaf = child.leaf(&format!("h{at}.example"), 10, number.parse().unwrap());
        issue(index, &child.key, child.intent(leaf));
    }
    let found = |authority: Option<&str>, digits: &str, limit| -> Vec<String> {
        let selector = Selector::SerialBeginning(authority.map(str::to_owned), digits.into());
        let records = index.select(&selector, limit).unwrap();
        let digits =
            |record: CertificateRecord| record.id.serial_number.to_string().trim_end_matches('e').to_owned();
        records.into_iter().map(digits).collect()
    };
    assert_eq!(found(None, "4f1a2b", 9), ["4f1a2b4c00", "4f1a2b3c", "4f1a2b"], "newest first");
    assert_eq!(found(Some("genfic-user"), "4F1A2B3", 9), ["4f1a2b3c"]);
    assert_eq!(found(None, "6bc1", 9), ["6bc1234567", "6bc12345"], "any length are written");
    assert!(found(None, "abc12", 9).is_empty(), "zeros are written");
    assert_eq!(found(None, "0abc1", 9), ["0abc12", "0abc1201"]);
    assert_eq!(found(None, "4f1a2b", 1), ["4f1a2b"], "the shortest where they are too many");
    assert_eq!(found(Some("genfic-user"), "", 100).len(), numbers.len());
    let long = "4f".repeat(30);
    for (authority, digits) in
        [(Some("genfic"), "4f1a2b"), (Some("nobody"), "4f1a2b"), (None, "00"), (None, "zz"), (None, &long)]
    {
        assert!(found(authority, digits, 9).is_empty(), "{digits}");
    }
}

pub(crate) fn names_are_found_by_their_beginning_and_next_to_each_other(index: &dyn Index) {
    // G11
    let root = CertificateAuthority::root(index, "genfic");
    for (octet, name) in [(10, "A.example"), (11, "b.example"), (12, "a.example"), (13, "ab.example")] {
        root.issue_leaf(index, name, 10, octet);
    }
    assert_eq!(index.names("A", 9).unwrap(), ["a.example", "ab.example"], "each once");
    assert_eq!(index.names("a", 1).unwrap(), ["a.example"]);
    assert_eq!(index.names("c", 9).unwrap(), Vec::<String>::new());
    assert_eq!(index.names("", 9).unwrap().len(), 4, "with the CA's own");
    assert_eq!(index.names_near("AA.example", 1).unwrap(), ["a.example", "ab.example"]);
    assert_eq!(index.names_near("ab.example", 9).unwrap()[..3], ["a.example", "ab.example", "b.example"]);
    assert_eq!(index.names_near("ab.example", 0).unwrap(), Vec::<String>::new());
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
    let soonest = Filter { ending: Some((NOW, NOW.plus_days(10_000))), ..Filter::default() };
    assert_eq!(serials(index, &soonest)[..3], [serial(10), serial(11), serial(12)]);
    root.issue_leaf(index, "late.example", 5, 17);
    assert_eq!(serials(index, &soonest)[..2], [serial(17), serial(10)], "soonest first");
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
    assert_eq!(serials(index, &Filter::default()).len(), 10);
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
    let not_after = index.certificate(&id).unwrap().unwrap().validity.not_after;
    assert_eq!(since(before), [StatusRow { id: id.clone(), state: to, change: after, not_after }]);
    assert_eq!(since(0).len(), 2);
    index.record_event(event(NOW, "nothing.changed")).unwrap();
    assert_eq!(index.change_number().unwrap(), after);
    index.set_serves_ocsp(&root.issuer(), true, event(NOW, "authority.changed")).unwrap();
    assert!(index.change_number().unwrap() > after);
}

pub(crate) fn all_rows_come_by_issuer_and_in_the_order_of_serial_numbers(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "child", 200);
    for octet in [9, 7, 250] {
        root.issue_leaf(index, "a.example", 10, octet);
        child.issue_leaf(index, "b.example", 10, octet);
    }
    // It is the greatest, and would be the first by its octets.
    let number = SerialNumber::from_be_octets(&[1; 20]).unwrap();
    index.record_intent(vec![root.intent(root.leaf("c.example", 10, number.clone()))]).unwrap();
    let mut rows: Vec<CertificateId> = Vec::new();
    index.status_rows(0, &mut |row| rows.push(row.id)).unwrap();
    assert!(rows.iter().any(|id| id.serial_number == number));
    let of_issuers: Vec<&[CertificateId]> = rows.chunk_by(|one, next| one.issuer == next.issuer).collect();
    assert_eq!(of_issuers.len(), 2, "{rows:?}");
    for of_issuer in of_issuers {
        let octets = |id: &CertificateId| id.serial_number.as_be_octets().to_vec();
        assert!(
            of_issuer.is_sorted_by(|a, b| compare_serials(&octets(a), &octets(b)).is_lt()),
            "{of_issuer:?}"
        );
    }
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

pub(crate) fn what_ends_is_counted_by_day_ca_and_profile(index: &dyn Index) {
    // G4
    let root = CertificateAuthority::root(index, "genfic");
    for (name, days, number) in
        [("a.example", 10, 2), ("b.example", 10, 3), ("c.example", 11, 4), ("d.example", 40, 5)]
    {
        root.issue_leaf(index, name, days, number);
    }
    let day = |days: i64| {
        let end = NOW.plus_days(days);
        end.plus(-end.0.rem_euclid(UnixTime::DAY))
    };
    let counted = |first: UnixTime, last: UnixTime| -> Vec<(UnixTime, String, u64)> {
        let endings = index.endings(first, last).unwrap();
        assert!(endings.is_sorted(), "{endings:?}");
        endings.into_iter().map(|one| (one.day, one.authority, one.count)).collect()
    };
    let genfic = || "genfic".to_owned();
    assert_eq!(counted(NOW, NOW.plus_days(30)), [(day(10), genfic(), 2), (day(11), genfic(), 1)]);
    let record = index.select(&Selector::Serial(serial(2)), 1).unwrap().remove(0);
    let to = CertificateState::Revoked(Revocation { revoked_at: NOW, reason: None, invalidity_date: None });
    index.transition(&record.id, &record.state, &to, event(NOW, "certificate.revoked")).unwrap();
    assert_eq!(counted(NOW, NOW.plus_days(30))[0], (day(10), genfic(), 1), "what is revoked does not end");
    assert_eq!(counted(NOW.plus_days(11), NOW.plus_days(11)), [(day(11), genfic(), 1)]);
}
