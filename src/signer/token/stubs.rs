//! Processes of tokens that answer as tests have them.
use super::{TokenReply, TokenRequest};
use crate::signer::protocol::{Failure, Frame};
use crate::signing::{KeyError, KeyPlace};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Sender;
use std::thread;

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
