//! The connection to a signer. It is made when the first key is needed.
use super::start::{Started, connect, start_child};
use crate::signer::protocol::{Failure, Frame, FrameError, Orders, Reply, Request, VERSION};
use crate::signing::Aside;
#[cfg(test)]
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a signer is reached.
enum Way {
    /// It is started as a child of this process, with these orders.
    Child(Box<Orders>),
    /// It listens on this socket.
    Socket(PathBuf),
    /// A thread of this process is the child, at the other end.
    #[cfg(test)]
    Thread(Box<Orders>, Mutex<Option<UnixStream>>),
}

/// A connection to a signer, which is made at the first question.
pub(crate) struct Link {
    way: Way,
    aside: Aside,
    line: Mutex<Option<Started>>,
}

impl Link {
    /// Returns a link to a signer that is started as a child of this process; `aside` keeps the terminal free while it
    /// asks a person.
    pub(crate) fn child(orders: Orders, aside: Aside) -> Self {
        Self { way: Way::Child(Box::new(orders)), aside, line: Mutex::default() }
    }

    /// Returns a link to a child that a thread of this process is, which serves the other end.
    #[cfg(test)]
    pub(crate) fn thread(orders: Orders, connection: UnixStream) -> Self {
        let way = Way::Thread(Box::new(orders), Mutex::new(Some(connection)));
        Self { way, aside: |act| act(), line: Mutex::default() }
    }

    /// Returns a link to the signer that listens on a socket.
    pub(crate) fn socket(path: PathBuf) -> Self {
        Self { way: Way::Socket(path), aside: |act| act(), line: Mutex::default() }
    }

    /// Returns whether the signer is a service.
    pub(super) fn is_to_service(&self) -> bool {
        matches!(self.way, Way::Socket(_))
    }

    fn line(&self) -> MutexGuard<'_, Option<Started>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and returns the answer.
    ///
    /// # Errors
    /// What the signer says; [`Failure::Signer`] when it cannot be asked.
    pub(crate) fn ask(&self, request: impl Into<Frame<Request>>) -> Result<Frame<Reply>, Failure> {
        let mut line = self.line();
        let started = match line.take() {
            Some(started) => started,
            None => self.begin()?,
        };
        let answer = self.answer(&started, &request.into());
        match answer {
            Ok(Frame { message: Reply::Failed { failure }, .. }) => {
                *line = Some(started);
                Err(failure)
            }
            Ok(answer) => {
                *line = Some(started);
                Ok(answer)
            }
            // a signer that has failed is not asked again: the next question starts another
            Err(error) => Err(lost(&error, started)),
        }
    }

    /// As [`Link::ask`], when the signer was asked anything before; `None` otherwise.
    pub(crate) fn ask_if_begun(&self, request: Request) -> Option<Frame<Reply>> {
        if self.line().is_none() {
            return None;
        }
        self.ask(request).ok()
    }

    fn answer(&self, started: &Started, request: &Frame<Request>) -> Result<Frame<Reply>, FrameError> {
        request.send_within(request.message.largest_body(), started.connection())?;
        let mut answer = Frame::receive(started.connection())?;
        while answer.message == Reply::Asking {
            let mut asked = None;
            (self.aside)(&mut || {
                let next = Frame::from(Request::Go)
                    .send(started.connection())
                    .and_then(|()| Frame::<Reply>::receive(started.connection()));
                asked = Some(next);
            });
            let asked = asked.unwrap_or(Err(FrameError::Closed))?;
            answer = match asked.message {
                Reply::Asked => Frame::receive(started.connection())?,
                _ => asked,
            };
        }
        Ok(answer)
    }

    fn begin(&self) -> Result<Started, Failure> {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let (started, orders) = match &self.way {
            Way::Child(orders) => (start_child()?, Some(orders.as_ref().clone())),
            Way::Socket(path) => (connect(path)?, None),
            #[cfg(test)]
            Way::Thread(orders, connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner).take();
                let ended = || Failure::Signer { reason: "the thread has ended".into() };
                (Started::over(connection.ok_or_else(ended)?), Some(orders.as_ref().clone()))
            }
        };
        let hello = Request::Hello { version: VERSION, program: program.clone(), orders };
        match self.answer(&started, &hello.into()) {
            Ok(Frame { message: Reply::Welcome { version: VERSION, program: other }, .. })
                if other == program =>
            {
                Ok(started)
            }
            Ok(Frame { message: Reply::Welcome { program: other, .. }, .. }) => Err(Failure::Signer {
                reason: format!("it is of version {other}, and this program of version {program}"),
            }),
            Ok(Frame { message: Reply::Failed { failure }, .. }) => Err(failure),
            Ok(_) => Err(Failure::Signer { reason: "it does not speak as a signer does".into() }),
            Err(error) => Err(lost(&error, started)),
        }
    }
}

/// Returns what became of a signer that does not answer.
fn lost(error: &FrameError, started: Started) -> Failure {
    let ended = started.end().map(|how| format!(" ({how})")).unwrap_or_default();
    let reason = match error {
        FrameError::Closed => format!("it ended before it answered{ended}"),
        other => format!("it does not answer: {other}{ended}"),
    };
    Failure::Signer { reason }
}
