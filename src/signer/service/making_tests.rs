//! Keys that are made, renamed and deleted for a client of the service, and what its journal has of that.
use super::clients_tests::{Service, asked, bound_to, command, key, peer, root};
use crate::signer::protocol::{Reply, Request, WireKey};
use crate::signer::{Asker, ClientClass, Scope};
use crate::signing::CaKeys as _;
use crate::testing::NOW;
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo, UnixTime};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn generate(name: &str) -> Request {
    Request::Generate { key: key(name), algorithm: KeyAlgorithm::P256.to_string() }
}

fn has(service: &Service, said: &str) -> bool {
    service.journaled().windows(said.len()).any(|octets| octets == said.as_bytes())
}

#[test]
fn the_journal_has_a_key_before_it_is_there_and_its_new_name_before_it_has_it() {
    // K3
    let service = Service::new();
    // one that nobody has prepared is not made, and leaves nothing
    service.refused(&command(), generate("new"), Vec::new());
    assert!(!has(&service, "age:new.age"));
    // what fails then shows what was done before
    fs::create_dir(service.file("new.age")).unwrap();
    service.prepare("new");
    service.refused(&command(), generate("new"), Vec::new());
    assert!(has(&service, "age:new.age is to be made"));
    service.unlock("genfic", &[Scope::Ca]);
    for (name, number) in [("genfic.mark", "1\n"), ("other.mark", "2\n")] {
        fs::write(service.file(name), number).unwrap();
    }
    let rename = |to: &str| Request::Rename { from: key("genfic"), to: key(to) };
    service.refused(&command(), rename("other"), Vec::new());
    assert!(service.file("genfic.age").exists());
    assert!(has(&service, "age:genfic.age to age:other.age"));
}

#[test]
fn a_name_that_a_key_has_left_gives_no_right_to_the_next_key_of_that_name() {
    // K2
    let service = Service::new();
    service.prepare("new");
    let made = service.ask(&command(), generate("new"), Vec::new());
    let own = SubjectPublicKeyInfo::from_der(&made.parts[0]).unwrap();
    service.unlock("new", &[Scope::Move, Scope::Ca]);
    let depart = Request::Depart { key: WireKey { identity: Some(own.digest()), ..key("new") } };
    assert_eq!(service.ask(&command(), depart, Vec::new()).message, Reply::Moved { moved: true });
    fs::copy(service.file("genfic.age"), service.file("new.age")).unwrap();
    service.refused(&command(), Request::Discard { key: key("new") }, Vec::new());
    assert!(service.file("new.age").exists());
}

#[test]
fn a_mark_is_compared_with_the_crls_of_the_key_that_is_there_and_not_of_one_that_the_client_names() {
    // C1
    let service = Service::new();
    service.unlock("genfic", &[Scope::Crl]);
    let opened = service.ask(&command(), Request::Open { key: key("genfic") }, Vec::new());
    let own = SubjectPublicKeyInfo::from_der(&opened.parts[0]).unwrap().digest();
    let by = Asker::this_process();
    let journal = service.journal.journal(by, NOW).unwrap();
    for (identity, number) in [(own, 1 << 30), ([9; 32], 1 << 40)] {
        journal.turn().unwrap().claim(by, NOW, identity, Vec::new(), UnixTime(0), number).unwrap();
    }
    let raise = |identity, number| {
        let key = WireKey { identity, ..key("genfic") };
        service.ask(&command(), Request::RaiseMark { key, number }, Vec::new()).message
    };
    for identity in [None, Some([9; 32]), Some([8; 32])] {
        assert!(matches!(raise(identity, 1 << 40), Reply::Failed { .. }));
        assert_eq!(raise(identity, (1 << 30) + 5), Reply::Done);
    }
    // what is no higher than it is is no change, also where the key is locked
    service.ring.lock(None);
    assert_eq!(raise(Some([9; 32]), 1 << 30), Reply::Done);
    assert!(matches!(raise(Some([9; 32]), 1 << 40), Reply::Failed { .. }));
    let timer = peer(ClientClass::Renew, 0);
    let far =
        Request::RaiseMark { key: WireKey { identity: Some([9; 32]), ..key("genfic") }, number: 1 << 40 };
    service.refused(&timer, far, Vec::new());
    assert_eq!(service.store.mark(&service.store.new_key("genfic")).unwrap().number, Some((1 << 30) + 5));
}

#[test]
fn a_key_that_a_command_has_left_is_bound_by_an_administrator_and_then_used_for_that_ca() {
    // K2
    let service = Service::new();
    service.store_key_without_word();
    let administrator = peer(ClientClass::Administrator, 1000);
    let here = service.store.new_key("silent");
    let bind = |profile: &str| {
        let bound = bound_to(profile);
        let bind = |identity: &[u8; 32]| service.signer.bind_left(&administrator, &here, identity, &bound);
        let unlocking = asked("silent", &[Scope::Ca, Scope::Crl]);
        service.ring.unlock_new(&unlocking, (&service.store, &here), NOW, &bind, &|| false)
    };
    service.unlock("silent", &[Scope::Ca]);
    service.refused(&command(), generate("silent"), Vec::new());
    bind("root-ca").unwrap();
    assert!(has(&service, "age:silent.age, for a CA of the profile root-ca"));
    let own = service.ask(&command(), Request::Open { key: key("silent") }, Vec::new());
    let made = service.ask(&command(), generate("silent"), Vec::new());
    assert_eq!((made.message, &made.parts), (Reply::Key, &own.parts));
    // a second command does not get the same one
    service.refused(&command(), generate("silent"), Vec::new());
    bind("root-ca").unwrap();
    // of another kind, and for another login
    let other = Request::Generate { key: key("silent"), algorithm: KeyAlgorithm::ED25519.to_string() };
    service.refused(&command(), other, Vec::new());
    service.refused(&peer(ClientClass::Command, 1001), generate("silent"), Vec::new());
    // it is not deleted as one that was just made
    service.refused(&command(), Request::Discard { key: key("silent") }, Vec::new());
    assert!(service.file("silent.age").exists());
    // one that has a certificate is bound to nothing else
    let public_key = SubjectPublicKeyInfo::from_der(&made.parts[0]).unwrap();
    fs::write(service.file("silent.pem"), root(&public_key, |_| vec![0; 64]).to_pem()).unwrap();
    fs::set_permissions(service.file("silent.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(bind("system-ca").is_err());
    service.refused(&command(), generate("silent"), Vec::new());
}

#[test]
fn a_key_that_is_bound_again_is_not_deleted_by_the_command_that_had_it_made_nor_given_to_two() {
    // K2
    let service = Service::new();
    service.prepare("new");
    let made = service.ask(&command(), generate("new"), Vec::new());
    assert_eq!(made.message, Reply::Key);
    service.refused(&command(), generate("new"), Vec::new());
    let (administrator, here) = (peer(ClientClass::Administrator, 1000), service.store.new_key("new"));
    let bound = bound_to("root-ca");
    let bind = |identity: &[u8; 32]| service.signer.bind_left(&administrator, &here, identity, &bound);
    let unlocking = asked("new", &[Scope::Ca]);
    service.ring.unlock_new(&unlocking, (&service.store, &here), NOW, &bind, &|| false).unwrap();
    service.refused(&command(), Request::Discard { key: key("new") }, Vec::new());
    let again = service.ask(&command(), generate("new"), Vec::new());
    assert_eq!((again.message, again.parts), (Reply::Key, made.parts));
    service.refused(&command(), generate("new"), Vec::new());
}

#[test]
fn a_name_that_a_key_has_already_is_refused_before_anything_has_it() {
    // K2, K3
    let service = Service::new();
    service.store_key_without_word();
    service.unlock("genfic", &[Scope::Ca]);
    let opened = service.ask(&command(), Request::Open { key: key("genfic") }, Vec::new());
    let own = SubjectPublicKeyInfo::from_der(&opened.parts[0]).unwrap();
    for (file, contents) in [
        ("genfic.pem", root(&own, |_| vec![0; 64]).to_pem()),
        ("genfic.envelope.toml", "untouched".to_owned()),
    ] {
        fs::write(service.file(file), contents).unwrap();
        fs::set_permissions(service.file(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let rename = Request::Rename { from: key("genfic"), to: key("silent") };
    service.refused(&command(), rename, Vec::new());
    for file in ["genfic.age", "genfic.pem", "genfic.envelope.toml"] {
        assert!(service.file(file).exists(), "{file}");
    }
    assert!(!service.file("silent.pem").exists() && !has(&service, "age:genfic.age to age:silent.age"));
}
