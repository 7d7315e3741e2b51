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

/// Runs `genfic-key` once, and returns how many points it passes.
fn points(service: &Service, words: &str) -> usize {
    let trace = service.home.path("amber/trace");
    let _ = fs::remove_file(&trace);
    let export = format!("export GENFIC_CA_FAILPOINT_TRACE={}", trace.display());
    service.done(&[export, line(service, words)]);
    let passed = fs::read_to_string(&trace).unwrap_or_default().lines().count();
    let _ = fs::remove_file(&trace);
    passed
}

/// Has `genfic-key` killed at this point.
fn killed(service: &Service, point: usize, words: &str) {
    let export = format!("export GENFIC_CA_FAILPOINT={point}");
    let said = service.in_one_login(&[export, line(service, words)]);
    assert_eq!(said.status, 137, "not killed at {point}: {}", said.all());
}

#[test]
fn genfic_key_that_is_killed_at_any_step_leaves_a_key_of_the_service_that_opens() {
    // X1, K1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_root();
    let count = std::cell::Cell::new(0);
    let split = |name: &str| {
        format!(
            "split example --shares 2 --threshold 2 --to {name} --service --in-place --yes \
             --passphrase-from env:WORDS"
        )
    };
    let combine = |name: &str| {
        format!(
            "combine example --service --in-place --work 10 --new-passphrase-from env:WORDS \
             --share {name}/example-share-1-of-2.txt --share {name}/example-share-2-of-2.txt"
        )
    };
    let next = || {
        count.set(count.get() + 1);
        format!("s{}", count.get())
    };
    // protected by another passphrase: the points are those of files that it writes, of which there may be none
    let rewrap = format!("{REWRAP} env:WORDS --new-passphrase-from env:OTHER");
    let back = format!("{REWRAP} env:OTHER --new-passphrase-from env:WORDS");
    let passed = points(&service, &rewrap);
    service.done(&[line(&service, &back)]);
    for point in 1..=passed {
        killed(&service, point, &rewrap);
        let is_new = service.in_one_login(&[line(&service, &back)]).status == 0;
        if !is_new {
            signs(&service, WORDS);
        }
        signs(&service, WORDS);
    }
    // split in place: the shares are there before the signer takes the file
    let name = next();
    let passed = points(&service, &split(&name));
    assert!(passed > 3, "{passed}");
    let of_combining = points(&service, &combine(&name));
    signs(&service, WORDS);
    let mut taken = 0;
    for point in 1..=passed {
        let name = next();
        killed(&service, point, &split(&name));
        // as it was, or split: then the shares that are there put it back
        let before = service.admin_with(WORDS, "key unlock example --scope crl --passphrase-from fd:0");
        if service.in_one_login(&[before]).status != 0 {
            taken += 1;
            service.done(&[line(&service, &combine(&name))]);
        }
        signs(&service, WORDS);
    }
    assert!(taken < passed, "{taken} of {passed}");
    // combined: the shares open it until the passphrase does
    for point in 1..=of_combining {
        let name = next();
        service.done(&[line(&service, &split(&name))]);
        killed(&service, point, &combine(&name));
        let after = service.admin_with(WORDS, "key unlock example --scope crl --passphrase-from fd:0");
        if service.in_one_login(&[after]).status != 0 {
            service.done(&[line(&service, &combine(&name))]);
        }
        signs(&service, WORDS);
    }
}

#[test]
fn an_export_from_the_service_that_is_killed_at_any_step_leaves_a_whole_file_or_none() {
    // X1, K1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_root();
    let amber = service.home.path("amber");
    let amber = amber.display();
    let secret = |name: &str, text: &str| {
        let lines = format!(
            "printf '{text}' >{amber}/{name} && chmod 600 {amber}/{name} && chown 20002 {amber}/{name}"
        );
        service.home.shell(&lines).ok();
    };
    secret("old", WORDS);
    secret("new", OTHER);
    let export = |to: &str| {
        service.admin(&format!(
            "key export example --service -o {amber}/{to} --confirm example --passphrase-from file:{amber}/old \
             --new-passphrase-from file:{amber}/new"
        ))
    };
    let trace = service.home.path("amber/trace");
    service.done(&[format!("export GENFIC_CA_FAILPOINT_TRACE={}", trace.display()), export("whole.key")]);
    let passed = fs::read_to_string(&trace).unwrap().lines().count();
    assert!(passed > 0, "{passed}");
    for point in 1..=passed {
        let name = format!("{point}.key");
        let said = service.in_one_login(&[format!("export GENFIC_CA_FAILPOINT={point}"), export(&name)]);
        assert_eq!(said.status, 137, "not killed at {point}: {}", said.all());
        if service.home.path(&format!("amber/{name}")).exists() {
            let open = format!("openssl pkey -in {amber}/{name} -passin file:{amber}/new -noout");
            service.home.shell(&open).ok();
        }
        signs(&service, WORDS);
    }
}
