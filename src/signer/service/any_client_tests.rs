//! Clients that ask for anything in any order, with octets that were changed: what is signed all the same breaks no rule
//! that a reader of the signed octets can check.
use super::clients_tests::{Service, command, key, peer, root};
use super::lying_tests::crl;
use crate::profile::{Applicant, RequestedValues};
use crate::signer::admit::tests::{granted, name, serial};
use crate::signer::protocol::{Frame, Reply, Request, put_serial};
use crate::signer::{ClientClass, Peer, Scope};
use crate::signing::SoftKey;
use crate::testing::NOW;
use crate::x509::{
    Certificate, KeyAlgorithm, SerialNumber, SubjectPublicKeyInfo, TbsCertList, TbsCertificate,
    encode_signed, sha256,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// One request: what is asked for, by whom, and how its octets are changed.
#[derive(Clone, Debug)]
struct Step {
    what: u8,
    who: u8,
    number: u8,
    change: Option<(prop::sample::Index, u8, bool)>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let change = proptest::option::weighted(0.4, (any::<prop::sample::Index>(), 1..=255_u8, any::<bool>()));
    let step = (0..12_u8, 0..8_u8, 2..40_u8, change);
    let step = step.prop_map(|(what, who, number, change)| Step { what, who, number, change });
    proptest::collection::vec(step, 1..60)
}

/// A service whose key is unlocked for CRLs, or for certificates of CAs and responders too, for the login of [`command`].
struct Case {
    service: Service,
    root: Certificate,
    stranger: SoftKey,
    serials: BTreeSet<Vec<u8>>,
    number: Option<u64>,
    listed: BTreeSet<Vec<u8>>,
    signed: usize,
    is_for_cas: bool,
}

impl Case {
    fn new(is_for_cas: bool) -> Self {
        let service = Service::new();
        service.unlock("genfic", &[Scope::Ca, Scope::Leaf, Scope::Crl]);
        let ask = |request, parts| service.ask(&command(), request, parts);
        let opened = ask(Request::Open { key: key("genfic") }, Vec::new());
        let own = SubjectPublicKeyInfo::from_der(&opened.parts[0]).unwrap();
        let unsigned = root(&own, |_| vec![0; 64]);
        let certify =
            Request::SignCertificates { key: key("genfic"), issuer: false, profile: None, enrolment: false };
        let signed = ask(certify, vec![unsigned.tbs().as_der().to_vec()]);
        let signed = encode_signed(unsigned.tbs().as_der(), unsigned.tbs().signature(), &signed.parts[0]);
        let root = Certificate::from_der(&signed).unwrap();
        service.ring.lock(Some("genfic"));
        let scopes = [Scope::Leaf, Scope::Crl, Scope::Ca];
        service.unlock("genfic", if is_for_cas { &scopes } else { &scopes[..2] });
        let serials = BTreeSet::from([octets(root.tbs().serial_number())]);
        let stranger = SoftKey::generate(KeyAlgorithm::P256).unwrap();
        Self {
            service,
            root,
            stranger,
            serials,
            number: None,
            listed: BTreeSet::new(),
            signed: 0,
            is_for_cas,
        }
    }

    fn who(number: u8) -> Peer {
        match number {
            0 => peer(ClientClass::Command, 1001),
            1 => Peer { session: Some(4), ..command() },
            2 => peer(ClientClass::Administrator, 1000),
            3 => Peer { login: None, session: None, ..peer(ClientClass::Renew, 0) },
            _ => command(),
        }
    }

    fn tbs(&self, profile: &str, number: u8) -> Vec<u8> {
        let applicant =
            Applicant::new(name(&format!("C=BE,O=Genfic,CN=n{number}")), self.stranger.public_key().clone());
        let issuer = Some((&self.root, &[][..], "root-ca"));
        granted(profile, issuer, &applicant, RequestedValues::default(), serial(number)).as_der().to_vec()
    }

    /// What is asked for, and its octets.
    fn request(&self, step: &Step) -> (Request, Vec<Vec<u8>>) {
        let own = self.root.as_der().to_vec();
        let named = |number: u8| {
            let mut part = Vec::new();
            put_serial(&mut part, &serial(number));
            part
        };
        let certify = |issuer| Request::SignCertificates {
            key: key("genfic"),
            issuer,
            profile: Some("root-ca".into()),
            enrolment: false,
        };
        let list = Request::SignCrl { key: key("genfic"), profile: Some("root-ca".into()) };
        match step.what {
            0 => (certify(true), vec![self.tbs("sub-ca", step.number), own]),
            1 => (certify(false), vec![self.root.tbs().as_der().to_vec()]),
            2 | 3 => (certify(true), vec![self.tbs("ocsp-responder", step.number), own]),
            4..=7 => {
                let number = self.number.unwrap_or(0) + u64::from(step.number % 3);
                (list, vec![crl(&self.root, number, &[step.number % 5, step.number % 7]), own])
            }
            8 => {
                // what stood on the last one, and one more
                let revoked: Vec<u8> = self.listed.iter().filter_map(|one| one.last().copied()).collect();
                (
                    list,
                    vec![
                        crl(&self.root, self.number.unwrap_or(0) + 1, &[revoked, vec![step.number]].concat()),
                        own,
                    ],
                )
            }
            9 => (Request::Abandon { key: key("genfic") }, vec![named(step.number)]),
            10 => (Request::Show { key: key("genfic"), crl: false }, vec![own.clone(), own]),
            _ => {
                let key = key("genfic");
                (
                    Request::Claim { key, until: 0, mark: 9, last: true, unlisted: false },
                    vec![named(step.number)],
                )
            }
        }
    }

    fn take(&mut self, step: &Step) {
        let (request, mut parts) = self.request(step);
        if let Some((at, by, is_cut)) = &step.change {
            let part = parts.first_mut().unwrap();
            let at = at.index(part.len());
            part[at] ^= by;
            if *is_cut {
                part.truncate(at);
            }
        }
        let peer = Self::who(step.who);
        let is_list = matches!(request, Request::SignCrl { .. });
        let answer = self.service.signer.answer(&peer, Frame::with(request, parts.clone()));
        if answer.message != Reply::Signed {
            return;
        }
        assert_eq!(peer, command(), "only who has unlocked it");
        self.signed += 1;
        let (tbs, signature) = (&parts[0], &answer.parts[0]);
        let journal = self.service.journaled();
        assert!(journal.windows(32).any(|octets| octets == sha256(tbs)), "it is in the journal");
        match is_list {
            true => self.is_next(tbs, signature),
            false => self.is_new(tbs, signature),
        }
    }

    /// A certificate breaks no rule.
    fn is_new(&mut self, tbs: &[u8], signature: &[u8]) {
        let read = TbsCertificate::from_der(tbs).unwrap();
        let signed = Certificate::from_der(&encode_signed(tbs, read.signature(), signature)).unwrap();
        assert!(signed.was_signed_by(self.root.tbs().public_key()));
        assert!(self.serials.insert(octets(read.serial_number())), "a serial number is used once");
        assert_eq!(read.issuer(), self.root.tbs().subject());
        assert!(read.validity().not_after <= self.root.tbs().validity().not_after);
        assert!(self.is_for_cas, "it is not unlocked for that: what is asked for is of a CA or a responder");
    }

    /// A CRL breaks no rule.
    fn is_next(&mut self, tbs: &[u8], signature: &[u8]) {
        let read = TbsCertList::from_der(tbs).unwrap();
        let signed = encode_signed(tbs, read.signature(), signature);
        let signed = crate::x509::CertificateList::from_der(&signed).unwrap();
        assert!(signed.was_signed_by(self.root.tbs().public_key()));
        let number = read.crl_number().unwrap();
        assert!(Some(number) > self.number, "{number} after {:?}", self.number);
        let listed: BTreeSet<_> = read.entries().map(|one| octets(&one.unwrap().serial_number)).collect();
        assert!(listed.is_superset(&self.listed), "nothing is left out");
        assert!(read.this_update() <= NOW.plus(300), "{}", read.this_update());
        (self.number, self.listed) = (Some(number), listed);
    }
}

fn octets(serial: &SerialNumber) -> Vec<u8> {
    serial.as_be_octets().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_client_asks_for_no_signature_breaks_a_rule(steps in steps(), is_for_cas in any::<bool>()) {
        // K3
        let mut case = Case::new(is_for_cas);
        steps.iter().for_each(|step| case.take(step));
    }
}

#[test]
fn what_such_a_client_may_have_is_signed() {
    for is_for_cas in [false, true] {
        let mut case = Case::new(is_for_cas);
        for (what, number) in [(8, 3), (0, 10), (8, 4), (2, 11), (8, 5), (0, 10), (2, 10)] {
            case.take(&Step { what, who: 7, number, change: None });
        }
        assert_eq!((case.signed, case.listed.len()), (if is_for_cas { 5 } else { 3 }, 3));
    }
}
