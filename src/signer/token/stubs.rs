//! Processes of tokens that answer as tests have them.
use super::launched::TokenProcess;
use super::launching::{Launch, Launchable};
use super::line::unexpected;
use super::{TokenReply, TokenRequest};
use crate::signer::protocol::{Failure, Frame};
use crate::signing::{KeyError, KeyPlace};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread;

/// Starts these processes, one after the other, for these modules.
#[derive(Clone)]
pub(crate) struct Started {
    modules: Arc<Vec<PathBuf>>,
    next: Arc<Mutex<Vec<(usize, UnixStream)>>>,
    launcher: u64,
}

impl Started {
    /// Returns the starter of the processes of one module.
    pub(crate) fn of(processes: impl IntoIterator<Item = UnixStream>) -> Self {
        Self::of_modules(1, processes.into_iter().map(|process| (0, process)))
    }

    /// Returns the starter of processes, each of the module with this number.
    pub(super) fn of_modules(
        modules: usize,
        processes: impl IntoIterator<Item = (usize, UnixStream)>,
    ) -> Self {
        let modules = (0..modules).map(|number| PathBuf::from(format!("/{number}.so"))).collect();
        let next = Arc::new(Mutex::new(processes.into_iter().collect()));
        Self { modules: Arc::new(modules), next, launcher: 1 }
    }
}

impl Launch for Started {
    fn launchable(&self) -> Result<Launchable, KeyError> {
        Ok(Launchable { launcher: self.launcher, modules: Arc::clone(&self.modules) })
    }

    fn start(&self, _: &Launchable, number: usize) -> Result<TokenProcess, KeyError> {
        let mut next = self.next.lock().unwrap();
        let found = next.iter().position(|(of, _)| *of == number).ok_or_else(unexpected)?;
        Ok(TokenProcess::of(next.remove(found).1))
    }
}

/// An end of a pair of sockets; the other one gets these answers, and none where there is none.
pub(super) fn answering(
    answer: impl Fn(&TokenRequest) -> Option<Frame<TokenReply>> + Send + 'static,
) -> (UnixStream, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    let served = other.try_clone().unwrap();
    thread::spawn(move || {
        while let Ok(asked) = Frame::<TokenRequest>::receive(&served) {
            let Some(answer) = answer(&asked.message) else { continue };
            if answer.send(&served).is_err() {
                return;
            }
        }
    });
    (one, other)
}

/// Connects, and then says nothing any more. `told` is told of each question. The process ends with the second value.
pub(crate) fn hanging(told: Sender<()>) -> (UnixStream, Ending) {
    let (one, other) = answering(move |asked| match asked {
        TokenRequest::Begin { .. } => Some(TokenReply::Done.into()),
        _ => {
            let _ = told.send(());
            None
        }
    });
    (one, Ending(other))
}

/// Ends the process.
pub(crate) struct Ending(UnixStream);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }
}

/// Finds every PIN wrong.
pub(crate) fn refusing_pins() -> UnixStream {
    let wrong = |key: &KeyPlace| Failure::from(KeyError::PinRejected(key.clone()));
    let refused = answering(move |asked| {
        Some(match asked {
            TokenRequest::LogIn { .. } | TokenRequest::Open { .. } => {
                let failure = wrong(&KeyPlace::Uri("pkcs11:token=Office".into()));
                TokenReply::Failed { failure }.into()
            }
            _ => TokenReply::Done.into(),
        })
    });
    refused.0
}
