//! Errors of keys and signing, and their messages.
use super::KeyPlace;
use crate::error::{Code, Problem, Remedy, Shown as _, remedy};
use crate::home::{AccessFinding, WriteError};
use crate::x509::{MalformedDer, Name};
use std::path::{Path, PathBuf};

/// Errors of a private key or its store.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key does not exist.
    #[error("the key {0} is not here")]
    NotFound(KeyPlace),
    /// A key of this name exists.
    #[error("the key {0} exists already")]
    Exists(KeyPlace),
    /// The source of the passphrase or PIN cannot be used, for this reason.
    #[error("no passphrase: {0}")]
    SecretUnavailable(String),
    /// The passphrase of this key would have to be entered by a user, and nobody can be asked.
    #[error("the passphrase of {0} is needed and nobody can be asked")]
    InputNeeded(String),
    /// The user pressed Ctrl-C when asked for the passphrase of this key.
    #[error("interrupted: the passphrase for {0} was not given")]
    Interrupted(String),
    /// The passphrase or PIN is wrong.
    #[error("the passphrase does not open {0}")]
    SecretRejected(KeyPlace),
    /// The token or file failed.
    #[error("{0}: {1}")]
    Backend(KeyPlace, String),
    /// The system cannot read the key's file, for this reason.
    #[error("{0} cannot be read: {1}")]
    NotRead(KeyPlace, String),
    /// Owner or mode of the key, its directory or the passphrase's file give other users access.
    #[error("{0}")]
    Unsafe(AccessFinding),
    /// The key cannot be written into its file; the disk may be full.
    #[error("{0}")]
    NotWritten(#[from] WriteError),
    /// Octets or text are not a private key of a supported type, for this reason.
    #[error("not a private key that can be used: {0}")]
    Malformed(String),
    /// The cryptographic library or the system's random generator failed at this operation.
    #[error("{0} failed")]
    Cryptography(&'static str),
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let (code, hint): (_, Remedy) = match &error {
            KeyError::NotFound(_) => {
                (Code::KeyNotFound, "bring the key file back to this place if it is kept elsewhere".into())
            }
            KeyError::Exists(_) => (Code::KeyExists, "choose another name; a key is never replaced".into()),
            KeyError::SecretUnavailable(_) => {
                (Code::KeyPassphraseUnavailable, remedy::Access::PassphraseSource.into())
            }
            KeyError::InputNeeded(_) => {
                (Code::KeyPassphraseNeeded, remedy::Access::NamePassphraseSource.into())
            }
            KeyError::Interrupted(_) => {
                (Code::KeyInterrupted, "run the command again, and type the passphrase".into())
            }
            KeyError::SecretRejected(_) => {
                (Code::KeyPassphraseWrong, "try again with the right passphrase".into())
            }
            KeyError::Backend(..) => (Code::KeyUnusable, "restore the key from its backup".into()),
            KeyError::NotRead(..) => (
                Code::KeyNotRead,
                "see what keeps the system from reading it, then try again; nothing was changed".into(),
            ),
            KeyError::Unsafe(finding) => (Code::KeyUnsafe, format!("run: {}", finding.remedy).into()),
            KeyError::NotWritten(_) => (
                Code::KeyNotWritten,
                "make room or mend the directory's owner and mode, then try again".into(),
            ),
            KeyError::Malformed(_) => (Code::KeyMalformed, "use a P-256, P-384, Ed25519 or RSA key".into()),
            KeyError::Cryptography(_) => (Code::KeyCryptography, "try again".into()),
        };
        Self::of(code, error).hint(hint)
    }
}

/// Errors of the mark beside a key.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// The store of this key keeps no marks.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The file is not a valid mark.
    #[error("{}: {reason}", path.shown())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Something other than a file is at the path of the mark.
    #[error("{}: {reason}", path.shown())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The type of what is there.
        reason: String,
    },
    /// The system lacks a resource that reading takes.
    #[error("{} cannot be read: {source}", path.shown())]
    NotRead {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The mark cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Another process is raising a mark and does not finish.
    #[error("another process is publishing")]
    Busy,
}

impl MarkError {
    /// Returns the file that is not a usable mark, and the reason in words that follow its name; `None` for other
    /// errors.
    #[must_use]
    pub(crate) fn fault(&self) -> Option<(&Path, String)> {
        match self {
            Self::Unreadable { path, reason } | Self::NotAFile { path, reason } => {
                Some((path, reason.clone()))
            }
            Self::NotRead { path, source } => Some((path, format!("cannot be read: {source}"))),
            Self::Key(_) | Self::Write(_) | Self::Busy => None,
        }
    }
}

/// Reasons why something was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The key cannot be used.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The structure names another issuer than the CA of this key.
    #[error("{}", other_issuer(named, own))]
    Issuer {
        /// The issuer that it names.
        named: Name,
        /// The CA's name.
        own: Name,
    },
    /// The octets are not of the kind that this signer signs; the text names that kind.
    #[error("what is to be signed is not {0}")]
    Contents(&'static str),
    /// The signed structure cannot be decoded.
    #[error("{0}")]
    Unreadable(#[from] MalformedDer),
    /// The signature does not verify.
    #[error("the signature just made does not verify")]
    Signature,
}

fn other_issuer(named: &Name, own: &Name) -> String {
    if named == own {
        return format!("what is to be signed names `{own}` as its issuer, but another key than that one's");
    }
    let (named, own) = named.beside(own);
    format!("what is to be signed names {named} as its issuer, and the key is that of {own}")
}

impl From<SigningError> for Problem {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::Key(error) => error.into(),
            SigningError::Issuer { .. } | SigningError::Contents(_) => {
                Self::of(Code::IssuerMismatch, error).hint("nothing was signed; this is a defect")
            }
            SigningError::Unreadable(_) => Self::of(Code::KeySignature, error),
            SigningError::Signature => Self::of(Code::KeySignature, error)
                .hint("the key or the machine is faulty; nothing was handed out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;
    use crate::home::AccessCause;
    use std::path::PathBuf;

    #[test]
    fn each_failure_has_the_exit_status_of_the_contract() {
        let key = || KeyPlace::File(PathBuf::from("/k.age"));
        let finding = AccessFinding {
            path: "/k.age".into(),
            cause: AccessCause::Mode(0o044),
            fault: "can be read by others (mode 0644)".into(),
            remedy: "chmod go-rwx /k.age".into(),
        };
        for (error, exit) in [
            (KeyError::NotFound(key()), Exit::KeyUnavailable),
            (KeyError::Exists(key()), Exit::Exists),
            (KeyError::SecretUnavailable("VAR is not set".into()), Exit::KeyUnavailable),
            (KeyError::InputNeeded("k".into()), Exit::InputNeeded),
            (KeyError::SecretRejected(key()), Exit::KeyUnavailable),
            (KeyError::Unsafe(finding), Exit::Permissions),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.exit, exit, "{}", problem.code);
            assert!(!problem.hint.is_empty());
        }
    }
}
