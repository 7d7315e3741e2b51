//! Tokens in processes of their own, one for each PKCS#11 module: the code of a module never runs where keys are opened,
//! nor where another module runs.
//!
//! Whoever has no filter, as `genfic-ca` for a holder and `genfic-ocspd`, starts the process of a module itself. The
//! signer starts nothing. One that is the child of a command starts a process that launches those of modules, before it
//! confines itself; to one that is a service such a launcher connects, a service of its own with a user of its own, and
//! again when it was started anew. The launcher runs no code of modules. It hands over the socket of each process, so
//! that it is on the way of no signature.
//!
//! A process of a module has no key file and no journal; it may load its module, reach other processes and the network,
//! and start no program. A PIN goes through a pipe, from the signer's sources of passphrases.
#[cfg(debug_assertions)]
mod any_octets;
mod asked;
mod ending;
mod ends;
mod holder;
mod key;
mod lanes;
mod launched;
mod launcher;
mod launching;
mod line;
mod processes;
mod served;

#[cfg(debug_assertions)]
pub(crate) use any_octets::{token_conversations, token_frames};
pub(crate) use asked::RemoteTokens;
pub(crate) use ending::end_with;
pub(crate) use holder::HolderTokens;
pub(crate) use launched::TokenProcess;
pub(crate) use launcher::{Modules, serve_launcher};
pub(crate) use launching::Launching;
pub(crate) use processes::ModuleTerms;
pub(crate) use served::serve_module;

use super::protocol::{Failure, WireKey, WirePath};
use crate::signing::SecretPurpose;
use serde::{Deserialize, Serialize};

/// What the signer asks the launcher.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
enum LaunchRequest {
    /// The first frame: the version of the signer's program, and the modules that may be loaded. A launcher that is a
    /// service of its own knows its modules, and is told none.
    Begin { program: String, modules: Vec<WirePath> },
    /// Starts a process for the module with this number: [`LaunchReply::Started`].
    Start { module: usize },
}

/// What the launcher answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
enum LaunchReply {
    /// The modules that it starts processes for.
    Modules { modules: Vec<WirePath> },
    /// The process is started: its socket comes with the frame.
    Started,
    /// It failed.
    Failed { failure: Failure },
}

/// What the signer asks the process of a module.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
enum TokenRequest {
    /// The first frame: the version of the asker's program, and whether the PIN is asked for with each key that is opened.
    Begin { program: String, each: bool },
    /// Counts the tokens that the reference means: [`TokenReply::Tokens`]. `anew`: the module is initialized anew before,
    /// unless a token is in use.
    Find { key: WireKey, anew: bool },
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
    /// Takes signatures on one more connection, whose end comes with the frame: [`TokenReply::Done`].
    Join,
    /// Answers [`TokenReply::AskPin`]: the pipe comes with the frame.
    Pin,
    /// Answers [`TokenReply::AskPin`]: there is none.
    NoPin { failure: Failure },
    /// Answers [`TokenReply::WrongPin`]: whether another may come.
    Again { again: bool },
}

/// What the process of a module answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
enum TokenReply {
    /// It is done.
    Done,
    /// It failed.
    Failed { failure: Failure },
    /// So many tokens are meant.
    Tokens { count: usize },
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

#[cfg(test)]
pub(crate) mod stubs;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod waiting_tests;
