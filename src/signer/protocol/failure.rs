//! Errors of the signer as they come over to its client, which gets the same error as if it had the key itself.
use super::words::{WireAccess, WirePath, WirePlace};
use crate::error::Code;
use crate::home::WriteError;
use crate::signing::{KeyError, MarkError, Mistyped, SigningError};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;

/// An error of the signer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub(crate) enum Failure {
    /// [`KeyError::NotFound`]
    NotFound { place: WirePlace },
    /// [`KeyError::Exists`]
    Exists { place: WirePlace },
    /// [`KeyError::SecretUnavailable`]
    SecretUnavailable { reason: String },
    /// [`KeyError::SecretFileExists`]
    SecretFileExists { file: String },
    /// [`KeyError::InputNeeded`]
    InputNeeded { key: String },
    /// [`KeyError::NewInputNeeded`]
    NewInputNeeded { key: String },
    /// [`KeyError::NotShown`]
    NotShown { key: String },
    /// [`KeyError::Mistyped`]
    Mistyped { key: String, mistake: WireMistake },
    /// [`KeyError::Weak`]
    Weak { key: String, reason: String },
    /// [`KeyError::Interrupted`]
    Interrupted { key: String },
    /// [`KeyError::SecretRejected`]
    SecretRejected { place: WirePlace },
    /// [`KeyError::NotAnIdentity`]
    NotAnIdentity { place: WirePlace },
    /// [`KeyError::IdentityRejected`]
    IdentityRejected { place: WirePlace },
    /// [`KeyError::Plugin`]
    Plugin { place: WirePlace, reason: String },
    /// [`KeyError::PluginNotRun`]
    PluginNotRun { place: WirePlace, plugin: String },
    /// [`KeyError::Backend`]
    Backend { place: WirePlace, reason: String },
    /// [`KeyError::NotRead`]
    NotRead { place: WirePlace, reason: String },
    /// [`KeyError::Unsafe`]
    Unsafe { access: WireAccess },
    /// [`KeyError::NotWritten`], [`MarkError::Write`]
    NotWritten { path: WirePath, error: WireIo },
    /// [`KeyError::Malformed`]
    Malformed { reason: String },
    /// [`KeyError::Cryptography`]
    Cryptography { operation: String },
    /// [`KeyError::OtherKey`]
    OtherKey { place: WirePlace },
    /// [`KeyError::TokenGone`]
    TokenGone { place: WirePlace, reason: String },
    /// [`KeyError::TokenUnable`]
    TokenUnable { place: WirePlace, reason: String },
    /// [`KeyError::TokenFailed`]
    TokenFailed { place: WirePlace, reason: String },
    /// [`KeyError::PinRejected`]
    PinRejected { place: WirePlace },
    /// [`KeyError::PinLastTry`]
    PinLastTry { place: WirePlace },
    /// [`KeyError::PinLocked`]
    PinLocked { place: WirePlace },
    /// [`KeyError::Module`]
    Module { module: String, reason: String },
    /// [`KeyError::ModuleUnknown`]
    ModuleUnknown { module: String },
    /// [`KeyError::NoModule`]
    NoModule { place: WirePlace },
    /// [`KeyError::Signer`]
    Signer { reason: String },
    /// [`KeyError::NotReached`], which a client says to itself
    NotReached { socket: WirePath, reason: String },
    /// [`KeyError::NoService`], likewise
    NoService { uri: String },
    /// [`KeyError::Prevented`]
    Prevented { code: String, reason: String, hint: String },
    /// [`KeyError::Locked`]
    Locked { key: String, scope: Option<String>, reason: String },
    /// [`MarkError::Unreadable`]
    MarkUnreadable { path: WirePath, reason: String },
    /// [`MarkError::NotAFile`]
    MarkNotAFile { path: WirePath, reason: String },
    /// [`MarkError::NotRead`]
    MarkNotRead { path: WirePath, error: WireIo },
    /// [`MarkError::Busy`]
    MarkBusy,
    /// [`SigningError::Refused`]: the signer's rules do not admit it.
    Refused { reason: String },
    /// [`SigningError::NotAdmitted`]: the code of the rule, its words, and the serial numbers of entries whose
    /// certificates the signer asks to see.
    NotAdmitted {
        code: String,
        message: String,
        hint: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unknown: Vec<String>,
    },
}

/// [`Mistyped`]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WireMistake {
    Nothing,
    Empty,
    NotText,
    Differ,
    Wrong,
    NotAsShown,
    FileKey,
    Weak(String),
}

/// An error of the system: its number, or its text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WireIo {
    Number(i32),
    Text(String),
}

impl From<&io::Error> for WireIo {
    fn from(error: &io::Error) -> Self {
        error.raw_os_error().map_or_else(|| Self::Text(error.to_string()), Self::Number)
    }
}

impl From<WireIo> for io::Error {
    fn from(error: WireIo) -> Self {
        match error {
            WireIo::Number(number) => Self::from_raw_os_error(number),
            WireIo::Text(text) => Self::other(text),
        }
    }
}

impl From<&Mistyped> for WireMistake {
    fn from(mistake: &Mistyped) -> Self {
        match mistake {
            Mistyped::Nothing => Self::Nothing,
            Mistyped::Empty => Self::Empty,
            Mistyped::NotText => Self::NotText,
            Mistyped::Differ => Self::Differ,
            Mistyped::Wrong => Self::Wrong,
            Mistyped::NotAsShown => Self::NotAsShown,
            Mistyped::FileKey => Self::FileKey,
            Mistyped::Weak(reason) => Self::Weak(reason.clone()),
        }
    }
}

impl From<WireMistake> for Mistyped {
    fn from(mistake: WireMistake) -> Self {
        match mistake {
            WireMistake::Nothing => Self::Nothing,
            WireMistake::Empty => Self::Empty,
            WireMistake::NotText => Self::NotText,
            WireMistake::Differ => Self::Differ,
            WireMistake::Wrong => Self::Wrong,
            WireMistake::NotAsShown => Self::NotAsShown,
            WireMistake::FileKey => Self::FileKey,
            WireMistake::Weak(reason) => Self::Weak(reason),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NotFound(place) => Self::NotFound { place: (&place).into() },
            KeyError::Exists(place) => Self::Exists { place: (&place).into() },
            KeyError::SecretUnavailable(reason) => Self::SecretUnavailable { reason },
            KeyError::SecretFileExists(file) => Self::SecretFileExists { file },
            KeyError::InputNeeded(key) => Self::InputNeeded { key },
            KeyError::NewInputNeeded(key) => Self::NewInputNeeded { key },
            KeyError::NotShown(key) => Self::NotShown { key },
            KeyError::Mistyped(key, mistake) => Self::Mistyped { key, mistake: (&mistake).into() },
            KeyError::Weak(key, reason) => Self::Weak { key, reason },
            KeyError::Interrupted(key) => Self::Interrupted { key },
            KeyError::SecretRejected(place) => Self::SecretRejected { place: (&place).into() },
            KeyError::NotAnIdentity(place) => Self::NotAnIdentity { place: (&place).into() },
            KeyError::IdentityRejected(place) => Self::IdentityRejected { place: (&place).into() },
            KeyError::Plugin(place, reason) => Self::Plugin { place: (&place).into(), reason },
            KeyError::PluginNotRun(place, plugin) => Self::PluginNotRun { place: (&place).into(), plugin },
            KeyError::Backend(place, reason) => Self::Backend { place: (&place).into(), reason },
            KeyError::NotRead(place, reason) => Self::NotRead { place: (&place).into(), reason },
            KeyError::Unsafe(finding) => Self::Unsafe { access: (&finding).into() },
            KeyError::NotWritten(error) => not_written(&error),
            KeyError::Malformed(reason) => Self::Malformed { reason },
            KeyError::Cryptography(operation) => Self::Cryptography { operation: operation.to_string() },
            // no signer knows of media; its client does
            KeyError::Offline(_) => Self::Signer { reason: error.to_string() },
            KeyError::Signer(reason) => Self::Signer { reason },
            KeyError::NotReached { socket, reason } => {
                Self::NotReached { socket: socket.as_path().into(), reason }
            }
            KeyError::NoService(uri) => Self::NoService { uri },
            // a client's own, which no signer says
            error @ KeyError::NotListening { .. } => Self::Signer { reason: error.to_string() },
            KeyError::Prevented { code, reason, hint } => {
                Self::Prevented { code: code.code().to_owned(), reason, hint }
            }
            KeyError::Locked { key, scope, reason } => Self::Locked { key, scope, reason },
            KeyError::OtherKey(place) => Self::OtherKey { place: (&place).into() },
            KeyError::TokenGone(place, reason) => Self::TokenGone { place: (&place).into(), reason },
            KeyError::TokenUnable(place, reason) => Self::TokenUnable { place: (&place).into(), reason },
            KeyError::TokenFailed(place, reason) => Self::TokenFailed { place: (&place).into(), reason },
            KeyError::PinRejected(place) => Self::PinRejected { place: (&place).into() },
            KeyError::PinLastTry(place) => Self::PinLastTry { place: (&place).into() },
            KeyError::PinLocked(place) => Self::PinLocked { place: (&place).into() },
            KeyError::Module(module, reason) => Self::Module { module, reason },
            KeyError::ModuleUnknown(module) => Self::ModuleUnknown { module },
            KeyError::NoModule(place) => Self::NoModule { place: (&place).into() },
        }
    }
}

fn not_written(error: &WriteError) -> Failure {
    Failure::NotWritten { path: error.path.as_path().into(), error: (&error.source).into() }
}

impl From<MarkError> for Failure {
    fn from(error: MarkError) -> Self {
        let wire = |path: PathBuf| WirePath::from(path.as_path());
        match error {
            MarkError::Key(error) => error.into(),
            MarkError::Unreadable { path, reason } => Self::MarkUnreadable { path: wire(path), reason },
            MarkError::NotAFile { path, reason } => Self::MarkNotAFile { path: wire(path), reason },
            MarkError::NotRead { path, source } => {
                Self::MarkNotRead { path: wire(path), error: (&source).into() }
            }
            MarkError::Write(error) => not_written(&error),
            MarkError::Busy => Self::MarkBusy,
        }
    }
}

impl From<SigningError> for Failure {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::Key(error) => error.into(),
            other => Self::Refused { reason: other.to_string() },
        }
    }
}

/// What the signer says of a mark does not come in an answer about a key, and the reverse.
fn unexpected() -> KeyError {
    KeyError::Signer("it gave an answer that does not belong to the question".into())
}

fn code_of(text: &str) -> Option<Code> {
    Code::ALL.iter().find(|one| one.code() == text).copied()
}

impl From<Failure> for KeyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound { place } => Self::NotFound(place.into()),
            Failure::Exists { place } => Self::Exists(place.into()),
            Failure::SecretUnavailable { reason } => Self::SecretUnavailable(reason),
            Failure::SecretFileExists { file } => Self::SecretFileExists(file),
            Failure::InputNeeded { key } => Self::InputNeeded(key),
            Failure::NewInputNeeded { key } => Self::NewInputNeeded(key),
            Failure::NotShown { key } => Self::NotShown(key),
            Failure::Mistyped { key, mistake } => Self::Mistyped(key, mistake.into()),
            Failure::Weak { key, reason } => Self::Weak(key, reason),
            Failure::Interrupted { key } => Self::Interrupted(key),
            Failure::SecretRejected { place } => Self::SecretRejected(place.into()),
            Failure::NotAnIdentity { place } => Self::NotAnIdentity(place.into()),
            Failure::IdentityRejected { place } => Self::IdentityRejected(place.into()),
            Failure::Plugin { place, reason } => Self::Plugin(place.into(), reason),
            Failure::PluginNotRun { place, plugin } => Self::PluginNotRun(place.into(), plugin),
            Failure::Backend { place, reason } => Self::Backend(place.into(), reason),
            Failure::NotRead { place, reason } => Self::NotRead(place.into(), reason),
            Failure::Unsafe { access } => Self::Unsafe(access.into()),
            Failure::NotWritten { path, error } => {
                Self::NotWritten(WriteError { path: path.into(), source: error.into() })
            }
            Failure::Malformed { reason } => Self::Malformed(reason),
            Failure::Cryptography { operation } => Self::Cryptography(operation.into()),
            Failure::OtherKey { place } => Self::OtherKey(place.into()),
            Failure::TokenGone { place, reason } => Self::TokenGone(place.into(), reason),
            Failure::TokenUnable { place, reason } => Self::TokenUnable(place.into(), reason),
            Failure::TokenFailed { place, reason } => Self::TokenFailed(place.into(), reason),
            Failure::PinRejected { place } => Self::PinRejected(place.into()),
            Failure::PinLastTry { place } => Self::PinLastTry(place.into()),
            Failure::PinLocked { place } => Self::PinLocked(place.into()),
            Failure::Module { module, reason } => Self::Module(module, reason),
            Failure::ModuleUnknown { module } => Self::ModuleUnknown(module),
            Failure::NoModule { place } => Self::NoModule(place.into()),
            Failure::Signer { reason }
            | Failure::Refused { reason }
            | Failure::NotAdmitted { message: reason, .. } => Self::Signer(reason),
            Failure::NotReached { socket, reason } => Self::NotReached { socket: socket.into(), reason },
            Failure::NoService { uri } => Self::NoService(uri),
            Failure::Prevented { code, reason, hint } => {
                Self::Prevented { code: code_of(&code).unwrap_or(Code::SignerUnavailable), reason, hint }
            }
            Failure::Locked { key, scope, reason } => Self::Locked { key, scope, reason },
            Failure::MarkUnreadable { .. }
            | Failure::MarkNotAFile { .. }
            | Failure::MarkNotRead { .. }
            | Failure::MarkBusy => unexpected(),
        }
    }
}

impl From<Failure> for MarkError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::MarkUnreadable { path, reason } => Self::Unreadable { path: path.into(), reason },
            Failure::MarkNotAFile { path, reason } => Self::NotAFile { path: path.into(), reason },
            Failure::MarkNotRead { path, error } => Self::NotRead { path: path.into(), source: error.into() },
            Failure::MarkBusy => Self::Busy,
            Failure::NotWritten { path, error } => {
                Self::Write(WriteError { path: path.into(), source: error.into() })
            }
            other => Self::Key(other.into()),
        }
    }
}

impl From<Failure> for SigningError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { reason } => Self::Refused(reason),
            Failure::NotAdmitted { code, message, hint, unknown } => Self::NotAdmitted {
                code: code_of(&code).unwrap_or(Code::SignerRefused),
                message,
                hint,
                unknown: unknown.iter().filter_map(|serial| serial.parse().ok()).collect(),
            },
            other => Self::Key(other.into()),
        }
    }
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
