//! The service with clients that are slow, silent, too many, or not wanted.
use super::*;
use crate::signer::rights::ClientClass;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says each octet back, until the client goes.
#[derive(Default)]
struct Echo {
    classes: Mutex<Vec<ClientClass>>,
    unlocked: AtomicBool,
    was_locked: AtomicBool,
}

impl Clients for Echo {
    fn serve(&self, mut connection: UnixStream, peer: Peer, _: Life) {
        self.classes.lock().unwrap().push(peer.class);
        let mut octet = [0];
        while connection.read(&mut octet).is_ok_and(|number| number == 1) {
            assert_ne!(octet, [b'!'], "a fault");
            if connection.write_all(&octet).is_err() {
                break;
            }
        }
    }

    fn is_idle(&self) -> bool {
        !self.unlocked.load(Ordering::SeqCst)
    }

    fn lock(&self) {
        self.was_locked.store(true, Ordering::SeqCst);
    }
}

const PATIENCE: Patience = Patience {
    clients: 3,
    silence: Duration::from_millis(400),
    idle: None,
    farewell: Duration::from_secs(5),
};

fn answered(connection: &mut UnixStream) -> bool {
    let mut octet = [0];
    connection.write_all(b"x").is_ok() && connection.read_exact(&mut octet).is_ok() && octet == *b"x"
}

/// Runs a service in a directory while `run` is its client, and ends it then.
fn with_service(patience: Patience, run: impl FnOnce(&Path, &Echo)) -> (Ended, Arc<Echo>) {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let sockets = listen(&[(path("ca"), Door::Ca), (path("parent"), Door::Parent)]).unwrap();
    let echo = Arc::new(Echo::default());
    let (stop, stopped) = UnixStream::pair().unwrap();
    let ended = std::thread::scope(|scope| {
        let served = Arc::clone(&echo);
        let service = scope.spawn(move || serve(&sockets, &stopped, &served, patience).unwrap());
        run(directory.path(), &echo);
        if patience.idle.is_none() {
            drop(stop);
        }
        service.join().unwrap()
    });
    (ended, echo)
}

fn connect(directory: &Path, door: &str) -> UnixStream {
    let client = UnixStream::connect(directory.join(door)).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    client
}

/// Longer than any test waits for an answer.
const NEVER: Patience = Patience { silence: Duration::from_secs(3600), ..PATIENCE };

#[test]
fn a_silent_client_and_a_faulty_one_hold_nobody_up() {
    with_service(NEVER, |directory, _| {
        let silent = connect(directory, "ca");
        let mut faulty = connect(directory, "ca");
        faulty.write_all(b"!").unwrap();
        assert_eq!(faulty.read(&mut [0]).unwrap_or(0), 0, "its thread ends with it");
        assert!(answered(&mut connect(directory, "ca")));
        drop(silent);
    });
}

#[test]
fn a_silent_client_is_given_up() {
    let (ended, echo) = with_service(PATIENCE, |directory, _| {
        let began = Instant::now();
        let mut silent = connect(directory, "ca");
        assert_eq!(silent.read(&mut [0]).unwrap(), 0);
        assert!(began.elapsed() >= PATIENCE.silence / 2, "{:?}", began.elapsed());
    });
    assert_eq!(ended, Ended::Told);
    assert!(echo.was_locked.load(Ordering::SeqCst));
}

#[test]
fn too_many_clients_at_one_door_do_not_shut_the_other() {
    with_service(NEVER, |directory, _| {
        let mut clients: Vec<UnixStream> = (0..PATIENCE.clients).map(|_| connect(directory, "ca")).collect();
        assert!(clients.iter_mut().all(answered));
        assert!(!answered(&mut connect(directory, "ca")), "one too many");
        assert!(answered(&mut connect(directory, "parent")));
        assert!(clients.iter_mut().all(answered), "those who are there stay");
        clients.pop();
        let again = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            answered(&mut connect(directory, "ca"))
        });
        assert!(again, "the place is free again");
    });
}

#[test]
fn clients_are_told_apart_by_their_door() {
    let (_, echo) = with_service(PATIENCE, |directory, _| {
        for door in ["parent", "ca"] {
            assert!(answered(&mut connect(directory, door)));
        }
    });
    let has_login =
        std::fs::read_to_string("/proc/self/loginuid").is_ok_and(|login| login != u32::MAX.to_string());
    let of_ca = if has_login { ClientClass::Command } else { ClientClass::Renew };
    assert_eq!(*echo.classes.lock().unwrap(), [ClientClass::Child, of_ca]);
}

#[test]
fn it_ends_by_itself_only_when_nothing_is_unlocked_and_nobody_is_there() {
    let idle = Duration::from_millis(300);
    let patience = Patience { idle: Some(idle), silence: Duration::from_secs(9), ..PATIENCE };
    let began = Instant::now();
    let (ended, echo) = with_service(patience, |directory, echo| {
        let client = connect(directory, "ca");
        std::thread::sleep(idle * 2);
        assert!(answered(&mut connect(directory, "ca")), "somebody is there");
        echo.unlocked.store(true, Ordering::SeqCst);
        drop(client);
        std::thread::sleep(idle * 3);
        assert!(answered(&mut connect(directory, "ca")), "something is unlocked");
        echo.unlocked.store(false, Ordering::SeqCst);
    });
    assert_eq!(ended, Ended::Idle);
    assert!(began.elapsed() >= idle * 5, "{:?}", began.elapsed());
    assert!(echo.was_locked.load(Ordering::SeqCst));
}

#[test]
fn clients_are_not_waited_for_for_ever_at_the_end() {
    let patience =
        Patience { silence: Duration::from_secs(60), farewell: Duration::from_millis(300), ..PATIENCE };
    let mut left = None;
    let began = Instant::now();
    with_service(patience, |directory, _| {
        let mut client = connect(directory, "ca");
        assert!(answered(&mut client));
        left = Some(client);
    });
    assert_eq!(left.unwrap().read(&mut [0]).unwrap(), 0, "it is told that this is the end");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}
