//! Key files that another program has encrypted anew, and that take the place of the former ones.
use super::AgeFileStore;
use super::files::{self, KeyFile};
use super::protection::Protection;
use super::store::{at, check_directory, read_file};
use crate::failpoint;
use crate::home::{Former, Mode, WriteError, Writing, replace_alone};
use crate::signing::KeyError;
use crate::x509::sha256;
use std::path::Path;
use std::time::Duration;

/// Bound of the wait for other processes that write into the directory.
const WAIT: Duration = Duration::from_secs(30);

impl AgeFileStore {
    /// The greatest work factor of a file that comes from another program, unless this store itself is to use more, or the
    /// present file has more: 512 MiB, which the unit of the signer allows.
    const MOST_GIVEN: u8 = 19;

    /// Refuses a file that has no key, takes too much to be opened, or is to replace another one than is there.
    pub(super) fn judge_resealed(
        &self,
        path: &Path,
        before: &[u8; 32],
        sealed: &[u8],
    ) -> Result<(), KeyError> {
        let fits = u64::try_from(sealed.len()).is_ok_and(|length| length <= KeyFile::LARGEST);
        if !(fits && KeyFile::has_key(sealed)) {
            return Err(KeyError::Backend(
                at(path),
                "what was handed over for it is no encrypted key".into(),
            ));
        }
        let present = unchanged(path, before)?;
        self.judge_work(path, sealed, work_of(&present).unwrap_or_default())
    }

    /// Refuses a file that another program made and that takes more memory to be opened than the signer may lock, unless
    /// the present file takes as much.
    pub(super) fn judge_work(&self, path: &Path, sealed: &[u8], present: u8) -> Result<(), KeyError> {
        let most = Self::MOST_GIVEN.max(self.work()).max(present);
        match work_of(sealed) {
            Some(given) if given > most => Err(KeyError::Backend(
                at(path),
                format!(
                    "a scrypt work factor of {given} is too much for the signer: at most {most}; give the key another \
                     passphrase where it is, with less work"
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Returns the work factor of a file that a passphrase opens, as its header says.
fn work_of(octets: &[u8]) -> Option<u8> {
    match Protection::of(octets) {
        Some(Protection::Passphrase { log_n }) => log_n,
        _ => None,
    }
}

/// Reads the file of a key, which has this digest.
fn unchanged(path: &Path, digest: &[u8; 32]) -> Result<Vec<u8>, KeyError> {
    let octets = read_file(path)?;
    if sha256(&octets) == *digest {
        return Ok(octets);
    }
    Err(KeyError::Backend(at(path), "it was changed since it was lent; nothing was changed".into()))
}

/// Puts a file in the place of that of a key, which has this digest, and then the record of the shares beside it: what
/// the former file had stays with it until it is replaced.
pub(super) fn put_resealed(
    path: &Path,
    before: &[u8; 32],
    sealed: &[u8],
    record: Option<&[u8]>,
) -> Result<(), KeyError> {
    check_directory(path)?;
    let not_written = |source| KeyError::NotWritten(WriteError { path: path.to_owned(), source });
    let alone = Writing::alone(path.parent().unwrap_or(path), WAIT).map_err(not_written)?;
    unchanged(path, before)?;
    // the former file, whatever has its name afterwards
    let former = Former::of(path).ok();
    replace_alone(&alone, path, sealed, Mode::Private)?;
    failpoint::passed("key: protected anew in its place");
    if let Some(record) = record {
        replace_alone(&alone, &files::record_of_shares(path), record, Mode::Private)?;
        failpoint::passed("key: record of the shares in place");
    }
    // what was replaced is not needed any more; a disk may keep it all the same
    let _ = former.map(Former::overwrite);
    Ok(())
}
