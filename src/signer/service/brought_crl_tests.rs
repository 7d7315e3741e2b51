//! What the service knows of revocations by a key that an administrator brings.
use super::bringing_tests::{Case, OLD, admin, failure, form, pipe};
use super::clients_tests::{WORDS, command};
use crate::signer::protocol::{Failure, Frame, Reply, Request};
use crate::signing::SoftKey;
use crate::testing::{NOW, entry, tbs_cert_list};
use crate::x509::extension::{authority_key_identifier, crl_number};
use crate::x509::{CrlEntry, KeyAlgorithm, SignatureAlgorithm, UnixTime, encode_signed};

impl Case {
    /// A CRL of this root with the number 7 and one entry, signed by this key.
    fn last_crl(&self, soft: &SoftKey) -> Vec<u8> {
        let (times, entries) = ((NOW, NOW.plus_days(7)), [entry(&[9], None)]);
        let extensions = vec![authority_key_identifier(&self.root.key_identifier()), crl_number(7)];
        let subject = self.root.tbs().subject();
        let list = tbs_cert_list(SignatureAlgorithm::ECDSA_SHA256, subject, times, entries, extensions);
        encode_signed(list.as_der(), list.signature(), &soft.forge(list.as_der()))
    }

    fn show(&self, crl: Vec<u8>) -> Reply {
        let parts = vec![self.root.as_der().to_vec(), crl];
        self.ask(&command(), Request::Show { key: self.wire(), crl: true }, parts)
    }

    fn sign(&self, number: u64, entries: &[CrlEntry]) -> Reply {
        let extensions = vec![authority_key_identifier(&self.root.key_identifier()), crl_number(number)];
        let (times, subject) = ((NOW, NOW.plus_days(7)), self.root.tbs().subject());
        let list =
            tbs_cert_list(SignatureAlgorithm::ECDSA_SHA256, subject, times, entries.to_vec(), extensions);
        let request = Request::SignCrl { key: self.wire(), profile: None };
        self.ask(&command(), request, vec![list.as_der().to_vec(), self.root.as_der().to_vec()])
    }

    /// The next CRL has that entry, and a higher number than any before.
    fn goes_on_from_the_last_crl(&self) {
        self.ask(&command(), Request::Settle { key: self.wire() }, Vec::new());
        let unknown = Request::Unknown { key: self.wire(), last: 7 };
        assert_eq!(self.ask(&command(), unknown, vec![Vec::new()]), Reply::Unknown { crl: false });
        let without = failure(self.sign(10, &[]));
        assert!(matches!(without, Failure::NotAdmitted { .. }), "without its entry: {without:?}");
        let lower = failure(self.sign(7, &[entry(&[9], None)]));
        assert!(matches!(lower, Failure::NotAdmitted { .. }), "no higher number: {lower:?}");
        let with = CrlEntry { revocation_date: UnixTime(500), ..entry(&[9], None) };
        assert_eq!(self.sign(10, &[with]), Reply::Signed);
    }

    /// Brings the key with a CRL.
    fn bring_with(&self, crl: Vec<u8>) -> Reply {
        let mut message = self.request(self.shown("root-ca"));
        if let Request::Bring { crl, .. } = &mut message {
            *crl = true;
        }
        let descriptors = vec![pipe(&self.pem()), pipe(OLD.as_bytes()), pipe(WORDS.as_bytes())];
        let parts = self.parts().into_iter().chain([crl]).collect();
        self.standing.answer(&self.connection.0, &admin(), Frame { message, parts, descriptors }).message
    }
}

#[test]
fn the_last_crl_of_the_other_program_is_shown_before_the_key_is_used_and_its_entries_are_known() {
    // C1, K3
    let case = Case::new();
    form(case.bring(&case.pem()));
    // one that another key signed says nothing
    let other = SoftKey::generate(KeyAlgorithm::P256).unwrap();
    assert!(matches!(failure(case.show(case.last_crl(&other))), Failure::Refused { .. }));
    assert_eq!(case.show(case.last_crl(&case.soft)), Reply::Done);
    assert_eq!(case.tell(&command(), "4a", 9), Reply::Done);
    case.goes_on_from_the_last_crl();
}

#[test]
fn what_the_crl_revokes_that_an_administrator_gives_with_the_key_stays_revoked_whatever_the_account_of_the_ca_says()
 {
    // C1, K3
    let case = Case::new();
    let other = SoftKey::generate(KeyAlgorithm::P256).unwrap();
    for refused in [case.last_crl(&other), b"no CRL".to_vec()] {
        failure(case.bring_with(refused));
    }
    assert_eq!(case.files(), [""; 0], "it came with nothing");
    form(case.bring_with(case.last_crl(&case.soft)));
    // that there never was a CRL
    assert_eq!(case.tell(&command(), "4a", 0), Reply::Done);
    case.goes_on_from_the_last_crl();
}

#[test]
fn a_key_that_waits_is_in_the_list_of_what_is_unlocked() {
    // K2
    let case = Case::new();
    let waiting = || -> Vec<bool> {
        let listed = case.ask(&admin(), Request::WhatIsUnlocked, Vec::new());
        let Reply::Unlocked { keys } = listed else { panic!("{listed:?}") };
        keys.iter().map(|one| one.waiting).collect()
    };
    form(case.bring(&case.pem()));
    assert_eq!(waiting(), [true]);
    assert_eq!(case.tell(&command(), "4a", 1), Reply::Done);
    case.ask(&command(), Request::Settle { key: case.wire() }, Vec::new());
    assert_eq!(waiting(), [false]);
}
