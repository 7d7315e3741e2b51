//! The next command publishes again what is missing, and nothing more.
use super::fixture::{Fixture, request};
use crate::home::PublicFile;
use crate::status::StatusPublisher;
use std::fs;

const CA: &str = "genfic-system";

#[test]
fn where_nothing_is_owed_nothing_is_written() {
    let fixture = Fixture::with_system_ca();
    fixture.issue(&[request("a.example")]).unwrap();
    fixture.script.steps();
    assert_eq!(fixture.engine().maintenance().recover().unwrap(), Default::default());
    assert_eq!(fixture.script.steps(), [""; 0]);
}

#[test]
fn a_public_file_that_is_gone_or_changed_is_put_back() {
    // P15, C7
    let fixture = Fixture::with_system_ca();
    for file in [PublicFile::Certificate, PublicFile::CertificateDer, PublicFile::Chain] {
        let path = fixture.public(CA, file);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(fixture.engine().maintenance().recover().unwrap().repeated.len(), 1, "{}", path.display());
        assert_eq!(fs::read(&path).unwrap(), whole);
        fs::remove_file(&path).unwrap();
        fixture.engine().maintenance().recover().unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    let chain = fs::read_to_string(fixture.public(CA, PublicFile::Chain)).unwrap();
    assert_eq!(chain, fixture.certificate(CA).to_pem() + &fixture.certificate("genfic").to_pem());
}

#[test]
fn an_issued_certificate_that_is_gone_is_kept_again() {
    let fixture = Fixture::with_system_ca();
    let issuance = fixture.issue(&[request("a.example")]).unwrap();
    let file = issuance.issued[0].file.clone().unwrap();
    fs::remove_file(&file).unwrap();
    fixture.engine().maintenance().recover().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), issuance.issued[0].certificate.to_pem());
}

#[test]
fn a_status_that_is_gone_is_published_again() {
    // O13
    let fixture = Fixture::with_system_ca();
    fs::remove_file(fixture.home.status_directory().join("manifest.json")).unwrap();
    assert!(!fixture.status.is_current(&*fixture.records).unwrap());
    fixture.engine().maintenance().recover().unwrap();
    assert!(fixture.status.is_current(&*fixture.records).unwrap());
}

#[test]
fn what_cannot_be_published_is_told_and_holds_nothing_up() {
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    fs::remove_file(fixture.public(CA, PublicFile::Chain)).unwrap();
    fixture.script.fail(&["authority"]);
    let recovered = fixture.engine().maintenance().recover().unwrap();
    assert!(recovered.owed[0].message.contains("genfic-system"), "{recovered:?}");
    assert!(fixture.engine().revocation().revoke(&record, None, None, true).unwrap().crl.is_some());
}
