use super::*;
use crate::index::CertificateState;
use crate::ocsp::answer::Answer;
use crate::ocsp::cache::AnswerCache;
use crate::ocsp::delegate::DelegatedResponder;
use crate::ocsp::fixture::{Hierarchy, MemoryStatus, NOW, TestKey, certificate_id, serial_number};
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::reload::Reloader;
use crate::ocsp::request::OcspRequest;
use crate::ocsp::responder;
use crate::ocsp::responder_files::ResponderFiles;
use crate::ocsp::response::{OcspResponse, ResponseStatus};
use crate::ocsp::response_data::{CertStatus, ResponseData};
use crate::ocsp::settings::ResponderSettings;
use crate::ocsp::snapshot::Snapshot;
use crate::x509::UnixTime;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Certificates with serial numbers from 10 on: their records take several blocks.
const MANY: u8 = 120;
/// Certificates that are answered for: 2, 3, 4 and 6 as well.
const ALL: u64 = 124;

pub(super) struct Case {
    pub(super) hierarchy: Hierarchy,
    pub(super) status: MemoryStatus,
    pub(super) settings: ResponderSettings,
    pub(super) responder: Arc<DelegatedResponder>,
    pub(super) directory: TempDir,
}

impl Case {
    pub(super) fn new() -> Self {
        Self::of(Hierarchy::new())
    }

    pub(super) fn of(hierarchy: Hierarchy) -> Self {
        let mut status = hierarchy.status();
        (10..10 + MANY).for_each(|serial| status.set(serial, CertificateState::Issued));
        let ends = status.states.keys().map(|id| (id.clone(), NOW.plus_days(20)));
        status.ends = ends.collect();
        let responder = hierarchy.responder.clone();
        let directory = tempfile::tempdir().unwrap();
        Self { hierarchy, status, settings: ResponderSettings::default(), responder, directory }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("answers")
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.hierarchy.snapshot_of(self.status.clone(), vec![self.responder.clone()])
    }

    pub(super) fn make(&self, now: UnixTime) -> Result<Made, MakeError> {
        make(&Making {
            path: &self.path(),
            snapshot: &self.snapshot(),
            status: &self.status,
            authority: None,
            settings: &self.settings,
            now,
            step: || {},
        })
    }

    /// Writes a public file.
    pub(super) fn publish(&self, name: &str, octets: &[u8]) {
        let public = self.directory.path().join("public");
        fs::create_dir_all(&public).unwrap();
        fs::write(public.join(name), octets).unwrap();
    }

    pub(super) fn reloader(&self, state: Option<&Path>, now: UnixTime) -> Reloader<AnswerFile> {
        let file = AnswerFile::new(self.path(), state.map(Path::to_owned));
        let public = PublicFiles::new(self.directory.path().join("public"));
        Reloader::new(file, ResponderFiles::none(), public, now)
    }

    /// Returns the answer of a daemon that has just started.
    pub(super) fn answer(&self, request: &[u8], now: UnixTime) -> Answer {
        self.answer_of(&self.reloader(None, now), request, now)
    }

    pub(super) fn answer_of(&self, reloader: &Reloader<AnswerFile>, request: &[u8], now: UnixTime) -> Answer {
        let current = reloader.current();
        let snapshot = current.load();
        let cache = AnswerCache::new(&self.settings);
        let store = snapshot.answers().expect("a file of answers");
        answer(request, &snapshot, store, (&self.settings, &cache), now)
    }

    pub(super) fn status_of(&self, reloader: &Reloader<AnswerFile>, serial: u8, now: UnixTime) -> CertStatus {
        data(&self.answer_of(reloader, &self.hierarchy.request(serial), now)).responses[0].status
    }
}

pub(super) fn data(answer: &Answer) -> ResponseData {
    match OcspResponse::from_der(&answer.octets()).unwrap() {
        OcspResponse::Successful(basic) => basic.data().clone(),
        OcspResponse::Refused(status) => panic!("{status}: {}", answer.reason()),
    }
}

fn is_signed_by(answer: &Answer, responder: &DelegatedResponder) -> bool {
    match OcspResponse::from_der(&answer.octets()).unwrap() {
        OcspResponse::Successful(basic) => {
            basic.is_signed_by(responder.certificate().tbs().public_key())
                && basic.certificates() == [responder.certificate().clone()]
        }
        OcspResponse::Refused(_) => false,
    }
}

#[test]
fn an_answer_that_was_signed_beforehand_says_what_the_responder_with_the_key_says() {
    // O1, O3, O8
    let mut case = Case::new();
    case.settings.archive_cutoff = Some(86_400);
    case.status.revoke(11, NOW.plus(-100));
    case.status.time = NOW.plus(-200);
    let made = case.make(NOW).unwrap();
    assert_eq!((made.certificates, made.answers, made.signed), (ALL, 2 * ALL, 2 * ALL));
    let live = case.snapshot();
    for serial in [2, 3, 4, 6, 10, 11] {
        for hash in HASHES {
            let id = CertId::new(hash, &case.hierarchy.ca, serial_number(serial));
            let request = OcspRequest::new(vec![id], None).to_der();
            let stored = case.answer(&request, NOW);
            let expected = responder::answer(&request, &live, &case.settings, None, NOW);
            assert_eq!(data(&stored), data(&expected), "{serial} {hash}");
            let times = |answer: &Answer| answer.life().map(|life| (life.this_update, life.next_update));
            assert_eq!(times(&stored), times(&expected));
            assert!(is_signed_by(&stored, &case.responder));
        }
    }
}

#[test]
fn what_no_answer_was_signed_for_is_unauthorized_and_a_nonce_is_not_repeated() {
    // O2, O4, O5
    let case = Case::new();
    case.make(NOW).unwrap();
    let (hierarchy, of) = (&case.hierarchy, |ids| OcspRequest::new(ids, None).to_der());
    let sha384 = CertId::new(HashAlgorithm::Sha384, &hierarchy.ca, serial_number(2));
    let other = CertId::new(HashAlgorithm::Sha1, &hierarchy.other_ca, serial_number(2));
    for request in [
        hierarchy.request(5),
        hierarchy.request(200),
        of(vec![hierarchy.id(2), hierarchy.id(3)]),
        of(vec![sha384]),
        of(vec![other]),
    ] {
        assert_eq!(case.answer(&request, NOW).status(), ResponseStatus::Unauthorized);
    }
    assert_eq!(case.answer(b"0", NOW).status(), ResponseStatus::MalformedRequest);
    let nonce = OcspRequest::new(vec![hierarchy.id(2)], Some(vec![1; 32])).to_der();
    let answer = case.answer(&nonce, NOW);
    assert_eq!((data(&answer).nonce(), data(&answer).responses[0].status), (None, CertStatus::Good));
}

#[test]
fn only_what_has_changed_or_is_near_its_end_is_signed_again() {
    // O12
    let mut case = Case::new();
    let before = case.make(NOW).unwrap();
    let request = case.hierarchy.request(10);
    let first = case.answer(&request, NOW);
    let later = NOW.plus(60);
    case.status.revoke(20, later);
    case.status.set(9, CertificateState::Issued);
    case.status.ends.insert(certificate_id(case.hierarchy.ca.tbs().as_issuer(), 9), NOW.plus_days(9));
    let made = case.make(later).unwrap();
    assert_eq!((made.signed, made.certificates), (4, ALL + 1));
    assert!(made.number > before.number);
    assert_eq!(case.answer(&request, later).octets(), first.octets(), "it still counts");
    let reloader = case.reloader(None, later);
    assert!(matches!(case.status_of(&reloader, 20, later), CertStatus::Revoked { at, .. } if at == later));
    assert_eq!(case.make(later).unwrap().signed, 0);
    let half = NOW.plus(case.settings.next_update / 2);
    // what was signed later may have its turn, which is spread, already
    assert!(case.make(half).unwrap().signed >= 2 * (ALL - 1));
    let shorter = ResponderSettings { next_update: 600, ..ResponderSettings::default() };
    case.settings = shorter;
    assert_eq!(case.make(half).unwrap().signed, 2 * (ALL + 1));
    case.responder = case.hierarchy.delegate(&TestKey::p384());
    assert_eq!(case.make(half).unwrap().signed, 2 * (ALL + 1), "another responder");
    assert!(is_signed_by(&case.answer(&request, half), &case.responder));
}

#[test]
fn certificates_that_have_ended_are_left_out_unless_an_archive_is_kept() {
    // O8
    let mut case = Case::new();
    let issuer = case.hierarchy.ca.tbs().as_issuer();
    case.status.ends.insert(certificate_id(issuer, 10), NOW.plus(-1));
    assert_eq!(case.make(NOW).unwrap().certificates, ALL - 1);
    case.settings.archive_cutoff = Some(10);
    assert_eq!(case.make(NOW).unwrap().certificates, ALL);
}

#[test]
fn what_was_signed_before_a_kill_is_not_signed_again() {
    let case = Case::new();
    case.make(NOW).unwrap();
    let (whole, beside) = (fs::read(case.path()).unwrap(), |ending| {
        let mut path = case.path().into_os_string();
        path.push(ending);
        PathBuf::from(path)
    });
    fs::remove_file(case.path()).unwrap();
    // killed twice: the second time it did not come as far
    fs::write(beside(".begun"), &whole[..whole.len() / 2]).unwrap();
    fs::write(beside(".writing"), &whole[..whole.len() / 4]).unwrap();
    let made = case.make(NOW.plus(1)).unwrap();
    assert!(made.signed < 2 * ALL * 2 / 3 && made.signed > 2 * ALL / 4, "{made:?}");
    assert!(!beside(".begun").exists() && !beside(".writing").exists());
    assert_eq!(case.make(NOW.plus(1)).unwrap().signed, 0);
    fs::remove_file(case.path()).unwrap();
    fs::write(beside(".writing"), &whole[..whole.len() - 300]).unwrap();
    assert!(case.make(NOW.plus(2)).unwrap().signed <= 40);
    let garbage = |ending| fs::write(beside(ending), b"garbage").unwrap();
    garbage(".begun");
    garbage(".writing");
    assert_eq!(case.make(NOW.plus(2)).unwrap().signed, 0);
}

#[test]
fn no_other_file_is_replaced_and_two_processes_do_not_make_the_same() {
    let case = Case::new();
    fs::write(case.path(), "a list of hosts").unwrap();
    assert!(matches!(case.make(NOW), Err(MakeError::Foreign(_))));
    fs::remove_file(case.path()).unwrap();
    let places = super::writer::Places::beside(&case.path());
    let held = places.begin().unwrap();
    assert!(matches!(case.make(NOW), Err(MakeError::Busy(_))));
    drop(held);
    case.make(NOW).unwrap();
}

#[test]
fn without_a_valid_responder_nothing_is_made() {
    // O7
    let mut case = Case::new();
    let late = NOW.plus_days(40);
    case.status.time = late;
    assert!(matches!(case.make(late), Err(MakeError::NoResponder(name)) if name == "ca"));
    assert!(!case.path().exists());
}
