//! What an OCSP responder can read of a CA.
use super::{PublishedAuthority, StatusError};
use crate::index::CertificateState;
use crate::x509::{CertificateId, IssuerId, SerialNumber, UnixTime};
use std::path::Path;

/// What is published about one certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusEntry {
    /// The state of the certificate.
    pub state: CertificateState,
    /// notAfter of the certificate; `None` for one that is not in the status, but on a CRL.
    pub not_after: Option<UnixTime>,
}

/// One state of the published status. It never changes.
pub trait StatusReader: Send + Sync {
    /// Returns what is published about a certificate; `None` when this CA never assigned the serial number.
    ///
    /// # Errors
    /// When the published status cannot be read.
    fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError>;

    /// Returns the state of a certificate; `None` when this CA never assigned the serial number.
    ///
    /// # Errors
    /// When the published status cannot be read.
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, StatusError> {
        Ok(self.entry(id)?.map(|entry| entry.state))
    }

    /// Returns every CA.
    fn authorities(&self) -> &[PublishedAuthority];

    /// Returns the number of the latest change in this status.
    fn change(&self) -> u64;

    /// Returns when this status was published or last confirmed.
    fn time(&self) -> UnixTime;

    /// Returns whether a part of it was found damaged, so that some certificates are not answered for.
    fn is_damaged(&self) -> bool {
        false
    }
}

/// A state whose certificates can be listed.
pub trait EveryStatus: StatusReader {
    /// Passes every certificate of an issuer to `visit`, in the order of the values of their serial numbers, until that
    /// returns false.
    ///
    /// # Errors
    /// When the published status cannot be read.
    fn each_of(
        &self,
        issuer: &IssuerId,
        visit: &mut dyn FnMut(SerialNumber, StatusEntry) -> bool,
    ) -> Result<(), StatusError>;
}

/// Source of states of the published status.
pub trait StatusSource: Send + Sync + 'static {
    /// The type of one state.
    type View: StatusReader + 'static;

    /// Opens the published status. Parts that have not changed may be taken from the previous state.
    ///
    /// # Errors
    /// When the published status cannot be read.
    fn open(&self, previous: Option<&Self::View>) -> Result<Self::View, StatusError>;

    /// Returns whether another status, or a later time, was published since, or the status is missing now. It
    /// is called several times a second.
    fn changed_since(&self, view: &Self::View) -> bool;

    /// Returns the directory in which another status shows; `None` when there is none to be watched.
    fn directory(&self) -> Option<&Path>;
}
