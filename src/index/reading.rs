//! Reading of certificates and of changes.
use super::{
    AuditReader, AuthorityReader, CertificateRecord, CertificateState, CrlReader, Ending, Filter, IndexError,
    IssuanceReader, KeyUse, ResponderRecord, RestorationReader, Selector, StatusRow,
};
use crate::x509::{CertificateId, Name, UnixTime};
use std::collections::BTreeMap;

/// Reads certificates, for listings and decisions.
pub trait CertificateReader: Send + Sync {
    /// Returns the state of a certificate; `None` when this CA never assigned the serial number.
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read.
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, IndexError>;

    /// Returns one certificate with its octets.
    fn certificate(&self, id: &CertificateId) -> Result<Option<CertificateRecord>, IndexError>;

    /// Returns the certificates that a selector matches, newest first and at most `limit`.
    fn select(&self, selector: &Selector, limit: usize) -> Result<Vec<CertificateRecord>, IndexError>;

    /// Returns names of certificates that begin like this: values of commonName and subjectAltName in lower case, in
    /// the order of their octets, each once and at most `limit`.
    fn names(&self, beginning: &str, limit: usize) -> Result<Vec<String>, IndexError>;

    /// Returns the names, as those of [`CertificateReader::names`], that are next to this one in their order: at most
    /// `limit` before it and at most `limit` from it on.
    fn names_near(&self, name: &str, limit: usize) -> Result<Vec<String>, IndexError>;

    /// Passes every certificate that matches the filter to `visit`, oldest first, until `visit` returns false. With
    /// [`Filter::ending`] they come by notAfter, soonest first.
    fn list(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(CertificateRecord) -> bool,
    ) -> Result<(), IndexError>;

    /// Returns how many certificates end on each day, of those that are issued and not revoked and end between the two
    /// times, both included; by day, CA and profile.
    fn endings(&self, first: UnixTime, last: UnixTime) -> Result<Vec<Ending>, IndexError> {
        let mut counted: BTreeMap<(UnixTime, String, String), u64> = BTreeMap::new();
        let filter = Filter { ending: Some((first, last)), ..Filter::default() };
        self.list(&filter, &mut |record| {
            let end = record.validity.not_after;
            let day = end.plus(-end.0.rem_euclid(UnixTime::DAY));
            let count = counted.entry((day, record.authority, record.profile)).or_default();
            *count = count.saturating_add(1);
            true
        })?;
        let ending = |((day, authority, profile), count)| Ending { day, authority, profile, count };
        Ok(counted.into_iter().map(ending).collect())
    }

    /// Returns the certificates of delegated responders that have not expired at this time, in any state,
    /// oldest first. The holder of such a key can answer for the CA until then, because clients do not check
    /// the certificate's revocation (id-pkix-ocsp-nocheck, RFC 6960 §4.2.2.2.1).
    fn responders(&self, now: UnixTime) -> Result<Vec<ResponderRecord>, IndexError>;

    /// Returns the earlier certificates for this public key (SHA-256 of the SubjectPublicKeyInfo).
    fn key_uses(&self, key: &[u8; 32]) -> Result<Vec<KeyUse>, IndexError>;

    /// Returns the subjects that are on record as names of one subscriber with this key.
    fn one_subscriber(&self, key: &[u8; 32]) -> Result<Vec<Name>, IndexError>;

    /// Passes to `visit` every certificate that relying parties can accept at `now`, on hold or pending
    /// included, although a certificate for the same key was revoked because the key was compromised.
    fn on_compromised_keys(
        &self,
        now: UnixTime,
        visit: &mut dyn FnMut(CertificateRecord),
    ) -> Result<(), IndexError>;
}

/// Reads what is published for responders, in the order of the changes.
pub trait ChangeReader: Send + Sync {
    /// Returns the number of the latest change. It grows with every change of a status or a CA.
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read.
    fn change_number(&self) -> Result<u64, IndexError>;

    /// Returns the number of the change that gave a certificate its state; `None` when the certificate is not
    /// on record.
    fn change_of(&self, id: &CertificateId) -> Result<Option<u64>, IndexError>;

    /// Passes to `visit`, for each change, the row with the highest serial number, the latest change first,
    /// until `visit` returns false. A row that changed several times counts for its latest change only.
    fn last_of_changes(&self, visit: &mut dyn FnMut(StatusRow) -> bool) -> Result<(), IndexError>;

    /// Passes every status row whose change number is above `since` to `visit`. With `since` 0 the rows of an issuer come
    /// together, in the order of their serial numbers; otherwise they come in the order of the changes.
    fn status_rows(&self, since: u64, visit: &mut dyn FnMut(StatusRow)) -> Result<(), IndexError>;
}

/// All reading uses of an index.
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
