//! Where a passphrase comes from: what is written after `--passphrase-from`.
mod read;
mod sources;

pub use sources::PassphraseSources;

use super::KeyError;
use crate::error::{Code, Problem, Shown as _};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A passphrase or PIN, wiped after use.
pub type Secret = Zeroizing<String>;

/// What a secret is wanted for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SecretPurpose {
    /// To open the key of this name.
    Open(String),
    /// To protect a new key of this name; an interactive source asks twice.
    Protect(String),
}

/// Asks for a passphrase or PIN; the library never touches a terminal.
pub trait SecretSource: Send + Sync {
    /// The secret for this purpose.
    ///
    /// # Errors
    /// [`KeyError::InputNeeded`] when a person would have to be asked and cannot be,
    /// [`KeyError::SecretUnavailable`] when the source cannot be used.
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError>;
}

impl<S: SecretSource + ?Sized> SecretSource for &S {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        (**self).secret(purpose)
    }
}

impl<S: SecretSource + ?Sized> SecretSource for Arc<S> {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        (**self).secret(purpose)
    }
}

/// Nobody is there to be asked.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl SecretSource for Nobody {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let (SecretPurpose::Open(key) | SecretPurpose::Protect(key)) = purpose;
        Err(KeyError::InputNeeded(key.clone()))
    }
}

/// A source of passphrases, named but not yet read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum SecretSpec {
    /// `prompt`: a person is asked on the terminal.
    #[default]
    Prompt,
    /// `file:PATH`: the contents of a file that only its owner can read.
    File(PathBuf),
    /// `env:VAR`: an environment variable.
    Environment(String),
    /// `fd:N`: a file descriptor that the program was started with.
    Descriptor(u32),
    /// `cred:NAME`: a credential that systemd hands to a service.
    Credential(String),
}

/// Why text names no source of passphrases. The text is not repeated: it may be the passphrase.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSecretSpec {
    /// `pass:SECRET`.
    #[error("a passphrase is never written out: on a command line it shows in the process list")]
    OnCommandLine,
    /// None of the words.
    #[error("not a source of passphrases")]
    UnknownSource,
    /// `file:` alone.
    #[error("file: is followed by a path")]
    NoPath,
    /// `env:` without the name of a variable.
    #[error("env: is followed by the name of a variable")]
    NoVariable,
    /// `fd:` without a number.
    #[error("fd: is followed by the number of a file descriptor")]
    NoDescriptor,
    /// `cred:` without the name of a credential.
    #[error("cred: is followed by the name of a credential, which has no slash")]
    NoCredential,
}

impl From<InvalidSecretSpec> for Problem {
    fn from(error: InvalidSecretSpec) -> Self {
        Self::of(Code::UsagePassphraseFrom, error).hint("use prompt, file:PATH, env:VAR, fd:N or cred:NAME")
    }
}

impl SecretSpec {
    /// The source itself; `prompt` is asked where this says `prompt`.
    ///
    /// A file descriptor is taken hold of here, so this is called before the program opens files of its own.
    #[must_use]
    pub fn source<'a>(self, prompt: impl SecretSource + 'a) -> PassphraseSources<'a> {
        PassphraseSources::new(self, Box::new(prompt))
    }
}

impl FromStr for SecretSpec {
    type Err = InvalidSecretSpec;

    fn from_str(text: &str) -> Result<Self, InvalidSecretSpec> {
        if text == "prompt" {
            return Ok(Self::Prompt);
        }
        let (kind, rest) = text.split_once(':').ok_or(InvalidSecretSpec::UnknownSource)?;
        let is_variable = |name: &str| !name.is_empty() && !name.contains(['=', '\0']);
        let is_credential = |name: &str| !["", ".", ".."].contains(&name) && !name.contains(['/', '\0']);
        match kind {
            "file" if rest.is_empty() => Err(InvalidSecretSpec::NoPath),
            "file" => Ok(Self::File(rest.into())),
            "env" if is_variable(rest) => Ok(Self::Environment(rest.into())),
            "env" => Err(InvalidSecretSpec::NoVariable),
            "fd" => rest.parse().map(Self::Descriptor).map_err(|_| InvalidSecretSpec::NoDescriptor),
            "cred" if is_credential(rest) => Ok(Self::Credential(rest.into())),
            "cred" => Err(InvalidSecretSpec::NoCredential),
            "pass" => Err(InvalidSecretSpec::OnCommandLine),
            _ => Err(InvalidSecretSpec::UnknownSource),
        }
    }
}

/// As it is typed.
impl fmt::Display for SecretSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt => f.write_str("prompt"),
            Self::File(path) => write!(f, "file:{}", path.shown()),
            Self::Environment(variable) => write!(f, "env:{variable}"),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
            Self::Credential(name) => write!(f, "cred:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn sources_are_read_as_typed() {
        for text in ["prompt", "file:/a b/c:d", "env:CA_PASS", "fd:3", "cred:genfic"] {
            assert_eq!(text.parse::<SecretSpec>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_passphrase_on_the_command_line_is_refused_and_never_repeated() {
        // K2
        let problem = Problem::from("pass:s3cret".parse::<SecretSpec>().unwrap_err());
        assert_eq!((problem.exit, problem.code.code()), (Exit::Usage, "usage.passphrase-from"));
        assert!(problem.message.contains("process list"));
        for text in ["pass:s3cret", "s3cret", "Prompt:s3cret", "fd:s3cret", "cred:s3cret/", "env:s3cret="] {
            let error = text.parse::<SecretSpec>().unwrap_err();
            assert!(!format!("{error} {error:?} {:?}", Problem::from(error)).contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn a_source_without_its_name_is_refused() {
        for text in ["", "file:", "env:", "fd:", "fd:-1", "fd:x", "cred:", "cred:..", "cred:a/b", "prompt:"] {
            assert!(text.parse::<SecretSpec>().is_err(), "{text}");
        }
    }
}
