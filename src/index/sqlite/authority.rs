//! The CAs, and the check whether a CA may issue.
use super::journal::Journal;
use super::{naming, row};
use crate::audit::AuditEvent;
use crate::index::{
    Authority, CertificateState, IndexError, IntendedAuthority, Retirement, Retiring, StoreError,
};
use crate::x509::{IssuerId, Name, UnixTime};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

/// Query of every CA whose certificate is issued. The issuer of a root's certificate is the root itself.
pub(super) const AUTHORITIES: &str = "
    SELECT a.name, i.identity, p.name, c.profile, c.der, k.uri, a.external, a.serves_ocsp, b.name,
        a.last_end, a.retired_at, a.retired_name, a.retired_files
    FROM authority a
    CROSS JOIN certificate c ON c.number = a.certificate
    CROSS JOIN issuer i ON i.number = a.issuer
    LEFT JOIN authority p ON p.issuer = c.issuer AND c.issuer <> a.issuer
    LEFT JOIN authority b ON b.issuer = a.succeeds
    LEFT JOIN key_place k ON k.authority = a.issuer AND k.key = a.key
    WHERE c.der IS NOT NULL";

fn authority(row: &Row<'_>) -> Result<Authority, IndexError> {
    let (name, uri, external): (String, Option<String>, bool) = (row.get(0)?, row.get(5)?, row.get(6)?);
    if uri.is_none() && !external {
        return Err(IndexError::Store(StoreError::Damaged(format!(
            "nothing says where the key of {name} is"
        ))));
    }
    Ok(Authority {
        name,
        issuer: row::issuer(row, 1)?,
        parent: row.get(2)?,
        profile: row.get(3)?,
        certificate: row::certificate(row, 4)?,
        key: uri.unwrap_or_default(),
        external,
        serves_ocsp: row.get(7)?,
        succeeds: row.get(8)?,
        last_end: row.get::<_, Option<i64>>(9)?.map(UnixTime),
        retired: retirement(row, 10)?,
    })
}

/// Returns the retirement of a CA from three columns.
pub(super) fn retirement(row: &Row<'_>, column: usize) -> Result<Option<Retirement>, IndexError> {
    let (at, name): (Option<i64>, Option<String>) = (row.get(column)?, row.get(column.saturating_add(1))?);
    let is_complete = !row.get::<_, bool>(column.saturating_add(2))?;
    Ok(at.zip(name).map(|(at, name)| Retirement { at: UnixTime(at), name, is_complete }))
}

/// Retires a CA under this name.
pub(super) fn retire(
    connection: &Connection,
    retiring: &Retiring,
    event: AuditEvent,
) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    let number = authority_number(connection, &retiring.issuer)?;
    let mut statement =
        connection.prepare_cached("SELECT name FROM authority WHERE name = ?1 AND issuer <> ?2")?;
    if let Some(taken) = statement.query_row((&retiring.name, number), |row| row.get(0)).optional()? {
        return Err(IndexError::AuthorityExists(taken));
    }
    connection
        .prepare_cached(
            "UPDATE authority SET retired_at = coalesce(retired_at, ?3), retired_name = coalesce(retired_name, name),
                 retired_files = 1, name = ?2, serves_ocsp = 0, succeeds = NULL WHERE issuer = ?1",
        )?
        .execute((number, &retiring.name, retiring.at.0))?;
    connection
        .prepare_cached("UPDATE key_place SET uri = ?2 WHERE authority = ?1")?
        .execute((number, &retiring.key))?;
    journal.change()?;
    journal.append(event)?;
    journal.close()
}

/// Notes that the files of a retired CA have its name on record.
pub(super) fn complete_retirement(connection: &Connection, issuer: &IssuerId) -> Result<(), IndexError> {
    let number = authority_number(connection, issuer)?;
    connection
        .prepare_cached("UPDATE authority SET retired_files = 0 WHERE issuer = ?1")?
        .execute([number])?;
    Ok(())
}

/// Returns every CA, parents before children and siblings by name.
pub(super) fn all(connection: &Connection) -> Result<Vec<Authority>, IndexError> {
    let mut statement = connection.prepare_cached(&format!("{AUTHORITIES} ORDER BY a.name"))?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(authority(row)?);
    }
    Ok(parents_first(all, |one| (&one.name, one.parent.as_deref())))
}

/// Sorts CAs, given by name, so that parents come before children. A CA whose parent is missing comes last.
/// `place` returns the names of a CA and of its parent.
pub(super) fn parents_first<T>(by_name: Vec<T>, place: impl Fn(&T) -> (&str, Option<&str>)) -> Vec<T> {
    let mut below: HashMap<Option<&str>, Vec<usize>> = HashMap::new();
    let mut order = Vec::with_capacity(by_name.len());
    for (at, one) in by_name.iter().enumerate() {
        below.entry(place(one).1).or_default().push(at);
    }
    let mut parents = vec![None];
    while let Some(parent) = parents.pop() {
        let children = below.remove(&parent).unwrap_or_default();
        parents.extend(children.iter().rev().filter_map(|at| by_name.get(*at)).map(|one| Some(place(one).0)));
        order.extend(children);
    }
    let mut rest: Vec<usize> = below.into_values().flatten().collect();
    rest.sort_unstable();
    order.extend(rest.into_iter().rev());
    let mut waiting: Vec<Option<T>> = by_name.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| waiting.get_mut(at).and_then(Option::take)).collect()
}

/// Returns the CA of this name.
pub(super) fn named(connection: &Connection, name: &str) -> Result<Option<Authority>, IndexError> {
    let mut statement = connection.prepare_cached(&format!("{AUTHORITIES} AND a.name = ?1"))?;
    let mut rows = statement.query([name])?;
    rows.next()?.map(authority).transpose()
}

/// Returns the CA of this identity.
pub(super) fn identified(
    connection: &Connection,
    issuer: &IssuerId,
) -> Result<Option<Authority>, IndexError> {
    let mut statement = connection.prepare_cached(&format!("{AUTHORITIES} AND i.identity = ?1"))?;
    let mut rows = statement.query([issuer.0])?;
    rows.next()?.map(authority).transpose()
}

/// Returns the next generation of the CA of this name.
pub(super) fn successor(connection: &Connection, name: &str) -> Result<Option<Authority>, IndexError> {
    let mut statement =
        connection.prepare_cached(&format!("{AUTHORITIES} AND b.name = ?1 ORDER BY a.name LIMIT 1"))?;
    let mut rows = statement.query([name])?;
    rows.next()?.map(authority).transpose()
}

/// Query of the CAs whose certificate has this subject.
pub(super) const BEARERS: &str = "
    SELECT a.name FROM certificate c INDEXED BY certificate_holder
    CROSS JOIN authority a ON a.certificate = c.number
    WHERE c.holder = ?1 AND c.der IS NOT NULL ORDER BY a.name";

pub(super) fn bearers(connection: &Connection, name: &Name) -> Result<Vec<Authority>, IndexError> {
    let Some(subscriber) = naming::subscriber(name) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(BEARERS)?;
    let names: Vec<String> =
        statement.query_map([subscriber], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut bearers = Vec::new();
    for name in names {
        bearers.extend(named(connection, &name)?);
    }
    Ok(bearers)
}

/// Returns the row number of an issuer that is on record.
pub(super) fn issuer_number(connection: &Connection, issuer: &IssuerId) -> Result<Option<i64>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT number FROM issuer WHERE identity = ?1")?;
    Ok(statement.query_row([issuer.0], |row| row.get(0)).optional()?)
}

/// Returns the row number of an issuer, and adds the row when there is none.
pub(super) fn enter_issuer(connection: &Connection, issuer: &IssuerId) -> Result<i64, IndexError> {
    if let Some(number) = issuer_number(connection, issuer)? {
        return Ok(number);
    }
    connection.prepare_cached("INSERT INTO issuer (identity) VALUES (?1)")?.execute([issuer.0])?;
    Ok(connection.last_insert_rowid())
}

/// Returns the row number of an issuer that is a CA of this index.
pub(super) fn authority_number(connection: &Connection, issuer: &IssuerId) -> Result<i64, IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.issuer FROM issuer i JOIN authority a ON a.issuer = i.number
         JOIN certificate c ON c.number = a.certificate WHERE i.identity = ?1 AND c.der IS NOT NULL",
    )?;
    let number = statement.query_row([issuer.0], |row| row.get(0)).optional()?;
    number.ok_or(IndexError::UnknownAuthority(*issuer))
}

/// Reserves name and identity for a CA with this key, or notes that the certificate is to replace that of a
/// known CA.
pub(super) fn enter(
    connection: &Connection,
    issuer: &IssuerId,
    new: &IntendedAuthority,
    (certificate, identity): (i64, [u8; 32]),
) -> Result<(), IndexError> {
    let IntendedAuthority { name, key, serves_ocsp, succeeds, renews } = new;
    if *renews {
        return renew(connection, issuer, name, certificate);
    }
    let before = match succeeds {
        None => None,
        Some(name) => {
            let before = named(connection, name)?
                .ok_or_else(|| IndexError::IssuerUnfit(format!("there is no CA named {name}")))?;
            issuer_number(connection, &before.issuer)?
        }
    };
    let number = enter_issuer(connection, issuer)?;
    let mut statement =
        connection.prepare_cached("SELECT name FROM authority WHERE name = ?1 OR issuer = ?2")?;
    if let Some(taken) = statement.query_row((name, number), |row| row.get(0)).optional()? {
        return Err(IndexError::AuthorityExists(taken));
    }
    connection
        .prepare_cached(
            "INSERT INTO authority (issuer, name, certificate, key, external, serves_ocsp, succeeds)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((number, name, certificate, identity, key.is_none(), serves_ocsp, before))?;
    key.as_deref().map_or(Ok(()), |uri| keep_at(connection, number, identity, uri))
}

/// Records the location of a CA's key.
fn keep_at(connection: &Connection, authority: i64, identity: [u8; 32], uri: &str) -> Result<(), IndexError> {
    connection
        .prepare_cached("INSERT INTO key_place (authority, key, uri) VALUES (?1, ?2, ?3)")?
        .execute((authority, identity, uri))?;
    Ok(())
}

/// Notes that a certificate is to replace that of a CA. It fails when the CA's certificate is revoked or on
/// hold, because a renewal must not undo that.
fn renew(connection: &Connection, issuer: &IssuerId, name: &str, certificate: i64) -> Result<(), IndexError> {
    let number = authority_number(connection, issuer)?;
    let mut statement = connection.prepare_cached(
        "SELECT s.state FROM authority a
         CROSS JOIN certificate c ON c.number = a.certificate
         CROSS JOIN status s ON s.issuer = c.issuer AND s.serial = c.serial
         WHERE a.issuer = ?1 AND a.name = ?2",
    )?;
    let state: Option<i64> = statement.query_row((number, name), |row| row.get(0)).optional()?;
    match state {
        Some(1) => {}
        Some(_) => return Err(IndexError::IssuerUnfit(format!("{name} is revoked and cannot be renewed"))),
        None => return Err(IndexError::UnknownAuthority(*issuer)),
    }
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM status WHERE certificate = ?1 AND state = 2")?;
    if statement.exists([certificate])? {
        return Err(IndexError::IssuerUnfit(format!("the certificate that {name} is to have is revoked")));
    }
    connection
        .prepare_cached("INSERT INTO renewal (certificate, issuer) VALUES (?1, ?2)")?
        .execute((certificate, number))?;
    Ok(())
}

/// Replaces the certificate of a CA by this one, which is issued now, if it was made as a renewal.
pub(super) fn install(connection: &Connection, certificate: i64) -> Result<(), IndexError> {
    let mut statement =
        connection.prepare_cached("DELETE FROM renewal WHERE certificate = ?1 RETURNING issuer")?;
    let issuer: Option<i64> = statement.query_row([certificate], |row| row.get(0)).optional()?;
    if let Some(issuer) = issuer {
        connection
            .prepare_cached("UPDATE authority SET certificate = ?1 WHERE issuer = ?2")?
            .execute((certificate, issuer))?;
    }
    Ok(())
}

/// Replaces the certificate of a CA by one that was found, where that renewed it: it has the same issuer, name
/// and key, and is newer. The found certificate is recorded under the same profile.
pub(super) fn install_found(
    connection: &Connection,
    issuer: &IssuerId,
    certificate: i64,
) -> Result<(), IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.issuer, old.profile FROM issuer i
         CROSS JOIN authority a ON a.issuer = i.number
         CROSS JOIN certificate old ON old.number = a.certificate
         CROSS JOIN status s ON s.issuer = old.issuer AND s.serial = old.serial AND s.state = 1
         CROSS JOIN certificate new ON new.number = ?2
             AND new.issuer = old.issuer AND new.not_before > old.not_before
         WHERE i.identity = ?1",
    )?;
    let renewed: Option<(i64, String)> =
        statement.query_row((issuer.0, certificate), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((authority, profile)) = renewed {
        connection
            .prepare_cached("UPDATE certificate SET profile = ?2 WHERE number = ?1")?
            .execute((certificate, profile))?;
        connection
            .prepare_cached("UPDATE authority SET certificate = ?1 WHERE issuer = ?2")?
            .execute((certificate, authority))?;
    }
    Ok(())
}

/// Records notAfter of a certificate of an issuer.
pub(super) fn note_end(connection: &Connection, issuer: i64, end: UnixTime) -> Result<(), IndexError> {
    connection
        .prepare_cached(
            "UPDATE authority SET last_end = ?2 WHERE issuer = ?1 AND (last_end IS NULL OR last_end < ?2)",
        )?
        .execute((issuer, end.0))?;
    Ok(())
}

/// Records the key of a CA that was an external CA so far. Returns false when there is no such external CA of
/// this name.
pub(super) fn come_home(connection: &Connection, authority: &Authority) -> Result<bool, IndexError> {
    let Authority { issuer, name, key, serves_ocsp, external: false, .. } = authority else {
        return Ok(false);
    };
    let mut statement = connection.prepare_cached(
        "UPDATE authority SET external = 0, serves_ocsp = ?3 WHERE external AND name = ?2
             AND issuer = (SELECT number FROM issuer WHERE identity = ?1)",
    )?;
    if statement.execute((issuer.0, name, serves_ocsp))? != 1 {
        return Ok(false);
    }
    let number = authority_number(connection, issuer)?;
    keep_at(connection, number, authority.certificate.tbs().public_key().digest(), key)?;
    Ok(true)
}

/// Frees name and identity of a CA whose certificate was abandoned.
pub(super) fn leave(connection: &Connection, certificate: i64) -> Result<(), IndexError> {
    connection.prepare_cached("DELETE FROM renewal WHERE certificate = ?1")?.execute([certificate])?;
    let place =
        "DELETE FROM key_place WHERE authority IN (SELECT issuer FROM authority WHERE certificate = ?1)";
    connection.prepare_cached(place)?.execute([certificate])?;
    connection.prepare_cached("DELETE FROM authority WHERE certificate = ?1")?.execute([certificate])?;
    Ok(())
}

const FITNESS: &str = "
    SELECT a.name, c.issuer, c.not_before, c.not_after, s.state, s.revoked_at, s.reason, s.invalidity_date,
        a.retired_at
    FROM authority a
    CROSS JOIN certificate c ON c.number = a.certificate
    CROSS JOIN status s ON s.issuer = c.issuer AND s.serial = c.serial
    WHERE a.issuer = ?1";

/// Returns the row number and name of an issuer that may issue at this time.
pub(super) fn usable_issuer(
    connection: &Connection,
    issuer: &IssuerId,
    at: UnixTime,
) -> Result<(i64, Name), IndexError> {
    let number = authority_number(connection, issuer)?;
    let mut statement = connection.prepare_cached(FITNESS)?;
    let mut seen = Vec::new();
    let mut next = number;
    loop {
        let mut rows = statement.query([next])?;
        let Some(row) = rows.next()? else { break };
        let name: String = row.get(0)?;
        let (not_before, not_after) = (UnixTime(row.get(2)?), UnixTime(row.get(3)?));
        let why = match row::state(row, 4)? {
            CertificateState::Revoked(revocation) if revocation.is_hold() => {
                Some(format!("has been on hold since {}", revocation.revoked_at))
            }
            CertificateState::Revoked(revocation) => {
                Some(format!("was revoked at {}", revocation.revoked_at))
            }
            CertificateState::Pending => Some("has no certificate yet".to_owned()),
            _ if row.get::<_, Option<i64>>(8)?.is_some() => Some("was retired".to_owned()),
            CertificateState::Issued if at > not_after => Some(format!("expired at {not_after}")),
            CertificateState::Issued if at < not_before => Some(format!("is not valid before {not_before}")),
            CertificateState::Issued => None,
        };
        if let Some(why) = why {
            let first = seen.first().unwrap_or(&name);
            let which = if *first == name { name.clone() } else { format!("{name}, above {first},") };
            return Err(IndexError::IssuerUnfit(format!("{which} {why}")));
        }
        let issuer: i64 = row.get(1)?;
        if issuer == next {
            break;
        }
        if seen.contains(&name) {
            return Err(IndexError::Store(StoreError::Damaged(format!("{name} stands above itself"))));
        }
        seen.push(name);
        next = issuer;
    }
    let mut statement = connection.prepare_cached(
        "SELECT c.der FROM authority a JOIN certificate c ON c.number = a.certificate WHERE a.issuer = ?1",
    )?;
    let mut rows = statement.query([number])?;
    let row = rows.next()?.ok_or(IndexError::UnknownAuthority(*issuer))?;
    Ok((number, row::certificate(row, 0)?.tbs().subject().clone()))
}
