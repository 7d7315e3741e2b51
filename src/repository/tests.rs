//! Tests that one process publishes at a time, and never an older CRL.
use super::hold::Hold;
use super::{HomeDirectory, PublishError, Publisher};
use crate::home::{Home, PublicFile};
use crate::testing::{self, CertificateBuilder, TestKey};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateList, pem};
use std::time::Duration;

const CA: &str = "a";

fn home() -> (Home, HomeDirectory, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path().join("home"));
    home.create().unwrap();
    (home.clone(), HomeDirectory::new(home), directory)
}

fn crl(number: CrlNumber) -> CertificateList {
    testing::crl(number, [])
}

#[test]
fn one_publisher_holds_the_others_off_until_it_is_done() {
    // C7
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("home.lock");
    let first = Hold::take(&path, Duration::ZERO).unwrap();
    assert!(matches!(Hold::take(&path, Duration::from_millis(20)), Err(PublishError::Busy)));
    drop(first);
    Hold::take(&path, Duration::ZERO).unwrap();
}

#[test]
fn of_many_lists_published_at_once_the_newest_stays_in_both_its_forms() {
    // C7
    let (home, publisher, _kept) = home();
    std::thread::scope(|threads| {
        for first in 1..=4 {
            let publisher = &publisher;
            threads.spawn(move || {
                for number in (first..=40).step_by(4) {
                    match publisher.crl(CA, &crl(number)) {
                        Ok(files) => assert_eq!(files, publisher.crl_files(CA).unwrap()),
                        Err(PublishError::Older { published, offered }) => {
                            assert!(offered == number && published > number);
                        }
                        Err(error) => panic!("{error}"),
                    }
                    let there = publisher.crl_in_place(CA).unwrap().expect("never one form alone");
                    assert!(there.crl_number().unwrap() >= number);
                }
            });
        }
    });
    let newest = publisher.published_crl(CA).unwrap().unwrap();
    assert_eq!(newest, crl(40));
    let text = std::fs::read_to_string(home.public_file(&CA.parse().unwrap(), PublicFile::CrlPem)).unwrap();
    assert_eq!(text, pem::encode("X509 CRL", newest.as_der()));
    let left = std::fs::read_dir(home.public_directory()).unwrap().count();
    assert_eq!(left, 2, "nothing is left aside");
}

#[test]
fn a_list_whose_forms_differ_in_a_signature_of_any_length_is_in_one_form_only() {
    // C7: the longest signature is that of ML-DSA-87.
    for length in [64, 512, 4627] {
        let (home, publisher, _kept) = home();
        let signed = |first: u8| {
            let tbs = crl(7).tbs().clone();
            CertificateList::encode_signed(tbs, &[&[first][..], &vec![1; length - 1]].concat())
        };
        publisher.crl(CA, &signed(1)).unwrap();
        assert!(publisher.crl_in_place(CA).unwrap().is_some());
        let text = home.public_file(&CA.parse().unwrap(), PublicFile::CrlPem);
        std::fs::write(text, pem::encode("X509 CRL", signed(2).as_der())).unwrap();
        assert_eq!(publisher.crl_in_place(CA).unwrap(), None, "{length} octets");
    }
}

#[test]
fn a_list_is_written_before_others_are_held_off() {
    // C7: while another process holds the lock, the files are written and not renamed.
    let (home, publisher, _kept) = home();
    let other = Hold::take(&home.lock_file(), Duration::ZERO).unwrap();
    std::thread::scope(|threads| {
        let published = threads.spawn(|| publisher.crl(CA, &crl(1)));
        let aside = || {
            let files = std::fs::read_dir(home.public_directory()).unwrap();
            files.filter(|file| file.as_ref().unwrap().metadata().is_ok_and(|file| file.len() > 0)).count()
        };
        while aside() < 2 {
            std::thread::yield_now();
        }
        assert!(publisher.published_crl(CA).unwrap().is_none());
        drop(other);
        published.join().unwrap().unwrap();
    });
    assert_eq!(publisher.published_crl(CA).unwrap(), Some(crl(1)));
}

#[test]
fn a_ca_waits_no_longer_wherever_its_request_is() {
    // G6: an earlier version of the program, which stores the request beside the key, may have run again.
    let (home, publisher, _kept) = home();
    let files = home.pending_request_files(&CA.parse().unwrap());
    for there in [vec![&files[0]], vec![&files[1]], vec![&files[0], &files[1]], Vec::new()] {
        there.iter().for_each(|file| std::fs::write(file, "request").unwrap());
        publisher.remove_pending_request(CA).unwrap();
        assert_eq!(home.pending_requests().unwrap(), [], "{there:?}");
    }
}

#[test]
fn a_certificate_whose_file_was_cut_short_is_not_stored() {
    // C7
    let (home, publisher, _kept) = home();
    publisher.place(CA).unwrap();
    let key = TestKey::p256();
    let certificate =
        CertificateBuilder::new(&testing::name("CN=a.example"), key.public_key()).signed_by(&key);
    let file = publisher.issued(CA, &[&certificate]).unwrap().remove(0);
    let is_stored = || publisher.is_stored(CA, certificate.tbs().serial_number());
    assert!(is_stored());
    let whole = std::fs::read(&file).unwrap();
    for lost in [Vec::new(), whole[..whole.len() / 2].to_vec(), vec![0; whole.len()]] {
        std::fs::write(&file, lost).unwrap();
        assert!(!is_stored());
    }
    assert!(file.starts_with(home.issued_directory(&CA.parse().unwrap())));
}
