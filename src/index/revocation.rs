//! Revocations and the CRLs that publish them.
use super::{CertificateState, CrlRecord, FoundRevocation, IndexError, Recorded, TakenOver};
use crate::audit::AuditEvent;
use crate::lint::Linted;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlEntry, IssuerId, SerialNumber, TbsCertList, UnixTime};

/// Reads the contents of the next CRLs, and the CRLs on record.
pub trait CrlReader: Send + Sync {
    /// Passes every entry of an issuer's next CRL to `visit`, in order of serial number. A revoked certificate
    /// is listed until it was on a published CRL whose thisUpdate is after the certificate's notAfter (C3).
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read.
    fn revoked(&self, issuer: &IssuerId, visit: &mut dyn FnMut(CrlEntry)) -> Result<(), IndexError>;

    /// Returns the published CRL with this issuer's highest number.
    fn last_crl(&self, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError>;

    /// Returns the highest CRL number that was taken for this issuer, whether or not a CRL was made with it; 0
    /// before the first.
    fn highest_crl_number(&self, issuer: &IssuerId) -> Result<CrlNumber, IndexError>;

    /// Returns the number of the published complete CRL on which a delta CRL with this number is based: the lowest
    /// below it that has not lapsed at `now`, so that the delta serves whoever has any of those; where all have
    /// lapsed, the highest below it. `None` where none was published.
    fn delta_base(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        now: UnixTime,
    ) -> Result<Option<CrlNumber>, IndexError>;

    /// Returns those of these certificates that changed since the number of this CRL was taken. One that is not on
    /// record has changed; so have all when the number was not taken.
    fn changed_since(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        serials: Vec<SerialNumber>,
    ) -> Result<Vec<SerialNumber>, IndexError>;

    /// Returns whether exactly this CRL was recorded under its number ([`RevocationIndex::record_crl`]).
    fn is_recorded(&self, issuer: &IssuerId, tbs: &TbsCertList) -> Result<bool, IndexError>;

    /// Returns SHA-256 of each TBSCertList that was recorded under this number: the complete CRL, then the delta CRL
    /// that was made beside it.
    fn recorded_crls(&self, issuer: &IssuerId, number: CrlNumber) -> Result<Vec<[u8; 32]>, IndexError>;

    /// Returns whether a CRL is outstanding: no CRL was published yet, or a certificate was revoked, released
    /// or abandoned since the number of the published CRL with the highest number was taken.
    fn crl_is_owed(&self, issuer: &IssuerId) -> Result<bool, IndexError>;
}

/// Records revocations, holds and releases, and the CRLs that publish them.
pub trait RevocationIndex: Send + Sync {
    /// Replaces state `from` by `to`, or returns [`IndexError::Conflict`] when the state is no longer `from`. A
    /// release is refused after a restore that is not accepted yet ([`IndexError::NotAccepted`]) and for a key
    /// that another subscriber has ([`IndexError::KeyRefused`]).
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read or written.
    fn transition(
        &self,
        id: &CertificateId,
        from: &CertificateState,
        to: &CertificateState,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Takes the next CRL number, above every number taken before and above `floor`, for a CRL with this
    /// thisUpdate. Then it passes every entry, in order of serial number, to `visit`. The number is used up,
    /// whether or not a CRL is made with it.
    ///
    /// The entries are those of the moment at which the number was taken, whatever changes while they are
    /// visited. Therefore a CRL with a higher number never lacks an entry of one with a lower number, unless
    /// the certificate was released or need not be listed any more. Other processes do not wait for the visits.
    ///
    /// # Errors
    /// [`IndexError::ClockBehind`] when thisUpdate is before the newest signature; nothing was visited then.
    fn next_crl_number(
        &self,
        issuer: &IssuerId,
        floor: CrlNumber,
        this_update: UnixTime,
        visit: &mut dyn FnMut(CrlEntry),
    ) -> Result<CrlNumber, IndexError>;

    /// Records the CRL that is about to be signed under its number. Higher numbers may have been taken
    /// meanwhile. A delta CRL is recorded beside the complete CRL of the same number and thisUpdate, once.
    ///
    /// # Errors
    /// [`IndexError::CrlNumber`] when the number was not taken, was taken for another thisUpdate, or has a CRL
    /// recorded already, and for a delta CRL when no complete one was recorded under it; [`IndexError::ClockBehind`]
    /// when a CRL with a lower number has a later thisUpdate.
    fn record_crl(
        &self,
        issuer: &IssuerId,
        tbs: Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<Recorded<TbsCertList>, IndexError> {
        super::recorded::crl(self, issuer, tbs, event)
    }

    /// Stores the CRL of [`RevocationIndex::record_crl`].
    ///
    /// # Errors
    /// As [`RevocationIndex::record_crl`].
    fn store_crl(
        &self,
        issuer: &IssuerId,
        tbs: &Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Records that the CRL of this number is signed and published. Only then does it count for
    /// [`CrlReader::last_crl`]. A certificate that it lists after the certificate's notAfter may be left out of
    /// later CRLs, if notAfter had also passed at the time `confirmed`: the clock of the CRL's thisUpdate may
    /// have been ahead. CRLs with higher numbers may have been published before.
    ///
    /// # Errors
    /// [`IndexError::CrlNumber`] when no CRL was recorded under the number.
    fn record_crl_published(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        confirmed: UnixTime,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Records a published CRL that was signed elsewhere, under its own number. It may be from before the newest
    /// signature. `is_complete` says whether it lists everything that is revoked here; if not, a CRL is outstanding
    /// afterwards.
    ///
    /// # Errors
    /// [`IndexError::UnknownAuthority`]; [`IndexError::CrlNumber`] when the number is not above every number taken
    /// before; [`IndexError::ClockBehind`] when a CRL with a lower number has a later thisUpdate.
    fn record_foreign_crl(
        &self,
        issuer: &IssuerId,
        tbs: &TbsCertList,
        is_complete: bool,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Takes over revocations that are on signed CRLs and are missing from the record, or are recorded
    /// otherwise. No revocation on record is weakened. A CRL of each of these CAs is outstanding afterwards.
    fn take_over(&self, revocations: &[FoundRevocation]) -> Result<TakenOver, IndexError>;
}
