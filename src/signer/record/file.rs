//! The record as a file, `record.db`, which SQLite keeps.
//!
//! It is in write-ahead mode and is waited for when it gets the entries of a CRL, which are nowhere else. Otherwise it is
//! not (`synchronous=NORMAL`): what a power cut takes from it is read from the journal again.
use super::changes::CHANGED;
use super::listed::{Packed, unpack};
use super::lists::{Origin, What};
use super::of_key::{REQUESTED, TIMER_CRL, UNSEEN, number_of};
use super::write_ahead::connected;
use super::{LastCrl, RecordError, Shown, SignatureRecord, Signed, SignedKind};
use crate::signer::journal::{Act, ActKind, Entry, Group, JournalHead};
use crate::x509::extension::CrlNumber;
use crate::x509::{Revoked, SerialNumber, UnixTime};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use rustix::io::Errno;
use std::collections::{BTreeMap, btree_map};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) type Key = [u8; 32];
/// Keys with their numbers in the record, and with how many of their certificates are to be counted.
type Keys = BTreeMap<Key, (i64, u64)>;

/// SQLite application_id, `gfsr` in ASCII.
const APPLICATION_ID: i64 = 0x6766_7372;
const VERSION: i64 = 5;
const SCHEMA: &str = include_str!("schema.sql");

/// The record.
pub(in crate::signer) struct RecordFile {
    pub(super) path: PathBuf,
    connection: Mutex<Connection>,
}

impl RecordFile {
    /// Opens the record, or makes an empty one. A file that is no record is replaced, since the journal has all.
    pub(in crate::signer) fn open(path: &Path) -> Result<Self, RecordError> {
        let made = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match made(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io_error(path, error)),
            _ => {}
        }
        let connection = match opened(path) {
            Err(error) if is_no_record(&error) => {
                for ending in ["", "-wal", "-shm"] {
                    let mut file = path.as_os_str().to_owned();
                    file.push(ending);
                    match std::fs::remove_file(&file) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => {
                            return Err(io_error(path, error));
                        }
                        _ => {}
                    }
                }
                made(path).map_err(|error| io_error(path, error))?;
                opened(path)
            }
            other => other,
        };
        let connection = connection.map_err(|error| failed(path, error))?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    fn locked(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn with<T>(
        &self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, RecordError> {
        run(&self.locked()).map_err(|error| failed(&self.path, error))
    }

    pub(in crate::signer) fn begin(&self) -> Result<(), RecordError> {
        self.with(|connection| connection.execute_batch("BEGIN IMMEDIATE"))
    }

    pub(in crate::signer) fn commit(&self) -> Result<(), RecordError> {
        self.with(|connection| connection.execute_batch("COMMIT"))
    }

    pub(in crate::signer) fn roll_back(&self) {
        let connection = self.locked();
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }

    /// Returns up to where the journal is in here, and the newest entry that was on the disk.
    pub(in crate::signer) fn built(&self) -> Result<(JournalHead, u64), RecordError> {
        let row: (i64, i64, Key, i64) = self.with(|connection| {
            connection.query_row("SELECT offset, sequence, digest, settled FROM built", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
        })?;
        let (offset, sequence, digest, settled) = row;
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        Ok((JournalHead { offset: number(offset), sequence: number(sequence), digest }, number(settled)))
    }

    pub(in crate::signer) fn set_built(&self, head: JournalHead, settled: u64) -> Result<(), RecordError> {
        let text = "UPDATE built SET offset = ?1, sequence = ?2, digest = ?3, settled = ?4";
        let values = params![stored(head.offset), stored(head.sequence), head.digest, stored(settled)];
        self.with(|connection| connection.prepare_cached(text)?.execute(values))?;
        Ok(())
    }

    fn set_gap(&self, gap: bool) -> Result<(), RecordError> {
        let told = if gap { "" } else { "DELETE FROM unseen" };
        self.with(|connection| connection.execute_batch(&format!("UPDATE built SET gap = {gap}; {told}")))
    }

    /// Returns whether a restore has left a gap that nobody has accepted yet.
    pub(in crate::signer) fn has_gap(&self) -> Result<bool, RecordError> {
        self.with(|connection| connection.query_row("SELECT gap FROM built", [], |row| row.get(0)))
    }

    /// Enters the entries of a group of the journal.
    ///
    /// # Errors
    /// [`RecordError::Repeated`] for a serial number that is known; not for `again`, when the journal has the group.
    pub(in crate::signer) fn enter(&self, group: &Group, again: bool) -> Result<(), RecordError> {
        // each key's number is looked for once, and its certificates are counted together
        let mut keys = Keys::new();
        for (sequence, entry) in group.numbered() {
            match entry {
                Entry::Intended(signed) if signed.kind == SignedKind::Request => {
                    self.put_request(&signed.key, group.at)?;
                }
                Entry::Intended(signed) => self.intended(signed, &mut keys, (sequence, again))?,
                Entry::Shown(Shown::Certificate { key, serial, until }) => {
                    let (number, _) = *self.known(key, &mut keys)?;
                    self.put_certificate(number, serial, *until)?;
                }
                Entry::Shown(Shown::Crl { key, list, number, digest }) => {
                    self.put_list(key, list, *number, digest, Origin::Shown(sequence))?;
                }
                Entry::Act(Act { kind: ActKind::Gap, key: Some(key), .. }) => self.put_unseen(key)?,
                Entry::Act(act) if act.kind == ActKind::Gap => {
                    self.set_gap(true)?;
                    self.put_restored()?;
                }
                Entry::Act(act) if act.kind == ActKind::Accepted => self.set_gap(false)?,
                Entry::Signed { first, last } => self.put_signed(*first, *last)?,
                Entry::Act(Act { kind: ActKind::Enrolled, key: Some(key), .. }) => {
                    self.put_enrolment(key, group.at)?;
                }
                Entry::Act(Act { kind: ActKind::TimerCrl, key: Some(key), .. }) => {
                    self.put_timer_crl(key, group.at)?;
                }
                Entry::Abandoned { .. } | Entry::Act(_) => {}
            }
        }
        let mut counted = keys.into_values().filter(|(_, count)| *count > 0);
        counted.try_for_each(|(number, count)| self.count(number, group.at, count))
    }

    /// Returns the number of a key, and how many certificates of it were counted.
    fn known<'k>(&self, key: &Key, keys: &'k mut Keys) -> Result<&'k mut (i64, u64), RecordError> {
        Ok(match keys.entry(*key) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(place) => place.insert((self.key(key)?, 0)),
        })
    }

    fn intended(&self, signed: &Signed, keys: &mut Keys, how: (u64, bool)) -> Result<(), RecordError> {
        let (sequence, again) = how;
        if let (SignedKind::Certificate, Some(serial), Some(until)) =
            (signed.kind, &signed.serial, signed.until)
        {
            let (number, count) = self.known(&signed.key, keys)?;
            if !self.put_certificate(*number, serial, until)? && !again {
                return Err(RecordError::Repeated(serial.clone()));
            }
            *count = count.saturating_add(1);
        }
        if let (SignedKind::Crl, Some(number), Some(list)) = (signed.kind, signed.crl_number, &signed.list) {
            self.put_list(&signed.key, list, number, &signed.digest, Origin::Intended(sequence))?;
        }
        Ok(())
    }

    /// Puts a certificate of the key with this number on record, and returns whether it was not there.
    fn put_certificate(&self, of: i64, serial: &SerialNumber, until: UnixTime) -> Result<bool, RecordError> {
        let put = self.with(|connection| {
            let insert = "INSERT INTO certificate (key, serial, not_after) VALUES (?1, ?2, ?3)
                ON CONFLICT DO NOTHING";
            connection.prepare_cached(insert)?.execute(params![of, serial.as_be_octets(), until.0])
        })?;
        Ok(put == 1)
    }

    fn count(&self, number: i64, at: UnixTime, count: u64) -> Result<(), RecordError> {
        self.with(|connection| {
            let add = "INSERT INTO counted (key, at, number) VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET number = number + ?3";
            connection.prepare_cached(add)?.execute(params![number, at.0, stored(count)])
        })?;
        Ok(())
    }

    pub(super) fn key(&self, key: &Key) -> Result<i64, RecordError> {
        self.with(|connection| {
            let known = number_of(connection, key)?;
            known.map_or_else(
                || {
                    connection.execute("INSERT INTO key (identity) VALUES (?1)", [key])?;
                    Ok(connection.last_insert_rowid())
                },
                Ok,
            )
        })
    }
}

impl SignatureRecord for RecordFile {
    fn knows_serial(&self, key: &Key, serial: &SerialNumber) -> Result<bool, RecordError> {
        Ok(self.not_after(key, serial)?.is_some())
    }

    fn lists_serial(&self, key: &Key, serial: &SerialNumber) -> Result<bool, RecordError> {
        self.is_listed(key, serial)
    }

    fn not_after(&self, key: &Key, serial: &SerialNumber) -> Result<Option<UnixTime>, RecordError> {
        self.with(|connection| {
            let find = "SELECT not_after FROM certificate
                WHERE key = (SELECT number FROM key WHERE identity = ?1) AND serial = ?2";
            connection
                .prepare_cached(find)?
                .query_row(params![key, serial.as_be_octets()], |row| row.get(0).map(UnixTime))
                .optional()
        })
    }

    fn signed_since(&self, key: &Key, since: UnixTime) -> Result<u64, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(0) };
            let sum = "SELECT coalesce(sum(number), 0) FROM counted WHERE key = ?1 AND at >= ?2";
            let sum: i64 =
                connection.prepare_cached(sum)?.query_row(params![of, since.0], |row| row.get(0))?;
            Ok(u64::try_from(sum).unwrap_or(0))
        })
    }

    fn last_enrolment(&self, key: &Key) -> Result<Option<UnixTime>, RecordError> {
        self.enrolled_at(key)
    }

    fn timer_crls_since(&self, key: &Key, since: UnixTime) -> Result<u64, RecordError> {
        self.timer_crls_at(key, since)
    }

    fn last_used(&self, key: &Key) -> Result<Option<UnixTime>, RecordError> {
        self.used_at(key)
    }

    fn last_crl(&self, key: &Key) -> Result<Option<LastCrl>, RecordError> {
        self.last(key, What::Complete)
    }

    fn has_signed_crl(&self, key: &Key) -> Result<bool, RecordError> {
        self.is_intended(key)
    }

    fn is_continued(&self, key: &Key) -> Result<bool, RecordError> {
        self.is_intended_since_restored(key)
    }

    fn last_delta(&self, key: &Key) -> Result<Option<LastCrl>, RecordError> {
        self.last(key, What::Delta)
    }

    fn each_last_entry(
        &self,
        key: &Key,
        entry: &mut dyn FnMut(&SerialNumber, Revoked) -> bool,
    ) -> Result<(), RecordError> {
        let found: Option<(i64, i64, Option<i64>)> = self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(None) };
            let find = "SELECT number, crl, current FROM list WHERE key = ?1 AND what = 0";
            connection
                .prepare_cached(find)?
                .query_row([of], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()
        })?;
        let Some((list, number, current)) = found else { return Ok(()) };
        if current != Some(number) {
            return Err(RecordError::ListUnknown(number.cast_unsigned()));
        }
        for part in 0_i64.. {
            // one part at a time, so that the record is free while the caller looks at it
            let octets: Option<Vec<u8>> = self.with(|connection| {
                connection
                    .prepare_cached("SELECT octets FROM entries WHERE list = ?1 AND part = ?2")?
                    .query_row(params![list, part], |row| row.get(0))
                    .optional()
            })?;
            let Some(octets) = octets else { return Ok(()) };
            for packed in octets.chunks(size_of::<Packed>()) {
                let (serial, revoked) = unpack(packed).ok_or_else(|| RecordError::Damaged {
                    path: self.path.clone(),
                    reason: "an entry of a CRL in it is none; remove the file, it is made anew".into(),
                })?;
                if !entry(&serial, revoked) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn changed_since(&self, key: &Key, base: CrlNumber) -> Result<Option<Vec<SerialNumber>>, RecordError> {
        self.changed_from(key, base)
    }
}

/// SQLite's integers have a sign; the octets stay.
pub(super) fn stored(number: u64) -> i64 {
    number.cast_signed()
}

fn opened(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = connected(path)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    // KiB where the number is negative
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(32);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    match (version("application_id")?, version("user_version")?) {
        (0, 0) => {
            transaction.execute_batch(SCHEMA)?;
            tables(&transaction)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        // a journal that was entered before there were these tables has nothing for them
        (APPLICATION_ID, VERSION) => {
            tables(&transaction)?;
        }
        // another version's: it is made anew as well
        _ => return Err(rusqlite::Error::InvalidQuery),
    }
    transaction.commit()?;
    Ok(connection)
}

/// Makes the tables that came after the others.
fn tables(connection: &Connection) -> rusqlite::Result<()> {
    [TIMER_CRL, CHANGED, REQUESTED, UNSEEN].iter().try_for_each(|table| connection.execute_batch(table))
}

fn is_no_record(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::InvalidQuery)
        || matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn io_error(path: &Path, source: io::Error) -> RecordError {
    RecordError::Io { path: path.to_owned(), source }
}

/// Returns the system's reason when no other file can be opened either, because too many are open.
fn want_of_descriptors() -> Option<io::Error> {
    let reason = std::fs::File::open("/dev/null").err()?;
    let too_many = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
    too_many.contains(&reason.raw_os_error()).then_some(reason)
}

fn failed(path: &Path, error: rusqlite::Error) -> RecordError {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    if extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
        return io_error(path, Errno::NOSPC.into());
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => io_error(path, Errno::NOSPC.into()),
        // which SQLite does not report
        Some(ErrorCode::CannotOpen) => {
            io_error(path, want_of_descriptors().unwrap_or_else(|| io::Error::other(error)))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => RecordError::Busy(path.to_owned()),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => RecordError::Damaged {
            path: path.to_owned(),
            reason: format!("it is damaged ({error}); remove it, it is made anew from the journal"),
        },
        _ => io_error(path, io::Error::other(error)),
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
