//! A timer that has the certificate of a responder renewed, and one that lies.
use super::test_parts::{OnePassphrase, made_private, signer_of};
use super::*;
use crate::profile::{Applicant, RequestedValidity, RequestedValues};
use crate::signer::admit::tests::{granted, name, profiles, serial};
use crate::signer::journal::{Entry, JournalHead, JournalReader};
use crate::signer::protocol::{Failure, Frame, Reply, Request, WireKey};
use crate::signer::{Act, ActKind, Asker, ClientClass, Enrolment, Peer, Prepared, SharedRing};
use crate::signing::{AgeFileStore, KeyVault, PassphrasePolicy, ResponseSigner};
use crate::testing::{CertificateBuilder, NOW, TestKey};
use crate::x509::extension::{authority_key_identifier, crl_number};
use crate::x509::{
    Certificate, CrlEntry, KeyAlgorithm, SerialNumber, SignatureAlgorithm, SubjectPublicKeyInfo,
    TbsCertListBuilder, TbsCertificate, UnixTime, encode_signed,
};
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    static SINCE: Cell<i64> = const { Cell::new(0) };
}

fn now() -> UnixTime {
    NOW.plus(SINCE.get())
}

fn peer(class: ClientClass) -> Peer {
    let login = (class != ClientClass::Renew).then_some(1000);
    Peer { process: 7, user: 900, login, session: login, class }
}

fn key() -> WireKey {
    WireKey { uri: "age:genfic.age".into(), identity: None }
}

/// A CA whose key the service has, and its responder.
struct Case {
    directory: tempfile::TempDir,
    service: Signer,
    ca: Certificate,
    responder: TestKey,
    former: Certificate,
}

fn signer(directory: &std::path::Path, is_service: bool) -> Signer {
    // the credential of the service's unit
    let source = Arc::new(OnePassphrase("correct horse battery staple"));
    let store = AgeFileStore::new(directory, AgeFileStore::LEAST_WORK, source).unwrap();
    let vaults: Vec<Arc<dyn KeyVault>> = vec![Arc::new(store)];
    let prepared = Arc::new(Prepared::new(PassphrasePolicy::default(), now));
    let shared = SharedRing::new(prepared, Box::new(|_| Ok(())));
    let ring: Box<dyn Ring> =
        if is_service { Box::new(Arc::new(shared)) } else { Box::new(OwnRing::default()) };
    signer_of(directory, (vaults, ring), Box::new(|| Arc::new(profiles())), now)
}

impl Case {
    fn new() -> Self {
        SINCE.set(0);
        let directory = tempfile::tempdir().unwrap();
        made_private(directory.path());
        // somebody has made the CA and its first responder
        let own = signer(directory.path(), false);
        let ask = |request, parts| own.answer(&peer(ClientClass::Child), Frame::with(request, parts));
        let made = ask(Request::Generate { key: key(), algorithm: KeyAlgorithm::P256.to_string() }, vec![]);
        let public_key = SubjectPublicKeyInfo::from_der(&made.parts[0]).unwrap();
        let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Root"), public_key);
        let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(1));
        let certify = |tbs: &TbsCertificate, issuer: Option<&Certificate>| {
            let parts = std::iter::once(tbs.as_der()).chain(issuer.map(Certificate::as_der));
            let request = Request::SignCertificates {
                key: key(),
                issuer: issuer.is_some(),
                profile: Some("root-ca".into()),
                enrolment: false,
            };
            let signed = ask(request, parts.map(<[u8]>::to_vec).collect());
            assert_eq!(signed.message, Reply::Signed);
            Certificate::from_der(&encode_signed(tbs.as_der(), tbs.signature(), &signed.parts[0])).unwrap()
        };
        let ca = certify(&root, None);
        let responder = TestKey::p256();
        let first = certify(&next(&ca, responder.public_key(), 2, 30), Some(&ca));
        drop(own);
        let service = signer(directory.path(), true);
        Self { directory, service, ca, responder, former: first }
    }

    fn ask(&self, class: ClientClass, parts: Vec<Vec<u8>>, enrolment: bool) -> Frame<Reply> {
        let profile = Some("root-ca".into());
        let request = Request::SignCertificates { key: key(), issuer: true, profile, enrolment };
        self.service.answer(&peer(class), Frame::with(request, parts))
    }

    /// Asks as a timer, with the word of this key for these octets.
    fn enrol(&self, former: &Certificate, by: &TestKey, tbs: &TbsCertificate) -> Frame<Reply> {
        let by = ResponseSigner::from_pkcs8_der(by.pkcs8()).unwrap();
        let enrolment = Enrolment::by(former.clone(), &by, tbs).unwrap();
        self.shown(&enrolment, tbs)
    }

    fn shown(&self, enrolment: &Enrolment, tbs: &TbsCertificate) -> Frame<Reply> {
        let parts = [tbs.as_der(), self.ca.as_der(), enrolment.former.as_der(), &enrolment.signature];
        self.ask(ClientClass::Renew, parts.map(<[u8]>::to_vec).into(), true)
    }

    /// Ends the service and starts another process of it, perhaps without its record.
    fn start_again(&mut self, without_record: bool) {
        let files = ["record.db", "record.db-wal", "record.db-shm"];
        for file in files.iter().filter(|_| without_record) {
            let _ = std::fs::remove_file(self.directory.path().join(file));
        }
        self.service = signer(self.directory.path(), true);
    }

    fn next(&self, number: u8) -> TbsCertificate {
        next(&self.ca, TestKey::p256().public_key(), number, 30)
    }

    fn crl(&self, number: u64, revoked: Option<&SerialNumber>) -> Frame<Reply> {
        let subject = self.ca.tbs().subject().clone();
        let algorithm = SignatureAlgorithm::ECDSA_SHA256;
        let mut list = TbsCertListBuilder::new(algorithm, subject, now(), now().plus_days(7));
        if let Some(one) = revoked {
            list.push(&CrlEntry {
                serial_number: one.clone(),
                revocation_date: now().plus(-100),
                reason: None,
                invalidity_date: None,
            });
        }
        let list = list.encode(vec![authority_key_identifier(&self.ca.key_identifier()), crl_number(number)]);
        let request = Request::SignCrl { key: key(), profile: Some("root-ca".into()) };
        let parts = vec![list.as_der().to_vec(), self.ca.as_der().to_vec()];
        self.service.answer(&peer(ClientClass::Renew), Frame::with(request, parts))
    }
}

/// Returns what the CLI asks for the next responder.
fn next(ca: &Certificate, key: &SubjectPublicKeyInfo, number: u8, days: i64) -> TbsCertificate {
    named_next(ca, key, number, days, "C=BE,O=Genfic,CN=genfic OCSP responder")
}

fn named_next(
    ca: &Certificate,
    key: &SubjectPublicKeyInfo,
    number: u8,
    days: i64,
    subject: &str,
) -> TbsCertificate {
    let applicant = Applicant::new(name(subject), key.clone());
    let values = RequestedValues { validity: RequestedValidity::Days(days), ..RequestedValues::default() };
    let tbs = granted("ocsp-responder", Some((ca, &[], "root-ca")), &applicant, values, serial(number));
    // what is granted begins at the tests' fixed time; the clock may have moved on
    let validity = tbs.validity();
    let later = |time: UnixTime| time.plus(SINCE.get());
    CertificateBuilder::of(&tbs).valid(later(validity.not_before), later(validity.not_after)).tbs()
}

/// The fields of a certificate, for this key.
fn of_key(tbs: &TbsCertificate, key: &TestKey) -> CertificateBuilder {
    let public_key = key.public_key().as_der().to_vec();
    CertificateBuilder { public_key, ..CertificateBuilder::of(tbs) }
}

fn refused(answer: &Frame<Reply>) -> &str {
    match &answer.message {
        Reply::Failed { failure: Failure::NotAdmitted { code, .. } } => code,
        Reply::Failed { failure: Failure::Locked { scope, .. } } => {
            assert_eq!(scope.as_deref(), Some("ca"));
            "signer.locked"
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_timer_renews_a_responder_by_the_key_of_the_former_one_and_the_journal_has_it() {
    // O7, K3
    let case = Case::new();
    let (next, key) = (case.next(3), case.ca.tbs().public_key().clone());
    let signed = case.enrol(&case.former, &case.responder, &next);
    assert_eq!(signed.message, Reply::Signed);
    let made = encode_signed(next.as_der(), next.signature(), &signed.parts[0]);
    assert!(Certificate::from_der(&made).unwrap().is_signed_by(&key));
    let journal = std::fs::File::open(case.directory.path().join("journal")).unwrap();
    let mut reader = JournalReader::after(JournalHead::default(), journal);
    let mut acts = Vec::new();
    while let Some(group) = reader.next_group().unwrap() {
        let renewed = Asker { user: 900, login: None, session: None };
        let is_enrolled = |entry: &Entry| matches!(entry, Entry::Act(Act { kind: ActKind::Enrolled, .. }));
        if group.entries.iter().any(is_enrolled) {
            assert!(matches!(group.entries[0], Entry::Intended(_)), "they are of one group");
            assert_eq!(group.by, renewed);
            acts.extend(group.entries.into_iter().filter(is_enrolled));
        }
    }
    let [Entry::Act(act)] = acts.as_slice() else { panic!("{acts:?}") };
    let details =
        format!("the certificate {}, by the responder with the certificate {}", serial(3), serial(2));
    assert_eq!((act.key, &act.details), (Some(key.digest()), &details));
}

#[test]
fn a_timer_without_a_word_for_it_or_with_that_of_another_key_gets_no_responder() {
    // K3
    let case = Case::new();
    let next = case.next(3);
    let bare = vec![next.as_der().to_vec(), case.ca.as_der().to_vec()];
    assert_eq!(refused(&case.ask(ClientClass::Renew, bare.clone(), false)), "signer.locked");
    assert_eq!(refused(&case.enrol(&case.former, &TestKey::p256(), &next)), "signer.enrolment");
    // no key of the CA's, but one that the CA has certified for something else
    let own = TestKey::p256();
    let self_made = of_key(case.former.tbs(), &own).signed_by(&own);
    assert_eq!(refused(&case.enrol(&self_made, &own, &next)), "signer.enrolment");
    // the word for one key is no word for another
    let by = ResponseSigner::from_pkcs8_der(case.responder.pkcs8()).unwrap();
    let word = Enrolment::by(case.former.clone(), &by, &case.next(4)).unwrap();
    assert_eq!(refused(&case.shown(&word, &next)), "signer.enrolment");
    // what is said to be there is not there
    let Reply::Failed { failure: Failure::Signer { .. } } =
        case.ask(ClientClass::Renew, vec![], true).message
    else {
        panic!("nothing was shown")
    };
    assert_eq!(case.enrol(&case.former, &case.responder, &next).message, Reply::Signed);
}

#[test]
fn a_word_is_taken_once_and_once_a_day() {
    // K3
    let mut case = Case::new();
    let (first, second) = (case.next(3), case.next(4));
    assert_eq!(case.enrol(&case.former, &case.responder, &first).message, Reply::Signed);
    // the same again
    assert_eq!(refused(&case.enrol(&case.former, &case.responder, &first)), "signer.serial");
    assert_eq!(refused(&case.enrol(&case.former, &case.responder, &second)), "signer.enrolment");
    // another process of the service, which reads it from its record, and one that reads it from its journal
    for without_record in [false, true] {
        case.start_again(without_record);
        assert_eq!(refused(&case.enrol(&case.former, &case.responder, &second)), "signer.enrolment");
    }
    SINCE.set(UnixTime::DAY - 1);
    assert_eq!(refused(&case.enrol(&case.former, &case.responder, &case.next(5))), "signer.enrolment");
    SINCE.set(UnixTime::DAY);
    assert_eq!(case.enrol(&case.former, &case.responder, &case.next(6)).message, Reply::Signed);
}

#[test]
fn a_responder_that_has_ended_or_is_revoked_names_no_other() {
    // K3
    let case = Case::new();
    assert_eq!(case.crl(1, None).message, Reply::Signed);
    assert_eq!(case.crl(2, Some(case.former.tbs().serial_number())).message, Reply::Signed);
    assert_eq!(refused(&case.enrol(&case.former, &case.responder, &case.next(3))), "signer.enrolment");
    let case = Case::new();
    SINCE.set(31 * UnixTime::DAY);
    assert_eq!(refused(&case.enrol(&case.former, &case.responder, &case.next(3))), "signer.enrolment");
    SINCE.set(29 * UnixTime::DAY);
    assert_eq!(case.enrol(&case.former, &case.responder, &case.next(3)).message, Reply::Signed);
}

#[test]
fn without_the_entries_of_the_last_crl_no_responder_renews_itself_until_the_crl_is_shown() {
    // K3
    let mut case = Case::new();
    assert_eq!(case.crl(1, None).message, Reply::Signed);
    case.start_again(true);
    assert_eq!(refused(&case.enrol(&case.former, &case.responder, &case.next(3))), "journal.list-unknown");
}

#[test]
fn what_a_responder_names_is_the_next_responder_and_within_what_the_key_is_for() {
    // K3
    let case = Case::new();
    let key = || TestKey::p256().public_key().clone();
    let enrol = |tbs: &TbsCertificate| case.enrol(&case.former, &case.responder, tbs);
    let renamed = named_next(&case.ca, &key(), 3, 30, "C=BE,O=Genfic,CN=Somebody");
    assert_eq!(refused(&enrol(&renamed)), "signer.enrolment");
    assert_eq!(refused(&enrol(&next(&case.ca, &key(), 4, 31))), "signer.enrolment");
    // a CA below this one: granted by a profile, and no responder
    let applicant = Applicant::new(name("C=BE,CN=CA"), key());
    let issuer = Some((&case.ca, &[][..], "root-ca"));
    let child = granted("system-ca", issuer, &applicant, RequestedValues::default(), serial(5));
    assert_eq!(refused(&enrol(&child)), "signer.enrolment");
    // no profile grants it
    let long = CertificateBuilder::of(&case.next(6)).valid(NOW, NOW.plus_days(2000)).tbs();
    let of_long = of_key(&long, &case.responder).number(&serial(7)).signed_by(&case.responder);
    assert_eq!(refused(&case.enrol(&of_long, &case.responder, &long)), "signer.profile");
    // nor does the envelope of the key
    let file = case.directory.path().join("genfic.envelope.toml");
    let lines = std::fs::read_to_string(&file).unwrap();
    let narrow = |line: &str| match line.starts_with("longest_days =") {
        true => "longest_days = 29\n".to_owned(),
        false => format!("{line}\n"),
    };
    std::fs::write(&file, lines.lines().map(narrow).collect::<String>()).unwrap();
    assert_eq!(refused(&enrol(&case.next(8))), "signer.envelope-validity");
}

#[test]
fn whoever_logged_in_needs_the_key_unlocked_for_crls_or_for_responders() {
    // K3
    let case = Case::new();
    let next = case.next(3);
    let by = ResponseSigner::from_pkcs8_der(case.responder.pkcs8()).unwrap();
    let word = Enrolment::by(case.former.clone(), &by, &next).unwrap();
    let parts = [next.as_der(), case.ca.as_der(), word.former.as_der(), &word.signature];
    let answer = case.ask(ClientClass::Command, parts.map(<[u8]>::to_vec).into(), true);
    assert!(matches!(answer.message, Reply::Failed { failure: Failure::Locked { .. } }), "{answer:?}");
    let answer = case.ask(ClientClass::Administrator, parts.map(<[u8]>::to_vec).into(), true);
    assert!(matches!(answer.message, Reply::Failed { failure: Failure::Signer { .. } }), "{answer:?}");
}

#[test]
fn the_crls_of_a_timer_are_counted_by_the_journal_whoever_reads_it_anew() {
    // C1, K3
    let mut case = Case::new();
    let key = case.ca.tbs().public_key().digest();
    let count = |case: &Case| {
        let by = Asker::this_process();
        let turn = case.service.parts.journal.journal(by, now()).unwrap().turn().unwrap();
        turn.record().timer_crls_since(&key, now().plus(-UnixTime::DAY)).unwrap()
    };
    assert_eq!(count(&case), 0);
    for number in 1..=3 {
        assert_eq!(case.crl(number, None).message, Reply::Signed);
        assert_eq!(count(&case), number);
    }
    case.start_again(true);
    assert_eq!(count(&case), 3);
    SINCE.set(UnixTime::DAY + 1);
    assert_eq!(count(&case), 0);
}
