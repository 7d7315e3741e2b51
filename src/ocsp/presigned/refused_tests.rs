//! What is not taken, and not answered.
use super::tests::{Case, data};
use super::*;
use crate::ocsp::cache::AnswerCache;
use crate::ocsp::delegate::DelegatedResponder;
use crate::ocsp::fixture::{NOW, TestKey, responder};
use crate::ocsp::readiness::unreadiness;
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::response_data::CertStatus;
use crate::ocsp::snapshot::{ServedIssuer, Snapshot};
use crate::status::StatusReader as _;
use crate::x509::CrlReason;
use std::fs;
use std::sync::Arc;

#[test]
fn a_file_that_is_cut_short_or_changed_is_refused_and_the_former_stays() {
    // O13
    let mut case = Case::new();
    case.make(NOW).unwrap();
    let mut reloader = case.reloader(None, NOW);
    case.status.revoke(10, NOW);
    let elsewhere = case.directory.path().join("elsewhere");
    fs::rename(case.path(), case.directory.path().join("former")).unwrap();
    case.make(NOW.plus(1)).unwrap();
    let whole = fs::read(case.path()).unwrap();
    let put = |octets: &[u8]| {
        fs::write(&elsewhere, octets).unwrap();
        fs::rename(&elsewhere, case.path()).unwrap();
    };
    let step = whole.len() / 97;
    // the seal has some 180 octets
    let changed = (0..whole.len()).step_by(step).chain(whole.len() - 180..whole.len()).map(|at| {
        let mut octets = whole.clone();
        octets[at] ^= 1;
        octets
    });
    let cut = (0..whole.len()).step_by(step * 7).chain([whole.len() - 1]).map(|at| whole[..at].to_vec());
    for octets in changed.chain(cut) {
        put(&octets);
        reloader.poll(NOW.plus(2));
        assert_eq!(case.status_of(&reloader, 10, NOW.plus(2)), CertStatus::Good, "the former");
        assert_eq!(reloader.current().load().faults().len(), 1);
        assert!(unreadiness(&reloader.current().load(), &case.settings, NOW.plus(2)).is_empty());
    }
    put(&whole);
    reloader.poll(NOW.plus(2));
    assert!(matches!(case.status_of(&reloader, 10, NOW.plus(2)), CertStatus::Revoked { .. }));
    assert!(reloader.current().load().faults().is_empty());
}

#[test]
fn an_older_file_is_not_taken_while_the_daemon_runs_and_after_a_restart_where_it_remembers() {
    // O13
    let mut case = Case::new();
    let state = tempfile::tempdir().unwrap();
    case.make(NOW).unwrap();
    let older = fs::read(case.path()).unwrap();
    let mut reloader = case.reloader(Some(state.path()), NOW);
    case.status.revoke(10, NOW);
    case.make(NOW.plus(1)).unwrap();
    assert!(reloader.poll(NOW.plus(1)));
    fs::remove_file(case.path()).unwrap();
    fs::write(case.path(), &older).unwrap();
    reloader.poll(NOW.plus(2));
    assert!(matches!(case.status_of(&reloader, 10, NOW.plus(2)), CertStatus::Revoked { .. }));
    assert_eq!(reloader.current().load().refusals().len(), 1);
    let again = case.reloader(Some(state.path()), NOW.plus(2));
    assert!(again.current().load().status().is_none());
    assert!(again.current().load().faults()[0].contains("lower than"));
    let forgetful = case.reloader(None, NOW.plus(2));
    assert_eq!(case.status_of(&forgetful, 10, NOW.plus(2)), CertStatus::Good);
    fs::write(state.path().join("responses.mark"), "{}").unwrap();
    let damaged = case.reloader(Some(state.path()), NOW.plus(2));
    assert!(damaged.current().load().faults()[0].contains("is damaged"));
}

#[test]
fn a_file_that_no_ca_of_the_former_one_vouches_for_is_not_taken() {
    // O13
    let (case, stranger) = (Case::new(), Case::new());
    let state = tempfile::tempdir().unwrap();
    case.make(NOW).unwrap();
    let mut reloader = case.reloader(Some(state.path()), NOW);
    stranger.make(NOW.plus(5)).unwrap();
    fs::rename(stranger.path(), case.path()).unwrap();
    reloader.poll(NOW.plus(5));
    assert_eq!(case.status_of(&reloader, 2, NOW.plus(5)), CertStatus::Good);
    assert!(reloader.current().load().faults()[0].contains("was not in the file served before"));
    let again = case.reloader(Some(state.path()), NOW.plus(5));
    assert!(again.current().load().status().is_none());
}

#[test]
fn a_file_with_one_more_ca_is_signed_for_the_ca_that_is_known() {
    // O13
    let case = Case::new();
    let state = tempfile::tempdir().unwrap();
    case.make(NOW).unwrap();
    let mut reloader = case.reloader(Some(state.path()), NOW);
    let key = TestKey::p256();
    let certificate = case.hierarchy.issue_by_other_ca(responder(&key));
    let other = DelegatedResponder::new(certificate, key.signer(), &case.hierarchy.other_ca).unwrap();
    // the one that is new comes first
    let issuers = case.status.authorities.iter().rev().map(|authority| ServedIssuer {
        authority: PublishedAuthority { serves_ocsp: true, ..authority.clone() },
        responders: vec![if authority.name == "ca" {
            case.responder.clone()
        } else {
            Arc::new(other.clone())
        }],
        is_withdrawn: false,
        stored_until: None,
    });
    let snapshot = Snapshot::new(Arc::new(case.status.clone()), issuers.collect());
    let made = make(&Making {
        path: &case.path(),
        snapshot: &snapshot,
        status: &case.status,
        authority: None,
        settings: &case.settings,
        now: NOW.plus(1),
        step: || {},
    });
    assert_eq!(made.unwrap().authorities, ["other", "ca"]);
    reloader.poll(NOW.plus(1));
    assert_eq!(reloader.view().unwrap().authorities().len(), 2, "{:?}", reloader.current().load().faults());
    assert_eq!(case.status_of(&reloader, 2, NOW.plus(1)), CertStatus::Good);
}

#[test]
fn what_is_only_looked_at_is_not_remembered() {
    let case = Case::new();
    let state = tempfile::tempdir().unwrap();
    case.make(NOW).unwrap();
    let file = AnswerFile::new(case.path(), Some(state.path().to_owned())).only_looked_at();
    crate::status::StatusSource::open(&file, None).map(drop).unwrap();
    assert!(fs::read_dir(state.path()).unwrap().next().is_none());
}

#[test]
fn an_answer_that_has_lapsed_is_given_to_nobody() {
    // O13
    let case = Case::new();
    case.make(NOW).unwrap();
    let request = case.hierarchy.request(2);
    let end = NOW.plus(case.settings.next_update);
    let reloader = case.reloader(None, NOW);
    let snapshot = reloader.current().load_full();
    for (now, expected, is_ready) in [
        (NOW.plus(-4000), ResponseStatus::InternalError, false),
        (NOW.plus(-301), ResponseStatus::TryLater, false),
        (NOW.plus(-300), ResponseStatus::Successful, true),
        (end, ResponseStatus::Successful, true),
        (end.plus(1), ResponseStatus::TryLater, false),
        (end.plus(3601), ResponseStatus::InternalError, false),
    ] {
        assert_eq!(case.answer_of(&reloader, &request, now).status(), expected, "{now}");
        assert_eq!(unreadiness(&snapshot, &case.settings, now).is_empty(), is_ready, "{now}");
    }
}

#[test]
fn a_certificate_on_a_crl_that_is_at_hand_is_not_good_whatever_the_file_says() {
    // O13
    let case = Case::new();
    case.make(NOW).unwrap();
    let entries = [(10, CrlReason::KeyCompromise), (11, CrlReason::CertificateHold)];
    let others = [(12, CrlReason::RemoveFromCrl), (3, CrlReason::Superseded)];
    let list = |held| {
        let entries = entries.into_iter().chain(others).chain([(4, held)]);
        let entries: Vec<_> = entries.map(|(serial, reason)| (serial, Some(reason))).collect();
        case.hierarchy.crl(7, &entries)
    };
    case.publish("ca.crl", &list(CrlReason::CertificateHold));
    let status = |serial| case.answer(&case.hierarchy.request(serial), NOW).status();
    let (later, given) = (ResponseStatus::TryLater, ResponseStatus::Successful);
    assert_eq!([10, 11, 12, 2, 3, 4].map(status), [later, later, given, given, given, given]);
    case.publish("ca.crl", &list(CrlReason::CessationOfOperation));
    assert_eq!(
        [10, 11, 12, 2, 3, 4].map(status),
        [later, later, given, given, given, later],
        "4 was on hold"
    );
}

#[test]
fn a_hold_on_a_crl_that_is_older_than_the_answer_does_not_count_and_a_revocation_does() {
    // O13
    let mut case = Case::new();
    let now = NOW.plus(1000);
    case.status.time = now;
    case.make(now).unwrap();
    let entries = [(10, Some(CrlReason::KeyCompromise)), (11, Some(CrlReason::CertificateHold))];
    case.publish("ca.crl", &case.hierarchy.crl(7, &entries));
    let status = |serial| case.answer(&case.hierarchy.request(serial), now).status();
    assert_eq!([10, 11].map(status), [ResponseStatus::TryLater, ResponseStatus::Successful]);
}

#[test]
fn a_cached_answer_is_the_same_and_is_not_used_after_another_file() {
    // O12
    let mut case = Case::new();
    case.make(NOW).unwrap();
    let mut reloader = case.reloader(None, NOW);
    let (current, cache) = (reloader.current(), AnswerCache::new(&case.settings));
    let request = case.hierarchy.request(10);
    let at_once = |now| cache.at_once(&request, &current.load(), &case.settings, now);
    assert!(at_once(NOW).is_none());
    let stored = |now| {
        let snapshot = current.load();
        answer(&request, &snapshot, snapshot.answers().unwrap(), (&case.settings, &cache), now)
    };
    let first = stored(NOW);
    assert_eq!(at_once(NOW), Some(first));
    case.status.revoke(10, NOW);
    make(&Making {
        path: &case.path(),
        snapshot: &case.snapshot(),
        status: &case.status,
        authority: Some("ca"),
        settings: &case.settings,
        now: NOW.plus(1),
        step: || {},
    })
    .unwrap();
    reloader.poll(NOW.plus(1));
    assert!(at_once(NOW.plus(1)).is_none());
    assert!(matches!(data(&stored(NOW.plus(1))).responses[0].status, CertStatus::Revoked { .. }));
}

#[test]
fn a_file_that_changes_under_the_daemon_gives_no_wrong_answer() {
    // O13
    let case = Case::new();
    case.make(NOW).unwrap();
    let reloader = case.reloader(None, NOW);
    let mut octets = fs::read(case.path()).unwrap();
    octets.iter_mut().for_each(|octet| *octet ^= 1);
    fs::write(case.path(), octets).unwrap();
    let answer = case.answer_of(&reloader, &case.hierarchy.request(10), NOW);
    assert_eq!(answer.status(), ResponseStatus::InternalError);
    assert!(reloader.view().unwrap().is_damaged());
}
