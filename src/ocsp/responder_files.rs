//! `HOME/ocsp/NAME/`: responder certificates and their keys, the only private keys that the daemon reads.
//!
//! `responder.pem` with `responder.key` comes first. Further pairs of any name are for clients that prefer another
//! signature algorithm (RFC 6960 §4.4.7).
use super::delegate::{DelegatedResponder, DelegationError};
use super::file_version::{FileVersion, open_file};
use crate::error::Shown as _;
use crate::signing::{ResponderTokens, ResponseSigner};
use crate::status::PublishedAuthority;
use crate::x509::Certificate;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Limit of a certificate or key file in octets; 64 KiB is many times the size of either.
const MAX_FILE: u64 = 64 << 10;

/// Why a responder's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResponderFileError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.shown())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Others than owner and group may access the key file.
    #[error("{path} is open to everybody; `chmod o-rwx {path}` mends it", path = .0.shown())]
    Permissions(PathBuf),
    /// A file does not contain a certificate or a key as expected.
    #[error("{}: {reason}", path.shown())]
    Malformed {
        /// Path of the file.
        path: PathBuf,
        /// The fault.
        reason: String,
    },
    /// Certificate, key and CA do not belong together.
    #[error("{}: {source}", path.shown())]
    Delegation {
        /// Path of the certificate's file.
        path: PathBuf,
        /// The fault.
        source: DelegationError,
    },
}

/// Paths and stamps of the files in one responder directory.
pub(super) type Stamps = Vec<(PathBuf, Option<FileVersion>)>;

/// The directory of the responders' files.
#[derive(Clone)]
pub struct ResponderFiles {
    directory: PathBuf,
    tokens: ResponderTokens,
    /// Whether there are no files, whatever is in the directory.
    is_none: bool,
}

impl ResponderFiles {
    /// Returns the responder files of this directory, which is `HOME/ocsp`.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        let tokens = ResponderTokens::default();
        Self { directory, tokens, is_none: false }
    }

    /// Returns no files: nothing is signed, and no key is read.
    #[must_use]
    pub fn none() -> Self {
        Self { directory: PathBuf::new(), tokens: ResponderTokens::default(), is_none: true }
    }

    /// Returns the same files with the tokens that keys may be in.
    #[must_use]
    pub(crate) fn with_tokens(self, tokens: ResponderTokens) -> Self {
        Self { tokens, ..self }
    }

    /// The directories of the files of these CAs, and the one that they are in.
    pub(super) fn directories(&self, authorities: &[PublishedAuthority]) -> impl Iterator<Item = PathBuf> {
        let of = |authority: &PublishedAuthority| self.directory.join(&authority.name);
        let all = std::iter::once(self.directory.clone()).chain(authorities.iter().map(of));
        all.filter(|_| !self.is_none)
    }

    /// Returns values that change with the files of a CA.
    pub(super) fn stamps(&self, authority: &PublishedAuthority) -> Stamps {
        let mut stamps = Stamps::new();
        let Ok(certificates) = self.certificates(authority) else {
            return vec![(self.directory.join(&authority.name), None)];
        };
        for certificate in certificates {
            let key = certificate.with_extension("key");
            for path in [certificate, key] {
                let file_version = FileVersion::of(&path).ok().flatten();
                stamps.push((path, file_version));
            }
        }
        stamps
    }

    /// Loads every responder of a CA, including those that have expired, and the fault of each that cannot be loaded.
    #[must_use]
    pub fn load(
        &self,
        authority: &PublishedAuthority,
    ) -> (Vec<Arc<DelegatedResponder>>, Vec<ResponderFileError>) {
        let (mut responders, mut faults) = (Vec::new(), Vec::new());
        let certificates = self.certificates(authority).unwrap_or_else(|source| {
            let path = self.directory.join(&authority.name);
            faults.push(ResponderFileError::Unreadable { path, source });
            Vec::new()
        });
        for certificate in certificates {
            match self.load_pair(&certificate, &authority.certificate) {
                Ok(responder) => responders.push(Arc::new(responder)),
                Err(fault) => faults.push(fault),
            }
        }
        (responders, faults)
    }

    /// Paths of the certificates, `responder.pem` first and the others by name; none when there is no directory.
    fn certificates(&self, authority: &PublishedAuthority) -> io::Result<Vec<PathBuf>> {
        if self.is_none {
            return Ok(Vec::new());
        }
        let directory = match fs::read_dir(self.directory.join(&authority.name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            directory => directory?,
        };
        let mut paths: Vec<PathBuf> = directory
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "pem"))
            .filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')))
            .collect();
        paths.sort_by_key(|path| (path.file_stem().is_none_or(|stem| stem != "responder"), path.clone()));
        Ok(paths)
    }

    fn load_pair(&self, path: &Path, issuer: &Certificate) -> Result<DelegatedResponder, ResponderFileError> {
        let malformed =
            |path: &Path, reason: String| ResponderFileError::Malformed { path: path.into(), reason };
        let certificate = read(path, Access::Public)?;
        let certificate =
            Certificate::from_pem_or_der(&certificate).map_err(|error| malformed(path, error.to_string()))?;
        let key_path = path.with_extension("key");
        let key = read(&key_path, Access::Secret)?;
        let keys = ResponseSigner::all_in(&key).map_err(|reason| malformed(&key_path, reason.into()))?;
        let mut signers: Vec<Arc<ResponseSigner>> = keys.into_iter().map(Arc::new).collect();
        // a key in a token is not opened before a response is to be signed
        let in_tokens =
            uris(&key).map(|uri| Arc::new(self.tokens.signer(uri, certificate.tbs().public_key().clone())));
        signers.extend(in_tokens);
        // while a responder is renewed, its key file has the next key beside the one in use
        let fits = |signer: &&Arc<ResponseSigner>| signer.public_key() == certificate.tbs().public_key();
        let signer = signers.iter().find(fits).or(signers.first());
        let signer = signer.ok_or_else(|| malformed(&key_path, "there is no key in it".into()))?;
        DelegatedResponder::new(certificate.clone(), Arc::clone(signer), issuer)
            .map_err(|source| ResponderFileError::Delegation { path: path.into(), source })
    }
}

/// Returns the URIs of keys in tokens: lines of their own.
fn uris(key: &[u8]) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(key).unwrap_or_default();
    text.lines().map(str::trim).filter(|line| line.starts_with("pkcs11:"))
}

enum Access {
    Public,
    Secret,
}

fn read(path: &Path, access: Access) -> Result<Zeroizing<Vec<u8>>, ResponderFileError> {
    let unreadable = |source| ResponderFileError::Unreadable { path: path.into(), source };
    let file = open_file(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > MAX_FILE {
        let reason = "not a regular file of a plausible size".into();
        return Err(ResponderFileError::Malformed { path: path.into(), reason });
    }
    if matches!(access, Access::Secret) && metadata.permissions().mode() & 0o007 != 0 {
        return Err(ResponderFileError::Permissions(path.into()));
    }
    let length = usize::try_from(metadata.len()).unwrap_or_default();
    let mut octets = Zeroizing::new(Vec::with_capacity(length + 1));
    file.take(MAX_FILE).read_to_end(&mut octets).map_err(unreadable)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::{Hierarchy, TestKey, write_responder};

    fn files(home: &Path) -> ResponderFiles {
        ResponderFiles::new(home.into())
    }

    #[test]
    fn a_responder_is_loaded_with_its_key_and_further_pairs_after_it() {
        // O7, O10
        let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
        let directory = home.path().join("ca");
        write_responder(&directory, &hierarchy.responder_key, hierarchy.responder.certificate());
        for (from, to) in [("responder.pem", "another.pem"), ("responder.key", "another.key")] {
            fs::copy(directory.join(from), directory.join(to)).unwrap();
        }
        let files = files(home.path());
        let (responders, faults) = files.load(&hierarchy.authorities()[0]);
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(responders.len(), 2);
        let stamps = files.stamps(&hierarchy.authorities()[0]);
        assert_eq!(stamps[0].0, directory.join("responder.pem"));
    }

    #[test]
    fn a_key_that_everybody_may_read_is_refused_with_the_command_that_mends_it() {
        // K1
        let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
        let directory = home.path().join("ca");
        write_responder(&directory, &hierarchy.responder_key, hierarchy.responder.certificate());
        let key = directory.join("responder.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let (responders, faults) = files(home.path()).load(&hierarchy.authorities()[0]);
        assert!(responders.is_empty());
        assert!(faults[0].to_string().contains(&format!("`chmod o-rwx {}`", key.display())));
    }

    #[test]
    fn a_key_of_another_certificate_or_another_ca_is_refused() {
        // O7
        let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
        let directory = home.path().join("ca");
        write_responder(&directory, &TestKey::p256(), hierarchy.responder.certificate());
        let (_, faults) = files(home.path()).load(&hierarchy.authorities()[0]);
        assert!(faults[0].to_string().ends_with("the key is not the responder certificate's"));
        write_responder(&directory, &hierarchy.responder_key, hierarchy.responder.certificate());
        fs::rename(&directory, home.path().join("other")).unwrap();
        let (_, faults) = files(home.path()).load(&hierarchy.authorities()[1]);
        assert!(faults[0].to_string().ends_with("was not issued by this CA's key"));
    }
}
