//! What the record knows of a key as a whole: when a responder of its CA last renewed itself, and the serial numbers that it
//! used.
use super::RecordError;
use super::file::{Key, RecordFile};
use crate::x509::{SerialNumber, UnixTime};
use rusqlite::{Connection, OptionalExtension, params};

/// CRLs that were to be signed for timers in this second.
pub(super) const TIMER_CRL: &str = "CREATE TABLE IF NOT EXISTS timer_crl (
    key    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (key, at)
) WITHOUT ROWID, STRICT";

/// When a request was last to be signed with a key.
pub(super) const REQUESTED: &str = "CREATE TABLE IF NOT EXISTS requested (
    key INTEGER PRIMARY KEY,
    at  INTEGER NOT NULL
) STRICT";

/// Keys of which a restore found no CRL, until an administrator accepts what it could not know.
pub(super) const UNSEEN: &str = "CREATE TABLE IF NOT EXISTS unseen (key INTEGER PRIMARY KEY) STRICT";

impl RecordFile {
    /// Enters that a restore found no CRL of this key.
    pub(super) fn put_unseen(&self, key: &Key) -> Result<(), RecordError> {
        let number = self.key(key)?;
        self.with(|connection| {
            connection.execute("INSERT OR IGNORE INTO unseen (key) VALUES (?1)", [number])
        })?;
        Ok(())
    }

    /// Returns whether the last CRL that is known of this key is that of a backup, and nobody has accepted that yet.
    pub(in crate::signer) fn is_unseen(&self, key: &Key) -> Result<bool, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(false) };
            connection.prepare_cached("SELECT 1 FROM unseen WHERE key = ?1")?.exists([of])
        })
    }

    /// Enters that a request was to be signed with this key.
    pub(super) fn put_request(&self, key: &Key, at: UnixTime) -> Result<(), RecordError> {
        let number = self.key(key)?;
        self.with(|connection| {
            let put = "INSERT INTO requested (key, at) VALUES (?1, ?2)
                ON CONFLICT DO UPDATE SET at = max(at, excluded.at)";
            connection.prepare_cached(put)?.execute(params![number, at.0])
        })?;
        Ok(())
    }

    /// Returns when the key was last used.
    pub(super) fn used_at(&self, key: &Key) -> Result<Option<UnixTime>, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(None) };
            let latest = "SELECT max(at) FROM (SELECT max(at) AS at FROM counted WHERE key = ?1
                UNION ALL SELECT max(this_update) FROM list WHERE key = ?1 AND what < 2
                UNION ALL SELECT at FROM requested WHERE key = ?1)";
            let at: Option<i64> =
                connection.prepare_cached(latest)?.query_row(params![of], |row| row.get(0))?;
            Ok(at.map(UnixTime))
        })
    }

    /// Enters that a responder of the CA with this key named the next one.
    pub(super) fn put_enrolment(&self, key: &Key, at: UnixTime) -> Result<(), RecordError> {
        let number = self.key(key)?;
        self.with(|connection| {
            let put = "INSERT INTO enrolled (key, at) VALUES (?1, ?2)
                ON CONFLICT DO UPDATE SET at = max(at, excluded.at)";
            connection.prepare_cached(put)?.execute(params![number, at.0])
        })?;
        Ok(())
    }

    /// Returns when one last did.
    pub(super) fn enrolled_at(&self, key: &Key) -> Result<Option<UnixTime>, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(None) };
            connection
                .prepare_cached("SELECT at FROM enrolled WHERE key = ?1")?
                .query_row([of], |row| row.get(0).map(UnixTime))
                .optional()
        })
    }

    /// Enters that a CRL was to be signed for a timer. What is older than two days is forgotten.
    pub(super) fn put_timer_crl(&self, key: &Key, at: UnixTime) -> Result<(), RecordError> {
        let number = self.key(key)?;
        self.with(|connection| {
            let old = "DELETE FROM timer_crl WHERE key = ?1 AND at < ?2";
            connection.prepare_cached(old)?.execute(params![number, at.plus(-2 * UnixTime::DAY).0])?;
            let put = "INSERT INTO timer_crl (key, at, number) VALUES (?1, ?2, 1)
                ON CONFLICT DO UPDATE SET number = number + 1";
            connection.prepare_cached(put)?.execute(params![number, at.0])
        })?;
        Ok(())
    }

    /// Returns how many there were since this time.
    pub(super) fn timer_crls_at(&self, key: &Key, since: UnixTime) -> Result<u64, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(0) };
            let sum = "SELECT coalesce(sum(number), 0) FROM timer_crl WHERE key = ?1 AND at >= ?2";
            let sum: i64 =
                connection.prepare_cached(sum)?.query_row(params![of, since.0], |row| row.get(0))?;
            Ok(u64::try_from(sum).unwrap_or(0))
        })
    }

    /// Returns whether a complete CRL of this key was to be signed here.
    pub(super) fn is_intended(&self, key: &Key) -> Result<bool, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(false) };
            let find = "SELECT 1 FROM list WHERE key = ?1 AND what = 0 AND intended = 1";
            connection.prepare_cached(find)?.exists([of])
        })
    }

    /// Returns whether that was so, and nothing is missing since.
    pub(super) fn is_intended_since_restored(&self, key: &Key) -> Result<bool, RecordError> {
        self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(false) };
            let find = "SELECT 1 FROM list WHERE key = ?1 AND what = 0 AND intended = 1 AND restored = 0";
            connection.prepare_cached(find)?.exists([of])
        })
    }

    /// Returns serial numbers that a key has used, in the order of their octets, after this one.
    pub(in crate::signer) fn used_after(
        &self,
        key: &Key,
        after: Option<&SerialNumber>,
        most: usize,
    ) -> Result<Vec<SerialNumber>, RecordError> {
        let after = after.map(SerialNumber::as_be_octets).unwrap_or_default();
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found: Vec<Vec<u8>> = self.with(|connection| {
            let Some(of) = number_of(connection, key)? else { return Ok(Vec::new()) };
            let find =
                "SELECT serial FROM certificate WHERE key = ?1 AND serial > ?2 ORDER BY serial LIMIT ?3";
            let mut found = connection.prepare_cached(find)?;
            found.query_map(params![of, after, most], |row| row.get(0))?.collect()
        })?;
        let read = |octets: &Vec<u8>| SerialNumber::from_be_octets(octets);
        found.iter().map(read).collect::<Result<_, _>>().map_err(|_| RecordError::Damaged {
            path: self.path.clone(),
            reason: "a serial number in it is none; remove the file, it is made anew".into(),
        })
    }
}

/// Returns the number of a key in the record.
pub(super) fn number_of(connection: &Connection, key: &Key) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT number FROM key WHERE identity = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}
