//! What publishes, and what can be asked of what is published.
use super::{SignedCrls, StatusComparison, StatusError};
use crate::index::IndexReader;
use crate::x509::UnixTime;

/// Publishes the status of every certificate for responders to read.
pub trait StatusPublisher: Send + Sync {
    /// Publishes what the index says now; where nothing has changed, that it is still so. Nothing that was signed
    /// or published as revoked for good is published as anything else. `now` is the
    /// time of a clock that is trusted, else the last one that was.
    ///
    /// # Errors
    /// When the index cannot be read, or what is published is newer; [`StatusError::NotPublished`] when the files
    /// cannot be written; [`StatusError::Contradicts`], [`StatusError::OlderCopy`].
    fn publish_status(
        &self,
        index: &dyn IndexReader,
        signed: SignedCrls<'_>,
        now: UnixTime,
    ) -> Result<(), StatusError>;

    /// Number of the latest change that is published; `None` when nothing is.
    ///
    /// # Errors
    /// When what is published cannot be read.
    fn published_change(&self) -> Result<Option<u64>, StatusError>;

    /// Whether what is published is of the latest change.
    ///
    /// # Errors
    /// When the index, or what is published, cannot be read.
    fn is_current(&self, index: &dyn IndexReader) -> Result<bool, StatusError>;

    /// Makes sure that what is published was made from an earlier state of this index, or from this one: before
    /// anything else is published from it. Where nothing says what is published, all that is left of it must agree.
    ///
    /// # Errors
    /// [`StatusError::NotContinued`] when it is not: the index is an older copy, or another one.
    /// [`StatusError::OlderCopy`], [`StatusError::Contradicts`] when what is left shows that.
    fn check_continued(&self, index: &dyn IndexReader, signed: SignedCrls<'_>) -> Result<(), StatusError>;

    /// The time of what is published, when it is of a clock that was trusted; `None` also where nothing is
    /// published, or it cannot be read, or does not say.
    ///
    /// # Errors
    /// When the files cannot be looked at.
    fn confirmed(&self) -> Result<Option<UnixTime>, StatusError>;

    /// Compares what is published, certificate by certificate, with the index.
    ///
    /// # Errors
    /// [`StoreError::Missing`](crate::index::StoreError::Missing) when nothing is published, [`StoreError::Damaged`](crate::index::StoreError::Damaged) when a file is not the one
    /// that was published, [`StatusError::NotContinued`] when it was made from a later state of the index or
    /// from another one.
    fn compare(&self, index: &dyn IndexReader) -> Result<StatusComparison, StatusError>;

    /// Publishes everything anew, whatever is there, unless it is readable and newer than the index.
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
