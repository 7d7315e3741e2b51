//! What a signer tells of its keys, their envelopes, and the way of a key out of it.
use super::keys::{RemoteKeys, unexpected};
use crate::signer::KeyEnvelope;
use crate::signer::protocol::{Frame, Reply, Request};
use crate::signing::{AdministerKeys, KeyDescription, KeyError, KeyLimits, KeyRef, LimitsChange};
use std::os::fd::OwnedFd;

impl AdministerKeys for RemoteKeys {
    fn describe(&self, key: &KeyRef) -> Result<KeyDescription, KeyError> {
        match self.ask(key, |key| Request::Describe { key })?.message {
            Reply::Described { described } => Ok(described.into()),
            _ => Err(unexpected().into()),
        }
    }

    fn export(&self, key: &KeyRef, file: OwnedFd) -> Result<(), KeyError> {
        let request = Request::Export { key: self.wire(key)? };
        let frame = Frame { message: request, parts: Vec::new(), descriptors: vec![file] };
        match self.link(key)?.ask(frame)?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    fn note_protection(&self, key: &KeyRef, how: &str) -> Result<(), KeyError> {
        Ok(self.done(key, |key| Request::Protected { key, how: how.to_owned() })?)
    }

    fn limits(&self, key: &KeyRef, settings: &[(String, String)]) -> Result<LimitsChange, KeyError> {
        change(self.ask(key, |key| Request::Limits { key, settings: settings.to_vec() })?.message)
    }

    fn set_limits(
        &self,
        key: &KeyRef,
        settings: &[(String, String)],
        before: &KeyLimits,
    ) -> Result<(), KeyError> {
        let (settings, before) = (settings.to_vec(), before.clone());
        Ok(self.done(key, |key| Request::SetLimits { key, settings, before })?)
    }
}

/// Returns what the text of an envelope says.
pub(super) fn limits_in(envelope: &str) -> Result<KeyLimits, KeyError> {
    let read = KeyEnvelope::parse(envelope);
    let read =
        read.map_err(|mistakes| KeyError::Signer(format!("it gave an envelope that is none: {mistakes}")))?;
    Ok(KeyLimits::from(&read))
}

/// Returns what the answer says of an envelope.
pub(super) fn change(answer: Reply) -> Result<LimitsChange, KeyError> {
    match answer {
        Reply::Limits { before, after, is_wider } => Ok(LimitsChange { before, after, is_wider }),
        _ => Err(unexpected().into()),
    }
}
