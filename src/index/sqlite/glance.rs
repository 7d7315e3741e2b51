//! A look at an index that changes nothing: no lock file is made, no log is copied, no version is brought up.
use super::connection::{APPLICATION_ID, KNOWN_VERSION};
use super::finding;
use crate::index::{CertificateRecord, IndexError, Selector, StoreError};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Time to wait for a writer; whoever looks gets nothing rather than wait longer.
const WAIT: Duration = Duration::from_millis(100);

const AUTHORITIES: &str = "
    SELECT a.name FROM authority a CROSS JOIN certificate c ON c.number = a.certificate
    WHERE c.der IS NOT NULL ORDER BY a.name LIMIT ?1";

/// A connection to an index that can only read.
pub(crate) struct IndexGlance(Connection);

impl IndexGlance {
    /// Opens an index of the present schema version for reading. Nothing is written into its directory, whoever owns
    /// it.
    ///
    /// # Errors
    /// When the file cannot be read so: it is another file, of another version, or its log can be read only by one
    /// who may write.
    pub(crate) fn open(path: &Path) -> Result<Self, IndexError> {
        let backend = |why: &str| IndexError::Store(StoreError::Backend(why.to_owned()));
        let path = path.to_str().ok_or_else(|| backend("the path is not UTF-8"))?;
        let log = std::fs::metadata(format!("{path}-wal"));
        // SQLite makes the file for shared memory beside a database with a log; without a log nobody writes, and
        // the file can be read as it is
        let how = if log.is_ok_and(|log| log.len() > 0) { "readonly_shm=1" } else { "immutable=1" };
        let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(format!("file:{escaped}?mode=ro&{how}"), flags)?;
        connection.busy_timeout(WAIT)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        if (number("application_id")?, number("user_version")?) != (APPLICATION_ID, KNOWN_VERSION) {
            return Err(backend("it is no index of this version"));
        }
        Ok(Self(connection))
    }

    /// Returns the names of the CAs, at most `limit`, in the order of their octets.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn authorities(&self, limit: usize) -> Result<Vec<String>, IndexError> {
        let mut statement = self.0.prepare_cached(AUTHORITIES)?;
        let names = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// As [`crate::index::CertificateReader::names`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn names(&self, beginning: &str, limit: usize) -> Result<Vec<String>, IndexError> {
        finding::names(&self.0, beginning, limit)
    }

    /// As [`crate::index::CertificateReader::select`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn select(
        &self,
        selector: &Selector,
        limit: usize,
    ) -> Result<Vec<CertificateRecord>, IndexError> {
        finding::select(&self.0, selector, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::make;
    use super::*;
    use crate::index::contract::CertificateAuthority;
    use std::collections::BTreeMap;

    fn listing(directory: &Path) -> BTreeMap<String, (u64, std::time::SystemTime)> {
        let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
        entries
            .map(|entry| {
                let data = entry.metadata().unwrap();
                (entry.file_name().to_string_lossy().into_owned(), (data.len(), data.modified().unwrap()))
            })
            .collect()
    }

    #[test]
    fn a_glance_sees_what_is_recorded_and_leaves_no_trace() {
        // G12
        let (index, directory) = make();
        let path = directory.path().join("index.db");
        let root = CertificateAuthority::root(&index, "genfic");
        root.issue_leaf(&index, "a.example", 10, 9);
        let sees = |expected: &[&str]| {
            let before = listing(directory.path());
            let glance = IndexGlance::open(&path).unwrap();
            assert_eq!(glance.authorities(9).unwrap(), ["genfic"]);
            assert_eq!(glance.names("a", 9).unwrap(), expected);
            assert_eq!(glance.select(&Selector::Name("a.example".into()), 9).unwrap().len(), 1);
            assert!(glance.0.execute("DELETE FROM name", []).is_err());
            drop(glance);
            assert_eq!(listing(directory.path()), before);
        };
        sees(&["a.example"]);
        root.issue_leaf(&index, "ab.example", 10, 10);
        sees(&["a.example", "ab.example"]);
        drop(index);
        sees(&["a.example", "ab.example"]);
        let raw = Connection::open(&path).unwrap();
        raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(raw);
        assert!(!directory.path().join("index.db-shm").exists());
        sees(&["a.example", "ab.example"]);
        let raw = Connection::open(&path).unwrap();
        raw.pragma_update(None, "user_version", 5).unwrap();
        drop(raw);
        assert!(IndexGlance::open(&path).is_err(), "nothing is brought up to date");
        assert!(IndexGlance::open(&directory.path().join("none.db")).is_err());
    }
}
