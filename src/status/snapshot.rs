//! One published state, opened for queries.
use super::failed;
use super::image::VERSION;
use super::manifest::{FileIdentity, StatusPart};
use super::{PublishedAuthority, StatusEntry, StatusError, StatusReader};
use crate::audit::Head;
use crate::error::Shown as _;
use crate::home::open_file;
use crate::index::sqlite::connection::APPLICATION_ID;
use crate::index::sqlite::row::{self, certificate};
use crate::index::{CertificateState, StoreError};
use crate::x509::{CertificateId, IssuerId, Name, UnixTime};
use aws_lc_rs::digest::{Context, SHA256};
use base16ct::lower::encode_string as hex;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The status of every certificate at one moment. It does not change.
#[derive(Debug)]
pub struct StatusSnapshot {
    pub(super) base: Arc<Layer>,
    pub(super) delta: Option<Arc<Layer>>,
    pub(super) change: u64,
    pub(super) time: UnixTime,
    pub(super) manifest: FileIdentity,
    pub(super) head: Option<Head>,
}

impl StatusSnapshot {
    /// Returns the newest audit record of the index at that time.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Passes the state of every certificate to `visit`, in no order. A certificate that changed after the base
    /// was made is passed once, with its newer state.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn for_each(
        &self,
        visit: &mut dyn FnMut(CertificateId, CertificateState),
    ) -> Result<(), StatusError> {
        let Some(delta) = &self.delta else { return self.base.for_each(visit) };
        delta.for_each(visit)?;
        let mut failed = Ok(());
        self.base.for_each(&mut |id, state| match delta.entry(&id) {
            Ok(None) => visit(id, state),
            Ok(Some(_)) => {}
            Err(error) => failed = Err(error),
        })?;
        failed
    }
}

impl StatusReader for StatusSnapshot {
    fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        if let Some(delta) = &self.delta
            && let Some(entry) = delta.entry(id)?
        {
            return Ok(Some(entry));
        }
        self.base.entry(id)
    }

    fn authorities(&self) -> &[PublishedAuthority] {
        &self.delta.as_ref().unwrap_or(&self.base).authorities
    }

    fn change(&self) -> u64 {
        self.change
    }

    fn time(&self) -> UnixTime {
        self.time
    }
}

const STATUS: &str = "
    SELECT state, revoked_at, reason, invalidity_date, not_after FROM status WHERE issuer = ?1 AND serial = ?2";

/// The same of a file of an earlier version.
const STATUS_WITHOUT_END: &str = "
    SELECT state, revoked_at, reason, invalidity_date, NULL FROM status WHERE issuer = ?1 AND serial = ?2";

const ALL: &str = "
    SELECT state, revoked_at, reason, invalidity_date, serial FROM status WHERE issuer = ?1";

/// Cache of each connection in KiB (256 KiB). SQLite takes a negative number as KiB.
const CACHE: i64 = -256;

/// One file, opened as immutable.
#[derive(Debug)]
pub(super) struct Layer {
    file: String,
    sha256: String,
    /// The query of one certificate.
    query: &'static str,
    issuers: HashMap<IssuerId, i64>,
    authorities: Vec<PublishedAuthority>,
    connections: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
}

impl Layer {
    /// Opens a file that the manifest names, if it has the digest in the manifest. All connections are opened
    /// at once, because the file may be removed while it is in use.
    pub(super) fn open(directory: &Path, part: &StatusPart) -> Result<Self, StatusError> {
        let path = directory.join(&part.file);
        let mut file = open_file(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => StatusError::Incomplete(path.clone()),
            _ => failed(&path, &error),
        })?;
        let found = hash(&mut file).map_err(|error| failed(&path, &error))?;
        if found != part.sha256 {
            return Err(StoreError::Damaged(format!(
                "{} is not the file that its manifest names",
                path.shown()
            ))
            .into());
        }
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
        let connections: Vec<Connection> = (0..threads).map(|_| connect(&path)).collect::<Result<_, _>>()?;
        let (issuers, authorities) = match connections.first() {
            Some(connection) => known(connection)?,
            None => (HashMap::new(), Vec::new()),
        };
        let first = connections.first();
        let tells_end =
            first.map_or(Ok(true), |connection| connection.column_exists(None, "status", "not_after"))?;
        let query = if tells_end { STATUS } else { STATUS_WITHOUT_END };
        Ok(Self {
            file: part.file.clone(),
            sha256: part.sha256.clone(),
            query,
            issuers,
            authorities,
            connections: connections.into_iter().map(Mutex::new).collect(),
            turn: AtomicUsize::new(0),
        })
    }

    /// Returns whether this is the given file.
    pub(super) fn is(&self, part: &StatusPart) -> bool {
        self.file == part.file && self.sha256 == part.sha256
    }

    fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        let Some(issuer) = self.issuers.get(&id.issuer) else { return Ok(None) };
        self.with_connection(|connection| {
            let mut statement = connection.prepare_cached(self.query)?;
            let mut rows = statement.query((issuer, id.serial_number.as_be_octets()))?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let not_after = row.get::<_, Option<i64>>(4)?.map(UnixTime);
            Ok(Some(StatusEntry { state: row::state(row, 0)?, not_after }))
        })
    }

    fn for_each(&self, visit: &mut dyn FnMut(CertificateId, CertificateState)) -> Result<(), StatusError> {
        for (issuer, number) in &self.issuers {
            self.with_connection(|connection| {
                let mut statement = connection.prepare_cached(ALL)?;
                let mut rows = statement.query([number])?;
                while let Some(row) = rows.next()? {
                    let id = CertificateId { issuer: *issuer, serial_number: row::serial(row, 4)? };
                    visit(id, row::state(row, 0)?);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Runs a query on a free connection, or waits for the connection whose turn it is.
    fn with_connection<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, StatusError>,
    ) -> Result<T, StatusError> {
        let free = self.connections.iter().find_map(|connection| connection.try_lock().ok());
        if let Some(connection) = free {
            return ask(&connection);
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.connections.len().max(1);
        match self.connections.get(turn) {
            Some(connection) => ask(&connection.lock().unwrap_or_else(PoisonError::into_inner)),
            None => Err(StoreError::Backend("no connection".to_owned()).into()),
        }
    }
}

pub(super) fn hash(file: &mut File) -> std::io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(context.finish().as_ref())),
            read => context.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// Opens a status file as immutable. Its digest is not compared.
pub(super) fn connect(path: &Path) -> Result<Connection, StatusError> {
    let mut uri = "file:".to_owned();
    for &octet in path.as_os_str().as_bytes() {
        match octet {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(octet))
            }
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags)?;
    keep_plans(&connection)?;
    // The cache is small because there are several connections, and the system caches the file once for all.
    connection.pragma_update(None, "cache_size", CACHE)?;
    let header = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (header("application_id")?, header("user_version")?);
    if application != APPLICATION_ID {
        return Err(StoreError::Damaged(format!("{} is not a status file", path.shown())).into());
    }
    if version != VERSION {
        return Err(StoreError::Schema { found: version, known: VERSION }.into());
    }
    Ok(connection)
}

/// Has the plans of statements not depend on the values that are bound. SQLite would prepare a statement from the cache
/// anew at each use, since the cache clears its values.
pub(super) fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Returns the issuers and the CAs of a file. The identity of a CA is computed from its certificate and
/// replaces the one in the file, which may be of a version that did not compare names.
fn known(connection: &Connection) -> Result<(HashMap<IssuerId, i64>, Vec<PublishedAuthority>), StatusError> {
    let mut statement = connection.prepare("SELECT identity, number FROM issuer")?;
    let pairs = statement.query_map([], |row| Ok((IssuerId(row.get(0)?), row.get(1)?)))?;
    let mut issuers: HashMap<IssuerId, i64> = pairs.collect::<Result<_, _>>()?;
    let mut written: HashMap<i64, Vec<Name>> = HashMap::new();
    if connection.table_exists(None, "issuer_name")? {
        let mut statement = connection.prepare("SELECT issuer, octets FROM issuer_name ORDER BY octets")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let octets: Vec<u8> = row.get(1)?;
            let name = Name::from_der(&octets)
                .map_err(|error| StatusError::Store(StoreError::Damaged(error.to_string())))?;
            written.entry(row.get(0)?).or_default().push(name);
        }
    }
    let tells = connection
        .prepare("SELECT 1 FROM pragma_table_info('authority') WHERE name = 'retires'")?
        .exists([])?;
    let retires = if tells { "a.retires" } else { "NULL" };
    let mut statement = connection.prepare(&format!(
        "SELECT a.name, i.identity, a.certificate, a.serves_ocsp, i.number, {retires}
         FROM authority a JOIN issuer i ON i.number = a.issuer ORDER BY a.name"
    ))?;
    let mut rows = statement.query([])?;
    let mut authorities = Vec::new();
    while let Some(row) = rows.next()? {
        let (stored, certificate) = (row::issuer(row, 1)?, certificate(row, 2)?);
        let (number, mut issuer) = (row.get(4)?, certificate.tbs().as_issuer());
        if issuers.get(&issuer).is_some_and(|other| *other != number) {
            issuer = stored;
        } else if stored != issuer {
            issuers.remove(&stored);
            issuers.insert(issuer, number);
        }
        authorities.push(PublishedAuthority {
            name: row.get(0)?,
            issuer,
            names: written.remove(&number).unwrap_or_default(),
            certificate,
            serves_ocsp: row.get(3)?,
            retires: row.get::<_, Option<i64>>(5)?.map(UnixTime),
        });
    }
    Ok((issuers, authorities))
}
