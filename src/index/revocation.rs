//! Revocations, and the CRLs that tell of them.
use super::{CertificateState, CrlRecord, FoundRevocation, IndexError, Recorded, TakenOver};
use crate::audit::AuditEvent;
use crate::lint::Linted;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlEntry, IssuerId, TbsCertList, UnixTime};

/// What CRLs are made of, and which were made.
pub trait CrlReader: Send + Sync {
    /// Hands every entry of an issuer's next CRL to `visit`, by serial number: what is revoked, until it has
    /// been on a published CRL whose thisUpdate lies after its end (C3).
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn revoked(&self, issuer: &IssuerId, visit: &mut dyn FnMut(CrlEntry)) -> Result<(), IndexError>;

    /// The published CRL with the highest number of this issuer.
    fn last_crl(&self, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError>;

    /// The highest CRL number that was taken for this issuer, whether or not a list came of it; 0 before the
    /// first.
    fn highest_crl_number(&self, issuer: &IssuerId) -> Result<CrlNumber, IndexError>;

    /// Whether this very list was recorded under its number ([`RevocationIndex::record_crl`]).
    fn is_recorded(&self, issuer: &IssuerId, tbs: &TbsCertList) -> Result<bool, IndexError>;

    /// Whether a list is owed: something was revoked, released or abandoned since the number of the published
    /// CRL with the highest number was taken, or no list was published yet.
    fn crl_is_owed(&self, issuer: &IssuerId) -> Result<bool, IndexError>;
}

/// Revocations, holds and releases, and the CRLs that tell of them.
pub trait RevocationIndex: Send + Sync {
    /// Replaces state `from` by `to`, or reports [`IndexError::Conflict`] when it is no longer `from`. Nothing is
    /// released after a restore that is not accepted yet ([`IndexError::NotAccepted`]), nor on a key that others have
    /// ([`IndexError::KeyRefused`]).
    ///
    /// # Errors
    /// When the store cannot be read or written; so below.
    fn transition(
        &self,
        id: &CertificateId,
        from: &CertificateState,
        to: &CertificateState,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Takes the next CRL number, above every number taken before and above `floor`, for a list with this
    /// thisUpdate; then hands every entry, by serial number, to `visit`. It is used up, whether or not a list
    /// with it comes to be.
    ///
    /// The entries are those of the very moment at which the number was taken, whatever is changed while they
    /// are visited: a list with a higher number never lacks what one with a lower number has, unless that was
    /// released or need not be listed any more. Nobody waits for the visits.
    ///
    /// # Errors
    /// [`IndexError::ClockBehind`] when thisUpdate is before what was signed last; nothing was visited then.
    fn next_crl_number(
        &self,
        issuer: &IssuerId,
        floor: CrlNumber,
        this_update: UnixTime,
        visit: &mut dyn FnMut(CrlEntry),
    ) -> Result<CrlNumber, IndexError>;

    /// Writes down the list that is about to be signed under its number. Higher numbers may have been taken
    /// meanwhile.
    ///
    /// # Errors
    /// [`IndexError::CrlNumber`] when the list's number was not taken or was for another thisUpdate, or a list
    /// was recorded under it; [`IndexError::ClockBehind`] when one with an earlier number has a later thisUpdate.
    fn record_crl(
        &self,
        issuer: &IssuerId,
        tbs: Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<Recorded<TbsCertList>, IndexError> {
        super::recorded::crl(self, issuer, tbs, event)
    }

    /// Stores what [`RevocationIndex::record_crl`] says.
    ///
    /// # Errors
    /// As there.
    fn store_crl(
        &self,
        issuer: &IssuerId,
        tbs: &Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Notes that the list of this number is signed and in its public place. Only then it counts for
    /// [`CrlReader::last_crl`], and what it listed after its end may be left out from now on, if that end had
    /// passed at the time `confirmed` too: the clock that the list was made by may have been ahead. Those with
    /// higher numbers may have been published before.
    ///
    /// # Errors
    /// [`IndexError::CrlNumber`] when no list was recorded under the number.
    fn record_crl_published(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        confirmed: UnixTime,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Takes revocations over that were signed and are not on record any more, or not as they were: what is on the
    /// lists of CAs. Nothing that is revoked becomes less so. Each CA concerned owes a CRL afterwards.
    fn take_over(&self, revocations: &[FoundRevocation]) -> Result<TakenOver, IndexError>;
}
