use super::*;
use crate::signer::admit::tests::name;
use crate::testing::{CertificateBuilder, TestKey};
use std::os::unix::fs::PermissionsExt as _;

fn certificate(name: &str, key: u8) -> Certificate {
    let key = TestKey::ed25519_of(key);
    let name = crate::x509::Name::parse(name).unwrap();
    CertificateBuilder::new(&name, key.public_key()).into_ca(None).signed_by(&key)
}

#[test]
fn certificates_are_read_each_time_and_decoded_when_their_octets_are_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (one, other) = (certificate("CN=One", 1), certificate("CN=Two", 2));
    fs::write(path("a.pem"), one.to_pem()).unwrap();
    fs::write(path("b.pem"), other.to_pem()).unwrap();
    let first = Copies::read(directory.path()).unwrap();
    assert_eq!((first.decoded, first.files.len()), (2, 2));
    let second = Copies::read_again(directory.path(), Some(first)).unwrap();
    assert_eq!((second.decoded, &second.files["a"]), (0, &vec![one]));

    // as long as before, at the same time
    let times = fs::metadata(path("a.pem")).unwrap().modified().unwrap();
    let swapped = certificate("CN=Six", 3);
    assert_eq!(swapped.to_pem().len(), fs::read(path("a.pem")).unwrap().len());
    fs::write(path("a.pem"), swapped.to_pem()).unwrap();
    fs::File::options().write(true).open(path("a.pem")).unwrap().set_modified(times).unwrap();
    let third = Copies::read_again(directory.path(), Some(second)).unwrap();
    assert_eq!((third.decoded, &third.files["a"]), (1, &vec![swapped]));
    fs::remove_file(path("b.pem")).unwrap();
    let fourth = Copies::read_again(directory.path(), Some(third)).unwrap();
    assert_eq!((fourth.decoded, fourth.files.len()), (0, 1));
    fs::write(path("a.pem"), "no certificate").unwrap();

    let fifth = Copies::read_again(directory.path(), Some(fourth)).unwrap();
    assert_eq!((fifth.files.len(), fifth.damaged.len()), (0, 1));
}

#[test]
fn no_more_certificates_of_a_ca_are_kept_than_are_read_again() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let own = TestKey::p256();
    let certificate = CertificateBuilder::new(&name("CN=Root"), own.public_key()).signed_by(&own);
    let public_key = certificate.tbs().public_key();
    let key = KeyRef { identity: None, uri: "age:genfic.age".into() };
    let mut copies = Copies::read(directory.path()).unwrap();
    (0..MOST).for_each(|_| copies.add(&key, &certificate));
    copies.keep(&key, public_key).unwrap();
    assert_eq!(Copies::read(directory.path()).unwrap().of(public_key).len(), MOST);
    copies.add(&key, &certificate);
    assert_eq!(copies.keep(&key, public_key).unwrap_err().code, Code::SignerRecord);
    assert_eq!(Copies::read(directory.path()).unwrap().of(public_key).len(), MOST, "as it was");
}

#[test]
fn a_damaged_file_stops_the_key_whose_certificates_it_had_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let key = |name: &str| KeyRef { identity: None, uri: format!("age:{name}.age") };
    let (one, other) = (certificate("CN=One", 1), certificate("CN=Two", 2));
    let of = |certificate: &Certificate| Some(certificate.tbs().public_key().digest());
    fs::write(path("a.pem"), &one.to_pem()[..100]).unwrap();
    fs::write(path("b.pem"), other.to_pem()).unwrap();
    let copies = Copies::read(directory.path()).unwrap();
    let refused = copies.check(&key("a"), of(&one), true).unwrap_err();
    assert!(refused.message.contains("a.pem") && refused.hint.contains("backup"), "{refused:?}");
    assert!(copies.check(&key("a"), None, false).is_err(), "by its name alone");
    assert_eq!(copies.check(&key("b"), of(&other), true), Ok(()));
    // a key that signs already and has no file may have had that one under another name
    let new = certificate("CN=Three", 3);
    assert!(copies.check(&key("c"), of(&new), true).is_err());
    assert_eq!(copies.check(&key("c"), of(&new), false), Ok(()));
    assert_ne!(copies.stem(&key("a"), new.tbs().public_key()), "a", "it is not written over");
}
