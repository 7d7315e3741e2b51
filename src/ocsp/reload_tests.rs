use super::*;
use crate::index::{CertificateState, Revocation};
use crate::ocsp::cache::AnswerCache;
use crate::ocsp::fixture::{Hierarchy, MemorySource, NOW, TestKey, write_responder};
use crate::ocsp::fixture::{certificate_id, responder, serial_number};
use crate::ocsp::readiness::{report, unreadiness};
use crate::ocsp::responder::answer;
use crate::ocsp::settings::ResponderSettings;
use crate::x509::CrlReason;
use std::path::Path;
use std::sync::Mutex;

fn reloader(hierarchy: &Hierarchy, home: &Path) -> (MemorySource, Reloader<MemorySource>) {
    let source = MemorySource(Arc::new(Mutex::new(Some(hierarchy.status()))));
    let responders = ResponderFiles::new(home.join("ocsp"));
    let public = PublicFiles::new(home.join("public"));
    (source.clone(), Reloader::new(source, responders, public, NOW))
}

fn fingerprints(snapshot: &Snapshot) -> Vec<String> {
    snapshot.issuers()[0].responders.iter().map(|responder| responder.fingerprint().to_hex()).collect()
}

#[test]
fn a_change_of_status_is_seen_at_the_next_poll_and_only_then_is_anything_swapped() {
    // O12
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let (source, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    assert!(!reloader.poll(NOW));
    source.0.lock().unwrap().as_mut().unwrap().revoke(2, NOW);
    assert!(reloader.poll(NOW));
    assert_eq!(current.load().status().unwrap().change(), 2);
}

#[test]
fn a_status_that_becomes_unreadable_is_not_answered_from_until_it_is_back() {
    // O13
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let (source, mut reloader) = reloader(&hierarchy, home.path());
    *source.0.lock().unwrap() = None;
    assert!(reloader.poll(NOW));
    let current = reloader.current();
    assert!(current.load().status().is_none());
    assert_eq!(current.load().unreadable_since(), Some(NOW));
    assert_eq!(current.load().faults().len(), 1);
    assert!(!reloader.poll(NOW.plus(9)));
    assert_eq!(current.load().unreadable_since(), Some(NOW));
    *source.0.lock().unwrap() = Some(hierarchy.status());
    reloader.poll(NOW);
    assert!(current.load().status().is_some());
    assert!(current.load().faults().is_empty());
}

#[test]
fn a_responder_whose_files_are_gone_is_out_of_use_and_one_whose_files_are_broken_is_not() {
    // O13
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let directory = home.path().join("ocsp/ca");
    write_responder(&directory, &hierarchy.responder_key, hierarchy.responder.certificate());
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    std::fs::rename(directory.join("responder.key"), home.path().join("aside")).unwrap();
    reloader.poll(NOW);
    assert_eq!(fingerprints(&current.load()).len(), 1);
    std::fs::remove_file(directory.join("responder.pem")).unwrap();
    reloader.poll(NOW);
    assert!(fingerprints(&current.load()).is_empty());
}

#[test]
fn a_renewed_responder_certificate_is_picked_up_and_a_broken_one_is_not() {
    // O7, O13
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let directory = home.path().join("ocsp/ca");
    write_responder(&directory, &hierarchy.responder_key, hierarchy.responder.certificate());
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    let first = fingerprints(&current.load());
    assert_eq!(first, [hierarchy.responder.fingerprint().to_hex()]);

    let key = TestKey::p256();
    let renewed = hierarchy.issue(responder(&key).number(&serial_number(91)));
    std::fs::write(directory.join("responder.pem"), renewed.to_pem()).unwrap();
    assert!(reloader.poll(NOW));
    assert_eq!(fingerprints(&current.load()), first, "its key is not there yet");
    assert!(current.load().faults()[0].contains("stays in use"));
    write_responder(&directory, &key, &renewed);
    assert!(reloader.poll(NOW));
    assert_eq!(fingerprints(&current.load()), [renewed.fingerprint().to_hex()]);
    assert!(current.load().faults().is_empty());
}

#[test]
fn a_responder_certificate_of_later_is_taken_up_when_its_time_comes() {
    // O7: a clock that is a little behind
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let directory = home.path().join("ocsp/ca");
    write_responder(&directory, &hierarchy.responder_key, hierarchy.responder.certificate());
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    let key = TestKey::p256();
    let begin = NOW.plus(100);
    let renewed = responder(&key).number(&serial_number(91)).valid(begin, NOW.plus_days(60));
    let renewed = hierarchy.issue(renewed);
    write_responder(&directory, &key, &renewed);
    assert!(reloader.poll(NOW));
    let in_use = |now: UnixTime| {
        let snapshot = current.load();
        let first = snapshot.issuers()[0].valid_responders(now).next();
        first.map(|responder| responder.fingerprint().to_hex())
    };
    let former = Some(hierarchy.responder.fingerprint().to_hex());
    assert_eq!(in_use(NOW), former);
    assert!(current.load().faults()[0].contains("stays in use"), "{:?}", current.load().faults());
    assert!(!reloader.poll(NOW.plus(50)));
    assert_eq!(
        in_use(begin),
        Some(renewed.fingerprint().to_hex()),
        "that second, without a look at the files"
    );
    assert!(reloader.poll(begin));
    assert!(current.load().faults().is_empty());
    assert_eq!(fingerprints(&current.load()), [renewed.fingerprint().to_hex()], "the former key is gone");
}

#[test]
fn when_the_time_of_a_responder_comes_or_ends_each_kept_answer_is_compared_with_it() {
    // O7
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let directory = home.path().join("ocsp/ca");
    let (begin, end) = (NOW.plus(100), NOW.plus(200));
    let key = TestKey::p256();
    let next = hierarchy.issue(responder(&key).number(&serial_number(91)).valid(begin, end));
    write_responder(&directory, &key, &next);
    let another = ["key", "pem"].map(|kind| directory.join(format!("another.{kind}")));
    write_responder(&home.path().join("aside"), &hierarchy.responder_key, hierarchy.responder.certificate());
    for (file, kind) in another.iter().zip(["key", "pem"]) {
        std::fs::rename(home.path().join(format!("aside/responder.{kind}")), file).unwrap();
    }
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    let answers = AnswerCache::new(&ResponderSettings::default());
    let (settings, request) = (ResponderSettings::default(), hierarchy.request(2));
    let kept = |now: UnixTime| {
        let at_once = answers.at_once(&request, &current.load(), &settings, now).is_some();
        let _ = answer(&request, &current.load(), &settings, Some(&answers), now);
        at_once
    };
    assert!(!kept(NOW) && kept(NOW));
    assert!(!reloader.poll(NOW.plus(50)) && kept(NOW.plus(50)));
    assert!(reloader.poll(begin) && !kept(begin) && kept(begin));
    assert!(!reloader.poll(end) && reloader.poll(end.plus(1)) && !kept(end.plus(1)));
}

#[test]
fn a_responder_whose_certificate_is_revoked_or_on_hold_is_out_of_use_at_once() {
    // O7
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let directory = home.path().join("ocsp/ca");
    write_responder(&directory, &hierarchy.responder_key, hierarchy.responder.certificate());
    let (source, mut reloader) = reloader(&hierarchy, home.path());
    let (current, settings) = (reloader.current(), ResponderSettings::default());
    assert_eq!(fingerprints(&current.load()).len(), 1);
    let set = |state| source.0.lock().unwrap().as_mut().unwrap().set(90, state);
    for reason in [CrlReason::CertificateHold, CrlReason::KeyCompromise] {
        let revocation = Revocation { revoked_at: NOW, reason: Some(reason), invalidity_date: None };
        set(CertificateState::Revoked(revocation));
        assert!(reloader.poll(NOW));
        assert!(fingerprints(&current.load()).is_empty(), "{reason}");
        let reasons = unreadiness(&current.load(), &settings, NOW);
        assert_eq!(reasons, ["ca has no valid responder certificate: it is revoked"]);
        let answer =
            crate::ocsp::responder::answer(&hierarchy.request(2), &current.load(), &settings, None, NOW);
        assert_eq!(answer.status(), crate::ocsp::response::ResponseStatus::TryLater);
        if reason == CrlReason::CertificateHold {
            set(CertificateState::Issued);
            assert!(reloader.poll(NOW));
            assert_eq!(fingerprints(&current.load()).len(), 1, "it was released");
        }
    }
    let key = TestKey::p256();
    let renewed = hierarchy.issue(responder(&key).number(&serial_number(91)));
    write_responder(&directory, &key, &renewed);
    assert!(reloader.poll(NOW));
    assert_eq!(fingerprints(&current.load()), [renewed.fingerprint().to_hex()]);
}

#[test]
fn a_crl_that_is_lost_or_has_ended_is_lacking() {
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let directory = home.path().join("ocsp/ca");
    write_responder(&directory, &hierarchy.responder_key, hierarchy.responder.certificate());
    std::fs::create_dir(home.path().join("public")).unwrap();
    let path = home.path().join("public/ca.crl");
    std::fs::write(&path, hierarchy.crl(1, &[])).unwrap();
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    let lacking = |now: UnixTime| crate::ocsp::readiness::lacking(&current.load(), now);
    assert!(lacking(NOW.plus_days(7)).is_empty());
    let end = NOW.plus_days(7);
    assert_eq!(lacking(end.plus(1)), [format!("the CRL of ca ended at {end}")]);
    std::fs::write(&path, b"broken").unwrap();
    reloader.poll(NOW);
    assert_eq!(lacking(NOW), ["ca.crl cannot be used"]);
    std::fs::remove_file(&path).unwrap();
    reloader.poll(NOW);
    assert_eq!(lacking(NOW), ["the CRL of ca is missing"]);
    let text = report(&[], &current.load(), NOW);
    assert!(text.starts_with("ready\nlacking: the CRL of ca is missing\n"), "{text}");
}

#[test]
fn public_files_are_picked_up_and_a_broken_one_leaves_the_former() {
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    std::fs::create_dir(home.path().join("public")).unwrap();
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let (current, path) = (reloader.current(), home.path().join("public/ca.crt"));
    assert!(current.load().file("ca.crt").is_none());
    std::fs::write(&path, hierarchy.ca.as_der()).unwrap();
    reloader.poll(NOW);
    assert_eq!(&*current.load().file("ca.crt").unwrap().octets, hierarchy.ca.as_der());
    std::fs::write(&path, b"broken").unwrap();
    reloader.poll(NOW);
    assert_eq!(&*current.load().file("ca.crt").unwrap().octets, hierarchy.ca.as_der());
    assert_eq!(current.load().faults().len(), 1);
    std::fs::remove_file(&path).unwrap();
    reloader.poll(NOW);
    assert!(current.load().file("ca.crt").is_none());
    assert!(current.load().faults().is_empty());
}

#[test]
fn of_a_file_that_is_replaced_again_and_again_there_are_two_and_after_a_minute_one() {
    // O2: a client that fetches the former file slowly does not keep it in memory
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    std::fs::create_dir(home.path().join("public")).unwrap();
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let (current, path) = (reloader.current(), home.path().join("public/ca.crt"));
    let mut seen = Vec::new();
    for round in 0..5 {
        // another file, so that its stamp differs
        let aside = home.path().join("aside");
        std::fs::write(&aside, hierarchy.ca.as_der()).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        assert!(reloader.poll(NOW.plus(round)));
        seen.push(Arc::downgrade(current.load().file("ca.crt").unwrap()));
        let alive = seen.iter().filter(|file| file.strong_count() > 0).count();
        assert_eq!(alive, seen.len().min(2));
    }
    let alive = || seen.iter().filter(|file| file.strong_count() > 0).count();
    reloader.poll(NOW.plus(4 + FORMER - 1));
    assert_eq!(alive(), 2);
    reloader.poll(NOW.plus(4 + FORMER));
    assert_eq!(alive(), 1);
    assert!(current.load().file("ca.crt").is_some());
}

/// Returns the time and reason of the revocation that is answered for a certificate of the first CA, else `None`.
fn revoked(snapshot: &Snapshot, hierarchy: &Hierarchy, serial: u8) -> Option<(UnixTime, Option<CrlReason>)> {
    let entry = snapshot.entry(&certificate_id(hierarchy.ca.tbs().as_issuer(), serial)).unwrap();
    match entry.map(|entry| entry.state) {
        Some(CertificateState::Revoked(Revocation { revoked_at, reason, .. })) => Some((revoked_at, reason)),
        _ => None,
    }
}

fn ready(snapshot: &Snapshot) -> String {
    report(&unreadiness(snapshot, &ResponderSettings::default(), NOW), snapshot, NOW)
}

#[test]
fn what_the_newest_list_has_revoked_for_good_is_revoked_whatever_the_status_says() {
    // K3, O12
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    std::fs::create_dir(home.path().join("public")).unwrap();
    let path = home.path().join("public/ca.crl");
    let entries = [
        (2, Some(CrlReason::KeyCompromise)),
        (3, None),
        (4, Some(CrlReason::Superseded)),
        (6, Some(CrlReason::CertificateHold)),
        (99, None),
    ];
    std::fs::write(&path, hierarchy.crl(7, &entries)).unwrap();
    let (source, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    let at = NOW.plus(-70);
    let answers = |serial| revoked(&current.load(), &hierarchy, serial);
    assert_eq!(answers(2), Some((at, Some(CrlReason::KeyCompromise))), "issued by the status");
    assert_eq!(answers(3), Some((NOW.plus(-1000), Some(CrlReason::KeyCompromise))), "as the status has it");
    assert_eq!(answers(4), Some((at, Some(CrlReason::Superseded))), "on hold by the status");
    assert_eq!(answers(6), None, "a hold on a list may have been lifted since");
    assert_eq!(answers(99), Some((at, None)), "not known by the status");
    let text = ready(&current.load());
    let line = "refused: 3 certificates are revoked by CRL 7 of ca and not by the published status, among them 02: \
                answered as revoked";
    assert!(text.contains(line), "{text}");
    // the CRL stays the floor without its file, and a contradiction is no longer reported when the status agrees
    std::fs::remove_file(&path).unwrap();
    for serial in [2, 4, 99] {
        source.0.lock().unwrap().as_mut().unwrap().revoke(serial, at);
    }
    reloader.poll(NOW);
    assert_eq!(answers(2), Some((at, None)));
    assert!(!ready(&current.load()).contains("refused"), "{}", ready(&current.load()));
    source.0.lock().unwrap().as_mut().unwrap().set(2, CertificateState::Issued);
    reloader.poll(NOW);
    assert_eq!(answers(2), Some((at, Some(CrlReason::KeyCompromise))));
}

#[test]
fn an_older_status_is_refused_and_said_once_and_the_newer_stays_in_use() {
    // O13, K3
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    let (source, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    let older = source.0.lock().unwrap().clone().unwrap();
    source.0.lock().unwrap().as_mut().unwrap().revoke(2, NOW);
    reloader.poll(NOW);
    *source.0.lock().unwrap() = Some(older);
    assert!(reloader.is_behind() && reloader.poll(NOW));
    assert!(revoked(&current.load(), &hierarchy, 2).is_some());
    let text = ready(&current.load());
    let line = "refused: the published status is of change 1, earlier than 2, which stays in use";
    assert!(text.contains(line), "{text}");
    assert!(!reloader.is_behind() && !reloader.poll(NOW), "it is not read again and again");
    // the status is unreadable for a while, and then older again
    let older = source.0.lock().unwrap().take();
    reloader.poll(NOW);
    assert!(current.load().status().is_none());
    *source.0.lock().unwrap() = older;
    reloader.poll(NOW);
    assert!(revoked(&current.load(), &hierarchy, 2).is_some());
    // a status with an equal or later change number is taken up
    source.0.lock().unwrap().as_mut().unwrap().revoke(6, NOW);
    source.0.lock().unwrap().as_mut().unwrap().revoke(2, NOW);
    reloader.poll(NOW);
    assert!(revoked(&current.load(), &hierarchy, 6).is_some());
    assert!(!ready(&current.load()).contains("refused"));
}

#[test]
fn an_older_list_is_refused_and_the_newer_is_served_on() {
    // C7, K3
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    std::fs::create_dir(home.path().join("public")).unwrap();
    let path = home.path().join("public/ca.crl");
    let (older, newer) = (hierarchy.crl(7, &[]), hierarchy.crl(8, &[(2, None)]));
    std::fs::write(&path, &newer).unwrap();
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let current = reloader.current();
    for is_gone_between in [false, true] {
        if is_gone_between {
            std::fs::remove_file(&path).unwrap();
            reloader.poll(NOW);
            assert!(current.load().file("ca.crl").is_none());
        }
        std::fs::write(&path, &older).unwrap();
        assert!(reloader.poll(NOW));
        let served = current.load().file("ca.crl").map(|file| file.octets.to_vec());
        assert_eq!(served, (!is_gone_between).then(|| newer.clone()));
        assert!(revoked(&current.load(), &hierarchy, 2).is_some());
        let text = ready(&current.load());
        let line = "refused: the published CRL of ca has number 7, lower than 8, which stays in use";
        assert!(text.contains(line), "{text}");
        assert!(!reloader.poll(NOW));
    }
    std::fs::write(&path, &newer).unwrap();
    reloader.poll(NOW);
    assert_eq!(&*current.load().file("ca.crl").unwrap().octets, newer);
    assert!(!ready(&current.load()).contains("CRL of ca has"));
}
