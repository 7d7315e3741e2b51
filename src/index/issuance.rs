//! Issuing: what is about to be signed is on record before it is.
#[cfg(doc)]
use super::check_key;
use super::{IndexError, Intent, Issued, NewestSigned, Recorded};
use crate::audit::AuditEvent;
use crate::x509::{CertificateId, TbsCertificate};

/// What is read before anything is signed, and after somebody was killed.
pub trait IssuanceReader: Send + Sync {
    /// The certificates that are pending: intended, and neither issued nor abandoned; oldest first.
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn pending(&self) -> Result<Vec<CertificateId>, IndexError>;

    /// What was signed last: nothing may be signed with a clock behind it. Other records do not count, since a
    /// command that was refused under a wrong clock leaves one too.
    fn newest_signed(&self) -> Result<Option<NewestSigned>, IndexError>;
}

/// From the intent to the certificate on record.
pub trait IssuanceIndex: Send + Sync {
    /// Says that this process is between an intent and its outcome, until the guard is dropped or the process
    /// ends. Any number may be.
    ///
    /// # Errors
    /// When that cannot be said, or somebody is abandoning at the moment and does not end.
    fn signing(&self) -> Result<Guard, IndexError>;

    /// Keeps everybody from signing, unless somebody is at it: then `None`. What is pending while this is held
    /// was left behind by a process that ended.
    ///
    /// # Errors
    /// When it cannot be told.
    fn nobody_is_signing(&self) -> Result<Option<Guard>, IndexError>;

    /// Writes down what is about to be signed; nothing is signed before this. All or none of a group.
    ///
    /// # Errors
    /// [`IndexError::SerialInUse`], [`IndexError::KeyRefused`] as [`check_key`] says, what comes before in the group
    /// included, [`IndexError::IssuerUnfit`] when the issuer or one above it is revoked or expired at the event's time, [`IndexError::AuthorityExists`], [`IndexError::ClockBehind`],
    /// [`IndexError::NotAccepted`] for all but responder certificates after a restore, or a failing store; so
    /// below.
    fn record_intent(&self, intents: Vec<Intent>) -> Result<Vec<Recorded<TbsCertificate>>, IndexError> {
        super::recorded::intents(self, intents)
    }

    /// Stores what [`IssuanceIndex::record_intent`] says.
    ///
    /// # Errors
    /// As there.
    fn store_intents(&self, intents: &[Intent]) -> Result<(), IndexError>;

    /// Stores signed certificates against their intents; the group is one transaction. An intent that was
    /// abandoned or revoked meanwhile, or was for other octets, is [`IndexError::Conflict`].
    fn record_issued(&self, certificates: &[Issued]) -> Result<(), IndexError>;

    /// Abandons pending certificates: they count as revoked from now on. Those that are no longer pending
    /// are passed over. Returns how many were abandoned.
    fn abandon(&self, pending: &[(CertificateId, AuditEvent)]) -> Result<usize, IndexError>;
}

/// Holds what it was given for until it is dropped.
pub(crate) type Guard = Box<dyn Send>;
