//! Examines everything that is stored.
use super::naming;
use super::reading::{record, stored};
use super::row;
use crate::index::{
    CertificateRecord, CertificateState, Damage, DamageKind, Examined, IndexError, StoreError,
};
use crate::x509::{GeneralName, Name, TbsCertificate, sha256};
use rusqlite::{Connection, Row};
use std::collections::BTreeSet;

/// Bound of the reported faults of the store itself.
const MOST: usize = 20;

/// Query of each certificate with the columns beside it, newest first.
fn query() -> String {
    format!(
        "{}, c.number, c.key, c.fingerprint, s.certificate, s.not_after, c.holder
         FROM certificate c
         LEFT JOIN issuer i ON i.number = c.issuer
         LEFT JOIN status s ON s.issuer = c.issuer AND s.serial = c.serial
         LEFT JOIN authority a ON a.issuer = c.issuer
         ORDER BY c.number DESC",
        stored()
    )
}

type Part = fn(&Connection, &mut dyn FnMut(Examined)) -> Result<(), IndexError>;

pub(super) fn examine(connection: &Connection, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError> {
    let parts: [Part; 3] = [storage, references, certificates];
    run(&parts, connection, visit)
}

/// Returns the faults of the store itself and of its references, without a look at the certificates. The list
/// is empty when there are none.
pub(super) fn faults(connection: &Connection) -> Result<Vec<String>, IndexError> {
    let mut faults = Vec::new();
    run(&[storage, references], connection, &mut |seen| {
        if let Examined::Damage(damage) = seen {
            faults.push(format!("{} {}", damage.place, damage.fault));
        }
    })?;
    Ok(faults)
}

fn run(parts: &[Part], connection: &Connection, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError> {
    for part in parts {
        // A store that cannot be read to its end is a finding. The other parts are still examined.
        match part(connection, visit) {
            Err(IndexError::Store(StoreError::Damaged(fault))) => {
                visit(damage(DamageKind::Storage, "index.db", fault))
            }
            other => other?,
        }
    }
    Ok(())
}

fn damage(kind: DamageKind, place: impl Into<String>, fault: impl Into<String>) -> Examined {
    Examined::Damage(Damage { kind, place: place.into(), fault: fault.into() })
}

fn storage(connection: &Connection, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        for fault in said.lines().filter(|line| *line != "ok" && !line.starts_with("***")) {
            visit(damage(DamageKind::Storage, "index.db", fault));
        }
    }
    Ok(())
}

fn references(connection: &Connection, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut told = 0;
    while let Some(row) = rows.next()?
        && told < MOST
    {
        told += 1;
        let (table, number, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let number = number.map_or_else(String::new, |number| format!(" {number}"));
        let place = format!("index.db, {table}{number}");
        visit(damage(DamageKind::Reference, place, format!("refers to a row of {parent} that is not there")));
    }
    for (one, other) in [("certificate", "status"), ("status", "certificate")] {
        let query = format!(
            "SELECT count(*) FROM {one} o WHERE NOT EXISTS
             (SELECT 1 FROM {other} t WHERE t.issuer = o.issuer AND t.serial = o.serial)"
        );
        // Finding the certificate of each status would need an index of its own, so that rows are counted
        // instead.
        let lonely: i64 = if one == "certificate" {
            connection.query_row(&query, [], |row| row.get(0))?
        } else {
            let count =
                |table| connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
            let (states, certificates): (i64, i64) = (count(one)?, count(other)?);
            (states - certificates).max(0)
        };
        if lonely > 0 {
            let fault = format!("{lonely} rows have no {other}");
            visit(damage(DamageKind::Reference, format!("index.db, {one}"), fault));
        }
    }
    let mut statement = connection.prepare(
        "SELECT a.name FROM authority a LEFT JOIN key_place k ON k.authority = a.issuer AND k.key = a.key
         WHERE a.external = 0 AND k.uri IS NULL ORDER BY a.name",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let fault = format!("does not say where the key of {} is", row.get::<_, String>(0)?);
        visit(damage(DamageKind::Reference, "index.db, key_place", fault));
    }
    let newest: (i64, i64) = connection.query_row(
        "SELECT (SELECT change FROM head), (SELECT coalesce(max(change), 0) FROM status)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if newest.0 < newest.1 {
        let fault = format!("says that change {} is the latest, and there is change {}", newest.0, newest.1);
        visit(damage(DamageKind::Reference, "index.db, head", fault));
    }
    Ok(())
}

fn certificates(connection: &Connection, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError> {
    let mut statement = connection.prepare(&query())?;
    let mut named = connection.prepare("SELECT 1 FROM name WHERE value = ?1 AND certificate = ?2")?;
    let mut rows = statement.query([])?;
    let mut names: i64 = 0;
    let mut unread = false;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(15)?;
        let place = place_of(row).unwrap_or_else(|| format!("certificate number {number}"));
        let record = match record(row) {
            Ok(record) => record,
            Err(error) => {
                unread = true;
                visit(damage(DamageKind::Record, place, format!("cannot be read: {error}")));
                continue;
            }
        };
        let octets: Option<Vec<u8>> = row.get(5)?;
        let tbs = match (&record.certificate, octets) {
            (Some(certificate), _) => Some(certificate.tbs().clone()),
            (None, Some(octets)) => Some(
                TbsCertificate::from_der(&octets)
                    .map_err(|error| IndexError::Store(StoreError::Damaged(error.to_string())))?,
            ),
            (None, None) => None,
        };
        let (mut faults, expected) = match &tbs {
            Some(tbs) => (differences(row, &record, tbs)?, names_of(tbs.subject(), &tbs.subject_alt_names())),
            None => (without_octets(row, &record)?, names_of(&record.subject, &[])),
        };
        for name in &expected {
            if !named.exists((name, number))? {
                faults.push("names");
            }
        }
        names = names.saturating_add(i64::try_from(expected.len()).unwrap_or(i64::MAX));
        faults.dedup();
        if !faults.is_empty() {
            let fault = format!("is on record otherwise than its octets say: {}", faults.join(", "));
            visit(damage(DamageKind::Record, place, fault));
        }
        visit(Examined::Certificate(Box::new(record)));
    }
    let stored: i64 = connection.query_row("SELECT count(*) FROM name", [], |row| row.get(0))?;
    if stored > names && !unread {
        let fault = format!("has {} names that no certificate bears", stored - names);
        visit(damage(DamageKind::Record, "index.db, name", fault));
    }
    Ok(())
}

fn place_of(row: &Row<'_>) -> Option<String> {
    let name: Option<String> = row.get(2).ok()?;
    let serial = row::serial(row, 1).ok()?;
    Some(format!("{}/{serial}", name.unwrap_or_default()))
}

fn names_of(subject: &Name, alt_names: &[GeneralName]) -> BTreeSet<String> {
    let mut names = subject.texts("CN");
    names.extend(alt_names.iter().map(GeneralName::value));
    names.into_iter().map(|name| name.to_lowercase()).collect()
}

/// Returns the columns that disagree with the certificate.
fn differences(
    row: &Row<'_>,
    record: &CertificateRecord,
    tbs: &TbsCertificate,
) -> Result<Vec<&'static str>, IndexError> {
    let mut faults = Vec::new();
    let mut unless = |agrees: bool, what: &'static str| {
        if !agrees {
            faults.push(what);
        }
    };
    let validity = tbs.validity();
    unless(record.id.serial_number == *tbs.serial_number(), "serial number");
    unless(row.get::<_, Vec<u8>>(16)? == tbs.public_key().digest(), "key");
    unless(row.get::<_, String>(13)? == tbs.subject().to_string().to_lowercase(), "subject");
    let subscriber = naming::subscriber(tbs.subject()).map(|digest| digest.to_vec());
    unless(row.get::<_, Option<Vec<u8>>>(20)? == subscriber, "subject as it is compared");
    unless(row.get::<_, i64>(11)? == validity.not_before.0, "notBefore");
    unless(row.get::<_, i64>(12)? == validity.not_after.0, "notAfter");
    unless(row.get::<_, Option<i64>>(19)? == Some(validity.not_after.0), "end in the status");
    unless(row.get::<_, Option<i64>>(18)? == row.get(15)?, "status of another certificate");
    let fingerprint: Option<Vec<u8>> = row.get(17)?;
    let digest = record.certificate.as_ref().map(|certificate| sha256(certificate.as_der()).to_vec());
    unless(fingerprint == digest, "fingerprint");
    let is_signed = record.certificate.is_some();
    unless(is_signed || record.state != CertificateState::Issued, "issued without a signature");
    unless(!is_signed || record.state != CertificateState::Pending, "pending with a signature");
    Ok(faults)
}

/// Returns the same for a certificate of which only the serial number is known. No column beside it may show
/// that its octets were once known.
fn without_octets(row: &Row<'_>, record: &CertificateRecord) -> Result<Vec<&'static str>, IndexError> {
    let mut faults = Vec::new();
    let mut unless = |agrees: bool, what: &'static str| {
        if !agrees {
            faults.push(what);
        }
    };
    let had_none = row.get::<_, Option<Vec<u8>>>(16)?.is_none()
        && row.get::<_, Option<Vec<u8>>>(17)?.is_none()
        && record.validity.not_before.0 == 0
        && record.profile.is_empty()
        && record.contact.is_none();
    unless(had_none, "octets that are lost");
    unless(record.state != CertificateState::Pending, "pending without octets");
    unless(row.get::<_, Option<i64>>(19)? == Some(record.validity.not_after.0), "end in the status");
    unless(row.get::<_, Option<i64>>(18)? == row.get(15)?, "status of another certificate");
    Ok(faults)
}
