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
fn a_split_whose_signer_is_killed_leaves_the_shares_that_may_be_all_that_opens_the_key() {
    // X1, K1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_root();
    let places = [
        ("signer: new protection in the journal", false),
        ("key: protected anew in its place", true),
        ("key: record of the shares in place", true),
        ("signer: new protection in place", true),
    ];
    for (number, (place, is_split)) in places.into_iter().enumerate() {
        let shares =
            format!("--share s{number}/example-share-1-of-2.txt --share s{number}/example-share-2-of-2.txt");
        let split = format!(
            "split example --shares 2 --threshold 2 --to s{number} --service --in-place --yes \
             --passphrase-from env:WORDS"
        );
        service.restart(Some(place));
        let said = service.in_one_login(&[line(&service, &split)]);
        assert!(
            said.status != 0 && said.err.contains("may be the split one already"),
            "{place}: {}",
            said.all()
        );
        assert!(said.err.contains("genfic-key combine example --check --service"), "{}", said.all());
        service.restart(None);
        let check = format!("combine example --service --check {shares}");
        let checked = service.in_one_login(&[line(&service, &check)]);
        assert_eq!(checked.status == 0, is_split, "{place}: {}", checked.all());
        if is_split {
            let back = "--in-place --work 10 --new-passphrase-from env:WORDS";
            service.done(&[line(&service, &format!("combine example --service {back} {shares}"))]);
        }
        signs(&service, WORDS);
    }
}
