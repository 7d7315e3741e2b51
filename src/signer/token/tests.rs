//! The conversation with the process of the tokens. Whole lifes of CAs in tokens are in `tests/integration/tokens.rs`.
use super::launching::Launch;
use super::stubs::Started;
use super::*;
use crate::signer::protocol::{Frame, FrameError};
use crate::signing::{
    BroughtKey, CaKeys, ForKey, KeyError, KeyRef, KeyVault, Secret, SecretSource, TokenKeys, TokenStore,
    VaultKey,
};
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(super) struct Pin;

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

fn made(modules: Vec<PathBuf>, pins: Arc<dyn SecretSource>) -> Arc<dyn KeyVault> {
    Arc::new(TokenStore::new(modules, "/nowhere", pins))
}

fn without_modules() -> Arc<dyn KeyVault> {
    made(Vec::new(), Arc::new(Pin))
}

/// Serves a module at the other end.
fn serving(module: &Path) -> (UnixStream, JoinHandle<Result<(), FrameError>>) {
    let (one, other) = UnixStream::pair().unwrap();
    let modules = vec![module.to_owned()];
    let serving = thread::spawn(move || serve_module(other, Box::new(move |pins, _| made(modules, pins))));
    (one, serving)
}

pub(super) fn limited(launch: impl Launch + 'static, limit: Duration) -> RemoteTokens {
    RemoteTokens::limited(launch, Arc::new(Pin), without_modules(), limit)
}

fn of(process: UnixStream) -> RemoteTokens {
    limited(Started::of([process]), Duration::from_secs(60))
}

fn begin(program: &str) -> TokenRequest {
    TokenRequest::Begin { program: program.to_owned(), each: false }
}

pub(super) fn key() -> KeyRef {
    KeyRef { identity: None, uri: "pkcs11:token=Office;object=a".to_owned() }
}

#[test]
fn what_a_module_fails_at_comes_over_as_if_it_were_here() {
    let absent = PathBuf::from("/nowhere/module.so");
    let (process, serving) = serving(&absent);
    let tokens = of(process);
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
    serving.join().unwrap().unwrap();
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
    let (process, other) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || asking(other));
    let tokens = of(process);
    let KeyError::Signer(told) = tokens.open_key(&key()).map(drop).unwrap_err() else {
        panic!("another error")
    };
    let expected = "64821973 Again { again: true } NoPin { failure: InputNeeded { key: \"b\" } }";
    assert_eq!(told, expected);
    serving.join().unwrap();
}

#[test]
fn what_does_not_belong_there_is_refused_and_the_conversation_goes_on() {
    let (connection, serving) = serving(Path::new("/nowhere/module.so"));
    let ask = |request: TokenRequest| {
        Frame::from(request).send(&connection).unwrap();
        Frame::<TokenReply>::receive(&connection).unwrap().message
    };
    let begin = || begin(env!("CARGO_PKG_VERSION"));
    assert_eq!(ask(begin()), TokenReply::Done);
    for request in [
        begin(),
        TokenRequest::Pin,
        TokenRequest::Join,
        TokenRequest::Again { again: true },
        TokenRequest::Sign { number: 0 },
    ] {
        assert!(matches!(ask(request), TokenReply::Failed { .. }));
    }
    let unknown = TokenRequest::Make { key: (&key()).into(), algorithm: "rot13".to_owned() };
    assert!(matches!(ask(unknown), TokenReply::Failed { .. }));
    drop(connection);
    assert!(serving.join().unwrap().is_ok());
}

/// The process of a service: answers each frame by a key or a signature that has its own number.
pub(super) fn of_number(number: u8) -> UnixStream {
    stubs::answering(move |asked| Some(numbered(number, asked))).0
}

fn spki(number: u8) -> Vec<u8> {
    [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &[number; 32]].concat()
}

pub(super) fn numbered(number: u8, asked: &TokenRequest) -> Frame<TokenReply> {
    let spki = spki(number);
    match asked {
        TokenRequest::Open { .. } => Frame::with(TokenReply::Key { number: 0 }, vec![spki]),
        TokenRequest::Sign { .. } => Frame::with(TokenReply::Signed, vec![vec![number]]),
        _ => TokenReply::Done.into(),
    }
}

#[test]
fn a_process_that_does_not_answer_is_given_up_and_the_next_one_is_asked() {
    // K2
    let (process, _end) = stubs::hanging(channel().0);
    let tokens = limited(Started::of([process, of_number(1)]), Duration::from_secs(1));
    let Err(KeyError::Prevented { reason, .. }) = tokens.open_key(&key()).map(drop) else {
        panic!("another error")
    };
    assert!(reason.contains("did not answer within 1 s"), "{reason}");
    assert!(tokens.open_key(&key()).is_ok());
}

#[test]
fn whoever_drops_a_key_waits_for_no_process_that_hangs() {
    // K2
    let (told, asked) = channel();
    let (process, end) = stubs::answering(move |asked| {
        let is_closing = matches!(asked, TokenRequest::Close { .. });
        if is_closing {
            told.send(()).unwrap();
        }
        (!is_closing).then(|| numbered(1, asked))
    });
    let tokens = limited(Started::of([process]), Duration::from_secs(600));
    drop(tokens.open_key(&key()).unwrap());
    // it is told all the same, and at once
    asked.recv_timeout(Duration::from_secs(60)).unwrap();
    end.shutdown(std::net::Shutdown::Both).unwrap();
}

#[test]
fn a_key_of_a_process_that_ended_is_not_taken_for_one_of_the_process_after_it() {
    // K2
    let (first, end) = stubs::answering(|asked| Some(numbered(1, asked)));
    let tokens = limited(Started::of([first, of_number(2)]), Duration::from_secs(60));
    let first = tokens.open_key(&key()).unwrap();
    assert_eq!(first.sign(ForKey::journaled(b"a")).unwrap(), [1]);
    end.shutdown(std::net::Shutdown::Both).unwrap();
    assert!(first.sign(ForKey::journaled(b"a")).is_err());
    // no other process is started for it
    let Err(KeyError::Prevented { reason, hint, .. }) = first.sign(ForKey::journaled(b"a")) else {
        panic!("signed by another key")
    };
    assert!(reason.contains("started anew") && hint.contains("unlock the key once more"), "{reason}: {hint}");
    let second = tokens.open_key(&key()).unwrap();
    assert!(first.sign(ForKey::journaled(b"a")).is_err());
    drop(first);
    assert_eq!(second.sign(ForKey::journaled(b"a")).unwrap(), [2], "it is still open");
}

/// Answers as a module with so many tokens does.
pub(super) fn with_tokens(count: usize, number: u8) -> UnixStream {
    let answer = move |asked: &TokenRequest| match asked {
        TokenRequest::Find { .. } => TokenReply::Tokens { count }.into(),
        asked => numbered(number, asked),
    };
    stubs::answering(move |asked| Some(answer(asked))).0
}

#[test]
fn the_module_that_has_the_token_is_asked_whatever_becomes_of_the_others() {
    // G17, K2
    let signed_by = |modules: usize, processes: Vec<(usize, UnixStream)>| {
        let tokens = limited(Started::of_modules(modules, processes), Duration::from_secs(1));
        let opened = tokens.open_key(&key())?;
        opened.sign(ForKey::journaled(b"a"))
    };
    let (hanging, _end) = stubs::hanging(channel().0);
    let (ended, end) = UnixStream::pair().unwrap();
    drop(end);
    let processes = vec![(0, hanging), (1, with_tokens(1, 7)), (2, ended), (3, with_tokens(0, 8))];
    assert_eq!(signed_by(4, processes).unwrap(), [7]);
    let several = signed_by(2, vec![(0, with_tokens(1, 7)), (1, with_tokens(2, 8))]).unwrap_err();
    assert!(
        matches!(several, KeyError::TokenFailed(_, ref reason) if reason.starts_with("3 tokens")),
        "{several:?}"
    );
    let none = signed_by(2, vec![(0, with_tokens(0, 7)), (1, with_tokens(0, 8))]).unwrap_err();
    assert!(matches!(none, KeyError::TokenGone(..)), "{none:?}");
}

#[test]
fn a_module_that_hangs_in_a_signature_holds_up_no_key_of_another_module() {
    // G17, K2
    let (told, hangs) = channel();
    let answer = move |asked: &TokenRequest| match asked {
        TokenRequest::Sign { .. } => {
            told.send(()).unwrap();
            None
        }
        asked => Some(numbered(1, asked)),
    };
    let (hanging, end) = stubs::answering(answer);
    let launch = Started::of_modules(2, [(0, hanging), (1, of_number(2))]);
    let tokens = limited(launch, Duration::from_secs(600));
    let of = |number: u8| KeyRef { identity: None, uri: format!("pkcs11:object=a?module-path=/{number}.so") };
    let (first, second) = (tokens.open_key(&of(0)).unwrap(), tokens.open_key(&of(1)).unwrap());
    let waiting = thread::spawn(move || first.sign(ForKey::journaled(b"a")));
    hangs.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(second.sign(ForKey::journaled(b"a")).unwrap(), [2]);
    assert!(!waiting.is_finished(), "it hangs all the while");
    end.shutdown(std::net::Shutdown::Both).unwrap();
    assert!(waiting.join().unwrap().is_err());
    let unknown = tokens.open_key(&of(2)).map(drop).unwrap_err();
    assert!(matches!(unknown, KeyError::ModuleUnknown(_)), "{unknown:?}");
}

/// A store with one key.
struct OneKey(Arc<dyn KeyVault>, Arc<dyn VaultKey>);

impl KeyVault for OneKey {
    fn keys(&self) -> &dyn CaKeys {
        self.0.keys()
    }

    fn open_key(&self, _: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        Ok(Arc::clone(&self.1))
    }

    fn make_key(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn VaultKey>, KeyError> {
        self.0.make_key(key, algorithm)
    }

    fn take_key(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn VaultKey>, KeyError> {
        self.0.take_key(key, brought)
    }
}

/// Signs nothing before two signatures are asked for.
struct PairKey(SubjectPublicKeyInfo, Barrier);

impl VaultKey for PairKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.0
    }

    fn sign(&self, _: ForKey<'_>) -> Result<Vec<u8>, KeyError> {
        self.1.wait();
        Ok(vec![9])
    }
}

pub(super) fn of_daemon(launch: Started, limit: Duration) -> HolderTokens {
    HolderTokens::launched_by(launch, Arc::new(Pin), ModuleTerms::Daemon, limit)
}

#[test]
fn a_daemon_has_several_signatures_made_at_once_by_one_process() {
    // G17, O7
    let spki = SubjectPublicKeyInfo::from_der(&spki(1)).unwrap();
    let key_of_module: Arc<dyn VaultKey> = Arc::new(PairKey(spki, Barrier::new(2)));
    let (process, other) = UnixStream::pair().unwrap();
    thread::spawn(move || {
        serve_module(
            other,
            Box::new(move |_, _| -> Arc<dyn KeyVault> { Arc::new(OneKey(without_modules(), key_of_module)) }),
        )
    });
    let tokens = of_daemon(Started::of([process]), Duration::from_secs(60));
    let opened = TokenKeys::open(&tokens, &key()).unwrap();
    thread::scope(|scope| {
        let sign = || opened.sign(ForKey::journaled(b"a")).unwrap();
        let made = [scope.spawn(sign), scope.spawn(sign)].map(|one| one.join().unwrap());
        assert_eq!(made, [vec![9], vec![9]]);
    });
}

pub(super) fn of_service(is_expected: bool) -> RemoteTokens {
    RemoteTokens::of_service(Arc::new(Pin), without_modules(), is_expected)
}

#[test]
fn a_service_without_tokens_says_so_and_waits_for_nobody() {
    let Err(KeyError::Prevented { reason, .. }) = of_service(false).open_key(&key()).map(drop) else {
        panic!("another error")
    };
    assert!(reason.contains("has no tokens"), "{reason}");
}

#[test]
fn a_launcher_that_says_nothing_does_not_take_the_place_of_one_that_serves() {
    // K2
    let tokens = of_service(true);
    let (one, other) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || serve_launcher(&other, Modules::Own(Vec::new())));
    tokens.connect(one).unwrap();
    let (ended, end) = UnixStream::pair().unwrap();
    drop(end);
    assert!(tokens.connect(ended).is_err());
    let Err(KeyError::NoModule(_)) = tokens.open_key(&key()).map(drop) else { panic!("it is asked no more") };
    drop(tokens);
    serving.join().unwrap().unwrap();
}

#[test]
fn a_launcher_with_modules_of_its_own_is_told_none_and_serves_no_other_version() {
    // P2
    let version = env!("CARGO_PKG_VERSION");
    for (program, modules, is_taken) in
        [(version, &[][..], true), (version, &["/tmp/evil.so"][..], false), ("0.0.0", &[][..], false)]
    {
        let (connection, other) = UnixStream::pair().unwrap();
        let own = Modules::Own(vec!["/own.so".into()]);
        let serving = thread::spawn(move || serve_launcher(&other, own));
        let modules = modules.iter().map(|path| Path::new(path).into()).collect();
        Frame::from(LaunchRequest::Begin { program: program.into(), modules }).send(&connection).unwrap();
        let answer = Frame::<LaunchReply>::receive(&connection).unwrap().message;
        let own = LaunchReply::Modules { modules: vec![Path::new("/own.so").into()] };
        assert_eq!(answer == own, is_taken, "{answer:?}");
        if is_taken {
            Frame::from(LaunchRequest::Start { module: 1 }).send(&connection).unwrap();
            let answer = Frame::<LaunchReply>::receive(&connection).unwrap().message;
            assert!(matches!(answer, LaunchReply::Failed { .. }), "there is one module: {answer:?}");
        }
        drop(connection);
        assert!(serving.join().unwrap().is_ok());
    }
}

#[test]
fn the_process_of_a_module_serves_no_other_version() {
    for (program, is_taken) in [(env!("CARGO_PKG_VERSION"), true), ("0.0.0", false)] {
        let (connection, serving) = serving(Path::new("/nowhere/module.so"));
        Frame::from(begin(program)).send(&connection).unwrap();
        let answer = Frame::<TokenReply>::receive(&connection).unwrap().message;
        assert_eq!(answer == TokenReply::Done, is_taken, "{answer:?}");
        drop(connection);
        assert!(serving.join().unwrap().is_ok());
    }
}
