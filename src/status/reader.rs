//! All that an OCSP responder sees of a CA.
use super::{PublishedAuthority, StatusError};
use crate::index::CertificateState;
use crate::x509::{CertificateId, UnixTime};

/// One state of the published status; it never changes.
pub trait StatusReader: Send + Sync {
    /// Where a certificate stands; `None` when this CA never assigned the serial number.
    ///
    /// # Errors
    /// When what is published cannot be read.
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, StatusError>;

    /// Every CA.
    fn authorities(&self) -> &[PublishedAuthority];

    /// Number of the latest change in it.
    fn change(&self) -> u64;

    /// When it was published, or said again to be current.
    fn time(&self) -> UnixTime;
}

/// Where states of the published status come from.
pub trait StatusSource: Send + Sync + 'static {
    /// One state.
    type View: StatusReader + 'static;

    /// Opens what is published now; what has not changed since the previous state may be taken from it.
    ///
    /// # Errors
    /// When it cannot be read.
    fn open(&self, previous: Option<&Self::View>) -> Result<Self::View, StatusError>;

    /// Whether something else, or a later time, was published since, or nothing is there any more; called
    /// several times a second.
    fn changed_since(&self, view: &Self::View) -> bool;
}
