//! The last CRLs in the record, and the entries of the complete ones.
use super::file::{Key, RecordFile, stored};
use super::listed::{Packed, packed, serial_of, wanted};
use super::of_key::number_of;
use super::{LastCrl, ListChanges, RecordError, SignedList};
use crate::x509::extension::CrlNumber;
use crate::x509::{SerialNumber, TbsCertList, UnixTime};
use rusqlite::{Connection, OptionalExtension, params};

/// Entries of a CRL in one row.
const PART: usize = 3000;

/// In the place of a digest, where a key came from elsewhere with its highest CRL number alone.
pub(in crate::signer) const CLAIMED: [u8; 32] = [0; 32];

/// What a row of the table `list` is. A row 2 is a complete CRL whose entries are here before the journal has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum What {
    /// The last complete CRL.
    Complete,
    /// The last delta CRL.
    Delta,
}

impl What {
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Complete => 0,
            Self::Delta => 1,
        }
    }
}

/// Where the journal has a CRL from, with the sequence number of its entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// It was about to be signed.
    Intended(u64),
    /// It was shown to the signer.
    Shown(u64),
}

impl RecordFile {
    /// Returns the last complete CRL of a key, or its last delta.
    pub(super) fn last(&self, key: &Key, what: What) -> Result<Option<LastCrl>, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(None) };
            let find = "SELECT crl, this_update FROM list WHERE key = ?1 AND what = ?2";
            connection
                .prepare_cached(find)?
                .query_row(params![of, what.number()], |row| {
                    let (number, this_update): (i64, i64) = (row.get(0)?, row.get(1)?);
                    Ok(LastCrl { number: number.cast_unsigned(), this_update: UnixTime(this_update) })
                })
                .optional()
        })
    }

    /// Returns SHA-256 of the TBSCertList of the last complete CRL of a key; `None` where only its number is known.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(in crate::signer) fn last_digest(&self, key: &Key) -> Result<Option<[u8; 32]>, RecordError> {
        let digest: Option<[u8; 32]> = self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(None) };
            let find = "SELECT digest FROM list WHERE key = ?1 AND what = ?2";
            let complete = What::Complete.number();
            connection.prepare_cached(find)?.query_row(params![of, complete], |row| row.get(0)).optional()
        })?;
        Ok(digest.filter(|digest| *digest != CLAIMED))
    }

    /// Tells whether a complete CRL that is shown is taken as the last one of its key: it is above the last one, or it is
    /// that which was handed out last. Any earlier one would hide entries.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(in crate::signer) fn takes(
        &self,
        key: &Key,
        list: &SignedList,
        number: CrlNumber,
        digest: &[u8; 32],
    ) -> Result<bool, RecordError> {
        let of = self.key(key)?;
        self.with(|connection| is_taken(connection, of, list, number, digest))
    }

    /// Returns whether the newest complete CRL whose entries are known has this serial number.
    pub(super) fn is_listed(&self, key: &Key, serial: &SerialNumber) -> Result<bool, RecordError> {
        let wanted = wanted(serial);
        let part: Option<Vec<u8>> = self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(None) };
            let find = "SELECT octets FROM entries
                WHERE list = (SELECT number FROM list WHERE key = ?1 AND what = 0) AND first <= ?2
                ORDER BY first DESC LIMIT 1";
            connection.prepare_cached(find)?.query_row(params![of, wanted], |row| row.get(0)).optional()
        })?;
        let part = part.unwrap_or_default();
        let (entries, _): (&[Packed], _) = part.as_chunks();
        Ok(entries.binary_search_by(|entry| serial_of(entry).cmp(&wanted)).is_ok())
    }

    /// Enters that the intents with these sequence numbers were signed: no CRL before them was handed out last.
    pub(super) fn put_signed(&self, first: u64, last: u64) -> Result<(), RecordError> {
        self.with(|connection| {
            let find =
                "SELECT key, max(sequence) FROM handed_out WHERE sequence BETWEEN ?1 AND ?2 GROUP BY key";
            let found: Vec<(i64, i64)> = connection
                .prepare_cached(find)?
                .query_map([stored(first), stored(last)], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (key, sequence) in found {
                connection
                    .execute("DELETE FROM handed_out WHERE key = ?1 AND sequence < ?2", [key, sequence])?;
                connection.execute("UPDATE list SET restored = 0 WHERE key = ?1", [key])?;
            }
            Ok(())
        })
    }

    /// Enters that a restore left a gap: what was handed out last is not known.
    pub(super) fn put_restored(&self) -> Result<(), RecordError> {
        self.with(|connection| connection.execute("UPDATE list SET restored = 1 WHERE what = 0", []))?;
        Ok(())
    }

    /// Enters a CRL that the journal has, with its entries where they were prepared.
    pub(super) fn put_list(
        &self,
        key: &Key,
        list: &SignedList,
        number: CrlNumber,
        digest: &[u8; 32],
        origin: Origin,
    ) -> Result<(), RecordError> {
        let of = self.key(key)?;
        let what = if list.base.is_some() { What::Delta } else { What::Complete };
        self.with(|connection| {
            if matches!(origin, Origin::Shown(_)) && !is_taken(connection, of, list, number, digest)? {
                return Ok(());
            }
            let is_told = *digest != CLAIMED;
            if what == What::Complete && is_told {
                put_handed_out(connection, of, digest, origin)?;
            }
            let put = "INSERT INTO list (key, what, crl, this_update, digest) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (key, what) DO UPDATE SET crl = ?3, this_update = ?4, digest = ?5
                WHERE excluded.crl >= list.crl";
            connection.prepare_cached(put)?.execute(params![
                of,
                what.number(),
                i64::try_from(number).unwrap_or(i64::MAX),
                list.this_update.0,
                digest
            ])?;
            if what == What::Complete && is_told {
                let least = "UPDATE list SET least = max(least, ?2) WHERE key = ?1 AND what = 0";
                connection.prepare_cached(least)?.execute(params![of, stored(number)])?;
            }
            if matches!(origin, Origin::Intended(_)) {
                connection.execute("UPDATE list SET intended = 1 WHERE key = ?1 AND what = 0", [of])?;
            }
            if !is_told {
                connection.execute("UPDATE list SET restored = 1 WHERE key = ?1 AND what = 0", [of])?;
            }
            let prepared = "SELECT number FROM list WHERE key = ?1 AND what = 2 AND digest = ?2";
            let prepared: Option<i64> = connection
                .prepare_cached(prepared)?
                .query_row(params![of, digest], |row| row.get(0))
                .optional()?;
            let (Some(prepared), What::Complete) = (prepared, what) else { return Ok(()) };
            let of_it = "SELECT number FROM list WHERE key = ?1 AND what = 0 AND coalesce(known, 0) <= ?2";
            let complete: Option<i64> = connection
                .prepare_cached(of_it)?
                .query_row(params![of, stored(number)], |row| row.get(0))
                .optional()?;
            let Some(complete) = complete else { return Ok(()) };
            connection.execute("DELETE FROM entries WHERE list = ?1", [complete])?;
            connection.execute("UPDATE entries SET list = ?1 WHERE list = ?2", [complete, prepared])?;
            connection.execute("DELETE FROM list WHERE number = ?1", [prepared])?;
            // whatever number was signed last, no newer entries are known
            connection.execute(
                "UPDATE list SET known = ?2, current = crl WHERE number = ?1",
                [complete, stored(number)],
            )?;
            Ok(())
        })
    }

    /// Keeps the entries of a complete CRL durably before the journal has it, with SHA-256 of its TBSCertList.
    pub(in crate::signer) fn prepare(
        &self,
        key: &Key,
        (tbs, digest): (&TbsCertList, &[u8; 32]),
        changes: Option<&ListChanges>,
    ) -> Result<(), RecordError> {
        let list = SignedList::of(tbs);
        let (None, Some(number)) = (list.base, tbs.crl_number()) else { return Ok(()) };
        let entries: Vec<Packed> = packed(tbs).ok_or_else(|| RecordError::Damaged {
            path: self.path.clone(),
            reason: "an entry of the CRL cannot be read".into(),
        })?;
        self.prepare_entries(key, &list, (number, digest), &entries, changes)
    }

    pub(super) fn prepare_entries(
        &self,
        key: &Key,
        list: &SignedList,
        (number, digest): (CrlNumber, &[u8; 32]),
        entries: &[Packed],
        changes: Option<&ListChanges>,
    ) -> Result<(), RecordError> {
        // outside a transaction alone SQLite can be told to wait; what the turn did before waits with it
        self.with(|connection| {
            connection.execute_batch("COMMIT; PRAGMA synchronous = FULL; BEGIN IMMEDIATE")
        })?;
        let of = self.key(key)?;
        self.put_changes(of, number, changes)?;
        self.with(|connection| {
            let former = "SELECT number FROM list WHERE key = ?1 AND what = 2";
            let former: Option<i64> = connection.query_row(former, [of], |row| row.get(0)).optional()?;
            if let Some(former) = former {
                connection.execute("DELETE FROM entries WHERE list = ?1", [former])?;
                connection.execute("DELETE FROM list WHERE number = ?1", [former])?;
            }
            connection.execute(
                "INSERT INTO list (key, what, crl, this_update, digest) VALUES (?1, 2, ?2, ?3, ?4)",
                params![of, stored(number), list.this_update.0, digest],
            )?;
            let prepared = connection.last_insert_rowid();
            let insert = "INSERT INTO entries (list, part, first, octets) VALUES (?1, ?2, ?3, ?4)";
            let mut insert = connection.prepare_cached(insert)?;
            for (part, entries) in (0_i64..).zip(entries.chunks(PART)) {
                let first = entries.first().map(serial_of).unwrap_or_default();
                insert.execute(params![prepared, part, first, entries.as_flattened()])?;
            }
            Ok(())
        })?;
        self.with(|connection| {
            connection.execute_batch("COMMIT; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE")
        })
    }
}

/// Whether a CRL that is shown is the last one of this key, or a later one.
fn is_taken(
    connection: &Connection,
    key: i64,
    list: &SignedList,
    number: CrlNumber,
    digest: &[u8; 32],
) -> rusqlite::Result<bool> {
    if list.base.is_some() {
        return Ok(false);
    }
    let last = "SELECT crl, CASE WHEN restored THEN least END FROM list WHERE key = ?1 AND what = 0";
    let last: Option<(i64, Option<i64>)> =
        connection.prepare_cached(last)?.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((last, restored)) = last else { return Ok(true) };
    // one that another program made of a part lacks what the complete one has
    let is_above = list.scope.is_empty() && stored(number) > last;
    // which was the last one since is not known; it is none of those before
    let is_since = restored.is_some_and(|least| stored(number) >= least);
    let handed_out = "SELECT 1 FROM handed_out WHERE key = ?1 AND digest = ?2";
    Ok(is_above || is_since || connection.prepare_cached(handed_out)?.exists(params![key, digest])?)
}

/// Notes a complete CRL as one that may be that which was handed out last. One that is shown was handed out.
fn put_handed_out(
    connection: &Connection,
    key: i64,
    digest: &[u8; 32],
    origin: Origin,
) -> rusqlite::Result<()> {
    let sequence = match origin {
        Origin::Intended(sequence) => sequence,
        Origin::Shown(sequence) => {
            let known = "SELECT 1 FROM handed_out WHERE key = ?1 AND digest = ?2";
            if connection.prepare_cached(known)?.exists(params![key, digest])? {
                return Ok(());
            }
            connection.execute("DELETE FROM handed_out WHERE key = ?1", [key])?;
            sequence
        }
    };
    let put = "INSERT INTO handed_out (key, sequence, digest) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    connection.prepare_cached(put)?.execute(params![key, stored(sequence), digest])?;
    Ok(())
}
