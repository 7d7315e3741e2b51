//! What an administrator asks of the signer that listens, as the own user. No passphrase comes into this process: it
//! hands an open descriptor over, unread.
use super::Link;
use super::administering::{change, limits_in};
use crate::home::{AccessRule, FileStatus, Owners};
use crate::index::KeyLocation;
use crate::signer::protocol::{
    Failure, Frame, Reply, Request, WireGrant, WireHanded, WireKey, WireTerms, confirmed,
};
use crate::signer::unlocking::Restored;
use crate::signing::{KeyError, KeyLimits, LimitsChange, SecretSpec};
use rustix::fs::{Access, access};
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The signer's door for administrators.
pub(crate) struct Administration {
    socket: PathBuf,
}

/// What a client has asked for a key that is to come.
pub(crate) struct ProposedKey {
    /// What its envelope says.
    pub(crate) limits: KeyLimits,
    /// A line about each certificate of its CA for which no key of the signer vouches.
    pub(crate) unvouched: Vec<String>,
    /// The digest by which an administrator confirms the envelope and the certificates.
    pub(crate) digest: [u8; 32],
}

/// A descriptor that is handed over.
pub(super) struct Descriptor {
    pub(super) file: OwnedFd,
    pub(super) handed: WireHanded,
}

impl Administration {
    /// Returns the door at this socket. It is opened with each question.
    pub(crate) fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Returns what a client has asked for a key that is to come. `None` where nobody has.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub(crate) fn proposal(&self, key: &str) -> Result<Option<ProposedKey>, KeyError> {
        let answer = self.link()?.ask(Request::Proposal { key: key.to_owned() })?;
        if answer.parts.is_empty() {
            return Ok(None);
        }
        let [envelope, certificates, lines] =
            <[Vec<u8>; 3]>::try_from(answer.parts).map_err(|_| KeyError::from(unexpected()))?;
        let text = |part| String::from_utf8(part).map_err(|_| KeyError::from(unexpected()));
        let (envelope, lines) = (text(envelope)?, text(lines)?);
        Ok(Some(ProposedKey {
            limits: limits_in(&envelope)?,
            unvouched: lines.lines().map(str::to_owned).collect(),
            digest: confirmed(&envelope, &certificates),
        }))
    }

    /// Has a key unlocked, with the passphrase that the source has. `envelope` is the digest of what was confirmed for a
    /// key that is to come.
    ///
    /// # Errors
    /// When the source cannot be handed over, or the signer refuses.
    pub(crate) fn unlock(
        &self,
        (key, envelope): (&str, Option<[u8; 32]>),
        terms: WireTerms,
        from: &SecretSpec,
        attended: bool,
    ) -> Result<WireGrant, KeyError> {
        let descriptor = descriptor(key, from, attended)?;
        let request = Request::Unlock { key: key.to_owned(), terms, handed: descriptor.handed, envelope };
        match self.hand(request, vec![descriptor])? {
            Reply::Unlocked { mut keys } => keys.pop().ok_or_else(|| unexpected().into()),
            _ => Err(unexpected().into()),
        }
    }

    /// Gives the passphrase of a key that is about to be made for a CA of this profile, whose certificates may name these
    /// URLs. With recipients, the source has an identity of one of them. A key of this name that is there and has no
    /// certificate yet is bound to that and unlocked, which is told.
    ///
    /// # Errors
    /// As [`Administration::unlock`]; when the signer has no such profile.
    pub(crate) fn prepare(
        &self,
        key: &str,
        (profile, urls, recipients): (&str, &[String], &[String]),
        terms: WireTerms,
        from: &SecretSpec,
        attended: bool,
    ) -> Result<Option<WireGrant>, KeyError> {
        let descriptor = descriptor(key, from, attended)?;
        let (key, profile, urls) = (key.to_owned(), profile.to_owned(), urls.to_vec());
        let (handed, recipients) = (descriptor.handed, recipients.to_vec());
        let request = Request::Prepare { key, terms, handed, profile, urls, recipients };
        match self.hand(request, vec![descriptor])? {
            Reply::Done => Ok(None),
            Reply::Unlocked { mut keys } => keys.pop().map(Some).ok_or_else(|| unexpected().into()),
            _ => Err(unexpected().into()),
        }
    }

    /// Gives a key a new passphrase in the place of the present one.
    ///
    /// # Errors
    /// As [`Administration::unlock`]; when the new one is weak, or the key cannot be written.
    pub(crate) fn change_passphrase(
        &self,
        key: &str,
        old: &SecretSpec,
        new: &SecretSpec,
        attended: bool,
    ) -> Result<(), KeyError> {
        let (old, new) = (descriptor(key, old, attended)?, descriptor(key, new, attended)?);
        let request = Request::ChangePassphrase { key: key.to_owned(), old: old.handed, new: new.handed };
        match self.hand(request, vec![old, new])? {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    /// Has a key written into a file, encrypted with the passphrase that `new` has.
    ///
    /// # Errors
    /// As [`Administration::unlock`]; when the new passphrase is weak, or the file cannot be written.
    pub(crate) fn export(
        &self,
        key: &str,
        (old, new): (&SecretSpec, &SecretSpec),
        attended: bool,
        file: OwnedFd,
    ) -> Result<(), KeyError> {
        let (old, new) = (descriptor(key, old, attended)?, descriptor(key, new, attended)?);
        let request = Request::ExportOpened { key: key.to_owned(), old: old.handed, new: new.handed };
        let file = Descriptor { file, handed: WireHanded::File };
        match self.hand(request, vec![file, old, new])? {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    /// Locks a key, or every key; returns what was unlocked.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub(crate) fn lock(&self, key: Option<&str>) -> Result<Vec<WireGrant>, KeyError> {
        self.keys(Request::Lock { key: key.map(str::to_owned) })
    }

    /// Returns what is unlocked.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub(crate) fn unlocked(&self) -> Result<Vec<WireGrant>, KeyError> {
        self.keys(Request::WhatIsUnlocked)
    }

    /// Returns the names and lengths of the signer's files.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub(crate) fn contents(&self) -> Result<Vec<(String, u64)>, KeyError> {
        match self.link()?.ask(Request::Contents)?.message {
            Reply::Contents { files } => Ok(files),
            _ => Err(unexpected().into()),
        }
    }

    /// Returns octets of one of these files from this one on; none at its end.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub(crate) fn content(&self, name: &str, from: u64) -> Result<Vec<u8>, KeyError> {
        let answer = self.link()?.ask(Request::Content { name: name.to_owned(), from })?;
        answer.only_part().map_err(|_| unexpected().into())
    }

    /// Accepts what a restore of the signer could not know.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub(crate) fn accept(&self) -> Result<(), KeyError> {
        match self.link()?.ask(Request::Accept)?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    /// Accepts the certificate of a CA with this SHA-256, in hexadecimal digits.
    ///
    /// # Errors
    /// When it is none, or the signer cannot be asked.
    pub(crate) fn accept_certificate(&self, key: &str, certificate: &str) -> Result<(), KeyError> {
        let (key, certificate) = (key.to_owned(), certificate.to_owned());
        match self.link()?.ask(Request::AcceptCertificate { key, certificate })?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    /// Returns the envelope of a key, and as it would be with these fields set to these values.
    ///
    /// # Errors
    /// When there is none, or the signer cannot be asked.
    pub(crate) fn limits(&self, key: &str, settings: &[(String, String)]) -> Result<LimitsChange, KeyError> {
        let request = Request::Limits { key: wire(key), settings: settings.to_vec() };
        change(self.link()?.ask(request)?.message)
    }

    /// Sets fields of the envelope of a key.
    ///
    /// # Errors
    /// When it is not `before` any more, or the signer cannot be asked.
    pub(crate) fn set_limits(
        &self,
        key: &str,
        settings: &[(String, String)],
        before: &KeyLimits,
    ) -> Result<(), KeyError> {
        let request =
            Request::SetLimits { key: wire(key), settings: settings.to_vec(), before: before.clone() };
        match self.link()?.ask(request)?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    fn keys(&self, request: Request) -> Result<Vec<WireGrant>, KeyError> {
        match self.link()?.ask(request)?.message {
            Reply::Unlocked { keys } => Ok(keys),
            _ => Err(unexpected().into()),
        }
    }

    /// Asks with descriptors. A terminal has its modes back when this returns, also when the signer was killed.
    fn hand(&self, message: Request, descriptors: Vec<Descriptor>) -> Result<Reply, KeyError> {
        self.hand_with(message, Vec::new(), descriptors)
    }

    /// As [`Administration::hand`], with parts.
    pub(super) fn hand_with(
        &self,
        message: Request,
        parts: Vec<Vec<u8>>,
        descriptors: Vec<Descriptor>,
    ) -> Result<Reply, KeyError> {
        let link = self.link()?;
        let terminal = |error: io::Error| unavailable(&SecretSpec::Prompt, &error);
        let own = descriptors.iter().find(|one| one.handed == WireHanded::Terminal);
        let own = own.map(|one| one.file.try_clone()).transpose().map_err(terminal)?;
        let restored = own.as_ref().map(|own| Restored::of(own.as_fd())).transpose().map_err(terminal)?;
        let descriptors = descriptors.into_iter().map(|one| one.file).collect();
        let answer = link.ask(Frame { message, parts, descriptors });
        drop(restored);
        Ok(answer?.message)
    }

    /// Returns a link to a socket in a directory that nobody else can put a socket of their own into.
    pub(super) fn link(&self) -> Result<Link, KeyError> {
        let directory = self.socket.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let not_reached = |error: io::Error| KeyError::NotListening {
            socket: self.socket.clone(),
            reason: error.to_string(),
        };
        let metadata = directory.metadata().map_err(not_reached)?;
        access(&self.socket, Access::WRITE_OK).map_err(|errno| not_reached(errno.into()))?;
        let rule = AccessRule::directory(Owners::Anybody, 0o022);
        match rule.judge(directory, &FileStatus::from(&metadata), metadata.uid()).into_iter().next() {
            Some(finding) => Err(KeyError::Unsafe(finding)),
            None => Ok(Link::socket(self.socket.clone())),
        }
    }
}

/// Returns the reference to the key of the CA of this name, or to the one of this URI, in the signer's own directory.
pub(super) fn wire(key: &str) -> WireKey {
    let uri = match key.contains(':') {
        true => key.to_owned(),
        false => KeyLocation::File(&format!("{key}.age")).to_string(),
    };
    WireKey { uri, identity: None }
}

pub(super) fn unexpected() -> Failure {
    Failure::Signer { reason: "it gave an answer that does not belong to the question".into() }
}

fn unavailable(from: &SecretSpec, error: &io::Error) -> KeyError {
    KeyError::SecretUnavailable(format!("{from}: {error}"))
}

/// Returns the terminal that one of the standard descriptors is.
fn terminal() -> Option<io::Result<OwnedFd>> {
    let (stdin, stderr, stdout) = (io::stdin(), io::stderr(), io::stdout());
    let standard = [stdin.as_fd(), stderr.as_fd(), stdout.as_fd()];
    standard.into_iter().find(|one| one.is_terminal()).map(|one| one.try_clone_to_owned())
}

/// Opens what has the passphrase, and reads nothing.
pub(super) fn descriptor(key: &str, from: &SecretSpec, attended: bool) -> Result<Descriptor, KeyError> {
    let opened = match from {
        SecretSpec::Prompt if !attended => return Err(KeyError::InputNeeded(key.to_owned())),
        SecretSpec::Prompt => {
            // not /dev/tty: it does not say whose the terminal is
            let file = terminal().ok_or_else(|| KeyError::InputNeeded(key.to_owned()))?;
            let file = file.map_err(|error| unavailable(from, &error))?;
            return Ok(Descriptor { file, handed: WireHanded::Terminal });
        }
        SecretSpec::File(path) => File::open(path).map(OwnedFd::from),
        SecretSpec::Descriptor(0) => io::stdin().as_fd().try_clone_to_owned(),
        SecretSpec::Descriptor(number) => File::open(format!("/dev/fd/{number}")).map(OwnedFd::from),
        SecretSpec::Environment(_) => {
            return Err(KeyError::SecretUnavailable(format!(
                "{from}: what is in the environment of genfic-ca never comes to the signer that listens; use prompt, \
                 file:PATH or fd:N"
            )));
        }
        SecretSpec::Credential(_) => {
            return Err(KeyError::SecretUnavailable(format!(
                "{from}: the signer takes credentials of its own unit for timers only; use prompt, file:PATH or fd:N"
            )));
        }
    };
    let file = opened.map_err(|error| unavailable(from, &error))?;
    if file.is_terminal() {
        return Err(KeyError::SecretUnavailable(format!("{from} is a terminal; use prompt")));
    }
    Ok(Descriptor { file, handed: WireHanded::File })
}
