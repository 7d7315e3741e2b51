//! What complete CRLs list otherwise than the ones before them: what a delta CRL has to have. The journal does not
//! have it. In a record that was made anew, deltas begin with the next CRL.
use super::RecordError;
use super::file::{Key, RecordFile, stored};
use super::listed::{Packed, pack, unpack};
use super::of_key::number_of;
use crate::x509::extension::CrlNumber;
use crate::x509::{Revoked, SerialNumber};
use rusqlite::{Connection, OptionalExtension, params};

/// Most changes from one CRL to the next that are kept: a delta of more would be none for anybody.
const MOST: usize = 100_000;
/// CRL numbers after which changes are forgotten. No CRL that is that far behind is the base of a delta.
const KEPT: CrlNumber = 100_000;

/// Entries of complete CRLs that the one before did not have, or had with another reason or date.
pub(super) const CHANGED: &str = "CREATE TABLE IF NOT EXISTS changed (
    key     INTEGER NOT NULL,
    crl     INTEGER NOT NULL, -- number of the CRL
    before  INTEGER NOT NULL, -- number of the CRL that it was compared with
    octets  BLOB NOT NULL, -- the entries, as in the table entries
    PRIMARY KEY (key, crl)
) STRICT";

/// What a complete CRL lists otherwise than the one before it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ListChanges {
    /// Number of the CRL before it.
    before: CrlNumber,
    /// `None` when they are too many.
    entries: Option<Vec<Packed>>,
}

impl ListChanges {
    /// Begins with none, compared with the CRL with this number.
    pub(crate) fn from(before: CrlNumber) -> Self {
        Self { before, entries: Some(Vec::new()) }
    }

    /// Adds an entry of the new CRL.
    pub(crate) fn note(&mut self, serial: &SerialNumber, revoked: Revoked) {
        match &mut self.entries {
            Some(entries) if entries.len() < MOST => entries.push(pack(serial, revoked)),
            _ => self.entries = None,
        }
    }
}

impl RecordFile {
    /// Keeps what the complete CRL with this number lists otherwise than the one before, and forgets what was kept of
    /// CRLs that were prepared with this number or a higher one: they were never in the journal.
    pub(super) fn put_changes(
        &self,
        key: i64,
        number: CrlNumber,
        changes: Option<&ListChanges>,
    ) -> Result<(), RecordError> {
        self.with(|connection| {
            let forget = "DELETE FROM changed WHERE key = ?1 AND (crl >= ?2 OR crl < ?3)";
            let old = number.saturating_sub(KEPT);
            connection.prepare_cached(forget)?.execute(params![key, stored(number), stored(old)])?;
            let Some((before, entries)) =
                changes.and_then(|changes| Some((changes.before, changes.entries.as_ref()?)))
            else {
                return Ok(());
            };
            connection
                .prepare_cached("INSERT INTO changed (key, crl, before, octets) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![key, stored(number), stored(before), entries.as_flattened()])?;
            Ok(())
        })
    }

    /// As [`super::SignatureRecord::changed_since`]: goes back from the last complete CRL to the base.
    pub(super) fn changed_from(
        &self,
        key: &Key,
        base: CrlNumber,
    ) -> Result<Option<Vec<SerialNumber>>, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(None) };
            let last = "SELECT crl FROM list WHERE key = ?1 AND what = 0";
            let last: Option<i64> =
                connection.prepare_cached(last)?.query_row([of], |row| row.get(0)).optional()?;
            let Some(last) = last else { return Ok(None) };
            let mut serials = Vec::new();
            let mut at = last.cast_unsigned();
            while at > base {
                let Some((before, octets)) = changes_of(connection, of, at)? else { return Ok(None) };
                for packed in octets.chunks(size_of::<Packed>()) {
                    let Some((serial, _)) = unpack(packed) else { return Ok(None) };
                    serials.push(serial);
                }
                // a row that does not lead back is none
                if before >= at {
                    return Ok(None);
                }
                at = before;
            }
            Ok(Some(serials))
        })
    }
}

fn changes_of(
    connection: &Connection,
    key: i64,
    number: CrlNumber,
) -> rusqlite::Result<Option<(CrlNumber, Vec<u8>)>> {
    connection
        .prepare_cached("SELECT before, octets FROM changed WHERE key = ?1 AND crl = ?2")?
        .query_row(params![key, stored(number)], |row| {
            let before: i64 = row.get(0)?;
            Ok((before.cast_unsigned(), row.get(1)?))
        })
        .optional()
}
