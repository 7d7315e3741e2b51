//! Revocations and the CRLs that list them.
use super::issuing::{place, store_state};
use super::journal::Journal;
use super::row::{self, signed, unsigned};
use super::{authority, keys, restoring};
use crate::audit::AuditEvent;
use crate::index::{CertificateState, CrlRecord, IndexError, TransitionError};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlEntry, IssuerId, SerialNumber, TbsCertList, UnixTime, sha256};
use rusqlite::{Connection, OptionalExtension};

pub(super) fn transition(
    connection: &Connection,
    id: &CertificateId,
    from: &CertificateState,
    to: &CertificateState,
    event: AuditEvent,
) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    let (issuer, certificate, _) = place(connection, id)?;
    if super::reading::status(connection, id)?.as_ref() != Some(from) {
        return Err(IndexError::Conflict(id.clone()));
    }
    from.check_transition(to)?;
    if *to == CertificateState::Issued {
        restoring::check_accepted(connection)?;
        let mut known =
            connection.prepare_cached("SELECT 1 FROM certificate WHERE number = ?1 AND der IS NOT NULL")?;
        if !known.exists([certificate])? {
            return Err(TransitionError::KnownByNumber.into());
        }
        keys::check_release(connection, id, certificate)?;
    }
    let change = journal.change()?;
    store_state(connection, issuer, id, to, change)?;
    revise(connection, issuer, change)?;
    if *from == CertificateState::Pending {
        authority::leave(connection, certificate)?;
    }
    journal.append(event)?;
    journal.close()
}

/// Notes that the next CRL of this issuer differs from the last.
pub(super) fn revise(connection: &Connection, issuer: i64, change: i64) -> Result<(), IndexError> {
    connection
        .prepare_cached("UPDATE authority SET revised = ?2 WHERE issuer = ?1")?
        .execute((issuer, change))?;
    Ok(())
}

pub(super) fn crl_is_owed(connection: &Connection, issuer: &IssuerId) -> Result<bool, IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.revised > coalesce((
             SELECT l.change FROM crl l WHERE l.issuer = a.issuer AND l.published = 1
             ORDER BY l.number DESC LIMIT 1), -1)
         FROM issuer i CROSS JOIN authority a ON a.issuer = i.number WHERE i.identity = ?1",
    )?;
    Ok(statement.query_row([issuer.0], |row| row.get(0)).optional()?.unwrap_or(false))
}

pub(super) fn set_serves_ocsp(
    connection: &Connection,
    issuer: &IssuerId,
    serves: bool,
    event: AuditEvent,
) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    let number = authority::authority_number(connection, issuer)?;
    connection
        .prepare_cached("UPDATE authority SET serves_ocsp = ?2 WHERE issuer = ?1")?
        .execute((number, serves))?;
    journal.change()?;
    journal.append(event)?;
    journal.close()
}

pub(super) const REVOKED: &str = "
    SELECT serial, revoked_at, reason, invalidity_date FROM status INDEXED BY status_listed
    WHERE issuer = ?1 AND state = 2 AND closed = 0 ORDER BY serial";

pub(super) fn revoked(
    connection: &Connection,
    issuer: &IssuerId,
    visit: &mut dyn FnMut(CrlEntry),
) -> Result<(), IndexError> {
    let Some(number) = authority::issuer_number(connection, issuer)? else { return Ok(()) };
    let mut statement = connection.prepare_cached(REVOKED)?;
    let mut rows = statement.query([number])?;
    while let Some(row) = rows.next()? {
        let revocation = row::revocation(row, 1)?;
        visit(CrlEntry {
            serial_number: row::serial(row, 0)?,
            revocation_date: revocation.revoked_at,
            reason: revocation.reason,
            invalidity_date: revocation.invalidity_date,
        });
    }
    Ok(())
}

pub(super) fn highest_crl_number(
    connection: &Connection,
    issuer: &IssuerId,
) -> Result<CrlNumber, IndexError> {
    let authority = authority::authority_number(connection, issuer)?;
    let mut statement = connection.prepare_cached("SELECT max(number) FROM crl WHERE issuer = ?1")?;
    let highest: Option<i64> = statement.query_row([authority], |row| row.get(0))?;
    Ok(unsigned(highest.unwrap_or(0))?)
}

pub(super) fn take_crl_number(
    connection: &Connection,
    issuer: &IssuerId,
    floor: CrlNumber,
    this_update: UnixTime,
) -> Result<CrlNumber, IndexError> {
    Journal::open(connection)?.check_clock(this_update)?;
    let authority = authority::authority_number(connection, issuer)?;
    let number = highest_crl_number(connection, issuer)?.max(floor).saturating_add(1);
    let column = i64::try_from(number).map_err(|_| IndexError::CrlNumber(number))?;
    connection
        .prepare_cached(
            "INSERT INTO crl (issuer, number, this_update, change) SELECT ?1, ?2, ?3, change FROM head",
        )?
        .execute((authority, column, this_update.0))?;
    Ok(number)
}

/// Refuses a CRL whose thisUpdate is before that of a CRL with a lower number.
fn check_later_than_before(
    connection: &Connection,
    authority: i64,
    number: i64,
    this_update: UnixTime,
) -> Result<(), IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT this_update FROM crl WHERE issuer = ?1 AND number < ?2 AND digest IS NOT NULL
         ORDER BY number DESC LIMIT 1",
    )?;
    let newest: Option<i64> =
        statement.query_row((authority, number), |row| row.get(0)).optional()?.flatten();
    match newest.map(UnixTime).filter(|newest| this_update < *newest) {
        Some(newest) => Err(IndexError::ClockBehind { now: this_update, newest }),
        None => Ok(()),
    }
}

pub(super) fn store_crl(
    connection: &Connection,
    issuer: &IssuerId,
    tbs: &TbsCertList,
    digest: [u8; 32],
    event: AuditEvent,
) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    let authority = authority::authority_number(connection, issuer)?;
    let number = tbs.crl_number().ok_or(IndexError::CrlNumber(0))?;
    let column = i64::try_from(number).map_err(|_| IndexError::CrlNumber(number))?;
    let this_update = tbs.this_update();
    let next_update = tbs.next_update().unwrap_or(this_update);
    let updated = if tbs.base_crl_number().is_some() {
        connection
            .prepare_cached(
                "UPDATE crl SET delta_digest = ?4
                 WHERE issuer = ?1 AND number = ?2 AND this_update = ?3
                 AND digest IS NOT NULL AND delta_digest IS NULL",
            )?
            .execute((authority, column, this_update.0, digest))?
    } else {
        connection
            .prepare_cached(
                "UPDATE crl SET next_update = ?4, digest = ?5
                 WHERE issuer = ?1 AND number = ?2 AND this_update = ?3 AND digest IS NULL",
            )?
            .execute((authority, column, this_update.0, next_update.0, digest))?
    };
    if updated != 1 {
        return Err(IndexError::CrlNumber(number));
    }
    check_later_than_before(connection, authority, column, this_update)?;
    journal.sign(this_update, || format!("CRL {number} of {}", event.object));
    journal.append(event)?;
    journal.close()
}

/// Records a published CRL that was signed elsewhere.
pub(super) fn record_foreign_crl(
    connection: &Connection,
    issuer: &IssuerId,
    tbs: &TbsCertList,
    is_complete: bool,
    digest: [u8; 32],
    event: AuditEvent,
) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    let authority = authority::authority_number(connection, issuer)?;
    let number = tbs.crl_number().ok_or(IndexError::CrlNumber(0))?;
    let column = i64::try_from(number).map_err(|_| IndexError::CrlNumber(number))?;
    if number <= highest_crl_number(connection, issuer)? {
        return Err(IndexError::CrlNumber(number));
    }
    let this_update = tbs.this_update();
    let next_update = tbs.next_update().unwrap_or(this_update);
    check_later_than_before(connection, authority, column, this_update)?;
    // without everything that is revoked here it is as if its number had been taken before any change
    connection
        .prepare_cached(
            "INSERT INTO crl (issuer, number, this_update, next_update, digest, change, published)
             SELECT ?1, ?2, ?3, ?4, ?5, iif(?6, change, 0), 1 FROM head",
        )?
        .execute((authority, column, this_update.0, next_update.0, digest, is_complete))?;
    journal.append(event)?;
    journal.close()
}

/// Query that closes certificates on a published CRL, so that later CRLs need not list them. It closes those
/// that were revoked when the CRL's number was taken, were not changed since, and whose notAfter is before both
/// the CRL's thisUpdate and the confirmed time.
pub(super) const CLOSE: &str = "
    UPDATE status INDEXED BY status_ended SET closed = 1
    WHERE issuer = ?1 AND state = 2 AND closed = 0 AND not_after < ?2 AND change <= ?3";

pub(super) fn record_crl_published(
    connection: &Connection,
    issuer: &IssuerId,
    number: CrlNumber,
    confirmed: UnixTime,
    event: AuditEvent,
) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    let authority = authority::authority_number(connection, issuer)?;
    let mut statement = connection.prepare_cached(
        "UPDATE crl SET published = 1 WHERE issuer = ?1 AND number = ?2 AND digest IS NOT NULL
         RETURNING this_update, change",
    )?;
    let list: Option<(i64, i64)> =
        statement.query_row((authority, signed(number)?), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (this_update, change) = list.ok_or(IndexError::CrlNumber(number))?;
    connection.prepare_cached(CLOSE)?.execute((authority, this_update.min(confirmed.0), change))?;
    journal.append(event)?;
    journal.close()
}

pub(super) fn is_recorded(
    connection: &Connection,
    issuer: &IssuerId,
    tbs: &TbsCertList,
) -> Result<bool, IndexError> {
    let Some(number) = tbs.crl_number().and_then(|number| i64::try_from(number).ok()) else {
        return Ok(false);
    };
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM issuer i CROSS JOIN crl l ON l.issuer = i.number
         WHERE i.identity = ?1 AND l.number = ?2 AND iif(?4, l.delta_digest, l.digest) = ?3",
    )?;
    let is_delta = tbs.base_crl_number().is_some();
    Ok(statement.exists((issuer.0, number, sha256(tbs.as_der()), is_delta))?)
}

pub(super) fn recorded_crls(
    connection: &Connection,
    issuer: &IssuerId,
    number: CrlNumber,
) -> Result<Vec<[u8; 32]>, IndexError> {
    let Ok(number) = i64::try_from(number) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT l.digest, l.delta_digest FROM issuer i CROSS JOIN crl l ON l.issuer = i.number
         WHERE i.identity = ?1 AND l.number = ?2",
    )?;
    let digests: Option<[Option<[u8; 32]>; 2]> =
        statement.query_row((issuer.0, number), |row| Ok([row.get(0)?, row.get(1)?])).optional()?;
    Ok(digests.into_iter().flatten().flatten().collect())
}

pub(super) fn last_crl(connection: &Connection, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT l.number, l.this_update, l.next_update FROM issuer i
         CROSS JOIN crl l ON l.issuer = i.number
         WHERE i.identity = ?1 AND l.published = 1 ORDER BY l.number DESC LIMIT 1",
    )?;
    let found: Option<(i64, i64, i64)> =
        statement.query_row([issuer.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    found
        .map(|(number, this_update, next_update)| {
            Ok(CrlRecord {
                number: unsigned(number)?,
                this_update: UnixTime(this_update),
                next_update: UnixTime(next_update),
            })
        })
        .transpose()
}

pub(super) fn delta_base(
    connection: &Connection,
    issuer: &IssuerId,
    number: CrlNumber,
    now: UnixTime,
) -> Result<Option<CrlNumber>, IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(min(iif(l.next_update >= ?3, l.number, NULL)), max(l.number)) FROM issuer i
         CROSS JOIN crl l ON l.issuer = i.number
         WHERE i.identity = ?1 AND l.published = 1 AND l.number < ?2",
    )?;
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let base: Option<i64> = statement.query_row((issuer.0, number, now.0), |row| row.get(0))?;
    Ok(base.map(unsigned).transpose()?)
}

pub(super) fn changed_since(
    connection: &Connection,
    issuer: &IssuerId,
    number: CrlNumber,
    serials: Vec<SerialNumber>,
) -> Result<Vec<SerialNumber>, IndexError> {
    let Some(issuer) = authority::issuer_number(connection, issuer)? else { return Ok(serials) };
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let mut taken = connection.prepare_cached("SELECT change FROM crl WHERE issuer = ?1 AND number = ?2")?;
    let since: Option<i64> = taken.query_row((issuer, number), |row| row.get(0)).optional()?;
    let Some(since) = since else { return Ok(serials) };
    let mut unchanged = connection
        .prepare_cached("SELECT 1 FROM status WHERE issuer = ?1 AND serial = ?2 AND change <= ?3")?;
    let mut changed = Vec::new();
    for serial in serials {
        if !unchanged.exists((issuer, row::serial_column(&serial), since))? {
            changed.push(serial);
        }
    }
    Ok(changed)
}
