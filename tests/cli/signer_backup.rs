//! Backups of the signer that listens: made by an administrator, restored while it is stopped, and locked until accepted.
use crate::key_move::{home_with_key, moving, unlock_for_all};
use crate::standing_signer::{AMBER, OWNER, SERVICE, Service, login};
use crate::support::{is_root, skipped};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

const PHRASE: &str = "another phrase for the backup of it";

/// A service that has the key of `example`, and a directory of the administrator.
fn service() -> Service {
    let service = Service::new();
    let steps = [home_with_key(&service), moving(&service, "signer").into()].concat();
    service.done(&steps);
    fs::create_dir(service.home.path("amber")).unwrap();
    chown(service.home.path("amber"), Some(AMBER), Some(AMBER)).unwrap();
    service
}

fn back_up(service: &Service) -> Value {
    let words = "backup create --signer amber/signer.age --passphrase-from fd:0 --json";
    service.administrator(words, PHRASE).ok().json()["result"].clone()
}

/// The command that restores into `signer`, run by root.
fn restoring(service: &Service) -> Command {
    let words = "backup restore --signer amber/signer.age --directory signer --published own/home/public \
        --published own/home/issued --passphrase-from file:phrase --json";
    let mut command = service.home.command(&words.split_whitespace().collect::<Vec<_>>());
    command.stdin(Stdio::null());
    fs::write(service.home.path("phrase"), PHRASE).unwrap();
    fs::set_permissions(service.home.path("phrase"), fs::Permissions::from_mode(0o600)).unwrap();
    command
}

/// Loses the directory of the signer, which has its owner still.
fn lose(service: &mut Service) {
    service.process.end();
    let _ = fs::remove_dir_all(service.home.path("lost"));
    fs::rename(service.home.path("signer"), service.home.path("lost")).unwrap();
    fs::create_dir(service.home.path("signer")).unwrap();
    fs::set_permissions(service.home.path("signer"), fs::Permissions::from_mode(0o700)).unwrap();
    chown(service.home.path("signer"), Some(SERVICE), Some(SERVICE)).unwrap();
}

fn number(service: &Service) -> u64 {
    let said = service.home.shell(&service.ca("crl show example --json")).ok().json();
    assert_eq!(said["result"]["entries"].as_array().unwrap().len(), 1, "no entry is lost: {said}");
    said["result"]["number"].as_u64().unwrap()
}

#[test]
fn a_lost_signer_is_restored_and_nothing_goes_back() {
    // K3, C1, G10
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = service();
    let made = back_up(&service);
    assert_eq!(made["keys"], serde_json::json!(["example", "genfic"]));
    let verified = service.home.shell(&format!(
        "printf '{PHRASE}' | sh -c '{}'",
        login(
            AMBER,
            AMBER,
            &format!(
                "{} backup verify --signer amber/signer.age --passphrase-from fd:0 --json",
                service.home.path("bin/genfic-ca").display()
            )
        )
    ));
    assert_eq!(verified.ok().json()["result"]["faults"], serde_json::json!([]));
    // the CA's user has none made
    let words = "backup create --signer own/stolen.age --passphrase-from fd:0";
    let refused = service.key(OWNER, OWNER, words, PHRASE);
    assert!(refused.status == 8 && refused.err.contains("Permission denied"), "{}", refused.all());
    // what is signed after the backup
    service.done(&[
        unlock_for_all(&service),
        service.ca("renew-ca example-system"),
        service.ca("crl publish example"),
        service.ca("crl publish example"),
    ]);
    let before = number(&service);
    lose(&mut service);
    let output = restoring(&service).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let restored: Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys = restored["result"]["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["name"] == "example").unwrap();
    assert_eq!(key["found_crl"].as_u64(), Some(before), "{restored}");
    assert!(key["mark"].as_u64().unwrap() > before);
    for entry in fs::read_dir(service.home.path("signer")).unwrap() {
        let metadata = entry.unwrap().metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o777), (SERVICE, 0o600));
    }
    service.restart(None);
    let renew = service.ca("renew-ca example-system");
    service.done(&[
        unlock_for_all(&service),
        service.ca("crl publish example"),
        service.refused("restore.not-accepted", &renew),
        // the user of the CA does not accept it
        service.ca("backup accept --yes"),
        service.refused("restore.not-accepted", &renew),
    ]);
    assert!(number(&service) > before + 1000, "{} after {before}", number(&service));
    let asked = service.administrator("backup accept --signer --no-input", "");
    assert_eq!(asked.status, 9, "{}", asked.all());
    service.administrator("backup accept --signer --yes", "").ok();
    service.done(&[unlock_for_all(&service), renew]);
}

#[test]
fn after_a_restore_that_was_shown_no_crl_none_is_signed_before_an_administrator_accepts() {
    // K3, C1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = service();
    back_up(&service);
    lose(&mut service);
    let mut command = restoring(&service);
    let shown: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let without = shown.iter().scan(false, |is_value, word| {
        let is_option = word == "--published";
        let kept = !is_option && !*is_value;
        *is_value = is_option;
        Some((kept, word))
    });
    let without: Vec<_> = without.filter(|(kept, _)| *kept).map(|(_, word)| word.to_str().unwrap()).collect();
    command = service.home.command(&without);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    service.restart(None);
    let publish = service.ca("crl publish example");
    service.done(&[unlock_for_all(&service), service.refused("restore.not-accepted", &publish)]);
    service.administrator("backup accept --signer --yes", "").ok();
    service.done(&[unlock_for_all(&service), publish]);
}

#[test]
fn a_restore_of_the_signer_that_is_killed_at_any_step_leaves_nothing_or_all() {
    // X1, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = service();
    back_up(&service);
    lose(&mut service);
    let places = [
        "restore: gap noted",
        "restore: what was published is remembered",
        "restore: mark raised",
        "restore: durable",
        "restore: in place",
    ];
    for place in places {
        let ended = restoring(&service).env("GENFIC_CA_FAILPOINT", place).output().unwrap();
        assert_eq!(ended.status.signal(), Some(9), "{place}: {}", String::from_utf8_lossy(&ended.stderr));
        let there = fs::read_dir(service.home.path("signer")).unwrap().count();
        let is_whole = place == "restore: in place";
        assert_eq!(there > 0, is_whole, "{place}");
        let again = restoring(&service).output().unwrap();
        let status = again.status.code();
        assert_eq!(status, Some(if is_whole { 4 } else { 0 }), "{}", String::from_utf8_lossy(&again.stderr));
        let left = fs::read_dir(service.home.directory()).unwrap();
        let left =
            left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("restoring"));
        assert_eq!(left.count(), 0, "{place}");
        service.restart(None);
        let said = service.in_one_login(&[unlock_for_all(&service), service.ca("crl publish example")]);
        assert_eq!(said.status, 0, "{place}: {}", said.all());
        lose(&mut service);
    }
}

#[test]
fn a_gap_whose_acceptance_is_cut_short_is_accepted_or_is_not_and_the_same_command_goes_on() {
    // X1, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = service();
    back_up(&service);
    let places = [
        ("journal: to be written", false),
        ("journal: written", true),
        ("journal: durable", true),
        ("journal: on record", true),
    ];
    for (place, is_accepted) in places {
        lose(&mut service);
        assert!(restoring(&service).output().unwrap().status.success());
        service.restart(Some(place));
        let said = service.administrator("backup accept --signer --yes", "");
        assert_ne!(said.status, 0, "not killed at {place}: {}", said.all());
        service.restart(None);
        let renew = service.ca("renew-ca example-system");
        let first = if is_accepted { renew.clone() } else { service.refused("restore.not-accepted", &renew) };
        service.done(&[unlock_for_all(&service), service.ca("crl publish example"), first]);
        service.administrator("backup accept --signer --yes", "").ok();
        service.done(&[unlock_for_all(&service), renew]);
    }
}
