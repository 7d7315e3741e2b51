//! Input of an index that was restored from a backup: what published files and CRLs show of the time since the
//! backup.
use super::{IndexError, Revocation};
use crate::audit::{AuditEvent, Head};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateId, IssuerId, UnixTime};

/// The mark of an index that was restored from a backup and not accepted yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Restored {
    /// When the index was restored.
    pub at: UnixTime,
    /// When the backup was made.
    pub backup: UnixTime,
}

/// What a restored index takes over before it is used.
#[derive(Clone, Debug)]
pub struct Restoration {
    /// When the backup was made.
    pub backup: UnixTime,
    /// The change number above which new change numbers start.
    pub change: u64,
    /// The highest CRL number in use of each CA.
    pub crl_numbers: Vec<(IssuerId, CrlNumber)>,
    /// Certificates that were found and are not on record, or are pending.
    pub certificates: Vec<FoundCertificate>,
    /// Revocations that were found. Those already on record are skipped.
    pub revocations: Vec<FoundRevocation>,
    /// The newest audit records of the published statuses that were taken into account.
    pub superseded: Vec<Head>,
    /// The newest time of signature among the findings.
    pub signed: Option<UnixTime>,
    /// The audit event of the restore.
    pub event: AuditEvent,
}

/// A certificate that one of the CAs signed after the backup was made.
#[derive(Clone, Debug)]
pub struct FoundCertificate {
    /// The CA that signed it.
    pub issuer: IssuerId,
    /// The certificate.
    pub certificate: Certificate,
    /// The audit event of its recording.
    pub event: AuditEvent,
}

/// A revocation that was published.
#[derive(Clone, Debug)]
pub struct FoundRevocation {
    /// The revoked certificate. It need not be on record.
    pub id: CertificateId,
    /// Time and reason of the revocation.
    pub revocation: Revocation,
    /// The audit event of its recording.
    pub event: AuditEvent,
}

/// Counts of what was new to the index.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TakenOver {
    /// Number of certificates that are now on record as issued.
    pub certificates: usize,
    /// Number of certificates on record that are now revoked.
    pub revoked: usize,
    /// Number of revoked certificates that are now on record by their serial number only.
    pub serial_only: usize,
}

/// Reads whether this index was restored from a backup, and from which.
pub trait RestorationReader: Send + Sync {
    /// Returns the mark of a restored index that nobody has accepted yet.
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read.
    fn restored(&self) -> Result<Option<Restored>, IndexError>;

    /// Returns whether a restore took over the published status whose newest audit record is this one. A new
    /// status may replace that one although the audit record is not in this index.
    fn supersedes(&self, head: &Head) -> Result<bool, IndexError>;
}

/// Records a restore and its acceptance.
pub trait RestorationIndex: Send + Sync {
    /// Takes over what is known of the time after the backup that this index was restored from, and refuses
    /// issuance and releases until [`RestorationIndex::accept_restored`]. No revocation on record is weakened.
    /// A CRL of every CA is outstanding afterwards.
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read or written.
    fn restore(&self, restoration: &Restoration) -> Result<TakenOver, IndexError>;

    /// Allows issuance again after a restore. Returns false when there was nothing to accept.
    fn accept_restored(&self, event: AuditEvent) -> Result<bool, IndexError>;
}
