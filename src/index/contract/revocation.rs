//! Revocations and CRLs.
use super::fixture::*;
use crate::index::{CertificateState, CrlRecord, Index, IndexError, Revocation, TransitionError};
use crate::x509::{CertificateId, CrlEntry, CrlReason, UnixTime, sha256};

fn revoked(reason: Option<CrlReason>) -> CertificateState {
    CertificateState::Revoked(Revocation { revoked_at: NOW, reason, invalidity_date: None })
}

fn revoke(index: &dyn Index, id: &CertificateId) {
    index.transition(id, &CertificateState::Issued, &revoked(None), event(NOW, "revoke")).unwrap();
}

pub(crate) fn a_state_is_replaced_only_when_it_is_the_one_that_was_seen(index: &dyn Index) {
    // G11
    let root = CertificateAuthority::root(index, "genfic");
    let id = root.issue_leaf(index, "a.example", 10, 9);
    let to = CertificateState::Revoked(Revocation {
        revoked_at: NOW,
        reason: Some(CrlReason::KeyCompromise),
        invalidity_date: Some(NOW.plus(-500)),
    });
    index.transition(&id, &CertificateState::Issued, &to, event(NOW, "revoke")).unwrap();
    assert_eq!(index.status(&id).unwrap(), Some(to.clone()));
    let late = index.transition(&id, &CertificateState::Issued, &revoked(None), event(NOW, "revoke"));
    assert!(matches!(late, Err(IndexError::Conflict(conflict)) if conflict == id));
    assert_eq!(index.status(&id).unwrap(), Some(to.clone()));
    let unknown = CertificateId { issuer: root.issuer(), serial_number: serial(10) };
    let missing = index.transition(&unknown, &CertificateState::Issued, &to, event(NOW, "revoke"));
    assert!(matches!(missing, Err(IndexError::NotFound(_))));
    assert_eq!(index.status(&unknown).unwrap(), None);
}

pub(crate) fn only_a_hold_can_be_lifted_in_the_index(index: &dyn Index) {
    // C4
    let root = CertificateAuthority::root(index, "genfic");
    let id = root.issue_leaf(index, "a.example", 10, 9);
    let hold = revoked(Some(CrlReason::CertificateHold));
    index.transition(&id, &CertificateState::Issued, &hold, event(NOW, "hold")).unwrap();
    assert_eq!(root.publish_crl(index, NOW), [serial(9)]);
    index.transition(&id, &hold, &CertificateState::Issued, event(NOW, "release")).unwrap();
    assert!(root.publish_crl(index, NOW).is_empty());
    revoke(index, &id);
    let lifted = index.transition(&id, &revoked(None), &CertificateState::Issued, event(NOW, "release"));
    assert!(matches!(lifted, Err(IndexError::Transition(TransitionError::NotHeld))));
    assert_eq!(index.status(&id).unwrap(), Some(revoked(None)));
}

pub(crate) fn crl_numbers_grow_and_are_never_given_twice(index: &dyn Index) {
    // C1, G2
    let root = CertificateAuthority::root(index, "genfic");
    let issuer = root.issuer();
    let take = |issuer, floor| index.next_crl_number(&issuer, floor, NOW, &mut drop);
    let next = |floor| take(issuer, floor).unwrap();
    assert_eq!([next(0), next(0), next(10), next(3)], [1, 2, 11, 12]);
    let child = root.child(index, "genfic-user", 2);
    assert_eq!(take(child.issuer(), 0).unwrap(), 1, "each issuer counts for itself");
    assert!(matches!(take(issuer, u64::MAX), Err(IndexError::CrlNumber(_))));
    assert_eq!(next(0), 13, "a number that cannot be taken is not taken");
}

pub(crate) fn no_number_is_for_an_earlier_list_than_a_number_before_it(index: &dyn Index) {
    // C1, X2
    let root = CertificateAuthority::root(index, "genfic");
    root.take_crl_number(index, NOW.plus(900));
    let child = root.child(index, "genfic-user", 2);
    let (slow, _) = root.take_crl_number(index, NOW.plus(8));
    let (quick, _) = root.take_crl_number(index, NOW.plus(7));
    let record = |number, at: UnixTime| {
        let list = root.crl(number, at, &[]);
        index.record_crl(&root.issuer(), list, event(at, "crl.intended")).map(drop)
    };
    record(slow, NOW.plus(8)).unwrap();
    let older = record(quick, NOW.plus(7));
    assert!(
        matches!(older, Err(IndexError::ClockBehind { newest, .. }) if newest == NOW.plus(8)),
        "{older:?}"
    );
    root.record_crl(index, NOW.plus(9));
    let mut visited = 0;
    let earlier = index.next_crl_number(&root.issuer(), 0, NOW.plus(8), &mut |_| visited += 1);
    assert!(matches!(earlier, Err(IndexError::ClockBehind { newest, .. }) if newest == NOW.plus(9)));
    assert_eq!(visited, 0);
    assert_eq!(child.take_crl_number(index, NOW.plus(9)).0, 1, "each issuer's lists are for themselves");
    assert_eq!(root.take_crl_number(index, NOW.plus(9)).0, 5);
}

pub(crate) fn a_list_is_recorded_once_under_a_number_that_was_taken(index: &dyn Index) {
    // C1
    let root = CertificateAuthority::root(index, "genfic");
    let issuer = root.issuer();
    let record = |number, at| {
        index.record_crl(&issuer, root.crl(number, at, &[]), event(NOW, "crl.intended")).map(drop)
    };
    assert!(matches!(record(1, NOW), Err(IndexError::CrlNumber(1))), "not taken");
    let (first, second) = (root.take_crl_number(index, NOW).0, root.take_crl_number(index, NOW).0);
    assert!(matches!(record(second, NOW.plus(1)), Err(IndexError::CrlNumber(2))), "taken for another time");
    let is_recorded = |number, at| index.is_recorded(&issuer, root.crl(number, at, &[]).get()).unwrap();
    assert!(!is_recorded(second, NOW));
    record(second, NOW).unwrap();
    let recorded = |number| index.recorded_crls(&issuer, number).unwrap();
    assert_eq!(recorded(second), [sha256(root.crl(second, NOW, &[]).get().as_der())]);
    assert_eq!((recorded(first), recorded(second + 1)), (vec![], vec![]));
    assert!(is_recorded(second, NOW) && !is_recorded(second, NOW.plus(1)) && !is_recorded(first, NOW));
    assert!(matches!(record(second, NOW), Err(IndexError::CrlNumber(2))), "used");
    index.record_event(event(NOW.plus(60), "time passes")).unwrap();
    record(first, NOW).unwrap();
    assert!(matches!(record(first, NOW), Err(IndexError::CrlNumber(1))), "used");
}

pub(crate) fn a_list_counts_once_it_is_published(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let issuer = root.issuer();
    root.publish_crl(index, NOW);
    let (number, _) = root.record_crl(index, NOW.plus(60));
    let last = CrlRecord { number: 1, this_update: NOW, next_update: NOW.plus_days(7) };
    assert_eq!(index.last_crl(&issuer).unwrap(), Some(last), "the second may never have been signed");
    index.record_crl_published(&issuer, number, NOW.plus(60), event(NOW.plus(60), "crl.published")).unwrap();
    assert_eq!(index.last_crl(&issuer).unwrap().map(|crl| crl.number), Some(2));
    let unknown = index.record_crl_published(&issuer, 3, NOW.plus(60), event(NOW.plus(60), "crl.published"));
    assert!(matches!(unknown, Err(IndexError::CrlNumber(3))));
    let (taken, _) = root.take_crl_number(index, NOW.plus(61));
    let unsigned =
        index.record_crl_published(&issuer, taken, NOW.plus(61), event(NOW.plus(61), "crl.published"));
    assert!(matches!(unsigned, Err(IndexError::CrlNumber(3))), "no list was recorded under it");
    assert_eq!(index.last_crl(&issuer).unwrap().map(|crl| crl.number), Some(2));
}

pub(crate) fn lists_that_overtake_each_other_are_both_recorded_and_the_highest_counts(index: &dyn Index) {
    // C1, C7
    let root = CertificateAuthority::root(index, "genfic");
    let issuer = root.issuer();
    let published = |number| {
        index
            .record_crl_published(&issuer, number, NOW.plus(2), event(NOW.plus(2), "crl.published"))
            .unwrap();
        (index.last_crl(&issuer).unwrap().map(|crl| crl.number), index.crl_is_owed(&issuer).unwrap())
    };
    let (slow, _) = root.take_crl_number(index, NOW);
    revoke(index, &root.issue_leaf(index, "a.example", 10, 9));
    let (quick, entries) = root.record_crl(index, NOW.plus(1));
    assert_eq!((quick, entries), (2, vec![serial(9)]));
    let list = root.crl(slow, NOW, &[]);
    index.record_crl(&issuer, list, event(NOW.plus(2), "crl.intended")).unwrap();
    assert_eq!(published(slow), (Some(1), true), "what was revoked after its number was taken is owed");
    assert_eq!(published(quick), (Some(2), false));
    let (third, _) = root.record_crl(index, NOW.plus(3));
    let (fourth, _) = root.record_crl(index, NOW.plus(4));
    assert_eq!(published(fourth), (Some(4), false));
    assert_eq!(published(third), (Some(4), false), "that it is told late changes nothing");
}

pub(crate) fn the_entries_of_a_list_are_those_of_the_moment_its_number_was_taken(index: &dyn Index) {
    // C7
    let root = CertificateAuthority::root(index, "genfic");
    revoke(index, &root.issue_leaf(index, "a.example", 10, 9));
    let later = root.issue_leaf(index, "b.example", 10, 20);
    let mut listed = Vec::new();
    let number = index.next_crl_number(&root.issuer(), 0, NOW, &mut |entry| {
        if listed.is_empty() {
            revoke(index, &later);
            assert_eq!(root.take_crl_number(index, NOW).1.len(), 2, "another process is quicker");
        }
        listed.push(entry);
    });
    assert_eq!(number.unwrap(), 1);
    assert_eq!(listed.len(), 1, "what was revoked meanwhile is for the lists after it");
    let list = root.crl(1, NOW, &listed);
    index.record_crl(&root.issuer(), list, event(NOW, "crl.intended")).unwrap();
    index.record_crl_published(&root.issuer(), 1, NOW, event(NOW, "crl.published")).unwrap();
    assert!(index.crl_is_owed(&root.issuer()).unwrap());
    assert_eq!(root.publish_crl(index, NOW), [serial(9), serial(20)]);
    assert!(!index.crl_is_owed(&root.issuer()).unwrap());
}

pub(crate) fn a_list_lacks_nothing_that_one_with_a_lower_number_has(index: &dyn Index) {
    // C7, K3: any number of processes may take numbers and revoke at the same time.
    let root = CertificateAuthority::root(index, "genfic");
    let ids: Vec<_> = (20..60).map(|octet| root.issue_leaf(index, "a.example", 10, octet)).collect();
    let lists = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        threads.spawn(|| ids.iter().for_each(|id| revoke(index, id)));
        for _ in 0..3 {
            threads.spawn(|| {
                for _ in 0..30 {
                    let (number, entries) = root.take_crl_number(index, NOW);
                    lists.lock().unwrap().push((number, entries.len()));
                }
            });
        }
    });
    let mut lists = lists.into_inner().unwrap();
    lists.sort_unstable();
    assert!(lists.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{lists:?}");
    assert_eq!(root.take_crl_number(index, NOW).1.len(), ids.len());
}

pub(crate) fn what_is_revoked_stays_until_a_published_list_after_its_end_had_it(index: &dyn Index) {
    // C3
    let root = CertificateAuthority::root(index, "genfic");
    let id = root.issue_leaf(index, "a.example", 10, 9);
    revoke(index, &id);
    let end = NOW.plus_days(10);
    assert_eq!(root.publish_crl(index, end), [serial(9)], "this list is not after the end");
    assert_eq!(root.record_crl(index, end.plus(1)).1, [serial(9)], "this list is never published");
    assert_eq!(root.publish_crl(index, end.plus(2)), [serial(9)]);
    assert!(root.publish_crl(index, end.plus(3)).is_empty(), "it has been on a list after its end");

    let late = root.issuer();
    let expired = root.intent(root.leaf("b.example", 10, serial(10)));
    let mut expired = expired;
    expired.event.at = end.plus(3);
    let certificate = issue(index, &root.key, expired);
    let revoke_late = CertificateState::Revoked(Revocation {
        revoked_at: end.plus(4),
        reason: None,
        invalidity_date: None,
    });
    let late_id = CertificateId { issuer: late, serial_number: certificate.tbs().serial_number().clone() };
    let (number, _) = root.take_crl_number(index, end.plus(4));
    let without = root.crl(number, end.plus(4), &[]);
    index
        .transition(&late_id, &CertificateState::Issued, &revoke_late, event(end.plus(4), "revoke"))
        .unwrap();
    index.record_crl(&late, without, event(end.plus(4), "crl.intended")).unwrap();
    index.record_crl_published(&late, number, end.plus(4), event(end.plus(4), "crl.published")).unwrap();
    let listed = root.publish_crl(index, end.plus(5));
    assert_eq!(listed, [serial(10)], "a list that was made before the revocation did not have it");
    assert!(root.publish_crl(index, end.plus(6)).is_empty());
}

pub(crate) fn what_ended_only_by_a_clock_that_is_ahead_stays_on_the_lists(index: &dyn Index) {
    // C3, X2
    let root = CertificateAuthority::root(index, "genfic");
    revoke(index, &root.issue_leaf(index, "a.example", 10, 9));
    let end = NOW.plus_days(10);
    for confirmed in [NOW, end, end.plus(1)] {
        let (number, entries) = root.record_crl(index, end.plus(3));
        assert_eq!(entries, [serial(9)], "confirmed {confirmed}");
        let published = event(end.plus(3), "crl.published");
        index.record_crl_published(&root.issuer(), number, confirmed, published).unwrap();
    }
    assert!(root.publish_crl(index, end.plus(3)).is_empty());
}

pub(crate) fn entries_come_by_serial_number_and_of_one_issuer_only(index: &dyn Index) {
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "genfic-user", 2);
    for octet in [40, 20, 60] {
        revoke(index, &root.issue_leaf(index, "a.example", 10, octet));
    }
    revoke(index, &child.issue_leaf(index, "a.example", 10, 30));
    root.issue_leaf(index, "b.example", 10, 50);
    let mut entries = Vec::new();
    index.revoked(&root.issuer(), &mut |entry| entries.push(entry)).unwrap();
    let expected = [20, 40, 60].map(|octet| CrlEntry {
        serial_number: serial(octet),
        revocation_date: NOW,
        reason: None,
        invalidity_date: None,
    });
    assert_eq!(entries, expected);
}

pub(crate) fn a_list_signed_elsewhere_counts_by_its_own_number(index: &dyn Index) {
    // C1, G6
    let root = CertificateAuthority::root(index, "genfic");
    let issuer = root.issuer();
    root.publish_crl(index, NOW);
    revoke(index, &root.issue_leaf(index, "a.example", 10, 9));
    let taken = |number, at, is_complete| {
        let list = root.crl(number, at, &[]);
        index.record_foreign_crl(&issuer, list.get(), is_complete, event(NOW.plus(9), "crl.imported"))
    };
    assert!(matches!(taken(1, NOW.plus(9), true), Err(IndexError::CrlNumber(1))));
    let earlier = taken(7, NOW.plus(-9), true);
    assert!(matches!(earlier, Err(IndexError::ClockBehind { .. })), "{earlier:?}");
    taken(7, NOW.plus(1), false).unwrap();
    assert_eq!(index.last_crl(&issuer).unwrap().map(|crl| crl.number), Some(7));
    assert!(index.crl_is_owed(&issuer).unwrap(), "it lacks what is revoked here");
    assert!(index.is_recorded(&issuer, root.crl(7, NOW.plus(1), &[]).get()).unwrap());
    taken(9, NOW.plus(2), true).unwrap();
    assert!(!index.crl_is_owed(&issuer).unwrap());
    assert_eq!(root.take_crl_number(index, NOW.plus(20)).0, 10);
}

pub(crate) fn a_delta_is_recorded_once_beside_the_complete_list_of_its_number(index: &dyn Index) {
    // C1, C5
    let root = CertificateAuthority::root(index, "genfic");
    let issuer = root.issuer();
    root.publish_crl(index, NOW);
    let (taken, _) = root.take_crl_number(index, NOW);
    let record = |number, at| {
        index.record_crl(&issuer, root.delta_crl(1, number, at, &[]), event(at, "crl.intended")).map(drop)
    };
    assert!(matches!(record(taken, NOW), Err(IndexError::CrlNumber(2))), "without a complete one");
    let (number, _) = root.record_crl(index, NOW);
    assert!(matches!(record(number, NOW.plus(1)), Err(IndexError::CrlNumber(3))), "of another time");
    let delta = root.delta_crl(1, number, NOW, &[]);
    let is_recorded = || index.is_recorded(&issuer, delta.get()).unwrap();
    assert!(!is_recorded());
    record(number, NOW).unwrap();
    assert!(is_recorded());
    assert!(!index.is_recorded(&issuer, root.delta_crl(1, number, NOW.plus(1), &[]).get()).unwrap());
    assert!(index.is_recorded(&issuer, root.crl(number, NOW, &[]).get()).unwrap(), "both are");
    assert!(matches!(record(number, NOW), Err(IndexError::CrlNumber(3))), "once");
    let digests = [root.crl(number, NOW, &[]), root.delta_crl(1, number, NOW, &[])];
    let digests = digests.map(|one| sha256(one.get().as_der()));
    assert_eq!(index.recorded_crls(&issuer, number).unwrap(), digests);
    index.record_crl_published(&issuer, number, NOW, event(NOW, "crl.published")).unwrap();
    let last = CrlRecord { number, this_update: NOW, next_update: NOW.plus_days(7) };
    assert_eq!(index.last_crl(&issuer).unwrap(), Some(last), "the times are those of the complete one");
}

pub(crate) fn a_delta_is_based_on_the_oldest_published_list_that_has_not_lapsed(index: &dyn Index) {
    // C5
    let root = CertificateAuthority::root(index, "genfic");
    let without = root.child(index, "genfic-user", 2).issuer();
    let base = |number, days| index.delta_base(&root.issuer(), number, NOW.plus_days(days)).unwrap();
    assert_eq!(base(9, 0), None);
    root.publish_crl(index, NOW);
    index.record_event(event(NOW.plus_days(2), "time passes")).unwrap();
    root.record_crl(index, NOW.plus_days(2));
    root.publish_crl(index, NOW.plus_days(2));
    root.publish_crl(index, NOW.plus_days(4));
    assert_eq!([0, 7, 8, 9, 10, 11, 12].map(|days| base(9, days)), [1, 1, 3, 3, 4, 4, 4].map(Some));
    assert_eq!([(1, 0), (2, 8), (4, 10)].map(|(number, days)| base(number, days)), [None, Some(1), Some(3)]);
    assert_eq!(index.delta_base(&without, 9, NOW).unwrap(), None);
}

pub(crate) fn what_changed_since_a_list_is_known(index: &dyn Index) {
    // C5
    let root = CertificateAuthority::root(index, "genfic");
    let ids = [5, 6, 7].map(|octet| root.issue_leaf(index, &format!("h{octet}.example"), 10, octet));
    revoke(index, &ids[0]);
    let hold = revoked(Some(CrlReason::CertificateHold));
    index.transition(&ids[1], &CertificateState::Issued, &hold, event(NOW, "hold")).unwrap();
    root.publish_crl(index, NOW);
    index.transition(&ids[1], &hold, &CertificateState::Issued, event(NOW, "release")).unwrap();
    revoke(index, &ids[2]);
    let all = || [5, 6, 7, 8].map(serial).to_vec();
    let since = |number| index.changed_since(&root.issuer(), number, all()).unwrap();
    assert_eq!(since(1), [6, 7, 8].map(serial), "and what is not on record");
    assert_eq!(since(2), all(), "a number that was not taken");
    root.publish_crl(index, NOW);
    assert_eq!(since(2), [serial(8)]);
}
