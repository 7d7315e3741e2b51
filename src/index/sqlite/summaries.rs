//! Summaries of the CAs, without their certificates, for comparison with what is published.
use super::authority::{parents_first, retirement};
use super::row;
use crate::index::{AuthoritySummary, IndexError, StoreError};
use crate::x509::{Fingerprint, Name, UnixTime};
use rusqlite::Connection;
use std::collections::HashMap;

/// Query of every CA whose certificate is issued. The issuer of a root's certificate is the root itself.
pub(super) const SUMMARIES: &str = "
    SELECT a.name, i.identity, p.name, c.fingerprint, c.not_before, a.serves_ocsp, b.name, a.last_end,
        a.retired_at, a.retired_name, a.retired_files
    FROM authority a
    CROSS JOIN certificate c ON c.number = a.certificate
    CROSS JOIN issuer i ON i.number = a.issuer
    LEFT JOIN authority p ON p.issuer = c.issuer AND c.issuer <> a.issuer
    LEFT JOIN authority b ON b.issuer = a.succeeds
    WHERE c.fingerprint IS NOT NULL ORDER BY a.name";

/// Query of the encodings of each CA's name.
pub(super) const NAMES: &str = "
    SELECT a.name, n.octets FROM authority a CROSS JOIN issuer_name n ON n.issuer = a.issuer
    ORDER BY a.name, n.octets";

/// Query of the unrevoked cross-certificates of each CA: those of its name and key by other issuers than that
/// of its own certificate.
pub(super) const CROSS_CERTIFICATES: &str = "
    SELECT a.name, c.fingerprint
    FROM authority a
    CROSS JOIN certificate own ON own.number = a.certificate
    CROSS JOIN certificate c ON c.key = own.key AND c.holder IS own.holder AND c.issuer <> own.issuer
    CROSS JOIN status s ON s.issuer = c.issuer AND s.serial = c.serial
    WHERE c.fingerprint IS NOT NULL AND s.state = 1 ORDER BY c.number";

pub(super) fn all(connection: &Connection) -> Result<Vec<AuthoritySummary>, IndexError> {
    let mut names = by_authority(connection, NAMES, |octets: Vec<u8>| {
        Name::from_der(&octets).map_err(|error| IndexError::Store(StoreError::Damaged(error.to_string())))
    })?;
    let mut cross_certificates =
        by_authority(connection, CROSS_CERTIFICATES, |digest| Ok(Fingerprint(digest)))?;
    let mut statement = connection.prepare_cached(SUMMARIES)?;
    let mut rows = statement.query([])?;
    let mut summaries = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        summaries.push(AuthoritySummary {
            issuer: row::issuer(row, 1)?,
            parent: row.get(2)?,
            certificate: Fingerprint(row.get(3)?),
            not_before: UnixTime(row.get(4)?),
            serves_ocsp: row.get(5)?,
            succeeds: row.get(6)?,
            last_end: row.get::<_, Option<i64>>(7)?.map(UnixTime),
            retired: retirement(row, 8)?,
            names: names.remove(&name).unwrap_or_default(),
            cross_certificates: cross_certificates.remove(&name).unwrap_or_default(),
            name,
        });
    }
    Ok(parents_first(summaries, |one| (&one.name, one.parent.as_deref())))
}

/// Returns the second column of a query, grouped by the CA's name in the first.
fn by_authority<V: rusqlite::types::FromSql, T>(
    connection: &Connection,
    query: &str,
    read: impl Fn(V) -> Result<T, IndexError>,
) -> Result<HashMap<String, Vec<T>>, IndexError> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([])?;
    let mut found: HashMap<String, Vec<T>> = HashMap::new();
    while let Some(row) = rows.next()? {
        found.entry(row.get(0)?).or_default().push(read(row.get(1)?)?);
    }
    Ok(found)
}
