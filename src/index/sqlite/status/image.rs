//! A status file while it is built: aside, on disk, so that it may be larger than memory.
use super::failed;
use super::manifest::Part;
use super::snapshot::hash;
use crate::failpoint;
use crate::home::ASIDE;
use crate::index::sqlite::connection::APPLICATION_ID;
use crate::index::sqlite::row::state_columns;
use crate::index::{Authority, IndexError, StatusRow};
use crate::publish::{Mode, Writing, sync_directory};
use crate::x509::IssuerId;
use rusqlite::Connection;
use std::collections::HashMap;
use std::fs::Permissions;
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

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

/// A file that is not in place yet; it is gone when this is dropped.
pub(super) struct Image {
    connection: Connection,
    aside: NamedTempFile,
    _writing: Writing,
    issuers: HashMap<IssuerId, i64>,
    rows: u64,
}

impl Image {
    pub(super) fn begin(directory: &Path) -> Result<Self, IndexError> {
        let writing = Writing::into(directory).map_err(|error| failed(directory, &error))?;
        let aside = tempfile::Builder::new()
            .prefix(ASIDE)
            .tempfile_in(directory)
            .map_err(|error| failed(directory, &error))?;
        let connection = Connection::open(aside.path())?;
        // nobody sees the file before it is whole and durable
        connection.pragma_update_and_check(None, "journal_mode", "OFF", |row| row.get::<_, String>(0))?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch("BEGIN")?;
        failpoint::passed("status: file begun");
        Ok(Self { connection, aside, _writing: writing, issuers: HashMap::new(), rows: 0 })
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

    /// Puts the file in place; what it is, is said in its name: `base-7.db`.
    pub(super) fn write(self, directory: &Path, kind: &str, change: u64) -> Result<Part, IndexError> {
        let Self { connection, mut aside, rows, _writing, .. } = self;
        connection.execute_batch("COMMIT")?;
        connection.close().map_err(|(_, error)| error)?;
        let name = format!("{kind}-{change}.db");
        let path = directory.join(&name);
        let file = aside.as_file_mut();
        let sha256 = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| hash(file))
            .and_then(|digest| {
                file.set_permissions(Permissions::from_mode(Mode::Public.bits()))?;
                file.sync_all()?;
                Ok(digest)
            })
            .map_err(|error| failed(&path, &error))?;
        failpoint::passed("status: file durable");
        aside.persist(&path).map_err(|refused| failed(&path, &refused.error))?;
        failpoint::passed("status: file in place");
        sync_directory(directory)?;
        Ok(Part { file: name, sha256, change, rows })
    }
}
