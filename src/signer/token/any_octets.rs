//! Conversations with the processes of tokens, for tests that try any octets. Release builds do not have them.
use super::launched::TokenProcess;
use super::launching::{Launch, Launchable};
use super::line::unexpected;
use super::processes::Processes;
use super::{LaunchReply, LaunchRequest, ModuleTerms, Modules, TokenReply, TokenRequest};
use super::{serve_launcher, serve_module};
use crate::signer::protocol::Frame;
use crate::signing::{KeyError, KeyRef, KeyVault, Nobody, SecretSource};
use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Bound of what is said in a conversation, so that both sides of a socket hold it: nobody reads the answers.
const LONGEST: usize = 16 * 1024;

/// Reads a frame to and from the processes of tokens, and returns each as it is written.
pub(crate) fn token_frames(octets: &[u8]) -> Vec<Vec<u8>> {
    let request = Frame::<TokenRequest>::from_octets(octets).and_then(|frame| frame.to_octets());
    let reply = Frame::<TokenReply>::from_octets(octets).and_then(|frame| frame.to_octets());
    let launch = Frame::<LaunchRequest>::from_octets(octets).and_then(|frame| frame.to_octets());
    let launched = Frame::<LaunchReply>::from_octets(octets).and_then(|frame| frame.to_octets());
    [request, reply, launch, launched].into_iter().flatten().collect()
}

/// Has the process of a module, a launcher without modules, and one that asks the process of a module, each hear these
/// octets after the greeting. Returns how many of the three took them for frames to their end.
pub(crate) fn token_conversations(
    octets: &[u8],
    store: fn(Arc<dyn SecretSource>) -> Arc<dyn KeyVault>,
) -> usize {
    let program = || env!("CARGO_PKG_VERSION").to_owned();
    let begin = Frame::from(TokenRequest::Begin { program: program(), each: false }).to_octets();
    let launch = Frame::from(LaunchRequest::Begin { program: program(), modules: Vec::new() }).to_octets();
    let greeted = Frame::from(TokenReply::Done).to_octets();
    let mut heard = 0;
    let mut hear = |greeting: Result<Vec<u8>, _>, listen: &dyn Fn(UnixStream) -> bool| {
        let Ok((here, there)) = UnixStream::pair() else { return };
        let said: Vec<u8> = greeting.unwrap_or_default().into_iter().chain(octets.iter().copied()).collect();
        let is_said = (&here).write_all(said.get(..LONGEST).unwrap_or(&said)).is_ok();
        if is_said && here.shutdown(Shutdown::Write).is_ok() && listen(there) {
            heard += 1;
        }
    };
    hear(begin, &|connection| serve_module(connection, Box::new(move |pins, _| store(pins))).is_ok());
    hear(launch, &|connection| serve_launcher(&connection, Modules::Own(Vec::new())).is_ok());
    hear(greeted, &|connection| {
        let started = Given(Mutex::new(Some(connection)));
        let processes = Processes::new(Arc::new(started), Arc::new(Nobody), ModuleTerms::Command);
        signature(&processes).is_ok()
    });
    heard
}

/// Asks for a key, and for a signature with it.
fn signature(processes: &Processes) -> Result<Vec<u8>, KeyError> {
    let key = KeyRef { identity: None, uri: "pkcs11:token=a;object=b".into() };
    let line = processes.of(&key)?;
    let (of, _) = line.ask(None, TokenRequest::Open { key: (&key).into() })?;
    line.sign(of, 0, b"a")
}

/// The one process that there is.
struct Given(Mutex<Option<UnixStream>>);

impl Launch for Given {
    fn launchable(&self) -> Result<Launchable, KeyError> {
        Ok(Launchable { launcher: 0, modules: Arc::new(vec![PathBuf::from("/module.so")]) })
    }

    fn start(&self, _: &Launchable, _: usize) -> Result<TokenProcess, KeyError> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        given.map(TokenProcess::of).ok_or_else(unexpected)
    }
}
