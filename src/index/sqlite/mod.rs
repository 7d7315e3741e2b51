//! The index in one SQLite file, and the status files that are published from any index.
//!
//! WAL mode with `synchronous=FULL`: what was committed stays. Writers take their lock at once and wait for
//! each other; readers see one moment and hold nobody up.
pub(crate) mod authority;
pub(crate) mod connection;
mod copy;
#[cfg(test)]
mod copy_tests;
mod examining;
#[cfg(test)]
mod examining_tests;
mod importing;
mod interlock;
mod issuing;
mod journal;
mod keys;
mod naming;
#[cfg(test)]
mod plan;
mod pool;
mod reading;
mod restoring;
mod revoking;
pub(crate) mod row;
#[cfg(test)]
pub(crate) mod tests;

use super::{
    Authority, CertificateRecord, CertificateState, CrlRecord, Examined, Filter, FoundRevocation, Guard,
    Import, Imported, Index, IndexError, IndexReader, Intent, Issued, KeyUse, NewestSigned, ResponderRecord,
    Restoration, Restored, Selector, StatusRow, Supplement, TakenOver,
};
use crate::audit::{AuditEvent, AuditRecord, Head};
use crate::failpoint;
use crate::lint::Linted;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlEntry, IssuerId, Name, TbsCertList, UnixTime, sha256};
use interlock::Interlock;
use pool::Readers;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Pages of 4 KiB that the log may have while many certificates are issued.
const LARGE_LOG: i64 = 16384;

/// An index in an SQLite file.
pub struct SqliteIndex {
    writer: Mutex<Connection>,
    readers: Readers,
    interlock: Interlock,
    /// Whether the log may grow for as long as this is open.
    grows: AtomicBool,
}

impl SqliteIndex {
    /// How long to wait for another process, unless told otherwise.
    pub const WAIT: Duration = Duration::from_secs(30);

    /// Makes a new, empty index; the file belongs to the caller alone (0600).
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the path names something, or a failing file system.
    pub fn create(path: &Path) -> Result<Self, IndexError> {
        connection::create(path)?;
        Self::open(path)
    }

    /// Opens an index and waits up to [`SqliteIndex::WAIT`] for other processes.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Schema`] when a newer program wrote it,
    /// [`StoreError::Damaged`] when it is something else, [`StoreError::Busy`], or a failing file system.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        Self::open_waiting(path, Self::WAIT)
    }

    /// Opens an index and waits this long for other processes, at each use.
    ///
    /// # Errors
    /// As [`SqliteIndex::open`].
    pub fn open_waiting(path: &Path, wait: Duration) -> Result<Self, IndexError> {
        Ok(Self {
            writer: Mutex::new(connection::open(path, wait)?),
            readers: Readers::new(path, wait),
            interlock: Interlock::beside(path),
            grows: AtomicBool::new(false),
        })
    }

    /// Looks through every page of an index file for damage, and says what is wrong with it.
    ///
    /// # Errors
    /// As [`SqliteIndex::open`].
    pub fn faults(path: &Path) -> Result<Vec<String>, IndexError> {
        examining::faults(&connection::open(path, Self::WAIT)?)
    }

    /// Whether it was made by a version that knew less, and migrated: its home may be older than what is asked of new
    /// ones.
    ///
    /// # Errors
    /// A failing database.
    pub fn is_migrated(&self) -> Result<bool, IndexError> {
        self.read(|connection| Ok(connection.prepare_cached("SELECT 1 FROM older")?.exists([])?))
    }

    fn write<T>(&self, write: impl FnOnce(&Connection) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = write(&transaction)?;
        failpoint::passed("index: before commit");
        transaction.commit()?;
        failpoint::passed("index: committed");
        Ok(result)
    }

    /// Where group follows group, the log is copied into the file less often, and once more at the end.
    fn let_grow(&self, group: usize) -> Result<(), IndexError> {
        if group > 1 && !self.grows.swap(true, Ordering::Relaxed) {
            let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            connection.pragma_update(None, "wal_autocheckpoint", LARGE_LOG)?;
        }
        Ok(())
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, IndexError>) -> Result<T, IndexError> {
        self.readers.read(read)
    }
}

impl Drop for SqliteIndex {
    fn drop(&mut self) {
        if *self.grows.get_mut() {
            // nobody is waited for: should it fail, the next command that writes does it
            let connection = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
            let _ = connection
                .busy_timeout(Duration::ZERO)
                .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        }
    }
}

impl std::fmt::Debug for SqliteIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteIndex").finish_non_exhaustive()
    }
}

impl IndexReader for SqliteIndex {
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, IndexError> {
        self.read(|connection| reading::status(connection, id))
    }

    fn authorities(&self) -> Result<Vec<Authority>, IndexError> {
        self.read(authority::all)
    }

    fn authority(&self, name: &str) -> Result<Option<Authority>, IndexError> {
        self.read(|connection| authority::named(connection, name))
    }

    fn certificate(&self, id: &CertificateId) -> Result<Option<CertificateRecord>, IndexError> {
        self.read(|connection| reading::certificate(connection, id))
    }

    fn select(&self, selector: &Selector, limit: usize) -> Result<Vec<CertificateRecord>, IndexError> {
        self.read(|connection| reading::select(connection, selector, limit))
    }

    fn list(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(CertificateRecord) -> bool,
    ) -> Result<(), IndexError> {
        self.read(|connection| reading::list(connection, filter, visit))
    }

    fn revoked(&self, issuer: &IssuerId, visit: &mut dyn FnMut(CrlEntry)) -> Result<(), IndexError> {
        self.read(|connection| revoking::revoked(connection, issuer, visit))
    }

    fn responders(&self, now: UnixTime) -> Result<Vec<ResponderRecord>, IndexError> {
        self.read(|connection| reading::responders(connection, now))
    }

    fn key_uses(&self, key: &[u8; 32]) -> Result<Vec<KeyUse>, IndexError> {
        self.read(|connection| keys::uses(connection, key))
    }

    fn one_holder(&self, key: &[u8; 32]) -> Result<Vec<Name>, IndexError> {
        self.read(|connection| keys::one_holder(connection, key))
    }

    fn on_compromised_keys(
        &self,
        now: UnixTime,
        visit: &mut dyn FnMut(CertificateRecord),
    ) -> Result<(), IndexError> {
        self.read(|connection| keys::on_compromised(connection, now, visit))
    }

    fn names_of_issuer(&self, issuer: &IssuerId) -> Result<Vec<Name>, IndexError> {
        self.read(|connection| naming::written(connection, issuer))
    }

    fn crl_is_owed(&self, issuer: &IssuerId) -> Result<bool, IndexError> {
        self.read(|connection| revoking::crl_is_owed(connection, issuer))
    }

    fn is_recorded(&self, issuer: &IssuerId, tbs: &TbsCertList) -> Result<bool, IndexError> {
        self.read(|connection| revoking::is_recorded(connection, issuer, tbs))
    }

    fn last_crl(&self, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError> {
        self.read(|connection| revoking::last_crl(connection, issuer))
    }

    fn pending(&self) -> Result<Vec<CertificateId>, IndexError> {
        self.read(reading::pending)
    }

    fn newest_signed(&self) -> Result<Option<NewestSigned>, IndexError> {
        self.read(journal::newest_signed)
    }

    fn audit_head(&self) -> Result<Head, IndexError> {
        self.read(|connection| Ok(journal::read_head(connection)?.0))
    }

    fn change_number(&self) -> Result<u64, IndexError> {
        self.read(|connection| Ok(journal::read_head(connection)?.2))
    }

    fn change_of(&self, id: &CertificateId) -> Result<Option<u64>, IndexError> {
        self.read(|connection| reading::change_of(connection, id))
    }

    fn last_of_changes(&self, visit: &mut dyn FnMut(StatusRow) -> bool) -> Result<(), IndexError> {
        self.read(|connection| reading::last_of_changes(connection, visit))
    }

    fn status_rows(&self, since: u64, visit: &mut dyn FnMut(StatusRow)) -> Result<(), IndexError> {
        self.read(|connection| reading::status_rows(connection, since, visit))
    }

    fn audit_records(&self, from: u64, visit: &mut dyn FnMut(AuditRecord) -> bool) -> Result<(), IndexError> {
        self.read(|connection| journal::records(connection, from, visit))
    }

    fn examine(&self, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError> {
        self.read(|connection| examining::examine(connection, visit))
    }

    fn highest_crl_number(&self, issuer: &IssuerId) -> Result<CrlNumber, IndexError> {
        self.read(|connection| revoking::highest_crl_number(connection, issuer))
    }

    fn restored(&self) -> Result<Option<Restored>, IndexError> {
        self.read(restoring::restored)
    }

    fn supersedes(&self, head: &Head) -> Result<bool, IndexError> {
        self.read(|connection| restoring::supersedes(connection, head))
    }

    fn copy_to(&self, path: &Path) -> Result<(), IndexError> {
        self.readers.with_connection(|connection| copy::write(connection, path))
    }
}

impl Index for SqliteIndex {
    fn signing(&self) -> Result<Guard, IndexError> {
        self.interlock.share()
    }

    fn nobody_is_signing(&self) -> Result<Option<Guard>, IndexError> {
        self.interlock.exclude()
    }

    fn store_intents(&self, intents: &[Intent]) -> Result<(), IndexError> {
        self.let_grow(intents.len())?;
        self.write(|connection| issuing::store_intents(connection, intents))
    }

    fn record_issued(&self, certificates: &[Issued]) -> Result<(), IndexError> {
        self.write(|connection| issuing::record_issued(connection, certificates))
    }

    fn abandon(&self, pending: &[(CertificateId, AuditEvent)]) -> Result<usize, IndexError> {
        self.write(|connection| issuing::abandon(connection, pending))
    }

    fn transition(
        &self,
        id: &CertificateId,
        from: &CertificateState,
        to: &CertificateState,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.write(|connection| revoking::transition(connection, id, from, to, event))
    }

    fn import(&self, import: &Import) -> Result<Imported, IndexError> {
        self.write(|connection| importing::import(connection, import))
    }

    fn supplement(&self, supplement: &Supplement) -> Result<Imported, IndexError> {
        self.write(|connection| importing::supplement(connection, supplement))
    }

    fn set_serves_ocsp(&self, issuer: &IssuerId, serves: bool, event: AuditEvent) -> Result<(), IndexError> {
        self.write(|connection| revoking::set_serves_ocsp(connection, issuer, serves, event))
    }

    fn next_crl_number(
        &self,
        issuer: &IssuerId,
        floor: CrlNumber,
        this_update: UnixTime,
        visit: &mut dyn FnMut(CrlEntry),
    ) -> Result<CrlNumber, IndexError> {
        self.read(|view| {
            let number = self.write(|connection| {
                let number = revoking::take_crl_number(connection, issuer, floor, this_update)?;
                // What the view shows is settled here, while nobody else can write: entries come in the order
                // of the numbers.
                journal::read_head(view)?;
                Ok(number)
            })?;
            revoking::revoked(view, issuer, visit)?;
            Ok(number)
        })
    }

    fn store_crl(
        &self,
        issuer: &IssuerId,
        tbs: &Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        let tbs = tbs.get();
        let digest = sha256(tbs.as_der()); // of a long list it takes long: nobody is to wait for it
        self.write(|connection| revoking::store_crl(connection, issuer, tbs, digest, event))
    }

    fn record_crl_published(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        confirmed: UnixTime,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.write(|connection| revoking::record_crl_published(connection, issuer, number, confirmed, event))
    }

    fn restore(&self, restoration: &Restoration) -> Result<TakenOver, IndexError> {
        self.write(|connection| restoring::restore(connection, restoration))
    }

    fn take_over(&self, revocations: &[FoundRevocation]) -> Result<TakenOver, IndexError> {
        self.write(|connection| restoring::take_over(connection, revocations))
    }

    fn accept_restored(&self, event: AuditEvent) -> Result<bool, IndexError> {
        self.write(|connection| restoring::accept(connection, event))
    }

    fn record_event(&self, event: AuditEvent) -> Result<(), IndexError> {
        self.record_events(vec![event])
    }

    fn record_events(&self, events: Vec<AuditEvent>) -> Result<(), IndexError> {
        self.write(|connection| {
            let mut journal = journal::Journal::open(connection)?;
            events.into_iter().try_for_each(|event| journal.append(event))?;
            journal.close()
        })
    }
}
