//! The launcher: it starts a process for each module that the signer asks for, and runs no code of one.
use super::launched::{Started, start};
use super::launching::{not_started, words};
use super::{LaunchReply, LaunchRequest};
use crate::signer::protocol::{Failure, Frame, FrameError};
use crate::signing::KeyError;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// Which modules may be loaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Modules {
    /// Those that the signer names which has started the launcher.
    AsTold,
    /// These. A signer that names some is refused. Their processes do not go on unconfined.
    Own(Vec<PathBuf>),
}

/// Answers the signer at the other end, until it closes the connection. The processes end with this one.
///
/// # Errors
/// When the connection fails, or what comes is no request.
pub(crate) fn serve_launcher(connection: &UnixStream, own: Modules) -> Result<(), FrameError> {
    let Some(begin) = received(connection)? else { return Ok(()) };
    let LaunchRequest::Begin { program, modules: told } = begin.message else {
        return answered(connection, Err(strange()));
    };
    let here = env!("CARGO_PKG_VERSION");
    if program != here {
        let reason =
            format!("the process of the tokens is of version {here}, and the signer of version {program}");
        return answered(connection, Err(KeyError::Signer(reason)));
    }
    let must_be_confined = matches!(own, Modules::Own(_));
    let modules: Vec<PathBuf> = match own {
        Modules::AsTold => told.into_iter().map(PathBuf::from).collect(),
        Modules::Own(modules) if told.is_empty() => modules,
        Modules::Own(_) => return answered(connection, Err(strange())),
    };
    let shown = modules.iter().map(|path| path.as_path().into()).collect();
    answered(connection, Ok(LaunchReply::Modules { modules: shown }.into()))?;
    // one for each module: whoever asks for another one has given the former one up
    let mut children: HashMap<usize, Started> = HashMap::new();
    while let Some(asked) = received(connection)? {
        children.retain(|_, child| !child.has_ended());
        let LaunchRequest::Start { module } = asked.message else {
            answered(connection, Err(strange()))?;
            continue;
        };
        drop(children.remove(&module));
        let launched = match modules.get(module) {
            None => Err(strange()),
            Some(module) => start(&words(module, must_be_confined), &[]).map_err(|error| not_started(&error)),
        };
        answered(
            connection,
            launched.map(|(socket, child)| {
                children.insert(module, child);
                let descriptors = vec![OwnedFd::from(socket)];
                Frame { message: LaunchReply::Started, parts: Vec::new(), descriptors }
            }),
        )?;
    }
    Ok(())
}

fn received(connection: &UnixStream) -> Result<Option<Frame<LaunchRequest>>, FrameError> {
    match Frame::receive(connection) {
        Ok(frame) => Ok(Some(frame)),
        Err(FrameError::Closed) => Ok(None),
        Err(error) => Err(error),
    }
}

fn answered(connection: &UnixStream, answer: Result<Frame<LaunchReply>, KeyError>) -> Result<(), FrameError> {
    let failed = |error: KeyError| LaunchReply::Failed { failure: Failure::from(error) }.into();
    answer.unwrap_or_else(failed).send(connection)
}

fn strange() -> KeyError {
    KeyError::Signer("the process of the tokens was asked something that does not belong here".into())
}
