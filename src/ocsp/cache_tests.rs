use super::*;
use crate::ocsp::cert_id::{CertId, HashAlgorithm};
use crate::ocsp::fixture::{Hierarchy, MemoryStatus, NOW, TestKey, serial_number};
use crate::ocsp::request::OcspRequest;
use crate::ocsp::responder::answer;
use crate::ocsp::response::{OcspResponse, ResponseStatus};
use crate::status::{PublishedAuthority, StatusEntry, StatusError, StatusReader};
use crate::x509::{CertificateId, SignatureAlgorithm};
use std::sync::atomic::AtomicUsize;

fn settings() -> ResponderSettings {
    ResponderSettings::default()
}

/// Answers a request, and again at once.
fn twice(
    cache: &AnswerCache,
    request: &[u8],
    snapshot: &Snapshot,
    settings: &ResponderSettings,
) -> (Answer, Option<Answer>) {
    let first = answer(request, snapshot, settings, Some(cache), NOW);
    (first, cache.at_once(request, snapshot, settings, NOW))
}

#[test]
fn what_is_kept_is_put_together_again_octet_for_octet() {
    // O3, O5
    let hierarchy = Hierarchy::new();
    for (key, with_cutoff) in [
        (TestKey::p256(), false),
        (TestKey::p256(), true),
        (TestKey::p384(), false),
        (TestKey::ed25519(), true),
    ] {
        let responders = vec![hierarchy.delegate(&key)];
        let snapshot = hierarchy.snapshot_of(hierarchy.status(), responders);
        let settings =
            ResponderSettings { archive_cutoff: with_cutoff.then_some(UnixTime::DAY), ..settings() };
        let cache = AnswerCache::new(&settings);
        for serials in [&[2][..], &[3], &[4], &[2, 3, 4, 6], &[2; 20]] {
            for hash in HashAlgorithm::ALL {
                let ids =
                    serials.iter().map(|serial| CertId::new(hash, &hierarchy.ca, serial_number(*serial)));
                let request = OcspRequest::new(ids.collect(), None).to_der();
                let (first, again) = twice(&cache, &request, &snapshot, &settings);
                assert!(matches!(OcspResponse::from_der(&first.octets()), Ok(OcspResponse::Successful(_))));
                assert_eq!(again, Some(first), "{serials:?} {hash}");
            }
        }
    }
}

#[test]
fn an_answer_takes_at_most_300_octets_beside_its_key() {
    // O9
    let hierarchy = Hierarchy::new();
    let snapshot = hierarchy.snapshot();
    let cache = AnswerCache::new(&settings());
    for serial in [2, 3] {
        let request = hierarchy.request(serial);
        let _ = answer(&request, &snapshot, &settings(), Some(&cache), NOW);
        let kept = cache.answers.get(&*request).unwrap();
        assert!(kept.octets() <= 300, "{}", kept.octets());
    }
}

/// A status that counts how often it is asked.
struct Counted(MemoryStatus, Arc<AtomicUsize>);

impl StatusReader for Counted {
    fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.entry(id)
    }

    fn authorities(&self) -> &[PublishedAuthority] {
        self.0.authorities()
    }

    fn change(&self) -> u64 {
        self.0.change()
    }

    fn time(&self) -> UnixTime {
        self.0.time()
    }
}

#[test]
fn after_a_change_of_the_status_each_answer_is_compared_once_and_signed_anew_only_where_it_changed() {
    // O12
    let hierarchy = Hierarchy::new();
    let cache = AnswerCache::new(&settings());
    let asked = Arc::new(AtomicUsize::new(0));
    let snapshot = |status: MemoryStatus| {
        let issuers = hierarchy.snapshot().issuers().to_vec();
        let snapshot = Snapshot::new(Arc::new(Counted(status, Arc::clone(&asked))), issuers);
        asked.store(0, Ordering::Relaxed);
        snapshot
    };
    let ask = |snapshot: &Snapshot, serial: u8| {
        answer(&hierarchy.request(serial), snapshot, &settings(), Some(&cache), NOW).octets()
    };
    let first = snapshot(hierarchy.status());
    let before = [ask(&first, 2), ask(&first, 6)];
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!([ask(&first, 2), ask(&first, 6)], before);
    assert_eq!(asked.load(Ordering::Relaxed), 2, "the status is not read for what is kept");
    let mut status = hierarchy.status();
    status.revoke(6, NOW);
    let second = snapshot(status);
    assert_eq!(ask(&second, 2), before[0]);
    assert_ne!(ask(&second, 6), before[1]);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(ask(&second, 2), before[0]);
    assert_eq!(asked.load(Ordering::Relaxed), 2, "once");
}

#[test]
fn nothing_is_answered_at_once_from_a_status_that_is_too_old_or_gone_or_before_it_was_signed() {
    // O13
    let hierarchy = Hierarchy::new();
    let (snapshot, cache) = (hierarchy.snapshot(), AnswerCache::new(&settings()));
    let request = hierarchy.request(2);
    let (first, again) = twice(&cache, &request, &snapshot, &settings());
    assert_eq!(again.as_ref(), Some(&first));
    let at_once = |now| cache.at_once(&request, &snapshot, &settings(), now);
    let refresh = first.life().unwrap().refresh_at;
    assert_eq!((at_once(refresh.plus(-1)).is_some(), at_once(refresh)), (true, None));
    assert_eq!(at_once(NOW.plus(-1)), None);
    assert_eq!(cache.at_once(&request, &Snapshot::unreadable(NOW), &settings(), NOW), None);
    let strict = ResponderSettings { max_status_age: 10, ..settings() };
    assert!(cache.at_once(&request, &snapshot, &strict, NOW.plus(10)).is_some());
    assert_eq!(cache.at_once(&request, &snapshot, &strict, NOW.plus(11)), None);
}

#[test]
fn requests_with_more_than_the_cert_ids_share_one_answer_so_that_nobody_fills_the_cache_with_them() {
    // O9
    let hierarchy = Hierarchy::new();
    let (snapshot, cache) = (hierarchy.snapshot(), AnswerCache::new(&settings()));
    let plain = OcspRequest::new(vec![hierarchy.id(2)], None);
    let (first, _) = twice(&cache, &plain.to_der(), &snapshot, &settings());
    let rsa = plain.preferring(vec![SignatureAlgorithm::RSA_SHA256]).to_der();
    let (other, at_once) = twice(&cache, &rsa, &snapshot, &settings());
    assert_eq!((other, at_once), (first, None));
    assert_eq!(cache.answers.len(), 1);
}

#[test]
fn the_answer_of_a_preferred_responder_is_for_those_who_prefer_it() {
    // O10
    let hierarchy = Hierarchy::new();
    let p384 = hierarchy.delegate(&TestKey::p384());
    let snapshot = hierarchy.snapshot_of(hierarchy.status(), vec![hierarchy.responder.clone(), p384.clone()]);
    let cache = AnswerCache::new(&settings());
    let plain = OcspRequest::new(vec![hierarchy.id(2)], None);
    let preferring = plain.clone().preferring(vec![SignatureAlgorithm::ECDSA_SHA384]).to_der();
    let ask = |request: &[u8]| answer(request, &snapshot, &settings(), Some(&cache), NOW);
    let (first, other) = (ask(&plain.to_der()), ask(&preferring));
    assert_ne!(first, other);
    assert_eq!((ask(&plain.to_der()), ask(&preferring)), (first, other), "each from the cache");
    assert_eq!(cache.answers.len(), 2);
    let key = [&[0], &p384.fingerprint().0[..], &plain.to_der()].concat();
    assert!(cache.answers.get(&*key).is_some());
    assert_eq!(ask(&key).status(), ResponseStatus::MalformedRequest, "a key is no request");
}

#[test]
fn what_is_unknown_is_not_kept_nor_is_an_answer_to_one_client() {
    // O6, O12
    let hierarchy = Hierarchy::new();
    let cache = AnswerCache::new(&settings());
    let nonce = OcspRequest::new(vec![hierarchy.id(2)], Some(vec![1; 16])).to_der();
    for request in [hierarchy.request(77), hierarchy.request(5), nonce] {
        let _ = twice(&cache, &request, &hierarchy.snapshot(), &settings());
    }
    assert_eq!(cache.answers.len(), 0);
}
