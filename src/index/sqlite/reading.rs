//! Reads certificates and their status: one, and those of a filter.
use super::row::certificate as read_certificate;
use super::row::{self, STATE, serial_column, signed, unsigned};
use crate::index::{
    CertificateRecord, CertificateState, Filter, IndexError, ResponderRecord, StatusRow, StatusValue,
    StoreError,
};
use crate::x509::extension::{BasicConstraints, ExtendedKeyUsage, Purpose};
use crate::x509::{AttributeType, CertificateId, Name, TbsCertificate, UnixTime, Validity, sha256};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

pub(super) fn status(
    connection: &Connection,
    id: &CertificateId,
) -> Result<Option<CertificateState>, IndexError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {STATE} FROM issuer i CROSS JOIN status s ON s.issuer = i.number
         WHERE i.identity = ?1 AND s.serial = ?2"
    ))?;
    let mut rows = statement.query((id.issuer.0, serial_column(&id.serial_number)))?;
    Ok(rows.next()?.map(|row| row::state(row, 0)).transpose()?)
}

/// The fifteen columns that [`record`] reads.
pub(super) fn stored() -> String {
    format!(
        "SELECT i.identity, c.serial, a.name, c.profile, c.contact, c.tbs, c.der, {STATE},
             c.not_before, c.not_after, c.subject, c.key"
    )
}

/// Query of every column of a record, from `certificate` on. `CROSS` keeps that order of tables.
pub(super) fn records() -> String {
    format!(
        "{}
         FROM certificate c
         CROSS JOIN issuer i ON i.number = c.issuer
         CROSS JOIN status s ON s.issuer = c.issuer AND s.serial = c.serial
         LEFT JOIN authority a ON a.issuer = c.issuer",
        stored()
    )
}

pub(super) fn record(row: &Row<'_>) -> Result<CertificateRecord, IndexError> {
    let pending: Option<Vec<u8>> = row.get(5)?;
    let is_signed = !matches!(row.get_ref(6)?, ValueRef::Null);
    let intended = pending.as_deref().map(sha256);
    let (tbs, certificate) = match pending {
        Some(octets) => (Some(read_tbs(&octets)?), None),
        None if is_signed => {
            let certificate = read_certificate(row, 6)?;
            (Some(certificate.tbs().clone()), Some(certificate))
        }
        None => (None, None),
    };
    let between = || -> Result<Validity, IndexError> {
        Ok(Validity { not_before: UnixTime(row.get(11)?), not_after: UnixTime(row.get(12)?) })
    };
    // Where only the serial number is known, the column has the subject as text.
    let described = || -> Result<Name, IndexError> {
        Ok(Name::parse(&row.get::<_, String>(13)?).unwrap_or_else(|_| Name::empty()))
    };
    Ok(CertificateRecord {
        id: CertificateId { issuer: row::issuer(row, 0)?, serial_number: row::serial(row, 1)? },
        authority: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
        subject: tbs.as_ref().map_or_else(described, |tbs| Ok(tbs.subject().clone()))?,
        subject_alt_names: tbs.as_ref().map(TbsCertificate::subject_alt_names).unwrap_or_default(),
        validity: tbs.as_ref().map_or_else(between, |tbs| Ok(tbs.validity()))?,
        profile: row.get(3)?,
        contact: row.get(4)?,
        state: row::state(row, 7)?,
        intended,
        serial_only: tbs.is_none(),
        key: row.get(14)?,
        certificate,
    })
}

pub(super) fn read_tbs(octets: &[u8]) -> Result<TbsCertificate, IndexError> {
    TbsCertificate::from_der(octets)
        .map_err(|error| IndexError::Store(StoreError::Damaged(error.to_string())))
}

pub(super) fn numbered(connection: &Connection, number: i64) -> Result<CertificateRecord, IndexError> {
    let mut statement = connection.prepare_cached(&format!("{} WHERE c.number = ?1", records()))?;
    let mut rows = statement.query([number])?;
    match rows.next()? {
        Some(row) => record(row),
        None => Err(IndexError::Store(StoreError::Damaged(format!("certificate {number} has no status")))),
    }
}

pub(super) fn change_of(connection: &Connection, id: &CertificateId) -> Result<Option<u64>, IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.change FROM issuer i CROSS JOIN status s ON s.issuer = i.number AND s.serial = ?2
         WHERE i.identity = ?1",
    )?;
    let change: Option<i64> =
        statement.query_row((id.issuer.0, serial_column(&id.serial_number)), |row| row.get(0)).optional()?;
    Ok(change.map(unsigned).transpose()?)
}

pub(super) const RESPONDERS: &str = "
    SELECT r.certificate, r.requested FROM responder r CROSS JOIN certificate c ON c.number = r.certificate
    WHERE c.not_after >= ?1 ORDER BY r.certificate";

pub(super) fn responders(connection: &Connection, now: UnixTime) -> Result<Vec<ResponderRecord>, IndexError> {
    let mut statement = connection.prepare_cached(RESPONDERS)?;
    let numbers: Vec<(i64, bool)> =
        statement.query_map([now.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut responders = Vec::with_capacity(numbers.len());
    for (number, requested) in numbers {
        let record = numbered(connection, number)?;
        if record.certificate.as_ref().is_some_and(|certificate| is_responders(certificate.tbs())) {
            responders.push(ResponderRecord { record, requested });
        }
    }
    Ok(responders)
}

/// Returns whether the certificate is that of a delegated responder (RFC 6960 §4.2.2.2).
pub(super) fn is_responders(tbs: &TbsCertificate) -> bool {
    let is_ca = BasicConstraints::of(tbs).is_some_and(|constraints| constraints.ca);
    !is_ca && ExtendedKeyUsage::of(tbs).is_some_and(|usage| usage.0.contains(&Purpose::OCSP_SIGNING))
}

pub(super) fn certificate(
    connection: &Connection,
    id: &CertificateId,
) -> Result<Option<CertificateRecord>, IndexError> {
    match super::issuing::place(connection, id) {
        Ok((_, number, _)) => numbered(connection, number).map(Some),
        Err(IndexError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Query of every column of a record of what is issued and not revoked, in the order in which it ends. `CROSS` keeps
/// the order of tables, and `status_ending` that of the rows.
fn ending_records() -> String {
    format!(
        "{}
         FROM status s INDEXED BY status_ending
         CROSS JOIN certificate c ON c.number = s.certificate
         CROSS JOIN issuer i ON i.number = c.issuer
         LEFT JOIN authority a ON a.issuer = c.issuer",
        stored()
    )
}

/// Returns the query and parameters of a filter, oldest first; of what ends, soonest first.
pub(super) fn listing(filter: &Filter) -> (String, Vec<Value>) {
    let mut conditions = Vec::new();
    let mut parameters: Vec<Value> = Vec::new();
    let mut put = |value: Value| {
        parameters.push(value);
        format!("?{}", parameters.len())
    };
    if let Some(name) = &filter.authority {
        let name = put(name.clone().into());
        conditions.push(format!("c.issuer = (SELECT issuer FROM authority WHERE name = {name})"));
    }
    if let Some((status, now)) = filter.status {
        let revoked = "c.number IN (SELECT certificate FROM status WHERE state = 2";
        conditions.push(match status {
            StatusValue::Pending => "c.number IN (SELECT certificate FROM status WHERE state = 0)".to_owned(),
            StatusValue::Abandoned => format!("{revoked}) AND c.tbs IS NOT NULL"),
            StatusValue::Held => format!("{revoked} AND reason = 6) AND c.tbs IS NULL"),
            StatusValue::Revoked => format!("{revoked} AND reason IS NOT 6) AND c.tbs IS NULL"),
            StatusValue::Expired => format!(
                "c.number IN (SELECT certificate FROM status WHERE state = 1 AND not_after < {})",
                put(now.0.into())
            ),
            StatusValue::Valid => format!("s.state = 1 AND c.not_after >= {}", put(now.0.into())),
        });
    }
    if let Some((first, last)) = filter.ending {
        let (first, last) = (put(first.0.into()), put(last.0.into()));
        conditions.push(format!("s.state = 1 AND s.not_after BETWEEN {first} AND {last}"));
    }
    if let Some(glob) = &filter.subject {
        let glob = glob.to_lowercase();
        let beginning = glob.split(['*', '?']).next().unwrap_or_default().to_owned();
        // `[` has no special meaning in the globs of filters.
        let glob = put(glob.replace('[', "[[]").into());
        let within = if beginning.is_empty() {
            String::new()
        } else {
            let last = put(format!("{beginning}{}", char::MAX).into());
            format!("value BETWEEN {} AND {last} AND ", put(beginning.clone().into()))
        };
        let named = format!("c.number IN (SELECT certificate FROM name WHERE {within}value GLOB {glob})");
        conditions.push(if begins_a_subject(&beginning) {
            format!("(lower(c.subject) GLOB {glob} OR {named})")
        } else {
            named
        });
    }
    if let Some(profile) = &filter.profile {
        conditions.push(format!("c.profile = {}", put(profile.clone().into())));
    }
    let conditions =
        if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let query = match filter.ending {
        Some(_) => format!("{}{conditions} ORDER BY s.not_after, s.certificate", ending_records()),
        None => format!("{}{conditions} ORDER BY c.number", records()),
    };
    (query, parameters)
}

/// Returns whether the text of a subject can begin like this: with the name of an attribute type or an object
/// identifier.
fn begins_a_subject(beginning: &str) -> bool {
    let may_begin = |name: &str| {
        let first = format!("{}=", name.to_lowercase());
        first.starts_with(beginning) || beginning.starts_with(&first)
    };
    beginning.starts_with(|first: char| first.is_ascii_digit())
        || AttributeType::ALL.iter().any(|known| may_begin(known.short) || may_begin(known.long))
}

pub(super) fn list(
    connection: &Connection,
    filter: &Filter,
    visit: &mut dyn FnMut(CertificateRecord) -> bool,
) -> Result<(), IndexError> {
    let (query, parameters) = listing(filter);
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        if !visit(record(row)?) {
            break;
        }
    }
    Ok(())
}

pub(super) const PENDING: &str = "
    SELECT i.identity, s.serial FROM status s JOIN issuer i ON i.number = s.issuer
    WHERE s.state = 0 ORDER BY s.certificate";

pub(super) fn pending(connection: &Connection) -> Result<Vec<CertificateId>, IndexError> {
    let mut statement = connection.prepare_cached(PENDING)?;
    let mut rows = statement.query([])?;
    let mut pending = Vec::new();
    while let Some(row) = rows.next()? {
        pending.push(CertificateId { issuer: row::issuer(row, 0)?, serial_number: row::serial(row, 1)? });
    }
    Ok(pending)
}

/// Returns the query of all status rows in the order of the published file, or of the changed rows in the order
/// of the changes.
pub(super) fn status_rows_query(since: u64) -> String {
    let what = format!("SELECT i.identity, s.serial, s.change, {STATE}, s.not_after FROM");
    if since == 0 {
        format!("{what} issuer i CROSS JOIN status s ON s.issuer = i.number ORDER BY i.number, s.serial")
    } else {
        format!(
            "{what} status s CROSS JOIN issuer i ON i.number = s.issuer WHERE s.change > ?1 ORDER BY s.change"
        )
    }
}

pub(super) fn status_rows(
    connection: &Connection,
    since: u64,
    visit: &mut dyn FnMut(StatusRow),
) -> Result<(), IndexError> {
    let mut statement = connection.prepare_cached(&status_rows_query(since))?;
    let mut rows = if since == 0 { statement.query([])? } else { statement.query([signed(since)?])? };
    while let Some(row) = rows.next()? {
        visit(status_row(row)?);
    }
    Ok(())
}

fn status_row(row: &Row<'_>) -> Result<StatusRow, IndexError> {
    Ok(StatusRow {
        id: CertificateId { issuer: row::issuer(row, 0)?, serial_number: row::serial(row, 1)? },
        change: unsigned(row.get(2)?)?,
        state: row::state(row, 3)?,
        not_after: UnixTime(row.get(7)?),
    })
}

/// Returns the query of the last row of the latest change before a given one. The index on changes continues
/// with issuer and serial number.
pub(super) fn last_of_change_query() -> String {
    format!(
        "SELECT i.identity, s.serial, s.change, {STATE}, s.not_after FROM status s CROSS JOIN issuer i ON i.number = s.issuer
         WHERE s.change < ?1 ORDER BY s.change DESC, s.issuer DESC, s.serial DESC LIMIT 1"
    )
}

pub(super) fn last_of_changes(
    connection: &Connection,
    visit: &mut dyn FnMut(StatusRow) -> bool,
) -> Result<(), IndexError> {
    let mut before = i64::MAX;
    loop {
        let mut statement = connection.prepare_cached(&last_of_change_query())?;
        let mut rows = statement.query([before])?;
        let Some(row) = rows.next()?.map(status_row).transpose()? else { return Ok(()) };
        before = signed(row.change)?;
        if !visit(row) {
            return Ok(());
        }
    }
}
