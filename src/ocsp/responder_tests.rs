use super::*;
use crate::index::StoreError;
use crate::ocsp::cert_id::HashAlgorithm;
use crate::ocsp::fixture::{Hierarchy, MemoryStatus, NOW, TestKey, certificate_id, serial_number};
use crate::ocsp::response::{BasicOcspResponse, OcspResponse};
use crate::status::StatusReader;
use crate::x509::SignatureAlgorithm;
use der::Decode;
use der::asn1::GeneralizedTime;

fn settings() -> ResponderSettings {
    ResponderSettings::default()
}

fn read(answer: &Answer) -> BasicOcspResponse {
    match OcspResponse::from_der(&answer.octets()).unwrap() {
        OcspResponse::Successful(response) => *response,
        OcspResponse::Refused(status) => panic!("{status}: {}", answer.reason()),
    }
}

fn statuses(answer: &Answer) -> Vec<CertStatus> {
    read(answer).data().responses.iter().map(|single| single.status).collect()
}

fn ask(hierarchy: &Hierarchy, serials: &[u8], settings: &ResponderSettings) -> Answer {
    let ids = serials.iter().map(|serial| hierarchy.id(*serial)).collect();
    answer(&OcspRequest::new(ids, None).to_der(), &hierarchy.snapshot(), settings, None, NOW)
}

#[test]
fn a_good_certificate_is_answered_good_with_true_times_and_the_responders_certificate() {
    // O7, O8
    let hierarchy = Hierarchy::new();
    let answer = ask(&hierarchy, &[2], &settings());
    let response = read(&answer);
    let single = &response.data().responses[0];
    assert_eq!(single.status, CertStatus::Good);
    assert_eq!(response.data().produced_at, NOW);
    assert_eq!(single.this_update, NOW.plus(-300));
    assert_eq!(single.next_update, Some(NOW.plus_days(1)));
    assert_eq!(response.certificates(), [hierarchy.responder.certificate().clone()]);
    assert!(response.data().responder_id.names(hierarchy.responder.certificate()));
    assert!(response.is_signed_by(hierarchy.responder.certificate().tbs().public_key()));
    assert!(single.extensions.is_empty() && response.data().extensions.is_empty());
}

#[test]
fn a_revoked_certificate_is_answered_revoked_with_time_and_reason() {
    // O11
    let hierarchy = Hierarchy::new();
    let at = NOW.plus(-1000);
    let revoked = |reason| CertStatus::Revoked { at, reason: Some(reason) };
    assert_eq!(
        statuses(&ask(&hierarchy, &[3, 4], &settings())),
        [revoked(CrlReason::KeyCompromise), revoked(CrlReason::CertificateHold)]
    );
    let mut status = hierarchy.status();
    status.revoke(2, NOW);
    let snapshot = hierarchy.snapshot_of(status, vec![hierarchy.responder.clone()]);
    let answer = answer(&hierarchy.request(2), &snapshot, &settings(), None, NOW);
    let single = read(&answer).data().responses[0].clone();
    assert_eq!(single.status, CertStatus::Revoked { at: NOW, reason: None });
    assert_eq!(single.this_update, NOW, "not before it was revoked");
}

#[test]
fn every_hash_is_answered_with_the_cert_id_as_asked_octet_for_octet() {
    // O3
    let hierarchy = Hierarchy::new();
    for hash in HashAlgorithm::ALL {
        let with_null = CertId::new(hash, &hierarchy.ca, serial_number(2));
        let mut without = with_null.as_der().to_vec();
        let null = without.windows(2).position(|pair| pair == [5, 0]).unwrap();
        without.drain(null..null + 2);
        let header = usize::from(without[1] > 0x80);
        without[1 + header] -= 2;
        without[3 + header] -= 2;
        if header == 1 && without[2] < 0x80 {
            without.remove(1);
        }
        for id in [with_null.clone(), CertId::from_der(&without).unwrap()] {
            let request = OcspRequest::new(vec![id.clone()], None).to_der();
            let answer = answer(&request, &hierarchy.snapshot(), &settings(), None, NOW);
            let single = read(&answer).data().responses[0].clone();
            assert_eq!((single.cert_id, single.status), (id, CertStatus::Good), "{hash}");
        }
    }
}

#[test]
fn what_nobody_issued_is_unknown_and_not_for_long() {
    // O4, O12
    let hierarchy = Hierarchy::new();
    let answer = ask(&hierarchy, &[77], &settings());
    assert_eq!(statuses(&answer), [CertStatus::Unknown]);
    assert_eq!(answer.life().unwrap().next_update, NOW.plus(60));
    assert_eq!(statuses(&ask(&hierarchy, &[5], &settings())), [CertStatus::Unknown], "pending");
}

#[test]
fn what_nobody_issued_is_revoked_with_extended_revoke_by_configuration() {
    // O4
    let hierarchy = Hierarchy::new();
    let settings = ResponderSettings { not_issued: NotIssued::Revoked, ..settings() };
    let answer = ask(&hierarchy, &[77], &settings);
    let hold = CertStatus::Revoked { at: UnixTime(0), reason: Some(CrlReason::CertificateHold) };
    assert_eq!(statuses(&answer), [hold]);
    let extensions = &read(&answer).data().extensions.clone();
    assert_eq!(*extensions, [Extension::new(oid::EXTENDED_REVOKE, false, vec![5, 0])]);
    assert!(read(&ask(&hierarchy, &[2], &settings)).data().extensions.is_empty());
}

#[test]
fn a_strangers_certificate_alone_is_unauthorized_and_beside_ours_unknown() {
    // O4
    let hierarchy = Hierarchy::new();
    let stranger = CertId::new(HashAlgorithm::Sha1, hierarchy.responder.certificate(), serial_number(2));
    let unserved = CertId::new(HashAlgorithm::Sha1, &hierarchy.other_ca, serial_number(2));
    let ask = |ids: Vec<CertId>| {
        answer(&OcspRequest::new(ids, None).to_der(), &hierarchy.snapshot(), &settings(), None, NOW)
    };
    for id in [stranger.clone(), unserved.clone()] {
        assert_eq!(ask(vec![id]).status(), ResponseStatus::Unauthorized);
    }
    let answer = ask(vec![stranger, hierarchy.id(2), unserved]);
    assert_eq!(statuses(&answer), [CertStatus::Unknown, CertStatus::Good, CertStatus::Unknown]);
}

#[test]
fn several_cert_ids_are_all_answered_in_order_up_to_the_bound() {
    // O5
    let hierarchy = Hierarchy::new();
    let answer = ask(&hierarchy, &[6, 3, 77, 2], &settings());
    let ids: Vec<CertId> = read(&answer).data().responses.iter().map(|one| one.cert_id.clone()).collect();
    assert_eq!(ids, [6, 3, 77, 2].map(|serial| hierarchy.id(serial)));
    let of = |count: usize| ask(&hierarchy, &vec![2; count], &settings()).status();
    let most = settings().max_cert_ids;
    assert_eq!((of(most), of(most + 1)), (ResponseStatus::Successful, ResponseStatus::MalformedRequest));
}

#[test]
fn a_nonce_is_echoed_in_a_fresh_signature_or_ignored_by_configuration() {
    // O6
    let hierarchy = Hierarchy::new();
    let cache = AnswerCache::new(&settings());
    let ask = |nonce: Vec<u8>, settings: &ResponderSettings| {
        let request = OcspRequest::new(vec![hierarchy.id(2)], Some(nonce)).to_der();
        answer(&request, &hierarchy.snapshot(), settings, Some(&cache), NOW)
    };
    for length in [1, 32, 33, 128] {
        let nonce = vec![7; length];
        assert_eq!(read(&ask(nonce.clone(), &settings())).data().nonce(), Some(nonce));
    }
    assert_ne!(
        ask(vec![1], &settings()).octets(),
        ask(vec![1], &settings()).octets(),
        "never from the cache"
    );
    for length in [0, 129] {
        assert_eq!(ask(vec![7; length], &settings()).status(), ResponseStatus::MalformedRequest);
    }
    let ignoring = ResponderSettings { nonce: NonceHandling::Ignore, ..settings() };
    let answer = ask(vec![1], &ignoring);
    assert_eq!(read(&answer).data().nonce(), None);
    assert_eq!(ask(vec![2], &ignoring), answer, "from the cache");
}

#[test]
fn next_update_never_passes_the_end_of_the_responders_certificate() {
    // O8
    let hierarchy = Hierarchy::new();
    let late = NOW.plus_days(29).plus(-100);
    let mut status = hierarchy.status();
    status.time = late;
    let snapshot = hierarchy.snapshot_of(status, vec![hierarchy.responder.clone()]);
    let answer = answer(&hierarchy.request(2), &snapshot, &settings(), None, late);
    assert_eq!(read(&answer).data().responses[0].next_update, Some(NOW.plus_days(29)));
    assert_eq!(answer.life().unwrap().refresh_at, late.plus(50));
}

#[test]
fn this_update_is_no_later_than_what_was_known() {
    // O8
    let hierarchy = Hierarchy::new();
    let later = NOW.plus(7200);
    let answer = answer(&hierarchy.request(2), &hierarchy.snapshot(), &settings(), None, later);
    assert_eq!(read(&answer).data().responses[0].this_update, NOW.plus(-300));
    assert_eq!(read(&answer).data().produced_at, later);
}

#[test]
fn a_preferred_algorithm_is_used_when_there_is_such_a_key() {
    // O10
    let hierarchy = Hierarchy::new();
    let p384 = hierarchy.delegate(&TestKey::p384());
    let snapshot = hierarchy.snapshot_of(hierarchy.status(), vec![hierarchy.responder.clone(), p384]);
    let signed_with = |preferred: Vec<SignatureAlgorithm>| {
        let request = OcspRequest::new(vec![hierarchy.id(2)], None).preferring(preferred).to_der();
        read(&answer(&request, &snapshot, &settings(), None, NOW)).signature_algorithm()
    };
    assert_eq!(signed_with(vec![]), SignatureAlgorithm::ECDSA_SHA256);
    let (rsa, p384) = (SignatureAlgorithm::RSA_SHA256, SignatureAlgorithm::ECDSA_SHA384);
    assert_eq!(signed_with(vec![rsa, p384]), p384);
    assert_eq!(signed_with(vec![rsa]), SignatureAlgorithm::ECDSA_SHA256);
}

#[test]
fn the_archive_cutoff_goes_no_further_back_than_the_ca() {
    // O11
    let hierarchy = Hierarchy::new();
    let cutoff = |length: i64| {
        let settings = ResponderSettings { archive_cutoff: Some(length), ..settings() };
        let response = read(&ask(&hierarchy, &[2], &settings));
        let extension = response.data().responses[0].extensions[0].clone();
        assert_eq!(extension.oid, oid::ARCHIVE_CUTOFF);
        let time = GeneralizedTime::from_der(&extension.value).unwrap();
        UnixTime::from_duration(time.to_unix_duration())
    };
    assert_eq!(cutoff(UnixTime::DAY), NOW.plus_days(-1));
    assert_eq!(cutoff(4000 * UnixTime::DAY), NOW.plus_days(-400));
}

#[test]
fn a_revocation_is_answered_at_once_although_the_old_answer_was_cached() {
    // O12
    let hierarchy = Hierarchy::new();
    let cache = AnswerCache::new(&settings());
    let ask = |status: MemoryStatus, now: UnixTime| {
        let snapshot = hierarchy.snapshot_of(status, vec![hierarchy.responder.clone()]);
        answer(&hierarchy.request(2), &snapshot, &settings(), Some(&cache), now)
    };
    let good = ask(hierarchy.status(), NOW);
    assert_eq!(ask(hierarchy.status(), NOW.plus(1)), good, "from the cache");
    let mut status = hierarchy.status();
    status.revoke(2, NOW.plus(1));
    let revoked = ask(status, NOW.plus(1));
    assert_eq!(statuses(&revoked), [CertStatus::Revoked { at: NOW.plus(1), reason: None }]);
    let mut released = hierarchy.status();
    released.change += 2;
    assert_eq!(statuses(&ask(released, NOW.plus(2))), [CertStatus::Good]);
}

#[test]
fn a_cached_answer_lasts_half_its_life_and_no_longer_than_its_responder() {
    // O12
    let hierarchy = Hierarchy::new();
    let cache = AnswerCache::new(&settings());
    let ask = |responder: Arc<DelegatedResponder>, now: UnixTime| {
        let snapshot = hierarchy.snapshot_of(hierarchy.status(), vec![responder]);
        answer(&hierarchy.request(2), &snapshot, &settings(), Some(&cache), now)
    };
    let first = ask(hierarchy.responder.clone(), NOW);
    let refresh = first.life().unwrap().refresh_at;
    assert!((NOW.plus(9 * 3600)..=NOW.plus(12 * 3600)).contains(&refresh), "{refresh}");
    assert_eq!(ask(hierarchy.responder.clone(), refresh.plus(-1)), first);
    assert_ne!(ask(hierarchy.responder.clone(), refresh), first);
    let renewed = hierarchy.delegate(&TestKey::p256());
    let answer = ask(renewed.clone(), NOW.plus(12 * 3600));
    assert_eq!(read(&answer).certificates(), [renewed.certificate().clone()]);
}

#[test]
fn an_unknown_certificate_is_known_as_soon_as_it_is_published() {
    // O12
    let hierarchy = Hierarchy::new();
    let cache = AnswerCache::new(&settings());
    let ask = |status: MemoryStatus| {
        let snapshot = hierarchy.snapshot_of(status, vec![hierarchy.responder.clone()]);
        statuses(&answer(&hierarchy.request(9), &snapshot, &settings(), Some(&cache), NOW))
    };
    assert_eq!(ask(hierarchy.status()), [CertStatus::Unknown]);
    let mut status = hierarchy.status();
    status.set(9, CertificateState::Issued);
    assert_eq!(ask(status), [CertStatus::Good]);
}

#[test]
fn a_stale_status_is_never_answered_good() {
    // O13
    let hierarchy = Hierarchy::new();
    let cache = AnswerCache::new(&settings());
    let ask = |now| answer(&hierarchy.request(2), &hierarchy.snapshot(), &settings(), Some(&cache), now);
    let oldest = NOW.plus(settings().max_status_age);
    assert_eq!(ask(oldest).status(), ResponseStatus::Successful);
    assert_eq!(ask(oldest.plus(1)).status(), ResponseStatus::TryLater);
    assert_eq!(ask(oldest.plus(3601)).status(), ResponseStatus::InternalError);
    assert_eq!(ask(NOW.plus(-301)).status(), ResponseStatus::TryLater, "from the future");
    let none = Snapshot::unreadable(NOW);
    let ask = |now| answer(&hierarchy.request(2), &none, &settings(), None, now).status();
    assert_eq!((ask(NOW), ask(NOW.plus(3601))), (ResponseStatus::TryLater, ResponseStatus::InternalError));
}

#[test]
fn a_lapsed_or_missing_responder_certificate_answers_nothing() {
    // O13
    let hierarchy = Hierarchy::new();
    let ask = |responders: Vec<Arc<DelegatedResponder>>, now: UnixTime| {
        let mut status = hierarchy.status();
        status.time = now;
        answer(&hierarchy.request(2), &hierarchy.snapshot_of(status, responders), &settings(), None, now)
            .status()
    };
    let ours = || vec![hierarchy.responder.clone()];
    assert_eq!(ask(ours(), NOW.plus_days(29)), ResponseStatus::Successful);
    assert_eq!(ask(ours(), NOW.plus_days(29).plus(1)), ResponseStatus::TryLater);
    assert_eq!(ask(ours(), NOW.plus_days(30)), ResponseStatus::InternalError);
    assert_eq!(ask(Vec::new(), NOW), ResponseStatus::InternalError);
}

#[test]
fn no_answer_outlasts_a_certificate_that_it_is_about_and_one_that_has_ended_is_answered_as_ever() {
    // O8
    let hierarchy = Hierarchy::new();
    let mut status = hierarchy.status();
    let issuer = hierarchy.ca.tbs().as_issuer();
    for (serial, end) in [(2, NOW.plus(100)), (3, NOW.plus(50)), (6, NOW.plus(-1))] {
        status.ends.insert(certificate_id(issuer, serial), end);
    }
    let snapshot = hierarchy.snapshot_of(status, vec![hierarchy.responder.clone()]);
    let next_update = |serials: &[u8], now: UnixTime| {
        let ids = serials.iter().map(|serial| hierarchy.id(*serial)).collect();
        let request = OcspRequest::new(ids, None).to_der();
        answer(&request, &snapshot, &settings(), None, now).life().unwrap().next_update
    };
    assert_eq!(next_update(&[2], NOW), NOW.plus(100));
    assert_eq!(next_update(&[2, 3], NOW), NOW.plus(50), "the earliest of several");
    assert_eq!(next_update(&[2], NOW.plus(100)), NOW.plus(100), "to its last second");
    assert_eq!(next_update(&[6], NOW), NOW.plus_days(1), "it has ended");
    assert_eq!(next_update(&[6, 2], NOW), NOW.plus(100));
}

#[test]
fn a_status_that_fails_when_read_is_no_answer_at_all() {
    // O13
    struct Failing(MemoryStatus, fn() -> StatusError);
    impl StatusReader for Failing {
        fn entry(&self, _: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
            Err(self.1())
        }

        fn authorities(&self) -> &[crate::status::PublishedAuthority] {
            self.0.authorities()
        }
        fn change(&self) -> u64 {
            1
        }
        fn time(&self) -> UnixTime {
            NOW
        }
    }
    let hierarchy = Hierarchy::new();
    let ask = |error: fn() -> StatusError| {
        let issuers = hierarchy.snapshot().issuers().to_vec();
        let snapshot = Snapshot::new(Arc::new(Failing(hierarchy.status(), error)), issuers);
        answer(&hierarchy.request(2), &snapshot, &settings(), None, NOW).status()
    };
    assert_eq!(ask(|| StatusError::Store(StoreError::Busy)), ResponseStatus::TryLater);
    assert_eq!(
        ask(|| StatusError::Store(StoreError::Damaged("digest".into()))),
        ResponseStatus::InternalError
    );
}
