use super::*;
use crate::ocsp::answer::Answer;
use crate::ocsp::cert_id::HashAlgorithm;
use crate::ocsp::fixture::{Hierarchy, NOW, serial_number};
use crate::ocsp::responder::answer;
use crate::ocsp::response::{OcspResponse, ResponseStatus};
use crate::ocsp::settings::ResponderSettings;
use crate::x509::Name;
use der::Encode;
use proptest::prelude::*;
use std::sync::LazyLock;

const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.3.4");

fn id() -> Vec<u8> {
    let algorithm = sequence(&[&HashAlgorithm::Sha1.oid().to_der().unwrap(), &[5, 0]]);
    sequence(&[&algorithm, &tlv(4, &[1; 20]), &tlv(4, &[2; 20]), &[2, 1, 9]])
}

/// Returns a request whose tbsRequest has these elements before and after its requestList.
fn request(before: &[u8], single: &[u8], after: &[u8]) -> Vec<u8> {
    let list = sequence(&[&sequence(&[&id(), single])]);
    sequence(&[&sequence(&[before, &list, after])])
}

fn extensions(tag: u8, list: &[Extension]) -> Vec<u8> {
    tlv(tag, &tlv(SEQUENCE, &list.iter().map(Extension::to_der).collect::<Vec<_>>().concat()))
}

fn parse(octets: &[u8]) -> Result<OcspRequest, RequestError> {
    OcspRequest::from_der(octets, 32)
}

#[test]
fn requests_survive_a_round_trip() {
    let ids = vec![CertId::from_der(&id()).unwrap(); 3];
    let asked = OcspRequest::new(ids, Some(vec![1; 128])).preferring(vec![SignatureAlgorithm::ECDSA_SHA384]);
    assert_eq!(parse(&asked.to_der()), Ok(asked));
}

#[test]
fn an_explicit_version_a_requestor_and_a_signature_are_accepted() {
    // O10
    let requestor = tlv(0xa1, &tlv(0xa4, Name::parse("CN=a").unwrap().as_der()));
    let before = [&[0xa0, 3, 2, 1, 0][..], &requestor].concat();
    assert!(!parse(&request(&before, &[], &[])).unwrap().is_signed());
    let tbs = sequence(&[&before, &sequence(&[&sequence(&[&id()])])]);
    let signature = [SignatureAlgorithm::ECDSA_SHA256.to_der(), vec![3, 2, 0, 1]].concat();
    for certificates in [Vec::new(), tlv(0xa0, &[SEQUENCE, 0])] {
        let signature = tlv(0xa0, &sequence(&[&signature, &certificates]));
        assert!(parse(&sequence(&[&tbs, &signature])).unwrap().is_signed());
    }
    assert!(parse(&sequence(&[&tbs, &tlv(0xa0, &[])])).is_err());
}

#[test]
fn another_version_is_malformed() {
    // O2
    assert!(parse(&request(&[0xa0, 3, 2, 1, 1], &[], &[])).is_err());
}

#[test]
fn a_critical_extension_that_is_not_understood_is_refused_and_others_are_ignored() {
    // O10
    let extension = |critical| Extension::new(UNKNOWN, critical, vec![5, 0]);
    assert!(parse(&request(&[], &[], &extensions(0xa2, &[extension(false)]))).is_ok());
    assert!(parse(&request(&[], &extensions(0xa0, &[extension(false)]), &[])).is_ok());
    let refused = Err(RequestError::CriticalExtension(UNKNOWN));
    assert_eq!(parse(&request(&[], &[], &extensions(0xa2, &[extension(true)]))), refused);
    assert_eq!(parse(&request(&[], &extensions(0xa0, &[extension(true)]), &[])), refused);
    let nonce = Extension { critical: true, ..nonce_extension(&[1]) };
    assert!(parse(&request(&[], &[], &extensions(0xa2, &[nonce]))).is_ok());
}

#[test]
fn a_nonce_has_1_to_128_octets_and_stands_there_once() {
    // O6
    let with = |list: &[Extension]| parse(&request(&[], &[], &extensions(0xa2, list)));
    assert_eq!(with(&[nonce_extension(&[9; 128])]).unwrap().nonce(), Some(&[9; 128][..]));
    assert!(with(&[nonce_extension(&[])]).is_err());
    assert!(with(&[nonce_extension(&[9; 129])]).is_err());
    assert!(with(&[Extension::new(oid::NONCE, false, vec![9; 16])]).is_err(), "no OCTET STRING");
    assert!(with(&[nonce_extension(&[1]), nonce_extension(&[2])]).is_err());
}

#[test]
fn nothing_asked_and_trailing_octets_are_malformed() {
    // O2
    assert_eq!(parse(&sequence(&[&sequence(&[&sequence(&[])])])), Err(RequestError::Empty));
    let good = request(&[], &[], &[]);
    assert!(parse(&good).is_ok());
    assert!(parse(&[&good[..], &[0]].concat()).is_err());
    assert!(parse(&[]).is_err());
    assert!(parse(&good[..good.len() - 1]).is_err());
    assert!(parse(&request(&[], &[], &[5, 0])).is_err());
}

#[test]
fn preferred_algorithms_that_are_unknown_are_passed_over() {
    // O10
    let one = |algorithm: &[u8]| sequence(&[algorithm]);
    let unknown = sequence(&[&UNKNOWN.to_der().unwrap()]);
    let list = sequence(&[&one(&unknown), &one(&SignatureAlgorithm::ED25519.to_der())]);
    let extension = Extension::new(oid::PREFERRED_SIGNATURE_ALGORITHMS, false, list);
    let parsed = parse(&request(&[], &[], &extensions(0xa2, &[extension]))).unwrap();
    assert_eq!(parsed.preferred_algorithms(), [SignatureAlgorithm::ED25519]);
}

#[test]
fn cert_ids_are_read_as_an_independent_decoder_reads_them() {
    // O3
    let hierarchy = Hierarchy::new();
    let ids = [1, 0x7f, 0x80, 0xff].map(|serial| hierarchy.id(serial));
    let octets = OcspRequest::new(ids.to_vec(), None).to_der();
    let theirs = ocsp::request::OcspRequest::parse(&octets).unwrap().extract_certid_owned();
    let ours = parse(&octets).unwrap();
    assert_eq!(theirs.len(), ours.cert_ids().len());
    for (theirs, ours) in theirs.iter().zip(ours.cert_ids()) {
        assert_eq!(theirs.issuer_name_hash, ours.issuer_name_hash());
        assert_eq!(theirs.issuer_key_hash, ours.issuer_key_hash());
        let serial: Vec<u8> = theirs.serial_num.iter().copied().skip_while(|octet| *octet == 0).collect();
        assert_eq!(serial, ours.serial_number().unwrap().as_be_octets());
    }
}

static HIERARCHY: LazyLock<Hierarchy> = LazyLock::new(Hierarchy::new);

fn answered(octets: &[u8]) -> Answer {
    let answer = answer(octets, &HIERARCHY.snapshot(), &ResponderSettings::default(), None, NOW);
    OcspResponse::from_der(&answer.octets()).unwrap();
    answer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_octets_get_a_malformed_request_answer(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        // O2
        prop_assert_eq!(answered(&octets).status(), ResponseStatus::MalformedRequest);
    }

    #[test]
    fn mutated_requests_always_get_an_answer(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6),
        nonce in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..40)),
        serials in proptest::collection::vec(1..8u8, 1..4),
    ) {
        // O2
        let ids = serials.iter().map(|serial| {
            CertId::new(HashAlgorithm::ALL[usize::from(serial % 4)], &HIERARCHY.ca, serial_number(*serial))
        });
        let mut octets = OcspRequest::new(ids.collect(), nonce).to_der();
        for (index, octet, kind) in changes {
            let at = index.index(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                2 => octets.truncate(at.max(1)),
                _ => { octets.remove(at); if octets.is_empty() { octets.push(octet) } }
            }
        }
        let status = answered(&octets).status();
        let parses = OcspRequest::from_der(&octets, 32).is_ok();
        prop_assert_eq!(parses, status != ResponseStatus::MalformedRequest);
    }
}
