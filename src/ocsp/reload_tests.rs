use super::*;
use crate::ocsp::fixture::{Hierarchy, MemorySource, NOW, Template, TestKey, write_responder};
use std::path::Path;
use std::sync::Mutex;

fn reloader(hierarchy: &Hierarchy, home: &Path) -> (MemorySource, Reloader<MemorySource>) {
    let source = MemorySource(Arc::new(Mutex::new(Some(hierarchy.status()))));
    let responders = ResponderFiles::new(home.join("ocsp"), TestKey::load);
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

    let key = TestKey::generate();
    let renewed = hierarchy.issue(&key, Template { serial: 91, ..Template::responder() });
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
    // O2: whoever fetches the former one slowly does not keep it
    let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
    std::fs::create_dir(home.path().join("public")).unwrap();
    let (_, mut reloader) = reloader(&hierarchy, home.path());
    let (current, path) = (reloader.current(), home.path().join("public/ca.crt"));
    let mut seen = Vec::new();
    for round in 0..5 {
        // another file, so another stamp
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
