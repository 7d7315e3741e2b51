//! Tokens in a process of their own: the code of a PKCS#11 module never runs where keys are opened.
//!
//! A signer that is the child of a command starts the process before it confines itself, and asks it over a socket pair.
//! One that is a service starts nothing: the process, a service of its own with a user of its own, connects to it, and
//! again when it was started anew. It has no key file and no journal; it may load modules, reach other processes and the
//! network, and start no program. A PIN goes through a pipe, from the signer's sources of passphrases.
mod asked;
mod ending;
mod holder;
mod line;
mod served;

pub(crate) use asked::RemoteTokens;
pub(crate) use ending::end_with;
pub(crate) use line::TokenProcess;
pub(crate) use served::{Modules, serve_tokens};

#[cfg(debug_assertions)]
use super::protocol::Frame;
use super::protocol::{Failure, WireKey, WirePath};
use crate::signing::SecretPurpose;
use serde::{Deserialize, Serialize};

/// What the signer asks the process of tokens.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
enum TokenRequest {
    /// The first frame: the version of the signer's program, the modules that may be loaded, and the directory of marks.
    /// A process that is a service of its own knows its modules, and is told none.
    Begin { program: String, modules: Vec<WirePath>, directory: WirePath },
    /// Looks for a key, without a PIN: [`TokenReply::Done`].
    Inspect { key: WireKey },
    /// Logs in for a key: [`TokenReply::Key`] with its public key as the part.
    Open { key: WireKey },
    /// Has a pair made: [`TokenReply::Key`] likewise.
    Make { key: WireKey, algorithm: String },
    /// Logs in for a key, whether or not it is there, and out again: [`TokenReply::Done`].
    LogIn { key: WireKey },
    /// Gives an open key up: [`TokenReply::Done`]. With its last key a token is logged out of.
    Close { number: u32 },
    /// Destroys a pair: [`TokenReply::Done`].
    Discard { key: WireKey },
    /// Signs the part with an open key: [`TokenReply::Signed`] with the octets of signatureValue.
    Sign { number: u32 },
    /// Answers [`TokenReply::AskPin`]: the pipe comes with the frame.
    Pin,
    /// Answers [`TokenReply::AskPin`]: there is none.
    NoPin { failure: Failure },
    /// Answers [`TokenReply::WrongPin`]: whether another may come.
    Again { again: bool },
}

/// What the process of tokens answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
enum TokenReply {
    /// It is done.
    Done,
    /// It failed.
    Failed { failure: Failure },
    /// The key is open, under this number.
    Key { number: u32 },
    /// A signature, as the part.
    Signed,
    /// A PIN is needed before the answer.
    AskPin { purpose: WirePurpose },
    /// The PIN was wrong.
    WrongPin { purpose: WirePurpose },
}

/// [`SecretPurpose`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum WirePurpose {
    Open(String),
    Protect(String),
    Replace(String),
}

impl From<&SecretPurpose> for WirePurpose {
    fn from(purpose: &SecretPurpose) -> Self {
        match purpose {
            SecretPurpose::Open(key) => Self::Open(key.clone()),
            SecretPurpose::Protect(key) => Self::Protect(key.clone()),
            SecretPurpose::Replace(key) => Self::Replace(key.clone()),
        }
    }
}

impl From<WirePurpose> for SecretPurpose {
    fn from(purpose: WirePurpose) -> Self {
        match purpose {
            WirePurpose::Open(key) => Self::Open(key),
            WirePurpose::Protect(key) => Self::Protect(key),
            WirePurpose::Replace(key) => Self::Replace(key),
        }
    }
}

/// Reads a frame to and from the process of the tokens, and returns each as it is written.
#[cfg(debug_assertions)]
pub(crate) fn token_frames(octets: &[u8]) -> Vec<Vec<u8>> {
    let request = Frame::<TokenRequest>::from_octets(octets).and_then(|frame| frame.to_octets());
    let reply = Frame::<TokenReply>::from_octets(octets).and_then(|frame| frame.to_octets());
    [request, reply].into_iter().flatten().collect()
}

#[cfg(test)]
pub(crate) mod stubs;
#[cfg(test)]
mod tests;
