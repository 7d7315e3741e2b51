//! Tests of files that are damaged, or cannot be written to.
use super::growth_tests::issue_many;
use super::tests::Home;
use super::*;
use crate::index::CertificateState;
use rustix::thread::CapabilitySet;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_delta_that_cannot_be_written_to_is_written_anew_under_another_name() {
    // O12
    let home = Home::new();
    home.publish();
    let many = issue_many(&home, 1, 2);
    home.publish();
    let delta = home.delta().unwrap();
    let path = home.status.join(&delta);
    let former = std::fs::read(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    let to = home.revoke(&many[0]);
    // This thread is as any user to whom the file does not belong, and ends with the test.
    let mut capabilities = rustix::thread::capabilities(None).unwrap();
    capabilities.effective.remove(CapabilitySet::DAC_OVERRIDE);
    rustix::thread::set_capabilities(None, capabilities).unwrap();
    assert!(std::fs::OpenOptions::new().write(true).open(&path).is_err());
    assert_eq!(home.publish().written, Written::Delta(1));
    assert_ne!(home.delta().unwrap(), delta);
    assert_eq!(std::fs::read(&path).unwrap(), former);
    assert_eq!(home.open().status(&many[0]).unwrap(), Some(to));
}

#[test]
fn a_base_or_a_file_of_cas_with_more_than_its_octets_is_made_again() {
    for name in ["base", "authorities"] {
        let home = Home::new();
        let many = issue_many(&home, 1, 3);
        home.publish();
        let file = home.files().into_iter().find(|file| file.starts_with(name)).unwrap();
        let mut octets = std::fs::read(home.status.join(&file)).unwrap();
        octets.push(b'\n');
        std::fs::write(home.status.join(&file), octets).unwrap();
        assert!(StatusDirectory::new(&home.status).open(None).is_err());
        assert_eq!(home.publish().written, Written::Base(4), "{name}");
        assert_eq!(home.open().status(&many[0]).unwrap(), Some(CertificateState::Issued));
    }
}

#[test]
fn a_damaged_block_shows_once_it_is_read_and_until_the_file_is_mended() {
    // O13
    let home = Home::new();
    let many = issue_many(&home, 1, 1000);
    home.publish();
    let directory = StatusDirectory::new(&home.status);
    assert!(directory.is_whole().unwrap());
    let path = home.status.join(home.base());
    let octets = std::fs::read(&path).unwrap();
    let mut damaged = octets.clone();
    damaged[2..4096].iter_mut().for_each(|octet| *octet ^= 1);
    std::fs::write(&path, damaged).unwrap();
    assert!(!directory.is_whole().unwrap());
    let snapshot = home.open();
    assert!(!snapshot.is_damaged());
    assert!(many.iter().any(|id| snapshot.status(id).is_err()));
    assert!(snapshot.is_damaged());
    let next = directory.open(Some(&snapshot)).unwrap();
    assert!(next.is_damaged(), "of the same file");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, octets).unwrap();
    assert!(snapshot.status(&many[0]).is_ok() || snapshot.is_damaged());
    assert!(!directory.open(Some(&next)).unwrap().is_damaged());
}
