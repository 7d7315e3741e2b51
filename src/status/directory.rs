//! The directory of the published status, which a responder watches.
use super::authorities_file;
use super::base::Base;
use super::compare::compare;
use super::continuity::Continuity;
use super::delta_file::Delta;
use super::manifest::{FileIdentity, StatusManifest};
use super::publish::{is_continued, publish, rebuild};
use super::snapshot::StatusSnapshot;
use super::{PublishedAuthority, SignedCrls, StatusComparison, StatusError, StatusPublisher, StatusSource};
use crate::index::{IndexReader, StoreError};
use crate::x509::UnixTime;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bound of the attempts to open the files of a manifest. Files may vanish when another manifest is published
/// meanwhile.
const ATTEMPTS: usize = 5;

/// A directory with published status.
#[derive(Clone, Debug)]
pub struct StatusDirectory {
    path: PathBuf,
}

impl StatusPublisher for StatusDirectory {
    fn publish_status(
        &self,
        index: &dyn IndexReader,
        signed: SignedCrls<'_>,
        now: UnixTime,
    ) -> Result<(), StatusError> {
        publish(index, Some(signed), &self.path, now).map(drop).map_err(unpublished)
    }

    fn published_change(&self) -> Result<Option<u64>, StatusError> {
        let manifest = StatusManifest::read(&self.path).map_err(unpublished)?;
        // What the former version published has to be published again.
        Ok(manifest.filter(|(manifest, _)| manifest.files().is_some()).map(|(manifest, _)| manifest.change()))
    }

    fn is_current(&self, index: &dyn IndexReader) -> Result<bool, StatusError> {
        let published = self.published_change()?;
        Ok(published == Some(index.change_number()?))
    }

    fn is_whole(&self) -> Result<bool, StatusError> {
        if StatusManifest::read(&self.path)?.is_none_or(|(manifest, _)| manifest.files().is_none()) {
            return Ok(true);
        }
        Ok(self.open(None).and_then(|snapshot| snapshot.base.check()).is_ok())
    }

    fn check_continued(&self, index: &dyn IndexReader, signed: SignedCrls<'_>) -> Result<(), StatusError> {
        match StatusManifest::read(&self.path) {
            Ok(Some((published, _))) => is_continued(index, &published).map(drop),
            Ok(None) | Err(StatusError::Store(StoreError::Damaged(_))) => {
                let directory = &self.path;
                let left =
                    Continuity { reader: index, signed: Some(signed), directory, old: None, continued: true };
                left.check_all()
            }
            Err(error) => Err(error),
        }
    }

    fn confirmed(&self) -> Result<Option<UnixTime>, StatusError> {
        match StatusManifest::read(&self.path) {
            Ok(published) => Ok(published.and_then(|(manifest, _)| manifest.confirmed())),
            Err(
                StatusError::Store(StoreError::Damaged(_)) | StatusError::Store(StoreError::Schema { .. }),
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn compare(&self, index: &dyn IndexReader) -> Result<StatusComparison, StatusError> {
        compare(&self.path, index)
    }

    fn rebuild_status(
        &self,
        index: &dyn IndexReader,
        signed: SignedCrls<'_>,
        now: UnixTime,
    ) -> Result<(), StatusError> {
        rebuild(index, signed, &self.path, now).map(drop).map_err(unpublished)
    }
}

/// Maps an error of a status file to one that says that the status is not published.
fn unpublished(error: StatusError) -> StatusError {
    match error {
        StatusError::Store(StoreError::Backend(reason)) => StatusError::NotPublished(reason),
        error => error,
    }
}

impl StatusDirectory {
    /// Returns the directory at this path. Nothing is read yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn identity(&self) -> Option<FileIdentity> {
        std::fs::metadata(self.path.join(StatusManifest::FILE))
            .ok()
            .map(|metadata| FileIdentity::of(&metadata))
    }

    fn open_files(
        &self,
        manifest: &StatusManifest,
        identity: FileIdentity,
        previous: Option<&StatusSnapshot>,
    ) -> Result<StatusSnapshot, StatusError> {
        let Some(files) = manifest.files() else {
            return Err(StatusError::Former(self.path.join(StatusManifest::FILE)));
        };
        let base = match previous.map(|snapshot| &snapshot.base) {
            Some(base) if base.is(&files.base) && !base.is_damaged() => Arc::clone(base),
            Some(base) if base.is(&files.base) => base.again(&self.path, &files.base).map(Arc::new)?,
            _ => Base::open(&self.path, &files.base).map(Arc::new)?,
        };
        let before = previous.and_then(|snapshot| snapshot.delta.as_ref());
        let open = |part| Delta::open(&self.path, part, &files.base, before);
        let delta = files.delta.as_ref().map(open).transpose()?;
        let authorities = match previous {
            Some(snapshot) if snapshot.authorities_file == files.authorities => {
                Arc::clone(&snapshot.authorities)
            }
            _ => {
                let written = authorities_file::read(&self.path, &files.authorities)?;
                written.into_iter().map(PublishedAuthority::parse).collect::<Result<_, _>>()?
            }
        };
        Ok(StatusSnapshot {
            base,
            delta,
            authorities,
            authorities_file: files.authorities.clone(),
            change: manifest.change(),
            time: manifest.time()?,
            manifest: identity,
            head: manifest.head(),
        })
    }
}

impl StatusSource for StatusDirectory {
    type View = StatusSnapshot;

    /// Reuses the files of `previous` that are unchanged, so that a publication costs what it adds.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when nothing is published here, [`StoreError::Damaged`] when a file does not
    /// have the digest in the manifest, [`StatusError::Incomplete`] when it is missing or cut short,
    /// [`StatusError::Former`] and [`StoreError::Schema`] when an older or a newer program wrote it, or a failing file
    /// system. The previous snapshot stays usable.
    fn open(&self, previous: Option<&StatusSnapshot>) -> Result<StatusSnapshot, StatusError> {
        let mut attempt = 1;
        loop {
            let (manifest, identity) = StatusManifest::read(&self.path)?.ok_or_else(|| {
                StatusError::Store(StoreError::Missing(self.path.join(StatusManifest::FILE)))
            })?;
            match self.open_files(&manifest, identity, previous) {
                // The manifest was replaced while its files were being opened, so that they may have been
                // removed.
                Err(_) if attempt < ATTEMPTS && self.identity() != Some(identity) => attempt += 1,
                result => return result,
            }
        }
    }

    /// Costs one `stat`.
    fn changed_since(&self, snapshot: &StatusSnapshot) -> bool {
        self.identity() != Some(snapshot.manifest)
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.path)
    }
}
