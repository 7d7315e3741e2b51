use super::*;
use crate::error::Exit;
use crate::ocsp::fixture::{Hierarchy, MemoryStatus, NOW, TestKey, certificate_id, leaf, responder};
use crate::ocsp::responder::answer;
use crate::ocsp::response::encode_response;
use crate::ocsp::response_data::{ResponderId, ResponseData, SingleResponse};
use crate::ocsp::settings::{NonceHandling, ResponderSettings};
use crate::x509::CrlReason;
use proptest::prelude::*;
use std::sync::LazyLock;

const NONCE: [u8; 32] = [9; 32];

struct Asked {
    hierarchy: Hierarchy,
    question: Question,
}

fn asked(serial: u8) -> Asked {
    let hierarchy = Hierarchy::new();
    let leaf = hierarchy.issue(leaf(serial, &TestKey::p256()));
    let question = Question::new(&leaf, &hierarchy.ca, HashAlgorithm::Sha256, Some(NONCE.to_vec())).unwrap();
    Asked { hierarchy, question }
}

impl Asked {
    fn answer(&self, status: MemoryStatus, settings: &ResponderSettings) -> Vec<u8> {
        let snapshot = self.hierarchy.snapshot_of(status, vec![self.hierarchy.responder.clone()]);
        answer(&self.question.to_request(), &snapshot, settings, None, NOW).octets().to_vec()
    }

    fn our_answer(&self) -> Vec<u8> {
        self.answer(self.hierarchy.status(), &ResponderSettings::default())
    }

    fn data(&self, certificate: &Certificate) -> ResponseData {
        ResponseData {
            responder_id: ResponderId::ByName(certificate.tbs().subject().clone()),
            produced_at: NOW,
            responses: vec![SingleResponse {
                cert_id: self.question.id.clone(),
                status: CertStatus::Good,
                this_update: NOW,
                next_update: Some(NOW.plus(100)),
                extensions: Vec::new(),
            }],
            extensions: Vec::new(),
        }
    }
}

fn sealed(data: &ResponseData, key: &TestKey, certificate: &Certificate) -> Vec<u8> {
    let tbs = data.to_der();
    encode_response(&tbs, key.algorithm(), &key.sign(&tbs), certificate)
}

#[test]
fn a_delegates_answer_is_verified_and_says_what_it_says() {
    // O7
    let good = asked(2);
    let verified = good.question.verify(&good.our_answer(), NOW, 300).unwrap();
    assert_eq!(verified.status, CertStatus::Good);
    assert_eq!(verified.responder.as_ref(), Some(good.hierarchy.responder.certificate()));
    assert!(verified.remarks.is_empty(), "{:?}", verified.remarks);
    let revoked = asked(3);
    let verified = revoked.question.verify(&revoked.our_answer(), NOW, 300).unwrap();
    let reason = Some(CrlReason::KeyCompromise);
    assert_eq!(verified.status, CertStatus::Revoked { at: NOW.plus(-1000), reason });
}

#[test]
fn an_answer_by_the_ca_itself_is_verified_too() {
    let asked = asked(2);
    let data = asked.data(&asked.hierarchy.ca);
    let octets = sealed(&data, asked.hierarchy.ca_key(), &asked.hierarchy.ca);
    let verified = asked.question.verify(&octets, NOW, 300).unwrap();
    assert_eq!((verified.status, verified.responder), (CertStatus::Good, None));
}

#[test]
fn an_answer_by_somebody_who_is_not_a_delegate_is_refused() {
    // O7
    let asked = asked(2);
    let key = TestKey::p256();
    let verified = |certificate: &Certificate| {
        let octets = sealed(&asked.data(certificate), &key, certificate);
        asked.question.verify(&octets, NOW, 300).map(|verified| verified.status)
    };
    let leaf = asked.hierarchy.issue(leaf(8, &key));
    let not = |error| Err(VerificationError::NotDelegated(error));
    assert_eq!(verified(&leaf), not(DelegationError::NotForOcspSigning));
    let stranger = asked.hierarchy.issue_by_other_ca(responder(&key));
    assert_eq!(verified(&stranger), not(DelegationError::NotIssuedByAuthority));
    assert_eq!(verified(asked.hierarchy.responder.certificate()), Err(VerificationError::NotSigned));
    assert_eq!(verified(&asked.hierarchy.issue(responder(&key))), Ok(CertStatus::Good));
}

#[test]
fn an_answer_is_good_at_its_time_only() {
    // O8
    let asked = asked(2);
    let octets = asked.our_answer();
    let at = |now| asked.question.verify(&octets, now, 300).map(|verified| verified.status);
    assert_eq!(at(NOW.plus_days(1).plus(300)), Ok(CertStatus::Good));
    assert!(matches!(at(NOW.plus_days(1).plus(301)), Err(VerificationError::Lapsed { .. })));
    assert_eq!(at(NOW.plus(-300)), Ok(CertStatus::Good));
    assert_eq!(at(NOW.plus(-301)), Err(VerificationError::NotYet(NOW)));
    let lapsed = at(NOW.plus_days(30));
    assert!(matches!(lapsed, Err(VerificationError::ResponderLapsed(..))), "{lapsed:?}");
}

#[test]
fn an_answer_about_something_else_or_to_somebody_else_is_refused() {
    // O6
    let asked = asked(2);
    let key = &asked.hierarchy.responder_key;
    let certificate = asked.hierarchy.responder.certificate();
    let mut data = asked.data(certificate);
    data.responses[0].cert_id = asked.hierarchy.id(3);
    let verify = |octets: &[u8]| asked.question.verify(octets, NOW, 300);
    assert_eq!(verify(&sealed(&data, key, certificate)), Err(VerificationError::OtherCertificate));
    let mut data = asked.data(certificate);
    data.extensions.push(crate::ocsp::request::nonce_extension(&[8; 32]));
    assert_eq!(verify(&sealed(&data, key, certificate)), Err(VerificationError::OtherNonce));
    let ignoring = ResponderSettings { nonce: NonceHandling::Ignore, ..ResponderSettings::default() };
    let verified = verify(&asked.answer(asked.hierarchy.status(), &ignoring)).unwrap();
    assert!(verified.remarks[0].contains("leaves nonces out"));
}

#[test]
fn a_changed_octet_or_a_refusal_is_no_answer() {
    let asked = asked(2);
    let mut octets = asked.our_answer();
    let signature = asked.hierarchy.responder.certificate().as_der();
    let at = octets.windows(signature.len()).position(|window| window == signature).unwrap() - 20;
    octets[at] ^= 1;
    assert!(asked.question.verify(&octets, NOW, 300).is_err());
    let mut status = asked.hierarchy.status();
    status.states.remove(&certificate_id(asked.hierarchy.ca.tbs().as_issuer(), 2));
    let unknown = asked.answer(status, &ResponderSettings::default());
    assert_eq!(asked.question.verify(&unknown, NOW, 300).unwrap().status, CertStatus::Unknown);
    let refused = ResponseStatus::TryLater.to_response();
    let error = asked.question.verify(&refused, NOW, 300).unwrap_err();
    assert_eq!(error, VerificationError::Refused(ResponseStatus::TryLater));
    assert_eq!(Problem::from(error).exit, Exit::NotVerified);
}

#[test]
fn a_certificate_of_another_issuer_is_not_asked_about() {
    let hierarchy = Hierarchy::new();
    let leaf = hierarchy.issue(leaf(2, &TestKey::p256()));
    let asked = Question::new(&leaf, &hierarchy.other_ca, HashAlgorithm::Sha1, None);
    assert!(matches!(asked, Err(VerificationError::OtherIssuer(_))));
}

static ASKED: LazyLock<(Asked, Vec<u8>)> = LazyLock::new(|| {
    let asked = asked(3);
    let octets = asked.our_answer();
    (asked, octets)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_garbled_answer_never_says_anything_else(
        at in any::<prop::sample::Index>(), octet in any::<u8>(), removes in any::<bool>(),
    ) {
        let (asked, octets) = &*ASKED;
        let mut garbled = octets.clone();
        let at = at.index(garbled.len());
        if removes { garbled.remove(at); } else { garbled[at] = octet; }
        if let Ok(verified) = asked.question.verify(&garbled, NOW, 300) {
            let is_revoked = matches!(verified.status, CertStatus::Revoked { .. });
            prop_assert!(is_revoked);
        }
    }
}
