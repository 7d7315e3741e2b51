//! The conversation with the process of the tokens. Whole lifes of CAs in tokens are in `tests/integration/tokens.rs`.
use super::served::Modules;
use super::*;
use crate::signer::protocol::Frame;
use crate::signing::{ForKey, KeyError, KeyRef, KeyVault, Secret, SecretSource, TokenStore};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

struct Pin;

impl SecretSource for Pin {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        match purpose {
            SecretPurpose::Open(key) if key == "a" => Ok(Secret::from("64821973".to_owned())),
            other => Err(KeyError::InputNeeded(other.key().to_owned())),
        }
    }

    fn try_again(&self, purpose: &SecretPurpose) -> bool {
        purpose.key() == "a"
    }
}

fn made(modules: Vec<PathBuf>, directory: PathBuf, pins: Arc<dyn SecretSource>) -> Arc<dyn KeyVault> {
    Arc::new(TokenStore::new(modules, directory, pins))
}

fn store(modules: &[PathBuf], serve: fn(UnixStream)) -> (Result<RemoteTokens, KeyError>, JoinHandle<()>) {
    let (one, other) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || serve(other));
    let process = TokenProcess::of(one);
    (
        process.store(
            modules,
            Path::new("/nowhere"),
            Arc::new(Pin),
            made(Vec::new(), "/nowhere".into(), Arc::new(Pin)),
        ),
        serving,
    )
}

fn begin(program: &str, modules: &[&str]) -> TokenRequest {
    let modules = modules.iter().map(|path| Path::new(path).into()).collect();
    TokenRequest::Begin { program: program.to_owned(), modules, directory: Path::new("/nowhere").into() }
}

fn key() -> KeyRef {
    KeyRef { identity: None, uri: "pkcs11:token=Office;object=a".to_owned() }
}

#[test]
fn what_a_module_fails_at_comes_over_as_if_it_were_here() {
    let absent = PathBuf::from("/nowhere/module.so");
    let (tokens, serving) = store(std::slice::from_ref(&absent), |connection| {
        serve_tokens(connection, Modules::AsTold, made).unwrap()
    });
    let tokens = tokens.unwrap();
    let here = TokenStore::new(vec![absent], "/nowhere", Arc::new(Pin));
    let told = |store: &dyn KeyVault| {
        let opened = store.open_key(&key()).map(drop).unwrap_err();
        let looked = store.keys().inspecting().unwrap().inspect(&key()).unwrap_err();
        let removed = store.keys().discarding().unwrap().discard(&key()).unwrap_err();
        [opened, looked, removed].map(|error| format!("{error:?}"))
    };
    assert_eq!(told(&tokens), told(&here));
    assert!(told(&here)[0].contains("/nowhere/module.so"), "{:?}", told(&here));
    assert_eq!(tokens.keys().new_key("b"), here.keys().new_key("b"));
    drop(tokens);
    serving.join().unwrap();
}

/// Asks for the PINs of two keys, and says them back as the reason of a failure.
fn asking(connection: UnixStream) {
    let next = |reply: TokenReply| {
        Frame::from(reply).send(&connection).unwrap();
        Frame::<TokenRequest>::receive(&connection).unwrap()
    };
    Frame::<TokenRequest>::receive(&connection).unwrap();
    assert!(matches!(next(TokenReply::Done).message, TokenRequest::Open { .. }));
    let purpose = |key: &str| WirePurpose::Open(key.to_owned());
    let given = next(TokenReply::AskPin { purpose: purpose("a") });
    assert!(given.parts.is_empty(), "a PIN is in no frame");
    let mut pin = String::new();
    let [pipe] = <[_; 1]>::try_from(given.descriptors).unwrap();
    std::io::Read::read_to_string(&mut std::fs::File::from(pipe), &mut pin).unwrap();
    let again = next(TokenReply::WrongPin { purpose: purpose("a") }).message;
    let none = next(TokenReply::AskPin { purpose: purpose("b") }).message;
    let reason = format!("{pin} {again:?} {none:?}");
    Frame::from(TokenReply::Failed { failure: Failure::Signer { reason } }).send(&connection).unwrap();
}

#[test]
fn a_pin_comes_from_the_signers_sources_through_a_pipe() {
    let (tokens, serving) = store(&[], asking);
    let tokens = tokens.unwrap();
    let KeyError::Signer(told) = tokens.open_key(&key()).map(drop).unwrap_err() else {
        panic!("another error")
    };
    let expected = "64821973 Again { again: true } NoPin { failure: InputNeeded { key: \"b\" } }";
    assert_eq!(told, expected);
    serving.join().unwrap();
}

#[test]
fn what_does_not_belong_there_is_refused_and_the_conversation_goes_on() {
    let (connection, other) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || serve_tokens(other, Modules::AsTold, made));
    let ask = |request: TokenRequest| {
        Frame::from(request).send(&connection).unwrap();
        Frame::<TokenReply>::receive(&connection).unwrap().message
    };
    let begin = || begin(env!("CARGO_PKG_VERSION"), &[]);
    assert_eq!(ask(begin()), TokenReply::Done);
    for request in
        [begin(), TokenRequest::Pin, TokenRequest::Again { again: true }, TokenRequest::Sign { number: 0 }]
    {
        assert!(matches!(ask(request), TokenReply::Failed { .. }));
    }
    let unknown = TokenRequest::Make { key: (&key()).into(), algorithm: "rot13".to_owned() };
    assert!(matches!(ask(unknown), TokenReply::Failed { .. }));
    drop(connection);
    assert!(serving.join().unwrap().is_ok());
}

/// The process of a service: answers each frame by a key or a signature that has its own number.
fn of_number(number: u8) -> UnixStream {
    stubs::answering(move |asked| Some(numbered(number, asked))).0
}

fn numbered(number: u8, asked: &TokenRequest) -> Frame<TokenReply> {
    let spki = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &[number; 32]].concat();
    match asked {
        TokenRequest::Open { .. } => Frame::with(TokenReply::Key { number: 0 }, vec![spki]),
        TokenRequest::Sign { .. } => Frame::with(TokenReply::Signed, vec![vec![number]]),
        _ => TokenReply::Done.into(),
    }
}

fn limited(limit: Duration) -> RemoteTokens {
    RemoteTokens::limited(Arc::new(Pin), made(Vec::new(), "/nowhere".into(), Arc::new(Pin)), limit)
}

#[test]
fn a_process_that_does_not_answer_is_given_up_and_the_next_one_is_asked() {
    // K2
    let tokens = limited(Duration::from_secs(1));
    let (process, _end) = stubs::hanging(channel().0);
    tokens.connect(process).unwrap();
    let Err(KeyError::Prevented { reason, .. }) = tokens.open_key(&key()).map(drop) else {
        panic!("another error")
    };
    assert!(reason.contains("did not answer within 1 s"), "{reason}");
    // one that says nothing when it connects does not take the place of one that serves
    tokens.connect(of_number(1)).unwrap();
    let (silent, _other) = UnixStream::pair().unwrap();
    assert!(tokens.connect(silent).is_err());
    assert!(tokens.open_key(&key()).is_ok());
}

#[test]
fn whoever_drops_a_key_waits_for_no_process_that_hangs() {
    // K2
    let tokens = limited(Duration::from_secs(600));
    let (told, asked) = channel();
    let (process, end) = stubs::answering(move |asked| {
        let is_closing = matches!(asked, TokenRequest::Close { .. });
        if is_closing {
            told.send(()).unwrap();
        }
        (!is_closing).then(|| numbered(1, asked))
    });
    tokens.connect(process).unwrap();
    drop(tokens.open_key(&key()).unwrap());
    // it is told all the same, and at once
    asked.recv_timeout(Duration::from_secs(60)).unwrap();
    end.shutdown(std::net::Shutdown::Both).unwrap();
}

fn of_service(is_expected: bool) -> RemoteTokens {
    RemoteTokens::of_service(Arc::new(Pin), made(Vec::new(), "/nowhere".into(), Arc::new(Pin)), is_expected)
}

#[test]
fn a_key_of_a_process_that_ended_is_not_taken_for_one_of_the_process_after_it() {
    // K2
    let tokens = of_service(true);
    tokens.connect(of_number(1)).unwrap();
    let first = tokens.open_key(&key()).unwrap();
    assert_eq!(first.sign(ForKey::journaled(b"a")).unwrap(), [1]);
    tokens.connect(of_number(2)).unwrap();
    let Err(KeyError::Prevented { reason, hint, .. }) = first.sign(ForKey::journaled(b"a")) else {
        panic!("signed by another key")
    };
    assert!(reason.contains("started anew") && hint.contains("unlock the key once more"), "{reason}: {hint}");
    let second = tokens.open_key(&key()).unwrap();
    drop(first);
    assert_eq!(second.sign(ForKey::journaled(b"a")).unwrap(), [2], "it is still open");
}

#[test]
fn a_service_without_tokens_says_so_and_waits_for_nobody() {
    let Err(KeyError::Prevented { reason, .. }) = of_service(false).open_key(&key()).map(drop) else {
        panic!("another error")
    };
    assert!(reason.contains("has no tokens"), "{reason}");
}

#[test]
fn a_process_with_modules_of_its_own_is_told_none_and_serves_no_other_version() {
    // P2
    for (begin, is_taken) in [
        (begin(env!("CARGO_PKG_VERSION"), &[]), true),
        (begin(env!("CARGO_PKG_VERSION"), &["/tmp/evil.so"]), false),
        (begin("0.0.0", &[]), false),
    ] {
        let (connection, other) = UnixStream::pair().unwrap();
        let serving = thread::spawn(move || serve_tokens(other, Modules::Own(Vec::new()), made));
        Frame::from(begin).send(&connection).unwrap();
        let answer = Frame::<TokenReply>::receive(&connection).unwrap().message;
        assert_eq!(answer == TokenReply::Done, is_taken, "{answer:?}");
        drop(connection);
        assert!(serving.join().unwrap().is_ok());
    }
}
