//! Errors of keys and signing, and their messages.
use super::{KeyPlace, Mistyped};
use crate::error::{Code, Problem, Remedy, Shown as _, remedy};
use crate::home::{AccessFinding, WriteError};
use crate::x509::{MalformedDer, Name, SerialNumber};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Errors of a private key or its store.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key does not exist.
    #[error("the key {0} is not here")]
    NotFound(KeyPlace),
    /// The key of this CA is on media outside of this home, and none is in use.
    #[error("the key of {0} is kept offline, on media outside of this home")]
    Offline(String),
    /// A key of this name exists.
    #[error("the key {0} exists already")]
    Exists(KeyPlace),
    /// The source of the passphrase or PIN cannot be used, for this reason.
    #[error("no passphrase: {0}")]
    SecretUnavailable(String),
    /// A file for a generated passphrase is there already.
    #[error("{0} exists already, and a generated passphrase goes into a new file")]
    SecretFileExists(String),
    /// The passphrase of this key would have to be entered by a user, and nobody can be asked.
    #[error("the passphrase of {0} is needed and nobody can be asked")]
    InputNeeded(String),
    /// The new passphrase of this existing key would have to be entered by a user, and nobody can be asked.
    #[error("the new passphrase of {0} is needed and nobody can be asked")]
    NewInputNeeded(String),
    /// A generated passphrase of this key would have to be shown to a user, and nobody is there.
    #[error("the passphrase generated for {0} is to be shown and nobody can be asked")]
    NotShown(String),
    /// What a user typed as the passphrase of this key is none.
    #[error("no passphrase for {0}: {1}")]
    Mistyped(String, Mistyped),
    /// The new passphrase of this key is weak, for this reason.
    #[error("the new passphrase of {0} is soon guessed: {1}")]
    Weak(String, String),
    /// The user pressed Ctrl-C when asked for the passphrase of this key.
    #[error("interrupted: the passphrase for {0} was not given")]
    Interrupted(String),
    /// The passphrase or PIN is wrong.
    #[error("the passphrase does not open {0}")]
    SecretRejected(KeyPlace),
    /// What was given as the identity of a key file is none.
    #[error("what was given to open {0} is not an age identity")]
    NotAnIdentity(KeyPlace),
    /// The identity given belongs to none of the recipients of the key file.
    #[error("the identity given does not open {0}")]
    IdentityRejected(KeyPlace),
    /// A program that opens or encrypts the key file failed, for this reason.
    #[error("{0}: {1}")]
    Plugin(KeyPlace, String),
    /// This program would have to be executed for the key file, which is not done here.
    #[error("{0} needs {1}, and this program executes no plugin")]
    PluginNotRun(KeyPlace, String),
    /// The key in this place has another public key than the one on record.
    #[error("{0} is another key than the one on record")]
    OtherKey(KeyPlace),
    /// The token of this key is not there, or was taken away; the text says more.
    #[error("the token of {0} is not here: {1}")]
    TokenGone(KeyPlace, String),
    /// The token of this key cannot do this.
    #[error("the token of {0} cannot do this: {1}")]
    TokenUnable(KeyPlace, String),
    /// The token of this key failed, for this reason.
    #[error("the token of {0} failed: {1}")]
    TokenFailed(KeyPlace, String),
    /// The PIN is wrong. It was tried once.
    #[error("the PIN does not open the token of {0}")]
    PinRejected(KeyPlace),
    /// One more wrong PIN would lock the token, so none is tried.
    #[error("one more wrong PIN would lock the token of {0}, and none was tried")]
    PinLastTry(KeyPlace),
    /// The token takes no PIN any more.
    #[error("the token of {0} is locked: too many wrong PINs were tried")]
    PinLocked(KeyPlace),
    /// This PKCS#11 module cannot be loaded, for this reason.
    #[error("the PKCS#11 module {0} cannot be used: {1}")]
    Module(String, String),
    /// This PKCS#11 module is not among those that are configured.
    #[error("the PKCS#11 module {0} is not among those of the configuration")]
    ModuleUnknown(String),
    /// A key is in a token, and no PKCS#11 module is configured.
    #[error("{0} is in a token, and no PKCS#11 module is configured")]
    NoModule(KeyPlace),
    /// The file of a key failed.
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
    Cryptography(Cow<'static, str>),
    /// The signer, which has the key, cannot be used, for this reason.
    #[error("the signer of CA keys cannot be used: {0}")]
    Signer(String),
    /// The system, or what the signer keeps, prevents it.
    #[error("{reason}")]
    Prevented {
        /// The code of the cause.
        code: Code,
        /// The cause.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// No signer listens on this socket, for this reason.
    #[error("no signer of CA keys can be reached on {}: {reason}", socket.shown())]
    NotListening {
        /// The socket.
        socket: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The signer that listens on this socket for the CA's user, and has the key, is not reached, for this reason.
    #[error("the signer of CA keys on {} is not reached: {reason}", socket.shown())]
    NotReached {
        /// The socket.
        socket: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The key with this URI is in the signer that listens, and the configuration names no socket of it.
    #[error("{0} is a key of the signer that listens, and the configuration does not name its socket")]
    NoService(String),
    /// The signer has the key, and it is not unlocked for this.
    #[error("the key of {key} is locked: {reason}")]
    Locked {
        /// The name of the key.
        key: String,
        /// What it has to be unlocked for, as an option says it; `None` where that is not known yet.
        scope: Option<String>,
        /// Why, as a sentence about the key.
        reason: String,
    },
}

impl KeyError {
    /// Returns the error that a reference means so many tokens.
    pub(crate) fn several_tokens(place: KeyPlace, count: usize) -> Self {
        Self::TokenFailed(place, format!("{count} tokens are meant; say more of the one, such as serial="))
    }

    /// Returns whether the key is in another place than this home, on media or nobody knows where.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        matches!(self, Self::NotFound(_) | Self::Offline(_))
    }

    /// Returns whether the signer that has the key cannot be asked, so that nothing is known of the key.
    #[must_use]
    pub fn is_unasked(&self) -> bool {
        matches!(self, Self::Signer(_) | Self::NotReached { .. } | Self::NoService(_))
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let (code, hint): (_, Remedy) = match &error {
            KeyError::NotFound(_) => {
                (Code::KeyNotFound, "bring the key file back to this place if it is kept elsewhere".into())
            }
            KeyError::Offline(name) => (Code::KeyOffline, remedy::Access::BringMedium(name.clone()).into()),
            KeyError::Exists(_) => (Code::KeyExists, "choose another name; a key is never replaced".into()),
            KeyError::SecretUnavailable(_) => {
                (Code::KeyPassphraseUnavailable, remedy::Access::PassphraseSource.into())
            }
            KeyError::SecretFileExists(_) => {
                (Code::KeyPassphraseUnavailable, "move it away, or name another file".into())
            }
            KeyError::InputNeeded(_) => {
                (Code::KeyPassphraseNeeded, remedy::Access::NamePassphraseSource.into())
            }
            KeyError::NewInputNeeded(_) => {
                (Code::KeyPassphraseNeeded, remedy::Access::NameNewPassphraseSource.into())
            }
            KeyError::NotShown(_) => {
                (Code::KeyPassphraseNeeded, remedy::Access::NameFileForNewPassphrase.into())
            }
            KeyError::Mistyped(_, mistake) => (Code::KeyPassphraseUnavailable, mistake.advice().into()),
            KeyError::Weak(..) => (Code::KeyPassphraseWeak, remedy::Access::StrongerPassphrase.into()),
            KeyError::Interrupted(_) => {
                (Code::KeyInterrupted, "run the command again, and type the passphrase".into())
            }
            KeyError::SecretRejected(_) => {
                (Code::KeyPassphraseWrong, "try again with the right passphrase".into())
            }
            KeyError::NotAnIdentity(_) | KeyError::IdentityRejected(_) => {
                (Code::KeyIdentityWrong, remedy::Access::KeyIdentity.into())
            }
            KeyError::Plugin(..) => (
                Code::KeyPlugin,
                "see that the plugin is installed and in PATH, and what it opens with is connected; nothing was changed".into(),
            ),
            KeyError::PluginNotRun(..) => (Code::KeyPlugin, remedy::Access::OpenByPlugin.into()),
            KeyError::Backend(..) => (Code::KeyUnusable, "restore the key from its backup".into()),
            KeyError::OtherKey(_) => (
                Code::KeyMismatch,
                "nothing was signed; put in the token that has the CA's key, or name the right object".into(),
            ),
            KeyError::TokenGone(..) => (
                Code::KeyTokenMissing,
                "put the token in, or start what its module connects to, then run the command again".into(),
            ),
            KeyError::TokenUnable(..) => {
                (Code::KeyTokenUnable, "choose a key type that the token has, or another token".into())
            }
            KeyError::TokenFailed(..) => (
                Code::KeyTokenFailed,
                "look at the token with its own tools, for example pkcs11-tool -L".into(),
            ),
            KeyError::PinRejected(_) => (
                Code::KeyPinWrong,
                "it was tried once; make sure of it before the next try, since tokens lock themselves".into(),
            ),
            KeyError::PinLastTry(_) => (
                Code::KeyPinLastTry,
                "log in once with the token's own tools, which clears its count, or have its PIN set anew; for the \
                 signer that listens start genfic-signer-tokens again when you are sure of the PIN, where the token \
                 tells no count"
                    .into(),
            ),
            KeyError::PinLocked(_) => (
                Code::KeyPinLocked,
                "have its security officer set a new PIN with the token's own tools".into(),
            ),
            KeyError::Module(..) => {
                (Code::KeyModule, "install the module, or mend its path in modules below [pkcs11]".into())
            }
            KeyError::ModuleUnknown(_) => (
                Code::KeyModuleUnknown,
                "add it to modules below [pkcs11] in genfic-ca.toml, if it is to be trusted".into(),
            ),
            KeyError::NoModule(_) => (
                Code::KeyModuleUnknown,
                "name the token's module in genfic-ca.toml: [pkcs11] modules = [\"/usr/lib/...\"]".into(),
            ),
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
            KeyError::Signer(_) => (Code::SignerUnavailable, remedy::Access::Signer.into()),
            KeyError::Prevented { code, hint, .. } => (*code, hint.clone().into()),
            KeyError::NotListening { .. } => (Code::SignerUnavailable, remedy::Access::SignerSocket.into()),
            KeyError::NotReached { .. } => (Code::SignerUnavailable, remedy::Access::SignerService.into()),
            KeyError::NoService(_) => (Code::SignerUnavailable, remedy::Access::NameSigner.into()),
            KeyError::Locked { key, scope, .. } => {
                (Code::SignerLocked, remedy::Access::Unlock(key.clone(), scope.clone()).into())
            }
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
    /// The rules of the signer do not admit it, for this reason.
    #[error("the signer does not sign it: {0}")]
    Refused(String),
    /// A rule of the signer does not admit it.
    #[error("{message}")]
    NotAdmitted {
        /// The code of the rule.
        code: Code,
        /// The reason, with the source of the rule.
        message: String,
        /// What to do.
        hint: String,
        /// Entries that a CRL leaves out, whose certificates the signer asks to see.
        unknown: Vec<SerialNumber>,
    },
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
            SigningError::NotAdmitted { code, ref hint, .. } => {
                let hint = hint.clone();
                Self::of(code, error).hint(hint)
            }
            SigningError::Refused(_) => Self::of(Code::SignerRefused, error)
                .hint("nothing was signed; the journal of the signer has why"),
            SigningError::Unreadable(_) => Self::of(Code::KeySignature, error),
            SigningError::Signature => Self::of(Code::KeySignature, error)
                .hint("the key or the machine is faulty; nothing was handed out"),
        }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
