//! What is known of the keys of CAs without opening them, their envelopes, and their way out (G1, K1, K3).
use super::Lifecycle;
use crate::error::{Code, Problem, Shown as _, remedy};
use crate::failpoint;
use crate::home::{Existing, Mode, WriteError, write_whole};
use crate::index::KeyLocation;
use crate::signing::{AdministerKeys, KeyDescription, KeyError, KeyLimits, KeyPlace, KeyRef, LimitsChange};
use crate::x509::KeyAlgorithm;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where the key of a CA is, as the record says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyWhere {
    /// In an encrypted file of this home.
    Home,
    /// In the directory of the signer that listens.
    Service,
    /// In a token.
    Token,
    /// On media outside of this home.
    Media,
}

impl KeyWhere {
    fn of(key: &KeyRef) -> Self {
        match key.location() {
            KeyLocation::FileOfService(_) | KeyLocation::TokenOfService(_) => Self::Service,
            KeyLocation::Token(_) => Self::Token,
            KeyLocation::Media(_) => Self::Media,
            KeyLocation::File(_) | KeyLocation::Unknown => Self::Home,
        }
    }
}

/// The key of a CA of this home.
#[derive(Debug)]
pub struct ListedKey {
    /// Name of the CA.
    pub authority: String,
    /// The URI on record.
    pub uri: String,
    /// Where it is.
    pub place: KeyWhere,
    /// The file, where it is one of this home or of the medium in use.
    pub file: Option<PathBuf>,
    /// Its type.
    pub algorithm: KeyAlgorithm,
    /// Whether the CA waits for its certificate.
    pub waits: bool,
    /// When the CA was retired.
    pub is_retired: bool,
    /// How it is protected, and when it was last used; the problem where its signer cannot be asked.
    pub described: Result<KeyDescription, Problem>,
}

impl Lifecycle<'_> {
    /// Returns the keys of the CAs of this home, those with a pending request among them, by name. Nothing is opened.
    ///
    /// # Errors
    /// When the index or the pending requests cannot be read.
    pub fn keys(&self) -> Result<Vec<ListedKey>, Problem> {
        let mut keys: Vec<ListedKey> = Vec::new();
        for authority in self.engine.index().authorities()?.iter().filter(|one| !one.is_external()) {
            let algorithm = authority.certificate.tbs().public_key().algorithm();
            let listed = self.listed(&authority.name, &KeyRef::of(authority), algorithm);
            keys.push(ListedKey { is_retired: authority.retired.is_some(), ..listed });
        }
        for pending in self.pending_requests()? {
            let key = self.pending_key(&pending.name, &pending.public_key)?;
            let listed = self.listed(&pending.name, &key, pending.public_key.algorithm());
            keys.push(ListedKey { waits: true, ..listed });
        }
        keys.sort_by(|one, other| one.authority.cmp(&other.authority));
        Ok(keys)
    }

    fn listed(&self, authority: &str, key: &KeyRef, algorithm: KeyAlgorithm) -> ListedKey {
        let file = match self.engine.keys().place(key) {
            KeyPlace::File(path) => Some(path),
            KeyPlace::Uri(_) => None,
        };
        let described = self.administering(key).and_then(|keys| Ok(keys.describe(key)?));
        ListedKey {
            authority: authority.to_owned(),
            uri: key.uri.clone(),
            place: KeyWhere::of(key),
            file,
            algorithm,
            waits: false,
            is_retired: false,
            described,
        }
    }

    fn administering(&self, key: &KeyRef) -> Result<&dyn AdministerKeys, Problem> {
        let keys = self.engine.keys();
        let unable = || KeyError::Backend(keys.place(key), "its store is not asked for that".into());
        Ok(keys.administering().ok_or_else(unable)?)
    }

    /// Has the signer write the private key of a CA into a new file: PKCS#8 in PEM, encrypted with a passphrase of its
    /// own. The signer's journal and the audit record have it before the file has its name. Returns the type of the key.
    ///
    /// # Errors
    /// When the key is in a token, in the service or away, does not open, or the file is there or cannot be written.
    pub fn export_key(&self, name: &str, path: &Path) -> Result<KeyAlgorithm, Problem> {
        let key = self.exportable_key(name)?;
        let algorithm = self.keys()?.into_iter().find(|one| one.authority == name).map(|one| one.algorithm);
        let administering = self.administering(&key)?;
        let mut failure = None;
        let written = write_whole(path, Mode::Private, Existing::Keep, |file| {
            let done = file.try_clone().map_err(|error| not_written(path, error)).and_then(|own| {
                administering.export(&key, OwnedFd::from(own))?;
                failpoint::passed("key: written out, without a name");
                let mut event = self.engine.event(self.engine.now(), "key.exported-to-file", name);
                event.details.push(("file".into(), path.shown().to_string()));
                self.engine.index().record_event(event)?;
                failpoint::passed("key: export on record");
                Ok(())
            });
            done.map_err(|problem| {
                failure = Some(problem);
                io::Error::from(ErrorKind::Other)
            })
        });
        written.map_err(|WriteError { path, source }| match failure {
            Some(problem) => problem,
            None => not_written(&path, source),
        })?;
        failpoint::passed("key: exported");
        algorithm.ok_or_else(|| KeyError::NotFound(self.engine.keys().place(&key)).into())
    }

    /// Returns the reference to a key that can be exported.
    ///
    /// # Errors
    /// When there is no such CA, or its key does not leave the place where it is.
    pub fn exportable_key(&self, name: &str) -> Result<KeyRef, Problem> {
        let key = self.key_of(name)?;
        must_be_a_file_outside_the_service(name, &key)?;
        Ok(key)
    }

    /// Puts on record that the key of a CA is protected anew by another program, as its words say.
    ///
    /// # Errors
    /// When there is no such CA, or the signer's journal or the index cannot be written.
    pub fn note_protection(&self, name: &str, how: &str) -> Result<(), Problem> {
        let key = self.key_of(name)?;
        self.administering(&key)?.note_protection(&key, how)?;
        let mut event = self.engine.event(self.engine.now(), "key.protected-anew", name);
        event.details.push(("how".into(), how.to_owned()));
        self.engine.index().record_event(event)?;
        failpoint::passed("custody: on record");
        Ok(())
    }

    /// Returns the envelope of a CA's key, and as it would be with these fields set to these values.
    ///
    /// # Errors
    /// When there is no such CA or no envelope, or a field or value is none.
    pub fn key_limits(&self, name: &str, settings: &[(String, String)]) -> Result<LimitsChange, Problem> {
        let key = self.key_of(name)?;
        Ok(self.administering(&key)?.limits(&key, settings)?)
    }

    /// Sets fields of the envelope of a CA's key. The signer's journal has it before.
    ///
    /// # Errors
    /// As [`Lifecycle::key_limits`]; when the envelope is not `before` any more, or an administrator of the service has to
    /// do it.
    pub fn set_key_limits(
        &self,
        name: &str,
        settings: &[(String, String)],
        before: &KeyLimits,
    ) -> Result<(), Problem> {
        let key = self.key_of(name)?;
        if KeyWhere::of(&key) == KeyWhere::Service {
            let message = format!(
                "the key of {name} is in the service, and its envelope is not for the CA's user to set"
            );
            return Err(Problem::new(Code::SignerRefused, message)
                .hint(remedy::Authority::SetEnvelopeAsAdministrator(name.to_owned())));
        }
        self.administering(&key)?.set_limits(&key, settings, before)?;
        let mut event = self.engine.event(self.engine.now(), "key.envelope-changed", name);
        let said = settings.iter().map(|(field, value)| (field.clone(), value.clone()));
        event.details.extend(said);
        Ok(self.engine.index().record_event(event)?)
    }
}

/// Requires that a key is in a file, of this home or of a medium.
pub(super) fn must_be_a_file_outside_the_service(name: &str, key: &KeyRef) -> Result<(), Problem> {
    match key.location() {
        KeyLocation::Token(uri) | KeyLocation::TokenOfService(uri) => {
            let message = format!("the key of {name} is in a token and never leaves it: {uri}");
            Err(Problem::new(Code::KeyTokenUnable, message)
                .hint(remedy::Authority::NewKeyElsewhere(name.to_owned())))
        }
        KeyLocation::FileOfService(_) => {
            Err(in_service(name).hint(remedy::Access::MoveKeyHome(name.to_owned())))
        }
        KeyLocation::File(_) | KeyLocation::Media(_) | KeyLocation::Unknown => Ok(()),
    }
}

/// The problem that the signer that listens has the key of a CA.
pub(super) fn in_service(name: &str) -> Problem {
    let message = format!("the signer that listens has the key of {name}, not this home");
    Problem::new(Code::KeyInService, message)
}

fn not_written(path: &Path, error: io::Error) -> Problem {
    let (code, hint) = match error.kind() {
        ErrorKind::AlreadyExists => (Code::FileExists, "name another file, or move this one away"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            (Code::FileNotPermitted, "name a directory that you may write to; nothing was written")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (Code::DiskFull, "make room; nothing was written")
        }
        _ => (Code::FileNotWritten, "look at the directory, its owner and its mode; nothing was written"),
    };
    let message = match error.kind() {
        ErrorKind::AlreadyExists => format!("{} is there already", path.shown()),
        _ => format!("{} cannot be written: {error}", path.shown()),
    };
    Problem::new(code, message).because(error).hint(hint)
}
