//! The index: what was issued and what became of it.
//!
//! Three capabilities, each a trait of its own; a program is given the least of them. Every method is one
//! use case and one transaction; those that change something carry their audit events. Whatever an adapter
//! stores, it passes the suite in `contract`.
#[cfg(test)]
pub(crate) mod contract;
mod contradiction;
mod error;
mod examination;
mod generation;
mod import;
mod index_txt;
mod key_rule;
mod record;
mod recorded;
mod restoration;
pub mod sqlite;
mod standing;
mod state;
mod store_error;

pub use contradiction::contradicting;
pub(crate) use contradiction::{Comparison, is_final, need_not_be_listed};
pub use error::IndexError;
pub use examination::{Damage, DamageKind, Examined};
pub(crate) use generation::UNLINKED;
pub use generation::{certified, crossed, is_quiet, successor, unlinked};
pub use import::{Import, Imported, ImportedCertificate, ImportedContents, Supplement};
pub use index_txt::{INDEX_TXT_ATTRIBUTES, index_txt};
pub use key_rule::{KeyConflict, check_key};
pub use record::{
    Authority, CertificateRecord, CrlRecord, Filter, Intent, Issued, KeyUse, NewAuthority, NewestSigned,
    ResponderRecord, Selector, StatusRow, StatusValue,
};
pub use recorded::Recorded;
pub use restoration::{FoundCertificate, FoundRevocation, Restoration, Restored, TakenOver};
pub use standing::{has_fallen, stands};
pub use state::{CertificateState, Revocation, TransitionError};
pub use store_error::StoreError;

use crate::audit::{AuditEvent, AuditRecord, Head};
use crate::lint::Linted;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlEntry, IssuerId, Name, TbsCertList, TbsCertificate, UnixTime};
use std::path::Path;

/// What listings, CRLs and publication read.
pub trait IndexReader: Send + Sync {
    /// Where a certificate stands; `None` when this CA never assigned the serial number.
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, IndexError>;

    /// Every CA, parents before children, siblings by name.
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

    /// Hands every entry of an issuer's next CRL to `visit`, by serial number: what is revoked, until it has
    /// been on a published CRL whose thisUpdate lies after its end (C3).
    fn revoked(&self, issuer: &IssuerId, visit: &mut dyn FnMut(CrlEntry)) -> Result<(), IndexError>;

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

    /// Every way in which the name of an issuer is written, in its own certificates and in those that it issued.
    fn names_of_issuer(&self, issuer: &IssuerId) -> Result<Vec<Name>, IndexError>;

    /// The published CRL with the highest number of this issuer.
    fn last_crl(&self, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError>;

    /// The highest CRL number that was taken for this issuer, whether or not a list came of it; 0 before the
    /// first.
    fn highest_crl_number(&self, issuer: &IssuerId) -> Result<CrlNumber, IndexError>;

    /// Whether this very list was recorded under its number ([`Index::record_crl`]).
    fn is_recorded(&self, issuer: &IssuerId, tbs: &TbsCertList) -> Result<bool, IndexError>;

    /// Whether a list is owed: something was revoked, released or abandoned since the number of the published
    /// CRL with the highest number was taken, or no list was published yet.
    fn crl_is_owed(&self, issuer: &IssuerId) -> Result<bool, IndexError>;

    /// The certificates that are pending: intended, and neither issued nor abandoned; oldest first.
    fn pending(&self) -> Result<Vec<CertificateId>, IndexError>;

    /// What was signed last: nothing may be signed with a clock behind it. Other records do not count, since a
    /// command that was refused under a wrong clock leaves one too.
    fn newest_signed(&self) -> Result<Option<NewestSigned>, IndexError>;

    /// The newest audit record, as noted apart from the records themselves; the default when there is none.
    fn audit_head(&self) -> Result<Head, IndexError>;

    /// Number of the latest change; grows with every change of a status or a CA.
    fn change_number(&self) -> Result<u64, IndexError>;

    /// The change that made a certificate's state what it is; `None` when it is not on record.
    fn change_of(&self, id: &CertificateId) -> Result<Option<u64>, IndexError>;

    /// Hands of each change the row with the highest serial number to `visit`, the latest change first, until it
    /// returns false. Rows that were changed again since count for their latest change alone.
    fn last_of_changes(&self, visit: &mut dyn FnMut(StatusRow) -> bool) -> Result<(), IndexError>;

    /// Hands every status row whose change number is above `since` to `visit`.
    fn status_rows(&self, since: u64, visit: &mut dyn FnMut(StatusRow)) -> Result<(), IndexError>;

    /// Hands the audit records from sequence number `from` (the first is 1) to `visit`, in order, until it
    /// returns false.
    fn audit_records(&self, from: u64, visit: &mut dyn FnMut(AuditRecord) -> bool) -> Result<(), IndexError>;

    /// Looks at everything that is stored: that it can be read, refers to nothing that is missing, and that
    /// what is kept beside each certificate agrees with its octets. Hands every damage to `visit`, and every
    /// certificate that can be read, newest first.
    fn examine(&self, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError>;

    /// Whether it was made from a backup that nobody has accepted yet.
    fn restored(&self) -> Result<Option<Restored>, IndexError>;

    /// Whether a published status whose newest audit record is this one was taken over by a restore, so that a
    /// new one may be put in its place although the record is not here.
    fn supersedes(&self, head: &Head) -> Result<bool, IndexError>;

    /// Writes all of it, as it is at one moment, into a new file of its own. Others may write meanwhile.
    ///
    /// # Errors
    /// When the path names something, or the file cannot be written.
    fn copy_to(&self, path: &Path) -> Result<(), IndexError>;
}

/// Everything. Each method is one transaction with its audit events.
pub trait Index: IndexReader {
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
        recorded::intents(self, intents)
    }

    /// Stores what [`Index::record_intent`] says.
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

    /// Replaces state `from` by `to`, or reports [`IndexError::Conflict`] when it is no longer `from`. Nothing is
    /// released after a restore that is not accepted yet ([`IndexError::NotAccepted`]), nor on a key that others have
    /// ([`IndexError::KeyRefused`]).
    fn transition(
        &self,
        id: &CertificateId,
        from: &CertificateState,
        to: &CertificateState,
        event: AuditEvent,
    ) -> Result<(), IndexError>;

    /// Takes over a CA that was made elsewhere: a root, or a child of a CA that is known, with all that it issued
    /// and revoked. Its name, identity and numbers are taken from then on, its next CRL is owed, and nothing that
    /// is revoked here becomes less so. Returns what was new.
    ///
    /// # Errors
    /// [`IndexError::AuthorityExists`]; [`IndexError::SerialInUse`] when another certificate has one of the
    /// numbers; [`IndexError::IssuerUnfit`] when the parent is not known or the certificate is of another name or
    /// key; [`IndexError::ClockBehind`], [`IndexError::NotAccepted`].
    fn import(&self, import: &Import) -> Result<Imported, IndexError>;

    /// Adds to a CA of this home what it signed and is not on record: issued or revoked elsewhere, found, or named by
    /// its number. Nothing that is revoked here becomes less so, and nothing that is known is changed but to become
    /// revoked. Returns what was new.
    ///
    /// # Errors
    /// [`IndexError::UnknownAuthority`]; [`IndexError::SerialInUse`] when another certificate has one of the numbers;
    /// [`IndexError::NotAccepted`] where one of them is not revoked.
    fn supplement(&self, supplement: &Supplement) -> Result<Imported, IndexError>;

    /// Sets whether certificates of this CA name an OCSP responder.
    fn set_serves_ocsp(&self, issuer: &IssuerId, serves: bool, event: AuditEvent) -> Result<(), IndexError>;

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
        recorded::crl(self, issuer, tbs, event)
    }

    /// Stores what [`Index::record_crl`] says.
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
    /// [`IndexReader::last_crl`], and what it listed after its end may be left out from now on, if that end had
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

    /// Takes over what is known from elsewhere of the time after the backup that this index was made from, and
    /// keeps everybody from issuing and releasing until [`Index::accept_restored`]. Nothing that is revoked
    /// here becomes less so. Every CA owes a CRL afterwards.
    fn restore(&self, restoration: &Restoration) -> Result<TakenOver, IndexError>;

    /// Takes revocations over that were signed and are not on record any more, or not as they were: what is on the
    /// lists of CAs. Nothing that is revoked becomes less so. Each CA concerned owes a CRL afterwards.
    fn take_over(&self, revocations: &[FoundRevocation]) -> Result<TakenOver, IndexError>;

    /// Lets certificates be issued again after a restore; false when there was nothing to accept.
    fn accept_restored(&self, event: AuditEvent) -> Result<bool, IndexError>;

    /// Records an event that changes nothing else: a refusal, a publication, a responder certificate.
    fn record_event(&self, event: AuditEvent) -> Result<(), IndexError>;

    /// Records such events, where the store can in one transaction.
    fn record_events(&self, events: Vec<AuditEvent>) -> Result<(), IndexError> {
        events.into_iter().try_for_each(|event| self.record_event(event))
    }
}

/// Holds what it was given for until it is dropped.
pub type Guard = Box<dyn Send>;
