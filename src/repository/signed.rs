//! Published CRLs that their CAs signed, for look-ups of serial numbers.
use super::PublishError;
use super::directory::{LARGEST, not_read};
use crate::home::{ReadError, open_file};
use crate::x509::{CertificateList, CrlListing, SubjectPublicKeyInfo};
use std::collections::HashMap;
use std::fs::Metadata;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Identity of a file's contents, found without reading them: device, inode, size and time of the last status
/// change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Identity(u64, u64, u64, i64, i64);

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino(), metadata.size(), metadata.ctime(), metadata.ctime_nsec())
    }
}

/// CRLs that were read and verified before. A long CRL is not read again for each group of certificates.
#[derive(Debug, Default)]
pub(super) struct SignedLists(Mutex<HashMap<PathBuf, (Identity, Arc<CrlListing>)>>);

impl SignedLists {
    /// Returns the CRL in this file, when the file exists and this key signed the CRL. A file with other
    /// contents counts as no CRL.
    pub(super) fn read(
        &self,
        path: &Path,
        key: &SubjectPublicKeyInfo,
    ) -> Result<Option<Arc<CrlListing>>, PublishError> {
        let failed = |error| not_read(path, ReadError::Io(error));
        let file = match open_file(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return unless_none(failed(error)),
        };
        let identity = Identity::of(&file.metadata().map_err(failed)?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, list)) = known.get(path).filter(|(of, _)| *of == identity) {
            return Ok(Some(Arc::clone(list)));
        }
        known.remove(path);
        let mut octets = Vec::with_capacity(usize::try_from(identity.2.min(LARGEST)).unwrap_or(0));
        file.take(LARGEST).read_to_end(&mut octets).map_err(failed)?;
        let Ok(list) = CertificateList::from_octets(octets) else { return Ok(None) };
        if !list.was_signed_by(key) {
            return Ok(None);
        }
        let list = Arc::new(CrlListing::of(&list));
        known.insert(path.to_owned(), (identity, Arc::clone(&list)));
        Ok(Some(list))
    }
}

/// Maps an error to `None`, except a lack of resources, after which the contents are not known.
fn unless_none(error: PublishError) -> Result<Option<Arc<CrlListing>>, PublishError> {
    match error {
        error @ PublishError::NotRead { .. } => Err(error),
        _ => Ok(None),
    }
}
