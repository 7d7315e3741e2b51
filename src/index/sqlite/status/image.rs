//! A status file while it is built, in memory.
use super::manifest::{Part, hex};
use crate::index::sqlite::connection::APPLICATION_ID;
use crate::index::sqlite::row::{state_columns, unsigned};
use crate::index::{Authority, IndexError, StatusRow};
use crate::publish::{Mode, Replacement, replace};
use crate::x509::{IssuerId, sha256};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;

/// Schema version of status files.
pub(super) const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE issuer (number INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE authority (
        issuer INTEGER PRIMARY KEY, name TEXT NOT NULL, certificate BLOB NOT NULL, serves_ocsp INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE status (
        issuer INTEGER NOT NULL, serial BLOB NOT NULL, state INTEGER NOT NULL, revoked_at INTEGER,
        reason INTEGER, invalidity_date INTEGER, PRIMARY KEY (issuer, serial)
    ) WITHOUT ROWID, STRICT;";

/// A file that is not written yet.
pub(super) struct Image {
    connection: Connection,
    issuers: HashMap<IssuerId, i64>,
    rows: u64,
}

impl Image {
    pub(super) fn new() -> Result<Self, IndexError> {
        let connection = Connection::open_in_memory()?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch("BEGIN")?;
        Ok(Self { connection, issuers: HashMap::new(), rows: 0 })
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    fn issuer(&mut self, issuer: &IssuerId) -> Result<i64, IndexError> {
        if let Some(number) = self.issuers.get(issuer) {
            return Ok(*number);
        }
        self.connection.prepare_cached("INSERT INTO issuer (identity) VALUES (?1)")?.execute([issuer.0])?;
        let number = self.connection.last_insert_rowid();
        self.issuers.insert(*issuer, number);
        Ok(number)
    }

    /// Adds a row; a later one of the same certificate takes its place.
    pub(super) fn put(&mut self, row: &StatusRow) -> Result<(), IndexError> {
        let issuer = self.issuer(&row.id.issuer)?;
        let (state, revoked_at, reason, invalidity_date) = state_columns(&row.state);
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO status VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute((
                issuer,
                row.id.serial_number.as_be_octets(),
                state,
                revoked_at,
                reason,
                invalidity_date,
            ))?;
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    pub(super) fn put_authority(&mut self, authority: &Authority) -> Result<(), IndexError> {
        let issuer = self.issuer(&authority.issuer)?;
        self.connection.execute(
            "INSERT INTO authority VALUES (?1, ?2, ?3, ?4)",
            (issuer, &authority.name, authority.certificate.as_der(), authority.serves_ocsp),
        )?;
        Ok(())
    }

    /// Goes on from a file that was written before; `None` when it is not there or not the one that is meant.
    pub(super) fn continuing(directory: &Path, part: &Part) -> Result<Option<Self>, IndexError> {
        let Ok(octets) = std::fs::read(directory.join(&part.file)) else { return Ok(None) };
        if hex(&sha256(&octets)) != part.sha256 {
            return Ok(None);
        }
        let mut connection = Connection::open_in_memory()?;
        connection.deserialize_read_exact("main", octets.as_slice(), octets.len(), false)?;
        connection.execute_batch("BEGIN; DELETE FROM authority")?;
        let issuers = {
            let mut statement = connection.prepare("SELECT identity, number FROM issuer")?;
            let pairs = statement.query_map([], |row| Ok((IssuerId(row.get(0)?), row.get(1)?)))?;
            pairs.collect::<Result<_, _>>()?
        };
        Ok(Some(Self { connection, issuers, rows: part.rows }))
    }

    /// The file as it is to be written; what it is, is said in its name: `delta-7.db`.
    pub(super) fn encode(
        mut self,
        directory: &Path,
        kind: &str,
        change: u64,
    ) -> Result<(Part, Replacement), IndexError> {
        self.connection.execute_batch("COMMIT")?;
        self.rows =
            unsigned(self.connection.query_row("SELECT count(*) FROM status", [], |row| row.get(0))?)?;
        let contents = self.connection.serialize("main")?.to_vec();
        let part = part(kind, change, self.rows, &contents);
        let path = directory.join(&part.file);
        Ok((part, Replacement { path, contents, mode: Mode::Public }))
    }

    /// Writes the file at once, without another copy of it in memory.
    pub(super) fn write(mut self, directory: &Path, kind: &str, change: u64) -> Result<Part, IndexError> {
        self.connection.execute_batch("COMMIT")?;
        let octets = self.connection.serialize("main")?;
        let part = part(kind, change, self.rows, &octets);
        replace(&directory.join(&part.file), &octets, Mode::Public)
            .map_err(|error| IndexError::Backend(error.to_string()))?;
        Ok(part)
    }
}

fn part(kind: &str, change: u64, rows: u64, octets: &[u8]) -> Part {
    Part { file: format!("{kind}-{change}.db"), sha256: hex(&sha256(octets)), change, rows }
}
