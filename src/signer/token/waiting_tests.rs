//! What a process of a module, or one that takes itself for a launcher, keeps from others: neither time nor keys.
use super::launching::Launch as _;
use super::line::Line;
use super::stubs::{self, Started};
use super::tests::{Pin, key, limited, numbered, of_daemon, of_number, of_service, with_tokens};
use super::{Modules, TokenReply, TokenRequest, serve_launcher};
use crate::signing::{ForKey, KeyError, KeyRef, KeyVault as _, TokenKeys};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

#[test]
fn a_daemon_does_not_wait_again_for_a_module_that_has_just_not_answered() {
    // G17, O7
    let answer = |asked: &TokenRequest| (!matches!(asked, TokenRequest::Join)).then(|| numbered(1, asked));
    let (process, _end) = stubs::answering(answer);
    let tokens = of_daemon(Started::of([process, of_number(2)]), Duration::from_secs(1));
    let opened = TokenKeys::open(&tokens, &key()).unwrap();
    let told = |tried: Result<(), KeyError>| tried.unwrap_err().to_string();
    let first = told(opened.sign(ForKey::journaled(b"a")).map(drop));
    assert!(first.contains("did not answer within 1 s"), "{first}");
    for tried in [opened.sign(ForKey::journaled(b"a")).map(drop), TokenKeys::open(&tokens, &key()).map(drop)]
    {
        let next = told(tried);
        assert!(next.contains("a moment ago"), "{next}");
    }
}

#[test]
fn a_module_that_takes_long_to_say_which_tokens_it_has_keeps_the_keys_that_are_open_there() {
    // G17, K2
    let (go_on, waiting) = channel::<()>();
    let answer = move |asked: &TokenRequest| {
        if matches!(asked, TokenRequest::Find { .. }) {
            waiting.recv().unwrap();
            return Some(TokenReply::Tokens { count: 1 }.into());
        }
        Some(numbered(1, asked))
    };
    let (slow, _end) = stubs::answering(answer);
    let launch = Started::of_modules(2, [(0, slow), (1, with_tokens(0, 2))]);
    let tokens = limited(launch, Duration::from_secs(1));
    let named = KeyRef { identity: None, uri: "pkcs11:object=a?module-path=/0.so".to_owned() };
    let opened = tokens.open_key(&named).unwrap();
    let Err(KeyError::Prevented { reason, .. }) = tokens.open_key(&key()).map(drop) else {
        panic!("it was found")
    };
    assert!(reason.contains("a moment ago"), "{reason}");
    go_on.send(()).unwrap();
    assert_eq!(opened.sign(ForKey::journaled(b"a")).unwrap(), [1]);
}

#[test]
fn a_module_that_is_busy_with_a_signature_does_not_count_as_silent() {
    // G17, K2
    let (told, hangs) = channel();
    let (go_on, waiting) = channel::<()>();
    let answer = move |asked: &TokenRequest| {
        match asked {
            TokenRequest::Sign { .. } => {
                told.send(()).unwrap();
                waiting.recv().unwrap();
            }
            TokenRequest::Find { .. } => return Some(TokenReply::Tokens { count: 1 }.into()),
            _ => {}
        }
        Some(numbered(1, asked))
    };
    let (busy, _end) = stubs::answering(answer);
    let launch = Started::of([busy]);
    let of = (launch.launchable().unwrap(), 0);
    let line = Arc::new(Line::new(Arc::new(launch), of, Arc::new(Pin)));
    let signing = Arc::clone(&line);
    let signing = thread::spawn(move || signing.ask(None, TokenRequest::Sign { number: 0 }));
    hangs.recv_timeout(Duration::from_secs(60)).unwrap();
    let find = || TokenRequest::Find { key: (&key()).into(), anew: false };
    assert!(line.within(Duration::from_millis(50), find()).is_err(), "it signs all the while");
    go_on.send(()).unwrap();
    assert!(signing.join().unwrap().is_ok());
    assert_eq!(line.within(Duration::from_secs(60), find()).unwrap(), TokenReply::Tokens { count: 1 });
}

#[test]
fn nobody_takes_the_place_of_a_launcher_that_is_connected() {
    // K2: a module has the launcher's user, and may connect
    let tokens = of_service(true);
    let launcher = |module: &'static str| {
        let (one, other) = UnixStream::pair().unwrap();
        (one, thread::spawn(move || serve_launcher(&other, Modules::Own(vec![module.into()]))))
    };
    let modules = || tokens.modules().unwrap();
    let (first, serving) = launcher("/own.so");
    let end = first.try_clone().unwrap();
    tokens.connect(first).unwrap();
    let (hostile, refused) = launcher("/evil.so");
    assert!(tokens.connect(hostile).unwrap_err().to_string().contains("already"));
    assert_eq!(modules(), [Path::new("/own.so")]);
    refused.join().unwrap().unwrap();
    end.shutdown(std::net::Shutdown::Both).unwrap();
    serving.join().unwrap().unwrap();
    let (next, serving) = launcher("/next.so");
    tokens.connect(next).unwrap();
    assert_eq!(modules(), [Path::new("/next.so")]);
    drop(tokens);
    serving.join().unwrap().unwrap();
}
