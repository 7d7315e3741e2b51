//! A store of keys that a signer has.
use super::link::Link;
use super::remote_signer::RemoteSigner;
use crate::error::Code;
use crate::index::KeyLocation;
use crate::signer::protocol::{
    Failure, Frame, MOST_DESCRIPTORS, Reply, Request, WireFound, WireKey, WireSource,
};
use crate::signing::{
    AdministerKeys, BroughtKey, CaKeys, CaSigner, DiscardKeys, FileContents, FoundKey, ImportKeys,
    InspectKeys, KeyError, KeyPlace, KeyRef, Mark, MarkError, MoveKeys, ProtectKeys, Reencrypted,
    RememberSignatures, SecretSpec, TokenUri, files_of_key,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Octets of paths that go in one frame.
const LONG_PATHS: usize = 8 * 1024;

/// Keys that a signer opens. This process sees their public halves.
#[derive(Clone)]
pub(crate) struct RemoteKeys {
    /// The home's directory of keys.
    directory: PathBuf,
    child: Arc<Link>,
    service: Option<Arc<Link>>,
    /// Profiles of CAs, by the URIs of their keys.
    profiles: Arc<Mutex<HashMap<String, String>>>,
    /// The CAs whose new keys are encrypted to recipients by the configuration, which is for keys of the home.
    with_recipients: Arc<BTreeSet<String>>,
}

pub(super) fn unexpected() -> Failure {
    Failure::Signer { reason: "it gave an answer that does not belong to the question".into() }
}

impl RemoteKeys {
    /// Returns the keys in this directory, which a child opens, and those of the signer that listens, if there is one.
    pub(crate) fn new(directory: PathBuf, child: Link, service: Option<Link>) -> Self {
        let (child, service) = (Arc::new(child), service.map(Arc::new));
        Self { directory, child, service, profiles: Arc::default(), with_recipients: Arc::default() }
    }

    /// Returns the same keys, and those of the signer that listens, if there is one. For the CAs of these names the
    /// configuration has recipients: their keys are not made there.
    pub(crate) fn with_service(self, service: Option<Link>, with_recipients: BTreeSet<String>) -> Self {
        Self { service: service.map(Arc::new), with_recipients: Arc::new(with_recipients), ..self }
    }

    /// Returns whether there is a signer that listens.
    pub(super) fn has_service(&self) -> bool {
        self.service.is_some()
    }

    /// Returns the link to the signer of a key, and the reference by which that one knows it.
    fn at(&self, key: &KeyRef) -> Result<(&Arc<Link>, WireKey), Failure> {
        let Some(there) = key.location().within_service() else { return Ok((&self.child, key.into())) };
        let none = || Failure::from(KeyError::NoService(key.uri.clone()));
        Ok((self.service.as_ref().ok_or_else(none)?, (&key.moved_to(there)).into()))
    }

    pub(super) fn link(&self, key: &KeyRef) -> Result<&Arc<Link>, Failure> {
        self.at(key).map(|(link, _)| link)
    }

    pub(super) fn wire(&self, key: &KeyRef) -> Result<WireKey, Failure> {
        self.at(key).map(|(_, key)| key)
    }

    /// Returns the link to the child.
    pub(super) fn child(&self) -> &Link {
        &self.child
    }

    pub(super) fn ask(
        &self,
        key: &KeyRef,
        request: impl FnOnce(WireKey) -> Request,
    ) -> Result<Frame<Reply>, Failure> {
        let (link, wire) = self.at(key)?;
        link.ask(request(wire))
    }

    pub(super) fn done(&self, key: &KeyRef, request: impl FnOnce(WireKey) -> Request) -> Result<(), Failure> {
        match self.ask(key, request)?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    fn opened(
        &self,
        key: &KeyRef,
        request: impl FnOnce(WireKey) -> Request,
    ) -> Result<Arc<dyn CaSigner>, KeyError> {
        let (link, wire) = self.at(key)?;
        let answer = link.ask(request(wire.clone()))?;
        let (Reply::Key, Ok(octets)) = (answer.message.clone(), answer.only_part()) else {
            return Err(unexpected().into());
        };
        let public_key = public_key(&octets)?;
        let profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = profiles.get(&key.uri).cloned();
        Ok(Arc::new(RemoteSigner::new(Arc::clone(link), wire, public_key, profile)))
    }

    /// Has the signer read and decrypt the private key in a file that is open here and was not read.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] when there is no private key in it; when it cannot be used.
    pub(crate) fn read_foreign(
        &self,
        file: OwnedFd,
        path: &Path,
        old: Option<&SecretSpec>,
    ) -> Result<(BroughtKey, String), KeyError> {
        let request = Request::Foreign { file: path.into(), old: old.map(WireSource::from) };
        let answer =
            self.child.ask(Frame { message: request, parts: Vec::new(), descriptors: vec![file] })?;
        let (Reply::Foreign { number, form }, Ok(octets)) = (answer.message.clone(), answer.only_part())
        else {
            return Err(unexpected().into());
        };
        Ok((BroughtKey::InSigner(number, public_key(&octets)?), form))
    }

    /// Has a child look for private keys in files that are open here and were not read.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) fn find_keys(&self, files: &[(File, &Path)]) -> Result<Vec<FileContents>, KeyError> {
        let mut found = Vec::new();
        for group in files.chunks(MOST_DESCRIPTORS) {
            // long paths are sent one by one, so that a frame never becomes too long
            let length: usize = group.iter().map(|(_, path)| path.as_os_str().len()).sum();
            let at_once = if length > LONG_PATHS { 1 } else { MOST_DESCRIPTORS };
            for part in group.chunks(at_once) {
                found.extend(self.find_keys_of(part)?);
            }
        }
        Ok(found)
    }

    fn find_keys_of(&self, files: &[(File, &Path)]) -> Result<Vec<FileContents>, KeyError> {
        let message = Request::Find { files: files.iter().map(|(_, path)| (*path).into()).collect() };
        let opened = files.iter().map(|(file, _)| file.try_clone().map(OwnedFd::from));
        let descriptors = opened
            .collect::<io::Result<Vec<_>>>()
            .map_err(|error| KeyError::Signer(format!("nothing can be handed to it: {error}")))?;
        let answer = self.child.ask(Frame { message, parts: Vec::new(), descriptors })?;
        let Reply::Found { files: found } = answer.message else { return Err(unexpected().into()) };
        if found.len() != files.len() {
            return Err(unexpected().into());
        }
        let mut parts = answer.parts.into_iter();
        let mut next = || parts.next().ok_or_else(|| KeyError::from(unexpected()));
        found
            .into_iter()
            .map(|one| {
                Ok(match one {
                    WireFound::NoKey => FileContents::NoKey,
                    WireFound::NotRead(failure) => FileContents::NotRead(failure.into()),
                    WireFound::Unusable(failure) => {
                        let others = next()?;
                        next()?;
                        FileContents::Key { key: Err(failure.into()), others }
                    }
                    WireFound::Key(form) => {
                        let (others, octets) = (next()?, next()?);
                        let public_key = (!octets.is_empty()).then(|| public_key(&octets)).transpose()?;
                        FileContents::Key { key: Ok(FoundKey { form, public_key }), others }
                    }
                })
            })
            .collect()
    }

    /// Asks for the passphrase of a key that is made later.
    ///
    /// # Errors
    /// When it is not given.
    pub(crate) fn ask_new_passphrase(&self, name: &str) -> Result<(), KeyError> {
        match self.child.ask(Request::NewPassphrase { key: name.to_owned() })?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    /// Returns the warnings about passphrases since the last call.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        match self.child.ask_if_begun(Request::Notes).map(|answer| answer.message) {
            Some(Reply::Notes { notes }) => notes,
            _ => Vec::new(),
        }
    }

    /// Removes the files of generated passphrases whose keys were not made.
    pub(crate) fn take_back(&self) {
        let _ = self.child.ask_if_begun(Request::TakeBack);
    }
}

/// The problem that the configuration names recipients of a key that the service is to make. Whoever writes the configuration does
/// not say who opens a key there.
fn of_configured_recipients(name: &str) -> KeyError {
    KeyError::Prevented {
        code: Code::ConfigInvalid,
        reason: format!(
            "the configuration has recipients of age for the key of {name}, which is for keys of the home, and the signer that \
             listens is to make it"
        ),
        hint: format!(
            "take recipients out of [authority.{name}]; an administrator names them when asking the signer for the new key"
        ),
    }
}

fn public_key(octets: &[u8]) -> Result<SubjectPublicKeyInfo, KeyError> {
    SubjectPublicKeyInfo::from_der(octets)
        .map_err(|error| KeyError::Signer(format!("it gave a public key that is none: {error}")))
}

impl CaKeys for RemoteKeys {
    fn new_key(&self, authority: &str) -> KeyRef {
        let file = format!("{authority}.age");
        KeyRef::at(match self.service {
            Some(_) => KeyLocation::FileOfService(&file),
            None => KeyLocation::File(&file),
        })
    }

    fn new_key_in(&self, token: &TokenUri, authority: &str) -> KeyRef {
        let uri = token.for_key(authority).to_string();
        KeyRef::at(match self.service {
            Some(_) => KeyLocation::TokenOfService(&uri),
            None => KeyLocation::Token(&uri),
        })
    }

    /// It is read and encrypted by the child, as the user whose file it was; `key move` brings it to the service.
    fn imported_key(&self, authority: &str) -> KeyRef {
        KeyRef::at(KeyLocation::File(&format!("{authority}.age")))
    }

    fn place(&self, key: &KeyRef) -> KeyPlace {
        match (key.location(), key.file_stem()) {
            (KeyLocation::File(name), Some(_)) => KeyPlace::File(self.directory.join(name)),
            _ => KeyPlace::Uri(key.uri.clone()),
        }
    }

    fn generate(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError> {
        if let Some(name) = key.file_stem().filter(|_| key.is_in_service())
            && self.with_recipients.contains(name.as_str())
        {
            return Err(of_configured_recipients(name.as_str()));
        }
        self.opened(key, |key| Request::Generate { key, algorithm: algorithm.to_string() })
    }

    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError> {
        self.opened(key, |key| Request::Open { key })
    }

    fn note_profile(&self, key: &KeyRef, profile: &str) {
        let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        profiles.insert(key.uri.clone(), profile.to_owned());
    }

    fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError> {
        match self.ask(key, |key| Request::Mark { key })?.message {
            Reply::Mark { number, place } => Ok(Mark { number, place: place.into() }),
            _ => Err(unexpected().into()),
        }
    }

    fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError> {
        Ok(self.done(key, |key| Request::RaiseMark { key, number })?)
    }

    fn rename(&self, from: &KeyRef, to: &KeyRef) -> Result<bool, KeyError> {
        let (link, to) = self.at(to)?;
        let (other, from) = self.at(from)?;
        if !Arc::ptr_eq(link, other) {
            return Err(KeyError::Signer("a key is not renamed from one signer to another".into()));
        }
        match link.ask(Request::Rename { from, to })?.message {
            Reply::Moved { moved } => Ok(moved),
            _ => Err(unexpected().into()),
        }
    }

    fn importing(&self) -> Option<&dyn ImportKeys> {
        Some(self)
    }

    fn inspecting(&self) -> Option<&dyn InspectKeys> {
        Some(self)
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        Some(self)
    }

    fn protecting(&self) -> Option<&dyn ProtectKeys> {
        Some(self)
    }

    fn remembering(&self) -> Option<&dyn RememberSignatures> {
        Some(self)
    }

    fn administering(&self) -> Option<&dyn AdministerKeys> {
        Some(self)
    }

    fn moving(&self) -> Option<&dyn MoveKeys> {
        Some(self)
    }
}

impl ImportKeys for RemoteKeys {
    fn import(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        let BroughtKey::InSigner(foreign, _) = brought else {
            return Err(KeyError::Signer("a key comes to it as an open file, not as octets".into()));
        };
        self.opened(key, |key| Request::Import { key, foreign })
    }
}

impl InspectKeys for RemoteKeys {
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError> {
        Ok(self.done(key, |key| Request::Inspect { key })?)
    }

    fn sealed(&self, key: &KeyRef) -> Result<Vec<u8>, KeyError> {
        let answer = self.ask(key, |key| Request::Sealed { key })?;
        answer.only_part().map_err(|_| unexpected().into())
    }

    fn files(&self, key: &KeyRef) -> Vec<PathBuf> {
        files_of_key(&self.directory, key)
    }
}

impl DiscardKeys for RemoteKeys {
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        Ok(self.done(key, |key| Request::Discard { key })?)
    }
}

impl ProtectKeys for RemoteKeys {
    fn reencrypt(&self, key: &KeyRef) -> Result<Reencrypted, KeyError> {
        match self.ask(key, |key| Request::Reencrypt { key })?.message {
            Reply::Reencrypted { number } => Ok(Reencrypted::InSigner(number)),
            _ => Err(unexpected().into()),
        }
    }

    fn put_reencrypted(&self, reencrypted: &Reencrypted) -> Result<(), KeyError> {
        let Reencrypted::InSigner(number) = reencrypted else {
            return Err(KeyError::Signer("it puts in place only what it has encrypted anew".into()));
        };
        match self.child.ask(Request::PutReencrypted { number: *number })?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }
}
