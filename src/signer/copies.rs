//! The signer's own copies of CA certificates, and the envelopes of keys: files in its directory.
//!
//! | file | what |
//! |---|---|
//! | `NAME.pem` | the certificates of the CA with a key, in the order in which they came |
//! | `NAME.envelope.toml` | the envelope of that key |
//!
//! `NAME` is that of the key file; for a key without one, or where another key had the name before, it has the beginning
//! of the key's digest.
mod named;

use super::{KeyEnvelope, Refusal};
use crate::error::{Code, Shown as _};
use crate::home::{Mode, ReadError, Writing, read_file, replace, replace_alone, sync_directory};
use crate::signing::KeyRef;
use crate::x509::{Certificate, SubjectPublicKeyInfo, pem};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

/// Bound of a file of certificates, in octets.
const LARGEST: u64 = 1024 * 1024;
const CERTIFICATES: &str = ".pem";
/// How the name of the files begins of a key that is in no file.
const WITHOUT_NAME: &str = "key-";
/// Most certificates of one CA: of a CA for a hundred years that is renewed every year, with cross-certificates.
pub(in crate::signer) const MOST: usize = 256;
/// Bound of the wait for other processes that write into the directory.
const WAIT: Duration = Duration::from_secs(30);
/// Most certificates between a CA and its root.
const MOST_ABOVE: usize = 16;

/// What is in the signer's directory, apart from keys, marks and journal.
#[derive(Clone)]
pub(crate) struct Copies {
    directory: PathBuf,
    /// Certificates by the names of their files.
    files: BTreeMap<String, Vec<Certificate>>,
    /// The octets of these files as they were read.
    octets: BTreeMap<String, Vec<u8>>,
    /// How many of them were decoded, since they were not the same before.
    decoded: usize,
    /// Why a file, by its name, is of no use.
    damaged: BTreeMap<String, Refusal>,
}

fn unusable(path: &Path, reason: impl std::fmt::Display) -> Refusal {
    let message = format!("{} cannot be used: {reason}", path.shown());
    let hint =
        "restore the file from a backup of the signer, or look at its owner and mode; nothing was signed";
    Refusal::new(Code::SignerRecord, "the signer's own copies", message, hint)
}

fn damaged(path: &Path, reason: impl std::fmt::Display) -> Refusal {
    let hint = "restore the file from a backup of the signer, or look at its owner and mode; until then this key signs \
                nothing, and those of other CAs do";
    Refusal { hint, ..unusable(path, reason) }
}

/// Reads a file of certificates.
fn certificates(path: &Path, octets: &[u8]) -> Result<Vec<Certificate>, Refusal> {
    let blocks = pem::decode_file(octets, "CERTIFICATE").map_err(|error| damaged(path, error))?;
    let certificates = blocks.iter().map(|block| Certificate::from_der(&block.der));
    certificates.collect::<Result<_, _>>().map_err(|error| damaged(path, error))
}

impl Copies {
    /// Reads the certificates in this directory. A file that is of no use stops the key whose certificates it had, and no
    /// other ([`Copies::check`]).
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn read(directory: &Path) -> Result<Self, Refusal> {
        Self::read_again(directory, None)
    }

    /// As [`Copies::read`], and takes over from an earlier reading what has the same octets.
    ///
    /// # Errors
    /// As [`Copies::read`].
    pub(crate) fn read_again(directory: &Path, before: Option<Self>) -> Result<Self, Refusal> {
        let failed = |error: io::Error| unusable(directory, error);
        let mut copies = Self {
            directory: directory.to_owned(),
            files: BTreeMap::new(),
            octets: BTreeMap::new(),
            decoded: 0,
            damaged: BTreeMap::new(),
        };
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(CERTIFICATES).filter(|stem| !stem.starts_with('.')) else {
                continue;
            };
            let path = entry.path();
            if let Err(refusal) = copies.read_file(stem, &path, before.as_ref()) {
                copies.damaged.insert(stem.to_owned(), refusal);
            }
        }
        Ok(copies)
    }

    fn read_file(&mut self, stem: &str, path: &Path, before: Option<&Self>) -> Result<(), Refusal> {
        let octets = read_file(path, LARGEST).map_err(|error| damaged(path, error))?;
        let known = before.filter(|before| before.octets.get(stem) == Some(&octets));
        let found = match known.and_then(|before| before.files.get(stem)) {
            Some(same) => same.clone(),
            None => {
                self.decoded = self.decoded.saturating_add(1);
                certificates(path, &octets)?
            }
        };
        self.files.insert(stem.to_owned(), found);
        self.octets.insert(stem.to_owned(), octets);
        Ok(())
    }

    /// Refuses a key whose certificates may be in a file that is of no use. One without a file that is used already
    /// (`is_used`) may have any: its envelope would be made anew, and could be wider.
    ///
    /// # Errors
    /// When there is such a file.
    pub(crate) fn check(
        &self,
        key: &KeyRef,
        identity: Option<[u8; 32]>,
        is_used: bool,
    ) -> Result<(), Refusal> {
        if identity.is_some_and(|identity| !self.with_identity(&identity).is_empty()) {
            return Ok(());
        }
        let name = key.file_stem().map(|name| name.to_string());
        let is_own = |stem: &str| match (&name, identity) {
            (Some(name), _) if stem == name => true,
            (name, Some(identity)) => {
                let digest = short(&identity);
                let former = name.as_ref().map(|name| format!("{name}-{digest}"));
                stem == format!("{WITHOUT_NAME}{digest}") || former.is_some_and(|former| stem == former)
            }
            (Some(name), None) => is_former(name, stem),
            (None, None) => false,
        };
        match self.damaged.iter().find(|(stem, _)| is_used || is_own(stem)) {
            Some((_, refusal)) => Err(refusal.clone()),
            None => Ok(()),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Certificate> {
        self.files.values().flatten()
    }

    /// Returns the certificates of the CA with this key.
    pub(crate) fn of(&self, key: &SubjectPublicKeyInfo) -> Vec<Certificate> {
        self.all().filter(|one| one.tbs().public_key() == key).cloned().collect()
    }

    /// Returns the certificates of the CA whose key has this SHA-256 of its SubjectPublicKeyInfo.
    pub(crate) fn with_identity(&self, identity: &[u8; 32]) -> Vec<Certificate> {
        self.all().filter(|one| one.tbs().public_key().digest() == *identity).cloned().collect()
    }

    /// Returns those of CAs with other keys.
    pub(crate) fn of_others(&self, key: &SubjectPublicKeyInfo) -> Vec<Certificate> {
        self.all().filter(|one| one.tbs().public_key() != key).cloned().collect()
    }

    /// Returns the certificates above this one, as far as they are here: that of its issuer first.
    pub(crate) fn above(&self, certificate: &Certificate) -> Vec<Certificate> {
        let mut above: Vec<Certificate> = Vec::new();
        while above.len() < MOST_ABOVE {
            let below = above.last().unwrap_or(certificate);
            if below.tbs().is_self_issued() {
                break;
            }
            let is_issuer = |one: &&Certificate| {
                below.tbs().names_as_issuer(one.tbs()) && below.was_signed_by(one.tbs().public_key())
            };
            let issuer = self.all().filter(is_issuer).max_by_key(|one| one.tbs().validity().not_after);
            let Some(issuer) = issuer.cloned() else { break };
            above.push(issuer);
        }
        above
    }

    /// Tells whether a key that the signer has, or the key itself, signed this certificate of a CA.
    pub(crate) fn vouch_for(&self, certificate: &Certificate) -> bool {
        let tbs = certificate.tbs();
        let is_by_itself = tbs.is_self_issued() && certificate.was_signed_by(tbs.public_key());
        let is_issuer = |one: &Certificate| {
            tbs.names_as_issuer(one.tbs()) && certificate.is_signed_by(one.tbs().public_key())
        };
        is_by_itself || self.all().any(is_issuer)
    }

    /// Returns the name of the files of a key: that of those that are there, or a free one.
    pub(crate) fn stem(&self, key: &KeyRef, public_key: &SubjectPublicKeyInfo) -> String {
        let of_key = |certificates: &[Certificate]| {
            certificates.first().is_some_and(|one| one.tbs().public_key() == public_key)
        };
        if let Some((stem, _)) = self.files.iter().find(|(_, certificates)| of_key(certificates)) {
            return stem.clone();
        }
        let digest = short(&public_key.digest());
        let is_free = |name: &str| {
            let is_here = self.files.contains_key(name) || self.damaged.contains_key(name);
            !is_here && !self.envelope_path(name).exists()
        };
        match key.file_stem().map(|name| name.to_string()) {
            Some(name) if is_free(&name) => name,
            Some(name) => format!("{name}-{digest}"),
            None => format!("{WITHOUT_NAME}{digest}"),
        }
    }

    /// Returns the public key of the CA key that is meant: by its digest where that is known, else by the name of its
    /// file. `None` when no certificate of it is here, or those of several keys that had the name one after the other.
    pub(crate) fn key_named(&self, key: &KeyRef) -> Option<SubjectPublicKeyInfo> {
        if let Some(identity) = key.identity {
            let own = self.all().map(|one| one.tbs().public_key()).find(|one| one.digest() == identity);
            return own.cloned();
        }
        let name = key.file_stem()?.to_string();
        let is_of_name = |stem: &str| *stem == *name || is_former(&name, stem);
        let mut found = self.files.iter().filter(|(stem, _)| is_of_name(stem));
        match (found.next(), found.next()) {
            (Some((_, certificates)), None) => certificates.first().map(|one| one.tbs().public_key().clone()),
            _ => None,
        }
    }

    fn certificates_path(&self, stem: &str) -> PathBuf {
        self.directory.join(format!("{stem}{CERTIFICATES}"))
    }

    /// Returns the place of the envelope of a key that has a certificate here.
    pub(crate) fn envelope_file(&self, key: &KeyRef, public_key: &SubjectPublicKeyInfo) -> EnvelopeFile {
        let name = self.stem(key, public_key);
        EnvelopeFile { path: self.envelope_path(&name), name, key: public_key.digest() }
    }

    fn envelope_path(&self, stem: &str) -> PathBuf {
        self.directory.join(format!("{stem}.{}", KeyEnvelope::ENDING))
    }

    /// Adds a certificate of the CA with this key, in memory.
    pub(crate) fn add(&mut self, key: &KeyRef, certificate: &Certificate) {
        let stem = self.stem(key, certificate.tbs().public_key());
        self.files.entry(stem).or_default().push(certificate.clone());
    }

    /// Writes the certificates of the CA with this key, durably.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn keep(&self, key: &KeyRef, public_key: &SubjectPublicKeyInfo) -> Result<(), Refusal> {
        let stem = self.stem(key, public_key);
        let path = self.certificates_path(&stem);
        let own = self.of(public_key);
        let text: String = own.iter().map(Certificate::to_pem).collect();
        // a file that is larger would never be read again
        if own.len() > MOST || u64::try_from(text.len()).is_ok_and(|octets| octets > LARGEST) {
            return Err(unusable(&path, format!("{} certificates of one CA are too many", own.len())));
        }
        replace(&path, text.as_bytes(), Mode::Private).map_err(|error| unusable(&path, error))
    }

    /// Returns the envelope of a key, if it has one.
    ///
    /// # Errors
    /// When it cannot be read or has mistakes.
    pub(crate) fn envelope(
        &self,
        key: &KeyRef,
        public_key: &SubjectPublicKeyInfo,
    ) -> Result<Option<KeyEnvelope>, Refusal> {
        let path = self.envelope_path(&self.stem(key, public_key));
        let octets = match read_file(&path, KeyEnvelope::LARGEST) {
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            octets => octets.map_err(|error| unusable(&path, error))?,
        };
        let text = String::from_utf8(octets).map_err(|_| unusable(&path, "it is not UTF-8"))?;
        KeyEnvelope::parse(&text).map(Some).map_err(|mistakes| {
            let message = format!("{}: {mistakes}", path.shown());
            let hint = "correct the envelope of the key; nothing was signed";
            Refusal::new(Code::SignerEnvelopeMalformed, "envelope of the key", message, hint)
        })
    }

    /// Returns the refusal of a key whose envelope is lost.
    pub(crate) fn without_envelope(&self, key: &KeyRef, public_key: &SubjectPublicKeyInfo) -> Refusal {
        unusable(
            &self.envelope_path(&self.stem(key, public_key)),
            "it is missing, and the key has signed under it",
        )
    }

    /// Writes the envelope of a key that has a certificate here.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn put_envelope(
        &self,
        key: &KeyRef,
        public_key: &SubjectPublicKeyInfo,
        envelope: &KeyEnvelope,
    ) -> Result<(), Refusal> {
        let stem = self.stem(key, public_key);
        let path = self.envelope_path(&stem);
        let text = envelope.to_toml(&stem);
        replace(&path, text.as_bytes(), Mode::Private).map_err(|error| unusable(&path, error))
    }

    /// Removes the envelope of a key, durably.
    ///
    /// # Errors
    /// When it cannot be removed; its path is told with it.
    pub(crate) fn remove_envelope(
        &self,
        key: &KeyRef,
        public_key: &SubjectPublicKeyInfo,
    ) -> Result<(), (PathBuf, io::Error)> {
        let path = self.envelope_path(&self.stem(key, public_key));
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err((path, error)),
            Ok(()) => sync_directory(&self.directory).map_err(|error| (path, error.source)),
        }
    }
}

/// The place of an envelope.
pub(crate) struct EnvelopeFile {
    path: PathBuf,
    name: String,
    key: [u8; 32],
}

impl EnvelopeFile {
    /// Returns the SHA-256 of the SubjectPublicKeyInfo of the key.
    pub(crate) fn key(&self) -> [u8; 32] {
        self.key
    }

    /// Waits until nobody else writes into the directory.
    ///
    /// # Errors
    /// When that takes too long.
    pub(crate) fn alone(&self) -> Result<Writing, Refusal> {
        let directory = self.path.parent().unwrap_or(&self.path);
        Writing::alone(directory, WAIT).map_err(|error| unusable(directory, error))
    }

    /// Replaces the envelope, durably.
    ///
    /// # Errors
    /// When it cannot be written; the former one stays.
    pub(crate) fn put(&self, alone: &Writing, envelope: &KeyEnvelope) -> Result<(), Refusal> {
        let text = envelope.to_toml(&self.name);
        replace_alone(alone, &self.path, text.as_bytes(), Mode::Private)
            .map_err(|error| unusable(&self.path, error))
    }
}

/// Returns the beginning of the digest of a key, as names of files have it.
fn short(digest: &[u8; 32]) -> String {
    base16ct::lower::encode_string(digest.get(..8).unwrap_or_default())
}

/// Returns whether this is the name of the files of a key for which another key's name was not free.
fn is_former(name: &str, stem: &str) -> bool {
    let rest = stem.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
    rest.is_some_and(|rest| rest.len() == 16 && is_hexadecimal(rest))
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

#[cfg(test)]
#[path = "copies_tests.rs"]
mod tests;
