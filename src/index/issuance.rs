//! Issuance. A certificate is put on record before it is signed.
#[cfg(doc)]
use super::check_key;
use super::{IndexError, Intent, Issued, NewestSigned, Recorded};
use crate::audit::AuditEvent;
use crate::x509::{CertificateId, TbsCertificate};

/// Reads the records that matter before a signature and after a process was killed.
pub trait IssuanceReader: Send + Sync {
    /// Returns the certificates that are pending (intended, and neither issued nor abandoned), oldest first.
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read.
    fn pending(&self) -> Result<Vec<CertificateId>, IndexError>;

    /// Returns the newest signature on record. Nothing may be signed with a clock behind it. Other audit
    /// records do not count, because a command that was refused under a wrong clock leaves one too.
    fn newest_signed(&self) -> Result<Option<NewestSigned>, IndexError>;
}

/// Records certificates from the intent to the signed certificate.
pub trait IssuanceIndex: Send + Sync {
    /// Marks this process as being between an intent and its outcome, until the guard is dropped or the process
    /// ends. Any number of processes may be so at the same time.
    ///
    /// # Errors
    /// When the mark cannot be made, or another process is abandoning certificates and does not end.
    fn signing(&self) -> Result<Guard, IndexError>;

    /// Keeps every process from signing while the guard is held. Returns `None` when a process is signing. A
    /// certificate that is pending while the guard is held was left behind by a process that ended.
    ///
    /// # Errors
    /// When it cannot be determined whether a process is signing.
    fn nobody_is_signing(&self) -> Result<Option<Guard>, IndexError>;

    /// Records certificates that are about to be signed; nothing is signed before this. Either the whole group
    /// is recorded or nothing.
    ///
    /// # Errors
    /// [`IndexError::SerialInUse`]; [`IndexError::KeyRefused`] by the rule of [`check_key`], earlier members of
    /// the group included; [`IndexError::IssuerUnfit`] when the issuer or one of its issuers is revoked or
    /// expired at the event's time; [`IndexError::RenewedMeanwhile`] by [`Intent::decided_beside`], for what is on
    /// record before the group; [`IndexError::AuthorityExists`]; [`IndexError::ClockBehind`];
    /// [`IndexError::NotAccepted`] after a restore, for all certificates but those of responders. Every method
    /// below fails when the store cannot be read or written.
    fn record_intent(&self, intents: Vec<Intent>) -> Result<Vec<Recorded<TbsCertificate>>, IndexError> {
        super::recorded::intents(self, intents)
    }

    /// Stores the intents of [`IssuanceIndex::record_intent`].
    ///
    /// # Errors
    /// As [`IssuanceIndex::record_intent`].
    fn store_intents(&self, intents: &[Intent]) -> Result<(), IndexError>;

    /// Stores signed certificates against their intents. The group is one transaction. An intent that was
    /// abandoned or revoked meanwhile, or that was for other octets, gives [`IndexError::Conflict`].
    fn record_issued(&self, certificates: &[Issued]) -> Result<(), IndexError>;

    /// Abandons pending certificates, which count as revoked from now on. Certificates that are no longer
    /// pending are skipped. Returns how many were abandoned.
    fn abandon(&self, pending: &[(CertificateId, AuditEvent)]) -> Result<usize, IndexError>;
}

/// Guard of a lock or mark, released when it is dropped.
pub(crate) type Guard = Box<dyn Send>;
