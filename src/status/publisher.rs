//! Publication of the status, and questions about the published status.
use super::{SignedCrls, StatusComparison, StatusError};
use crate::index::IndexReader;
use crate::x509::UnixTime;

/// Publishes the status of every certificate for responders.
pub trait StatusPublisher: Send + Sync {
    /// Publishes the present state of the index, or confirms the published status when nothing has changed. A
    /// certificate that was signed or published as permanently revoked is never published in another state.
    /// `now` is the time of a trusted clock, or else the last trusted time.
    ///
    /// # Errors
    /// When the index cannot be read, or the published status is newer; [`StatusError::NotPublished`] when the
    /// files cannot be written; [`StatusError::Contradicts`], [`StatusError::OlderCopy`].
    fn publish_status(
        &self,
        index: &dyn IndexReader,
        signed: SignedCrls<'_>,
        now: UnixTime,
    ) -> Result<(), StatusError>;

    /// Returns the number of the latest published change; `None` when nothing is published.
    ///
    /// # Errors
    /// When the published status cannot be read.
    fn published_change(&self) -> Result<Option<u64>, StatusError>;

    /// Returns whether the published status includes the latest change.
    ///
    /// # Errors
    /// When the index or the published status cannot be read.
    fn is_current(&self, index: &dyn IndexReader) -> Result<bool, StatusError>;

    /// Returns whether all that is published can be read. All of it is read; what is not published yet, or by the
    /// former version, counts as whole.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    fn is_whole(&self) -> Result<bool, StatusError>;

    /// Checks, before anything else is published from this index, that the published status was made from the
    /// index's present or an earlier state. Without a readable manifest, all remaining files must agree with
    /// the index.
    ///
    /// # Errors
    /// [`StatusError::NotContinued`] when the index is an older copy or another index;
    /// [`StatusError::OlderCopy`] and [`StatusError::Contradicts`] when the remaining files show that.
    fn check_continued(&self, index: &dyn IndexReader, signed: SignedCrls<'_>) -> Result<(), StatusError>;

    /// Returns the time of the published status, if it is of a trusted clock. Returns `None` also when nothing
    /// is published, the manifest is damaged, or it does not tell.
    ///
    /// # Errors
    /// When the manifest cannot be read from the disk.
    fn confirmed(&self) -> Result<Option<UnixTime>, StatusError>;

    /// Compares the published status with the index, certificate by certificate.
    ///
    /// # Errors
    /// [`StoreError::Missing`](crate::index::StoreError::Missing) when nothing is published,
    /// [`StoreError::Damaged`](crate::index::StoreError::Damaged) when a file is not the one that was
    /// published, [`StatusError::NotContinued`] when it was made from a later state of the index or from
    /// another index.
    fn compare(&self, index: &dyn IndexReader) -> Result<StatusComparison, StatusError>;

    /// Publishes everything again in place of the published files, unless these are readable and newer than the
    /// index.
    ///
    /// # Errors
    /// As [`StatusPublisher::publish_status`].
    fn rebuild_status(
        &self,
        index: &dyn IndexReader,
        signed: SignedCrls<'_>,
        now: UnixTime,
    ) -> Result<(), StatusError>;
}
