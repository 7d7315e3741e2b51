//! The signer as the child of one command, over a socket pair.
use super::answers::Signer;
use crate::signer::Peer;
use crate::signer::protocol::{Failure, Frame, FrameError, Orders, Reply, Request, VERSION};
use crate::signing::{KeyError, Secret, SecretPurpose, SecretSource};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// A prompt that has the command leave the terminal alone while a person types.
pub(crate) struct Announced {
    prompt: Box<dyn SecretSource>,
    connection: Arc<UnixStream>,
}

/// Makes prompts that announce their questions to the command.
#[derive(Clone)]
pub(crate) struct Announcing(Arc<UnixStream>);

impl Announcing {
    /// Returns the connection to the command, which ends with the command; `None` when there are no more descriptors.
    pub(crate) fn connection(&self) -> Option<OwnedFd> {
        self.0.as_fd().try_clone_to_owned().ok()
    }

    /// Returns such a prompt.
    pub(crate) fn announce(&self, prompt: Box<dyn SecretSource>) -> Announced {
        Announced { prompt, connection: Arc::clone(&self.0) }
    }
}

impl Announced {
    fn aside<T>(&self, act: impl FnOnce() -> Result<T, KeyError>) -> Result<T, KeyError> {
        let gone = |_| KeyError::Signer("the command that started it is gone".into());
        Frame::from(Reply::Asking).send(&self.connection).map_err(gone)?;
        match Frame::<Request>::receive(&self.connection).map_err(gone)?.message {
            Request::Go => {}
            _ => return Err(KeyError::Signer("it was asked something else meanwhile".into())),
        }
        let done = act();
        Frame::from(Reply::Asked).send(&self.connection).map_err(gone)?;
        done
    }
}

impl SecretSource for Announced {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        self.aside(|| self.prompt.secret(purpose))
    }

    fn try_again(&self, purpose: &SecretPurpose) -> bool {
        self.prompt.try_again(purpose)
    }

    fn show(&self, purpose: &SecretPurpose, secret: &Secret) -> Result<(), KeyError> {
        self.aside(|| self.prompt.show(purpose, secret))
    }
}

/// Answers the command at the other end until it closes the connection. The first frame says what the child is to do.
///
/// # Errors
/// When the connection fails, or the command speaks another protocol.
pub(crate) fn serve_child(
    connection: UnixStream,
    peer: &Peer,
    program: &str,
    make: impl FnOnce(&Orders, Announcing) -> Result<Signer, KeyError>,
) -> Result<(), FrameError> {
    let connection = Arc::new(connection);
    let Some(hello) = received(&connection)? else { return Ok(()) };
    let fail = |failure| Frame::from(Reply::Failed { failure }).send(&connection);
    let orders = match hello.message {
        Request::Hello { version, program: asker, orders: Some(orders) }
            if version == VERSION && asker == program =>
        {
            orders
        }
        Request::Hello { program: asker, .. } => {
            let reason = format!("it is of version {program}, and the command of version {asker}");
            return fail(Failure::Signer { reason });
        }
        _ => return fail(Failure::Signer { reason: "it was not greeted".into() }),
    };
    let signer = match make(&orders, Announcing(Arc::clone(&connection))) {
        Ok(signer) => signer,
        Err(error) => return fail(error.into()),
    };
    Frame::from(Reply::Welcome { version: VERSION, program: program.to_owned() }).send(&connection)?;
    while let Some(asked) = received(&connection)? {
        signer.answer(peer, asked).send(&connection)?;
    }
    Ok(())
}

/// Returns the next frame; `None` after the last one.
fn received(connection: &UnixStream) -> Result<Option<Frame<Request>>, FrameError> {
    match Frame::receive(connection) {
        Ok(frame) => Ok(Some(frame)),
        Err(FrameError::Closed) => Ok(None),
        Err(error) => Err(error),
    }
}
