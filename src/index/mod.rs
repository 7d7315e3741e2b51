//! The index: what was issued and what became of it.
//!
//! Three capabilities, each a trait of its own; a program is given the least of them. Every method is one
//! use case and one transaction; those that change something carry their audit events. Whatever an adapter
//! stores, it passes the suite in [`contract`].
mod record;
mod state;

pub use record::{
    Authority, CertificateRecord, CrlRecord, Filter, Intent, KeyUse, Selector, StatusRow, StatusValue,
};
pub use state::{CertificateState, Revocation, TransitionError};

use crate::audit::{AuditEvent, AuditRecord};
use crate::lint::Linted;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateId, CrlEntry, IssuerId, TbsCertList, TbsCertificate, UnixTime};

/// All that an OCSP responder may see.
pub trait StatusReader: Send + Sync {
    /// `None` when this CA never assigned the serial number.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, IndexError>;
}

/// What listings, CRLs and publication read.
pub trait IndexReader: StatusReader {
    /// Every CA, parents before children, siblings by name.
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn authorities(&self) -> Result<Vec<Authority>, IndexError>;

    /// The CA of this name.
    fn authority(&self, name: &str) -> Result<Option<Authority>, IndexError>;

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

    /// Hands every CRL entry of an issuer to `visit`, by serial number: what is revoked and ends at
    /// `not_expired_at` or later, and what was revoked and has been on no CRL issued after its end (C3).
    fn revoked(
        &self,
        issuer: &IssuerId,
        not_expired_at: UnixTime,
        visit: &mut dyn FnMut(CrlEntry),
    ) -> Result<(), IndexError>;

    /// What this public key (SHA-256 of its SubjectPublicKeyInfo) was used for before.
    fn key_uses(&self, key: &[u8; 32]) -> Result<Vec<KeyUse>, IndexError>;

    /// The CRL with the highest number of this issuer.
    fn last_crl(&self, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError>;

    /// How many certificates are pending: intended, and neither issued nor abandoned.
    fn pending(&self) -> Result<Vec<CertificateId>, IndexError>;

    /// Time of the newest audit record: nothing may be signed with a clock behind it.
    fn newest_record(&self) -> Result<Option<UnixTime>, IndexError>;

    /// Number of the latest change; grows with every change of a status or a CA.
    fn change_number(&self) -> Result<u64, IndexError>;

    /// Hands every status row whose change number is above `since` to `visit`.
    fn status_rows(&self, since: u64, visit: &mut dyn FnMut(StatusRow)) -> Result<(), IndexError>;

    /// Hands the audit records from sequence number `from` (the first is 1) to `visit`, in order, until it
    /// returns false.
    fn audit_records(&self, from: u64, visit: &mut dyn FnMut(AuditRecord) -> bool) -> Result<(), IndexError>;
}

/// Everything. Each method is one transaction with its audit events.
pub trait Index: IndexReader {
    /// Writes down what is about to be signed; nothing is signed before this. All or none of a group.
    ///
    /// # Errors
    /// [`IndexError::SerialInUse`], [`IndexError::IssuerUnfit`] when the issuer or one above it is revoked
    /// or expired at the events' time, [`IndexError::ClockBehind`], or a failing store; so below.
    fn record_intent(&self, intents: Vec<Intent>) -> Result<Vec<Recorded<TbsCertificate>>, IndexError>;

    /// Stores signed certificates against their intents; the group is one transaction. An intent that was
    /// abandoned or revoked meanwhile is [`IndexError::Conflict`].
    fn record_issued(&self, certificates: &[(Certificate, AuditEvent)]) -> Result<(), IndexError>;

    /// Abandons pending certificates: they count as revoked from now on. Those that are no longer pending
    /// are passed over. Returns how many were abandoned.
    fn abandon(&self, pending: &[(CertificateId, AuditEvent)]) -> Result<usize, IndexError>;

    /// Replaces state `from` by `to`, or reports [`IndexError::Conflict`].
    fn transition(
        &self,
        id: &CertificateId,
        from: &CertificateState,
        to: &CertificateState,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Adds a CA whose certificate is issued; its name and issuer identity are taken from then on.
    fn add_authority(&self, authority: &Authority, event: AuditEvent) -> Result<(), IndexError>;

    /// Sets whether certificates of this CA name an OCSP responder.
    fn set_serves_ocsp(&self, issuer: &IssuerId, serves: bool, event: AuditEvent) -> Result<(), IndexError>;

    /// Takes the next CRL number: above every number taken before and above `floor`. It is used up, whether
    /// or not a list with it comes to be.
    fn next_crl_number(&self, issuer: &IssuerId, floor: CrlNumber) -> Result<CrlNumber, IndexError>;

    /// Writes down the list that is about to be signed under its number.
    ///
    /// # Errors
    /// [`IndexError::CrlNumber`] when the list's number was not taken, or a list was recorded under it.
    fn record_crl(
        &self,
        issuer: &IssuerId,
        tbs: Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<Recorded<TbsCertList>, IndexError>;

    /// Records an event that changes nothing else: a refusal, a publication, a responder certificate.
    fn record_event(&self, event: AuditEvent) -> Result<(), IndexError>;
}

/// Proof that something is on record. Only an index adapter makes one.
///
/// It is the only thing an issuer signs, and is used up by signing.
#[derive(Debug)]
pub struct Recorded<T>(T);

impl<T> Recorded<T> {
    /// What is on record.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Gives the proof up.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// What can go wrong with the index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The serial number is taken.
    #[error("the serial number {} is taken", .0.serial_number)]
    SerialInUse(CertificateId),
    /// No such certificate.
    #[error("no certificate with serial number {} is on record", .0.serial_number)]
    NotFound(CertificateId),
    /// Somebody else changed the record first.
    #[error("certificate {} was changed by somebody else meanwhile", .0.serial_number)]
    Conflict(CertificateId),
    /// A CA of that name or key exists.
    #[error("there is a CA named {0} already")]
    AuthorityExists(String),
    /// The issuer, or one above it, is expired or revoked; says which and why.
    #[error("{0}")]
    IssuerUnfit(String),
    /// The clock stands before the newest record.
    #[error("the clock says {now}, which is before the newest record of {newest}")]
    ClockBehind {
        /// What the clock says.
        now: UnixTime,
        /// When the newest record was made.
        newest: UnixTime,
    },
    /// The CRL number is not the one that was taken for this list.
    #[error("CRL number {0} is not free to be used")]
    CrlNumber(CrlNumber),
    /// Another process holds the index for longer than the wait allows.
    #[error("the index is held by another process")]
    Busy,
    /// The index is of a version that this program does not know.
    #[error("the index has schema version {found}; this program knows {known}")]
    Schema {
        /// In the file.
        found: i64,
        /// Known here.
        known: i64,
    },
    /// What is stored contradicts itself.
    #[error("the index is damaged: {0}")]
    Damaged(String),
    /// The database failed.
    #[error("the index cannot be used: {0}")]
    Backend(String),
}
