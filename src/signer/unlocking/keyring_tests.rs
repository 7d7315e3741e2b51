use super::*;
use crate::signing::KeyPlace;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

const AMBER: Login = Login { loginuid: 1000, session: Some(4) };

fn asked(passphrase: &str) -> Asked {
    let (reading, mut writing) = std::io::pipe().unwrap();
    writing.write_all(passphrase.as_bytes()).unwrap();
    Asked {
        key: "genfic".into(),
        terms: Terms { scopes: BTreeMap::from([(Scope::Leaf, None)]), lasting: Duration::from_secs(900) },
        login: AMBER,
        user: 0,
        handed: Handed::File,
        from: reading.into(),
        is_pin: false,
    }
}

fn open(key: &str, secret: &Secret) -> Result<&'static str, KeyError> {
    match secret.as_str() {
        "right" => Ok("the key"),
        _ => Err(KeyError::SecretRejected(KeyPlace::Uri(key.into()))),
    }
}

/// What came of this passphrase, and what was journaled.
fn unlock(keyring: &Keyring<&'static str>, passphrase: &str) -> (Result<Grant, UnlockError>, Vec<Event>) {
    let events = Mutex::new(Vec::new());
    let note = |event| {
        events.lock().unwrap().push(event);
        Ok(())
    };
    let grant = keyring.unlock(&asked(passphrase), UnixTime(0), &open, &note, &|| false);
    (grant, events.into_inner().unwrap())
}

#[test]
fn the_right_passphrase_unlocks_and_the_journal_has_it() {
    let keyring = Keyring::default();
    let (grant, events) = unlock(&keyring, "right\n");
    assert_eq!(events, [Event::Unlocked(grant.unwrap())]);
    assert_eq!(*keyring.take("genfic", Scope::Leaf, 1, AMBER).unwrap(), "the key");
    assert_eq!(keyring.lock(None, None).len(), 1);
    assert_eq!(keyring.take("genfic", Scope::Leaf, 1, AMBER).unwrap_err(), NotUnlocked::Locked);
}

#[test]
fn wrong_passphrases_are_journaled_and_after_the_third_the_right_one_waits_too() {
    // K2
    let keyring = Keyring::default();
    for tried in 1..=3 {
        let (refused, events) = unlock(&keyring, "wrong");
        assert!(matches!(refused, Err(UnlockError::Key(KeyError::SecretRejected(_)))));
        let wrong = Event::WrongPassphrase { key: "genfic".into(), login: AMBER, number: tried };
        assert_eq!(events, [wrong]);
    }
    let (slowed, events) = unlock(&keyring, "right");
    assert!(matches!(slowed, Err(UnlockError::Slowed(_))), "{slowed:?}");
    assert_eq!(events, []);
    std::thread::sleep(Duration::from_millis(1100));
    assert!(unlock(&keyring, "right").0.is_ok());
}

#[test]
fn what_the_journal_cannot_have_is_not_unlocked() {
    let keyring = Keyring::default();
    let full = |_| Err(KeyError::Cryptography("no room for the journal".into()));
    assert!(keyring.unlock(&asked("right"), UnixTime(0), &open, &full, &|| false).is_err());
    assert_eq!(keyring.grants(), []);
}

#[test]
fn a_signature_that_has_the_journal_never_waits_for_an_unlocking_that_waits_for_it() {
    // K2: whoever signs holds the journal and takes from the ring; so the ring is free while something is journaled
    let keyring = Keyring::default();
    let was_free = Mutex::new(Vec::new());
    let note = |_| {
        was_free.lock().unwrap().push(keyring.state.try_lock().is_ok());
        Ok(())
    };
    let unlocking = |passphrase| keyring.unlock(&asked(passphrase), UnixTime(0), &open, &note, &|| false);
    assert!(unlocking("wrong").is_err());
    assert!(unlocking("right").is_ok());
    assert_eq!(*was_free.lock().unwrap(), [true, true]);
    assert!(keyring.take("genfic", Scope::Leaf, 1, AMBER).is_ok());
}

#[test]
fn a_wrong_pin_is_journaled_as_a_wrong_passphrase_is() {
    // K2
    let keyring: Keyring<&'static str> = Keyring::default();
    let events = Mutex::new(Vec::new());
    let note = |event| {
        events.lock().unwrap().push(event);
        Ok(())
    };
    let refuse = |key: &str, _: &Secret| Err(KeyError::PinRejected(KeyPlace::Uri(key.into())));
    let pin = Asked { is_pin: true, ..asked("1234") };
    let refused = keyring.unlock(&pin, UnixTime(0), &refuse, &note, &|| false);
    assert!(matches!(refused, Err(UnlockError::Key(KeyError::PinRejected(_)))));
    let wrong = Event::WrongPassphrase { key: "genfic".into(), login: AMBER, number: 1 };
    assert_eq!(events.into_inner().unwrap(), [wrong]);
}

#[test]
fn a_key_that_is_locked_while_its_passphrase_is_tried_is_not_unlocked() {
    // K2
    let keyring = Keyring::default();
    let events = Mutex::new(Vec::new());
    let note = |event| {
        events.lock().unwrap().push(event);
        Ok(())
    };
    let slowly = |key: &str, secret: &Secret| {
        keyring.lock(None, None);
        open(key, secret)
    };
    let unlocked = keyring.unlock(&asked("right"), UnixTime(0), &slowly, &note, &|| false);
    assert!(matches!(unlocked, Err(UnlockError::Key(KeyError::Locked { .. }))), "{unlocked:?}");
    assert_eq!(keyring.grants(), []);
    assert!(matches!(events.lock().unwrap()[..], [Event::Unlocked(_), Event::Locked(_)]));
}
