//! Verification that a backup can be restored.
use super::check::check;
use super::leftovers::WITHIN_HOME;
use super::manifest::BackupManifest;
use super::workplace::Workplace;
use super::{Opener, Stores, read};
use crate::error::{Problem, Shown as _};
use crate::home::Home;
use crate::index::IndexReader;
use base16ct::lower::encode_string as hex;
use std::path::{Path, PathBuf};

/// The result of restoring a backup into a temporary directory.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The contents of the backup.
    pub manifest: BackupManifest,
    /// Number of certificates on record.
    pub certificates: u64,
    /// Every fault; empty when the backup can be restored.
    pub faults: Vec<String>,
    /// Changes of the home since the backup; `None` without a home.
    pub behind: Option<Behind>,
}

/// A backup compared with the home.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Behind {
    /// The backup is an earlier state of the home.
    By {
        /// Number of changes of certificates and CAs since.
        changes: u64,
        /// Number of audit records since.
        records: u64,
    },
    /// The histories differ: the home is another one, or was restored from an older backup.
    Elsewhere,
}

/// Restores a backup into a private temporary directory, and checks all of it.
///
/// # Errors
/// When the backup cannot be opened, or is damaged. Faults of its contents are returned in [`Verified::faults`].
pub fn verify(
    file: &Path,
    opener: Opener<'_>,
    stores: &dyn Stores,
    home: &Home,
    current: Option<&dyn IndexReader>,
) -> Result<Verified, Problem> {
    let source = read::open(file, opener)?;
    let temporary = std::env::temp_dir();
    // the file system of the index has room for another index
    let work =
        Workplace::new(home.directory(), WITHIN_HOME).or_else(|_| Workplace::new(&temporary, WITHIN_HOME))?;
    let inside: PathBuf = work.join("home");
    let staged = Home::in_directories(work.join("configuration"), inside);
    staged.create()?;
    let manifest = read::extract(file, source, &staged, &stores.index_in(&staged))?;
    let (index, mut faults) = check(&staged, &manifest, stores)?;
    if let Err(problem) = stores.check_settings(&staged) {
        faults.push(problem.message.replace(&work.path().shown().to_string(), "").trim().to_owned());
    }
    let mut certificates = 0;
    index.status_rows(0, &mut |_| certificates += 1)?;
    let behind = current.map(|current| behind(&manifest, current)).transpose()?;
    drop(index);
    Ok(Verified { manifest, certificates, faults, behind })
}

fn behind(manifest: &BackupManifest, current: &dyn IndexReader) -> Result<Behind, Problem> {
    let head = current.audit_head()?;
    let mut there = None;
    current.audit_records(manifest.audit.sequence.max(1), &mut |record| {
        there = Some(hex(&record.digest));
        false
    })?;
    if there.as_deref() != Some(manifest.audit.digest.as_str()) {
        return Ok(Behind::Elsewhere);
    }
    Ok(Behind::By {
        changes: current.change_number()?.saturating_sub(manifest.change),
        records: head.sequence.saturating_sub(manifest.audit.sequence),
    })
}
