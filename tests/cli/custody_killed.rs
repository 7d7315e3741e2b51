//! Custody of keys of the service, with the signer or `genfic-key` killed at each step: the file is the old one or the new
//! one, and the same command goes on.
use crate::custody_in_service::{OTHER, line, signs, with_root};
use crate::standing_signer::{Service, WORDS};
use crate::support::{is_root, skipped};
use std::fs;

const REWRAP: &str = "rewrap example --service --work 10 --passphrase-from";

fn file(service: &Service) -> Vec<u8> {
    fs::read(service.home.path("signer/example.age")).unwrap()
}

#[test]
fn a_key_whose_protection_is_changed_while_the_signer_is_killed_opens_as_before_or_as_it_is_to() {
    // X1, K1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_root();
    let places = [
        ("signer: lending noted", false),
        ("signer: new protection in the journal", false),
        ("key: protected anew in its place", true),
        ("signer: new protection in place", true),
    ];
    let (mut now, mut next) = (WORDS, OTHER);
    for (place, is_new) in places {
        let before = file(&service);
        service.restart(Some(place));
        let word = |passphrase: &str| if passphrase == WORDS { "env:WORDS" } else { "env:OTHER" };
        let words = format!("{REWRAP} {} --new-passphrase-from {}", word(now), word(next));
        let said = service.in_one_login(&[line(&service, &words)]);
        assert_ne!(said.status, 0, "not killed at {place}: {}", said.all());
        service.restart(None);
        assert_eq!(file(&service) != before, is_new, "{place}");
        if !is_new {
            signs(&service, now);
            // the same command goes on
            service.done(&[line(&service, &words)]);
        }
        signs(&service, next);
        std::mem::swap(&mut now, &mut next);
    }
    let left: Vec<String> = fs::read_dir(service.home.path("signer"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".new-"))
        .collect();
    assert!(left.len() <= 1, "what was half written is removed by the next: {left:?}");
}

#[test]
fn a_split_whose_signer_is_killed_leaves_a_key_that_the_shares_or_the_passphrase_open() {
    // X1, K1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_root();
    let split = "split example --shares 2 --threshold 2 --to s --service --in-place --yes --passphrase-from env:WORDS";
    let check = "combine example --service --check --share s/example-share-1-of-2.txt --share s/example-share-2-of-2.txt";
    service.restart(Some("key: record of the shares in place"));
    assert_ne!(service.in_one_login(&[line(&service, split)]).status, 0);
    service.restart(None);
    // the passphrase still opens it, and the shares that were not handed out are gone
    signs(&service, WORDS);
    assert!(!service.home.path("amber/s/example.age").exists());
    service.done(&[line(&service, split), line(&service, check)]);
}
