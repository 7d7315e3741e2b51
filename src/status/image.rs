//! A status file under construction, under a temporary name on the disk, so that it may be larger than memory.
use super::StatusError;
use super::authority::WrittenAuthority;
use super::continuity::state_in;
use super::failed;
use super::manifest::StatusPart;
use super::snapshot::{self, hash, keep_plans};
use crate::failpoint;
use crate::home::{Aside, Mode, open_file};
use crate::index::sqlite::connection::APPLICATION_ID;
use crate::index::sqlite::row::{state_columns, unsigned};
use crate::index::{CertificateState, StatusRow};
use crate::x509::{CertificateId, IssuerId, UnixTime};
use rusqlite::Connection;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::Path;

/// Schema version of status files. Readers refuse a file of another version. A file that continues a published
/// one has that one's version ([`Image::continuing`]). When this number grows, base and delta must be made
/// again from the index (`usable` in `publish.rs`). The permanent revocations of older files must still be
/// compared (`continuity.rs`), so that their version must stay readable. Responders are updated before the CA.
/// A column or table that older readers ignore needs no new version.
pub(super) const VERSION: i64 = 1;

/// Older readers ignore `retires`, as they ignore `not_after` in [`SCHEMA`], and older files do not have them.
const AUTHORITY: &str = "
    CREATE TABLE authority (
        issuer INTEGER PRIMARY KEY, name TEXT NOT NULL, certificate BLOB NOT NULL, serves_ocsp INTEGER NOT NULL,
        retires INTEGER
    ) STRICT;";

const SCHEMA: &str = "
    CREATE TABLE issuer (number INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE issuer_name (issuer INTEGER NOT NULL, octets BLOB NOT NULL) STRICT;
    CREATE TABLE status (
        issuer INTEGER NOT NULL, serial BLOB NOT NULL, state INTEGER NOT NULL, revoked_at INTEGER,
        reason INTEGER, invalidity_date INTEGER, not_after INTEGER, PRIMARY KEY (issuer, serial)
    ) WITHOUT ROWID, STRICT;";

/// A file under a temporary name. It is removed when this is dropped.
pub(super) struct Image {
    connection: Connection,
    aside: Aside,
    issuers: HashMap<IssuerId, i64>,
    /// Number of rows. Rows of a continued file may be counted twice.
    rows: u64,
    /// The CAs of a file that was published before, by name.
    known: HashMap<String, WrittenAuthority>,
    is_continued: bool,
}

impl Image {
    /// Creates an empty image for this path.
    pub(super) fn begin(path: &Path) -> Result<Self, StatusError> {
        let mut aside = Aside::begin(path, Mode::Public)?;
        let connection = connect(&mut aside)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch(AUTHORITY)?;
        connection.execute_batch("BEGIN")?;
        failpoint::passed("status: file begun");
        Ok(Self {
            connection,
            aside,
            issuers: HashMap::new(),
            rows: 0,
            known: HashMap::new(),
            is_continued: false,
        })
    }

    /// Creates an image that continues a published file. Returns `None` when that file is missing or not the
    /// one that the manifest names.
    pub(super) fn continuing(path: &Path, old: &StatusPart) -> Result<Option<Self>, StatusError> {
        let mut before = match open_file(&path.with_file_name(&old.file)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, &error)),
        };
        let aside = Aside::fill(path, Mode::Public, |file| io::copy(&mut before, file).map(drop));
        let mut aside = aside?;
        if digest(&mut aside)? != old.sha256 {
            return Ok(None);
        }
        let connection = connect(&mut aside)?;
        let known = written(&connection)?;
        connection.execute_batch("BEGIN; DELETE FROM issuer_name; DROP TABLE authority")?;
        connection.execute_batch(AUTHORITY)?;
        let issuers = {
            let mut statement = connection.prepare("SELECT identity, number FROM issuer")?;
            let pairs = statement.query_map([], |row| Ok((IssuerId(row.get(0)?), row.get(1)?)))?;
            pairs.collect::<Result<_, _>>()?
        };
        failpoint::passed("status: file begun");
        Ok(Some(Self { connection, aside, issuers, rows: old.rows, known, is_continued: true }))
    }

    /// Reads the CAs of a published file. A file that cannot be read counts as one without CAs.
    pub(super) fn know(&mut self, published: &Path) {
        self.known = snapshot::connect(published).and_then(|file| written(&file)).unwrap_or_default();
    }

    /// Returns a CA as it was published before, and forgets it.
    pub(super) fn take_known(&mut self, name: &str) -> Option<WrittenAuthority> {
        self.known.remove(name)
    }

    /// Returns whether the image continues a published file.
    pub(super) fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// Returns the state that the image has of a certificate so far.
    pub(super) fn state(&self, id: &CertificateId) -> Result<Option<CertificateState>, StatusError> {
        state_in(&self.connection, id)
    }

    /// Returns how often the query of [`Image::state`] was prepared anew.
    #[cfg(test)]
    pub(super) fn prepared_anew(&self) -> i32 {
        super::continuity::prepared_anew(&self.connection)
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    fn issuer(&mut self, issuer: &IssuerId) -> Result<i64, StatusError> {
        if let Some(number) = self.issuers.get(issuer) {
            return Ok(*number);
        }
        self.connection.prepare_cached("INSERT INTO issuer (identity) VALUES (?1)")?.execute([issuer.0])?;
        let number = self.connection.last_insert_rowid();
        self.issuers.insert(*issuer, number);
        Ok(number)
    }

    /// Adds a row. It replaces an earlier row of the same certificate.
    pub(super) fn put(&mut self, row: &StatusRow) -> Result<(), StatusError> {
        let issuer = self.issuer(&row.id.issuer)?;
        let (state, revoked_at, reason, invalidity_date) = state_columns(&row.state);
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO status VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute((
                issuer,
                row.id.serial_number.as_be_octets(),
                state,
                revoked_at,
                reason,
                invalidity_date,
                row.not_after.0,
            ))?;
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    pub(super) fn put_authority(&mut self, authority: &WrittenAuthority) -> Result<(), StatusError> {
        let issuer = self.issuer(&authority.issuer)?;
        self.connection.prepare_cached("INSERT INTO authority VALUES (?1, ?2, ?3, ?4, ?5)")?.execute((
            issuer,
            &authority.name,
            &authority.certificate,
            authority.serves_ocsp,
            authority.retires.map(|at| at.0),
        ))?;
        for name in &authority.names {
            self.connection
                .prepare_cached("INSERT INTO issuer_name VALUES (?1, ?2)")?
                .execute((issuer, name))?;
        }
        Ok(())
    }

    /// Returns the whole file with its description. The file is not durable yet.
    pub(super) fn finish(self, change: u64) -> Result<(StatusPart, Aside), StatusError> {
        let Self { connection, mut aside, mut rows, is_continued, .. } = self;
        connection.execute_batch("COMMIT")?;
        if is_continued {
            rows = unsigned(connection.query_row("SELECT count(*) FROM status", [], |row| row.get(0))?)?;
        }
        connection.close().map_err(|(_, error)| error)?;
        let sha256 = digest(&mut aside)?;
        let file = aside.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((StatusPart { file, sha256, change, rows }, aside))
    }
}

/// Returns the CAs of a status file, by name. The map is empty for a file without times of retirement.
fn written(file: &Connection) -> Result<HashMap<String, WrittenAuthority>, StatusError> {
    if !file.column_exists(None, "authority", "retires")? {
        return Ok(HashMap::new());
    }
    let mut names: HashMap<i64, Vec<Vec<u8>>> = HashMap::new();
    let mut statement = file.prepare("SELECT issuer, octets FROM issuer_name ORDER BY octets")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        names.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    let mut statement = file.prepare(
        "SELECT a.name, i.identity, a.issuer, a.certificate, a.serves_ocsp, a.retires
         FROM authority a JOIN issuer i ON i.number = a.issuer",
    )?;
    let mut rows = statement.query([])?;
    let mut written = HashMap::new();
    while let Some(row) = rows.next()? {
        let authority = WrittenAuthority {
            name: row.get(0)?,
            issuer: IssuerId(row.get(1)?),
            names: names.remove(&row.get(2)?).unwrap_or_default(),
            certificate: row.get(3)?,
            serves_ocsp: row.get(4)?,
            retires: row.get::<_, Option<i64>>(5)?.map(UnixTime),
        };
        written.insert(authority.name.clone(), authority);
    }
    Ok(written)
}

fn connect(aside: &mut Aside) -> Result<Connection, StatusError> {
    let connection = Connection::open(aside.file().path())?;
    keep_plans(&connection)?;
    // No reader sees the file before it is complete and durable.
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

fn digest(aside: &mut Aside) -> Result<String, StatusError> {
    let file = aside.file().as_file_mut();
    let digest = file.seek(SeekFrom::Start(0)).and_then(|_| hash(file));
    digest.map_err(|error| failed(aside.path(), &error))
}
