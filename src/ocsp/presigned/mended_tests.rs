//! What is taken once its reason to be refused has gone, and what is not taken by the time or by a CRL.
use super::tests::Case;
use super::*;
use crate::ocsp::fixture::{Hierarchy, NOW};
use crate::ocsp::readiness::{report, unreadiness};
use crate::ocsp::reload::Reloader;
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::response_data::CertStatus;
use crate::x509::{CrlReason, UnixTime};
use std::fs;

fn number(reloader: &Reloader<AnswerFile>) -> Option<u64> {
    let current = reloader.current();
    let snapshot = current.load();
    snapshot.status().map(|status| status.change())
}

fn number_at(time: UnixTime) -> Option<u64> {
    u64::try_from(time.0).ok()
}

#[test]
fn a_file_is_taken_once_what_was_served_before_can_be_read_or_is_forgotten() {
    // O13
    let case = Case::new();
    let state = tempfile::tempdir().unwrap();
    case.make(NOW).unwrap();
    drop(case.reloader(Some(state.path()), NOW));
    let mark = state.path().join("responses.mark");
    let whole = fs::read(&mark).unwrap();
    fs::write(&mark, "{}").unwrap();
    let mut reloader = case.reloader(Some(state.path()), NOW);
    assert_eq!(number(&reloader), None);
    fs::write(&mark, &whole).unwrap();
    reloader.poll(NOW);
    assert_eq!(number(&reloader), number_at(NOW), "{:?}", reloader.current().load().faults());
    let later = String::from_utf8(whole).unwrap().replace(&NOW.0.to_string(), &NOW.plus(9).0.to_string());
    fs::write(&mark, later).unwrap();
    let mut reloader = case.reloader(Some(state.path()), NOW);
    assert!(reloader.current().load().faults()[0].contains("lower than"));
    fs::remove_file(&mark).unwrap();
    reloader.poll(NOW.plus(5));
    assert_eq!(number(&reloader), number_at(NOW));
    assert!(mark.exists());
}

#[test]
fn while_it_cannot_be_remembered_what_is_served_readyz_says_so_and_it_is_tried_again() {
    // O13
    let case = Case::new();
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    case.make(NOW).unwrap();
    let older = fs::read(case.path()).unwrap();
    case.make(NOW.plus(1)).unwrap();
    let mut reloader = case.reloader(Some(&state), NOW.plus(1));
    assert_eq!(case.status_of(&reloader, 2, NOW.plus(1)), CertStatus::Good);
    let page = |reloader: &Reloader<AnswerFile>| report(&[], &reloader.current().load(), NOW.plus(1));
    let lacking = "lacking: the place where the daemon remembers which answers it has served cannot be used";
    assert!(page(&reloader).contains(lacking), "{}", page(&reloader));
    reloader.poll(NOW.plus(1));
    assert!(page(&reloader).contains(lacking));
    fs::create_dir(&state).unwrap();
    assert!(reloader.poll(NOW.plus(1)));
    assert!(!page(&reloader).contains("lacking"), "{}", page(&reloader));
    fs::remove_file(case.path()).unwrap();
    fs::write(case.path(), older).unwrap();
    assert_eq!(number(&case.reloader(Some(&state), NOW.plus(2))), None);
}

#[test]
fn the_end_of_one_certificate_is_no_reason_not_to_be_ready() {
    // O13
    let mut case = Case::new();
    let issuer = case.hierarchy.ca.tbs().as_issuer();
    let end = NOW.plus(60);
    case.status.ends.insert(crate::ocsp::fixture::certificate_id(issuer, 10), end);
    let made = case.make(NOW).unwrap();
    let (reloader, all) = (case.reloader(None, NOW), NOW.plus(case.settings.next_update));
    assert_eq!(made.ends, Some(all));
    assert_eq!(reloader.view().unwrap().ends(&issuer), Some(all));
    let ready = |now| unreadiness(&reloader.current().load(), &case.settings, now).is_empty();
    assert_eq!([end.plus(1), all, all.plus(1)].map(ready), [true, true, false]);
    let ended = case.answer_of(&reloader, &case.hierarchy.request(10), end.plus(1));
    assert_eq!(ended.status(), ResponseStatus::TryLater);
}

#[test]
fn a_file_that_was_signed_by_a_responder_that_has_ended_or_is_revoked_is_not_taken() {
    // O13
    let case = Case::new();
    let state = tempfile::tempdir().unwrap();
    case.make(NOW).unwrap();
    let refused = |now| {
        let reloader = case.reloader(None, now);
        assert_eq!(number(&reloader), None, "{now}");
        reloader.current().load().faults()[0].clone()
    };
    for now in [NOW.plus_days(29).plus(1), NOW.plus_days(-1).plus(-1)] {
        let why = refused(now);
        assert!(why.contains("counts from") || why.contains("ahead of the clock"), "{why}");
    }
    assert!(refused(NOW.plus_days(29).plus(1)).contains("counts from"));
    let mut reloader = case.reloader(Some(state.path()), NOW);
    case.publish("ca.crl", &case.hierarchy.crl(7, &[(90, Some(CrlReason::KeyCompromise))]));
    assert!(refused(NOW).contains("is revoked"), "by a CRL that is there from the beginning");
    case.make(NOW.plus(1)).unwrap();
    // the CRL and the file come at once
    reloader.poll(NOW.plus(1));
    assert_eq!(number(&reloader), number_at(NOW));
    assert!(reloader.current().load().faults()[0].contains("is revoked"));
    let mark = fs::read_to_string(state.path().join("responses.mark")).unwrap();
    assert!(mark.contains(&NOW.0.to_string()), "{mark}");
    case.publish("ca.crl", &case.hierarchy.crl(8, &[]));
    reloader.poll(NOW.plus(6));
    reloader.poll(NOW.plus(7));
    assert_eq!(number(&reloader), number_at(NOW.plus(1)), "{:?}", reloader.current().load().faults());
}

#[test]
fn a_file_whose_number_is_ahead_of_the_clock_is_taken_only_next_after_the_one_before() {
    // O13
    let case = Case::new();
    let state = tempfile::tempdir().unwrap();
    let ahead = NOW.plus(301);
    case.make(ahead).unwrap();
    let mut reloader = case.reloader(None, NOW);
    assert_eq!(number(&reloader), None);
    assert!(reloader.current().load().faults()[0].contains("ahead of the clock"));
    reloader.poll(NOW.plus(5));
    assert_eq!(number(&reloader), number_at(ahead));
    drop(case.reloader(Some(state.path()), ahead));
    // the clock of who makes the files was set right
    case.make(NOW).unwrap();
    assert_eq!(number(&case.reloader(Some(state.path()), NOW)), number_at(ahead.plus(1)));
    assert_eq!(number(&case.reloader(None, NOW)), None);
    case.make(NOW.plus(20_000)).unwrap();
    assert_eq!(number(&case.reloader(Some(state.path()), NOW)), None, "too far ahead");
}

#[test]
fn a_ca_that_the_crl_of_its_issuer_revokes_is_not_answered_for() {
    // O4
    let case = Case::of(Hierarchy::below_other());
    let made = case.make(NOW).unwrap();
    assert_eq!(made.authorities, ["ca"]);
    let request = case.hierarchy.request(2);
    case.publish("other.crt", case.hierarchy.other_ca.as_der());
    let at_state = |crl: &[u8]| {
        case.publish("other.crl", crl);
        let reloader = case.reloader(None, NOW);
        let current = reloader.current();
        let snapshot = current.load();
        assert!(unreadiness(&snapshot, &case.settings, NOW).is_empty());
        assert!(snapshot.file("other.crl").is_some() && snapshot.file("other.crt").is_some());
        (case.answer_of(&reloader, &request, NOW).status(), report(&[], &snapshot, NOW))
    };
    let (status, page) = at_state(&case.hierarchy.crl_of_other_ca(1, &[(78, None)]));
    assert_eq!(status, ResponseStatus::Successful);
    assert!(page.contains("ca: answered") && page.contains("other: disabled"), "{page}");
    assert!(!page.contains("lacking") && !page.contains("refused"), "{page}");
    let (status, page) = at_state(&case.hierarchy.crl_of_other_ca(2, &[(77, Some(CrlReason::CaCompromise))]));
    assert_eq!(status, ResponseStatus::Unauthorized);
    assert!(page.contains("ca: revoked") && !page.contains("refused"), "{page}");
}
