//! What an index is told when it was made from a backup: what others kept of the time since.
use super::{IndexError, Revocation};
use crate::audit::{AuditEvent, Head};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateId, IssuerId, UnixTime};

/// That an index comes from a backup and has not been accepted yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Restored {
    /// When it was restored.
    pub at: UnixTime,
    /// When the backup was made.
    pub backup: UnixTime,
}

/// What an index from a backup takes over before it is used.
#[derive(Clone, Debug)]
pub struct Restoration {
    /// When the backup was made.
    pub backup: UnixTime,
    /// Change numbers go on above this one.
    pub change: u64,
    /// CRL numbers that count as taken, of each CA the highest.
    pub crl_numbers: Vec<(IssuerId, CrlNumber)>,
    /// Certificates that were found and are not on record, or are pending.
    pub certificates: Vec<FoundCertificate>,
    /// Revocations that were found; those that say nothing new are passed over.
    pub revocations: Vec<FoundRevocation>,
    /// The newest audit records of the published statuses that were taken into account.
    pub superseded: Vec<Head>,
    /// The newest time at which something that was found was signed.
    pub signed: Option<UnixTime>,
    /// The record of the restoring.
    pub event: AuditEvent,
}

/// A certificate that one of the CAs signed after the backup was made.
#[derive(Clone, Debug)]
pub struct FoundCertificate {
    /// The CA that signed it.
    pub issuer: IssuerId,
    /// The certificate.
    pub certificate: Certificate,
    /// The record of its being taken over.
    pub event: AuditEvent,
}

/// A revocation that was published.
#[derive(Clone, Debug)]
pub struct FoundRevocation {
    /// What was revoked; it need not be on record.
    pub id: CertificateId,
    /// When and why.
    pub revocation: Revocation,
    /// The record of its being taken over.
    pub event: AuditEvent,
}

/// What was new to the index.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TakenOver {
    /// Certificates that are on record as issued now.
    pub certificates: usize,
    /// Certificates on record that are revoked now.
    pub revoked: usize,
    /// Revoked certificates that are on record by their number alone.
    pub known_by_number: usize,
}

/// Whether this is an index from a backup, and of what.
pub trait RestorationReader: Send + Sync {
    /// Whether it was made from a backup that nobody has accepted yet.
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn restored(&self) -> Result<Option<Restored>, IndexError>;

    /// Whether a published status whose newest audit record is this one was taken over by a restore, so that a
    /// new one may be put in its place although the record is not here.
    fn supersedes(&self, head: &Head) -> Result<bool, IndexError>;
}

/// What a restore takes over, and its end.
pub trait RestorationIndex: Send + Sync {
    /// Takes over what is known from elsewhere of the time after the backup that this index was made from, and
    /// keeps everybody from issuing and releasing until [`RestorationIndex::accept_restored`]. Nothing that is revoked
    /// here becomes less so. Every CA owes a CRL afterwards.
    ///
    /// # Errors
    /// When the store cannot be read or written; so below.
    fn restore(&self, restoration: &Restoration) -> Result<TakenOver, IndexError>;

    /// Lets certificates be issued again after a restore; false when there was nothing to accept.
    fn accept_restored(&self, event: AuditEvent) -> Result<bool, IndexError>;
}
