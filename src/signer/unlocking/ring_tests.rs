use super::*;
use crate::signer::RemoteTokens;
use crate::signer::token::stubs;
use crate::signer::unlocking::Login;
use crate::signing::{AgeFileStore, CaKeys as _, KeyPlace, PassphrasePolicy, SecretPurpose, SecretSource};
use crate::x509::KeyAlgorithm;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

struct Case {
    _directory: tempfile::TempDir,
    store: AgeFileStore,
    ring: SharedRing,
    prepared: Arc<Prepared>,
    events: Arc<Mutex<Vec<Event>>>,
}

/// A source that always has the right passphrase.
struct Right;

impl SecretSource for Right {
    fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
        Ok(Secret::new("right".into()))
    }
}

fn peer(class: ClientClass, login: Option<u32>) -> Peer {
    Peer { process: 7, user: 900, login, session: login.map(|_| 3), class }
}

fn command() -> Peer {
    peer(ClientClass::Command, Some(1000))
}

fn asked(key: &str, passphrase: &str, scopes: &[(Scope, Option<u64>)]) -> super::super::Asked {
    let (reading, mut writing) = std::io::pipe().unwrap();
    writing.write_all(passphrase.as_bytes()).unwrap();
    super::super::Asked {
        key: key.into(),
        terms: Terms { scopes: scopes.iter().copied().collect(), lasting: Duration::from_secs(900) },
        login: Login { loginuid: 1000, session: Some(3) },
        user: 0,
        handed: super::super::Handed::File,
        from: reading.into(),
        is_pin: false,
    }
}

fn never() -> Result<Arc<dyn VaultKey>, KeyError> {
    panic!("a command's key is opened by nobody but an administrator")
}

/// A store with the key of `genfic`, which the passphrase `right` opens.
fn case() -> (Case, KeyRef) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
    let policy = PassphrasePolicy { allows_weak: false, ..PassphrasePolicy::default() };
    let prepared = Arc::new(Prepared::new(policy, || UnixTime(0)));
    let store = AgeFileStore::new(directory.path(), AgeFileStore::LEAST_WORK, prepared.clone());
    let store = store.unwrap();
    let key = store.new_key("genfic");
    store.clone().asking(Arc::new(Right)).make_key(&key, KeyAlgorithm::P256).unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&events);
    let note = move |event| {
        noted.lock().unwrap().push(event);
        Ok(())
    };
    let ring = SharedRing::new(Arc::clone(&prepared), Box::new(note));
    (Case { _directory: directory, store, ring, prepared, events }, key)
}

impl Case {
    fn unlock(
        &self,
        key: &KeyRef,
        passphrase: &str,
        scopes: &[(Scope, Option<u64>)],
    ) -> Result<Grant, UnlockError> {
        let asked = asked("genfic", passphrase, scopes);
        self.ring.unlock(&asked, &self.store, key, UnixTime(0), &|| false)
    }
}

#[test]
fn a_command_uses_what_its_login_has_unlocked_and_is_told_what_to_unlock() {
    // K2
    let (case, key) = case();
    let Err(KeyError::Locked { key: name, scope: None, .. }) = case.ring.open(&command(), &key, &never)
    else {
        panic!("it is locked")
    };
    assert_eq!(name, "genfic");
    case.unlock(&key, "right", &[(Scope::Leaf, Some(2))]).unwrap();
    assert!(case.ring.open(&command(), &key, &never).is_ok());
    case.ring.allow(&command(), &key, Scope::Leaf, 2).unwrap();
    let (fresh, key) = super::tests::case();
    fresh.unlock(&key, "right", &[(Scope::Leaf, None)]).unwrap();
    let Err(KeyError::Locked { scope, .. }) = fresh.ring.allow(&command(), &key, Scope::Ca, 1) else {
        panic!("it is not unlocked for that")
    };
    assert_eq!(scope.as_deref(), Some("ca"));
    for other in [peer(ClientClass::Command, Some(1001)), peer(ClientClass::Command, None)] {
        assert!(fresh.ring.open(&other, &key, &never).is_err());
        assert!(fresh.ring.allow(&other, &key, Scope::Leaf, 1).is_err());
    }
}

#[test]
fn a_wrong_passphrase_unlocks_nothing_and_every_lock_is_journaled() {
    let (case, key) = case();
    assert!(case.unlock(&key, "wrong", &[(Scope::Leaf, None)]).is_err());
    assert!(case.ring.is_empty());
    let grant = case.unlock(&key, "right", &[(Scope::Leaf, None)]).unwrap();
    assert!(!case.ring.is_empty());
    assert_eq!(case.ring.lock(Some("genfic")), std::slice::from_ref(&grant));
    let login = grant.login;
    let wrong = Event::WrongPassphrase { key: "genfic".into(), login, number: 1 };
    let noted = case.events.lock().unwrap().clone();
    assert_eq!(noted, [wrong, Event::Unlocked(grant.clone()), Event::Locked(grant)]);
}

#[test]
fn a_timer_has_crls_and_renewals_of_responders_by_the_credential_of_the_service_and_nothing_else() {
    // K2, O7
    let (case, key) = case();
    let timer = peer(ClientClass::Renew, None);
    let none = || case.store.open_key(&key);
    assert!(matches!(case.ring.open(&timer, &key, &none), Err(KeyError::Locked { .. })));
    let opened = std::cell::Cell::new(0);
    let open = || {
        opened.set(opened.get() + 1);
        case.store.clone().asking(Arc::new(Right)).open_key(&key)
    };
    for _ in 0..2 {
        case.ring.open(&timer, &key, &open).unwrap();
    }
    assert_eq!(opened.get(), 1, "once a run");
    assert!(case.ring.allow(&timer, &key, Scope::Crl, 1).is_ok());
    assert!(case.ring.allow(&timer, &key, Scope::Renewal, 1).is_ok());
    for scope in [Scope::Leaf, Scope::Ca] {
        assert!(case.ring.allow(&timer, &key, scope, 1).is_err(), "{scope}");
    }
    assert!(case.ring.open(&command(), &key, &never).is_err(), "a command does not get the timer's");
    case.ring.lock(None);
    assert!(case.ring.allow(&timer, &key, Scope::Crl, 1).is_err(), "it was locked since it was opened");
    assert!(case.ring.is_empty());
}

#[test]
fn a_new_key_is_made_with_the_passphrase_that_was_given_for_it_and_is_unlocked_as_was_said() {
    let (case, _) = case();
    let new = case.store.new_key("genfic-user");
    let make = || case.store.make_key(&new, KeyAlgorithm::P256);
    let locked = |peer: &Peer| matches!(case.ring.make(peer, &new, &make), Err(KeyError::Locked { .. }));
    assert!(locked(&command()));
    let weak = asked("genfic-user", "genfic", &[(Scope::Leaf, None)]);
    assert!(case.ring.prepare(&weak, (&case.store, &new), Vec::new(), &|| false).is_err());
    let text = "GENFIC-FILE-KEY-1PTZKYCKSN7MJHTC22S8XQW54YLAZPRH0V";
    let of_a_file = asked("genfic-user", text, &[(Scope::Leaf, None)]);
    let refused = case.ring.prepare(&of_a_file, (&case.store, &new), Vec::new(), &|| false);
    assert!(matches!(refused, Err(UnlockError::Key(KeyError::Mistyped(..)))), "it is no passphrase");
    let words = "correct horse battery staple again";
    let good = asked("genfic-user", words, &[(Scope::Ca, Some(1))]);
    case.ring.prepare(&good, (&case.store, &new), Vec::new(), &|| false).unwrap();
    // the passphrase is this login's, and so is the key
    let other = peer(ClientClass::Command, Some(1001));
    assert!(locked(&other));
    let made = case.ring.make(&command(), &new, &make).unwrap();
    case.ring.put(&other, &new, Arc::clone(&made));
    assert!(case.ring.allow(&other, &new, Scope::Ca, 1).is_err());
    case.ring.put(&command(), &new, made);
    assert!(case.prepared.is_empty(), "its passphrase is forgotten");
    assert!(case.ring.allow(&command(), &new, Scope::Ca, 1).is_ok());
    assert!(case.ring.allow(&command(), &new, Scope::Ca, 1).is_err());
}

#[test]
fn a_key_that_was_expected_and_did_not_come_is_journaled_as_locked() {
    let (case, _) = case();
    let expect = |lasting| {
        let mut asked = asked("other", "right", &[(Scope::Move, None)]);
        asked.terms.lasting = lasting;
        case.ring.expect(&asked, [1; 32], UnixTime(0), &|| false).unwrap()
    };
    let coming = case.store.new_key("other");
    // its time is over
    let grant = expect(Duration::ZERO);
    let never = || panic!("its passphrase is not used after its time");
    assert!(matches!(
        case.ring.open_coming(&command(), (&coming, &[1; 32]), &never),
        Err(KeyError::Locked { .. })
    ));
    case.ring.expire();
    let (unlocked, locked) = (Event::Unlocked(grant.clone()), Event::Locked(grant));
    assert_eq!(*case.events.lock().unwrap(), [unlocked, locked]);
    // its passphrase was wrong
    case.events.lock().unwrap().clear();
    let grant = expect(Duration::from_secs(900));
    let wrong = || Err(KeyError::SecretRejected(case.store.place(&coming)));
    assert!(case.ring.open_coming(&command(), (&coming, &[1; 32]), &wrong).is_err());
    let rejected = Event::WrongPassphrase { key: "other".into(), login: grant.login, number: 1 };
    let (unlocked, locked) = (Event::Unlocked(grant.clone()), Event::Locked(grant));
    assert_eq!(*case.events.lock().unwrap(), [unlocked, rejected, locked]);
}

fn in_token(name: &str) -> KeyRef {
    KeyRef { identity: None, uri: format!("pkcs11:token=Office;object={name}") }
}

fn pin(key: &str, pin: &str) -> super::super::Asked {
    super::super::Asked { is_pin: true, ..asked(key, pin, &[(Scope::Leaf, None)]) }
}

#[test]
fn a_tokens_process_that_hangs_holds_up_neither_locking_nor_expiry_nor_keys_in_files() {
    // K2
    let (case, key) = case();
    let beside = Arc::new(case.store.clone());
    let (told, hangs) = channel();
    let (process, end) = stubs::hanging(told);
    let launch = stubs::Started::of([process]);
    let tokens = RemoteTokens::limited(launch, Arc::new(Right), beside, Duration::from_secs(600));
    let token_key = in_token("genfic-user");
    thread::scope(|scope| {
        let timer = scope.spawn(|| {
            let open = || tokens.open_key(&token_key);
            case.ring.open(&peer(ClientClass::Renew, None), &token_key, &open).map(drop)
        });
        hangs.recv().unwrap();
        case.unlock(&key, "right", &[(Scope::Leaf, None)]).unwrap();
        case.ring.expire();
        assert_eq!(case.ring.grants().len(), 1);
        assert_eq!(case.ring.lock(None).len(), 1);
        assert!(case.ring.is_empty());
        assert!(!timer.is_finished(), "it hangs all the while");
        drop(end);
        assert!(matches!(timer.join().unwrap(), Err(KeyError::Prevented { .. })));
    });
}

#[test]
fn what_is_locked_while_it_is_opened_stays_locked() {
    // K2
    let (case, key) = case();
    let timer = peer(ClientClass::Renew, None);
    let right = case.store.clone().asking(Arc::new(Right));
    let opened = case.ring.open(&timer, &key, &|| {
        case.ring.lock(Some("genfic"));
        right.open_key(&key)
    });
    let Err(KeyError::Locked { reason, .. }) = opened.map(drop) else { panic!("it is open") };
    assert!(reason.contains("while it was being opened"), "{reason}");
    assert!(case.ring.is_empty());
    // another key's lock is not this one's
    let opened = case.ring.open(&timer, &key, &|| {
        case.ring.lock(Some("genfic-user"));
        right.open_key(&key)
    });
    assert!(opened.is_ok() && !case.ring.is_empty());
}

#[test]
fn a_pin_for_a_new_key_is_tried_no_faster_than_one_that_unlocks_a_key() {
    // K2
    let (case, _) = case();
    let (launch, beside) = (stubs::Started::of([stubs::refusing_pins()]), Arc::new(case.store.clone()));
    let tokens = RemoteTokens::limited(launch, Arc::new(Right), beside, Duration::from_secs(60));
    let prepare = |name: &str| {
        case.ring.prepare(&pin(name, "0000"), (&tokens, &in_token(name)), Vec::new(), &|| false).unwrap_err()
    };
    // a name that nobody has used before is no new beginning
    for (name, number) in [("a", 1), ("b", 2), ("c", 3)] {
        assert!(matches!(prepare(name), UnlockError::Key(KeyError::PinRejected(KeyPlace::Uri(_)))));
        let login = Login { loginuid: 1000, session: Some(3) };
        let wrong = Event::WrongPassphrase { key: name.into(), login, number };
        assert_eq!(case.events.lock().unwrap().last(), Some(&wrong));
    }
    assert!(matches!(prepare("d"), UnlockError::Slowed(_)));
    let unlocked =
        case.ring.unlock(&pin("e", "0000"), &tokens, &in_token("e"), UnixTime(0), &|| false).unwrap_err();
    assert!(matches!(unlocked, UnlockError::Slowed(_)));
    assert!(case.prepared.is_empty());
}

#[test]
fn whoever_unlocks_signs_locks_and_looks_at_the_same_time_never_waits_for_the_other_for_ever() {
    // K2: the order of the locks, with a lock in the place of the journal that whoever signs has before the ring
    let (mut case, key) = case();
    let journal = Arc::new(Mutex::new(()));
    let noted = Arc::clone(&journal);
    let note = move |_| {
        let _turn = noted.lock().unwrap();
        thread::yield_now();
        Ok(())
    };
    case.ring = SharedRing::new(Arc::clone(&case.prepared), Box::new(note));
    let (case, (done, waited)) = (Arc::new((case, key)), channel());
    let act = |act: fn(&Case, &KeyRef, &Mutex<()>)| {
        let (case, journal, done) = (Arc::clone(&case), Arc::clone(&journal), done.clone());
        // a thread that never comes back is left: the test fails, and does not hang
        thread::spawn(move || {
            for _ in 0..40 {
                act(&case.0, &case.1, &journal);
            }
            done.send(()).unwrap();
        });
    };
    let acts: [fn(&Case, &KeyRef, &Mutex<()>); 8] = [
        |case, key, _| drop(case.unlock(key, "right", &[(Scope::Leaf, None)])),
        |case, key, _| {
            let asked = asked("genfic-other", "wrong", &[(Scope::Leaf, None)]);
            drop(case.ring.unlock(&asked, &case.store, key, UnixTime(0), &|| false));
        },
        |case, key, journal| {
            let _turn = journal.lock().unwrap();
            let _ = case.ring.allow(&command(), key, Scope::Leaf, 1);
            thread::yield_now();
        },
        |case, key, _| {
            let open = || case.store.clone().asking(Arc::new(Right)).open_key(key);
            let _ = case.ring.open(&peer(ClientClass::Renew, None), key, &open);
        },
        |case, _, _| drop(case.ring.lock(None)),
        |case, _, _| case.ring.expire(),
        |case, _, _| drop((case.ring.grants(), case.ring.is_empty())),
        |case, key, _| {
            let words = "correct horse battery staple again";
            let asked = asked("genfic-user", words, &[(Scope::Ca, None)]);
            let _ = case.ring.prepare(&asked, (&case.store, key), Vec::new(), &|| false);
            case.ring.forget(key);
        },
    ];
    let number = acts.len();
    acts.into_iter().for_each(act);
    for _ in 0..number {
        waited.recv_timeout(Duration::from_secs(120)).expect("threads wait for each other for ever");
    }
}
