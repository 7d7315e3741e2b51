//! What is read of certificates and of changes.
use super::{
    AuditReader, AuthorityReader, CertificateRecord, CertificateState, CrlReader, Filter, IndexError,
    IssuanceReader, KeyUse, ResponderRecord, RestorationReader, Selector, StatusRow,
};
use crate::x509::{CertificateId, Name, UnixTime};

/// What listings and decisions read of certificates.
pub trait CertificateReader: Send + Sync {
    /// Where a certificate stands; `None` when this CA never assigned the serial number.
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, IndexError>;

    /// One certificate with its octets.
    fn certificate(&self, id: &CertificateId) -> Result<Option<CertificateRecord>, IndexError>;

    /// Those that a selector means, at most `limit`, newest first.
    fn select(&self, selector: &Selector, limit: usize) -> Result<Vec<CertificateRecord>, IndexError>;

    /// Hands every certificate that passes the filter to `visit`, oldest first, until it returns false.
    fn list(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(CertificateRecord) -> bool,
    ) -> Result<(), IndexError>;

    /// The certificates of delegated responders that have not ended at this time, whatever became of them, oldest
    /// first. Whoever has the key of one answers for its CA until then: nobody looks it up (id-pkix-ocsp-nocheck).
    fn responders(&self, now: UnixTime) -> Result<Vec<ResponderRecord>, IndexError>;

    /// What this public key (SHA-256 of its SubjectPublicKeyInfo) was used for before.
    fn key_uses(&self, key: &[u8; 32]) -> Result<Vec<KeyUse>, IndexError>;

    /// The subjects that are on record as one holder's with this key.
    fn one_holder(&self, key: &[u8; 32]) -> Result<Vec<Name>, IndexError>;

    /// Hands every certificate to `visit` that can be relied on at `now`, on hold or pending included, although one
    /// for the same key was revoked because the key was compromised.
    fn on_compromised_keys(
        &self,
        now: UnixTime,
        visit: &mut dyn FnMut(CertificateRecord),
    ) -> Result<(), IndexError>;
}

/// What is published for responders, and in which order it came to be.
pub trait ChangeReader: Send + Sync {
    /// Number of the latest change; grows with every change of a status or a CA.
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn change_number(&self) -> Result<u64, IndexError>;

    /// The change that made a certificate's state what it is; `None` when it is not on record.
    fn change_of(&self, id: &CertificateId) -> Result<Option<u64>, IndexError>;

    /// Hands of each change the row with the highest serial number to `visit`, the latest change first, until it
    /// returns false. Rows that were changed again since count for their latest change alone.
    fn last_of_changes(&self, visit: &mut dyn FnMut(StatusRow) -> bool) -> Result<(), IndexError>;

    /// Hands every status row whose change number is above `since` to `visit`.
    fn status_rows(&self, since: u64, visit: &mut dyn FnMut(StatusRow)) -> Result<(), IndexError>;
}

/// Everything that can be read.
pub trait IndexReader:
    CertificateReader
    + ChangeReader
    + AuthorityReader
    + IssuanceReader
    + CrlReader
    + AuditReader
    + RestorationReader
{
}

impl<T> IndexReader for T where
    T: CertificateReader
        + ChangeReader
        + AuthorityReader
        + IssuanceReader
        + CrlReader
        + AuditReader
        + RestorationReader
        + ?Sized
{
}
