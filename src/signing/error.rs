//! What goes wrong with keys, and how it is told.
use super::KeyPlace;
use crate::error::{Code, Problem, Remedy, Shown as _, remedy};
use crate::home::{Finding, WriteError};
use crate::x509::{MalformedDer, Name};
use std::path::{Path, PathBuf};

/// What can go wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No such key.
    #[error("the key {0} is not here")]
    NotFound(KeyPlace),
    /// The name is taken.
    #[error("the key {0} exists already")]
    Exists(KeyPlace),
    /// The source of the passphrase or PIN cannot be used; says why.
    #[error("no passphrase: {0}")]
    SecretUnavailable(String),
    /// A person would have to be asked for the passphrase of this key, and nobody can be.
    #[error("the passphrase of {0} is needed and nobody can be asked")]
    InputNeeded(String),
    /// The person who was asked for the passphrase pressed Ctrl-C; says of what.
    #[error("interrupted: the passphrase for {0} was not given")]
    Interrupted(String),
    /// The passphrase or PIN is wrong.
    #[error("the passphrase does not open {0}")]
    SecretRejected(KeyPlace),
    /// The token or file failed.
    #[error("{0}: {1}")]
    Backend(KeyPlace, String),
    /// The system cannot read the key's file; says why.
    #[error("{0} cannot be read: {1}")]
    NotRead(KeyPlace, String),
    /// Owner or mode of the key, its directory or the passphrase's file let others at it.
    #[error("{0}")]
    Unsafe(Finding),
    /// The key cannot be put into its file; the disk may be full.
    #[error("{0}")]
    NotWritten(#[from] WriteError),
    /// Octets or text that are no private key of a supported type; says why.
    #[error("not a private key that can be used: {0}")]
    Malformed(String),
    /// The cryptographic library or the system's random generator failed at this.
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

/// What can go wrong with the mark beside a key.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// The key has no place for one.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It is not what it should be.
    #[error("{}: {reason}", path.shown())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// Something else than a file is in its place.
    #[error("{}: {reason}", path.shown())]
    NotAFile {
        /// The place.
        path: PathBuf,
        /// What is there.
        reason: String,
    },
    /// The system is short of what it takes to read it.
    #[error("{} cannot be read: {source}", path.shown())]
    NotRead {
        /// The file.
        path: PathBuf,
        /// What the system is short of.
        source: std::io::Error,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Another process is raising one and does not end.
    #[error("another process is publishing")]
    Busy,
}

impl MarkError {
    /// The file that cannot be used as the mark, and why, to be read behind its name; `None` when it is not about one.
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

/// Why something was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The key cannot be used.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// It is by another issuer than the CA of this key.
    #[error("{}", other_issuer(named, own))]
    Issuer {
        /// The issuer that it names.
        named: Name,
        /// The CA's name.
        own: Name,
    },
    /// The octets are not what this key signs; says what that is.
    #[error("what is to be signed is not {0}")]
    Contents(&'static str),
    /// What was signed cannot be read.
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
    use crate::home::Cause;
    use std::path::PathBuf;

    #[test]
    fn each_failure_has_the_exit_status_of_the_contract() {
        let key = || KeyPlace::File(PathBuf::from("/k.age"));
        let finding = Finding {
            path: "/k.age".into(),
            cause: Cause::Mode(0o044),
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
