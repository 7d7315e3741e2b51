//! Opens database files: settings, schema version, and the meaning of SQLite's errors.
use super::journal::search_records;
use crate::error::Shown as _;
use crate::failpoint;
use crate::index::{IndexError, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rustix::fs::Access;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// SQLite application_id of every index, `gfca` in ASCII.
pub(crate) const APPLICATION_ID: i64 = 0x6766_6361;

/// Number of octets of the write-ahead log that stay on the disk after a checkpoint (`journal_size_limit`). 4
/// MiB are as much as the log needs every day.
const LOG_KEPT: i64 = 4 << 20;

/// The migrations of each schema version to the next. An empty file has version 0.
const MIGRATIONS: [&str; 8] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
];

/// The newest schema version.
#[expect(clippy::cast_possible_wrap, clippy::as_conversions, reason = "there are a handful of versions")]
pub(super) const KNOWN_VERSION: i64 = MIGRATIONS.len() as i64;

/// First schema version that stores names in the form in which they are compared, and the newest signature.
const NAMES_COMPARED: usize = 5;

/// Opens an existing index file and migrates it to the newest schema version.
pub(super) fn open(path: &Path, wait: Duration) -> Result<Connection, IndexError> {
    open_and_settle(path, wait).map_err(|error| explained(path, error))
}

fn explained(path: &Path, error: IndexError) -> IndexError {
    match (error, cause(path)) {
        (IndexError::Store(StoreError::Backend(said)), Some(cause)) => {
            IndexError::Store(StoreError::Backend(format!("{}: {cause} ({said})", path.shown())))
        }
        (error, _) => error,
    }
}

/// Returns the system's reason why the index file, or a file beside it, cannot be opened, which SQLite does not
/// report. The index file itself is not opened: closing it would release the POSIX locks that this process has
/// on it.
fn cause(path: &Path) -> Option<std::io::Error> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let three: Result<Vec<File>, _> = (0..3).map(|_| File::open(directory)).collect();
    let access = |path| rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).map_err(Into::into);
    three.map(drop).and_then(|()| access(path)).and_then(|()| access(directory)).err()
}

/// Opens an index file for reading, which [`open`] has opened before.
pub(super) fn open_reader(path: &Path, wait: Duration) -> Result<Connection, IndexError> {
    let opened = connected(path, wait).and_then(|connection| {
        connection.pragma_update(None, "query_only", true)?;
        settle_each(&connection)?;
        Ok(connection)
    });
    opened.map_err(|error| explained(path, error))
}

fn connected(path: &Path, wait: Duration) -> Result<Connection, IndexError> {
    if !path.is_file() {
        return Err(IndexError::Store(StoreError::Missing(path.to_owned())));
    }
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(wait)?;
    // Committed transactions are safe in the log. A checkpoint at the end of each command would make it wait
    // for the disk three more times.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

fn open_and_settle(path: &Path, wait: Duration) -> Result<Connection, IndexError> {
    let mut connection = connected(path, wait)?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(IndexError::Store(StoreError::Damaged(format!("{} is not an index", path.shown()))));
    }
    settle(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Creates a new index at a path that does not exist. The file is built under a temporary name and then
/// renamed.
pub(super) fn create(path: &Path) -> Result<(), IndexError> {
    for taken in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        if taken.symlink_metadata().is_ok() {
            return Err(IndexError::Store(StoreError::Exists(taken)));
        }
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed =
        |error: std::io::Error| IndexError::Store(StoreError::Backend(format!("{}: {error}", path.shown())));
    let _writing = crate::home::Writing::into(directory).map_err(failed)?;
    // `tempfile` creates the file with mode 0600, and SQLite gives the files beside it the same mode.
    let aside =
        tempfile::Builder::new().prefix(".new-").suffix(".db").tempfile_in(directory).map_err(failed)?;
    failpoint::passed("index: aside");
    let mut connection = Connection::open(aside.path())?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    settle(&connection)?;
    migrate(&mut connection)?;
    failpoint::passed("index: filled");
    connection.close().map_err(|(_, error)| error)?;
    aside.as_file().sync_all().map_err(failed)?;
    aside.persist_noclobber(path).map_err(|refused| match refused.error.kind() {
        std::io::ErrorKind::AlreadyExists => IndexError::Store(StoreError::Exists(path.to_owned())),
        _ => failed(refused.error),
    })?;
    failpoint::passed("index: in place");
    Ok(crate::home::sync_directory(directory).map_err(StoreError::from)?)
}

/// Creates an empty database with mode 0600, to be filled with the pages of another.
pub(super) fn create_empty(path: &Path) -> Result<Connection, IndexError> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => IndexError::Store(StoreError::Exists(path.to_owned())),
        _ => failed(path, &error),
    })?;
    Ok(Connection::open(path)?)
}

pub(super) fn failed(path: &Path, error: &std::io::Error) -> IndexError {
    IndexError::Store(StoreError::Backend(format!("{}: {error}", path.shown())))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn settle(connection: &Connection) -> Result<(), IndexError> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(IndexError::Store(StoreError::Backend(format!(
            "the file system does not allow WAL mode, only {mode}"
        ))));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    settle_each(connection)
}

/// The settings of every connection, whatever it is for.
fn settle_each(connection: &Connection) -> Result<(), IndexError> {
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The unit is KiB where the number is negative. The cache holds a group of certificates, which is then
    // written once, at the commit.
    connection.pragma_update(None, "cache_size", -8192)?;
    // Plans do not depend on bound values, so that a statement is planned once and not at every use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), IndexError> {
    let known = KNOWN_VERSION;
    if version(connection)? == known {
        return Ok(());
    }
    // A migration can rebuild a referenced table only with foreign keys off, and the pragma has no effect in a
    // transaction.
    connection.pragma_update(None, "foreign_keys", false)?;
    let migrated = bring_up(connection, known);
    connection.pragma_update(None, "foreign_keys", true)?;
    migrated
}

fn bring_up(connection: &mut Connection, known: i64) -> Result<(), IndexError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?; // again: another process may have migrated it meanwhile
    let done = usize::try_from(found).ok().filter(|done| *done <= MIGRATIONS.len());
    let Some(done) = done else { return Err(IndexError::Store(StoreError::Schema { found, known })) };
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    if done < NAMES_COMPARED {
        super::naming::fill(&transaction)?;
        search_records(&transaction)?;
        if found > 0 {
            transaction.execute("INSERT INTO older (one, version) VALUES (1, ?1)", [found])?;
        }
    }
    if transaction.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(IndexError::Store(StoreError::Damaged(
            "a row refers to one that is not there".to_owned(),
        )));
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

fn version(connection: &Connection) -> Result<i64, IndexError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
