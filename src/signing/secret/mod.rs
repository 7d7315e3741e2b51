//! Sources of passphrases: the values of `--passphrase-from`.
mod mistyped;
mod orders;
mod policy;
mod read;
mod sources;
mod unattended;

pub use mistyped::{Mistyped, TRIES};
pub use orders::{Aside, PassphraseOrders};
pub use policy::PassphrasePolicy;
pub use sources::{NewPassphrases, PassphraseSources};
pub(crate) use unattended::Unattended;

use super::{KeyError, RecipientText};
use crate::error::{Code, Problem, Shown as _};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A passphrase or PIN, wiped after use.
pub type Secret = Zeroizing<String>;

/// The purpose for which a secret is asked.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum SecretPurpose {
    /// Unlocking the key of this name.
    Open(String),
    /// Protecting a new key of this name; an interactive source asks twice.
    Protect(String),
    /// Protecting the existing key of this name from now on; an interactive source asks twice.
    Replace(String),
}

impl SecretPurpose {
    /// Returns the name of the key.
    #[must_use]
    pub fn key(&self) -> &str {
        let (Self::Open(key) | Self::Protect(key) | Self::Replace(key)) = self;
        key
    }
}

/// A source of passphrases and PINs. The library itself never uses a terminal.
pub trait SecretSource: Send + Sync {
    /// Returns the secret for this purpose.
    ///
    /// # Errors
    /// [`KeyError::InputNeeded`] when a user would have to be asked and cannot be, [`KeyError::SecretUnavailable`]
    /// when the source cannot be used.
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError>;

    /// Takes note that the secret returned last for this purpose was wrong. Returns whether another call of
    /// [`SecretSource::secret`] may bring another: only a person is asked again, at most [`TRIES`] times in all.
    fn try_again(&self, purpose: &SecretPurpose) -> bool {
        let _ = purpose;
        false
    }

    /// Returns the recipients to which a new key of this name is encrypted in place of a passphrase; usually none. Then
    /// [`SecretSource::secret`] has an identity of one of them to open it.
    fn recipients(&self, key: &str) -> Vec<RecipientText> {
        let _ = key;
        Vec::new()
    }

    /// Shows a person a new secret that was generated, and makes sure that it is written down.
    ///
    /// # Errors
    /// [`KeyError::InputNeeded`] when there is nobody to show it to.
    fn show(&self, purpose: &SecretPurpose, secret: &Secret) -> Result<(), KeyError> {
        let _ = secret;
        Err(KeyError::InputNeeded(purpose.key().to_owned()))
    }
}

impl<S: SecretSource + ?Sized> SecretSource for &S {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        (**self).secret(purpose)
    }

    fn try_again(&self, purpose: &SecretPurpose) -> bool {
        (**self).try_again(purpose)
    }

    fn recipients(&self, key: &str) -> Vec<RecipientText> {
        (**self).recipients(key)
    }

    fn show(&self, purpose: &SecretPurpose, secret: &Secret) -> Result<(), KeyError> {
        (**self).show(purpose, secret)
    }
}

impl<S: SecretSource + ?Sized> SecretSource for Arc<S> {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        (**self).secret(purpose)
    }

    fn try_again(&self, purpose: &SecretPurpose) -> bool {
        (**self).try_again(purpose)
    }

    fn recipients(&self, key: &str) -> Vec<RecipientText> {
        (**self).recipients(key)
    }

    fn show(&self, purpose: &SecretPurpose, secret: &Secret) -> Result<(), KeyError> {
        (**self).show(purpose, secret)
    }
}

/// Opens something with a secret, and once more with another as long as it was wrong and its source has another. `open`
/// asks for the secret when it knows that one is needed.
///
/// # Errors
/// Those of `open`.
pub fn open_with<T>(
    secrets: &dyn SecretSource,
    purpose: &SecretPurpose,
    mut open: impl FnMut(&mut dyn FnMut() -> Result<Secret, KeyError>) -> Result<T, KeyError>,
) -> Result<T, KeyError> {
    loop {
        match open(&mut || secrets.secret(purpose)) {
            Err(KeyError::SecretRejected(_)) if secrets.try_again(purpose) => {}
            opened => return opened,
        }
    }
}

/// A source for use without a user: each request is [`KeyError::InputNeeded`].
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl SecretSource for Nobody {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        Err(KeyError::InputNeeded(purpose.key().to_owned()))
    }
}

/// A source of passphrases that was named but not read yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum SecretSpec {
    /// `prompt`: the user is asked on the terminal.
    #[default]
    Prompt,
    /// `file:PATH`: the contents of a file that only its owner can read.
    File(PathBuf),
    /// `env:VAR`: an environment variable.
    Environment(String),
    /// `fd:N`: a file descriptor that the process inherited.
    Descriptor(u32),
    /// `cred:NAME`: a credential that systemd passes to a service.
    Credential(String),
}

/// Reasons why a text names no source of passphrases. The text is not repeated, as it may be the passphrase.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSecretSpec {
    /// `pass:SECRET`: a passphrase on the command line is refused.
    #[error("a passphrase is never written out: on a command line it shows in the process list")]
    OnCommandLine,
    /// The text begins with none of the known schemes.
    #[error("not a source of passphrases")]
    UnknownSource,
    /// `file:` without a path.
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
    /// Returns the source; `prompt` serves for [`SecretSpec::Prompt`].
    ///
    /// A file descriptor is duplicated here, so the program calls this before it opens files of its own.
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

/// Writes the source as a user types it.
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
