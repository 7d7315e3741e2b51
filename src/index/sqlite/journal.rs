//! Audit records and change numbers of one transaction.
use super::row::{serial_column, signed, unsigned};
use crate::audit::{AuditEvent, AuditRecord, Chain, Digest, Head, Outcome, encoded_text};
use crate::index::{IndexError, NewestSigned, StoreError};
use crate::x509::{SerialNumber, UnixTime};
use rusqlite::{Connection, OptionalExtension, Row};
use std::ops::RangeInclusive;

/// The audit chain as it was when the transaction began, and its continuation.
pub(super) struct Journal<'t> {
    connection: &'t Connection,
    chain: Chain,
    newest: Option<UnixTime>,
    signed: Option<String>,
    change: u64,
    changed: bool,
}

impl<'t> Journal<'t> {
    pub(super) fn open(connection: &'t Connection) -> Result<Self, IndexError> {
        let (head, newest, change) = read_head(connection)?;
        Ok(Self { connection, chain: Chain::after(head), newest, signed: None, change, changed: false })
    }

    /// Refuses a signature with a clock behind the newest signature.
    pub(super) fn check_clock(&self, now: UnixTime) -> Result<(), IndexError> {
        match self.newest {
            Some(newest) if now < newest => Err(IndexError::ClockBehind { now, newest }),
            _ => Ok(()),
        }
    }

    /// Notes a signature at this time. Only signatures move the time that clocks are compared with.
    pub(super) fn sign(&mut self, at: UnixTime, what: impl FnOnce() -> String) {
        if self.newest.is_none_or(|newest| at >= newest) {
            self.newest = Some(at);
            self.signed = Some(what());
        }
    }

    /// Returns the time of the newest signature.
    pub(super) fn newest(&self) -> Option<UnixTime> {
        self.newest
    }

    pub(super) fn append(&mut self, event: AuditEvent) -> Result<(), IndexError> {
        let record = self.chain.append(event);
        self.connection
            .prepare_cached("INSERT INTO audit (sequence, event, digest) VALUES (?1, ?2, ?3)")?
            .execute((signed(record.sequence)?, record.event.to_octets(), record.digest))?;
        Ok(())
    }

    /// Makes change numbers go on above this one.
    pub(super) fn skip_changes(&mut self, change: u64) {
        self.change = self.change.max(change);
    }

    /// Returns the number of this transaction's change.
    pub(super) fn change(&mut self) -> Result<i64, IndexError> {
        if !self.changed {
            self.changed = true;
            self.change = self.change.saturating_add(1);
        }
        Ok(signed(self.change)?)
    }

    /// Returns the number of another change of this transaction.
    pub(super) fn another_change(&mut self) -> Result<i64, IndexError> {
        self.changed = false;
        self.change()
    }

    /// Stores the new head of the audit chain, the newest signature and the change number.
    pub(super) fn close(self) -> Result<(), IndexError> {
        let head = self.chain.head();
        self.connection
            .prepare_cached(
                "UPDATE head SET change = ?1, sequence = ?2, digest = ?3, newest = ?4,
                     signed = coalesce(?5, signed)",
            )?
            .execute((
                signed(self.change)?,
                signed(head.sequence)?,
                head.digest,
                self.newest.map(|at| at.0),
                self.signed,
            ))?;
        Ok(())
    }
}

/// Returns the newest audit record, the time of the newest signature, and the latest change number.
pub(super) fn read_head(connection: &Connection) -> Result<(Head, Option<UnixTime>, u64), IndexError> {
    let mut statement = connection.prepare_cached("SELECT sequence, digest, newest, change FROM head")?;
    let (sequence, digest, newest, change): (i64, Digest, Option<i64>, i64) =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let head = Head { sequence: unsigned(sequence)?, digest };
    Ok((head, newest.map(UnixTime), unsigned(change)?))
}

/// Returns the newest signature and its time.
pub(super) fn newest_signed(connection: &Connection) -> Result<Option<NewestSigned>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT newest, signed FROM head")?;
    let (newest, what): (Option<i64>, Option<String>) =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(newest.map(|at| NewestSigned { at: UnixTime(at), what: what.unwrap_or_default() }))
}

/// Finds the newest signature and the responders installed here in the audit records of an index of an earlier
/// version, which noted the latest record of any kind instead. A record that cannot be read is skipped, since
/// the doctor reports it.
pub(super) fn search_records(connection: &Connection) -> Result<(), IndexError> {
    let mut newest: Option<(i64, String)> = None;
    let mut take = |at: i64, what: String| {
        if newest.as_ref().is_none_or(|known| at >= known.0) {
            newest = Some((at, what));
        }
    };
    let mut statement = connection.prepare("SELECT event FROM audit ORDER BY sequence")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let octets = row.get_ref(0)?.as_blob().unwrap_or_default();
        let Ok(event) = AuditEvent::from_octets(octets) else { continue };
        if event.action == "certificate.intended" && event.outcome == Outcome::Done {
            take(event.at.0, format!("certificate {}", event.object));
        }
        if event.action == "responder.installed" {
            note_installed(connection, &event)?;
        }
    }
    let mut statement = connection.prepare(
        "SELECT c.this_update, c.number, a.name FROM crl c JOIN authority a ON a.issuer = c.issuer
         WHERE c.digest IS NOT NULL AND c.this_update IS NOT NULL ORDER BY c.this_update DESC LIMIT 1",
    )?;
    let list: Option<(i64, i64, String)> =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    if let Some((at, number, name)) = list {
        take(at, format!("CRL {number} of {name}"));
    }
    let (at, what) = newest.unzip();
    connection.execute("UPDATE head SET newest = ?1, signed = ?2", (at, what))?;
    Ok(())
}

fn note_installed(connection: &Connection, event: &AuditEvent) -> Result<(), IndexError> {
    let serial = event.details.iter().find(|(name, _)| name == "serial");
    let Some(Ok(serial)) = serial.map(|(_, value)| value.parse::<SerialNumber>()) else { return Ok(()) };
    connection
        .prepare_cached(
            "UPDATE responder SET requested = 0 WHERE certificate IN (
                 SELECT s.certificate FROM authority a CROSS JOIN status s ON s.issuer = a.issuer
                 WHERE a.name = ?1 AND s.serial = ?2)",
        )?
        .execute((&event.object, serial_column(&serial)))?;
    Ok(())
}

pub(super) const RECORDS: &str =
    "SELECT sequence, event, digest FROM audit WHERE sequence >= ?1 ORDER BY sequence";

/// Passes the records from this sequence number on to `visit`.
pub(super) fn records(
    connection: &Connection,
    from: u64,
    visit: &mut dyn FnMut(AuditRecord) -> bool,
) -> Result<(), IndexError> {
    let mut previous = digest_of(connection, from.saturating_sub(1))?.unwrap_or_default();
    let mut statement = connection.prepare_cached(RECORDS)?;
    let mut rows = statement.query([signed(from)?])?;
    while let Some(row) = rows.next()? {
        let record = read_record(row, previous)?;
        previous = record.digest;
        if !visit(record) {
            break;
        }
    }
    Ok(())
}

fn read_record(row: &Row<'_>, previous: Digest) -> Result<AuditRecord, IndexError> {
    let sequence = unsigned(row.get(0)?)?;
    let octets = row
        .get_ref(1)?
        .as_blob()
        .map_err(|error| IndexError::Store(StoreError::Damaged(error.to_string())))?;
    let event = AuditEvent::from_octets(octets).map_err(|error| {
        IndexError::Store(StoreError::Damaged(format!("audit record {sequence} was changed: {error}")))
    })?;
    Ok(AuditRecord { sequence, event, previous, digest: row.get(2)? })
}

/// Records from a sequence number on, each with the digest of the one before, where a condition on the event holds.
macro_rules! records_where {
    ($condition:literal) => {
        concat!(
            "SELECT a.sequence, a.event, a.digest, p.digest FROM audit a
             LEFT JOIN audit p ON p.sequence = a.sequence - 1
             WHERE a.sequence >= ?1 AND ",
            $condition,
            " ORDER BY a.sequence"
        )
    };
}

/// An event has its time in its second to ninth octet, so that octets sort as times do.
pub(super) const RECORDS_WITHIN: &str = records_where!("substr(a.event, 2, 8) BETWEEN ?2 AND ?3");
pub(super) const RECORDS_NAMING: &str = records_where!("instr(a.event, ?2) > 0");

/// Passes the records of these times on to `visit`.
pub(super) fn records_within(
    connection: &Connection,
    from: u64,
    times: &RangeInclusive<UnixTime>,
    visit: &mut dyn FnMut(AuditRecord) -> bool,
) -> Result<(), IndexError> {
    let column = |time: &UnixTime| time.0.to_be_bytes();
    let mut statement = connection.prepare_cached(RECORDS_WITHIN)?;
    let mut rows = statement.query((signed(from)?, column(times.start()), column(times.end())))?;
    while let Some(row) = rows.next()? {
        let before: Option<Digest> = row.get(3)?;
        if !visit(read_record(row, before.unwrap_or_default())?) {
            break;
        }
    }
    Ok(())
}

/// Passes the records whose object, or one of whose details, is this text on to `visit`.
pub(super) fn records_naming(
    connection: &Connection,
    text: &str,
    from: u64,
    visit: &mut dyn FnMut(AuditRecord) -> bool,
) -> Result<(), IndexError> {
    let mut statement = connection.prepare_cached(RECORDS_NAMING)?;
    let mut rows = statement.query((signed(from)?, encoded_text(text)))?;
    while let Some(row) = rows.next()? {
        let before: Option<Digest> = row.get(3)?;
        let record = read_record(row, before.unwrap_or_default())?;
        if record.event.names(text) && !visit(record) {
            break;
        }
    }
    Ok(())
}

fn digest_of(connection: &Connection, sequence: u64) -> Result<Option<Digest>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT digest FROM audit WHERE sequence = ?1")?;
    Ok(statement.query_row([signed(sequence)?], |row| row.get(0)).optional()?)
}
