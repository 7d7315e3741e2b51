//! What the service and one client say to each other.
use super::answers::may_ask;
use super::standing::{Standing, failed};
use crate::signer::listening::say;
use crate::signer::protocol::{Begun, Frame, FrameError, Reply, Request, VERSION};
use crate::signer::{Life, Peer};
use std::os::unix::net::UnixStream;
use std::sync::PoisonError;
use std::time::Duration;

/// Time for a request to come whole, after its first octet; and for a client to say who it is.
const WHOLE: Duration = Duration::from_secs(20);

impl Standing {
    /// Answers the client at the other end until it closes the connection, or the process that connected is gone.
    pub(super) fn converse(
        &self,
        connection: &UnixStream,
        (peer, life): (&Peer, &Life),
    ) -> Result<(), FrameError> {
        let silence = connection.read_timeout()?;
        connection.set_read_timeout(Some(WHOLE))?;
        let hello = Begun::<Request>::receive(connection, WHOLE)?;
        if hello.body() > 0 {
            return Frame::from(failed("nothing comes with a greeting")).send(connection);
        }
        let hello = hello.whole()?;
        connection.set_read_timeout(silence)?;
        let welcome = match hello.message {
            Request::Hello { version: VERSION, program, orders: None } if program == self.program => {
                Reply::Welcome { version: VERSION, program: self.program.clone() }
            }
            Request::Hello { orders: Some(_), .. } => failed("a signer that listens takes no orders"),
            Request::Hello { program, .. } => {
                failed(&format!("it is of version {}, and the command of version {program}", self.program))
            }
            _ => failed("it was not greeted"),
        };
        let is_welcome = matches!(welcome, Reply::Welcome { .. });
        Frame::from(welcome).send(connection)?;
        if !is_welcome {
            return Ok(());
        }
        loop {
            let begun = Begun::<Request>::receive(connection, WHOLE)?;
            let is_large = begun.body() > Request::SMALL;
            if is_large && !(may_ask(peer, begun.message()) && begun.body() <= begun.message().largest_body())
            {
                // what is not read cannot be passed over: this is the end of the connection
                return Frame::from(failed("it does not take so much from this client")).send(connection);
            }
            let one = is_large.then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner));
            let asked = begun.whole()?;
            // what it may ask was read of the process that connected: whoever has its end now is somebody else
            if !life.goes_on() {
                say(&format!(
                    "process {} is gone, and another has its connection: it is not answered",
                    peer.process
                ));
                return Ok(());
            }
            // people are asked for passphrases, and nobody else waits for them
            let one = one.filter(|_| !matches!(asked.message, Request::Bring { .. }));
            let answer = self.answer(connection, peer, asked);
            drop(one);
            answer.send(connection)?;
        }
    }
}
